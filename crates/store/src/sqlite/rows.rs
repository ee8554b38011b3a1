//! Rows as records. Columns are read by name.

use mixminus_control::{
    AccountId, Action, ApplicationId, ApplicationRecord, CallId, CallRecord, ConferenceId, ConferenceKind,
    ConferenceRecord, EndpointId, EndpointRecord, ParticipantId, ParticipantRecord, PasswordDigests,
    PlacementId, RecordedFrom, RecordingId, RecordingRecord, StatusCallback, StreamId, StreamRecord,
    Timestamp, TranscriptRecord, TranscriptState, TranscriptTerms,
};
use std::time::Duration;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::transcripts;
use crate::text::{self, Text};
use crate::{
    CallbackRecord, CallbackState, NewCallback, OrderKey, QueuedCallback, StoreError, SubaccountRecord, Token,
};

fn word<T: Text>(row: &SqliteRow, column: &'static str) -> Result<T, StoreError> {
    let value: String = row.try_get(column)?;
    T::parse(&value).ok_or(StoreError::Unknown { column, value })
}

fn optional_word<T: Text>(row: &SqliteRow, column: &'static str) -> Result<Option<T>, StoreError> {
    match row.try_get::<Option<&str>, _>(column)? {
        Some(_) => word(row, column).map(Some),
        None => Ok(None),
    }
}

pub(super) fn uuid(row: &SqliteRow, column: &'static str) -> Result<Uuid, StoreError> {
    let value: String = row.try_get(column)?;
    Uuid::try_parse(&value).map_err(|_| StoreError::Unknown { column, value })
}

fn optional_uuid(row: &SqliteRow, column: &'static str) -> Result<Option<Uuid>, StoreError> {
    match row.try_get::<Option<&str>, _>(column)? {
        Some(_) => uuid(row, column).map(Some),
        None => Ok(None),
    }
}

pub(super) fn instant(row: &SqliteRow, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_micros(row.try_get(column)?))
}

pub(super) fn optional_instant(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
}

fn account(row: &SqliteRow) -> Result<AccountId, StoreError> {
    Ok(AccountId(row.try_get("account")?))
}

pub(super) fn call(row: &SqliteRow) -> Result<CallRecord, StoreError> {
    Ok(CallRecord {
        id: CallId(uuid(row, "id")?),
        account: account(row)?,
        direction: word(row, "direction")?,
        from: row.try_get("from_address")?,
        to: row.try_get("to_address")?,
        caller_name: row.try_get("caller_name")?,
        placement: optional_uuid(row, "placement")?.map(PlacementId),
        parent: optional_uuid(row, "parent_call_id")?.map(CallId),
        state: word(row, "state")?,
        created_at: instant(row, "created_at")?,
        answered_at: optional_instant(row, "answered_at")?,
        ended_at: optional_instant(row, "ended_at")?,
        hangup_cause: optional_word(row, "hangup_cause")?,
        hangup_source: optional_word(row, "hangup_source")?,
        on_end: actions(row, "on_end")?,
    })
}

fn actions(row: &SqliteRow, column: &'static str) -> Result<Vec<Action>, StoreError> {
    let value: String = row.try_get(column)?;
    text::parse_actions(&value).ok_or(StoreError::Unknown { column, value })
}

pub(super) fn stream(row: &SqliteRow) -> Result<StreamRecord, StoreError> {
    Ok(StreamRecord {
        id: StreamId(uuid(row, "id")?),
        account: account(row)?,
        call: CallId(uuid(row, "call_id")?),
        url: row.try_get("url")?,
        callback_url: row.try_get("callback_url")?,
        state: word(row, "state")?,
        created_at: instant(row, "created_at")?,
        started_at: optional_instant(row, "started_at")?,
        ended_at: optional_instant(row, "ended_at")?,
    })
}

