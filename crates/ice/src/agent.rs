//! One end of a session that everybody can reach.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Credentials;
use crate::stun::{Request, Transaction};

/// How long a far end is believed to be there without a check (RFC 7675, section 5.1). It sends one about every five
/// seconds.
pub const CONSENT: Duration = Duration::from_secs(30);
/// Longest datagram that is read.
pub const MAX_DATAGRAM_BYTES: usize = 1_500;
/// Ways that are remembered: a far end has a few interfaces and translators.
const MAX_SOURCES: usize = 8;
/// Checks that are remembered, so that who has seen one cannot send it from elsewhere: those of some ten minutes, 7 KB.
const MAX_CHECKS: usize = 256;

/// Whether a datagram is one of STUN (RFC 7983).
pub const fn is_stun(datagram: &[u8]) -> bool {
    matches!(datagram, [0..=3, ..])
}

/// What comes of a datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// To be sent to where it came from.
    pub reply: Option<Vec<u8>>,
    /// Where the far end is from now on, if that is elsewhere than before.
    pub selected: Option<SocketAddr>,
}

/// What both ends call each other; a restart begins another one.
#[derive(Debug)]
struct Generation {
    ours: Credentials,
    theirs: String,
}

/// Answers the checks of one far end, which controls, and knows where it is.
#[derive(Debug)]
pub struct Agent {
    present: Generation,
    /// What was before a restart, good until the far end is found again.
    past: Option<Generation>,
    /// Who knows our password, the latest last.
    sources: Vec<SocketAddr>,
    selected: Option<SocketAddr>,
    seen: VecDeque<(Transaction, SocketAddr)>,
    heard_at: Option<Instant>,
}

impl Agent {
    /// An agent that is told `ours`, for a far end with the user name fragment `theirs`.
    pub fn new(ours: Credentials, theirs: &str) -> Self {
        Self {
            present: Generation { ours, theirs: theirs.to_owned() },
            past: None,
            sources: Vec::new(),
            selected: None,
            seen: VecDeque::new(),
            heard_at: None,
        }
    }

    /// Has the far end found anew, under other names (RFC 8445, section 9). Until it is, it stays where it is.
    pub fn restart(&mut self, ours: Credentials, theirs: &str) {
        let present = Generation { ours, theirs: theirs.to_owned() };
        self.past = Some(std::mem::replace(&mut self.present, present));
    }

    /// Whether these are the names at present.
    pub fn is_between(&self, ours: &Credentials, theirs: &str) -> bool {
        self.present.ours == *ours && self.present.theirs == theirs
    }

    /// Takes a datagram from `source`. One that is no check by who knows our password is as good as none: there is
    /// no reply, so nobody learns anything and nobody can be flooded by us.
    pub fn receive(&mut self, now: Instant, source: SocketAddr, datagram: &[u8]) -> Received {
        self.check(now, source, datagram).unwrap_or_default()
    }

    fn check(&mut self, now: Instant, source: SocketAddr, datagram: &[u8]) -> Option<Received> {
        if datagram.len() > MAX_DATAGRAM_BYTES {
            return None;
        }
        let request = Request::read(datagram)?;
        let transaction = request.transaction();
        let is_of = |names: &&Generation| request.is_between(names.ours.ufrag(), &names.theirs);
        let (is_present, past) = (is_of(&&self.present), self.past.as_ref().filter(is_of));
        let ours = if is_present { &self.present.ours } else { &past?.ours };
        let check = request.prove(ours)?;
        if self.seen.iter().any(|(seen, from)| *seen == transaction && *from != source) {
            return None;
        }
        if check.is_controlled {
            return Some(Received { reply: check.refuse_role(ours), selected: None });
        }
        let reply = check.accept(source, ours);
        self.remember(transaction, source);
        let nominates = check.nominates && is_present;
        let moved = nominates && self.selected != Some(source);
        if nominates {
            (self.past, self.selected) = (None, Some(source));
        }
        if self.selected.is_none_or(|selected| selected == source) {
            self.heard_at = Some(now);
        }
        Some(Received { reply, selected: moved.then_some(source) })
    }

    fn remember(&mut self, transaction: Transaction, source: SocketAddr) {
        if self.seen.len() == MAX_CHECKS {
            self.seen.pop_front();
        }
        self.seen.push_back((transaction, source));
        let selected = self.selected;
        self.sources.retain(|known| *known != source);
        if self.sources.len() == MAX_SOURCES {
            let oldest = usize::from(selected == self.sources.first().copied());
            self.sources.remove(oldest);
        }
        self.sources.push(source);
    }

    /// Whether `source` has shown that it knows our password: all others have nothing to say.
    pub fn admits(&self, source: SocketAddr) -> bool {
        self.sources.contains(&source)
    }

    /// Where the far end wants to be sent to and sends from, once it said so.
    pub fn selected(&self) -> Option<SocketAddr> {
        self.selected
    }

    /// Where the far end sent its latest check from, whether or not it wants to be there.
    pub fn latest(&self) -> Option<SocketAddr> {
        self.sources.last().copied()
    }

    /// When the far end sent its latest check over the way that is used.
    pub fn heard_at(&self) -> Option<Instant> {
        self.heard_at
    }

    /// Whether the far end was there and has not been heard of for [`CONSENT`]: nothing may be sent to it any more.
    pub fn is_gone(&self, now: Instant) -> bool {
        self.heard_at.is_some_and(|heard| now.saturating_duration_since(heard) >= CONSENT)
    }
}
