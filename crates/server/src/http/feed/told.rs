//! The feed's events in the API's words.

use mixminus_control::{ParticipantId, RecordingState};
use mixminus_media::Voice;
use mixminus_plivo::Timestamp;
use mixminus_plivo::rest::{MpcObject, MpcPath, MpcSegment, ParticipantObject};
use mixminus_rtp::Statistics;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::dialect;
use crate::live::{Happening, Hears, Inside, Scene, Seen, What};

/// How loud somebody is, in whole dBov, and whether it talks.
pub(super) type Level = (ParticipantId, i16, bool);

/// A conference in the list of those that are live.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    #[serde(flatten)]
    mpc: MpcObject,
    participant_count: usize,
}

/// A participant, and what it hears now.
#[derive(Debug, Serialize)]
struct Listener {
    #[serde(flatten)]
    participant: ParticipantObject,
    /// Member ids of whom it hears.
    hears: Vec<String>,
    /// Music, prompts and ringing that it hears.
    sounds: usize,
}

/// An entry of the tape.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    sequence: u64,
    at: Timestamp,
    name: &'static str,
    mpc_uuid: String,
    mpc_name: &'a str,
    member_id: Option<String>,
    member_address: Option<&'a str>,
    role: Option<&'static str>,
}

/// One server-sent event.
pub(super) fn event(name: &str, data: &impl Serialize) -> String {
    let data = serde_json::to_string(data).expect("what is told has text keys only");
    format!("event: {name}\ndata: {data}\n\n")
}

pub(super) fn summary(seen: &Seen) -> Summary {
    Summary {
        mpc: MpcObject::new(&dialect::mpc(&seen.record), &path(seen)),
        participant_count: seen.participants,
    }
}

pub(super) fn participants(scene: &Scene) -> Value {
    let path = path(&scene.seen);
    let inside = scene.inside.iter().zip(&scene.hears);
    let listener = |(one, hears): (&Inside, &Hears)| Listener {
        participant: ParticipantObject::new(&dialect::participant(&one.record), &path),
        hears: hears.participants.iter().map(ParticipantId::to_string).collect(),
        sounds: hears.sounds,
    };
    let objects: Vec<_> = inside.map(listener).collect();
    json!({ "mpc_uuid": scene.seen.record.id.to_string(), "participants": objects })
}

pub(super) fn levels(voices: &[(ParticipantId, Voice)]) -> Vec<Level> {
    voices.iter().map(|(id, voice)| (*id, voice.level.0.round() as i16, voice.talking)).collect()
}

pub(super) fn level_map(seen: &Seen, levels: &[Level]) -> Value {
    let level = |(id, dbov, talking): &Level| (id.to_string(), json!([dbov, talking]));
    let levels: Map<_, _> = levels.iter().map(level).collect();
    json!({ "mpc_uuid": seen.record.id.to_string(), "levels": levels })
}

pub(super) fn quality(seen: &Seen, statistics: &[(ParticipantId, Statistics)]) -> Value {
    let quality: Map<_, _> = statistics.iter().map(|(id, one)| (id.to_string(), stream(one))).collect();
    json!({ "mpc_uuid": seen.record.id.to_string(), "quality": quality })
}

fn stream(one: &Statistics) -> Value {
    let ms = |span: std::time::Duration| (span.as_secs_f64() * 10_000.0).round() / 10.0;
    json!({
        "mos": one.mos.map(|mos| mos.0),
        "remote_mos": one.remote_mos.map(|mos| mos.0),
        "received": one.received,
        "lost": one.lost,
        "late": one.late,
        "jitter_ms": ms(one.jitter),
        "delay_ms": ms(one.delay.now),
        "round_trip_ms": one.round_trip.map(ms),
    })
}

pub(super) fn happening(one: &Happening) -> Entry<'_> {
    let participant = one.participant.as_ref();
    Entry {
        sequence: one.sequence,
        at: dialect::instant(one.at),
        name: name(one.what),
        mpc_uuid: one.conference.0.to_string(),
        mpc_name: &one.conference.1,
        member_id: participant.map(|record| record.id.to_string()),
        member_address: participant.map(|record| record.address.as_str()),
        role: participant.map(|record| dialect::role(record.role).name()),
    }
}

/// As callbacks have it, where there is one.
fn name(what: What) -> &'static str {
    match what {
        What::Event(event) => dialect::event_name(event).name(),
        What::Recording(Some(RecordingState::Recording)) => "MPCRecording",
        What::Recording(Some(RecordingState::Paused)) => "MPCRecordingPaused",
        What::Recording(_) => "MPCRecordingOver",
    }
}

fn path(seen: &Seen) -> MpcPath {
    MpcPath { account: seen.record.account.0.clone(), mpc: MpcSegment::Uuid(seen.record.id.to_string()) }
}
