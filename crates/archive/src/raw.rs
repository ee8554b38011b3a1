//! A file as it lies on the disk or in the store.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use mixminus_recording::Medium;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use tokio::runtime::Handle;

use crate::stored::{WINDOW_BYTES, blocking};
use crate::{ArchiveError, ObjectPlace};

/// A file as it lies on the disk or in the store.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    len: u64,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Disk(Arc<File>),
    Store(Arc<dyn ObjectPlace>, Path),
}

impl Raw {
    pub fn on_disk(file: File) -> Result<Self, ArchiveError> {
        Ok(Self { len: file.metadata()?.len(), place: Place::Disk(Arc::new(file)) })
    }

    pub async fn in_store(store: Arc<dyn ObjectPlace>, path: Path) -> Result<Self, ArchiveError> {
        let len = store.head(&path).await?.size;
        Ok(Self { len, place: Place::Store(store, path) })
    }

    pub const fn len(&self) -> u64 {
        self.len
    }

    /// The bytes of `range`, which has to lie within the file.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        match &self.place {
            _ if range.is_empty() => Ok(Bytes::new()),
            Place::Store(store, path) => Ok(store.get_range(path, range).await?),
            Place::Disk(file) => {
                let file = Arc::clone(file);
                blocking(move || from_disk(&file, range)).await
            }
        }
    }

    /// The same on a thread that may wait.
    fn wait_for(&self, range: Range<u64>, runtime: &Handle) -> Result<Bytes, ArchiveError> {
        match &self.place {
            Place::Store(store, path) => Ok(runtime.block_on(store.get_range(path, range))?),
            Place::Disk(file) => from_disk(file, range),
        }
    }
}

fn from_disk(file: &File, range: Range<u64>) -> Result<Bytes, ArchiveError> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.into())
}

/// A [`Raw`] with a position, for threads that may wait. It cannot be written.
pub(crate) struct RawReader {
    raw: Raw,
    runtime: Handle,
    position: u64,
    /// What was fetched last, so that a store is not asked for each piece, and where that is.
    window: Bytes,
    window_at: u64,
}

impl RawReader {
    pub const fn new(raw: Raw, runtime: Handle) -> Self {
        Self { raw, runtime, position: 0, window: Bytes::new(), window_at: 0 }
    }
}

impl Read for RawReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let place = self.position.checked_sub(self.window_at).map_or(usize::MAX, |place| place as usize);
        if place >= self.window.len() {
            let end = self.raw.len.min(self.position.saturating_add(WINDOW_BYTES));
            if self.position >= end {
                return Ok(0);
            }
            let window = self.raw.wait_for(self.position..end, &self.runtime);
            self.window = window.map_err(io::Error::other)?;
            self.window_at = self.position;
            return self.read(buffer);
        }
        let count = buffer.len().min(self.window.len() - place);
        buffer[..count].copy_from_slice(&self.window[place..place + count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for RawReader {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let place = match position {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.raw.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = place.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl Write for RawReader {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(ErrorKind::Unsupported.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for RawReader {
    fn set_len(&mut self, _: u64) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }
}
