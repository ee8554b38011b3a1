//! MP3 of constant bit rate: by LAME, with a tag of our own.
//!
//! The tag is the Info frame that LAME writes, too, with the number of frames and the samples to leave out at both ends,
//! by which players find the exact length. It is made here since after a crash there is no LAME to ask for it.

use mixminus_audio::SampleRate;

use crate::output::{Extent, Shape};

/// Samples that LAME puts before the first one (`ENCDELAY` in its encoder.h).
const ENCODER_DELAY: u64 = 576;

/// What the samples of each frame are, its kilobits per second, and how a frame begins.
struct Parameters {
    frame_samples: u64,
    kbps: u64,
    header: [u8; 4],
    /// Bytes between the header and the tag: side information of silence.
    side_bytes: usize,
}

impl Parameters {
    fn of(shape: Shape) -> Self {
        let stereo = usize::from(shape.channels > 1);
        // MPEG-1, MPEG-2, and MPEG-2.5, which goes to 64 kbit/s, with the indexes of bit rates and of the sample rate.
        let (version, rates, rate, frame_samples) = match shape.rate {
            SampleRate::Hz48000 => (0xFB, [(64, 5), (128, 9)], 1, 1_152),
            SampleRate::Hz16000 => (0xF3, [(64, 8), (128, 12)], 2, 576),
            SampleRate::Hz8000 => (0xE3, [(32, 4), (64, 8)], 2, 576),
        };
        let (kbps, index) = rates[stereo];
        let header = [0xFF, version, index << 4 | rate << 2, if stereo == 1 { 0 } else { 0xC0 }];
        let side_bytes = if frame_samples == 1_152 { [17, 32] } else { [9, 17] }[stereo];
        Self { frame_samples, kbps, header, side_bytes }
    }

    /// Bytes of each frame: always a whole number, so that none is padded.
    fn frame_bytes(&self, shape: Shape) -> u64 {
        self.frame_samples * self.kbps * 1_000 / 8 / u64::from(shape.rate.hz())
    }
}

/// The tag: a frame that is played as silence by who does not know it, and otherwise left out.
pub(crate) fn head(shape: Shape, extent: &Extent) -> Vec<u8> {
    let parameters = Parameters::of(shape);
    let frame_bytes = parameters.frame_bytes(shape);
    let frames = extent.bytes / frame_bytes;
    let padding =
        (frames * parameters.frame_samples).saturating_sub(ENCODER_DELAY + extent.samples).min(0xFFF);
    let mut tag = parameters.header.to_vec();
    tag.resize(4 + parameters.side_bytes, 0);
    tag.extend(b"Info\0\0\0\x03");
    tag.extend((frames as u32).to_be_bytes());
    tag.extend(((extent.bytes + frame_bytes) as u32).to_be_bytes());
    // The encoder; revision 0 and constant bit rate; no low-pass filter, peak or gains given.
    tag.extend(b"LAME3.100\x01\0\0\0\0\0\0\0\0\0\0");
    tag.push(parameters.kbps as u8);
    tag.extend(&((ENCODER_DELAY << 12 | padding) as u32).to_be_bytes()[1..]);
    tag.extend([0; 4]);
    tag.extend(((extent.bytes + frame_bytes) as u32).to_be_bytes());
    tag.extend([0; 2]);
    tag.extend(crc16(&tag).to_be_bytes());
    tag.resize(frame_bytes as usize, 0);
    tag
}

/// The cyclic redundancy check of the tag (CRC-16/ARC).
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}

#[cfg(feature = "mp3")]
pub(crate) use lame::Coder;

#[cfg(feature = "mp3")]
mod lame {
    use mp3lame_encoder::{
        Bitrate, BuildError, Builder, Encoder, FlushGap, InterleavedPcm, Mode, MonoPcm, Quality,
        max_required_buffer_size,
    };
    use std::io;

    use super::{ENCODER_DELAY, Parameters};
    use crate::output::Shape;

    /// Samples by which a decoder is late. Players leave them out without being told.
    const DECODER_DELAY: u64 = 529;

    /// Bytes that the end of a stream needs at most (lame.h, `lame_encode_flush`).
    const FLUSH_BYTES: usize = 7_200;

    const HAS_ROOM: &str =
        "LAME fails only without memory, without room or by parameters it has refused before";

