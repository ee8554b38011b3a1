//! `Transcription/{id}/`: what a recording says, by the recording's id.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::{RecordingRecord, RecordingState, TranscriptRecord, TranscriptState, TranscriptTerms};
use mixminus_plivo::rest::{NewTranscription, TranscriptionReply};
use mixminus_store::Batch;

use super::asked::Asked;
use super::recording::find;
use super::reply::{ApiError, json, no_content};
use crate::dialect;

/// Carries out what is asked of the transcript of the recording `id`.
pub async fn answer(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let recording =
        find(asked.state, &asked.account, id).await.map_err(|error| match asked.method.as_str() {
            "POST" => error,
            _ => absent(),
        });
    match asked.method.as_str() {
        "GET" => asked.transcription(&recording?).await,
        "POST" => asked.transcribe(&recording?).await,
        _ => {
            let recording = recording?;
            asked.transcript(&recording).await?;
            asked.state.store.delete_transcript(recording.id).await?;
            Ok(no_content())
        }
    }
}

fn absent() -> ApiError {
    ApiError::absent("transcription")
}

impl Asked<'_> {
    /// Refuses what asks for a transcript that nobody can make.
    pub(super) fn transcribable(&self, terms: Option<&TranscriptTerms>) -> Result<(), ApiError> {
        if terms.is_none() || self.state.transcribes {
            return Ok(());
        }
        Err(ApiError::bad("a transcription needs a transcriber: `speech.transcriber` is not set"))
    }

    async fn transcript(&self, recording: &RecordingRecord) -> Result<TranscriptRecord, ApiError> {
        self.state.store.transcript(recording.id).await?.ok_or_else(absent)
    }

    async fn transcription(&self, recording: &RecordingRecord) -> Result<Response, ApiError> {
        NewTranscription::parse_type(self.arguments)?;
        let transcript = self.transcript(recording).await?;
        Ok(json(StatusCode::OK, dialect::transcription(recording, &transcript)))
    }

    /// Asks for a transcript. One that is being made stays as it is, so that a request may be sent again.
    async fn transcribe(&self, recording: &RecordingRecord) -> Result<Response, ApiError> {
        let terms = dialect::to_url(NewTranscription::parse(self.arguments)?.callback_url);
        self.transcribable(Some(&terms))?;
        match recording.state {
            RecordingState::Completed => {}
            RecordingState::Failed => return Err(ApiError::conflict("the recording has no file")),
            RecordingState::Recording | RecordingState::Paused => {
                return Err(ApiError::conflict("the recording is going on; stop it first"));
            }
        }
        let known = self.state.store.transcript(recording.id).await?;
        if known.is_some_and(|known| known.state == TranscriptState::Pending && known.told != terms.callback)
        {
            return Err(ApiError::conflict("the recording is being transcribed, and told to another URL"));
        }
        let (asked_at, told) = (self.now(), terms.callback);
        let awaited =
            TranscriptRecord { recording: recording.id, state: TranscriptState::Pending, asked_at, told };
        self.state.store.commit(&Batch { transcripts: vec![awaited], ..Batch::default() }).await?;
        Ok(json(StatusCode::ACCEPTED, TranscriptionReply::new(recording.id.to_string())))
    }
}
