//! Writes records, one transaction for each batch.

use mixminus_control::{
    CallRecord, ConferenceRecord, ParticipantRecord, RecordedFrom, RecordingId, RecordingRecord,
    StreamRecord, Timestamp,
};
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::{outbox, transcripts};
use crate::text::{self, Text};
use crate::{Batch, StoreError};

pub(super) async fn commit(writer: &SqlitePool, batch: &Batch) -> Result<(), StoreError> {
    let Some(latest) = batch.latest() else {
        return Ok(());
    };
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    for call in &batch.calls {
        save_call(&mut transaction, call).await?;
    }
    for conference in &batch.conferences {
        save_conference(&mut transaction, conference).await?;
    }
    for participant in &batch.participants {
        save_participant(&mut transaction, participant).await?;
    }
    for recording in &batch.recordings {
        save_recording(&mut transaction, recording).await?;
    }
    for transcript in &batch.transcripts {
        transcripts::ask(&mut transaction, transcript).await?;
    }
    for stream in &batch.streams {
        save_stream(&mut transaction, stream).await?;
    }
    for callback in &batch.callbacks {
        outbox::insert(&mut transaction, callback).await?;
    }
    if let Some(newest) = batch.participants.iter().map(|participant| participant.id).max() {
        raise(&mut transaction, "next_participant_id", newest.0 as i64 + 1).await?;
    }
    raise(&mut transaction, "alive_at", latest.as_micros()).await?;
    transaction.commit().await?;
    Ok(())
}

/// The clock may have been set back since the last process, so this instant
/// replaces a later one.
pub(super) async fn heartbeat(writer: &SqlitePool, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE meta SET value = $1 WHERE name = 'alive_at'")
        .bind(now.as_micros())
        .execute(writer)
        .await?;
    Ok(())
}

async fn raise(connection: &mut SqliteConnection, name: &str, value: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE meta SET value = $1 WHERE name = $2 AND value < $1")
        .bind(value)
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

async fn save_call(connection: &mut SqliteConnection, call: &CallRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO calls (id, account, direction, from_address, to_address, state, created_at,
             answered_at, ended_at, hangup_cause, hangup_source, caller_name, placement, parent_call_id,
             on_end)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, answered_at = excluded.answered_at,
             ended_at = excluded.ended_at, hangup_cause = excluded.hangup_cause,
             hangup_source = excluded.hangup_source",
    )
    .bind(call.id.to_string())
    .bind(&call.account.0)
    .bind(call.direction.text())
    .bind(&call.from)
    .bind(&call.to)
    .bind(call.state.text())
    .bind(call.created_at.as_micros())
    .bind(call.answered_at.map(Timestamp::as_micros))
    .bind(call.ended_at.map(Timestamp::as_micros))
    .bind(call.hangup_cause.map(Text::text))
    .bind(call.hangup_source.map(Text::text))
    .bind(call.caller_name.as_deref())
    .bind(call.placement.map(|placement| placement.to_string()))
    .bind(call.parent.map(|parent| parent.to_string()))
    .bind(text::actions(&call.on_end))
    .execute(connection)
    .await?;
    Ok(())
}

async fn save_conference(
    connection: &mut SqliteConnection,
    conference: &ConferenceRecord,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO conferences (id, account, name, state, stay_alone, created_at, started_at, ended_at,
             end_cause, billed_seconds, sequence, subscribers, recording)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, stay_alone = excluded.stay_alone,
             started_at = excluded.started_at, ended_at = excluded.ended_at,
             end_cause = excluded.end_cause, billed_seconds = excluded.billed_seconds,
             sequence = excluded.sequence, subscribers = excluded.subscribers,
             recording = excluded.recording",
    )
    .bind(conference.id.to_string())
    .bind(&conference.account.0)
    .bind(&conference.name)
    .bind(conference.state.text())
    .bind(conference.stay_alone)
    .bind(conference.created_at.as_micros())
    .bind(conference.started_at.map(Timestamp::as_micros))
    .bind(conference.ended_at.map(Timestamp::as_micros))
    .bind(conference.end_cause.map(Text::text))
    .bind(conference.billed_seconds.map(|seconds| seconds as i64))
    .bind(conference.sequence as i64)
    .bind(text::subscribers(&conference.subscribers))
    .bind(conference.recording.map(Text::text))
    .execute(connection)
    .await?;
    Ok(())
}

