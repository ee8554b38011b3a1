//! How far the upload of a recording has come.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What of a recording is in the store: kept beside its files, so that a restart goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Files that are there as a whole, by name.
    pub done: BTreeSet<String>,
    /// The file that is there in part.
    pub begun: Option<Begun>,
}

/// A file that is uploaded in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// Its name.
    pub file: String,
    /// What the store calls the upload.
    pub upload: String,
    /// Length of every part but the last, in bytes.
    pub part_bytes: u64,
    /// What the store calls the parts that it has, from the first on.
    pub parts: Vec<String>,
}
