//! What we read from requests and write into responses.

use std::fmt;
use std::net::SocketAddr;

use rsipstack::sip::{CSeq, Header, Headers, HeadersExt, Request, Response, Scheme, StatusCode, Uri};
use rsipstack::transaction::transaction::Transaction;

use crate::reliable::RELIABLE;
use crate::timer::TIMER;

/// Methods that we answer, for `Allow`.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK, REFER, NOTIFY";
/// Extensions that a request may require of us.
pub(crate) const EXTENSIONS: [&str; 2] = [TIMER, RELIABLE];
/// Media type of session descriptions.
const SDP: &str = "application/sdp";
/// Headers for the application that a message may carry; more are ignored.
const MAX_HEADERS: usize = 64;
/// Longest Reason that is told, in characters.
const MAX_REASON: usize = 256;
/// Prefix of the headers that are for the application.
const HEADER_PREFIX: &str = "X-PH-";

pub(crate) fn allow() -> Header {
    Header::Allow(ALLOW.into())
}

/// `Supported`: what we understand beyond the core of SIP.
pub(crate) fn supported() -> Header {
    Header::Supported(EXTENSIONS.join(", ").into())
}

/// Whether the peer understands an extension.
pub(crate) fn supports(headers: &Headers, extension: &str) -> bool {
    let stated = headers.iter().filter(|header| matches!(header, Header::Supported(_) | Header::Require(_)));
    stated.flat_map(|header| list(header.value())).any(|tag| tag.eq_ignore_ascii_case(extension))
}

/// What the peer requires us to understand.
pub(crate) fn required(headers: &Headers) -> impl Iterator<Item = &str> {
    let stated = headers.iter().filter(|header| matches!(header, Header::Require(_)));
    stated.flat_map(|header| list(header.value()))
}

/// Whether the peer takes UPDATE; `None` if it does not say what it takes.
pub(crate) fn allows_update(headers: &Headers) -> Option<bool> {
    let mut stated = headers.iter().filter(|header| matches!(header, Header::Allow(_))).peekable();
    stated.peek()?;
    Some(stated.flat_map(|header| list(header.value())).any(|method| method == "UPDATE"))
}

/// The values of a header that may have several.
pub(crate) fn list(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    let values = value.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            _ => return c == ',' && !quoted && !bracketed,
        }
        false
    });
    values.map(str::trim).filter(|value| !value.is_empty())
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
    sdp(&request.headers, &request.body)
}

/// The session description in a response, if it has one.
pub(crate) fn answer(response: &Response) -> Option<String> {
    sdp(&response.headers, &response.body).ok().flatten()
}

fn sdp(headers: &Headers, body: &[u8]) -> Result<Option<String>, StatusCode> {
    if body.is_empty() {
        return Ok(None);
    }
    if !media_type(headers).eq_ignore_ascii_case(SDP) {
        return Err(StatusCode::UnsupportedMediaType);
    }
    let text = std::str::from_utf8(body).map_err(|_| StatusCode::BadRequest)?;
    Ok(Some(text.to_owned()))
}

/// Whether the sender of a request reads session descriptions. Without `Accept` it does (RFC 3261
/// section 20.1).
pub(crate) fn accepts_description(headers: &Headers) -> bool {
    let stated = headers.iter().filter_map(|header| match header {
        Header::Accept(value) => Some(value.value()),
        _ => None,
    });
    let mut ranges = stated.flat_map(|value| value.split(',')).peekable();
    let named = |range: &str| {
        let range = range.split(';').next().unwrap_or_default().trim();
        [SDP, "application/*", "*/*"].iter().any(|known| range.eq_ignore_ascii_case(known))
    };
    ranges.peek().is_none() || ranges.any(named)
}

/// The type of a body, without its parameters.
pub(crate) fn media_type(headers: &Headers) -> &str {
    let stated = headers.iter().find_map(|header| match header {
        Header::ContentType(value) => Some(value.value()),
        _ => None,
    });
    stated.and_then(|value| value.split(';').next()).unwrap_or_default().trim()
}

/// The headers of ours among `headers`, if they can be written.
pub(crate) fn labels(headers: Vec<(String, String)>) -> Vec<Header> {
    let ours = |(name, value): &(String, String)| {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        name.starts_with("X-") && name.bytes().all(token) && !value.contains(char::is_control)
    };
    headers.into_iter().filter(ours).map(|(name, value)| Header::Other(name, value)).collect()
}

/// What the sender of a request says it is.
pub(crate) fn user_agent(request: &Request) -> Option<&str> {
    request.headers.iter().find_map(|header| match header {
        Header::UserAgent(value) => Some(value.value()),
        _ => None,
    })
}

/// Why a response refuses, in the words of its Reason header (RFC 3326).
pub(crate) fn reason(headers: &Headers) -> Option<String> {
    let stated = headers.iter().find_map(|header| match header {
        Header::Reason(value) => Some(value.value()),
        _ => None,
    });
    stated.map(|value| printable(value).take(MAX_REASON).collect())
}

/// Where a request came from, whatever it says.
pub(crate) fn source(transaction: &Transaction) -> Option<SocketAddr> {
    transaction.connection.as_ref()?.get_remote_addr()?.get_socketaddr().ok()
}

/// The tag of the To header: what makes a request belong to a dialog.
pub(crate) fn to_tag(request: &Request) -> Option<String> {
    Some(request.to_header().ok()?.tag().ok()??.value().to_owned())
}

/// The To tag of a response: the branch of a forked call that it comes from.
pub(crate) fn response_tag(response: &Response) -> String {
    let tag = response.to_header().ok().and_then(|to| to.tag().ok()?);
    tag.map_or_else(String::new, |tag| tag.value().to_owned())
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

/// `text` with all but letters and digits in percent encoding, for any part of a URI.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            escaped.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
            escaped.push('%');
            escaped.extend(digits.into_iter().flatten());
        }
    }
    escaped
}

/// Undoes the percent encoding of a URI part.
pub(crate) fn unescaped(text: &str) -> String {
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

/// The headers that are for the application, without control characters.
pub(crate) fn application_headers(headers: &Headers) -> Vec<(String, String)> {
    let ours = |header: &&Header| {
        let prefix = header.name().as_bytes().get(..HEADER_PREFIX.len());
        prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(HEADER_PREFIX.as_bytes()))
    };
    let headers = headers.iter().filter(ours).take(MAX_HEADERS);
    headers.map(|header| (printable(header.name()).collect(), printable(header.value()).collect())).collect()
}

fn printable(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_control())
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
    use rsipstack::sip::SipMessage;

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
        let kept = application_headers(&request.headers);
        assert_eq!(kept, [("x-ph-Team".into(), "red".into()), ("X-PH-\u{e9}".into(), "1".into())]);
    }

    #[test]
    fn a_list_is_cut_at_the_commas_between_its_values() {
        let values = |text| list(text).collect::<Vec<_>>();
        assert_eq!(values("<sip:a,b;lr>, \"x, \\\"y\" <sip:c>,"), ["<sip:a,b;lr>", "\"x, \\\"y\" <sip:c>"]);
        assert_eq!(values(" , "), [""; 0]);
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
