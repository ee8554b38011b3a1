//! `Transcription/{id}/`: what a recording says. A recording has one transcript, so its id is the transcript's, too.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Arguments, RestError};
use crate::RecordingFile;

/// A request to transcribe a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTranscription {
    /// Where the transcript goes.
    pub callback_url: Option<String>,
}

impl NewTranscription {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] if its URL is none.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        Ok(Self { callback_url: body.url("transcription_callback_url")? })
    }

    /// Reads the query of a transcript: its `type`, which the SDKs send; there is one.
    ///
    /// # Errors
    ///
    /// [`RestError`] if it is no line of text.
    pub fn parse_type(query: &Arguments) -> Result<Option<String>, RestError> {
        query.line("type")
    }
}

/// What became of a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TranscriptStatus<'a> {
    /// It is being made.
    InProgress,
    /// What is said.
    Completed(&'a str),
    /// Why there is none.
    Failed(&'a str),
}

/// A transcript in a reply; every field is there every time.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct TranscriptionObject {
    pub cost: f64,
    /// Why there is none; ours.
    #[schema(required)]
    pub error: Option<String>,
    pub rate: f64,
    pub recording_duration_ms: f64,
    /// Ours.
    pub recording_id: String,
    pub recording_start_ms: f64,
    pub status: &'static str,
    #[schema(required)]
    pub transcription: Option<String>,
}

impl TranscriptionObject {
    /// The transcript of `recording`, which is over. It costs nothing.
    pub fn new(recording: &RecordingFile, status: TranscriptStatus<'_>) -> Self {
        let ms = |micros: i64| micros as f64 / 1000.0;
        let end = recording.ended_at.unwrap_or(recording.started_at);
        let (status, text, error) = match status {
            TranscriptStatus::InProgress => ("in-progress", None, None),
            TranscriptStatus::Completed(text) => ("completed", Some(text.to_owned()), None),
            TranscriptStatus::Failed(error) => ("failed", None, Some(error.to_owned())),
        };
        Self {
            cost: 0.0,
            error,
            rate: 0.0,
            recording_duration_ms: ms(recording.duration_micros(end) as i64),
            recording_id: recording.id.clone(),
            recording_start_ms: ms(recording.started_at.as_micros()),
            status,
            transcription: text,
        }
    }
}

/// The reply to a request to transcribe a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct TranscriptionReply {
    pub message: &'static str,
    pub recording_id: String,
    pub transcription_id: String,
}

impl TranscriptionReply {
    /// That the recording is being transcribed.
    pub fn new(recording_id: String) -> Self {
        Self { message: "transcription started", transcription_id: recording_id.clone(), recording_id }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;
    use crate::{FileFormat, Timestamp};

    #[test]
    fn a_transcript_has_every_field_that_the_sdks_know() {
        let recording = RecordingFile {
            id: "r-1".into(),
            account: "MA".into(),
            url: String::new(),
            format: FileFormat::Mp3,
            started_at: Timestamp::from_micros(1_767_350_923_500_000),
            ended_at: Some(Timestamp::from_micros(1_767_350_925_500_000)),
            duration_us: Some(1_960_000),
            mpc_uuid: None,
            mpc_name: None,
            member_id: None,
            call_uuid: None,
            from: None,
            to: None,
        };
        let common = json!({
            "cost": 0.0, "rate": 0.0, "recording_duration_ms": 1960.0, "recording_id": "r-1",
            "recording_start_ms": 1_767_350_923_500.0,
        });
        for (status, word, text, error) in [
            (TranscriptStatus::InProgress, "in-progress", None, None),
            (TranscriptStatus::Completed("hello"), "completed", Some("hello"), None),
            (TranscriptStatus::Failed("too long"), "failed", None, Some("too long")),
        ] {
            let mut expected = common.clone();
            expected["status"] = word.into();
            expected["transcription"] = text.into();
            expected["error"] = error.into();
            assert_eq!(to_value(TranscriptionObject::new(&recording, status)).unwrap(), expected);
        }
    }
}
