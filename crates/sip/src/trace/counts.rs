//! How many messages passed and calls ended.

use std::collections::{BTreeMap, HashMap};

use rsipstack::sip::{Method, Transport};

use super::Way;

/// Which side set a call up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It came in.
    Incoming,
    /// We placed it.
    Outgoing,
}

impl Side {
    /// As one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        }
    }
}

/// How a call came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// It was answered, and somebody hung up.
    Completed,
    /// It was answered, and the far end was gone.
    Lost,
    /// The caller gave up.
    Canceled,
    /// It was refused with a status of this class, or failed on the way: 3 to 6.
    Refused(u16),
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Lost => "lost",
            Self::Canceled => "canceled",
            Self::Refused(class) => class_name(class),
        }
    }
}

/// Messages of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageCount {
    /// Which way they went.
    pub way: Way,
    /// By what: `udp`, `tcp`, `tls`, `ws`, `wss`.
    pub transport: String,
    /// The method, of responses that of their request.
    pub method: String,
    /// The class of the status, such as `2xx`; empty for requests.
    pub status: &'static str,
    /// How many.
    pub count: u64,
}

/// Calls of one kind that are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallCount {
    /// Who set them up.
    pub side: Side,
    /// `completed`, `lost`, `canceled`, or the class of the status that refused it, such as `4xx`.
    pub outcome: &'static str,
    /// How many.
    pub count: u64,
}

/// What was counted since the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Messages that the SIP stack was given or sent, in order.
    pub messages: Vec<MessageCount>,
    /// Messages of calls that came once more.
    pub retransmissions: u64,
    /// Calls that are over, in order.
    pub calls: Vec<CallCount>,
    /// Bytes that the traces of calls take now.
    pub trace_bytes: usize,
}

/// A way, a transport, a method, and the status of a response.
type Kind = (Way, Transport, Method, Option<u16>);

#[derive(Default)]
pub(super) struct Counts {
    messages: HashMap<Kind, u64>,
    retransmissions: u64,
    calls: BTreeMap<(Side, Outcome), u64>,
}

impl Counts {
    pub(super) fn message(&mut self, (way, transport, method, status): Kind) {
        let class = status.map(|status| status / 100);
        *self.messages.entry((way, transport, method, class)).or_default() += 1;
    }

    pub(super) const fn retransmission(&mut self) {
        self.retransmissions += 1;
    }

    pub(super) fn call(&mut self, side: Side, outcome: Outcome) {
        *self.calls.entry((side, outcome)).or_default() += 1;
    }

    pub(super) fn totals(&self, trace_bytes: usize) -> Totals {
        let kinds = self.messages.iter();
        let mut messages: Vec<_> = kinds
            .map(|((way, transport, method, class), count)| MessageCount {
                way: *way,
                transport: transport.to_string().to_ascii_lowercase(),
                method: method.to_string(),
                status: class.map_or("", class_name),
                count: *count,
            })
            .collect();
        messages.sort();
        let calls = self.calls.iter();
        let calls = calls.map(|((side, outcome), count)| CallCount {
            side: *side,
            outcome: outcome.name(),
            count: *count,
        });
        Totals { messages, retransmissions: self.retransmissions, calls: calls.collect(), trace_bytes }
    }
}

const fn class_name(class: u16) -> &'static str {
    match class {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "6xx",
    }
}
