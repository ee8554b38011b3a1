use std::time::Duration;

use mixminus_control::{
    Action, CallEvent, CallRecord, CallState, ConferenceEvent, ConferenceRecord, ConferenceState, EndCause,
    EventGroup, ExitCause, HangupCause, HangupSource, HttpMethod, ParticipantRecord, RecordedFrom,
    RecordingEvent, RecordingFormat, RecordingId, RecordingRecord, RecordingTrack, Selector,
};
use mixminus_store::{Batch, NewCallback, OrderKey, Orphans, SqliteStore, Store, StoreError};
use uuid::Uuid;

use crate::fixtures::{
    Fixture, URL, account, at, call, callback, conference, ended, participant, subscriber,
};

#[tokio::test]
async fn an_ended_conference_is_read_by_id_after_a_restart() {
    let fixture = Fixture::new().await;
    let past = ended("support", 10, 20);
    fixture.commit(Batch { conferences: vec![past.clone()], ..Batch::default() }).await;
    fixture.store.close().await;
    let path = fixture.path();
    drop(fixture.store);
    let again = SqliteStore::open(&path).await.unwrap();
    let found = again.conference(&account(), &Selector::Id(past.id)).await.unwrap();
    assert_eq!(found, Some(past));
}

#[tokio::test]
async fn what_was_committed_is_in_the_file_when_the_process_dies() {
    let fixture = Fixture::new().await;
    let live = conference("support", 10);
    fixture.commit(Batch { conferences: vec![live.clone()], ..Batch::default() }).await;
    let again = SqliteStore::open(&fixture.image()).await.unwrap();
    let found = again.conference(&account(), &Selector::Id(live.id)).await.unwrap();
    assert_eq!(found, Some(live));
}

#[tokio::test]
async fn a_store_is_open_in_one_place_at_a_time() {
    let fixture = Fixture::new().await;
    let second = SqliteStore::open(&fixture.path()).await;
    assert!(matches!(second, Err(StoreError::InUse { .. })), "{second:?}");
}

#[tokio::test]
async fn a_place_that_does_not_exist_is_a_clear_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing").join("store.db");
    let error = SqliteStore::open(&path).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot open the store {}: ", path.display())), "{error}");
}

#[tokio::test]
async fn nothing_live_leaves_no_orphans() {
    let fixture = Fixture::new().await;
    let call = CallRecord { ended_at: Some(at(20)), ..call(10) };
    let conference = ended("support", 10, 20);
    let gone = ParticipantRecord { left_at: Some(at(20)), ..participant(1, &conference, &call, 10) };
    fixture
        .commit(Batch {
            conferences: vec![conference],
            calls: vec![call],
            participants: vec![gone],
            ..Batch::default()
        })
        .await;
    assert_eq!(fixture.store.orphans().await.unwrap(), Orphans::default());
}

/// A conference created at 10 with a participant who stayed 61 s and one who
/// joined at 100; the last heartbeat is at 130.
struct Crashed {
    fixture: Fixture,
    conference: ConferenceRecord,
    talking: CallRecord,
    ringing: CallRecord,
    inside: ParticipantRecord,
}

async fn crashed() -> Crashed {
    let fixture = Fixture::new().await;
    let conference = conference("support", 10);
    let gone = CallRecord { ended_at: Some(at(71)), ..call(10) };
    let talking = call(100);
    let ringing = CallRecord { state: CallState::Ringing, answered_at: None, ..call(110) };
    let left = ParticipantRecord { left_at: Some(at(71)), ..participant(1, &conference, &gone, 10) };
    let inside = participant(2, &conference, &talking, 100);
    fixture
        .commit(Batch {
            conferences: vec![conference.clone()],
            calls: vec![gone, talking.clone(), ringing.clone()],
            participants: vec![left, inside.clone()],
            ..Batch::default()
        })
        .await;
    fixture.store.heartbeat(at(130)).await.unwrap();
    Crashed { fixture, conference, talking, ringing, inside }
}

