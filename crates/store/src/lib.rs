//! Keeps conferences, participants, calls and recordings, what accounts set
//! up, and the outbox of callbacks.
//!
//! [`Store`] is what the service needs of a database; [`SqliteStore`] is the
//! embedded one. No clock is read here: every instant comes in as an argument.
//!
//! ```
//! # use mixminus_control::{AccountId, Timestamp};
//! # use mixminus_store::{Batch, ConferenceFilter, Page, SqliteStore, Store};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let store = SqliteStore::open(&directory.path().join("mixminus.db")).await?;
//! let orphans = store.orphans().await?;
//! store.commit(&Batch { calls: orphans.calls, ..Batch::default() }).await?;
//! store.heartbeat(Timestamp::from_micros(1_000_000)).await?;
//!
//! let account = AccountId("MAEXAMPLE".into());
//! let page = Page { limit: 20, offset: 0 };
//! let (conferences, total) = store.conferences(&account, &ConferenceFilter::default(), page).await?;
//! assert_eq!((conferences.len(), total), (0, 0));
//! # Ok(())
//! # }
//! ```

mod callback;
mod directory;
mod error;
mod orphans;
mod sqlite;
mod store;
mod text;

pub use callback::{
    CallbackFilter, CallbackRecord, CallbackState, Forget, NewCallback, OrderKey, QueuedCallback,
};
pub use directory::{
    Directory, DirectoryFilter, Estate, Orphaned, Profile, RegistrationRecord, SubaccountRecord, Token,
};
pub use error::StoreError;
pub use orphans::{OpenRecording, Orphans};
pub use sqlite::SqliteStore;
pub use store::{
    Batch, CallFilter, ConferenceFilter, Page, ParticipantFilter, RecordingFilter, RecordingLimits,
    SecondsRange, Store, TimeRange,
};
