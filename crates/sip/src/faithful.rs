//! What the stack writes and reads otherwise than the RFCs, put right on its way.

use std::net::SocketAddr;
use std::sync::Arc;

use rsipstack::sip::typed::tokenizers::AuthTokenizer;
use rsipstack::sip::{
    Authorization, CSeq, Header, HeadersExt, Host, Method, ProxyAuthenticate, ProxyAuthorization, Request,
    Response, SipMessage, StatusCode, StatusCodeKind, Transport, WwwAuthenticate, typed,
};
use rsipstack::transaction::endpoint::MessageInspector;
use rsipstack::transport::SipAddr;

use crate::Trace;
use crate::door::Door;
use crate::message::{self, unescaped};
use crate::reachable::Reachable;
use crate::reliable::RELIABLE;

/// Sends request URIs as the peer wrote them: the stack escapes a user that is escaped already, so that
/// `a%40b` would become `a%2540b` in the BYE to such a Contact. Has them say where they come from.
/// Spells digest credentials as RFC 3261 and RFC 8760 do, and challenges as the stack can read them. A
/// challenge to anything but an INVITE becomes a refusal: inside a call it may come from the far end,
/// who is to learn nothing of what a trunk knows us by, and to OPTIONS it would make the stack give up
/// the dialog. Hides from the stack that a provisional response is to be confirmed, as it would send
/// PRACK astray; what has a number (`RSeq`) is confirmed by [`crate::reliable`].
///
/// A phone whose address is translated gives one that leads nowhere. Whoever sends datagrams from an unknown
/// network is therefore answered inside a call where it sends from.
pub(crate) struct Faithful {
    pub(crate) reachable: Arc<Reachable>,
    pub(crate) door: Arc<Door>,
    /// What is told of every message that is sent.
    pub(crate) trace: Arc<Trace>,
}

impl MessageInspector for Faithful {
    fn before_send(&self, mut message: SipMessage, destination: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Request(request) = &mut message {
            if let Some(destination) = destination {
                self.reachable.sign(request, destination);
            }
            if let Some(auth) = &mut request.uri.auth {
                auth.user = unescaped(&auth.user);
            }
            for header in request.headers.iter_mut() {
                if let Header::Authorization(Authorization(value))
                | Header::ProxyAuthorization(ProxyAuthorization(value)) = header
                {
                    *value = value
                        .replace("algorithm=SHA256", "algorithm=SHA-256")
                        .replace("qop=\"auth\"", "qop=auth");
                }
            }
        }
        self.trace.sent(&message, destination);
        message
    }

