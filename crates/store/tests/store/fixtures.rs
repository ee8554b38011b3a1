use std::path::PathBuf;

use mixminus_control::policy::Role;
use mixminus_control::{
    AccountId, Action, CallId, CallRecord, CallState, ConferenceId, ConferenceKind, ConferenceRecord,
    ConferenceState, Direction, EndCause, EventGroup, HttpMethod, ParticipantId, ParticipantRecord,
    StatusCallback, Timestamp,
};
use mixminus_store::{Batch, NewCallback, OrderKey, SqliteStore, Store};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

pub const URL: &str = "http://customer.example/events";

pub fn account() -> AccountId {
    AccountId("MAXXXXXXXXXXXXXXXXXX".into())
}

/// So many seconds after the epoch.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// A store in a directory that goes when this does.
pub struct Fixture {
    pub directory: TempDir,
    pub store: SqliteStore,
}

impl Fixture {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("store.db")).await.unwrap();
        Self { directory, store }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("store.db")
    }

    /// The store as it would be found had the process died now.
    pub fn image(&self) -> PathBuf {
        let image = self.directory.path().join(Uuid::new_v4().to_string());
        std::fs::create_dir(&image).unwrap();
        for file in ["store.db", "store.db-wal"] {
            std::fs::copy(self.directory.path().join(file), image.join(file)).unwrap();
        }
        image.join("store.db")
    }

    /// The same file past the store.
    pub async fn peek(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path());
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    pub async fn commit(&self, batch: Batch) {
        self.store.commit(&batch).await.unwrap();
    }
}

pub fn conference(name: &str, created: i64) -> ConferenceRecord {
    ConferenceRecord {
        id: ConferenceId(Uuid::new_v4()),
        account: account(),
        kind: ConferenceKind::Supervised,
        name: name.into(),
        state: ConferenceState::Active,
        stay_alone: true,
        created_at: at(created),
        started_at: Some(at(created)),
        ended_at: None,
        end_cause: None,
        billed_seconds: None,
        recording: None,
        sequence: 3,
        subscribers: vec![subscriber(URL)],
    }
}

pub fn subscriber(url: &str) -> StatusCallback {
    StatusCallback {
        action: Action { url: url.into(), method: HttpMethod::Post },
        groups: [EventGroup::Conference, EventGroup::Participant].into(),
    }
}

pub fn ended(name: &str, created: i64, ended: i64) -> ConferenceRecord {
    ConferenceRecord {
        state: ConferenceState::Ended,
        ended_at: Some(at(ended)),
        end_cause: Some(EndCause::NoParticipants),
        billed_seconds: Some(60),
        ..conference(name, created)
    }
}

pub fn call(created: i64) -> CallRecord {
    CallRecord {
        id: CallId(Uuid::new_v4()),
        account: account(),
        direction: Direction::Inbound,
        from: "sip:alice@example.com".into(),
        to: "sip:room@example.com".into(),
        caller_name: None,
        placement: None,
        parent: None,
        state: CallState::InProgress,
        created_at: at(created),
        answered_at: Some(at(created)),
        ended_at: None,
        hangup_cause: None,
        hangup_source: None,
        on_end: Vec::new(),
    }
}

pub fn participant(
    id: u64,
    conference: &ConferenceRecord,
    call: &CallRecord,
    joined: i64,
) -> ParticipantRecord {
    ParticipantRecord {
        id: ParticipantId(id),
        conference: conference.id,
        call: call.id,
        address: call.from.clone(),
        role: Role::Customer,
        coaching: false,
        muted: false,
        held: false,
        start_on_enter: true,
        end_on_exit: false,
        joined_at: at(joined),
        left_at: None,
        exit_cause: None,
    }
}

pub fn callback(conference: ConferenceId, sequence: u64, created: i64) -> NewCallback {
    NewCallback {
        id: Uuid::new_v4(),
        account: account(),
        order: OrderKey::Conference(conference),
        sequence,
        url: URL.into(),
        method: HttpMethod::Post,
        params: vec![("SequenceNumber".into(), sequence.to_string())],
        created_at: at(created),
    }
}
