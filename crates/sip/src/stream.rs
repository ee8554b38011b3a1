//! The gate in front of the SIP stack on TCP.
//!
//! The stack closes a connection for one message that it cannot read. Here the messages of a
//! connection are told apart and judged like datagrams; only what ends all certainty about where the
//! next one begins ends the connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{SipMessage, Transport};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::channel::ChannelConnection;
use rsipstack::transport::connection::{KEEPALIVE_REQUEST, KEEPALIVE_RESPONSE, TransportSender};
use rsipstack::transport::tcp::TcpConnection;
use rsipstack::transport::{SipAddr, SipConnection, TransportEvent};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tracing::debug;

use crate::Cidr;
use crate::gate::{self, BAD_REQUEST, Refusal, TOO_LARGE, Verdict};

/// Longest message that is read, in bytes.
const MAX_MESSAGE_BYTES: usize = 65_535;
/// How long a stream may be silent. A call that lasts has nothing to say on it, so this is longer than
/// calls are; that the peer still exists is checked by the kernel.
pub(crate) const STREAM_SILENCE: Duration = Duration::from_hours(8);

/// What a stream goes on with.
#[derive(Debug, PartialEq, Eq)]
enum Frame {
    /// Something whose end is still to come.
    Partial,
    /// A keep-alive that wants one back.
    Ping,
    /// An empty line between messages.
    Blank,
    /// A message of so many bytes.
    Message(usize),
    /// Something that has no end to be found.
    Lost(Refusal),
}

/// Passes messages of connections that peers opened to the stack.
pub(crate) struct Inlet {
    stack: EndpointInnerRef,
    messages: TransportSender,
    allow: Vec<Cidr>,
}

impl Inlet {
    /// An inlet into `stack` for messages from `allow`. The stack believes in a connection behind it,
    /// `address` at both ends.
    pub(crate) async fn open(
        stack: EndpointInnerRef,
        allow: Vec<Cidr>,
        address: SipAddr,
    ) -> rsipstack::Result<Self> {
        let (messages, receiver) = mpsc::unbounded_channel();
        let (nowhere, _) = mpsc::unbounded_channel();
        let channel = ChannelConnection::create_connection(receiver, nowhere, address, None).await?;
        stack.transport_layer.inner.serve_connection(SipConnection::Channel(channel));
        Ok(Self { stack, messages, allow })
    }

    /// Whether there are `limit` connections already.
    pub(crate) fn is_full(&self, limit: usize) -> bool {
        self.stack.transport_layer.connections_count() >= limit
    }

    /// Serves a connection until its end.
    pub(crate) async fn serve(&self, connection: TcpConnection) {
        let inner = Arc::clone(&connection.inner);
        // The stack's own reader waits for this lock, and closes when it gets it: it finds the end of
        // the stream, or nothing to read from.
        let mut half = inner.read_half.lock().await;
        let Some(mut reader) = half.take() else { return };
        self.stack.transport_layer.add_connection(SipConnection::Tcp(connection.clone()));
        let retired = connection.cancel_token.clone().unwrap_or_default();
        let mut buffer = Vec::new();
        let reading = async {
            loop {
                match tokio::time::timeout(STREAM_SILENCE, reader.read_buf(&mut buffer)).await {
                    Ok(Ok(1..)) => self.take(&connection, &mut buffer).await?,
                    Ok(Ok(0)) => return Ok(()),
                    Err(silence) => return Err(io::Error::from(silence).into()),
                    Ok(Err(error)) => return Err(error.into()),
                }
            }
        };
        let read: Option<rsipstack::Result<()>> = retired.run_until_cancelled(reading).await;
        debug!(peer = %inner.remote_addr, ?read, "a connection ends");
        if let Some(Ok(())) = read {
            *half = Some(reader);
        }
    }

    /// Takes every whole message out of `buffer`.
    async fn take(&self, connection: &TcpConnection, buffer: &mut Vec<u8>) -> rsipstack::Result<()> {
        loop {
            let length = match frame(buffer) {
                Frame::Partial => return Ok(()),
                Frame::Ping => {
                    connection.inner.send_raw(KEEPALIVE_RESPONSE).await?;
                    KEEPALIVE_REQUEST.len()
                }
                Frame::Blank => KEEPALIVE_RESPONSE.len(),
                Frame::Message(length) => {
                    self.pass(connection, &mut buffer[..length]).await?;
                    length
                }
                Frame::Lost(refusal) => {
                    if let Verdict::Answer(response) = gate::refuse(buffer, refusal) {
                        connection.inner.send_raw(&response).await?;
                    }
                    return Err(io::Error::other(refusal).into());
                }
            };
            buffer.drain(..length);
        }
    }

