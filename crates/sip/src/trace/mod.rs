//! What passes on the wire: the messages of each call, without secrets, and counts of all messages.

mod counts;
mod kept;
mod shown;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rsipstack::sip::{CSeq, HeadersExt, Method, SipMessage};
use rsipstack::transport::{SipAddr, SipConnection};

pub(crate) use counts::Outcome;
pub use counts::{CallCount, MessageCount, Side, Totals};

use counts::Counts;
use kept::{Kept, Limits};

/// Memory for all messages. A plain call of seven has 5.4 KB: room for 12,000 live ones.
const MAX_BYTES: usize = 64 << 20;
/// Calls that are kept after their end.
const MAX_ENDED: usize = 1000;
/// How long they are.
const KEEP_ENDED: Duration = Duration::from_mins(10);
/// INVITEs that made no call, or not yet. Nobody asks for those that never do, but a caller who has to
/// prove who it is sends two.
const MAX_UNOPENED: usize = 256;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// To us.
    Received,
    /// From us.
    Sent,
}

impl Way {
    /// As one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }
}

/// A SIP message as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedMessage {
    /// When it passed, for the first time.
    pub at: Instant,
    /// Which way.
    pub way: Way,
    /// By what: `udp`, `tcp`, `tls`, `ws`, `wss`.
    pub transport: String,
    /// The far end: `host:port`.
    pub peer: String,
    /// How often it passed again.
    pub retransmissions: u32,
    /// The message. What opens something reads `***`: answers to challenges and their nonces, passwords,
    /// keys of media. Bodies are session descriptions or their size.
    pub text: String,
}

impl TracedMessage {
    /// Its first line.
    pub fn summary(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }
}

/// The messages of one call, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallTrace {
    /// The messages.
    pub messages: Vec<TracedMessage>,
    /// How many are missing because there were too many.
    pub left_out: u64,
}

/// The messages of live calls and of those that ended lately, in bounded memory.
///
/// A call has a trace as long as it lasts, and 10 minutes more unless 1000 others have ended since. Of a
/// call with more than 100 messages the first 30 and the newest are there. All messages together have
/// 64 MiB: beyond, calls that ended are forgotten, and when there are none, messages are left out.
pub struct Trace {
    kept: Mutex<Kept>,
    counts: Mutex<Counts>,
    keys: RandomState,
}

/// Names a call from its first INVITE on: its Call-ID and the caller's tag. So nobody who only knows or
/// guesses a Call-ID gets into the trace of another's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct CallKey(u64);

impl Trace {
    /// The messages of the call that [`CallControl::trace_as`](crate::CallControl::trace_as) gave this name.
    pub fn of(&self, name: &str) -> Option<CallTrace> {
        self.kept().of(name, now())
    }

    /// What was counted since the start.
    pub fn totals(&self) -> Totals {
        let bytes = self.kept().bytes();
        self.counts().totals(bytes)
    }

    /// Notes a message that was received from `peer`.
    pub(crate) fn received(&self, message: &SipMessage, peer: &SipAddr) {
        self.note(Way::Received, message, Some(peer));
    }

    /// Notes a message that is about to be sent, to `peer` or where its Via says.
    pub(crate) fn sent(&self, message: &SipMessage, peer: Option<&SipAddr>) {
        self.note(Way::Sent, message, peer);
    }

    /// Follows a call from now on.
    pub(crate) fn open(self: &Arc<Self>, call_id: &str, caller_tag: &str) -> Traced {
        let key = self.key(call_id, caller_tag);
        self.kept().open(key);
        Traced { trace: Arc::clone(self), key }
    }

    /// Counts a call that is over.
    pub(crate) fn count(&self, side: Side, outcome: Outcome) {
        self.counts().call(side, outcome);
    }

    fn note(&self, way: Way, message: &SipMessage, peer: Option<&SipAddr>) {
        let via = message.via_header().ok().and_then(|via| SipConnection::parse_target_from_via(via).ok());
        let Some((transport, responses_to)) = via else { return };
        let method = message.cseq_header().and_then(CSeq::method);
        let Ok(method) = method else { return };
        let status = match message {
            SipMessage::Request(_) => None,
            SipMessage::Response(response) => Some(response.status_code.code()),
        };
        self.counts().message((way, transport, method, status));
        let Some(key) = self.of_call(message, method) else { return };
        let traced = TracedMessage {
            at: now(),
            way,
            transport: transport.to_string().to_ascii_lowercase(),
            peer: peer.map_or(responses_to, |peer| peer.addr.clone()).to_string(),
            retransmissions: 0,
            text: shown::text(message),
        };
        let repeated = self.kept().push(key, traced);
        if repeated && way == Way::Received {
            self.counts().retransmission();
        }
    }

    /// The call that a message belongs to, if that is kept or begins with it.
    fn of_call(&self, message: &SipMessage, method: Method) -> Option<CallKey> {
        let call_id = message.call_id_header().ok()?.value();
        let from = message.from_header().ok()?.tag().ok()??;
        let from = self.key(call_id, from.value());
        let to = message.to_header().ok()?.tag().ok()?;
        let begins = message.is_request() && method == Method::Invite && to.is_none();
        let mut kept = self.kept();
        if begins {
            kept.begin(from, now());
        }
        let keys = [Some(from), to.map(|to| self.key(call_id, to.value()))];
        keys.into_iter().flatten().find(|key| kept.knows(*key))
    }

    fn key(&self, call_id: &str, tag: &str) -> CallKey {
        CallKey(self.keys.hash_one((call_id, tag)))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Trace {
    fn default() -> Self {
        let limits = Limits {
            bytes: MAX_BYTES,
            ended: MAX_ENDED,
            keep_ended: KEEP_ENDED,
            unopened: MAX_UNOPENED,
            ..Limits::default()
        };
        Self { kept: Mutex::new(Kept::new(limits)), counts: Mutex::default(), keys: RandomState::new() }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("bytes", &self.kept().bytes()).finish_non_exhaustive()
    }
}

/// A call in the trace.
#[derive(Clone)]
pub(crate) struct Traced {
    trace: Arc<Trace>,
    key: CallKey,
}

impl Traced {
    /// Gives the call the name that it is asked for by.
    pub(crate) fn name(&self, name: &str) {
        self.trace.kept().name(self.key, name);
    }

    /// The call is over.
    pub(crate) fn end(&self) {
        self.trace.kept().end(self.key, now());
    }
}

#[expect(clippy::disallowed_methods, reason = "the trace is the edge where messages get their instant")]
fn now() -> Instant {
    Instant::now()
}
