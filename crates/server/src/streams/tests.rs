//! Streams to a WebSocket server of the test's own, with real media and nobody at the far end.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt as _, StreamExt as _};
use mixminus_control::{
    AccountId, CallId, OpenStream, StreamAudience, StreamFormat, StreamId, StreamNews, StreamRecord,
    StreamState, StreamTerms, StreamTrack, Suppression, Timestamp,
};
use mixminus_media::{Media, MediaConfig};
use mixminus_mixer::{
    BridgeId, LegId, MixPlan, PromptId, SinkRoutes, SourceId, TapChannel, TapId, TapRoutes,
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::Request;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};
use uuid::Uuid;

use super::*;
use crate::account::{Accounts, AuthId, AuthToken, Credentials};
use crate::config::Setting as _;
use crate::web::Destinations;

const PATIENCE: Duration = Duration::from_secs(10);

type Peer = WebSocketStream<TcpStream>;

struct Bench {
    streams: Arc<Streams>,
    leg: LegId,
}

impl Bench {
    /// A leg that is alone in a bridge, with the tap and the voice that plans name for its stream.
    fn new(destinations: Destinations) -> Self {
        let config = MediaConfig {
            bind_ip: Ipv4Addr::LOCALHOST.into(),
            ports: 42_000..=42_199,
            workers: 1,
            media_timeout: Duration::from_mins(1),
            max_legs: 10,
            max_busy_percent: 100,
            replay_log: None,
        };
        let (media, _events) = Media::start(config).unwrap();
        let (leg, _) = media.open_leg().unwrap();
        let routes = SinkRoutes { leg, hears: vec![SourceId::Prompt(PromptId(7))] };
        let channels = vec![TapChannel::Source(SourceId::Leg(leg)), TapChannel::Heard(leg)];
        let tap = TapRoutes { tap: TapId(6), channels, paused: false };
        media.install(BridgeId(5), MixPlan::compile(&[routes]).unwrap().with_taps(&[tap]).unwrap());
        let accounts = Accounts::new(Credentials {
            id: AuthId::parse("MAXXXXXXXXXXXXXXXXXX").unwrap(),
            token: AuthToken::parse("Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4").unwrap(),
        });
        let (web, signer) = (WebClient::new(destinations).unwrap(), Signer::new(Arc::new(accounts)));
        let streams = Streams::new(&web, &Arc::new(signer), &media, Clock::start());
        Self { streams: Arc::new(streams), leg }
    }

    /// Runs a stream to `address`.
    fn open(
        &self,
        address: SocketAddr,
        track: StreamTrack,
    ) -> (mpsc::Sender<char>, mpsc::Receiver<StreamNews>) {
        let (digits, to_tell) = mpsc::channel(4);
        let (news, told) = mpsc::channel(4);
        let (streams, open) = (Arc::clone(&self.streams), open(self.leg, address, track));
        tokio::spawn(async move { streams.run(open, to_tell, news).await });
        (digits, told)
    }
}

fn open(leg: LegId, address: SocketAddr, track: StreamTrack) -> OpenStream {
    let terms = StreamTerms {
        url: format!("ws://{address}/s?a=b"),
        track,
        format: StreamFormat::Linear24k,
        audience: Some(StreamAudience::Caller),
        denoised: Some(Suppression::Strong),
        longest: Duration::from_mins(1),
        headers: Some("k=v".into()),
        callback: None,
    };
    let record = StreamRecord {
        id: StreamId(Uuid::from_u128(1)),
        account: AccountId("MAXXXXXXXXXXXXXXXXXX".into()),
        call: CallId(Uuid::from_u128(2)),
        url: terms.url.clone(),
        callback_url: None,
        state: StreamState::Connecting,
        created_at: Timestamp::default(),
        started_at: None,
        ended_at: None,
    };
    OpenStream { record, terms, leg, tap: TapId(6), voice: Some(PromptId(7)) }
}

