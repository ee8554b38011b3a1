//! Transcripts of recordings: asked for, read and deleted.

use mixminus_control::{RecordingState, TranscriptRecord, TranscriptState};
use serde_json::json;

use super::recordings::{RECORDING, record, save, with_recording};
use super::*;

/// An API whose transcriber is somewhere else.
async fn transcribing(account: &str) -> Api {
    let mut api = with_recording(account, None).await;
    api.state.transcribes = true;
    api.router = router(api.state.clone());
    api
}

fn path() -> String {
    format!("Transcription/{RECORDING}/")
}

/// What is pending.
async fn asked(api: &Api) -> Vec<TranscriptRecord> {
    let pending = api.state.store.pending_transcripts(9).await.unwrap();
    pending.into_iter().map(|(_, transcript)| transcript).collect()
}

#[tokio::test]
async fn a_transcript_is_asked_for_read_and_deleted() {
    let api = transcribing(ID).await;
    assert_eq!(api.get(&path()).await.status.as_u16(), 404);
    let id = json!(RECORDING.to_string());
    let to = json!({"transcription_callback_url": "http://app.example/said"}).to_string();
    for _ in 0..2 {
        let answer = api.send("POST", &path(), to.clone()).await;
        assert_eq!(answer.status.as_u16(), 202);
        let said = answer.json();
        assert_eq!(said["message"], "transcription started");
        assert_eq!((&said["transcription_id"], &said["recording_id"]), (&id, &id));
    }
    assert_eq!(api.send("POST", &path(), "{}").await.status.as_u16(), 409, "told to somebody else");
    let [asked] = &asked(&api).await[..] else { panic!() };
    assert_eq!(asked.told.as_ref().unwrap().url, "http://app.example/said");
    let shown = api.get(&format!("{}?type=raw", path())).await.json();
    assert_eq!((&shown["status"], &shown["transcription"]), (&json!("in-progress"), &json!(null)));
    let state = TranscriptState::Completed { text: "hello".into() };
    let ended = TranscriptRecord { state, ..asked.clone() };
    assert!(api.state.store.end_transcript(&ended, None).await.unwrap());
    let shown = api.get(&path()).await.json();
    assert_eq!((&shown["status"], &shown["transcription"]), (&json!("completed"), &json!("hello")));
    assert_eq!(shown["recording_duration_ms"], json!(61_020.0));
    assert_eq!(api.send("DELETE", &path(), "").await.status.as_u16(), 204);
    assert_eq!(api.send("DELETE", &path(), "").await.status.as_u16(), 404);
}

#[tokio::test]
async fn nobody_is_promised_a_transcript_that_nobody_makes() {
    let api = with_recording(ID, None).await;
    let call = format!("Call/{CALL}/Record/");
    for (path, body) in [
        (path().as_str(), json!({})),
        (call.as_str(), json!({"transcription_type": "auto"})),
        ("MultiPartyCall/name_support/Record/", json!({"transcript": true})),
        (
            "MultiPartyCall/name_support/Participant/",
            json!({"role": "agent", "from": "1", "to": "2", "record": true, "transcript": true}),
        ),
    ] {
        let answer = api.send("POST", path, body.to_string()).await;
        assert_eq!(answer.status.as_u16(), 400, "{path}");
        assert_eq!(answer.error(), "a transcription needs a transcriber: `speech.transcriber` is not set");
    }
    assert_eq!(*api.commands.lock().unwrap(), []);
    assert_eq!(asked(&api).await, []);
}

#[tokio::test]
async fn only_what_an_account_reaches_and_is_over_is_transcribed() {
    let api = transcribing("MAANOTHER00000000000").await;
    for method in ["GET", "POST", "DELETE"] {
        assert_eq!(api.send(method, &path(), "").await.status.as_u16(), 404, "{method}");
    }
    for (state, expected) in [(RecordingState::Paused, 409), (RecordingState::Failed, 409)] {
        let api = transcribing(ID).await;
        save(&api, record(state)).await;
        assert_eq!(api.send("POST", &path(), "").await.status.as_u16(), expected);
    }
}