#[tokio::test]
async fn what_was_live_is_closed_at_the_last_heartbeat() {
    let crashed = crashed().await;
    let orphans = crashed.fixture.store.orphans().await.unwrap();
    let ended = ConferenceRecord {
        state: ConferenceState::Ended,
        ended_at: Some(at(130)),
        end_cause: Some(EndCause::NoParticipants),
        billed_seconds: Some(120 + 60),
        sequence: 3 + 2,
        ..crashed.conference
    };
    let over = |call: CallRecord, state| CallRecord {
        state,
        ended_at: Some(at(130)),
        hangup_cause: Some(HangupCause::InternalError),
        hangup_source: Some(HangupSource::Error),
        ..call
    };
    let left = ParticipantRecord {
        left_at: Some(at(130)),
        exit_cause: Some(ExitCause::CallHangup),
        ..crashed.inside
    };
    assert_eq!(orphans.conferences, [ended]);
    assert_eq!(orphans.participants, [left]);
    assert_eq!(
        orphans.calls,
        [over(crashed.talking, CallState::Completed), over(crashed.ringing, CallState::Failed)]
    );
}

#[tokio::test]
async fn who_subscribed_is_told_the_end() {
    let crashed = crashed().await;
    let orphans = crashed.fixture.store.orphans().await.unwrap();
    let told: Vec<_> =
        orphans.events.iter().map(|one| (one.event, one.sequence, one.at, one.subject.is_some())).collect();
    assert_eq!(told, [(ConferenceEvent::Left, 4, at(130), true), (ConferenceEvent::Ended, 5, at(130), true)]);
    assert_eq!(orphans.events[0].conference.state, ConferenceState::Active);
    assert_eq!(orphans.events[1].conference, orphans.conferences[0]);
    let subject = orphans.events[1].subject.as_ref().unwrap();
    assert_eq!(subject.participant.as_ref(), Some(&orphans.participants[0]));
    assert_eq!(subject.call, orphans.calls[0]);
}

#[tokio::test]
async fn who_subscribed_late_is_told_the_end_like_the_others() {
    let mut crashed = crashed().await;
    let store = &crashed.fixture.store;
    crashed.conference.subscribers.push(subscriber("http://late.example/"));
    store.commit(&Batch { conferences: vec![crashed.conference], ..Batch::default() }).await.unwrap();
    let orphans = store.orphans().await.unwrap();
    let told: Vec<_> = orphans.events.iter().map(|one| (one.event, &*one.url, one.sequence)).collect();
    let (left, late) = (ConferenceEvent::Left, "http://late.example/");
    let ended = ConferenceEvent::Ended;
    assert_eq!(told, [(left, URL, 4), (left, late, 4), (ended, URL, 5), (ended, late, 5)]);
}

#[tokio::test]
async fn who_is_told_of_a_calls_end_is_told_of_the_death_of_the_process_once() {
    let crashed = crashed().await;
    let store = &crashed.fixture.store;
    let told = |url: &str, method| Action { url: url.into(), method };
    let on_end = vec![told("http://app/hangup", HttpMethod::Get), told(URL, HttpMethod::Post)];
    let call = CallRecord { on_end, ..call(120) };
    let order = OrderKey::Call(call.id);
    let rang = NewCallback { order, ..callback(crashed.conference.id, 2, 121) };
    store
        .commit(&Batch { calls: vec![call.clone()], callbacks: vec![rang], ..Batch::default() })
        .await
        .unwrap();
    let orphans = store.orphans().await.unwrap();
    let events: Vec<_> =
        orphans.call_events.iter().map(|one| (&*one.url, one.method, one.sequence, one.at)).collect();
    let (get, post) = (HttpMethod::Get, HttpMethod::Post);
    assert_eq!(events, [("http://app/hangup", get, 3, at(130)), (URL, post, 4, at(130))]);
    let end = &orphans.call_events[0];
    assert_eq!((&end.event, &end.call), (&CallEvent::Ended, orphans.calls.last().unwrap()));
    assert_eq!(end.call.hangup_cause, Some(HangupCause::InternalError));
    store.commit(&Batch { calls: orphans.calls, ..Batch::default() }).await.unwrap();
    assert_eq!(store.orphans().await.unwrap().call_events, []);
}

