//! What `<MultiPartyCall>` and an add-participant request say alike.

use crate::{EventGroup, FileFormat, Method, Role, StreamFormat};

/// The longest name of an MPC.
pub const MAX_NAME_CHARS: usize = 255;

/// The longest URL in a request, and of a stream.
pub const MAX_URL_BYTES: usize = 2048;

/// An absolute URL and how to ask it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URL.
    pub url: String,
    /// How.
    pub method: Method,
}

/// How a call takes part in an MPC, and the MPC that it creates by joining.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are Plivo's and independent")]
pub struct MultiPartyCall {
    /// The `friendly_name` of the MPC.
    pub name: String,
    /// Role of the member.
    pub role: Role,
    /// Whether a supervisor coaches.
    pub coach_mode: bool,
    /// Whether the member starts out muted.
    pub mute: bool,
    /// Whether the member starts out held.
    pub hold: bool,
    /// Whether the member may stay alone.
    pub stay_alone: bool,
    /// Whether the member's arrival starts the MPC.
    pub start_mpc_on_enter: bool,
    /// Whether the member's departure ends the MPC.
    pub end_mpc_on_exit: bool,
    /// Whether the member's digits are passed on to the others.
    pub relay_dtmf_inputs: bool,
    /// Played when the member enters.
    pub enter_sound: Sound,
    /// Played when the member leaves.
    pub exit_sound: Sound,
    /// Asked what to do after leaving.
    pub on_exit_action: Option<Target>,
    /// The AI agent that takes part, for its role only.
    pub ai_agent_stream: Option<AiAgentStream>,
    /// The longest the MPC may last.
    pub max_duration_seconds: u32,
    /// The most members at once.
    pub max_participants: u32,
    /// Music before the start.
    pub wait_music: Option<Target>,
    /// The longest to wait for the start.
    pub wait_time_seconds: Option<u32>,
    /// Whether only an agent starts the MPC.
    pub wait_for_agent: bool,
    /// Music for held agents.
    pub agent_hold_music: Option<Target>,
    /// Music for held customers.
    pub customer_hold_music: Option<Target>,
    /// What is recorded.
    pub recording: Recording,
    /// Where events are reported.
    pub status_callback: Option<StatusCallback>,
}

/// A sound for the bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// No sound.
    None,
    /// `beep:1`.
    Beep1,
    /// `beep:2`.
    Beep2,
    /// An audio file or a document.
    Url(Target),
}

/// What is recorded of an MPC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are Plivo's and independent")]
pub struct Recording {
    /// Whether the MPC is recorded.
    pub record: bool,
    /// Whether the member has a track of its own.
    pub participant_track: bool,
    /// File format.
    pub file_format: FileFormat,
    /// How many members it takes to begin.
    pub min_member_count: u32,
    /// Whether a coaching supervisor is recorded.
    pub coach_voice: bool,
    /// Where its events are reported.
    pub callback: Option<Target>,
    /// Played when it begins.
    pub start_audio: Option<Target>,
    /// Played when it ends.
    pub stop_audio: Option<Target>,
    /// Whether it is transcribed.
    pub transcript: bool,
    /// Where the transcript goes.
    pub transcription_url: Option<String>,
}

/// Where events are reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusCallback {
    /// Where and how.
    pub target: Target,
    /// Which events.
    pub events: Vec<EventGroup>,
}

/// The stream by which an AI agent takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AiAgentStream {
    /// WebSocket URL.
    pub service_url: String,
    /// Format of the audio.
    pub format: StreamFormat,
    /// `k=v,k2=v2`, told to the other side.
    pub extra_headers: Option<String>,
    /// Where its events are reported.
    pub status_callback: Option<Target>,
}

/// Whether `name` may be the `friendly_name` of an MPC.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= MAX_NAME_CHARS && !name.chars().any(char::is_control)
}
