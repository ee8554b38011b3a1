//! A file of a recording, wherever it lies.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, stream};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::{ArchiveError, ObjectPlace};

/// Bytes that are read, and held, at once. Each costs a store one request.
const WINDOW_BYTES: u64 = 1 << 20;

/// A file of a recording, to be read by range.
#[derive(Clone, Debug)]
pub struct Stored {
    len: u64,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Disk(Arc<File>),
    Store(Arc<dyn ObjectPlace>, Path),
}

impl Stored {
    pub(crate) fn on_disk(file: File) -> Result<Self, ArchiveError> {
        Ok(Self { len: file.metadata()?.len(), source: Source::Disk(Arc::new(file)) })
    }

    pub(crate) async fn in_store(store: Arc<dyn ObjectPlace>, path: Path) -> Result<Self, ArchiveError> {
        let len = store.head(&path).await?.size;
        Ok(Self { len, source: Source::Store(store, path) })
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
    /// The disk or the store fails.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        match &self.source {
            Source::Store(store, path) => Ok(store.get_range(path, range).await?),
            Source::Disk(file) => {
                let file = Arc::clone(file);
                let read = move || {
                    let mut bytes = vec![0; (range.end - range.start) as usize];
                    file.read_exact_at(&mut bytes, range.start)?;
                    Ok(bytes.into())
                };
                blocking(read).await
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

/// Does what may wait for the disk where that disturbs nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    task: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    tokio::task::spawn_blocking(task).await.map_err(|error| ArchiveError::Disk(io::Error::other(error)))?
}
