//! A file of a recording, wherever it lies.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{Stream, stream};
use mixminus_recording::sealed::{SealedFile, SealingKey, is_sealed};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::ArchiveError;
use crate::raw::{Raw, RawReader};

/// Bytes that are read, and held, at once. Each costs a store one request.
pub(crate) const WINDOW_BYTES: u64 = 1 << 20;
/// Readers of sealed files that may wait for a store at once; each has a thread of the runtime meanwhile.
static UNSEALING: Semaphore = Semaphore::const_new(64);

/// A file of a recording, to be read by range, and in clear if it is sealed.
#[derive(Clone)]
pub struct Stored {
    len: u64,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Plain(Raw),
    Sealed(Arc<Mutex<SealedFile<RawReader>>>),
}

impl Stored {
    pub(crate) async fn open(raw: Raw, key: Option<SealingKey>) -> Result<Self, ArchiveError> {
        if !is_sealed(&raw.read(0..raw.len().min(8)).await?) {
            return Ok(Self { len: raw.len(), content: Content::Plain(raw) });
        }
        let key = key.ok_or_else(|| sealed(io::Error::new(ErrorKind::InvalidData, "there is no key")))?;
        let runtime = Handle::current();
        unseal(move || {
            let mut file = SealedFile::open(RawReader::new(raw, runtime), &key)?;
            let len = file.seek(SeekFrom::End(0))?;
            Ok(Self { len, content: Content::Sealed(Arc::new(Mutex::new(file))) })
        })
        .await
    }

    /// Length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "files of recordings begin with a header")]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// The bytes of `range`, which has to lie within the file and to fit in memory.
    ///
    /// # Errors
    ///
    /// The disk or the store fails, or the file was changed since it was sealed.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        match &self.content {
            Content::Plain(raw) => raw.read(range).await,
            Content::Sealed(file) => {
                let file = Arc::clone(file);
                let read = move || {
                    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                    let mut bytes = vec![0; (range.end - range.start) as usize];
                    file.seek(SeekFrom::Start(range.start))?;
                    file.read_exact(&mut bytes)?;
                    Ok(bytes.into())
                };
                unseal(read).await
            }
        }
    }

    /// The bytes of `range`, which has to lie within the file, a mebibyte at a time.
    pub fn stream(self, range: Range<u64>) -> impl Stream<Item = Result<Bytes, ArchiveError>> + Send {
        stream::try_unfold((self, range), async |(stored, Range { start, end })| {
            if start >= end {
                return Ok(None);
            }
            let next = end.min(start + WINDOW_BYTES);
            let bytes = stored.read(start..next).await?;
            Ok(Some((bytes, (stored, next..end))))
        })
    }
}

/// Does what reads a sealed file, which may wait for a store.
async fn unseal<T: Send + 'static>(
    task: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ArchiveError> {
    let permit = UNSEALING.acquire().await.map_err(|closed| ArchiveError::Disk(io::Error::other(closed)))?;
    blocking(move || {
        let done = task().map_err(sealed);
        drop(permit);
        done
    })
    .await
}

/// What reading a sealed file failed by.
fn sealed(error: io::Error) -> ArchiveError {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => ArchiveError::Sealed(error),
        _ => error.downcast().unwrap_or_else(ArchiveError::from),
    }
}

/// Does what may wait for the disk where that disturbs nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    task: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    tokio::task::spawn_blocking(task).await.map_err(|error| ArchiveError::Disk(io::Error::other(error)))?
}
