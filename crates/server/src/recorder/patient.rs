//! Files on a disk that may be full for a while: what does not fit waits until it does.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::thread;
use std::time::Duration;

use mixminus_recording::{FileName, Medium, Storage};

/// Pause before what the disk had no room for is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// A storage, or one of its files, that waits for room.
#[derive(Debug)]
pub(super) struct Patient<T>(pub T);

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

impl<S: Storage> Storage for Patient<S> {
    type File = Patient<S::File>;

    fn create(&mut self, name: FileName) -> io::Result<Patient<S::File>> {
        patiently(|| self.0.create(name)).map(Patient)
    }

    fn open(&mut self, name: FileName) -> io::Result<Patient<S::File>> {
        self.0.open(name).map(Patient)
    }

    fn remove(&mut self, name: FileName) -> io::Result<()> {
        self.0.remove(name)
    }
}

impl<F: Medium> Read for Patient<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<F: Medium> Write for Patient<F> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        patiently(|| self.0.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        patiently(|| self.0.flush())
    }
}

impl<F: Medium> Seek for Patient<F> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        patiently(|| self.0.seek(position))
    }
}

impl<F: Medium> Medium for Patient<F> {
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        patiently(|| self.0.set_len(bytes))
    }
}
