//! What we read from requests and write into responses.

use std::fmt;
use std::net::SocketAddr;

use rsipstack::sip::{
    CSeq, Header, HeadersExt, Method, Request, Response, Scheme, SipMessage, StatusCode, Uri,
};
use rsipstack::transaction::endpoint::MessageInspector;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::SipAddr;

/// Methods that we answer, for `Allow`.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE";
/// Media type of session descriptions.
const SDP: &str = "application/sdp";
/// Headers for the application that a request may carry; more are ignored.
const MAX_HEADERS: usize = 64;
/// Prefix of the headers that are for the application.
const HEADER_PREFIX: &str = "X-PH-";

pub(crate) fn allow() -> Header {
    Header::Allow(ALLOW.into())
}

pub(crate) fn accept() -> Header {
    Header::Accept(SDP.into())
}

pub(crate) fn content_type() -> Header {
    Header::ContentType(SDP.into())
}

/// `Retry-After`; RFC 3261 counts in seconds.
pub(crate) fn retry_after(seconds: u64) -> Header {
    Header::RetryAfter(seconds.to_string().into())
}

/// The session description in a request.
///
/// # Errors
///
/// The status to answer when the body is something else.
pub(crate) fn description(request: &Request) -> Result<Option<String>, StatusCode> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let media_type = request.headers.iter().find_map(|header| match header {
        Header::ContentType(value) => Some(value.value()),
        _ => None,
    });
    let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case(SDP) {
        return Err(StatusCode::UnsupportedMediaType);
    }
    let text = std::str::from_utf8(&request.body).map_err(|_| StatusCode::BadRequest)?;
    Ok(Some(text.to_owned()))
}

/// The session description in a response; what is not text reads as an empty one.
pub(crate) fn answer(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap_or_default()
}

/// Where a request came from, whatever it says.
pub(crate) fn source(transaction: &Transaction) -> Option<SocketAddr> {
    transaction.connection.as_ref()?.get_remote_addr()?.get_socketaddr().ok()
}

/// The tag of the To header: what makes a request belong to a dialog.
pub(crate) fn to_tag(request: &Request) -> Option<String> {
    Some(request.to_header().ok()?.tag().ok()??.value().to_owned())
}

pub(crate) fn cseq(request: &Request) -> u32 {
    request.cseq_header().and_then(CSeq::seq).unwrap_or(0)
}

/// `sip:user@host` without port, parameters or password.
pub(crate) fn bare(uri: &Uri) -> String {
    let scheme = uri.scheme.clone().unwrap_or(Scheme::Sip);
    let host = &uri.host_with_port.host;
    match &uri.auth {
        Some(auth) => format!("{scheme}:{}@{host}", auth.user),
        None => format!("{scheme}:{host}"),
    }
}

/// The user of a URI as a person would write it.
pub(crate) fn user(uri: &Uri) -> String {
    uri.auth.as_ref().map_or_else(String::new, |auth| unescaped(&auth.user))
}

/// Undoes the percent encoding of a URI part.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |i: usize| after.get(i).and_then(|digit| char::from(*digit).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (byte, hex(0), hex(1)) {
            bytes.push((high * 16 + low) as u8);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends request URIs as the peer wrote them: the stack escapes a user that is escaped already, so
/// that `a%40b` would become `a%2540b` in the BYE to such a Contact. And a challenge to OPTIONS, which
/// makes the stack give up the dialog, reads as the refusal that it is to us, who have no password.
pub(crate) struct Faithful;

impl MessageInspector for Faithful {
    fn before_send(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        match message {
            SipMessage::Request(mut request) => {
                if let Some(auth) = &mut request.uri.auth {
                    auth.user = unescaped(&auth.user);
                }
                SipMessage::Request(request)
            }
            response @ SipMessage::Response(_) => response,
        }
    }

    fn after_received(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        match message {
            SipMessage::Response(mut response) if matches!(response.status_code.code(), 401 | 407) => {
                if response.cseq_header().and_then(CSeq::method).is_ok_and(|m| m == Method::Options) {
                    response.status_code = StatusCode::Forbidden;
                }
                SipMessage::Response(response)
            }
            other => other,
        }
    }
}

/// The headers that are for the application, without control characters.
pub(crate) fn application_headers(request: &Request) -> Vec<(String, String)> {
    let printable = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let ours = |header: &&Header| {
        let prefix = header.name().as_bytes().get(..HEADER_PREFIX.len());
        prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(HEADER_PREFIX.as_bytes()))
    };
    let headers = request.headers.iter().filter(ours).take(MAX_HEADERS);
    headers.map(|header| (printable(header.name()), printable(header.value()))).collect()
}

/// A SIP user or URI as logs show it: enough to recognise, too little to call.
#[derive(Clone, Copy)]
pub struct Masked<'a>(pub &'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.0.split_once(':').map_or(self.0, |(_, rest)| rest);
        let user = user.split('@').next().unwrap_or_default();
        let shown: String = user.chars().take(3.min(user.chars().count() / 2)).collect();
        write!(f, "{shown}…")
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(lines: &str) -> Request {
        let text = format!("INVITE sip:a@b.example SIP/2.0\r\n{lines}\r\n");
        let SipMessage::Request(request) = SipMessage::try_from(text.as_str()).unwrap() else { panic!() };
        request
    }

    #[test]
    fn a_uri_is_reduced_to_user_and_host() {
        let uri = |text: &str| Uri::try_from(text).unwrap();
        assert_eq!(bare(&uri("sip:al%20ice:pw@b.example:5070;user=phone?x=y")), "sip:al%20ice@b.example");
        assert_eq!(bare(&uri("sips:b.example")), "sips:b.example");
        assert_eq!(user(&uri("sip:al%20ice%@b.example")), "al ice%");
        assert_eq!(user(&uri("sip:b.example")), "");
    }

    #[test]
    fn only_headers_for_the_application_are_kept() {
        let request = request("Subject: x\r\nx-ph-Team: red\r\nX-PH-\u{e9}: 1\r\nX-P: 2\r\n");
        let kept = application_headers(&request);
        assert_eq!(kept, [("x-ph-Team".into(), "red".into()), ("X-PH-\u{e9}".into(), "1".into())]);
    }

    #[test]
    fn a_body_that_is_no_description_has_a_status() {
        let mut plain = request("Content-Type: Application/SDP; charset=utf-8\r\n");
        assert_eq!(description(&plain), Ok(None));
        plain.body = b"v=0".to_vec();
        assert_eq!(description(&plain), Ok(Some("v=0".into())));
        plain.body = vec![0xff];
        assert_eq!(description(&plain), Err(StatusCode::BadRequest));
        let mut other = request("Content-Type: text/plain\r\n");
        other.body = b"hello".to_vec();
        assert_eq!(description(&other), Err(StatusCode::UnsupportedMediaType));
    }

    #[test]
    fn logs_show_the_start_of_a_user_only() {
        assert_eq!(Masked("sip:+14155550100@b.example").to_string(), "+14…");
        assert_eq!(Masked("bob").to_string(), "b…");
        assert_eq!(Masked("").to_string(), "…");
    }
}