    /// Gives a message to the stack, or answers it.
    async fn pass(&self, connection: &TcpConnection, message: &mut [u8]) -> rsipstack::Result<()> {
        let peer = &connection.inner.remote_addr;
        let source = peer.get_socketaddr()?;
        let allowed = self.allow.iter().any(|block| block.contains(source.ip()));
        match gate::inspect(message, message.len(), allowed) {
            Verdict::Pass(length) => {
                let message = SipMessage::try_from(&message[..length])?;
                let message = SipConnection::update_msg_received(message, source, Transport::Tcp)?;
                let connection = SipConnection::Tcp(connection.clone());
                self.messages.send(TransportEvent::Incoming(message, connection, peer.clone()))?;
            }
            Verdict::Answer(response) => {
                connection.inner.send_raw(&response).await?;
                debug!(%source, "refused a message");
            }
            Verdict::Drop => debug!(%source, "dropped a message"),
        }
        Ok(())
    }
}

/// What `bytes` begin with. On a stream a message must say how long it is (RFC 3261 section 18.3).
fn frame(bytes: &[u8]) -> Frame {
    if bytes.starts_with(KEEPALIVE_REQUEST) {
        return Frame::Ping;
    }
    if bytes.starts_with(KEEPALIVE_RESPONSE) {
        return Frame::Blank;
    }
    let Some(head) = gate::head_length(bytes) else {
        return if bytes.len() > MAX_MESSAGE_BYTES { Frame::Lost(TOO_LARGE) } else { Frame::Partial };
    };
    let text = String::from_utf8_lossy(&bytes[..head]);
    let Some(body) = gate::stated_length(&text) else { return Frame::Lost(BAD_REQUEST) };
    match head.saturating_add(body) {
        total if total > MAX_MESSAGE_BYTES => Frame::Lost(TOO_LARGE),
        total if total > bytes.len() => Frame::Partial,
        total => Frame::Message(total),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_ends_where_it_says() {
        assert_eq!(frame(b"A b SIP/2.0\r\nContent-Length: 3\r\n\r\nabcd"), Frame::Message(37));
        assert_eq!(frame(b"SIP/2.0 200 OK\r\nl :\r\n 2\r\nL: 2\r\n\r\nab"), Frame::Message(35));
        assert_eq!(frame(b"A b SIP/2.0\r\nContent-Length: 3\r\n\r\nab"), Frame::Partial);
        assert_eq!(frame(b"A b SIP/2.0\r\nContent-Length: 3\r\n"), Frame::Partial);
        assert_eq!(frame(b"\r\n\r\nA"), Frame::Ping);
        assert_eq!(frame(b"\r\nA"), Frame::Blank);
    }

    #[test]
    fn a_message_without_an_end_is_lost() {
        for length in ["", "l: x\r\n", "l: -1\r\n", "l: 1\r\nl: 2\r\n", "l: 99999999999\r\n"] {
            let message = format!("A b SIP/2.0\r\n{length}\r\nab");
            assert_eq!(frame(message.as_bytes()), Frame::Lost(BAD_REQUEST), "{length}");
        }
        assert_eq!(frame(b"A b SIP/2.0\r\nl: 65535\r\n\r\n"), Frame::Lost(TOO_LARGE));
        assert_eq!(frame(&vec![b'A'; MAX_MESSAGE_BYTES]), Frame::Partial);
        assert_eq!(frame(&vec![b'A'; MAX_MESSAGE_BYTES + 1]), Frame::Lost(TOO_LARGE));
    }

    proptest! {
        #[test]
        fn a_frame_is_never_longer_than_its_bytes(bytes in "(l: [0-9]{1,12}|[a-z:\r\n ]){0,40}(\r\n\r\n)?[a-z]{0,9}") {
            if let Frame::Message(length) = frame(bytes.as_bytes()) {
                prop_assert!(length <= bytes.len());
            }
        }
    }
}