async fn save_participant(
    connection: &mut SqliteConnection,
    participant: &ParticipantRecord,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO participants (id, conference_id, call_id, address, role, coaching, muted, held,
             start_on_enter, end_on_exit, joined_at, left_at, exit_cause)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (id) DO UPDATE SET coaching = excluded.coaching, muted = excluded.muted,
             held = excluded.held, left_at = excluded.left_at, exit_cause = excluded.exit_cause",
    )
    .bind(participant.id.0 as i64)
    .bind(participant.conference.to_string())
    .bind(participant.call.to_string())
    .bind(&participant.address)
    .bind(participant.role.text())
    .bind(participant.coaching)
    .bind(participant.muted)
    .bind(participant.held)
    .bind(participant.start_on_enter)
    .bind(participant.end_on_exit)
    .bind(participant.joined_at.as_micros())
    .bind(participant.left_at.map(Timestamp::as_micros))
    .bind(participant.exit_cause.map(Text::text))
    .execute(connection)
    .await?;
    Ok(())
}

async fn save_recording(
    connection: &mut SqliteConnection,
    recording: &RecordingRecord,
) -> Result<(), StoreError> {
    let RecordedFrom { conference, participant, call, from, to } = &recording.of;
    let (conference_id, conference_name) =
        conference.as_ref().map(|(id, name)| (id.to_string(), name)).unzip();
    sqlx::query(
        "INSERT INTO recordings (id, account, conference_id, conference_name, participant_id, call_id,
             from_address, to_address, state, format, track, started_at, ended_at, duration_us, size_bytes, url,
             told, transcript)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at,
             duration_us = excluded.duration_us, size_bytes = excluded.size_bytes, url = excluded.url,
             transcript = excluded.transcript",
    )
    .bind(recording.id.to_string())
    .bind(&recording.account.0)
    .bind(conference_id)
    .bind(conference_name)
    .bind(participant.map(|id| id.0 as i64))
    .bind(call.map(|id| id.to_string()))
    .bind(from)
    .bind(to)
    .bind(recording.state.text())
    .bind(recording.format.text())
    .bind(recording.track.text())
    .bind(recording.started_at.as_micros())
    .bind(recording.ended_at.map(Timestamp::as_micros))
    .bind(i64::try_from(recording.duration.as_micros()).unwrap_or(i64::MAX))
    .bind(recording.size_bytes as i64)
    .bind(&recording.url)
    .bind(text::actions(recording.told.as_slice()))
    .bind(recording.transcript.as_ref().map(|terms| text::actions(terms.callback.as_slice())))
    .execute(connection)
    .await?;
    Ok(())
}

async fn save_stream(connection: &mut SqliteConnection, stream: &StreamRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO streams (id, account, call_id, url, callback_url, state, created_at, started_at, ended_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, started_at = excluded.started_at,
             ended_at = excluded.ended_at",
    )
    .bind(stream.id.to_string())
    .bind(&stream.account.0)
    .bind(stream.call.to_string())
    .bind(&stream.url)
    .bind(stream.callback_url.as_deref())
    .bind(stream.state.text())
    .bind(stream.created_at.as_micros())
    .bind(stream.started_at.map(Timestamp::as_micros))
    .bind(stream.ended_at.map(Timestamp::as_micros))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn delete_recording(writer: &SqlitePool, id: RecordingId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM recordings WHERE id = $1").bind(id.to_string()).execute(writer).await?;
    Ok(())
}