#[tokio::test]
async fn who_is_told_of_a_recording_is_told_of_its_end_after_all_else() {
    let crashed = crashed().await;
    let store = &crashed.fixture.store;
    let action = Action { url: "http://app/r".into(), method: HttpMethod::Post };
    let open = |number, of| {
        let (id, what) = (RecordingId(Uuid::from_u128(number)), (RecordingFormat::Wav, RecordingTrack::Mix));
        let begun = RecordingRecord::begin(id, account(), of, what, at(100));
        RecordingRecord { told: Some(action.clone()), ..begun }
    };
    let of = RecordedFrom {
        conference: Some((crashed.conference.id, "room".into())),
        participant: None,
        call: None,
        from: String::new(),
        to: String::new(),
    };
    let call = call(120);
    let of_call = RecordedFrom { conference: None, call: Some(call.id), ..of.clone() };
    let recordings = vec![open(1, of.clone()), open(2, of), open(3, of_call)];
    store.commit(&Batch { recordings, calls: vec![call.clone()], ..Batch::default() }).await.unwrap();
    let mut orphans = store.orphans().await.unwrap();
    let last = orphans.conferences[0].sequence;
    for (open, length_s) in
        std::mem::take(&mut orphans.open_recordings).into_iter().zip([Some(9), None, Some(8)])
    {
        orphans.end_recording(open, length_s.map(|length_s| (Duration::from_secs(length_s), 1)));
    }
    let told: Vec<_> = orphans.recording_events.iter().map(|one| (one.event, one.sequence)).collect();
    assert_eq!(told, [(RecordingEvent::Completed, last + 1), (RecordingEvent::Failed, last + 2)]);
    let of_call: Vec<_> = orphans.call_events.iter().filter(|one| one.call.id == call.id).collect();
    assert_eq!(of_call.len(), 1);
    assert!(matches!(&of_call[0].event, CallEvent::Recorded(one) if one.duration == Duration::from_secs(8)));
    assert_eq!((of_call[0].sequence, of_call[0].call.ended_at), (1, Some(at(130))));
}

#[tokio::test]
async fn who_did_not_subscribe_to_exits_is_not_told_of_them() {
    let mut crashed = crashed().await;
    let store = &crashed.fixture.store;
    crashed.conference.subscribers[0].groups = [EventGroup::Conference].into();
    store.commit(&Batch { conferences: vec![crashed.conference], ..Batch::default() }).await.unwrap();
    let orphans = store.orphans().await.unwrap();
    let told: Vec<_> = orphans.events.iter().map(|one| (one.event, one.sequence)).collect();
    assert_eq!(told, [(ConferenceEvent::Ended, 4)]);
}

#[tokio::test]
async fn orphans_that_were_committed_are_none_any_more() {
    let crashed = crashed().await;
    let store = &crashed.fixture.store;
    let orphans = store.orphans().await.unwrap();
    let closed = Batch {
        conferences: orphans.conferences,
        participants: orphans.participants,
        calls: orphans.calls,
        transcripts: Vec::new(),
        recordings: orphans.recordings,
        streams: orphans.streams,
        callbacks: Vec::new(),
    };
    store.commit(&closed).await.unwrap();
    assert_eq!(store.orphans().await.unwrap(), Orphans::default());
}

#[tokio::test]
async fn a_write_after_the_last_heartbeat_counts_as_life() {
    let crashed = crashed().await;
    let store = &crashed.fixture.store;
    let late = CallRecord { ended_at: Some(at(140)), ..call(131) };
    store.commit(&Batch { calls: vec![late], ..Batch::default() }).await.unwrap();
    assert_eq!(store.orphans().await.unwrap().conferences[0].ended_at, Some(at(140)));
}

#[tokio::test]
async fn a_clock_set_back_between_two_runs_is_believed() {
    let crashed = crashed().await;
    let store = &crashed.fixture.store;
    store.heartbeat(at(50)).await.unwrap();
    assert_eq!(store.orphans().await.unwrap().conferences[0].ended_at, Some(at(50)));
}
