//! What keeps recordings.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::raw::Raw;
use crate::spool::place;
use crate::stored::blocking;
use crate::{ArchiveError, FileName, Spool, Stored};

/// A store of objects that takes them in parts.
pub trait ObjectPlace: ObjectStore + MultipartStore + Debug {}

impl<T: ObjectStore + MultipartStore + Debug> ObjectPlace for T {}

/// How a store is filled.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Bytes sent, and held, at once; a file that is longer goes in parts of this length. S3 takes none below
    /// 5 MiB, and ten thousand of a file.
    pub part_bytes: u64,
    /// Wait after the first failure; each further one doubles it.
    pub first_retry: Duration,
    /// Longest wait after a failure.
    pub longest_retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            part_bytes: 8 << 20,
            first_retry: Duration::from_secs(1),
            longest_retry: Duration::from_mins(1),
        }
    }
}

/// What keeps recordings: the spool alone, or a store that is filled from it.
#[derive(Debug)]
pub struct Archive {
    pub(crate) spool: Spool,
    pub(crate) store: Option<Arc<dyn ObjectPlace>>,
    pub(crate) pace: Pace,
    pub(crate) work: Notify,
}

impl Archive {
    /// Keeps recordings in `store`, or in the spool if there is none. [`Archive::run`] fills the store.
    pub fn new(spool: Spool, store: Option<Arc<dyn ObjectPlace>>, pace: Pace) -> Self {
        Self { spool, store, pace, work: Notify::new() }
    }

    /// Where recordings are written.
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Takes a recording whose files are complete; what they take together, in bytes. It waits for the disk, so it is
    /// not for the threads of a runtime.
    ///
    /// # Errors
    ///
    /// The disk refuses; the recording is then not over.
    pub fn finish(&self, id: Uuid) -> Result<u64, ArchiveError> {
        let size_bytes = self.spool.finish(id)?;
        self.work.notify_one();
        Ok(size_bytes)
    }

    /// A file of a recording.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::NotFound`] if there is none, or it was deleted; what the disk or the store says.
    pub async fn open(&self, id: Uuid, name: FileName) -> Result<Stored, ArchiveError> {
        let spool = self.spool.clone();
        let here = move || {
            if spool.is_deleted(id) { Ok(None) } else { Ok(Some(Raw::on_disk(spool.file(id, name)?)?)) }
        };
        let raw = match (blocking(here).await, &self.store) {
            (Ok(Some(raw)), _) => raw,
            (Err(ArchiveError::NotFound), Some(store)) => {
                Raw::in_store(Arc::clone(store), object(id, name)).await?
            }
            (Ok(None), _) => return Err(ArchiveError::NotFound),
            (Err(error), _) => return Err(error),
        };
        Stored::open(raw, self.spool.key()).await
    }

    /// The files of a recording and what they take, in bytes, in the order of their names; none if it is not kept.
    /// A sealed file takes more than it holds.
    ///
    /// # Errors
    ///
    /// What the disk or the store says.
    pub async fn files(&self, id: Uuid) -> Result<Vec<(FileName, u64)>, ArchiveError> {
        let spool = self.spool.clone();
        let here = move || match spool.files(id) {
            Err(ArchiveError::NotFound) if spool.is_deleted(id) => Ok(Some(Vec::new())),
            Err(ArchiveError::NotFound) => Ok(None),
            files => files.map(Some),
        };
        let (here, store) = (blocking(here).await?, self.store.as_ref());
        let (None, Some(store)) = (&here, store) else { return Ok(here.unwrap_or_default()) };
        let objects: Vec<_> = store.list(Some(&Path::from(folder(id)))).try_collect().await?;
        let file = |object: &ObjectMeta| Some((FileName::parse(object.location.filename()?)?, object.size));
        let mut files: Vec<_> = objects.iter().filter_map(file).collect();
        files.sort_unstable();
        Ok(files)
    }

    /// Deletes a recording: nothing of it can be read from now on, and nothing of it is on this disk. A store that
    /// is down is told when it is up again.
    ///
    /// # Errors
    ///
    /// The disk refuses; it is to be tried again.
    pub async fn delete(&self, id: Uuid) -> Result<(), ArchiveError> {
        let (spool, alone) = (self.spool.clone(), self.store.is_none());
        blocking(move || {
            spool.bury(id)?;
            if alone { spool.forget(id) } else { Ok(()) }
        })
        .await?;
        self.work.notify_one();
        Ok(())
    }
}

/// What the store calls the folder of a recording.
pub(crate) fn folder(id: Uuid) -> String {
    format!("recordings/{}", place(id))
}

/// What the store calls a file of a recording.
pub(crate) fn object(id: Uuid, name: FileName) -> Path {
    Path::from(format!("{}/{name}", folder(id)))
}
