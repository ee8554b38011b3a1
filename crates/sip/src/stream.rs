//! SIP on streams: where messages begin and end, and how slow they may be.
//!
//! The stack closes a connection for one message that it cannot read. Here the messages of a
//! connection are told apart and judged like datagrams; only what ends all certainty about where the
//! next one begins ends the connection.

use std::io;
use std::time::Duration;

use rsipstack::transport::connection::KEEPALIVE_RESPONSE;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tracing::debug;

use crate::StreamLimits;
use crate::flow::{Ended, Flow, Unsent};
use crate::gate::{self, BAD_REQUEST, Refusal, TOO_LARGE, Verdict};

/// Longest message that is read, in bytes.
pub(crate) const MAX_MESSAGE_BYTES: usize = 65_535;

/// Serves a stream until its end.
pub(crate) async fn serve<S>(stream: S, flow: Flow, unsent: Unsent)
where
    S: AsyncRead + AsyncWrite + Send,
{
    let limits = flow.limits();
    let ended = flow.ended.clone();
    let (reader, writer) = tokio::io::split(stream);
    let reading = async {
        let read = flow.ended.run_until_cancelled(read(reader, &flow, limits)).await;
        debug!(?read, "a connection ends");
        drop(flow); // nothing is added to what is unsent any more
    };
    let writing = async {
        let written = write(writer, unsent, limits.message).await;
        ended.cancel();
        debug!(?written, "a connection is closed");
    };
    tokio::join!(reading, writing);
}

async fn read(mut reader: impl AsyncRead + Unpin, flow: &Flow, limits: StreamLimits) -> io::Result<()> {
    let mut incoming = Incoming::default();
    loop {
        let begun = !incoming.bytes.is_empty();
        let limit = match (begun, flow.is_used()) {
            (true, _) => limits.message,
            (false, false) => limits.unused,
            (false, true) => limits.silence,
        };
        let step = async {
            loop {
                if reader.read_buf(&mut incoming.bytes).await? == 0 {
                    return Ok(false);
                }
                let waiting = incoming.bytes.len();
                take(&mut incoming, flow).await?;
                // A first byte ends the silence, a last byte ends the message.
                if !begun || incoming.bytes.len() < waiting {
                    return Ok(true);
                }
            }
        };
        let step: Result<io::Result<bool>, _> = timeout(limit, step).await;
        match step {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            // Something was agreed meanwhile.
            Err(_) if limit == limits.unused && flow.is_used() => {}
            Err(silence) => return Err(silence.into()),
        }
    }
}

/// Takes every whole message out of what came.
async fn take(incoming: &mut Incoming, flow: &Flow) -> io::Result<()> {
    let gone = |Ended| io::Error::from(io::ErrorKind::ConnectionAborted);
    loop {
        match incoming.frame() {
            Frame::Partial => return Ok(()),
            Frame::Blank => {
                if incoming.remove_blank() {
                    flow.answer(KEEPALIVE_RESPONSE.to_vec()).map_err(gone)?;
                }
            }
            Frame::Message(length) => {
                flow.take(&mut incoming.bytes[..length], length).await.map_err(gone)?;
                incoming.remove(length);
            }
            Frame::Lost(refusal) => {
                if let Verdict::Answer(response) = gate::refuse(&incoming.bytes, refusal) {
                    flow.answer(response).map_err(gone)?;
                }
                return Err(io::Error::other(refusal));
            }
        }
    }
}

/// Writes what is to be sent until nobody adds to it.
async fn write(mut writer: impl AsyncWrite + Unpin, mut unsent: Unsent, limit: Duration) -> io::Result<()> {
    while let Some(message) = unsent.recv().await {
        let written = async {
            writer.write_all(&message).await?;
            writer.flush().await
        };
        timeout(limit, written).await??;
    }
    timeout(limit, writer.shutdown()).await?
}

/// What a stream goes on with.
#[derive(Debug, PartialEq, Eq)]
enum Frame {
    /// Something whose end is still to come.
    Partial,
    /// An empty line between messages, half of a keep-alive.
    Blank,
    /// A message of so many bytes.
    Message(usize),
    /// Something that has no end to be found.
    Lost(Refusal),
}

