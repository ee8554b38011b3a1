//! SIP over WebSocket (RFC 7118): browsers' phones come by the HTTP port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::stream::SplitSink;
use futures::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use mixminus_sip::{Transport, UserAgent, WebSocketClient, WebSocketInput};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

/// Name of SIP among what WebSockets carry.
const PROTOCOL: &str = "sip";
/// How often a client is asked whether it is still there; silent for as long, it is not.
const PING: Duration = Duration::from_secs(30);
/// After so many pings a client with which nothing was agreed is sent away.
const MAX_UNUSED_PINGS: usize = 6;
/// How long a client may take to read a message.
const WRITE_LIMIT: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The other end of a connection to the HTTP port.
#[derive(Clone, Copy, Debug)]
pub struct Connected {
    /// Address and port.
    pub peer: SocketAddr,
    /// Whether it came by TLS.
    pub secure: bool,
}

/// Who takes the phones of browsers.
#[derive(Debug)]
pub struct SipSockets {
    agent: Arc<UserAgent>,
    origins: Vec<String>,
}

impl SipSockets {
    /// Gives the sockets to `agent`. Pages come from the host that they connect to or from one of
    /// `origins`, such as `https://app.example.com`; `*` is any.
    pub fn new(agent: Arc<UserAgent>, origins: Vec<String>) -> Self {
        Self { agent, origins }
    }

    /// Whether a page may connect. The trust in an address (`sip.allow`) is not for whatever page is
    /// shown there. What is no browser has no origin.
    fn welcomes(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let same = origin.parse::<Uri>().is_ok_and(|page| page.authority().map(Authority::as_str) == host);
        same || self.origins.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(origin))
    }
}

/// Whether `request` asks for a WebSocket.
pub fn is_asked(request: &Request) -> bool {
    lists(request.headers(), &UPGRADE, "websocket")
}

/// Opens a WebSocket for SIP.
pub async fn open(mut request: Request) -> Response {
    let sockets = request.extensions().get::<Arc<SipSockets>>().cloned();
    let connected = request.extensions().get::<Connected>().copied();
    let (Some(sockets), Some(Connected { peer, secure })) = (sockets, connected) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = request.headers();
    let current = headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    if !is_asked(&request) || !lists(headers, &CONNECTION, "upgrade") || !current {
        return (StatusCode::UPGRADE_REQUIRED, [(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13")])
            .into_response();
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let Some(key) = key.filter(|_| lists(headers, &SEC_WEBSOCKET_PROTOCOL, PROTOCOL)) else {
        return (StatusCode::BAD_REQUEST, "the WebSocket protocol here is sip\n").into_response();
    };
    if !sockets.welcomes(headers) {
        return (StatusCode::FORBIDDEN, "sip.origins does not name this page's\n").into_response();
    }
    let transport = if secure { Transport::Wss } else { Transport::Ws };
    let Some(client) = sockets.agent.accept_websocket(transport, peer).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    tokio::spawn(serve(hyper::upgrade::on(&mut request), client));
    let switching = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, key)
        .header(SEC_WEBSOCKET_PROTOCOL, PROTOCOL);
    switching.body(Body::empty()).expect("the headers are fixed, and the key is base64")
}

/// Whether a header lists `wanted`.
fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(wanted))
}

async fn serve(upgrade: OnUpgrade, client: WebSocketClient) {
    let Ok(upgraded) = upgrade.await else { return };
    let config = WebSocketConfig::default()
        .max_message_size(Some(WebSocketInput::MAX_MESSAGE_BYTES))
        .max_frame_size(Some(WebSocketInput::MAX_MESSAGE_BYTES));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let (mut writer, reader) = socket.split();
    let code = converse(&mut writer, reader, client).await;
    let close = Message::Close(Some(CloseFrame { code, reason: "".into() }));
    let closed = timeout(WRITE_LIMIT, writer.send(close)).await;
    tracing::debug!(%code, ok = matches!(closed, Ok(Ok(()))), "a WebSocket is closed");
}

/// Passes messages on until one end has enough, and says why.
async fn converse(
    writer: &mut SplitSink<Socket, Message>,
    mut reader: impl StreamExt<Item = Result<Message, tungstenite::Error>> + Unpin,
    WebSocketClient { incoming, mut outgoing }: WebSocketClient,
) -> CloseCode {
    let mut pings = tokio::time::interval(PING);
    let (mut heard, mut unused_pings) = (true, 0);
    loop {
        let sent = tokio::select! {
            received = reader.next() => {
                heard = true;
                let message = match received {
                    Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
                    Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
                    Some(Ok(Message::Close(_))) | None => return CloseCode::Normal,
                    Some(Ok(_)) => continue,
                    Some(Err(tungstenite::Error::Capacity(_))) => return CloseCode::Size,
                    Some(Err(_)) => return CloseCode::Protocol,
                };
                if incoming.take(message).await.is_err() {
                    return CloseCode::Policy;
                }
                continue;
            }
            message = outgoing.next() => match message.map(String::from_utf8) {
                Some(Ok(text)) => Message::text(text),
                Some(Err(binary)) => Message::binary(binary.into_bytes()),
                None => return CloseCode::Away,
            },
            _ = pings.tick() => {
                unused_pings = if incoming.is_used() { 0 } else { unused_pings + 1 };
                if !std::mem::take(&mut heard) || unused_pings > MAX_UNUSED_PINGS {
                    return CloseCode::Policy;
                }
                Message::Ping(tungstenite::Bytes::new())
            }
        };
        if !matches!(timeout(WRITE_LIMIT, writer.send(sent)).await, Ok(Ok(()))) {
            return CloseCode::Policy;
        }
    }
}