pub(super) fn conference(row: &SqliteRow) -> Result<ConferenceRecord, StoreError> {
    Ok(ConferenceRecord {
        id: ConferenceId(uuid(row, "id")?),
        account: account(row)?,
        // Those of the other kind are not kept.
        kind: ConferenceKind::Supervised,
        name: row.try_get("name")?,
        state: word(row, "state")?,
        stay_alone: row.try_get("stay_alone")?,
        created_at: instant(row, "created_at")?,
        started_at: optional_instant(row, "started_at")?,
        ended_at: optional_instant(row, "ended_at")?,
        end_cause: optional_word(row, "end_cause")?,
        billed_seconds: row.try_get::<Option<i64>, _>("billed_seconds")?.map(|seconds| seconds as u64),
        recording: optional_word(row, "recording")?,
        sequence: row.try_get::<i64, _>("sequence")? as u64,
        subscribers: subscribers(row)?,
    })
}

fn subscribers(row: &SqliteRow) -> Result<Vec<StatusCallback>, StoreError> {
    let value: String = row.try_get("subscribers")?;
    text::parse_subscribers(&value).ok_or(StoreError::Unknown { column: "subscribers", value })
}

pub(super) fn participant(row: &SqliteRow) -> Result<ParticipantRecord, StoreError> {
    Ok(ParticipantRecord {
        id: ParticipantId(row.try_get::<i64, _>("id")? as u64),
        conference: ConferenceId(uuid(row, "conference_id")?),
        call: CallId(uuid(row, "call_id")?),
        address: row.try_get("address")?,
        role: word(row, "role")?,
        coaching: row.try_get("coaching")?,
        muted: row.try_get("muted")?,
        held: row.try_get("held")?,
        start_on_enter: row.try_get("start_on_enter")?,
        end_on_exit: row.try_get("end_on_exit")?,
        joined_at: instant(row, "joined_at")?,
        left_at: optional_instant(row, "left_at")?,
        exit_cause: optional_word(row, "exit_cause")?,
    })
}

pub(super) fn recording(row: &SqliteRow) -> Result<RecordingRecord, StoreError> {
    let conference = optional_uuid(row, "conference_id")?.map(ConferenceId);
    Ok(RecordingRecord {
        id: RecordingId(uuid(row, "id")?),
        account: account(row)?,
        of: RecordedFrom {
            conference: conference.zip(row.try_get("conference_name")?),
            participant: row.try_get::<Option<i64>, _>("participant_id")?.map(|id| ParticipantId(id as u64)),
            call: optional_uuid(row, "call_id")?.map(CallId),
            from: row.try_get("from_address")?,
            to: row.try_get("to_address")?,
        },
        state: word(row, "state")?,
        format: word(row, "format")?,
        track: word(row, "track")?,
        started_at: instant(row, "started_at")?,
        ended_at: optional_instant(row, "ended_at")?,
        duration: Duration::from_micros(row.try_get::<i64, _>("duration_us")? as u64),
        size_bytes: row.try_get::<i64, _>("size_bytes")? as u64,
        url: row.try_get("url")?,
        told: actions(row, "told")?.pop(),
        transcript: match row.try_get::<Option<&str>, _>("transcript")? {
            Some(_) => Some(TranscriptTerms { callback: actions(row, "transcript")?.pop() }),
            None => None,
        },
    })
}

pub(super) fn transcript(row: &SqliteRow) -> Result<TranscriptRecord, StoreError> {
    let (state, text): (String, String) = (row.try_get("transcript_state")?, row.try_get("text")?);
    Ok(TranscriptRecord {
        recording: RecordingId(uuid(row, "recording_id")?),
        state: match state.as_str() {
            transcripts::PENDING => TranscriptState::Pending,
            transcripts::COMPLETED => TranscriptState::Completed { text },
            transcripts::FAILED => TranscriptState::Failed { error: text },
            _ => return Err(StoreError::Unknown { column: "transcript_state", value: state }),
        },
        asked_at: instant(row, "asked_at")?,
        told: actions(row, "transcript_told")?.pop(),
    })
}