#[expect(clippy::disallowed_methods, reason = "the test's own server needs a socket")]
async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Takes the next connection, and which signature headers it came with.
#[expect(clippy::result_large_err, reason = "the error is the library's, and never made")]
async fn accept(listener: &TcpListener) -> (Peer, usize) {
    let (socket, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut signatures = 0;
    let peer = accept_hdr_async(socket, |request: &Request, response| {
        let names = ["v3", "ma-v3", "v3-nonce", "v2", "ma-v2", "v2-nonce"];
        let signed = |name: &&str| request.headers().contains_key(format!("x-plivo-signature-{name}"));
        signatures = names.iter().filter(|name| signed(name)).count();
        Ok(response)
    });
    let peer = peer.await.unwrap();
    (peer, signatures)
}

/// The next message of `event`, others left out.
async fn next(peer: &mut Peer, event: &str) -> Value {
    let wanted = async {
        loop {
            if let Frame::Text(text) = peer.next().await.unwrap().unwrap() {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["event"] == event {
                    return message;
                }
            }
        }
    };
    timeout(PATIENCE, wanted).await.unwrap()
}

async fn say(peer: &mut Peer, message: Value) {
    peer.send(Frame::text(message.to_string())).await.unwrap();
}

async fn told(news: &mut mpsc::Receiver<StreamNews>) -> Option<StreamNews> {
    timeout(PATIENCE, news.recv()).await.unwrap()
}

fn silence(seconds: usize) -> Value {
    let payload = STANDARD.encode(vec![0; 48_000 * seconds]);
    json!({"event": "playAudio", "media": {"contentType": "audio/x-l16", "sampleRate": 24_000, "payload": payload}})
}

#[tokio::test]
async fn a_stream_says_what_its_tap_carries_and_does_what_it_is_asked() {
    let bench = Bench::new(Destinations::Any);
    let (listener, address) = listen().await;
    let (digits, mut news) = bench.open(address, StreamTrack::Both);
    let (mut peer, signatures) = accept(&listener).await;
    assert_eq!((signatures, told(&mut news).await), (6, Some(StreamNews::Connected)));

    let start = next(&mut peer, "start").await;
    assert_eq!(start["start"]["tracks"], json!(["inbound", "outbound"]));
    assert_eq!(start["start"]["mediaFormat"], json!({"encoding": "audio/x-l16", "sampleRate": 24_000}));
    let chunks =
        [next(&mut peer, "media").await, next(&mut peer, "media").await, next(&mut peer, "media").await];
    let seen = chunks.each_ref().map(|one| (one["media"]["track"].clone(), one["media"]["chunk"].clone()));
    assert_eq!(
        seen,
        [(json!("inbound"), json!(1)), (json!("outbound"), json!(1)), (json!("inbound"), json!(2))]
    );
    assert_eq!(STANDARD.decode(chunks[0]["media"]["payload"].as_str().unwrap()).unwrap().len(), 960);
    let at = chunks.each_ref().map(|one| one["media"]["timestamp"].as_str().unwrap().parse::<i64>().unwrap());
    assert_eq!([at[1] - at[0], at[2] - at[0]], [0, 20]);

    digits.send('5').await.unwrap();
    assert_eq!(next(&mut peer, "dtmf").await["dtmf"]["digit"], "5");
    say(&mut peer, json!({"event": "nonsense"})).await;
    say(&mut peer, json!({"event": "sendDTMF", "dtmf": "1w2"})).await;
    assert_eq!(told(&mut news).await, Some(StreamNews::Digits("1w2".into())));

    say(&mut peer, silence(1)).await;
    say(&mut peer, json!({"event": "checkpoint", "name": "half"})).await;
    let before = next(&mut peer, "media").await;
    assert_eq!(next(&mut peer, "playedStream").await["name"], "half");
    let after = next(&mut peer, "media").await;
    let chunk = |message: &Value| message["media"]["chunk"].as_i64().unwrap();
    assert!((45..=60).contains(&(chunk(&after) - chunk(&before))), "a second of audio takes 50 chunks");
    say(&mut peer, silence(10)).await;
    say(&mut peer, json!({"event": "checkpoint", "name": "never"})).await;
    say(&mut peer, json!({"event": "clearAudio"})).await;
    assert_eq!(next(&mut peer, "clearedAudio").await["streamId"], start["start"]["streamId"]);

    let farewell = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    peer.close(Some(farewell)).await.unwrap();
    assert_eq!(told(&mut news).await, Some(StreamNews::Ended(StreamState::Stopped)));
}

#[tokio::test]
async fn a_stream_that_is_closed_says_goodbye_and_tells_nothing() {
    let bench = Bench::new(Destinations::Any);
    let (listener, address) = listen().await;
    let (digits, mut news) = bench.open(address, StreamTrack::Said);
    let (mut peer, _) = accept(&listener).await;
    assert_eq!(told(&mut news).await, Some(StreamNews::Connected));
    drop(digits);
    let closed = async { while !matches!(peer.next().await, Some(Ok(Frame::Close(_))) | None) {} };
    timeout(PATIENCE, closed).await.unwrap();
    assert_eq!(told(&mut news).await, None);
}

#[tokio::test]
async fn a_websocket_that_breaks_or_sends_too_much_is_dropped() {
    for floods in [false, true] {
        let bench = Bench::new(Destinations::Any);
        let (listener, address) = listen().await;
        let (_digits, mut news) = bench.open(address, StreamTrack::Said);
        let (mut peer, _) = accept(&listener).await;
        assert_eq!(told(&mut news).await, Some(StreamNews::Connected));
        if floods {
            next(&mut peer, "media").await;
            for _ in 0..16 {
                // It may be closed by then.
                peer.send(Frame::text(silence(20).to_string())).await.ok();
            }
        } else {
            drop(peer);
        }
        assert_eq!(told(&mut news).await, Some(StreamNews::Ended(StreamState::Dropped)));
    }
}

#[tokio::test]
async fn a_websocket_that_is_refused_is_tried_three_times() {
    let bench = Bench::new(Destinations::Any);
    let (listener, address) = listen().await;
    let (_digits, mut news) = bench.open(address, StreamTrack::Said);
    for _ in 0..TRIES {
        drop(timeout(PATIENCE, listener.accept()).await.unwrap().unwrap());
    }
    assert_eq!(told(&mut news).await, Some(StreamNews::Ended(StreamState::Dropped)));
    assert!(timeout(Duration::from_millis(100), listener.accept()).await.is_err());
}

#[tokio::test]
async fn a_websocket_at_a_private_address_is_not_opened() {
    let bench = Bench::new(Destinations::Public);
    let (listener, address) = listen().await;
    let (_digits, mut news) = bench.open(address, StreamTrack::Said);
    assert_eq!(told(&mut news).await, Some(StreamNews::Ended(StreamState::Dropped)));
    assert!(timeout(Duration::from_millis(100), listener.accept()).await.is_err());
}
