use mixminus_control::{ConferenceId, HttpMethod};
use mixminus_store::{Batch, NewCallback, SqliteStore, Store};
use sqlx::Row;
use uuid::Uuid;

use crate::fixtures::{Fixture, at, callback};

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
        fixture.store.callback_delivered(expected.id).await.unwrap();
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
    fixture.store.callback_delivered(first.id).await.unwrap();
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
async fn a_dead_callback_lets_the_next_one_pass_and_is_kept_for_a_month() {
    let fixture = Fixture::new().await;
    let room = room();
    let month = 30 * 24 * 3600;
    let callbacks = vec![callback(room, 1, 10), callback(room, 2, 11), callback(room, 3, 11 + month)];
    queue(&fixture, callbacks.clone()).await;
    for (given_up, kept) in callbacks.iter().zip([vec![1], vec![1, 2], vec![2, 3]]) {
        assert_eq!(due(&fixture.store, 2 * month).await, [given_up.sequence]);
        fixture.store.callback_dead(given_up.id, "gone").await.unwrap();
        assert_eq!(dead(&fixture).await, kept);
    }
}

/// Sequence numbers of what was given up and is kept.
async fn dead(fixture: &Fixture) -> Vec<i64> {
    let query = "SELECT sequence FROM callbacks WHERE state = 'dead' ORDER BY sequence";
    let found = sqlx::query(query).fetch_all(&mut fixture.peek().await).await.unwrap();
    found.iter().map(|row| row.get("sequence")).collect()
}

#[tokio::test]
async fn a_queue_goes_on_after_a_dead_one_with_what_comes_later() {
    let fixture = Fixture::new().await;
    let room = room();
    let first = callback(room, 1, 10);
    queue(&fixture, vec![first.clone()]).await;
    fixture.store.callback_dead(first.id, "gone").await.unwrap();
    queue(&fixture, vec![callback(room, 2, 11)]).await;
    assert_eq!(due(&fixture.store, 20).await, [2]);
}

#[tokio::test]
async fn the_same_id_is_queued_once() {
    let fixture = Fixture::new().await;
    let once = callback(room(), 1, 10);
    queue(&fixture, vec![once.clone()]).await;
    queue(&fixture, vec![once.clone()]).await;
    fixture.store.callback_delivered(once.id).await.unwrap();
    assert_eq!(due(&fixture.store, 20).await, [0; 0]);
}

#[tokio::test]
async fn reporting_the_same_delivery_twice_does_not_skip_the_next() {
    let fixture = Fixture::new().await;
    let room = room();
    let callbacks: Vec<_> = (1..=3).map(|sequence| callback(room, sequence, 10)).collect();
    queue(&fixture, callbacks.clone()).await;
    for _ in 0..2 {
        fixture.store.callback_delivered(callbacks[0].id).await.unwrap();
    }
    assert_eq!(due(&fixture.store, 10).await, [2]);
}

#[tokio::test]
async fn queues_attempts_and_order_survive_a_crash() {
    let fixture = Fixture::new().await;
    let room = room();
    let callbacks: Vec<_> = (1..=3).map(|sequence| callback(room, sequence, 10)).collect();
    queue(&fixture, callbacks.clone()).await;
    fixture.store.callback_delivered(callbacks[0].id).await.unwrap();
    fixture.store.callback_failed(callbacks[1].id, at(30), "status 500").await.unwrap();
    let again = SqliteStore::open(&fixture.image()).await.unwrap();
    assert_eq!(due(&again, 29).await, [0; 0]);
    assert_eq!(due(&again, 30).await, [2]);
    again.callback_delivered(callbacks[1].id).await.unwrap();
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
