//! The end of a recording, by request or after a crash.

use std::io::{self, Read, SeekFrom, Write};

use sha2::{Digest, Sha256 as Hasher};

use crate::chain::{self, Chain};
use crate::interleave::interleave;
use crate::output::{self, Shape};
use crate::{
    FileName, Finished, Format, Layout, Link, Medium, Outline, Sha256, Sidecar, Storage, StoredFile, journal,
    wav,
};

/// Bytes of a file that are read together.
const BLOCK_BYTES: usize = 1 << 16;

/// Makes whole what a recording left whose process ended: its files say how long they are, the sidecar is there. At most
/// a second is missing at the end. None when there is no recording that was not finished; what is in the storage then is
/// a finished one, or one of which nothing was recorded.
///
/// It may be called again after it has failed or been interrupted.
///
/// # Errors
///
/// When a file cannot be read or written.
pub fn recover<S: Storage>(mut storage: S) -> io::Result<Option<Finished>> {
    let Some(journal) = found(storage.open(FileName::Journal))? else { return Ok(None) };
    let concluded = found(storage.open(FileName::Sidecar))?.and_then(|file| Sidecar::read(file).ok());
    if let Some(sidecar) = concluded {
        return clean_up(&mut storage, &sidecar).map(Some);
    }
    let Some((mut sidecar, begun)) = journal::replay(journal)? else { return Ok(None) };
    begun.into_iter().try_for_each(|track| storage.remove(FileName::Track(track)))?;
    sidecar.recovered = true;
    let Outline { rate, format, layout, keep_tracks, .. } = sidecar.outline;
    let one = Shape { rate, channels: 1 };
    if keep_tracks || layout == Layout::EachItsOwn {
        let extent = wav::extent(one, sidecar.samples);
        for &track in sidecar.tracks.keys() {
            output::repair(storage.open(FileName::Track(track))?, Format::Wav, one, &extent)?;
        }
    }
    if layout != Layout::EachItsOwn {
        let shape = Shape { rate, channels: channels(layout) };
        let Some(main) = found(storage.open(FileName::Main))? else { return Ok(None) };
        output::repair(main, format, shape, &sidecar.extent)?;
        if format == Format::Wav {
            let main = storage.open(FileName::Main)?;
            sidecar.chain.extend(last_link(main, shape, &sidecar)?);
        }
    }
    conclude(&mut storage, sidecar).map(Some)
}

/// Writes the sidecar of a recording whose files are complete, and removes what is no longer needed.
pub(crate) fn conclude<S: Storage>(storage: &mut S, mut sidecar: Sidecar) -> io::Result<Finished> {
    let mut names = vec![FileName::Main];
    if sidecar.outline.layout == Layout::EachItsOwn {
        interleave(storage, &sidecar)?;
    }
    if sidecar.outline.keep_tracks {
        names.extend(sidecar.tracks.keys().copied().map(FileName::Track));
    }
    for name in names {
        let (bytes, sha256) = sum(storage.open(name)?, u64::MAX)?;
        sidecar.files.push(StoredFile { name, bytes, sha256 });
    }
    let last = sidecar.chain.last().map_or(Sha256::default(), |link| link.link);
    sidecar.chain_head = chain::head(last, sidecar.files[0].sha256);
    let mut file = storage.create(FileName::Sidecar)?;
    file.write_all(&serde_json::to_vec(&sidecar)?)?;
    file.flush()?;
    clean_up(storage, &sidecar)
}

/// The journal goes last, so that what was interrupted is done again.
fn clean_up<S: Storage>(storage: &mut S, sidecar: &Sidecar) -> io::Result<Finished> {
    if !sidecar.outline.keep_tracks {
        sidecar.tracks.keys().try_for_each(|&track| storage.remove(FileName::Track(track)))?;
    }
    storage.remove(FileName::Journal)?;
    Ok(sidecar.finished())
}

fn found<T>(opened: io::Result<T>) -> io::Result<Option<T>> {
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// Channels of a main file that is the limited sum of tracks.
pub(crate) fn channels(layout: Layout) -> u16 {
    if layout == Layout::Stereo { 2 } else { 1 }
}

/// The link of what is in a WAV behind the links there are.
fn last_link(mut main: impl Medium, shape: Shape, sidecar: &Sidecar) -> io::Result<Option<Link>> {
    let mut chain = sidecar.chain.last().map_or_else(Chain::default, Chain::behind);
    let samples = sidecar.samples.saturating_sub(chain.next_sample());
    main.seek(SeekFrom::Start(output::place(shape, chain.next_sample())))?;
    let mut left = wav::extent(shape, samples).bytes;
    let mut block = vec![0; BLOCK_BYTES];
    while left > 0 {
        let bytes = left.min(BLOCK_BYTES as u64) as usize;
        main.read_exact(&mut block[..bytes])?;
        chain.add(bytes as u64 / wav::extent(shape, 1).bytes, &block[..bytes]);
        left -= bytes as u64;
    }
    Ok(chain.end_link())
}

/// How many bytes there are, up to `limit`, and their sum.
pub(crate) fn sum(file: impl Read, limit: u64) -> io::Result<(u64, Sha256)> {
    let mut file = file.take(limit);
    let (mut hasher, mut block, mut total) = (Hasher::new(), vec![0; BLOCK_BYTES], 0);
    loop {
        match file.read(&mut block)? {
            0 => return Ok((total, Sha256(hasher.finalize().into()))),
            bytes => {
                hasher.update(&block[..bytes]);
                total += bytes as u64;
            }
        }
    }
}
