use mixminus_control::{ConferenceId, HttpMethod};
use mixminus_store::{
    Batch, CallbackFilter, CallbackState, Forget, NewCallback, OrderKey, SqliteStore, Store,
};
use uuid::Uuid;

use crate::fixtures::{Fixture, account, at, callback};

fn room() -> ConferenceId {
    ConferenceId(Uuid::new_v4())
}

async fn queue(fixture: &Fixture, callbacks: Vec<NewCallback>) {
    fixture.commit(Batch { callbacks, ..Batch::default() }).await;
}

/// Sequence numbers of what is due.
async fn due(store: &SqliteStore, now: i64) -> Vec<u64> {
    let pending = store.pending_callbacks(at(now), 100).await.unwrap();
    pending.iter().map(|one| one.callback.sequence).collect()
}

#[tokio::test]
async fn a_callback_is_read_as_it_was_queued() {
    let fixture = Fixture::new().await;
    let queued = NewCallback {
        method: HttpMethod::Get,
        params: vec![
            ("MPCName".into(), "Zürich \"会議\"\n🎧".into()),
            ("Empty".into(), String::new()),
            ("Empty".into(), "again".into()),
        ],
        ..callback(room(), 1, 10)
    };
    queue(&fixture, vec![queued.clone()]).await;
    let pending = fixture.store.pending_callbacks(at(10), 100).await.unwrap();
    assert_eq!((&pending[0].callback, pending[0].attempts), (&queued, 0));
}

#[tokio::test]
async fn a_queue_is_delivered_in_order_one_by_one() {
    let fixture = Fixture::new().await;
    let room = room();
    let callbacks: Vec<_> = (1..=3).map(|sequence| callback(room, sequence, 10)).collect();
    queue(&fixture, callbacks.clone()).await;
    for expected in callbacks {
        assert_eq!(due(&fixture.store, 10).await, [expected.sequence]);
        fixture.store.callback_delivered(expected.id, at(20)).await.unwrap();
    }
    assert_eq!(due(&fixture.store, 10).await, [0; 0]);
}

#[tokio::test]
async fn what_was_queued_late_still_goes_by_sequence() {
    let fixture = Fixture::new().await;
    let room = room();
    let first = callback(room, 1, 10);
    queue(&fixture, vec![first.clone(), callback(room, 3, 12)]).await;
    queue(&fixture, vec![callback(room, 2, 11)]).await;
    fixture.store.callback_delivered(first.id, at(20)).await.unwrap();
    assert_eq!(due(&fixture.store, 20).await, [2]);
}

