//! FLAC (RFC 9639): frames by flacenc, between a head of our own that is written again.

use std::io;

use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, StreamInfo};
use flacenc::config;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Fill, FrameBuf};
use md5::{Digest, Md5};

use crate::output::{Extent, Shape};
use crate::peaks::PEAK_TICKS;

const BITS: usize = 16;

/// Samples of each channel in a block: a part of what comes between checkpoints, and short enough for every decoder
/// (RFC 9639, section 7: 4,608 at most up to 48 kHz).
fn block_samples(shape: Shape) -> usize {
    shape.rate.frame_samples() * PEAK_TICKS as usize
}

/// The mark and the stream information (RFC 9639, section 8.2), which says nothing of the sizes of frames.
pub(crate) fn head(shape: Shape, extent: &Extent) -> Vec<u8> {
    let mut head = b"fLaC\x80\0\0\x22".to_vec();
    let block = (block_samples(shape) as u16).to_be_bytes();
    head.extend([block, block].concat());
    head.extend([0; 6]);
    let rate = u64::from(shape.rate.hz()) << 44;
    let channels = u64::from(shape.channels - 1) << 41;
    let bits = (BITS as u64 - 1) << 36;
    head.extend((rate | channels | bits | extent.samples).to_be_bytes());
    head.extend(extent.digest.unwrap_or_default());
    head
}

/// flacenc, block by block.
pub(crate) struct Coder {
    config: Verified<config::Encoder>,
    stream: StreamInfo,
    shape: Shape,
    frame: FrameBuf,
    block: Vec<i32>,
    blocks: usize,
    samples: u64,
    md5: Md5,
}

impl Coder {
    /// A coder at the start of a file.
    pub(crate) fn new(shape: Shape) -> io::Result<Self> {
        let channels = usize::from(shape.channels);
        let wrong = |error: &dyn std::fmt::Debug| io::Error::other(format!("FLAC: {error:?}"));
        Ok(Self {
            config: config::Encoder::default().into_verified().map_err(|(_, error)| wrong(&error))?,
            stream: StreamInfo::new(shape.rate.hz() as usize, channels, BITS)
                .map_err(|error| wrong(&error))?,
            frame: FrameBuf::with_size(channels, block_samples(shape)).map_err(|error| wrong(&error))?,
            shape,
            block: Vec::new(),
            blocks: 0,
            samples: 0,
            md5: Md5::new(),
        })
    }

    /// Writes the block, which may be shorter than others if it is the last.
    fn write_block(&mut self, body: &mut Vec<u8>) {
        self.frame.fill_interleaved(&self.block).expect("a block is no longer than its buffer");
        let frame = flacenc::encode_fixed_size_frame(&self.config, &self.frame, self.blocks, &self.stream)
            .expect("samples have 16 bits, and a day fewer than 2^31 blocks");
        let mut sink = ByteSink::new();
        frame.write(&mut sink).expect("memory takes every bit");
        body.extend(sink.as_slice());
        self.blocks += 1;
        self.samples += (self.block.len() / usize::from(self.shape.channels)) as u64;
        self.block.clear();
    }
}

impl crate::output::Coder for Coder {
    fn encode(&mut self, pcm: &[i16], body: &mut Vec<u8>) {
        self.md5.update(pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>());
        self.block.extend(pcm.iter().map(|&sample| i32::from(sample)));
        if self.block.len() == block_samples(self.shape) * usize::from(self.shape.channels) {
            self.write_block(body);
        }
    }

    fn finish(&mut self, body: &mut Vec<u8>) -> Option<[u8; 16]> {
        if !self.block.is_empty() {
            self.write_block(body);
        }
        Some(self.md5.finalize_reset().into())
    }

    fn samples(&self) -> u64 {
        self.samples
    }
}
