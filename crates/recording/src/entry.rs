//! What happened during a recording.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::TrackId;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// To whom, if to somebody: the caller's id of the participant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Who the participant is.
    Participant {
        /// What it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// What it is there for.
        role: String,
        /// Where it is heard alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        track: Option<TrackId>,
    },
    /// It took part from here on.
    Joined,
    /// It took no more part.
    Left,
    /// It was muted.
    Muted,
    /// It was no longer muted.
    Unmuted,
    /// It was held.
    Held,
    /// It was no longer held.
    Unheld,
    /// It coached: agents heard it, and nobody else.
    Coaching,
    /// It no longer coached.
    CoachingEnded,
    /// It pressed keys.
    Digits {
        /// Which.
        digits: String,
    },
    /// It began to talk.
    Talking,
    /// It no longer talked.
    TalkingEnded,
    /// Something else.
    Other {
        /// What.
        name: String,
        /// More of it.
        value: Value,
    },
}

/// Something that happened, with its place in the recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// Milliseconds from the start.
    pub at_ms: u64,
    /// The same in samples at the recording's rate.
    pub at_sample: u64,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}
