//! Files of the spool, sealed or not.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use mixminus_recording::sealed::{SealedFile, SealingKey, is_sealed};
use mixminus_recording::{self as recording, Medium, TrackId};
use uuid::Uuid;

use crate::{ArchiveError, FileName, Format, Spool};

/// A file of the spool, to be read and written. What is written is in it once it is [flushed](Write::flush).
pub enum SpoolFile {
    /// As it lies on the disk.
    Plain(File),
    /// Its content is sealed.
    Sealed(Box<SealedFile<File>>),
}

impl SpoolFile {
    pub(crate) fn create(file: File, key: Option<&SealingKey>) -> io::Result<Self> {
        match key {
            Some(key) => Ok(Self::Sealed(Box::new(SealedFile::create(file, key)?))),
            None => Ok(Self::Plain(file)),
        }
    }

    /// A file that was made with a key or without.
    pub(crate) fn open(mut file: File, key: Option<&SealingKey>) -> io::Result<Self> {
        let mut start = Vec::new();
        (&mut file).take(8).read_to_end(&mut start)?;
        file.seek(SeekFrom::Start(0))?;
        match key {
            Some(key) if is_sealed(&start) => Ok(Self::Sealed(Box::new(SealedFile::open(file, key)?))),
            None if is_sealed(&start) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "the file is sealed, and there is no key"))
            }
            _ => Ok(Self::Plain(file)),
        }
    }

    fn medium(&mut self) -> &mut dyn Medium {
        match self {
            Self::Plain(file) => file,
            Self::Sealed(file) => &mut **file,
        }
    }
}

impl Read for SpoolFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.medium().read(buffer)
    }
}

impl Write for SpoolFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.medium().write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.medium().flush()
    }
}

impl Seek for SpoolFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.medium().seek(position)
    }
}

impl Medium for SpoolFile {
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        self.medium().set_len(bytes)
    }
}

/// The folder of one recording in a [`Spool`], to be recorded to.
#[derive(Clone, Debug)]
pub struct Folder {
    spool: Spool,
    id: Uuid,
    main: Format,
}

impl Folder {
    pub(crate) const fn new(spool: Spool, id: Uuid, main: Format) -> Self {
        Self { spool, id, main }
    }

    const fn name(&self, name: recording::FileName) -> FileName {
        match name {
            recording::FileName::Main => FileName::Main(self.main),
            recording::FileName::Track(TrackId(number)) => FileName::Track(number),
            recording::FileName::Sidecar => FileName::Sidecar,
            recording::FileName::Journal => FileName::Journal,
        }
    }
}

impl recording::Storage for Folder {
    type File = SpoolFile;

    fn create(&mut self, name: recording::FileName) -> io::Result<SpoolFile> {
        Ok(self.spool.create(self.id, self.name(name))?)
    }

    fn open(&mut self, name: recording::FileName) -> io::Result<SpoolFile> {
        Ok(self.spool.edit(self.id, self.name(name))?)
    }

    fn remove(&mut self, name: recording::FileName) -> io::Result<()> {
        Ok(self.spool.discard(self.id, self.name(name))?)
    }
}

impl From<ArchiveError> for io::Error {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::NotFound => io::ErrorKind::NotFound.into(),
            ArchiveError::DiskFull(error) | ArchiveError::Disk(error) | ArchiveError::Sealed(error) => error,
            error => Self::other(error),
        }
    }
}
