//! The directory in which recordings are written.

use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mixminus_recording::sealed::SealingKey;
use uuid::Uuid;

use crate::progress::Progress;
use crate::{ArchiveError, FileName, Folder, Format, SpoolFile};

/// Where deleted recordings are until nothing of them is left anywhere.
const DELETED: &str = "deleted";
/// Where those are that the store has, while they are removed.
const RELEASED: &str = "released";
/// An empty file in the folder of a recording that is over.
const WHOLE: &str = "whole";
const PROGRESS: &str = "upload.json";
const PROGRESS_DRAFT: &str = "upload.json.new";

/// The directory in which recordings are written: `<first two digits of the id>/<id>/<file name>`.
///
/// Every method may wait for the disk.
#[derive(Clone, Debug)]
pub struct Spool {
    root: PathBuf,
    key: Option<SealingKey>,
    /// The directory, locked for as long as the spool is open.
    _lock: Arc<File>,
}

impl Spool {
    /// The spool in `root`, which only this user may enter once it is made, and no other process while this one
    /// has it. Files are sealed with `key`, if there is one; those that were made without or with it are read all the
    /// same.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::InUse`], or the directory cannot be made.
    pub fn open(root: impl Into<PathBuf>, key: Option<SealingKey>) -> Result<Self, ArchiveError> {
        let root = root.into();
        make_directory(&root.join(DELETED))?;
        let lock = File::open(&root)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => ArchiveError::InUse,
            TryLockError::Error(error) => error.into(),
        })?;
        let spool = Self { root, key, _lock: Arc::new(lock) };
        gone(fs::remove_dir_all(spool.root.join(RELEASED)))?;
        make_directory(&spool.root.join(RELEASED))?;
        Ok(spool)
    }

    /// The folder of a recording, to be recorded to, with a main file of this kind.
    pub fn folder(&self, id: Uuid, main: Format) -> Folder {
        Folder::new(self.clone(), id, main)
    }

    /// A new, empty file of a recording, to be written and read, in place of what there was.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn create(&self, id: Uuid, name: FileName) -> Result<SpoolFile, ArchiveError> {
        let folder = self.path(id);
        make_directory(&folder)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        Ok(SpoolFile::create(options.open(folder.join(name.to_string()))?, self.key.as_ref())?)
    }

    /// A file of a recording as it lies on the disk.
    pub(crate) fn file(&self, id: Uuid, name: FileName) -> Result<File, ArchiveError> {
        Ok(File::open(self.path(id).join(name.to_string()))?)
    }

    /// A file of a recording as it is, to be read and written.
    ///
    /// # Errors
    ///
    /// It is not here or was sealed with another key, or the disk refuses.
    pub fn edit(&self, id: Uuid, name: FileName) -> Result<SpoolFile, ArchiveError> {
        let file = OpenOptions::new().read(true).write(true).open(self.path(id).join(name.to_string()))?;
        Ok(SpoolFile::open(file, self.key.as_ref())?)
    }

    /// Removes a file of a recording that goes on, if there is one.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn discard(&self, id: Uuid, name: FileName) -> Result<(), ArchiveError> {
        Ok(gone(fs::remove_file(self.path(id).join(name.to_string())))?)
    }

    /// The files of a recording that are here, and their lengths in bytes.
    ///
    /// # Errors
    ///
    /// Nothing is here, or the disk refuses.
    pub fn files(&self, id: Uuid) -> Result<Vec<(FileName, u64)>, ArchiveError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.path(id))? {
            let entry = entry?;
            if let Some(name) = entry.file_name().to_str().and_then(FileName::parse) {
                files.push((name, entry.metadata()?.len()));
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    /// The first `limit` recordings that were begun and are not over: what a dead process left.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn unfinished(&self, limit: usize) -> Result<Vec<Uuid>, ArchiveError> {
        self.recordings(limit, |folder| !folder.join(WHOLE).exists())
    }

    /// The first `limit` recordings that are over and still here.
    pub(crate) fn finished(&self, limit: usize) -> Result<Vec<Uuid>, ArchiveError> {
        self.recordings(limit, |folder| folder.join(WHOLE).exists())
    }

    pub(crate) fn key(&self) -> Option<SealingKey> {
        self.key.clone()
    }

    /// Notes that a recording is over, and its files are on the disk; their length together in bytes.
    pub(crate) fn finish(&self, id: Uuid) -> Result<u64, ArchiveError> {
        let folder = self.path(id);
        let mut size_bytes = 0;
        for (name, len) in self.files(id)? {
            self.file(id, name)?.sync_all()?;
            size_bytes += len;
        }
        File::create(folder.join(WHOLE))?;
        File::open(folder)?.sync_all()?;
        Ok(size_bytes)
    }

    pub(crate) fn progress(&self, id: Uuid) -> Result<Progress, ArchiveError> {
        progress(&self.path(id))
    }

    /// Keeps `progress`; all of it or what was kept before.
    pub(crate) fn keep_progress(&self, id: Uuid, progress: &Progress) -> Result<(), ArchiveError> {
        let (folder, text) = (self.path(id), serde_json::to_vec(progress).map_err(io::Error::from)?);
        let mut draft = File::create(folder.join(PROGRESS_DRAFT))?;
        draft.write_all(&text)?;
        draft.sync_all()?;
        Ok(fs::rename(folder.join(PROGRESS_DRAFT), folder.join(PROGRESS))?)
    }

    /// Forgets a recording that is kept elsewhere: at once, so that its folder is complete or not there.
    pub(crate) fn release(&self, id: Uuid) -> Result<(), ArchiveError> {
        let released = self.root.join(RELEASED).join(id.to_string());
        fs::rename(self.path(id), &released)?;
        Ok(fs::remove_dir_all(released)?)
    }

    /// Takes a recording away from where it can be read, and removes its audio from this disk. What the store has
    /// of it is still known, by [`Spool::deleted`] and [`Spool::deleted_progress`].
    pub(crate) fn bury(&self, id: Uuid) -> Result<(), ArchiveError> {
        let grave = self.grave(id);
        // Renaming needs no room, so that a full disk can be emptied.
        match fs::rename(self.path(id), &grave) {
            Err(error) if error.kind() == ErrorKind::NotFound => make_directory(&grave)?,
            renamed => renamed?,
        }
        File::open(self.root.join(DELETED))?.sync_all()?;
        for entry in fs::read_dir(&grave)? {
            let entry = entry?;
            if entry.file_name() != PROGRESS {
                gone(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    /// Forgets that a recording was deleted.
    pub(crate) fn forget(&self, id: Uuid) -> Result<(), ArchiveError> {
        Ok(gone(fs::remove_dir_all(self.grave(id)))?)
    }

    pub(crate) fn is_deleted(&self, id: Uuid) -> bool {
        self.grave(id).exists()
    }

    /// The first `limit` recordings that were deleted and may still be in the store.
    pub(crate) fn deleted(&self, limit: usize) -> Result<Vec<Uuid>, ArchiveError> {
        ids(&self.root.join(DELETED))?.take(limit).collect()
    }

    /// How far the upload of a deleted recording had come.
    pub(crate) fn deleted_progress(&self, id: Uuid) -> Result<Progress, ArchiveError> {
        progress(&self.grave(id))
    }

    fn recordings(&self, limit: usize, wanted: fn(&Path) -> bool) -> Result<Vec<Uuid>, ArchiveError> {
        let mut found = Vec::new();
        for shard in fs::read_dir(&self.root)? {
            let shard = shard?;
            if shard.file_name() == DELETED || shard.file_name() == RELEASED {
                continue;
            }
            for id in ids(&shard.path())? {
                let id = id?;
                if wanted(&self.path(id)) {
                    found.push(id);
                }
                if found.len() == limit {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.root.join(place(id))
    }

    fn grave(&self, id: Uuid) -> PathBuf {
        self.root.join(DELETED).join(id.to_string())
    }
}

/// Where the files of a recording are, below the spool and in the store alike.
pub(crate) fn place(id: Uuid) -> String {
    let id = id.to_string();
    format!("{}/{id}", &id[..2])
}

fn ids(folder: &Path) -> Result<impl Iterator<Item = Result<Uuid, ArchiveError>>, ArchiveError> {
    let id = |entry: io::Result<DirEntry>| match entry {
        Ok(entry) => Some(Ok(Uuid::try_parse(entry.file_name().to_str()?).ok()?)),
        Err(error) => Some(Err(error.into())),
    };
    Ok(fs::read_dir(folder)?.filter_map(id))
}

fn progress(folder: &Path) -> Result<Progress, ArchiveError> {
    match fs::read(folder.join(PROGRESS)) {
        Ok(text) => Ok(serde_json::from_slice(&text).map_err(io::Error::from)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Progress::default()),
        Err(error) => Err(error.into()),
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// That something is not there is what was wanted.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
