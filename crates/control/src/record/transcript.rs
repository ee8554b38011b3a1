use super::{RecordingId, Timestamp};
use crate::instruction::Action;

/// What has become of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TranscriptState {
    /// It is to be made.
    Pending,
    /// It is there.
    Completed {
        /// What is said.
        text: String,
    },
    /// There is none.
    Failed {
        /// Why, for whoever asked.
        error: String,
    },
}

/// The transcript of a recording as it is kept; a recording has one at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptRecord {
    /// What is transcribed.
    pub recording: RecordingId,
    /// What has become of it.
    pub state: TranscriptState,
    /// When it could be made first.
    pub asked_at: Timestamp,
    /// Who is told what becomes of it.
    pub told: Option<Action>,
}
