//! WAV, and RF64 from 4 GiB on (EBU Tech 3306).
//!
//! Written here since no crate leaves room for RF64's sizes in the header of a file that is still short.

use crate::output::{Extent, Shape};

const BYTES_PER_SAMPLE: u64 = 2;

/// What `extent` is in a file of this shape: everything but the samples follows from them.
pub(crate) fn extent(shape: Shape, samples: u64) -> Extent {
    let bytes = samples * u64::from(shape.channels) * BYTES_PER_SAMPLE;
    Extent { samples, bytes, digest: None }
}

/// The header, always of the same size for a number of channels. The place of RF64's sizes is kept by a chunk that
/// readers skip. From three channels on the header is an extensible one, with channels that are at no known place.
pub(crate) fn head(shape: Shape, extent: &Extent) -> Vec<u8> {
    let mut format = Vec::with_capacity(40);
    let frame_bytes = shape.channels * BYTES_PER_SAMPLE as u16;
    let extensible = shape.channels > 2;
    format.extend((if extensible { 0xFFFE_u16 } else { 1 }).to_le_bytes());
    format.extend(shape.channels.to_le_bytes());
    format.extend(shape.rate.hz().to_le_bytes());
    format.extend((shape.rate.hz() * u32::from(frame_bytes)).to_le_bytes());
    format.extend(frame_bytes.to_le_bytes());
    format.extend(16_u16.to_le_bytes());
    if extensible {
        format.extend([22, 0, 16, 0, 0, 0, 0, 0]);
        format.extend(*b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
    }
    // The name of the form, three chunks' names and sizes, the sizes of RF64.
    let riff_bytes = extent.bytes + (4 + 3 * 8 + 28 + format.len()) as u64;
    let long = u32::try_from(riff_bytes).is_err();
    let short_size =
        |bytes: u64| u32::try_from(bytes).ok().filter(|_| !long).unwrap_or(u32::MAX).to_le_bytes();
    let mut head = Vec::with_capacity(96);
    head.extend(if long { b"RF64" } else { b"RIFF" });
    head.extend(short_size(riff_bytes));
    head.extend(b"WAVE");
    head.extend(if long { b"ds64" } else { b"JUNK" });
    head.extend(28_u32.to_le_bytes());
    for size in [riff_bytes, extent.bytes, extent.samples] {
        head.extend((if long { size } else { 0 }).to_le_bytes());
    }
    head.extend([0; 4]);
    head.extend(b"fmt ");
    head.extend((format.len() as u32).to_le_bytes());
    head.extend(format);
    head.extend(b"data");
    head.extend(short_size(extent.bytes));
    head
}

/// Samples as they are, lowest byte first.
pub(crate) struct Coder {
    shape: Shape,
    samples: u64,
}

impl Coder {
    /// A coder at the start of a file.
    pub(crate) fn new(shape: Shape) -> Self {
        Self::behind(shape, 0)
    }

    /// A coder behind so many samples.
    pub(crate) fn behind(shape: Shape, samples: u64) -> Self {
        Self { shape, samples }
    }
}

impl crate::output::Coder for Coder {
    fn encode(&mut self, pcm: &[i16], body: &mut Vec<u8>) {
        body.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
        self.samples += pcm.len() as u64 / u64::from(self.shape.channels);
    }

    fn samples(&self) -> u64 {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::SampleRate;

    use super::*;

    fn header(channels: u16, samples: u64) -> Vec<u8> {
        let shape = Shape { rate: SampleRate::Hz8000, channels };
        head(shape, &extent(shape, samples))
    }

    fn number(head: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(head[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn sizes_are_those_of_the_file() {
        let head = header(1, 1_000);
        assert_eq!(head.len(), 80);
        assert_eq!((&head[..4], &head[8..16]), (&b"RIFF"[..], &b"WAVEJUNK"[..]));
        assert_eq!((number(&head, 4), number(&head, 76)), (80 - 8 + 2_000, 2_000));
        assert_eq!(&head[56..72], [1, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x80, 0x3E, 0, 0, 2, 0, 16, 0]);
    }

    #[test]
    fn from_four_gibibytes_on_it_is_rf64_of_the_same_size() {
        let most = (u64::from(u32::MAX) - 72) / 2;
        assert_eq!(&header(1, most)[..4], b"RIFF");
        let head = header(1, most + 1);
        assert_eq!((head.len(), &head[..4], &head[12..16]), (80, &b"RF64"[..], &b"ds64"[..]));
        assert_eq!((number(&head, 4), number(&head, 76)), (u32::MAX, u32::MAX));
        assert_eq!(head[28..36], (2 * (most + 1)).to_le_bytes());
        assert_eq!(head[36..44], (most + 1).to_le_bytes());
    }

    #[test]
    fn many_channels_have_an_extensible_header() {
        let head = header(3, 10);
        assert_eq!((head.len(), &head[56..60]), (104, &[0xFE, 0xFF, 3, 0][..]));
        assert_eq!(number(&head, 100), 60);
    }
}