/// What came and was not taken yet. What was looked at once is not looked at again, or a peer that
/// sends single bytes would keep us busy.
#[derive(Default)]
struct Incoming {
    bytes: Vec<u8>,
    /// So many bytes hold no end of a head.
    searched: usize,
    /// Length of the message whose head is there.
    length: Option<usize>,
    /// What was removed last was an empty line.
    blank: bool,
}

impl Incoming {
    /// What the bytes begin with. On a stream a message must say how long it is (RFC 3261 section 18.3).
    fn frame(&mut self) -> Frame {
        if self.bytes.starts_with(KEEPALIVE_RESPONSE) {
            return Frame::Blank;
        }
        let length = match self.length.map_or_else(|| self.stated_length(), |length| Ok(Some(length))) {
            Ok(Some(length)) => length,
            Ok(None) => return Frame::Partial,
            Err(refusal) => return Frame::Lost(refusal),
        };
        self.length = Some(length);
        if length > self.bytes.len() { Frame::Partial } else { Frame::Message(length) }
    }

    /// Length of the message if its head is there.
    fn stated_length(&mut self) -> Result<Option<usize>, Refusal> {
        let Some(head) = gate::head_length(&self.bytes[self.searched..]) else {
            self.searched = self.bytes.len().saturating_sub(3); // it may have begun
            return if self.bytes.len() > MAX_MESSAGE_BYTES { Err(TOO_LARGE) } else { Ok(None) };
        };
        let head = self.searched + head;
        let text = String::from_utf8_lossy(&self.bytes[..head]);
        let length = head.saturating_add(gate::stated_length(&text).ok_or(BAD_REQUEST)?);
        if length > MAX_MESSAGE_BYTES { Err(TOO_LARGE) } else { Ok(Some(length)) }
    }

    fn remove(&mut self, length: usize) {
        self.bytes.drain(..length);
        *self = Self { bytes: std::mem::take(&mut self.bytes), ..Self::default() };
    }

    /// Whether it makes a keep-alive of the one before, which wants an answer (RFC 5626 section 4.4.1).
    fn remove_blank(&mut self) -> bool {
        let second = self.blank;
        self.remove(KEEPALIVE_RESPONSE.len());
        self.blank = !second;
        second
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn incoming(bytes: &[u8]) -> Incoming {
        Incoming { bytes: bytes.to_vec(), ..Incoming::default() }
    }

    fn frame(bytes: &[u8]) -> Frame {
        incoming(bytes).frame()
    }

    #[test]
    fn a_message_ends_where_it_says() {
        assert_eq!(frame(b"A b SIP/2.0\r\nContent-Length: 3\r\n\r\nabcd"), Frame::Message(37));
        assert_eq!(frame(b"SIP/2.0 200 OK\r\nl :\r\n 2\r\nL: 2\r\n\r\nab"), Frame::Message(35));
        assert_eq!(frame(b"A b SIP/2.0\r\nContent-Length: 3\r\n\r\nab"), Frame::Partial);
        assert_eq!(frame(b"A b SIP/2.0\r\nContent-Length: 3\r\n"), Frame::Partial);
        assert_eq!(frame(b"\r\nA"), Frame::Blank);
    }

    #[test]
    fn two_empty_lines_are_a_keep_alive() {
        let mut incoming = incoming(b"\r\n\r\n\r\nA b\r\nl: 0\r\n\r\n\r\n");
        assert_eq!([(); 3].map(|()| incoming.remove_blank()), [false, true, false]);
        let Frame::Message(length) = incoming.frame() else { panic!() };
        incoming.remove(length);
        assert!(!incoming.remove_blank());
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

        #[test]
        fn pieces_make_the_same_frame(bytes in "[a-z]{0,9}(\r\n|l: 3\r\n){0,4}\r\n\r\n[a-z]{0,9}") {
            let mut pieces = Incoming::default();
            let mut last = Frame::Partial;
            for byte in bytes.as_bytes() {
                pieces.bytes.push(*byte);
                last = pieces.frame();
                if last != Frame::Partial {
                    break;
                }
            }
            prop_assert_eq!(last, frame(&pieces.bytes));
        }
    }
}
