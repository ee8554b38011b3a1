use std::time::Duration;

use uuid::Uuid;

use super::{AccountId, CallId, ConferenceId, ParticipantId, Timestamp};
use super::{TranscriptRecord, TranscriptState};
use crate::instruction::{Action, TranscriptTerms};

uuid_id! {
    /// A recording, unique across nodes and for good.
    RecordingId
}

/// Where a recording is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingState {
    /// What is said is kept.
    Recording,
    /// Going on, but nothing is kept for now.
    Paused,
    /// Over; the file is whole.
    Completed,
    /// Over; there is no file.
    Failed,
}

impl RecordingState {
    /// Whether nothing changes any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// What a recording's file is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingFormat {
    /// MPEG-1 layer III.
    Mp3,
    /// PCM.
    Wav,
    /// Opus in Ogg.
    OggOpus,
    /// Free Lossless Audio Codec.
    Flac,
}

/// What a recording is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingTrack {
    /// What everybody in the conference, or both sides of the call, say, as one mix.
    Mix,
    /// What one party says.
    Party,
    /// Two channels: on the left what one party says, on the right what it hears.
    Channels,
}

/// Of what, and by whom started, a recording was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedFrom {
    /// The conference and its name.
    pub conference: Option<(ConferenceId, String)>,
    /// The participant, when not all of the conference is recorded.
    pub participant: Option<ParticipantId>,
    /// The call, or the participant's.
    pub call: Option<CallId>,
    /// The calling party of that call.
    pub from: String,
    /// The called party of that call.
    pub to: String,
}

/// A recording as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingRecord {
    /// Its id.
    pub id: RecordingId,
    /// The owning account or subaccount.
    pub account: AccountId,
    /// What was recorded.
    pub of: RecordedFrom,
    /// Where it is in its life.
    pub state: RecordingState,
    /// What it is written as.
    pub format: RecordingFormat,
    /// What it holds.
    pub track: RecordingTrack,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was stopped; known once it is over.
    pub ended_at: Option<Timestamp>,
    /// How long its file plays, pauses included; zero until it is whole.
    pub duration: Duration,
    /// How large its file is.
    pub size_bytes: u64,
    /// Where it can be fetched.
    pub url: String,
    /// Who is told what becomes of it.
    pub told: Option<Action>,
    /// Whether, once it is over, it is transcribed.
    pub transcript: Option<TranscriptTerms>,
}

impl RecordingRecord {
    /// A recording of `of` that begins at `now`; it holds nothing yet, is nowhere, nobody is told of it, and it
    /// is not transcribed.
    pub fn begin(
        id: RecordingId,
        account: AccountId,
        of: RecordedFrom,
        (format, track): (RecordingFormat, RecordingTrack),
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            account,
            of,
            state: RecordingState::Recording,
            format,
            track,
            started_at: now,
            ended_at: None,
            duration: Duration::ZERO,
            size_bytes: 0,
            url: String::new(),
            told: None,
            transcript: None,
        }
    }

    /// The transcript that is to be made of it, once it is over.
    pub fn awaited_transcript(&self) -> Option<TranscriptRecord> {
        let (asked_at, terms) = self.ended_at.zip(self.transcript.as_ref())?;
        let told = terms.callback.clone();
        Some(TranscriptRecord { recording: self.id, state: TranscriptState::Pending, asked_at, told })
    }
}
