use mixminus_control::{
    Action, HttpMethod, RecordingId, RecordingRecord, TranscriptRecord, TranscriptState, TranscriptTerms,
};
use mixminus_store::{Batch, NewCallback, OrderKey, Page, RecordingFilter, Store};
use uuid::Uuid;

use crate::directory::recording;
use crate::fixtures::{Fixture, account, at};

fn action() -> Action {
    Action { url: "http://customer.example/said".into(), method: HttpMethod::Get }
}

/// A recording that ended at 9 seconds after `started`, and what is asked of it.
fn asked(started: i64) -> (RecordingRecord, TranscriptRecord) {
    let transcript = Some(TranscriptTerms { callback: Some(action()) });
    let recording = RecordingRecord { transcript, ..recording(started) };
    let awaited = recording.awaited_transcript().unwrap();
    (recording, awaited)
}

fn said(asked: &TranscriptRecord, text: &str) -> TranscriptRecord {
    TranscriptRecord { state: TranscriptState::Completed { text: text.into() }, ..asked.clone() }
}

fn callback(id: u128, of: RecordingId) -> NewCallback {
    NewCallback {
        id: Uuid::from_u128(id),
        account: account(),
        order: OrderKey::Request(of.0),
        sequence: 1,
        url: action().url,
        method: HttpMethod::Get,
        params: Vec::new(),
        created_at: at(30),
    }
}

async fn ask(fixture: &Fixture, recordings: Vec<RecordingRecord>, transcripts: Vec<TranscriptRecord>) {
    fixture.commit(Batch { recordings, transcripts, ..Batch::default() }).await;
}

#[tokio::test]
async fn what_is_to_be_transcribed_waits_in_order_until_what_became_of_it_is_written() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (late, first) = (asked(20), asked(10));
    ask(&fixture, vec![late.0.clone(), first.0.clone()], vec![late.1.clone(), first.1.clone()]).await;
    assert_eq!(store.pending_transcripts(1).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(store.pending_transcripts(9).await.unwrap(), [first.clone(), late.clone()]);
    let made = said(&first.1, "hello");
    assert!(store.end_transcript(&made, Some(&callback(1, first.0.id))).await.unwrap());
    assert_eq!(store.pending_transcripts(9).await.unwrap(), std::slice::from_ref(&late));
    assert_eq!(store.transcript(first.0.id).await.unwrap(), Some(made));
    let failed = TranscriptRecord { state: TranscriptState::Failed { error: "no".into() }, ..late.1 };
    assert!(store.end_transcript(&failed, None).await.unwrap());
    assert_eq!(store.transcript(late.0.id).await.unwrap(), Some(failed));
    let queued = store.pending_callbacks(at(40), 9).await.unwrap();
    assert_eq!(queued.into_iter().map(|one| one.callback).collect::<Vec<_>>(), [callback(1, first.0.id)]);
}

#[tokio::test]
async fn what_is_pending_is_asked_for_once_and_what_ended_again() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (recording, first) = asked(10);
    let again = TranscriptRecord { asked_at: at(50), told: None, ..first.clone() };
    for awaited in [&first, &again] {
        ask(&fixture, vec![recording.clone()], vec![awaited.clone()]).await;
    }
    assert_eq!(store.transcript(recording.id).await.unwrap(), Some(first.clone()));
    assert!(store.end_transcript(&said(&first, "hello"), None).await.unwrap());
    ask(&fixture, vec![], vec![again.clone()]).await;
    assert_eq!(store.transcript(recording.id).await.unwrap(), Some(again.clone()));
    assert!(!store.end_transcript(&said(&first, "late"), Some(&callback(1, recording.id))).await.unwrap());
    assert_eq!(store.transcript(recording.id).await.unwrap(), Some(again));
}

#[tokio::test]
async fn what_was_deleted_meanwhile_is_told_to_nobody_and_goes_with_its_recording() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (kept, gone) = (asked(10), asked(20));
    ask(&fixture, vec![kept.0.clone(), gone.0.clone()], vec![kept.1.clone(), gone.1.clone()]).await;
    store.delete_transcript(kept.0.id).await.unwrap();
    store.delete_recording(gone.0.id).await.unwrap();
    for (number, (recording, awaited)) in (1..).zip([&kept, &gone]) {
        assert_eq!(store.transcript(recording.id).await.unwrap(), None);
        let told = callback(number, recording.id);
        assert!(!store.end_transcript(&said(awaited, "x"), Some(&told)).await.unwrap());
    }
    assert_eq!(store.pending_callbacks(at(40), 9).await.unwrap(), []);
    let page = Page { limit: 9, offset: 0 };
    let (recordings, _) = store.recordings(&account(), &RecordingFilter::default(), page).await.unwrap();
    assert_eq!(recordings, [kept.0], "its wish is kept with it");
}
