mod messages;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use mixminus_control::{AccountId, ConferenceId, HttpMethod};
use mixminus_store::{Batch, OrderKey, SqliteStore};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::exchange::Clock;
use crate::web::Destinations;
use crate::web::tests::serve;

/// Far more than any of these tests takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A customer's server that answers half of all requests with an error.
struct Receiver {
    random: Mutex<StdRng>,
    acknowledged: Mutex<Vec<(String, u64)>>,
    received: Notify,
}

impl Receiver {
    async fn start(seed: u64) -> (Arc<Self>, SocketAddr) {
        println!("seed {seed}");
        let receiver = Arc::new(Self {
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            acknowledged: Mutex::default(),
            received: Notify::new(),
        });
        let router = Router::new().route("/", post(Self::receive)).with_state(Arc::clone(&receiver));
        (receiver, serve(router).await)
    }

    async fn receive(
        State(receiver): State<Arc<Self>>,
        Form(mut form): Form<HashMap<String, String>>,
    ) -> StatusCode {
        if receiver.random.lock().unwrap().random() {
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        let sequence = form["sequence"].parse().unwrap();
        let conference = form.remove("conference").unwrap();
        receiver.acknowledged.lock().unwrap().push((conference, sequence));
        receiver.received.notify_one();
        StatusCode::NO_CONTENT
    }

    /// Waits until so many different callbacks were acknowledged.
    async fn until(&self, count: usize) {
        let different = || self.acknowledged.lock().unwrap().iter().collect::<HashSet<_>>().len();
        let enough = async {
            while different() < count {
                self.received.notified().await;
            }
        };
        timeout(PATIENCE, enough).await.unwrap();
    }

    /// Sequence numbers acknowledged of each conference, in order of arrival.
    fn by_conference(&self) -> BTreeMap<String, Vec<u64>> {
        let mut found = BTreeMap::<_, Vec<_>>::new();
        for (conference, sequence) in self.acknowledged.lock().unwrap().iter() {
            found.entry(conference.clone()).or_default().push(*sequence);
        }
        found
    }
}

struct Running {
    task: JoinHandle<()>,
    written: Arc<Notify>,
    stop: CancellationToken,
    counts: Arc<Counts>,
}

impl Running {
    fn start(store: &Arc<SqliteStore>, flush: Duration) -> Self {
        Self::signing(store, flush, Arc::new(|_| Vec::new()))
    }

    fn signing(store: &Arc<SqliteStore>, flush: Duration, sign: Sign) -> Self {
        Self::with(store, flush, (None, sign))
    }

    /// With a service of messages.
    fn sending(store: &Arc<SqliteStore>, messages: Option<MessageService>) -> Self {
        Self::with(store, PATIENCE, (messages, Arc::new(|_| vec![])))
    }

