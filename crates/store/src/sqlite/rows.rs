//! Rows as records. Columns are read by name.

use mixminus_control::{
    AccountId, CallId, CallRecord, ConferenceId, ConferenceRecord, ParticipantId, ParticipantRecord,
    StatusCallback, Timestamp,
};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::text::{self, Text};
use crate::{NewCallback, QueuedCallback, StoreError};

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

fn uuid(row: &SqliteRow, column: &'static str) -> Result<Uuid, StoreError> {
    let value: String = row.try_get(column)?;
    Uuid::try_parse(&value).map_err(|_| StoreError::Unknown { column, value })
}

fn instant(row: &SqliteRow, column: &str) -> Result<Timestamp, StoreError> {
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
        state: word(row, "state")?,
        created_at: instant(row, "created_at")?,
        answered_at: optional_instant(row, "answered_at")?,
        ended_at: optional_instant(row, "ended_at")?,
        hangup_cause: optional_word(row, "hangup_cause")?,
        hangup_source: optional_word(row, "hangup_source")?,
    })
}

pub(super) fn conference(row: &SqliteRow) -> Result<ConferenceRecord, StoreError> {
    Ok(ConferenceRecord {
        id: ConferenceId(uuid(row, "id")?),
        account: account(row)?,
        name: row.try_get("name")?,
        state: word(row, "state")?,
        stay_alone: row.try_get("stay_alone")?,
        created_at: instant(row, "created_at")?,
        started_at: optional_instant(row, "started_at")?,
        ended_at: optional_instant(row, "ended_at")?,
        end_cause: optional_word(row, "end_cause")?,
        billed_seconds: row.try_get::<Option<i64>, _>("billed_seconds")?.map(|seconds| seconds as u64),
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

pub(super) fn callback(row: &SqliteRow) -> Result<QueuedCallback, StoreError> {
    let params: String = row.try_get("params")?;
    let callback = NewCallback {
        id: uuid(row, "id")?,
        account: account(row)?,
        conference: ConferenceId(uuid(row, "conference_id")?),
        sequence: row.try_get::<i64, _>("sequence")? as u64,
        url: row.try_get("url")?,
        method: word(row, "method")?,
        params: serde_json::from_str(&params)
            .map_err(|_| StoreError::Unknown { column: "params", value: params })?,
        created_at: instant(row, "created_at")?,
    };
    Ok(QueuedCallback { callback, attempts: row.try_get::<i64, _>("attempts")? as u32 })
}
