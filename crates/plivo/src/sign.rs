//! Signatures that let a customer check who asked.
//!
//! HMAC-SHA256 with an account's token over the request, in the two versions
//! that validators know. The string signed for version 3 is what the vendor's
//! SDKs build, which differs from its prose: a POST with parameters and no
//! query has a bare `?` between URL and parameters.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::form_urlencoded;

use crate::Method;

/// A request to a customer's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether the parameters are in the query or in a form body.
    pub method: Method,
    /// Where; a fragment is Plivo's way to tune timers, neither signed nor sent.
    pub url: String,
    /// Names and values, not encoded.
    pub parameters: Vec<(String, String)>,
}

/// An account's secret.
#[derive(Clone, Copy)]
pub struct Token<'a>(pub &'a str);

/// A text that no two requests share.
#[derive(Clone, Copy)]
pub struct Nonce<'a>(pub &'a str);

/// Whose tokens sign; the same twice unless a sub-account owns the call.
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    /// Of the account or sub-account that owns the call.
    pub owner: Token<'a>,
    /// Of the main account.
    pub main: Token<'a>,
}

/// The six headers of a signed request.
pub fn headers(request: &Request, tokens: Tokens<'_>, nonce: Nonce<'_>) -> [(&'static str, String); 6] {
    [
        ("X-Plivo-Signature-V3", v3(request, tokens.owner, nonce)),
        ("X-Plivo-Signature-Ma-V3", v3(request, tokens.main, nonce)),
        ("X-Plivo-Signature-V3-Nonce", nonce.0.to_owned()),
        ("X-Plivo-Signature-V2", v2(request, tokens.owner, nonce)),
        ("X-Plivo-Signature-Ma-V2", v2(request, tokens.main, nonce)),
        ("X-Plivo-Signature-V2-Nonce", nonce.0.to_owned()),
    ]
}

/// Version 2: over the URL without its query.
pub fn v2(request: &Request, token: Token<'_>, nonce: Nonce<'_>) -> String {
    let (base, _) = split(&request.url);
    sign(token, &format!("{base}{}", nonce.0))
}

/// Version 3: over URL and parameters. An URL with a port gets two, joined by
/// a comma: three of the vendor's validators drop the port, the others keep it.
pub fn v3(request: &Request, token: Token<'_>, nonce: Nonce<'_>) -> String {
    let (base, query) = split(&request.url);
    let tail = v3_tail(request, query);
    let over = |base: &str| sign(token, &format!("{base}{tail}.{}", nonce.0));
    match without_port(base) {
        Some(portless) => format!("{},{}", over(base), over(&portless)),
        None => over(base),
    }
}

/// What follows the base of the URL in the string signed for version 3.
fn v3_tail(request: &Request, query: &str) -> String {
    let mut in_query: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let mut posted: Vec<_> = Vec::new();
    let parameters = request.parameters.iter().map(|(k, v)| (k.into(), v.into()));
    match request.method {
        Method::Get => in_query.extend(parameters),
        Method::Post => posted.extend(parameters),
    }
    in_query.sort_unstable();
    posted.sort_unstable();

    let mut tail = String::new();
    for (index, (key, value)) in in_query.iter().enumerate() {
        let joint = if index == 0 { '?' } else { '&' };
        write!(tail, "{joint}{key}={value}").expect("a String accepts every write");
    }
    if !posted.is_empty() {
        tail.push(if in_query.is_empty() { '?' } else { '.' });
        for (key, value) in &posted {
            tail.extend([&**key, &**value]);
        }
    }
    tail
}

/// Scheme, authority and path without `;parameters`; and the query.
fn split(url: &str) -> (&str, &str) {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let last_segment = base.rfind('/').unwrap_or(0);
    let end = base[last_segment..].find(';').map_or(base.len(), |at| last_segment + at);
    (&base[..end], query)
}

/// `base` without the port of its authority, if it has one.
fn without_port(base: &str) -> Option<String> {
    let (scheme, rest) = base.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = authority.rsplit_once(':')?;
    port.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{scheme}://{host}{path}"))
}

fn sign(token: Token<'_>, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.0.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Token<'_> = Token("Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4");
    type Pairs = &'static [(&'static str, &'static str)];

    const CALL: &str = "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36";

    fn request(method: Method, url: &str, parameters: &[(&str, &str)]) -> Request {
        let parameters = parameters.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        Request { method, url: url.into(), parameters }
    }

    fn official(method: Method, tail: &str) -> String {
        let url = format!("https://plivobin.non-prod.plivops.com/api/v1/validate_signature03.xml{tail}");
        let user = "sip:PlivoSignature382029104058171078704104";
        let to = format!("{user}@phone-qa.voice.plivodev.com");
        let header = format!("<{user}@52.9.11.55;transport=udp>;tag=1");
        let parameters = [
            ("To", &*to),
            ("SIP-H-To", &header),
            ("CallUUID", CALL),
            ("ALegUUID", CALL),
            ("ALegRequestUUID", CALL),
            ("RequestUUID", CALL),
            ("BillRate", "0.002"),
            ("CallStatus", "in-progress"),
            ("Direction", "outbound"),
            ("Event", "StartApp"),
            ("From", "19792014278"),
            ("ParentAuthID", "MANWVLYTK4ZWU1YTY4QA"),
            ("SessionStart", "2020-04-08 11:34:33.238707"),
        ];
        v3(&request(method, &url, &parameters), TOKEN, Nonce("31627761595286130198"))
    }

    #[test]
    fn the_vendors_vectors_of_version_3_come_out() {
        assert_eq!(
            [
                official(Method::Post, "/?a=b&c=d"),
                official(Method::Get, "/?a=b&c=d"),
                official(Method::Post, ""),
                official(Method::Get, ""),
            ],
            [
                "k7Pusd4OxCIjR5IfA9iedDNu/h/gbdYqdzG/MiYtd1c=",
                "UBq8jAtd32wR8EK9VgxbBn4n5rpI/l1H9iN4WfSEHFQ=",
                "iAjE5QqI37mbkYe4w3jTMudqEzbDufdqi7sYwTu64e0=",
                "i/MQsaQSAd6fiKhOh2qeeeLHZ9faldADSb3/7+Akfbc=",
            ]
        );
    }

    #[test]
    fn the_vendors_vector_of_version_2_comes_out() {
        let signature = "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc=";
        for url in ["https://answer.url", "https://answer.url?query=dropped#fragment"] {
            let request = request(Method::Post, url, &[("Dropped", "too")]);
            assert_eq!(v2(&request, Token("my_auth_token"), Nonce("12345")), signature);
        }
    }

    #[test]
    fn small_requests_are_signed_as_the_validators_expect() {
        const JOIN: (&str, &str) = ("EventName", "ParticipantJoin");
        let vectors: [(Method, &str, Pairs, &str); 6] = [
            (
                Method::Post,
                "/mpc",
                &[JOIN, ("MPCName", "my room")],
                "qXZx9TzFAKSzYareWpmYRFx05e5waZofkZNMjpLZpVo=",
            ),
            (Method::Post, "/mpc?x=1&b=a%20b", &[JOIN], "YHAqceJzLvM9uIbjDqB9sm2B33x7uTSa2BVtnqOHLIk="),
            (Method::Post, "/mpc?x=1", &[], "rnSBgQA7g+lrEsYv7HjhP0KGiSfiqyD6RC53BOJ/eVY="),
            (Method::Post, "/mpc", &[], "FZ/eYsjVcVMUAV0JSub/7/NpHoMu+UJ7OA32enspCjM="),
            (Method::Get, "/mpc#rt=5", &[], "FZ/eYsjVcVMUAV0JSub/7/NpHoMu+UJ7OA32enspCjM="),
            (
                Method::Get,
                "/mpc",
                &[("B", "2 3"), ("A", "1")],
                "gwM90zEYmNsE7O0NUtfIqwSNDytWr2R8HKAJ8Bd7l5w=",
            ),
        ];
        for (method, path, parameters, signature) in vectors {
            let request = request(method, &format!("http://127.0.0.1:9000{path}"), parameters);
            let signed = v3(&request, TOKEN, Nonce("N"));
            assert_eq!(signed.split(',').next(), Some(signature), "{path}");
        }
    }

    #[test]
    fn an_url_with_a_port_is_signed_with_and_without_it() {
        let signature = |url: &str| v3(&request(Method::Post, url, &[("A", "1")]), TOKEN, Nonce("N"));
        let with = "http://u:p@[::1]:9000/mpc?x=1";
        let without = signature("http://u:p@[::1]/mpc?x=1");
        assert!(!without.contains(','));
        assert!(signature(with).ends_with(&format!(",{without}")));
        assert_eq!(signature(with).split(',').count(), 2);
    }

    #[test]
    fn the_six_headers_carry_both_tokens() {
        let request = request(Method::Post, "http://h/mpc", &[("A", "1")]);
        let tokens = Tokens { owner: TOKEN, main: Token("main") };
        let nonce = Nonce("N");
        assert_eq!(
            headers(&request, tokens, nonce),
            [
                ("X-Plivo-Signature-V3", v3(&request, TOKEN, nonce)),
                ("X-Plivo-Signature-Ma-V3", v3(&request, Token("main"), nonce)),
                ("X-Plivo-Signature-V3-Nonce", "N".into()),
                ("X-Plivo-Signature-V2", v2(&request, TOKEN, nonce)),
                ("X-Plivo-Signature-Ma-V2", v2(&request, Token("main"), nonce)),
                ("X-Plivo-Signature-V2-Nonce", "N".into()),
            ]
        );
    }
}
