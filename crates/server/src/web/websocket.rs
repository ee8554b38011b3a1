//! WebSockets at URLs that customers name.

use std::time::Duration;

use reqwest::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::{StatusCode, Upgraded};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use url::Url;

use super::{WebClient, WebError, host};

/// Longest wait until it is open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// What waits to be written below our own queue.
const MAX_WRITE_BYTES: usize = 64 << 10;

/// A WebSocket that is open.
pub type WebSocket = WebSocketStream<Upgraded>;

impl WebClient {
    /// Opens the WebSocket at `url`, which is `ws:` or `wss:`, with these `headers`, to receive messages
    /// of at most `message_bytes`. Addresses are checked as for every other URL; no redirect is followed.
    ///
    /// # Errors
    ///
    /// [`WebError`] if nobody there opens a WebSocket in time.
    pub async fn open_websocket(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        message_bytes: usize,
    ) -> Result<WebSocket, WebError> {
        let mut url = Url::parse(url)?;
        let scheme = match url.scheme() {
            "ws" => "http",
            "wss" => "https",
            other => return Err(WebError::Scheme(other.to_owned())),
        };
        url.set_scheme(scheme).expect("one web scheme may become another");
        url.set_fragment(None);
        let (limit, at) = (OPEN_TIMEOUT, host(&url));
        let opening = self.upgrade(url, headers);
        let upgraded = timeout(limit, opening).await.map_err(|_| WebError::Timeout { host: at, limit })??;
        let config = WebSocketConfig::default()
            .read_buffer_size(8 << 10)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BYTES)
            .max_message_size(Some(message_bytes))
            .max_frame_size(Some(message_bytes));
        Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
    }

    /// RFC 6455, section 4.1.
    async fn upgrade(&self, url: Url, headers: &[(&'static str, String)]) -> Result<Upgraded, WebError> {
        self.guard.check(&url)?;
        let key = generate_key();
        let mut request = self
            .client
            .get(url.clone())
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let broken = |error| WebError::from_exchange(host(&url), error);
        let response = request.send().await.map_err(broken)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(WebError::Status { host: host(&url), status: response.status().as_u16() });
        }
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(|value| value.as_bytes().to_owned());
        if accepted.as_deref() != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(WebError::NoWebSocket { host: host(&url) });
        }
        response.upgrade().await.map_err(broken)
    }
}