    fn with(
        store: &Arc<SqliteStore>,
        flush: Duration,
        (messages, sign): (Option<MessageService>, Sign),
    ) -> Self {
        let clock = Clock::start();
        let counts = Arc::new(Counts::default());
        let outbox = Outbox {
            store: Arc::clone(store) as Arc<dyn Store>,
            web: WebClient::new(Destinations::Any).unwrap(),
            messages,
            sign,
            now: Arc::new(move || clock.now()),
            retry: Retry {
                first_pause: Duration::from_millis(1),
                longest_pause: Duration::from_millis(4),
                ..Retry::default()
            },
            counts: Arc::clone(&counts),
        };
        let (written, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let task = tokio::spawn(outbox.run_and_flush(Arc::clone(&written), stop.clone(), flush));
        Self { task, written, stop, counts }
    }

    async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

async fn open(directory: &TempDir) -> Arc<SqliteStore> {
    let path = directory.path().join("store.db");
    Arc::new(SqliteStore::open(&path).await.unwrap())
}

/// `count` callbacks of one new conference.
pub(super) fn callbacks(url: &str, count: u64) -> Vec<NewCallback> {
    let conference = ConferenceId(Uuid::new_v4());
    let callback = |sequence: u64| NewCallback {
        id: Uuid::new_v4(),
        account: AccountId("MAXXXXXXXXXXXXXXXXXX".into()),
        order: OrderKey::Conference(conference),
        sequence,
        url: url.into(),
        method: HttpMethod::Post,
        params: vec![
            ("conference".into(), conference.to_string()),
            ("sequence".into(), sequence.to_string()),
        ],
        created_at: Clock::start().now(),
    };
    (1..=count).map(callback).collect()
}

async fn commit(store: &SqliteStore, callbacks: Vec<NewCallback>) {
    store.commit(&Batch { callbacks, ..Batch::default() }).await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_fails_half_the_time_gets_all_in_order_and_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory).await;
    let (receiver, address) = Receiver::start(1).await;
    let url = format!("http://{address}/");
    let outbox = Running::start(&store, PATIENCE);
    for _ in 0..20 {
        commit(&store, callbacks(&url, 10)).await;
        outbox.written.notify_one();
    }
    receiver.until(200).await;
    let counts = Arc::clone(&outbox.counts);
    outbox.stop().await;
    let found = receiver.by_conference();
    assert_eq!(found.len(), 20);
    for sequences in found.values() {
        assert_eq!(*sequences, (1..=10).collect::<Vec<_>>());
    }
    assert_eq!(counts.delivered.load(Relaxed), 200);
    assert_eq!(counts.dead.load(Relaxed), 0);
    assert!(counts.failed.load(Relaxed) > 100);
}

/// Delivers 3 × 20 callbacks, stopping and starting again after 10 and 25.
async fn restarted(seed: u64, flush: Duration) -> BTreeMap<String, Vec<u64>> {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(&directory).await;
    let (receiver, address) = Receiver::start(seed).await;
    for _ in 0..3 {
        commit(&store, callbacks(&format!("http://{address}/"), 20)).await;
    }
    for enough in [10, 25, 60] {
        let outbox = Running::start(&store, flush);
        receiver.until(enough).await;
        outbox.stop().await;
        store = reopened(store, &directory).await;
    }
    receiver.by_conference()
}

#[tokio::test]
async fn a_restart_in_the_middle_loses_and_doubles_nothing() {
    for sequences in restarted(2, PATIENCE).await.values() {
        assert_eq!(*sequences, (1..=20).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_stop_without_patience_repeats_at_most_what_was_under_way() {
    for sequences in restarted(3, Duration::ZERO).await.values_mut() {
        sequences.dedup();
        assert_eq!(*sequences, (1..=20).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_is_queued_before_the_stop_is_delivered_before_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory).await;
    let address = serve(Router::new().route("/", post(|| async {}))).await;
    let outbox = Running::start(&store, PATIENCE);
    commit(&store, callbacks(&format!("http://{address}/"), 10)).await;
    let counts = Arc::clone(&outbox.counts);
    outbox.stop().await;
    assert_eq!(counts.delivered.load(Relaxed), 10);
}

#[tokio::test]
async fn receivers_that_never_answer_hold_up_neither_others_nor_the_stop() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory).await;
    let (receiver, address) = Receiver::start(4).await;
    let never = serve(Router::new().route("/", post(std::future::pending::<()>))).await;
    for _ in 0..10 {
        commit(&store, callbacks(&format!("http://{never}/"), 2)).await;
    }
    commit(&store, callbacks(&format!("http://{address}/"), 10)).await;
    let outbox = Running::start(&store, Duration::from_millis(50));
    receiver.until(10).await;
    outbox.stop().await;
}

#[tokio::test]
async fn every_attempt_is_signed_anew_and_has_the_callbacks_id() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory).await;
    let (seen, mut attempts) = tokio::sync::mpsc::channel(2);
    let receive = async move |headers: HeaderMap| {
        let value = |name: &str| headers[name].to_str().unwrap().to_owned();
        let attempt = (value("x-nonce"), value("callback-id"));
        let status = if attempt.0 == "0" { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
        seen.send(attempt).await.unwrap();
        status
    };
    let address = serve(Router::new().route("/", post(receive))).await;
    let callbacks = callbacks(&format!("http://{address}/"), 1);
    let id = callbacks[0].id.to_string();
    commit(&store, callbacks).await;
    let counter = AtomicU32::new(0);
    let sign = move |_: &NewCallback| vec![("X-Nonce", counter.fetch_add(1, Relaxed).to_string())];
    let outbox = Running::signing(&store, PATIENCE, Arc::new(sign));
    for nonce in ["0", "1"] {
        let attempt = timeout(PATIENCE, attempts.recv()).await.unwrap();
        assert_eq!(attempt, Some((nonce.to_owned(), id.clone())));
    }
    outbox.stop().await;
}

#[tokio::test]
async fn a_redirect_acknowledges_nothing_and_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory).await;
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let redirect = async move || match count.fetch_add(1, Relaxed) {
        0 => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]),
        _ => (StatusCode::OK, [("location", "/elsewhere")]),
    };
    let elsewhere = async || -> StatusCode { panic!("the redirect was followed") };
    let router = Router::new().route("/", post(redirect)).route("/elsewhere", post(elsewhere));
    commit(&store, callbacks(&format!("http://{}/", serve(router).await), 1)).await;
    let outbox = Running::start(&store, PATIENCE);
    let counts = Arc::clone(&outbox.counts);
    let delivered = async {
        while counts.delivered.load(Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, delivered).await.unwrap();
    outbox.stop().await;
    assert_eq!((asked.load(Relaxed), counts.failed.load(Relaxed)), (2, 1));
}

#[tokio::test]
async fn what_can_never_be_delivered_lets_the_next_pass() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory).await;
    commit(&store, callbacks("ftp://customer.example/", 3)).await;
    let outbox = Running::start(&store, PATIENCE);
    let counts = Arc::clone(&outbox.counts);
    outbox.stop().await;
    assert_eq!(counts.dead.load(Relaxed), 3);
}

/// Closes `store` once nobody else uses it, and opens it again.
async fn reopened(store: Arc<SqliteStore>, directory: &TempDir) -> Arc<SqliteStore> {
    let alone = async {
        while Arc::strong_count(&store) > 1 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, alone).await.unwrap();
    store.close().await;
    drop(store);
    open(directory).await
}
