//! What of a message may be shown.

use std::borrow::Cow;
use std::fmt::Write;

use rsipstack::sip::message::HasHeaders;
use rsipstack::sip::{Headers, SipMessage};

use crate::message;

const HIDDEN: &str = "***";
/// Headers with any of these in their names, small letters, carry what opens something.
const SECRET_NAMES: [&str; 6] = ["auth", "token", "secret", "passw", "cookie", "api-key"];
/// What may be shown of digest credentials and challenges. The rest is hidden: `response`, `nonce`,
/// `cnonce`, `opaque`, and whatever is invented yet.
const SHOWN_PARAMETERS: [&str; 7] = ["username", "realm", "uri", "algorithm", "qop", "nc", "stale"];
/// The suites of `a=crypto:` lines (the IANA registry of SRTP crypto suites). Another word may be a key.
const SUITES: [&str; 12] = [
    "AES_CM_128_HMAC_SHA1_80",
    "AES_CM_128_HMAC_SHA1_32",
    "F8_128_HMAC_SHA1_80",
    "SEED_CTR_128_HMAC_SHA1_80",
    "SEED_128_CCM_80",
    "SEED_128_GCM_96",
    "AES_192_CM_HMAC_SHA1_80",
    "AES_192_CM_HMAC_SHA1_32",
    "AES_256_CM_HMAC_SHA1_80",
    "AES_256_CM_HMAC_SHA1_32",
    "AEAD_AES_128_GCM",
    "AEAD_AES_256_GCM",
];

/// The message without secrets. Unsure, it hides.
pub(super) fn text(message: &SipMessage) -> String {
    let (headers, body) = match message {
        SipMessage::Request(request) => (request.headers(), &request.body),
        SipMessage::Response(response) => (response.headers(), &response.body),
    };
    let mut text = String::with_capacity(1024);
    let written = match message {
        SipMessage::Request(request) => {
            write!(text, "{} {} {}", request.method, plain(&request.uri.to_string()), request.version)
        }
        SipMessage::Response(response) => {
            write!(
                text,
                "{} {} {}",
                response.version,
                response.status_code.code(),
                response.status_code.text()
            )
        }
    };
    written.expect("a String takes everything");
    text.push_str("\r\n");
    for header in headers.iter() {
        let (name, value) = (header.name(), header.value());
        let value = if is_secret(name) { credentials(value).into() } else { plain(value) };
        text.extend([name, ": ", &value, "\r\n"]);
    }
    text.push_str("\r\n");
    push_body(&mut text, headers, body);
    text
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

/// Digest credentials or a challenge, of which some parameters are harmless; anything else is hidden.
fn credentials(value: &str) -> String {
    match value.trim().split_once([' ', '\t']) {
        Some((scheme, parameters)) if scheme.eq_ignore_ascii_case("Digest") => {
            let shown: Vec<_> = unquoted_commas(parameters).map(parameter).collect();
            format!("{scheme} {}", shown.join(", "))
        }
        _ => HIDDEN.into(),
    }
}

/// Splits at commas that are not between quotes.
fn unquoted_commas(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

fn parameter(text: &str) -> String {
    let Some((name, value)) = text.trim().split_once('=') else { return HIDDEN.into() };
    let harmless = |c: char| c.is_ascii_graphic() && !"\"\\,=".contains(c);
    if !SHOWN_PARAMETERS.iter().any(|shown| name.eq_ignore_ascii_case(shown)) {
        let name = if name.chars().all(harmless) { name } else { HIDDEN };
        return format!("{name}={HIDDEN}");
    }
    let is_one = match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(unquoted) => !unquoted.contains(['"', '\\']),
        // What is not a token may be another parameter.
        None => value.chars().all(harmless),
    };
    if is_one { format!("{name}={}", plain(value)) } else { format!("{name}={HIDDEN}") }
}

/// Text without the passwords of URIs in it, and without the credentials that a URI can ask to be sent.
fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['@', '?']) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find(|c: char| c.is_whitespace() || "<>\"".contains(c)) {
        push_uri(&mut shown, &rest[..end]);
        let next = rest.ceil_char_boundary(end + 1);
        shown.push_str(&rest[end..next]);
        rest = &rest[next..];
    }
    push_uri(&mut shown, rest);
    shown.into()
}

