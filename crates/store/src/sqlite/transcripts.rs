//! Transcripts: those that are to be made, in the order in which they were asked for, and what became of them.

use mixminus_control::{RecordingId, RecordingRecord, TranscriptRecord, TranscriptState};
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::{outbox, rows};
use crate::text;
use crate::{NewCallback, StoreError};

pub(super) const PENDING: &str = "pending";
pub(super) const COMPLETED: &str = "completed";
pub(super) const FAILED: &str = "failed";

/// One that is pending stays as it is; one that ended is asked for again.
pub(super) async fn ask(
    connection: &mut SqliteConnection,
    transcript: &TranscriptRecord,
) -> Result<(), StoreError> {
    let (state, text) = columns(&transcript.state);
    sqlx::query(
        "INSERT INTO transcripts (recording_id, transcript_state, text, asked_at, transcript_told)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (recording_id) DO UPDATE SET transcript_state = excluded.transcript_state,
             text = excluded.text, asked_at = excluded.asked_at, transcript_told = excluded.transcript_told
         WHERE transcript_state <> 'pending'",
    )
    .bind(transcript.recording.to_string())
    .bind(state)
    .bind(text)
    .bind(transcript.asked_at.as_micros())
    .bind(text::actions(transcript.told.as_slice()))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn pending(
    readers: &SqlitePool,
    limit: u32,
) -> Result<Vec<(RecordingRecord, TranscriptRecord)>, StoreError> {
    let found = sqlx::query(
        "SELECT recordings.*, transcripts.* FROM transcripts JOIN recordings ON id = recording_id
         WHERE transcript_state = 'pending' ORDER BY asked_at, recording_id LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await?;
    found.iter().map(|row| Ok((rows::recording(row)?, rows::transcript(row)?))).collect()
}

pub(super) async fn get(
    readers: &SqlitePool,
    id: RecordingId,
) -> Result<Option<TranscriptRecord>, StoreError> {
    let found = sqlx::query("SELECT * FROM transcripts WHERE recording_id = $1")
        .bind(id.to_string())
        .fetch_optional(readers)
        .await?;
    found.as_ref().map(rows::transcript).transpose()
}

pub(super) async fn end(
    writer: &SqlitePool,
    transcript: &TranscriptRecord,
    callback: Option<&NewCallback>,
) -> Result<bool, StoreError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let (state, text) = columns(&transcript.state);
    let ended = sqlx::query(
        "UPDATE transcripts SET transcript_state = $2, text = $3
         WHERE recording_id = $1 AND asked_at = $4 AND transcript_state = 'pending'",
    )
    .bind(transcript.recording.to_string())
    .bind(state)
    .bind(text)
    .bind(transcript.asked_at.as_micros())
    .execute(&mut *transaction)
    .await?;
    let was_pending = ended.rows_affected() > 0;
    if let Some(callback) = callback.filter(|_| was_pending) {
        outbox::insert(&mut transaction, callback).await?;
    }
    transaction.commit().await?;
    Ok(was_pending)
}

pub(super) async fn delete(writer: &SqlitePool, id: RecordingId) -> Result<(), StoreError> {
    let delete = sqlx::query("DELETE FROM transcripts WHERE recording_id = $1");
    delete.bind(id.to_string()).execute(writer).await?;
    Ok(())
}

fn columns(state: &TranscriptState) -> (&'static str, &str) {
    match state {
        TranscriptState::Pending => (PENDING, ""),
        TranscriptState::Completed { text } => (COMPLETED, text),
        TranscriptState::Failed { error } => (FAILED, error),
    }
}
