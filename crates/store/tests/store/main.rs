//! The store against a real file.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod directory;
mod fixtures;
mod lists;
mod migration;
mod outbox;
mod records;
mod restart;
mod streams;
mod transcripts;
