//! What happened to a recording of an MPC, for its recording callback URL.

use super::{Parameters, or_empty, parameters};
use crate::{RecordingFile, Timestamp};

/// What happened to a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Plivo's and say it")]
pub enum RecordingEventName {
    Initiated,
    Paused,
    Resumed,
    Completed,
    Failed,
}

impl RecordingEventName {
    /// `EventName`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initiated => "MPCRecordingInitiated",
            Self::Paused => "MPCRecordingPaused",
            Self::Resumed => "MPCRecordingResumed",
            Self::Completed => "MPCRecordingCompleted",
            Self::Failed => "MPCRecordingFailed",
        }
    }
}

/// What happened to a recording of an MPC or of one of its participants.
#[derive(Clone, Copy, Debug)]
pub struct RecordingEvent<'a> {
    /// What happened.
    pub name: RecordingEventName,
    /// When.
    pub at: Timestamp,
    /// Its number among the events of the MPC, from 1.
    pub sequence: u64,
    /// The recording.
    pub recording: &'a RecordingFile,
    /// Where the API is, without a slash at the end.
    pub api_url: &'a str,
}

impl RecordingEvent<'_> {
    /// The parameters of the callback.
    pub fn parameters(&self) -> Parameters {
        let recording = self.recording;
        let seconds = recording.ended_at.map(|end| recording.duration_micros(end) / 1_000_000);
        parameters([
            ("EventName", self.name.name().to_owned()),
            ("EventTimestamp", self.at.to_string()),
            ("SequenceNumber", self.sequence.to_string()),
            ("MPCName", or_empty(recording.mpc_name.as_ref())),
            ("MPCUUID", or_empty(recording.mpc_uuid.as_ref())),
            ("MemberID", or_empty(recording.member_id)),
            ("RecordingUUID", recording.id.clone()),
            ("RecordingURL", recording.url.clone()),
            ("RecordingResourceURL", format!("{}{}", self.api_url, recording.resource_uri())),
            ("RecordingFormat", recording.format.name().to_owned()),
            ("RecordingStartTime", recording.started_at.to_string()),
            ("RecordingEndTime", or_empty(recording.ended_at)),
            ("RecordingDuration", or_empty(seconds)),
        ])
    }
}
