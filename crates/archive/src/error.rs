use std::io::{self, ErrorKind};

/// Why a recording could not be kept, read or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no such file, or no such recording.
    #[error("there is no such file")]
    NotFound,
    /// The spool's disk, or the share of it that we may use, is full.
    #[error("the disk is full: {0}")]
    DiskFull(#[source] io::Error),
    /// Another process has the spool.
    #[error("another process uses this directory")]
    InUse,
    /// The spool cannot be used.
    #[error("disk: {0}")]
    Disk(#[source] io::Error),
    /// A sealed file was changed, or there is no key for it.
    #[error("{0}")]
    Sealed(#[source] io::Error),
    /// The store cannot be reached, refuses, or has not kept what it was given.
    #[error("store: {0}")]
    Store(#[source] Box<object_store::Error>),
    /// The store has an object of a length that it was not given.
    #[error("store: an object of {found} bytes where {expected} were sent")]
    Damaged {
        /// Bytes sent.
        expected: u64,
        /// Bytes there.
        found: u64,
    },
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull(error),
            _ => Self::Disk(error),
        }
    }
}

impl From<object_store::Error> for ArchiveError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other => Self::Store(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        let of = |kind: ErrorKind| ArchiveError::from(io::Error::from(kind));
        assert!(matches!(of(ErrorKind::StorageFull), ArchiveError::DiskFull(_)));
        assert!(matches!(of(ErrorKind::QuotaExceeded), ArchiveError::DiskFull(_)));
        assert!(matches!(of(ErrorKind::NotFound), ArchiveError::NotFound));
        assert!(matches!(of(ErrorKind::PermissionDenied), ArchiveError::Disk(_)));
    }
}
