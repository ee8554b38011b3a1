use mixminus_control::{AccountId, StreamId, StreamRecord, StreamState};
use mixminus_store::{Batch, Store};
use uuid::Uuid;

use crate::fixtures::{Fixture, account, at, call};

#[tokio::test]
async fn a_calls_streams_are_read_as_they_were_written_and_closed_when_the_process_dies() {
    let fixture = Fixture::new().await;
    let (call, other) = (call(10), AccountId("MAYYYYYYYYYYYYYYYYYY".into()));
    let stream = |number: u128, created| StreamRecord {
        id: StreamId(Uuid::from_u128(number)),
        account: account(),
        call: call.id,
        url: "wss://h/s".into(),
        callback_url: Some("http://h/c".into()),
        state: StreamState::Connecting,
        created_at: at(created),
        started_at: None,
        ended_at: None,
    };
    let ended = StreamRecord {
        state: StreamState::Stopped,
        started_at: Some(at(11)),
        ended_at: Some(at(12)),
        ..stream(1, 10)
    };
    let live = StreamRecord { callback_url: None, ..stream(2, 13) };
    for streams in [vec![stream(1, 10)], vec![ended.clone(), live.clone()]] {
        fixture.commit(Batch { streams, ..Batch::default() }).await;
    }
    let store = &fixture.store;
    assert_eq!(store.streams(&account(), call.id).await.unwrap(), [live.clone(), ended.clone()]);
    assert_eq!(store.stream(&account(), ended.id).await.unwrap(), Some(ended.clone()));
    assert_eq!(store.streams(&other, call.id).await.unwrap(), []);
    assert_eq!(store.stream(&other, ended.id).await.unwrap(), None);

    let orphans = store.orphans().await.unwrap();
    let dropped = StreamRecord { state: StreamState::Dropped, ended_at: Some(at(13)), ..live };
    assert_eq!(orphans.streams, [dropped]);
}
