//! The file with a channel for each track, made of the files of all tracks.

use std::io::{self, Seek, SeekFrom};

use crate::output::{self, Extent, Output, Shape};
use crate::{FileName, Format, Medium, Sidecar, Storage};

/// Samples of each channel that are moved together: what is in memory at a time is below 5 MB.
const BLOCK_SAMPLES: u64 = 4_096;

/// Writes the main file, with at least one channel.
pub(crate) fn interleave<S: Storage>(storage: &mut S, sidecar: &Sidecar) -> io::Result<()> {
    let one = Shape { rate: sidecar.outline.rate, channels: 1 };
    let mut tracks = Vec::with_capacity(sidecar.tracks.len());
    for &track in sidecar.tracks.keys() {
        let mut file = storage.open(FileName::Track(track))?;
        file.seek(SeekFrom::Start(output::place(one, 0)))?;
        tracks.push(file);
    }
    let shape = Shape { channels: tracks.len().max(1) as u16, ..one };
    let mut main = Output::new(FileName::Main, Format::Wav, shape)?;
    main.write(storage, &Extent::default())?;
    let mut left = sidecar.samples;
    while left > 0 {
        let samples = left.min(BLOCK_SAMPLES) as usize;
        main.encode(&block(&mut tracks, samples)?);
        let extent = main.settle();
        main.write(storage, &extent)?;
        left -= samples as u64;
    }
    Ok(())
}

fn block(tracks: &mut [impl Medium], samples: usize) -> io::Result<Vec<i16>> {
    let channels = tracks.len().max(1);
    let mut block = vec![0; samples * channels];
    let mut bytes = vec![0; samples * 2];
    for (channel, track) in tracks.iter_mut().enumerate() {
        track.read_exact(&mut bytes)?;
        for (out, sample) in block[channel..].iter_mut().step_by(channels).zip(bytes.as_chunks().0) {
            *out = i16::from_le_bytes(*sample);
        }
    }
    Ok(block)
}
