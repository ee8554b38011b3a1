//! The embedded database.
//!
//! One connection writes and a few read, so that writers queue in order and
//! never find the database busy, and readers never wait for them.

mod directory;
mod list;
mod outbox;
mod read;
mod registrations;
mod rows;
mod transcripts;
mod write;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use mixminus_control::{
    AccountId, CallId, CallRecord, ConferenceId, ConferenceRecord, ParticipantId, ParticipantRecord,
    RecordingId, RecordingRecord, Selector, StreamId, StreamRecord, Timestamp, TranscriptRecord,
};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection, SqlSafeStr};
use uuid::Uuid;

use crate::{
    Batch, CallFilter, CallbackFilter, CallbackRecord, ConferenceFilter, Forget, NewCallback, Orphans, Page,
    ParticipantFilter, QueuedCallback, RecordingFilter, RecordingLimits, Store, StoreError,
};

/// Connections that read at the same time, each with a thread of its own. Two
/// answer 500 requests for a list a second, eight times what an account may
/// send by default.
const READERS: u32 = 2;

/// How long to wait for a lock held by another program, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for a free connection; a commit that waits longer fails.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// Size to which the write-ahead log shrinks again after a burst.
const LOG_SIZE_BYTES: &str = "67108864";

/// [`Store`] in one SQLite file, used by one process at a time.
#[derive(Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Locked while the store is open; the system unlocks it however we end.
    _lock: File,
}

impl SqliteStore {
    /// Opens the database file at `path`, creating it or bringing it up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] if another process has it open; otherwise what
    /// the system or the database said.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL costs one flush of the log for each commit. NORMAL would
            // keep the file consistent but could lose the last seconds with
            // the power, after a client was told that they were kept.
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", LOG_SIZE_BYTES);
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        let writer = pool().max_connections(1).after_release(|connection, _| Box::pin(usable(connection)));
        let writer = writer.connect_with(options.clone()).await?;
        migrations().run(&writer).await?;
        let readers = pool().max_connections(READERS).connect_with(options.read_only(true)).await?;
        Ok(Self { writer, readers, _lock: lock })
    }

    /// Finishes what was begun and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Whether `connection` can begin a transaction. A full disk makes `SQLite` roll back by
/// itself, after which sqlx counts that transaction as open for ever.
async fn usable(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A dropped transaction is rolled back before this is answered.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let open = |source| StoreError::Open { path: path.into(), source };
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(path.with_extension("lock"))
        .map_err(open)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.into() }),
        Err(TryLockError::Error(source)) => Err(open(source)),
    }
}