/// What may stand in a URI, up to the last `@`, between the user and it, is the password.
fn push_uri(shown: &mut String, text: &str) {
    let secret = text.find('?').filter(|at| is_secret(&message::unescaped(&text[*at..])));
    let (text, hidden) = secret.map_or((text, ""), |at| (&text[..=at], HIDDEN));
    let password = text.rfind('@').and_then(|end| {
        let scheme = text[..end].find(':')?;
        let user = scheme + if text[scheme..end].starts_with("://") { 3 } else { 1 };
        let start = user + text[user..end].find(':')? + 1;
        Some((start, end))
    });
    match password {
        Some((start, end)) => shown.extend([&text[..start], HIDDEN, &text[end..], hidden]),
        None => shown.extend([text, hidden]),
    }
}

/// The session description without its keys, the first line of a message fragment, or the size of
/// anything else: digits by INFO and text messages are nobody's business.
fn push_body(text: &mut String, headers: &Headers, body: &[u8]) {
    let kind = message::media_type(headers);
    let readable = String::from_utf8_lossy(body);
    if kind.eq_ignore_ascii_case("application/sdp") {
        for line in readable.split_inclusive('\n') {
            let content = line.trim_end();
            text.extend([&*description_line(content), &line[content.len()..]]);
        }
    } else if kind.eq_ignore_ascii_case("message/sipfrag") {
        text.push_str(&plain(readable.lines().next().unwrap_or_default()));
    } else if !body.is_empty() {
        write!(text, "({} bytes)", body.len()).expect("a String takes everything");
    }
}

