//! Where files of a recording are.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::TrackId;

/// The files of one recording. Their names in a file system are the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileName {
    /// The recording.
    Main,
    /// One track, as WAV.
    Track(TrackId),
    /// What is known of the recording, as JSON; written when it ends.
    Sidecar,
    /// The same as it becomes known, for [`recover`](crate::recover); removed when the recording ends.
    Journal,
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Main => formatter.write_str("main"),
            Self::Track(TrackId(track)) => write!(formatter, "track-{track}"),
            Self::Sidecar => formatter.write_str("sidecar"),
            Self::Journal => formatter.write_str("journal"),
        }
    }
}

/// A file: what is written is to survive the end of the process once [`Write::flush`] has returned.
pub trait Medium: Read + Write + Seek {
    /// Cuts the file off, or lengthens it by zeros.
    ///
    /// # Errors
    ///
    /// When the file cannot be changed.
    fn set_len(&mut self, bytes: u64) -> io::Result<()>;
}

impl Medium for File {
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        File::set_len(self, bytes)
    }
}

/// The files of one recording.
pub trait Storage {
    /// One of them.
    type File: Medium;

    /// A new, empty file, in place of what there was by this name.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    fn create(&mut self, name: FileName) -> io::Result<Self::File>;

    /// A file as it is, to be read and written.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is none.
    fn open(&mut self, name: FileName) -> io::Result<Self::File>;

    /// Removes a file, if there is one.
    ///
    /// # Errors
    ///
    /// When it is still there.
    fn remove(&mut self, name: FileName) -> io::Result<()>;
}

/// Files in memory; clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    files: Arc<Mutex<BTreeMap<FileName, MemoryFile>>>,
}

/// A file in memory; clones share its content and have a position each.
#[derive(Clone, Debug, Default)]
pub struct MemoryFile {
    bytes: Arc<Mutex<Vec<u8>>>,
    position: u64,
}

/// What a panic elsewhere left is as good as what an error would have.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryStorage {
    /// The names of the files there are.
    pub fn names(&self) -> Vec<FileName> {
        lock(&self.files).keys().copied().collect()
    }

    /// What a file holds, if there is one.
    pub fn bytes(&self, name: FileName) -> Option<Vec<u8>> {
        lock(&self.files).get(&name).map(|file| lock(&file.bytes).clone())
    }
}

impl Storage for MemoryStorage {
    type File = MemoryFile;

    fn create(&mut self, name: FileName) -> io::Result<MemoryFile> {
        let file = MemoryFile::default();
        lock(&self.files).insert(name, file.clone());
        Ok(file)
    }

    fn open(&mut self, name: FileName) -> io::Result<MemoryFile> {
        lock(&self.files).get(&name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn remove(&mut self, name: FileName) -> io::Result<()> {
        lock(&self.files).remove(&name);
        Ok(())
    }
}

impl MemoryFile {
    /// Does something at the file's position, and moves it.
    fn at_position<T>(
        &mut self,
        act: impl FnOnce(&mut Cursor<&mut Vec<u8>>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut bytes = lock(&self.bytes);
        let mut cursor = Cursor::new(&mut *bytes);
        cursor.set_position(self.position);
        let done = act(&mut cursor)?;
        self.position = cursor.position();
        Ok(done)
    }
}

impl Read for MemoryFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.at_position(|file| file.read(buffer))
    }
}

impl Write for MemoryFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.at_position(|file| file.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for MemoryFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.at_position(|file| file.seek(position))
    }
}

impl Medium for MemoryFile {
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        let bytes = usize::try_from(bytes).map_err(io::Error::other)?;
        lock(&self.bytes).resize(bytes, 0);
        Ok(())
    }
}