    /// LAME, of which only whole frames are written.
    pub(crate) struct Coder {
        lame: Encoder,
        shape: Shape,
        samples: u64,
        frames: u64,
        coded: Vec<u8>,
    }

    impl Coder {
        /// A coder at the start of a file.
        pub(crate) fn new(shape: Shape) -> io::Result<Self> {
            let lame = build(shape).map_err(|error| io::Error::other(format!("LAME: {error:?}")))?;
            Ok(Self { lame, shape, samples: 0, frames: 0, coded: Vec::new() })
        }
    }

    fn build(shape: Shape) -> Result<Encoder, BuildError> {
        let bitrate = match Parameters::of(shape).kbps {
            32 => Bitrate::Kbps32,
            64 => Bitrate::Kbps64,
            _ => Bitrate::Kbps128,
        };
        let mode = if shape.channels > 1 { Mode::Stereo } else { Mode::Mono };
        let rate = std::num::NonZeroU32::new(shape.rate.hz());
        Builder::new()
            .ok_or(BuildError::NoMem)?
            .with_num_channels(shape.channels as u8)?
            .with_sample_rate(shape.rate.hz())?
            .with_output_sample_rate(rate)?
            .with_mode(mode)?
            .with_brate(bitrate)?
            .with_quality(Quality::Good)?
            .with_to_write_vbr_tag(false)?
            .build()
    }

    impl Coder {
        fn write_frames(&mut self, body: &mut Vec<u8>) {
            let frame_bytes = Parameters::of(self.shape).frame_bytes(self.shape) as usize;
            let frames = self.coded.len() / frame_bytes;
            body.extend(self.coded.drain(..frames * frame_bytes));
            self.frames += frames as u64;
        }
    }

    impl crate::output::Coder for Coder {
        fn encode(&mut self, pcm: &[i16], body: &mut Vec<u8>) {
            self.coded.reserve(max_required_buffer_size(pcm.len()));
            let done = match self.shape.channels {
                1 => self.lame.encode_to_vec(MonoPcm(pcm), &mut self.coded),
                _ => self.lame.encode_to_vec(InterleavedPcm(pcm), &mut self.coded),
            };
            done.expect(HAS_ROOM);
            self.samples += pcm.len() as u64 / u64::from(self.shape.channels);
            self.write_frames(body);
        }

        fn finish(&mut self, body: &mut Vec<u8>) -> Option<[u8; 16]> {
            self.coded.reserve(FLUSH_BYTES);
            self.lame.flush_to_vec::<FlushGap>(&mut self.coded).expect(HAS_ROOM);
            self.write_frames(body);
            None
        }

        fn samples(&self) -> u64 {
            let coded = self.frames * Parameters::of(self.shape).frame_samples;
            coded.saturating_sub(ENCODER_DELAY + DECODER_DELAY).min(self.samples)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_a_frame_that_tells_the_exact_length() {
        let shape = Shape { rate: SampleRate::Hz48000, channels: 1 };
        let tag = head(shape, &Extent { bytes: 192 * 10, samples: 10_000, digest: None });
        assert_eq!((tag.len(), &tag[..4]), (192, &[0xFF, 0xFB, 0x54, 0xC0][..]));
        assert_eq!(&tag[21..37], b"Info\0\0\0\x03\0\0\0\x0A\0\0\x08\x40");
        // 10 frames are 11,520 samples: 576 before, 944 behind.
        assert_eq!(tag[58..61], [0x24, 0x03, 0xB0]);
    }

    #[test]
    fn the_check_of_the_tag_is_the_one_lame_uses() {
        assert_eq!(crc16(b"123456789"), 0xBB3D);
    }

    #[test]
    fn frames_of_every_shape_are_whole_bytes_and_hold_the_tag() {
        for rate in SampleRate::ALL {
            for channels in [1, 2] {
                let shape = Shape { rate, channels };
                let parameters = Parameters::of(shape);
                let bits = parameters.frame_samples * parameters.kbps * 1_000;
                assert_eq!(bits % (8 * u64::from(rate.hz())), 0, "{shape:?}");
                assert!(
                    parameters.frame_bytes(shape) as usize >= 4 + parameters.side_bytes + 52,
                    "{shape:?}"
                );
            }
        }
    }
}
