//! Where recordings are kept and read.
//!
//! A recording is a folder of files in the [`Spool`], a directory of this machine: there it is written, there it
//! stays when it is kept locally, and from there the [`Archive`] brings it to an S3-compatible store when there is
//! one. Nobody who reads has to know where it lies at the moment.
//!
//! Names on disk and in the store are ids and the fixed words of [`FileName`], so that no caller's text reaches
//! either.
//!
//! ```
//! use std::io::Write;
//!
//! use mixminus_archive::{Archive, FileName, Format, Pace, Spool};
//! use uuid::Uuid;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let directory = tempfile::tempdir().unwrap();
//! let archive = Archive::new(Spool::open(directory.path(), None).unwrap(), None, Pace::default());
//! let (id, name) = (Uuid::from_u128(1), FileName::Main(Format::Wav));
//! archive.spool().create(id, name).unwrap().write_all(b"RIFF").unwrap();
//! assert_eq!(archive.finish(id).unwrap(), 4);
//! assert_eq!(archive.open(id, name).await.unwrap().read(1..3).await.unwrap(), "IF");
//! archive.delete(id).await.unwrap();
//! assert!(archive.open(id, name).await.is_err());
//! # });
//! ```

mod archive;
mod error;
mod file;
mod name;
mod progress;
mod raw;
#[cfg(feature = "s3")]
mod s3;
mod spool;
mod stored;
mod worker;

pub use archive::{Archive, ObjectPlace, Pace};
pub use error::ArchiveError;
pub use file::{Folder, SpoolFile};
pub use mixminus_recording::Format;
pub use mixminus_recording::sealed::SealingKey;
pub use name::FileName;
#[cfg(feature = "s3")]
pub use s3::{AccessKey, S3};
pub use spool::Spool;
pub use stored::Stored;
