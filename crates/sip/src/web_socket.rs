//! SIP clients that come by WebSocket (RFC 7118), which somebody else serves.

use tokio_util::sync::CancellationToken;

use crate::flow::{Flow, Unsent};
use crate::stream::MAX_MESSAGE_BYTES;

/// Room for the Content-Length that a message on a WebSocket may leave out.
const CONTENT_LENGTH_BYTES: usize = 32;
/// A keep-alive that wants an answer, half as long (RFC 5626 section 4.4.1).
const KEEP_ALIVE: &[u8] = b"\r\n\r\n";

/// A client's WebSocket as the user agent sees it: whole messages in either direction. Dropping one
/// end is the end of it.
#[derive(Debug)]
pub struct WebSocketClient {
    /// What the client sends.
    pub incoming: WebSocketInput,
    /// What it is to be sent.
    pub outgoing: WebSocketOutput,
}

/// Takes what a client sends.
pub struct WebSocketInput(Flow);

/// Yields what a client is to be sent.
#[derive(Debug)]
pub struct WebSocketOutput {
    unsent: Unsent,
    ended: CancellationToken,
}

impl WebSocketClient {
    pub(crate) fn new(flow: Flow, unsent: Unsent) -> Self {
        let outgoing = WebSocketOutput { unsent, ended: flow.ended.clone() };
        Self { incoming: WebSocketInput(flow), outgoing }
    }
}

impl WebSocketOutput {
    /// The next message, to be sent as text if it is UTF-8; `None` at the end.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        match self.ended.run_until_cancelled(self.unsent.recv()).await {
            Some(message) => message,
            None => self.unsent.try_recv().ok(),
        }
    }
}

/// The client does not read what it is sent, sent a message that is too long, or the user agent stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the SIP connection is over")]
pub struct WebSocketEnd;

impl WebSocketInput {
    /// Longest message that is read, in bytes.
    pub const MAX_MESSAGE_BYTES: usize = MAX_MESSAGE_BYTES;

    /// Takes a message of the client; waits while the user agent has enough of them.
    ///
    /// # Errors
    ///
    /// [`WebSocketEnd`]: close the WebSocket.
    pub async fn take(&self, mut message: Vec<u8>) -> Result<(), WebSocketEnd> {
        let length = message.len();
        if length > MAX_MESSAGE_BYTES || self.0.ended.is_cancelled() {
            return Err(WebSocketEnd);
        }
        if message == KEEP_ALIVE {
            return self.0.answer(b"\r\n".to_vec()).map_err(|_| WebSocketEnd);
        }
        if message.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        message.resize(length + CONTENT_LENGTH_BYTES, 0);
        self.0.take(&mut message, length).await.map_err(|_| WebSocketEnd)
    }

    /// Whether something was agreed with the client: a call, a registration.
    pub fn is_used(&self) -> bool {
        self.0.is_used()
    }
}

impl std::fmt::Debug for WebSocketInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WebSocketInput").field(&self.0.peer().to_string()).finish()
    }
}
