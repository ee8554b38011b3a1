//! Where the files of one recording are.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::thread;
use std::time::Duration;

use mixminus_archive::{ArchiveError, Extension, FileName, Spool};
use mixminus_recording::{FileName as Name, Format, Medium, Storage};
use uuid::Uuid;

/// Pause before what the disk had no room for is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// The files of one recording in the spool.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    spool: Spool,
    id: Uuid,
    extension: Extension,
}

impl Folder {
    pub fn new(spool: &Spool, id: Uuid, format: Format) -> Self {
        Self { spool: spool.clone(), id, extension: extension(format) }
    }

    /// That of a recording of which there is something; none if there is nothing.
    pub fn existing(spool: &Spool, id: Uuid) -> io::Result<Option<Self>> {
        let files = match spool.files(id) {
            Err(ArchiveError::NotFound) => return Ok(None),
            files => files.map_err(told)?,
        };
        // Until its end, a recording whose tracks become its channels has no main file.
        let extension = files.iter().find_map(|(name, _)| match name {
            FileName::Main(extension) => Some(*extension),
            _ => None,
        });
        Ok(Some(Self { spool: spool.clone(), id, extension: extension.unwrap_or(Extension::Wav) }))
    }

    fn name(&self, name: Name) -> FileName {
        match name {
            Name::Main => FileName::Main(self.extension),
            Name::Track(track) => FileName::Track(track.0),
            Name::Sidecar => FileName::Sidecar,
            Name::Journal => FileName::Journal,
        }
    }
}

impl Storage for Folder {
    type File = Patient;

    fn create(&mut self, name: Name) -> io::Result<Patient> {
        patiently(|| self.spool.create(self.id, self.name(name)).map_err(told)).map(Patient)
    }

    fn open(&mut self, name: Name) -> io::Result<Patient> {
        self.spool.edit(self.id, self.name(name)).map(Patient).map_err(told)
    }

    fn remove(&mut self, name: Name) -> io::Result<()> {
        self.spool.discard(self.id, self.name(name)).map_err(told)
    }
}

const fn extension(format: Format) -> Extension {
    match format {
        Format::Wav => Extension::Wav,
        Format::Mp3 => Extension::Mp3,
        Format::OggOpus => Extension::Ogg,
        Format::Flac => Extension::Flac,
    }
}

fn told(error: ArchiveError) -> io::Error {
    match error {
        ArchiveError::NotFound => ErrorKind::NotFound.into(),
        ArchiveError::Disk(error) | ArchiveError::DiskFull(error) => error,
        other => io::Error::other(other),
    }
}

/// A file on a disk that may be full for a while: what does not fit waits until it does.
#[derive(Debug)]
pub(super) struct Patient(File);

fn patiently<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match act() {
            Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                thread::park_timeout(RETRY);
            }
            done => return done,
        }
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Patient {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        patiently(|| self.0.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        patiently(|| self.0.flush())
    }
}

impl Seek for Patient {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

impl Medium for Patient {
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        patiently(|| self.0.set_len(bytes))
    }
}