fn migrations() -> Migrator {
    let steps = [
        (1, "records", include_str!("../../migrations/0001_records.sql")),
        (2, "callbacks", include_str!("../../migrations/0002_callbacks.sql")),
        (3, "directory", include_str!("../../migrations/0003_directory.sql")),
        (4, "placed calls", include_str!("../../migrations/0004_placed_calls.sql")),
        (5, "recorded conferences", include_str!("../../migrations/0005_recorded_conferences.sql")),
        (6, "ends of calls", include_str!("../../migrations/0006_ends_of_calls.sql")),
        (7, "told recordings", include_str!("../../migrations/0007_told_recordings.sql")),
        (8, "streams", include_str!("../../migrations/0008_streams.sql")),
        (9, "transcripts", include_str!("../../migrations/0009_transcripts.sql")),
        (10, "registrations", include_str!("../../migrations/0010_registrations.sql")),
    ];
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(steps.map(migration).into())
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        write::commit(&self.writer, batch).await
    }

    async fn conferences(
        &self,
        account: &AccountId,
        filter: &ConferenceFilter,
        page: Page,
    ) -> Result<(Vec<ConferenceRecord>, u64), StoreError> {
        read::conferences(&self.readers, account, filter, page).await
    }

    async fn conference(
        &self,
        account: &AccountId,
        selector: &Selector,
    ) -> Result<Option<ConferenceRecord>, StoreError> {
        read::conference(&self.readers, account, selector).await
    }

    async fn participants(
        &self,
        conference: ConferenceId,
        filter: &ParticipantFilter,
    ) -> Result<Vec<ParticipantRecord>, StoreError> {
        read::participants(&self.readers, conference, filter).await
    }

    async fn participant(
        &self,
        conference: ConferenceId,
        id: ParticipantId,
    ) -> Result<Option<ParticipantRecord>, StoreError> {
        read::participant(&self.readers, conference, id).await
    }

    async fn call(&self, id: CallId) -> Result<Option<CallRecord>, StoreError> {
        read::call(&self.readers, id).await
    }

    async fn calls(
        &self,
        account: &AccountId,
        filter: &CallFilter,
        page: Page,
    ) -> Result<(Vec<CallRecord>, u64), StoreError> {
        read::calls(&self.readers, account, filter, page).await
    }

    async fn conference_names(&self, calls: &[CallId]) -> Result<Vec<(CallId, String)>, StoreError> {
        read::conference_names(&self.readers, calls).await
    }

    async fn recordings(
        &self,
        account: &AccountId,
        filter: &RecordingFilter,
        page: Page,
    ) -> Result<(Vec<RecordingRecord>, u64), StoreError> {
        read::recordings(&self.readers, account, filter, page).await
    }

    async fn recording(
        &self,
        account: &AccountId,
        id: RecordingId,
    ) -> Result<Option<RecordingRecord>, StoreError> {
        let found = self.reached("recordings", account, &id.to_string()).await?;
        found.as_ref().map(rows::recording).transpose()
    }

    async fn recordings_beyond(
        &self,
        limits: RecordingLimits,
        limit: u32,
    ) -> Result<Vec<RecordingRecord>, StoreError> {
        read::recordings_beyond(&self.readers, limits, limit).await
    }

    async fn delete_recording(&self, id: RecordingId) -> Result<(), StoreError> {
        write::delete_recording(&self.writer, id).await
    }

    async fn pending_transcripts(
        &self,
        limit: u32,
    ) -> Result<Vec<(RecordingRecord, TranscriptRecord)>, StoreError> {
        transcripts::pending(&self.readers, limit).await
    }

    async fn transcript(&self, id: RecordingId) -> Result<Option<TranscriptRecord>, StoreError> {
        transcripts::get(&self.readers, id).await
    }

    async fn end_transcript(
        &self,
        transcript: &TranscriptRecord,
        callback: Option<&NewCallback>,
    ) -> Result<bool, StoreError> {
        transcripts::end(&self.writer, transcript, callback).await
    }

    async fn delete_transcript(&self, id: RecordingId) -> Result<(), StoreError> {
        transcripts::delete(&self.writer, id).await
    }

    async fn streams(&self, account: &AccountId, call: CallId) -> Result<Vec<StreamRecord>, StoreError> {
        read::streams(&self.readers, account, call).await
    }

    async fn stream(&self, account: &AccountId, id: StreamId) -> Result<Option<StreamRecord>, StoreError> {
        let found = self.reached("streams", account, &id.to_string()).await?;
        found.as_ref().map(rows::stream).transpose()
    }

    async fn next_participant_id(&self) -> Result<ParticipantId, StoreError> {
        let next = read::meta(&self.readers, "next_participant_id").await?;
        Ok(ParticipantId(next as u64))
    }

    async fn heartbeat(&self, now: Timestamp) -> Result<(), StoreError> {
        write::heartbeat(&self.writer, now).await
    }

    async fn orphans(&self) -> Result<Orphans, StoreError> {
        read::orphans(&self.readers).await
    }

    async fn pending_callbacks(&self, now: Timestamp, limit: u32) -> Result<Vec<QueuedCallback>, StoreError> {
        outbox::pending(&self.readers, now, limit).await
    }

    async fn next_callback_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        outbox::next_due(&self.readers, now).await
    }

    async fn callback_delivered(&self, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
        outbox::delivered(&self.writer, id, at).await
    }

    async fn callback_failed(
        &self,
        id: Uuid,
        next_attempt_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        outbox::failed(&self.writer, id, next_attempt_at, error).await
    }

    async fn callback_dead(&self, id: Uuid, at: Timestamp, error: &str) -> Result<(), StoreError> {
        outbox::dead(&self.writer, id, at, error).await
    }

    async fn requeue_callback(&self, id: Uuid, at: Timestamp) -> Result<bool, StoreError> {
        outbox::requeue(&self.writer, id, at).await
    }

    async fn forget_callbacks(&self, forget: Forget) -> Result<u64, StoreError> {
        outbox::forget(&self.writer, forget).await
    }

    async fn callbacks(
        &self,
        account: &AccountId,
        filter: CallbackFilter,
        limit: u32,
    ) -> Result<Vec<CallbackRecord>, StoreError> {
        read::callbacks(&self.readers, account, filter, limit).await
    }

    async fn callback(&self, account: &AccountId, id: Uuid) -> Result<Option<CallbackRecord>, StoreError> {
        read::callback(&self.readers, account, id).await
    }
}
