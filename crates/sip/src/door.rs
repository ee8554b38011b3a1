//! Whom the gate lets in: known networks, and endpoints that can show who they are.
//!
//! A stranger is challenged here, before the stack keeps anything of its request, and goes on only
//! with a nonce that was issued to its address: a flood of strangers costs no memory, and one with
//! forged addresses does not get any further.

use std::net::IpAddr;
use std::sync::Arc;

use rsipstack::sip::{Header, Method, SipMessage};

use crate::Cidr;
use crate::endpoints::{Endpoints, Identity};
use crate::gate::{self, Verdict};
use crate::message;
use crate::registrar::now;

const FORBIDDEN: &str = "403 Forbidden";
const NOT_FOUND: &str = "404 Not Found";

/// Judges messages by where they come from.
#[derive(Debug)]
pub(crate) struct Door {
    known: Vec<Cidr>,
    pub(crate) endpoints: Option<Arc<Endpoints>>,
}

impl Door {
    /// A door that is open to `known` networks, and to `endpoints`.
    pub(crate) const fn new(known: Vec<Cidr>, endpoints: Option<Arc<Endpoints>>) -> Self {
        Self { known, endpoints }
    }

    /// Whether `source` is in a known network.
    pub(crate) fn knows(&self, source: IpAddr) -> bool {
        self.known.iter().any(|block| block.contains(source))
    }

    /// Judges the message in `buffer[..length]` as [`gate::inspect`] does.
    pub(crate) fn inspect(&self, buffer: &mut [u8], length: usize, source: IpAddr) -> Verdict {
        let known = self.knows(source);
        let Some(endpoints) = self.endpoints.as_ref().filter(|_| !known) else {
            return gate::inspect(buffer, length, known);
        };
        match gate::inspect(buffer, length, true) {
            Verdict::Pass(length) => match refusal(endpoints, &buffer[..length], source) {
                Some(refusal) => gate::refuse(&buffer[..length], &refusal),
                None => Verdict::Pass(length),
            },
            verdict => verdict,
        }
    }
}

/// How a stranger's message is refused, if it is. Requests inside calls go on to the calls.
fn refusal(endpoints: &Endpoints, message: &[u8], source: IpAddr) -> Option<String> {
    let Ok(SipMessage::Request(request)) = SipMessage::try_from(message) else { return None };
    match request.method {
        Method::Ack | Method::Cancel => None,
        _ if message::to_tag(&request).is_some() => None,
        Method::Register | Method::Invite | Method::Message => {
            match endpoints.first(&request, source, now())? {
                Identity::Unknown(challenges) => Some(unauthorized(&challenges)),
                _ => Some(FORBIDDEN.to_owned()),
            }
        }
        // Phones ask in order to see whether we live, and 200 would tell scanners more.
        Method::Options => Some(NOT_FOUND.to_owned()),
        _ => Some(FORBIDDEN.to_owned()),
    }
}

/// Status line and challenges.
fn unauthorized(challenges: &[Header]) -> String {
    let mut text = "401 Unauthorized".to_owned();
    for challenge in challenges {
        text.push_str("\r\n");
        text.push_str(&challenge.to_string());
    }
    text
}