pub(super) fn subaccount(row: &SqliteRow) -> Result<SubaccountRecord, StoreError> {
    Ok(SubaccountRecord {
        id: AccountId(row.try_get("id")?),
        main: AccountId(row.try_get("main")?),
        name: row.try_get("name")?,
        token: Token(row.try_get("token")?),
        enabled: row.try_get("enabled")?,
        created_at: instant(row, "created_at")?,
        modified_at: optional_instant(row, "modified_at")?,
    })
}

pub(super) fn application(row: &SqliteRow) -> Result<ApplicationRecord, StoreError> {
    let action = |url: &'static str, method: &'static str| {
        let url: Option<String> = row.try_get(url)?;
        let method = optional_word(row, method)?;
        Ok::<_, StoreError>(url.zip(method).map(|(url, method)| Action { url, method }))
    };
    Ok(ApplicationRecord {
        id: ApplicationId(row.try_get("id")?),
        account: account(row)?,
        name: row.try_get("name")?,
        answer: action("answer_url", "answer_method")?,
        fallback: action("fallback_url", "fallback_method")?,
        hangup: action("hangup_url", "hangup_method")?,
        message: action("message_url", "message_method")?,
        default_for_numbers: row.try_get("default_for_numbers")?,
        default_for_endpoints: row.try_get("default_for_endpoints")?,
        public: row.try_get("public")?,
        logs_messages: row.try_get("logs_messages")?,
        created_at: instant(row, "created_at")?,
    })
}

pub(super) fn endpoint(row: &SqliteRow) -> Result<EndpointRecord, StoreError> {
    Ok(EndpointRecord {
        id: EndpointId(row.try_get("id")?),
        account: account(row)?,
        username: row.try_get("username")?,
        alias: row.try_get("alias")?,
        digests: PasswordDigests { md5: row.try_get("digest_md5")?, sha256: row.try_get("digest_sha256")? },
        application: row.try_get::<Option<String>, _>("application_id")?.map(ApplicationId),
        created_at: instant(row, "created_at")?,
    })
}

fn new_callback(row: &SqliteRow) -> Result<NewCallback, StoreError> {
    let params: String = row.try_get("params")?;
    let order: String = row.try_get("order_key")?;
    Ok(NewCallback {
        id: uuid(row, "id")?,
        account: account(row)?,
        order: OrderKey::parse(&order).ok_or(StoreError::Unknown { column: "order_key", value: order })?,
        sequence: row.try_get::<i64, _>("sequence")? as u64,
        url: row.try_get("url")?,
        method: word(row, "method")?,
        params: serde_json::from_str(&params)
            .map_err(|_| StoreError::Unknown { column: "params", value: params })?,
        created_at: instant(row, "created_at")?,
    })
}

pub(super) fn queued_callback(row: &SqliteRow) -> Result<QueuedCallback, StoreError> {
    Ok(QueuedCallback {
        callback: new_callback(row)?,
        attempts: row.try_get::<i64, _>("attempts")? as u32,
        queued_at: instant(row, "queued_at")?,
    })
}

pub(super) fn callback(row: &SqliteRow) -> Result<CallbackRecord, StoreError> {
    let state: String = row.try_get("state")?;
    Ok(CallbackRecord {
        position: row.try_get::<i64, _>("position")? as u64,
        callback: new_callback(row)?,
        state: match state.as_str() {
            "head" | "waiting" => CallbackState::Pending,
            "delivered" => CallbackState::Delivered,
            "dead" => CallbackState::Dead,
            _ => return Err(StoreError::Unknown { column: "state", value: state }),
        },
        attempts: row.try_get::<i64, _>("attempts")? as u32,
        last_error: row.try_get("last_error")?,
        next_attempt_at: optional_instant(row, "due_at")?,
        settled_at: optional_instant(row, "settled_at")?,
    })
}
