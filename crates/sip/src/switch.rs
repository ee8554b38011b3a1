//! Requests too large for a datagram go by a stream (RFC 3261 section 18.1.1).
//!
//! The stack chose UDP before it knew how large the request is. What it repeats, for want of a
//! response, is not sent again, and what belongs to the same transaction goes the same way.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rsipstack::sip::{HeadersExt, Request, SipMessage, ToTypedHeader, Transport};
use tokio::time::{Instant, timeout};
use tracing::debug;

use crate::listen::sip_addr;
use crate::reach::Reach;

/// Longest request that goes by datagram, in bytes: what fits the links that there are, less room for
/// what the response adds. Longer ones are fragmented, and fragments are lost at many a firewall.
const MAX_DATAGRAM_BYTES: usize = 1300;
/// How long a peer may take to accept a connection; it is asked while a call waits.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a peer that accepted none is not asked again.
const REFUSAL: Duration = Duration::from_mins(5);
/// Peers and transactions remembered; when there are more, all are forgotten.
const MAX_REMEMBERED: usize = 4096;

/// Takes large requests to streams.
pub(crate) struct Switch {
    reach: Reach,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// Until when a peer is not asked.
    refused: HashMap<SocketAddr, Instant>,
    /// The branches that went by stream, and the peers they went to.
    gone: HashMap<String, SocketAddr>,
}

impl Switch {
    pub(crate) fn new(reach: Reach) -> Self {
        Self { reach, memory: Mutex::default() }
    }

    /// Whether `datagram` went to `peer` by a stream, and so must not go as it is.
    pub(crate) async fn takes(&self, datagram: &[u8], peer: SocketAddr) -> bool {
        let large = datagram.len() > MAX_DATAGRAM_BYTES;
        let follows = datagram.starts_with(b"ACK ") || datagram.starts_with(b"CANCEL ");
        // Without a listener of our own, the peer could not reach us when the connection is gone.
        let streams = self.reach.reachable.listens(Transport::Tcp, peer.ip());
        if datagram.starts_with(b"SIP/") || !(large || follows) || !streams {
            return false;
        }
        let Ok(SipMessage::Request(request)) = SipMessage::try_from(datagram) else { return false };
        let Some(branch) = branch(&request) else { return false };
        let gone = self.memory().gone.get(&branch) == Some(&peer);
        let target = sip_addr(Transport::Tcp, peer);
        if gone && !follows && self.reach.flows.has(&target, &peer.ip().to_string()) {
            return true; // a repetition
        }
        if !(gone || large && self.connected(peer).await) || !self.reach.flows.send(&target, request.into()) {
            return false;
        }
        let gone = &mut self.memory().gone;
        if gone.len() >= MAX_REMEMBERED {
            gone.clear();
        }
        gone.insert(branch, peer);
        true
    }

    /// Whether there is a connection with `peer` after all that can be done for it.
    async fn connected(&self, peer: SocketAddr) -> bool {
        let target = sip_addr(Transport::Tcp, peer);
        let refused = self.memory().refused.get(&peer).copied();
        if refused.is_some_and(|until| now() < until) {
            return false;
        }
        let found = timeout(PATIENCE, self.reach.find(&target)).await;
        let connected = matches!(found, Ok(Ok(_)));
        let refused = &mut self.memory().refused;
        if connected {
            refused.remove(&peer);
        } else {
            debug!(%peer, "a large request goes by datagram");
            if refused.len() >= MAX_REMEMBERED {
                refused.clear();
            }
            refused.insert(peer, now() + REFUSAL);
        }
        connected
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What names the transaction of a request. The ACK of a 2xx has a branch of its own.
fn branch(request: &Request) -> Option<String> {
    let via = request.via_header().ok()?.typed().ok()?;
    via.branch().map(|branch| branch.value().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "the gate owns the sockets and so the clock for them")]
fn now() -> Instant {
    Instant::now()
}
