//! What is known of an MPC, a participant and a call, before it is written.

use crate::{
    CallStatus, Direction, ExitCause, FileFormat, HangupCause, HangupSource, MpcStatus, RecordingState, Role,
    TerminationCause, Timestamp, billed_seconds,
};

/// What is known of an MPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mpc {
    /// Its `mpc_uuid`.
    pub uuid: String,
    /// Its `friendly_name`.
    pub name: String,
    /// The sub-account that owns it, if one does.
    pub sub_account: Option<String>,
    /// Where it is in its life.
    pub status: MpcStatus,
    /// Whether it is recorded.
    pub recording: RecordingState,
    /// Whether its creator may stay alone in it.
    pub stay_alone: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it became active.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub termination: Option<TerminationCause>,
    /// Sum over participants of billed seconds, known at the end.
    pub billed_seconds: Option<u64>,
}

impl Mpc {
    /// Whole seconds from its creation to its end.
    pub fn duration_seconds(&self) -> Option<u64> {
        self.ended_at.map(|end| end.seconds_since(self.created_at))
    }
}

/// What is known of a participant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are Plivo's and independent")]
pub struct Participant {
    /// Its `member_id`.
    pub member_id: u64,
    /// The MPC it is or was in.
    pub mpc_uuid: String,
    /// The call that takes part.
    pub call_uuid: String,
    /// Its number or SIP URI.
    pub address: String,
    /// Its role.
    pub role: Role,
    /// Whether it coaches; false for other roles than supervisor.
    pub coach_mode: bool,
    /// Whether it is muted.
    pub mute: bool,
    /// Whether it is held.
    pub hold: bool,
    /// Whether its arrival starts the MPC.
    pub start_mpc_on_enter: bool,
    /// Whether its departure ends the MPC.
    pub end_mpc_on_exit: bool,
    /// When it joined.
    pub joined_at: Timestamp,
    /// When it left.
    pub left_at: Option<Timestamp>,
    /// Why it left.
    pub exit_cause: Option<ExitCause>,
}

impl Participant {
    /// Whole seconds from its arrival to its departure.
    pub fn duration_seconds(&self) -> Option<u64> {
        self.left_at.map(|left| left.seconds_since(self.joined_at))
    }

    /// Seconds billed for it, known when it left.
    pub fn billed_seconds(&self) -> Option<u64> {
        self.left_at.map(|left| billed_seconds(self.joined_at, left))
    }
}

/// What is known of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its `CallUUID`.
    pub uuid: String,
    /// The owning account.
    pub account: String,
    /// The calling party.
    pub from: String,
    /// The called party.
    pub to: String,
    /// Which side set it up.
    pub direction: Direction,
    /// Where it is in its life.
    pub status: CallStatus,
    /// When it arrived or was placed.
    pub created_at: Timestamp,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended and who ended it.
    pub hangup: Option<(HangupCause, HangupSource)>,
    /// The caller's name, where it is another than the number.
    pub caller_name: Option<String>,
    /// The request that it was made by, where that is another than the call.
    pub request_uuid: Option<String>,
    /// The call that it was dialled from.
    pub parent_uuid: Option<String>,
    /// The number that it was forwarded from.
    pub forwarded_from: Option<String>,
    /// What is known of the caller's right to its number; `None` if nothing is.
    pub stir_verification: Option<StirVerification>,
}

/// Whether a caller's right to its number was found good, where it was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Plivo's and say it")]
pub enum StirVerification {
    Verified,
    NotVerified,
}

impl StirVerification {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "Verified",
            Self::NotVerified => "Not Verified",
        }
    }
}

impl Call {
    /// The request that it was made by; with a single destination that is the call.
    pub fn request_uuid(&self) -> &str {
        self.request_uuid.as_deref().unwrap_or(&self.uuid)
    }
}

/// What is known of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingFile {
    /// Its `recording_id`.
    pub id: String,
    /// The owning account.
    pub account: String,
    /// Where the file is.
    pub url: String,
    /// Format of the file.
    pub format: FileFormat,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How long its file plays, in microseconds; known once it ended.
    pub duration_us: Option<u64>,
    /// The MPC that it is of.
    pub mpc_uuid: Option<String>,
    /// The name of that MPC.
    pub mpc_name: Option<String>,
    /// The participant that it is of.
    pub member_id: Option<u64>,
    /// The call that it is of.
    pub call_uuid: Option<String>,
    /// The calling party of that call.
    pub from: Option<String>,
    /// The called party of that call.
    pub to: Option<String>,
}

impl RecordingFile {
    /// `recording_type`.
    pub const fn kind(&self) -> &'static str {
        if self.mpc_uuid.is_some() { "conference" } else { "normal" }
    }

    /// The path of the recording.
    pub fn resource_uri(&self) -> String {
        format!("/v1/Account/{}/Recording/{}/", self.account, self.id)
    }

    /// How long its file plays, in microseconds; while it goes on, how long it would if it ended at `end`.
    pub fn duration_micros(&self, end: Timestamp) -> u64 {
        self.duration_us.unwrap_or_else(|| end.micros_since(self.started_at))
    }
}