/// A line of a session description: `k=` and MIKEY (RFC 4567) are keys, `a=crypto` (RFC 4568) and
/// `a=ice-pwd` (RFC 8839) hold one.
fn description_line(line: &str) -> Cow<'_, str> {
    let lower = line.trim_start().to_ascii_lowercase();
    if let Some(crypto) = lower.strip_prefix("a=crypto:") {
        let mut words = crypto.split_whitespace();
        let tag = words.next().filter(|tag| tag.bytes().all(|byte| byte.is_ascii_digit()));
        let named = |word: &str| SUITES.into_iter().find(|suite| word.eq_ignore_ascii_case(suite));
        let (tag, suite) = (tag.unwrap_or(HIDDEN), words.next().and_then(named).unwrap_or(HIDDEN));
        return format!("a=crypto:{tag} {suite} inline:{HIDDEN}").into();
    }
    let secret = ["k=", "a=key-mgmt:", "a=ice-pwd:"].into_iter().find(|start| lower.starts_with(start));
    secret.map_or_else(|| plain(line), |start| format!("{start}{HIDDEN}").into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(lines: &str, body: &str) -> String {
        let head = format!("INVITE sip:bob:hunter2@b.example SIP/2.0\r\n{lines}\r\n");
        let mut message = SipMessage::try_from(head.as_str()).unwrap();
        let SipMessage::Request(request) = &mut message else { panic!("{head}") };
        request.body = body.into();
        text(&message)
    }

    #[test]
    fn what_is_harmless_is_shown_as_it_was() {
        let digest =
            "Authorization: Digest username=\"al\", realm=\"a, b\", uri=\"sip:b\", qop=auth, nc=00000001";
        let lines = format!(
            "From: \"Al\" <sip:al@a.example:5070;x=y>;tag=1\r\n{digest}\r\nX-PH-Team: red\r\nContent-Type: application/sdp\r\n"
        );
        let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\na=rtpmap:0 PCMU/8000\r\n";
        let expected = format!("INVITE sip:bob:***@b.example SIP/2.0\r\n{lines}\r\n{sdp}");
        assert_eq!(shown(&lines, sdp), expected);
    }

    #[test]
    fn answers_to_challenges_are_hidden_and_the_rest_of_them_is_not() {
        for name in ["Authorization", "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate"] {
            let line =
                format!("{name}: Digest realm=\"r\", nonce=\"n,1\",cnonce=c, response=\"f00\", new=x\r\n");
            let expected =
                format!("{name}: Digest realm=\"r\", nonce=***, cnonce=***, response=***, new=***\r\n");
            let shown = shown(&line, "");
            assert!(shown.contains(&expected), "{shown}");
        }
    }

    #[test]
    fn keys_of_media_are_hidden() {
        let sdp = "v=0\r\nk=base64:a2V5\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:a2V5|2^20 WSH=64\r\n\
                   a=crypto:a2V5\r\nA=ice-pwd:a2V5\r\na=key-mgmt:mikey a2V5\r\n";
        let expected = "\r\n\r\nv=0\r\nk=***\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***\r\n\
                        a=crypto:*** *** inline:***\r\na=ice-pwd:***\r\na=key-mgmt:***\r\n";
        let shown = shown("Content-Type: application/sdp\r\n", sdp);
        assert!(shown.ends_with(expected), "{shown}");
    }

    #[test]
    fn digits_and_texts_are_told_by_their_size() {
        let shown = shown("Content-Type: application/dtmf-relay\r\n", "Signal=5\r\n");
        assert!(shown.ends_with("\r\n\r\n(10 bytes)"), "{shown}");
    }

    proptest! {
        #[test]
        fn a_secret_is_never_shown(
            name in "(Proxy-)?Author[iI]zation|(www|Proxy)-Authenticate|Authentication-Info|X-PH-(Api-Key|Auth|My-Token)",
            scheme in "(Digest|digest|Basic|Bearer|Digest realm=\"r\",|[a-z]{0,6}) ",
            before in "([a-z]{1,8}=(\"[a-z, =]{0,6}\"|[a-z]{0,5})?[, ]{1,2}){0,3}",
            key in "response|nonce|cnonce|opaque|rspauth|nextnonce|[b-m]{1,5}",
            quote in "\"?",
            after in "[ -~]{0,20}",
        ) {
            let line = format!("{name}: {scheme}{before}{key}={quote}S3CR3T{quote}{after}\r\n");
            prop_assert!(!shown(&line, "").contains("S3CR3T"), "{line}");
        }

        #[test]
        fn a_password_of_a_uri_is_never_shown(
            header in "From|To|Contact|Route|X-PH-A|Refer-To|Call-Info",
            before in "([ -~]{0,8}[ <\"])?",
            scheme in "sip:|SIPS:|http://",
            user in "[a-z0-9;?&=+$,./%-]{0,9}",
            password in "[a-z0-9&=+$,%]{0,3}",
            after in "([;:?>][ -~]{0,9})?",
        ) {
            let line = format!("{header}: {before}{scheme}{user}:{password}S3CR3T@h{after}\r\n");
            prop_assert!(!shown(&line, "").contains("S3CR3T"), "{line}");
        }

        #[test]
        fn a_key_is_never_shown(
            start in "k=clear:|a=crypto:|a=crypto:1 |a=crypto:2 AES_CM_128_HMAC_SHA1_32 |A=Ice-Pwd:|a=key-mgmt:mikey ",
            before in "(inline:)?[a-zA-Z0-9+/]{0,9}",
            after in "[ -~]{0,12}",
        ) {
            let sdp = format!("v=0\r\n{start}{before}S3CR3T{after}\r\nm=audio 1 RTP/SAVP 0\r\n");
            let shown = shown("Content-Type: application/sdp\r\n", &sdp);
            prop_assert!(!shown.to_ascii_uppercase().contains("S3CR3T"), "{sdp}");
        }
    }
}