    fn after_received(&self, mut message: SipMessage, source: Option<&SipAddr>) -> SipMessage {
        let datagram = source.filter(|source| matches!(source.r#type, None | Some(Transport::Udp)));
        if let Some(source) = datagram.and_then(|source| source.get_socketaddr().ok())
            && !self.door.knows(source.ip())
        {
            mend_contact(&mut message, source);
        }
        if let SipMessage::Response(response) = &mut message
            && response.status_code.kind() == StatusCodeKind::Provisional
        {
            hide_reliability(response);
        }
        if let SipMessage::Response(response) = &mut message
            && matches!(response.status_code.code(), 401 | 407)
        {
            if response.cseq_header().and_then(CSeq::method).is_ok_and(|method| method != Method::Invite) {
                response.status_code = StatusCode::Forbidden;
            } else {
                keep_answerable(response);
            }
        }
        message
    }
}

/// Writes the address that a request came from as RFC 3261 section 25.1 does. The stack puts IPv6 ones
/// in brackets, twice, and then cannot read where to send the response.
pub(crate) fn unbracket(message: &mut SipMessage) {
    if let SipMessage::Request(request) = message
        && let Ok(via) = request.via_header_mut()
        && let Some((before, rest)) = via.value().split_once("received=[")
    {
        let (address, after) = rest.split_at(rest.find([';', ',']).unwrap_or(rest.len()));
        let value = format!("{before}received={}{after}", address.trim_matches(['[', ']']));
        via.replace(value);
    }
}

/// Puts `source` into the Contact that a call is to go on with, if that has another address and no proxy
/// lies between.
fn mend_contact(message: &mut SipMessage, source: SocketAddr) {
    let (SipMessage::Request(Request { headers, .. }) | SipMessage::Response(Response { headers, .. })) =
        message;
    let method = headers.iter().find_map(|header| match header {
        Header::CSeq(value) => value.method().ok(),
        _ => None,
    });
    let proxied = headers.iter().any(|header| matches!(header, Header::RecordRoute(_)))
        || headers.iter().filter(|header| matches!(header, Header::Via(_))).count() > 1;
    if proxied || !matches!(method, Some(Method::Invite | Method::Update)) {
        return;
    }
    for header in headers.iter_mut() {
        if let Header::Contact(value) = header
            && let Ok(mut contact) = typed::Contact::parse(value.value())
            && matches!(contact.uri.host_with_port.host, Host::IpAddr(address) if address != source.ip())
        {
            contact.uri.host_with_port = source.into();
            *value = contact.to_string().into();
        }
    }
}

fn hide_reliability(response: &mut Response) {
    let is_reliable = message::required(&response.headers).any(|tag| tag.eq_ignore_ascii_case(RELIABLE));
    let hidden = |header: &Header| match header {
        Header::Require(_) => is_reliable,
        Header::RSeq(_) => !is_reliable,
        _ => false,
    };
    response.headers.retain(|header| !hidden(header));
}

/// Leaves the first challenge that can be answered, as RFC 8760 section 2.4 wants it, and no other.
fn keep_answerable(response: &mut Response) {
    let from_proxy = response.status_code == StatusCode::ProxyAuthenticationRequired;
    let mut found = false;
    response.headers.0.retain_mut(|header| {
        let (challenge, fits) = match header {
            Header::WwwAuthenticate(WwwAuthenticate(challenge)) => (challenge, !from_proxy),
            Header::ProxyAuthenticate(ProxyAuthenticate(challenge)) => (challenge, from_proxy),
            _ => return true,
        };
        let Some(understood) = understood(challenge).filter(|_| fits && !found) else { return false };
        *challenge = understood;
        found = true;
        true
    });
}

/// A digest challenge in the stack's words, if the stack can compute its answer.
fn understood(challenge: &str) -> Option<String> {
    let AuthTokenizer { scheme, params } = AuthTokenizer::parse(challenge).ok()?;
    let value = |name: &str| {
        let named = params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| *value)
    };
    let algorithm = match value("algorithm").unwrap_or("MD5").to_ascii_uppercase().as_str() {
        "MD5" => "MD5",
        "SHA-256" => "SHA256",
        _ => return None,
    };
    let qop = match value("qop") {
        Some(offered) if offered.split(',').any(|qop| qop.trim() == "auth") => ", qop=\"auth\"",
        Some(_) => return None,
        None => "",
    };
    let printable = !challenge.contains(|c: char| c.is_control() && c != '\t');
    if !scheme.eq_ignore_ascii_case("Digest") || !printable {
        return None;
    }
    let (realm, nonce) = (value("realm")?, value("nonce")?);
    let stale = value("stale").map_or(String::new(), |stale| format!(", stale={stale}"));
    let opaque = value("opaque").map_or(String::new(), |opaque| format!(", opaque=\"{opaque}\""));
    Some(format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={algorithm}{stale}{opaque}{qop}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(lines: &str) -> String {
        let text = format!("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n{lines}\r\n\r\n");
        let message = SipMessage::try_from(text.as_str()).unwrap();
        let door = Arc::new(Door::new(vec!["198.51.100.0/24".parse().unwrap()], None));
        let faithful = Faithful { reachable: Arc::default(), door, trace: Arc::default() };
        let source = |host: &str| SipAddr::from(format!("{host}:4000").parse::<SocketAddr>().unwrap());
        let known = faithful.after_received(message.clone(), Some(&source("198.51.100.1")));
        assert_eq!(known.to_string(), message.to_string(), "known networks know their addresses");
        faithful.after_received(message, Some(&source("192.0.2.1"))).to_string()
    }

    #[test]
    fn a_phone_behind_address_translation_is_answered_where_it_sends_from() {
        let natted = "CSeq: 1 INVITE\r\nContact: <sip:al@10.0.0.1:5060;ob>";
        assert!(mended(natted).contains("\r\nContact: <sip:al@192.0.2.1:4000;ob>\r\n"), "{}", mended(natted));
        for other in [
            "CSeq: 1 REGISTER\r\nContact: <sip:al@10.0.0.1:5060>",
            "CSeq: 1 INVITE\r\nContact: <sip:al@192.0.2.1:5060>",
            "CSeq: 1 INVITE\r\nContact: <sip:al@phone.example>",
            "CSeq: 1 INVITE\r\nRecord-Route: <sip:p.example;lr>\r\nContact: <sip:al@10.0.0.1>",
        ] {
            assert!(!mended(other).contains("4000"), "{other}");
        }
    }

    #[test]
    fn a_challenge_is_understood_if_its_answer_can_be_computed() {
        let fine = "Digest realm=\"r\", nonce=\"n\", algorithm=";
        let most = "digest  Nonce=\"n\",realm=\"r\",stale=TRUE,opaque=\"o\",algorithm=sha-256,qop=\"auth-int, auth\"";
        assert_eq!(understood("Digest realm=\"r\", nonce=\"n\""), Some(format!("{fine}MD5")));
        assert_eq!(understood(most), Some(format!("{fine}SHA256, stale=TRUE, opaque=\"o\", qop=\"auth\"")));
        for not in ["SHA-512-256", "MD5-sess", "MD5, qop=\"auth-int\"", "MD5\r", "\""] {
            assert_eq!(understood(&format!("{fine}{not}")), None, "{not}");
        }
        for not in ["Basic realm=\"r\", nonce=\"n\"", "Digest realm=\"r\"", "Digest", ""] {
            assert_eq!(understood(not), None, "{not}");
        }
    }
}