#[tokio::test]
async fn conferences_and_urls_do_not_wait_for_each_other() {
    let fixture = Fixture::new().await;
    let (a, b) = (room(), room());
    let elsewhere = NewCallback { url: "http://other.example/".into(), ..callback(a, 2, 11) };
    queue(&fixture, vec![callback(a, 1, 10), elsewhere, callback(b, 3, 12), callback(b, 4, 12)]).await;
    assert_eq!(due(&fixture.store, 20).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_failed_callback_holds_its_queue_until_it_is_due_again() {
    let fixture = Fixture::new().await;
    let room = room();
    let first = callback(room, 1, 10);
    queue(&fixture, vec![first.clone(), callback(room, 2, 10)]).await;
    fixture.store.callback_failed(first.id, at(30), "status 500").await.unwrap();
    assert_eq!(due(&fixture.store, 29).await, [0; 0]);
    assert_eq!(fixture.store.next_callback_due(at(29)).await.unwrap(), Some(at(30)));
    assert_eq!(due(&fixture.store, 30).await, [1]);
    assert_eq!(fixture.store.next_callback_due(at(30)).await.unwrap(), None);
    let pending = fixture.store.pending_callbacks(at(30), 1).await.unwrap();
    assert_eq!(pending[0].attempts, 1);
}

#[tokio::test]
async fn first_attempts_go_before_retries() {
    let fixture = Fixture::new().await;
    let tried = callback(room(), 1, 10);
    queue(&fixture, vec![tried.clone(), callback(room(), 2, 11), callback(room(), 3, 12)]).await;
    fixture.store.callback_failed(tried.id, at(10), "status 500").await.unwrap();
    assert_eq!(due(&fixture.store, 20).await, [2, 3, 1]);
}

#[tokio::test]
async fn a_dead_callback_lets_the_next_one_pass() {
    let fixture = Fixture::new().await;
    let room = room();
    let callbacks: Vec<_> = (1..=3).map(|sequence| callback(room, sequence, 10)).collect();
    queue(&fixture, callbacks.clone()).await;
    for given_up in callbacks {
        assert_eq!(due(&fixture.store, 20).await, [given_up.sequence]);
        fixture.store.callback_dead(given_up.id, at(20), "gone").await.unwrap();
    }
    assert_eq!(listed(&fixture, CallbackState::Dead).await, [1, 2, 3]);
}

/// Sequence numbers of what is kept in `state`.
async fn listed(fixture: &Fixture, state: CallbackState) -> Vec<u64> {
    let filter = CallbackFilter { state: Some(state), ..CallbackFilter::default() };
    let found = fixture.store.callbacks(&account(), filter, 100).await.unwrap();
    found.iter().map(|one| one.callback.sequence).collect()
}

#[tokio::test]
async fn what_was_settled_is_kept_until_it_is_to_be_forgotten() {
    let fixture = Fixture::new().await;
    let callbacks: Vec<_> = (1..=5).map(|sequence| callback(room(), sequence, 10)).collect();
    queue(&fixture, callbacks.clone()).await;
    for (one, settled) in callbacks.iter().zip([20, 30]) {
        fixture.store.callback_delivered(one.id, at(settled)).await.unwrap();
    }
    for (one, settled) in callbacks[2..].iter().zip([20, 40]) {
        fixture.store.callback_dead(one.id, at(settled), "gone").await.unwrap();
    }
    let before = Forget { delivered_before: at(30), dead_before: at(40) };
    assert_eq!(fixture.store.forget_callbacks(before).await.unwrap(), 2);
    assert_eq!(listed(&fixture, CallbackState::Delivered).await, [2]);
    assert_eq!(listed(&fixture, CallbackState::Dead).await, [4]);
    assert_eq!(listed(&fixture, CallbackState::Pending).await, [5]);
}

#[tokio::test]
async fn positions_grow_for_ever_and_are_where_a_reader_goes_on() {
    let fixture = Fixture::new().await;
    let from = async |from| {
        let filter = CallbackFilter { from, state: None };
        let found = fixture.store.callbacks(&account(), filter, 2).await.unwrap();
        found.iter().map(|one| (one.position, one.callback.sequence)).collect::<Vec<_>>()
    };
    let room = room();
    let callbacks: Vec<_> = (1..=3).map(|sequence| callback(room, sequence, 10)).collect();
    queue(&fixture, callbacks.clone()).await;
    assert_eq!(from(0).await, [(1, 1), (2, 2)]);
    assert_eq!(from(3).await, [(3, 3)]);
    for one in callbacks {
        fixture.store.callback_delivered(one.id, at(20)).await.unwrap();
    }
    let all = Forget { delivered_before: at(21), dead_before: at(21) };
    fixture.store.forget_callbacks(all).await.unwrap();
    queue(&fixture, vec![callback(room, 4, 30)]).await;
    assert_eq!(from(0).await, [(4, 4)]);
}

#[tokio::test]
async fn a_dead_callback_that_is_queued_again_starts_anew_behind_those_before_it() {
    let fixture = Fixture::new().await;
    let room = room();
    let callbacks: Vec<_> = (1..=3).map(|sequence| callback(room, sequence, 10)).collect();
    queue(&fixture, callbacks.clone()).await;
    let (first, second) = (callbacks[0].id, callbacks[1].id);
    assert!(!fixture.store.requeue_callback(first, at(20)).await.unwrap(), "it is not dead");
    fixture.store.callback_dead(first, at(20), "gone").await.unwrap();
    assert!(fixture.store.requeue_callback(first, at(25)).await.unwrap());
    assert_eq!(due(&fixture.store, 30).await, [2]);
    fixture.store.callback_delivered(second, at(30)).await.unwrap();
    let pending = fixture.store.pending_callbacks(at(30), 100).await.unwrap();
    let again = &pending[0];
    assert_eq!((again.callback.id, again.attempts, again.queued_at), (first, 0, at(25)));
    let record = fixture.store.callback(&account(), first).await.unwrap().unwrap();
    assert_eq!((record.state, record.settled_at), (CallbackState::Pending, None));
    assert_eq!((record.last_error.as_deref(), record.next_attempt_at), (Some("gone"), Some(at(25))));
}

#[tokio::test]
async fn calls_and_requests_have_queues_of_their_own() {
    let fixture = Fixture::new().await;
    let call = mixminus_control::CallId(Uuid::new_v4());
    let keys = [OrderKey::Conference(room()), OrderKey::Call(call), OrderKey::Request(Uuid::new_v4())];
    let of = |order, sequence| NewCallback { order, ..callback(room(), sequence, 10) };
    let callbacks = keys.into_iter().zip([1, 3, 5]).flat_map(|(key, n)| [of(key, n), of(key, n + 1)]);
    queue(&fixture, callbacks.collect()).await;
    assert_eq!(due(&fixture.store, 20).await, [1, 3, 5]);
    let pending = fixture.store.pending_callbacks(at(20), 100).await.unwrap();
    assert_eq!(pending.iter().map(|one| one.callback.order).collect::<Vec<_>>(), keys);
}

#[tokio::test]
async fn a_queue_goes_on_after_a_dead_one_with_what_comes_later() {
    let fixture = Fixture::new().await;
    let room = room();
    let first = callback(room, 1, 10);
    queue(&fixture, vec![first.clone()]).await;
    fixture.store.callback_dead(first.id, at(20), "gone").await.unwrap();
    queue(&fixture, vec![callback(room, 2, 11)]).await;
    assert_eq!(due(&fixture.store, 20).await, [2]);
}

#[tokio::test]
async fn the_same_id_is_queued_once() {
    let fixture = Fixture::new().await;
    let once = callback(room(), 1, 10);
    queue(&fixture, vec![once.clone()]).await;
    queue(&fixture, vec![once.clone()]).await;
    fixture.store.callback_delivered(once.id, at(20)).await.unwrap();
    assert_eq!(due(&fixture.store, 20).await, [0; 0]);
}

#[tokio::test]
async fn reporting_the_same_delivery_twice_does_not_skip_the_next() {
    let fixture = Fixture::new().await;
    let room = room();
    let callbacks: Vec<_> = (1..=3).map(|sequence| callback(room, sequence, 10)).collect();
    queue(&fixture, callbacks.clone()).await;
    for _ in 0..2 {
        fixture.store.callback_delivered(callbacks[0].id, at(20)).await.unwrap();
    }
    assert_eq!(due(&fixture.store, 10).await, [2]);
}

#[tokio::test]
async fn queues_attempts_and_order_survive_a_crash() {
    let fixture = Fixture::new().await;
    let room = room();
    let callbacks: Vec<_> = (1..=3).map(|sequence| callback(room, sequence, 10)).collect();
    queue(&fixture, callbacks.clone()).await;
    fixture.store.callback_delivered(callbacks[0].id, at(20)).await.unwrap();
    fixture.store.callback_failed(callbacks[1].id, at(30), "status 500").await.unwrap();
    let again = SqliteStore::open(&fixture.image()).await.unwrap();
    assert_eq!(due(&again, 29).await, [0; 0]);
    assert_eq!(due(&again, 30).await, [2]);
    again.callback_delivered(callbacks[1].id, at(20)).await.unwrap();
    assert_eq!(due(&again, 30).await, [3]);
}

#[tokio::test]
async fn no_more_than_asked_for_is_returned() {
    let fixture = Fixture::new().await;
    let callbacks = (1..=5).map(|sequence| callback(room(), sequence, 10)).collect();
    queue(&fixture, callbacks).await;
    let pending = fixture.store.pending_callbacks(at(10), 3).await.unwrap();
    assert_eq!(pending.len(), 3);
}
