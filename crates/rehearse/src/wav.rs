//! Speech from a file.

use std::path::Path;

use mixminus_audio::{SampleRate, resample};
use thiserror::Error;

/// Largest file that is read, in bytes: half an hour at 8 kHz.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// Sample rates that speech comes in.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Why a file cannot be read out.
#[derive(Debug, Error)]
pub enum WavError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Too many bytes.
    #[error("longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not what we read.
    #[error("not a WAV file with 16-bit PCM")]
    Format,
    /// No samples, or nothing but zeros.
    #[error("there is no sound in it")]
    Silent,
}

/// Reads a WAV file at any rate, of several channels the first, and resamples it.
pub(crate) fn read(path: &Path, to: SampleRate) -> Result<Vec<i16>, WavError> {
    if std::fs::metadata(path)?.len() > MAX_BYTES {
        return Err(WavError::TooLong);
    }
    let (rate, samples) = parse(&std::fs::read(path)?).ok_or(WavError::Format)?;
    let samples = resample(&samples, rate, to);
    if samples.iter().all(|sample| *sample == 0) {
        return Err(WavError::Silent);
    }
    Ok(samples)
}

/// Rate and samples of the first channel.
fn parse(file: &[u8]) -> Option<(u32, Vec<i16>)> {
    let mut rest = file.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
    let mut format = None;
    loop {
        let (head, after) = rest.split_at_checked(8)?;
        let length = u32::from_le_bytes(head[4..].try_into().ok()?) as usize;
        if &head[..4] == b"data" {
            // Files written to a pipe have no true length.
            let data = &after[..length.min(after.len())];
            let (rate, channels) = format?;
            let first = data.chunks_exact(2 * channels).map(|frame| i16::from_le_bytes([frame[0], frame[1]]));
            return Some((rate, first.collect()));
        }
        let (chunk, after) = after.split_at_checked(length)?;
        if &head[..4] == b"fmt " {
            let word = |at: usize| Some(u16::from_le_bytes(chunk.get(at..at + 2)?.try_into().ok()?));
            let rate = u32::from_le_bytes(chunk.get(4..8)?.try_into().ok()?);
            let channels = usize::from(word(2)?);
            if word(0)? != 1 || word(14)? != 16 || channels == 0 || !RATES.contains(&rate) {
                return None;
            }
            format = Some((rate, channels));
        }
        rest = after.get(length % 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A WAV file of 16-bit PCM with an odd chunk before the data.
    fn wav(channels: u16, samples: &[i16]) -> Vec<u8> {
        let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
        file.extend(channels.to_le_bytes());
        file.extend([0x40, 0x1f, 0, 0, 0, 0, 0, 0, 2, 0, 16, 0]);
        file.extend(b"LIST\x03\0\0\0abc\0data");
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        file
    }

    #[test]
    fn the_first_channel_is_read() {
        assert_eq!(parse(&wav(1, &[1, -2, 3])), Some((8000, vec![1, -2, 3])));
        assert_eq!(parse(&wav(2, &[1, 9, -2, 9])), Some((8000, vec![1, -2])));
    }

    #[test]
    fn a_truncated_file_is_refused_or_read_as_far_as_it_goes() {
        let whole = wav(1, &[1, 2, 3]);
        for length in 0..whole.len() {
            let samples = parse(&whole[..length]).map(|(_, samples)| samples.len());
            assert!(samples.is_none_or(|samples| samples < 3), "{length}");
        }
    }

    #[test]
    fn what_is_not_16_bit_pcm_is_refused() {
        let mut float = wav(1, &[1]);
        float[20] = 3;
        assert_eq!(parse(&float), None);
        let mut none = wav(1, &[1]);
        none[22] = 0;
        assert_eq!(parse(&none), None);
    }
}
