//! What a call is placed with, and the check that nothing else gets into its INVITE.

use std::fmt;

use rsipstack::dialog::authenticate::Credential;
use rsipstack::dialog::invitation::InviteOption;
use rsipstack::sip::typed::Route;
use rsipstack::sip::{Header, Host, Param, Scheme, Transport, Uri};
use rsipstack::transport::SipAddr;

use crate::location::Binding;
use crate::message;
use crate::reach::{target, unresolved};
use crate::reachable::{Reachable, contact};
use crate::resolve::Way;
use crate::user_agent::SipError;

/// Longest URI.
const MAX_URI_BYTES: usize = 512;
/// Longest display name and user name.
const MAX_NAME_BYTES: usize = 128;
/// Headers that one call may carry.
const MAX_HEADERS: usize = 64;
/// Their names and values together. More would not fit beside a session description into what user
/// agents read from a datagram.
const MAX_HEADER_BYTES: usize = 4096;
/// What may be set besides extension headers: who calls, and how the callee is told. All others are
/// the user agent's own.
const SETTABLE: [&str; 5] = ["Alert-Info", "Diversion", "Privacy", "Subject", "User-to-User"];

/// A call to be placed.
///
/// Wherever it was redirected to (3xx) the call does not go: it has failed with that status, and who
/// placed it decides whether the new target may be called.
#[derive(Clone, Debug, Default)]
pub struct OutgoingCallRequest {
    /// Whom to call: `sip:user@host:port`, with `;transport=tcp` or `;transport=tls` for these; `sips:`
    /// means TLS.
    pub target: String,
    /// Who calls: `sip:user@host`.
    pub from: String,
    /// The caller's name, of 128 bytes at most. Quotes, backslashes and angle brackets become `'`,
    /// `/`, `(` and `)`, as there are peers that lose their way in quoted ones.
    pub from_display: Option<String>,
    /// Our session description.
    pub offer: String,
    /// More headers: 64, of 4096 bytes together. Their names begin with `X-` or `P-` or are
    /// `Alert-Info`, `Diversion`, `Privacy`, `Subject` or `User-to-User`.
    pub headers: Vec<(String, String)>,
    /// Answers to a 401 or 407.
    pub credentials: Option<Credentials>,
    /// Where the call is sent first, if not to the target: `sip:proxy.example`, a loose router
    /// (RFC 3261 section 16.12).
    pub route: Option<String>,
    /// The contact of an endpoint to call instead of the target, by the way that it registered from.
    pub binding: Option<Binding>,
}

/// What a trunk knows us by, for its digest challenges (MD5 and SHA-256).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name, of 128 bytes at most, without `"` and `\`.
    pub username: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// Where a call is sent first.
pub(crate) fn next_hop(request: &OutgoingCallRequest) -> Result<SipAddr, SipError> {
    if let Some(binding) = &request.binding {
        return Ok(binding.flow.address.clone());
    }
    Ok(target(&uri(request.route.as_deref().unwrap_or(&request.target))?))
}

/// The INVITE of a call that can be answered at one of the `reachable` addresses, and goes by `way` if
/// that is known.
pub(crate) fn invite(
    request: OutgoingCallRequest,
    reachable: &Reachable,
    way: Option<Way>,
) -> Result<InviteOption, SipError> {
    let next_hop = way.map_or_else(|| next_hop(&request), |way| Ok(way.into()))?;
    let binding = request.binding.as_ref();
    let callee = uri(binding.map_or(&request.target, |binding| &binding.contact))?;
    let path = binding.map_or(&[][..], |binding| &binding.path).iter().map(String::as_str);
    let route: Vec<_> =
        request.route.as_deref().into_iter().chain(path).map(uri).collect::<Result<_, _>>()?;
    let wanted = next_hop.r#type.unwrap_or_default();
    let peer = match next_hop.addr.host {
        Host::IpAddr(peer) => Some(peer),
        Host::Domain(_) => None,
    };
    let ours = reachable.by(wanted, peer).ok_or_else(|| SipError::NoTransport(wanted.to_string()))?;
    let stated = binding.is_some() || !route.is_empty() || way.is_some();
    // By a way that is known the stack has a connection, or needs none.
    let known = wanted == Transport::Udp || way.is_some();
    let destination = if known { next_hop } else { unresolved(&next_hop) };
    Ok(InviteOption {
        caller_display_name: request.from_display.as_deref().map(display_name).transpose()?,
        caller: uri(&request.from)?,
        contact: Uri { scheme: callee.scheme.clone(), ..contact(&ours) },
        offer: Some(request.offer.into_bytes()),
        headers: Some(headers(request.headers)?),
        credential: request.credentials.map(credential).transpose()?,
        destination: stated.then_some(destination),
        route_set: route.into_iter().map(loose).collect(),
        callee,
        ..InviteOption::default()
    })
}

/// A `sip:` URI that reads the same to everyone: one `@` at most and nothing that could end it early.
pub(crate) fn uri(text: &str) -> Result<Uri, SipError> {
    let refused = || SipError::Uri(text.chars().take(MAX_URI_BYTES).collect());
    let (address, parameters) = text.split_once(';').unwrap_or((text, ""));
    let plain = |byte: u8| byte.is_ascii_graphic() && !br#"<>"\^`{|}?"#.contains(&byte);
    let clear = address.matches('@').count() <= 1 && !parameters.contains('@');
    if text.len() > MAX_URI_BYTES || !text.bytes().all(plain) || !clear {
        return Err(refused());
    }
    let mut uri = Uri::try_from(text).map_err(|_| refused())?;
    if !matches!(uri.scheme, Some(Scheme::Sip | Scheme::Sips)) {
        return Err(refused());
    }
    if let Some(auth) = &mut uri.auth {
        auth.user = message::unescaped(&auth.user); // the stack escapes it again
    }
    Ok(uri)
}

fn display_name(name: &str) -> Result<String, SipError> {
    if name.len() > MAX_NAME_BYTES || name.contains(char::is_control) {
        return Err(SipError::DisplayName);
    }
    let harmless = |c| match c {
        '"' => '\'',
        '\\' => '/',
        '<' => '(',
        '>' => ')',
        other => other,
    };
    Ok(name.chars().map(harmless).collect())
}

fn headers(given: Vec<(String, String)>) -> Result<Vec<Header>, SipError> {
    let mut room = MAX_HEADER_BYTES;
    let mut headers = vec![message::allow(), message::supported()];
    for (name, value) in given {
        let rest = room.checked_sub(name.len() + value.len());
        let fine = is_settable(&name) && !value.contains(char::is_control) && headers.len() < MAX_HEADERS + 2;
        let Some(rest) = rest.filter(|_| fine) else {
            return Err(SipError::Header(name.chars().take(MAX_NAME_BYTES).collect()));
        };
        room = rest;
        headers.push(Header::Other(name, value));
    }
    Ok(headers)
}

fn is_settable(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte);
    let prefix = name.as_bytes().get(..2).unwrap_or_default();
    let extension = name.len() > 2 && [b"X-", b"P-"].iter().any(|own| prefix.eq_ignore_ascii_case(*own));
    name.bytes().all(token) && (extension || SETTABLE.iter().any(|own| name.eq_ignore_ascii_case(own)))
}

fn credential(credentials: Credentials) -> Result<Credential, SipError> {
    let Credentials { username, password } = credentials;
    let quotable = |c: char| !c.is_control() && c != '"' && c != '\\';
    if username.is_empty() || username.len() > MAX_NAME_BYTES || !username.chars().all(quotable) {
        return Err(SipError::Username);
    }
    Ok(Credential { username, password, ..Credential::default() })
}

fn loose(mut uri: Uri) -> Route {
    if !uri.params.contains(&Param::Lr) {
        uri.params.push(Param::Lr);
    }
    Route::from(uri)
}

#[cfg(test)]
mod tests {
    use rsipstack::sip::uri::ParamsExt;

    use super::*;

    fn is_refused(text: &str) -> bool {
        matches!(uri(text), Err(SipError::Uri(_)))
    }

    #[test]
    fn a_uri_that_two_parsers_could_read_differently_is_refused() {
        for text in ["sip:a@good@evil", "sip:a;b@evil", "sip:a?b@evil", "sip:a@b?Route=c", "sip:a@b>;x=<c"] {
            assert!(is_refused(text), "{text}");
        }
    }

    #[test]
    fn only_sip_is_called() {
        for text in ["bob", "bob@b", "tel:+1415", "http:a@b", "", "sip:", "sip:\u{e9}@b", "sip:a b@c"] {
            assert!(is_refused(text), "{text}");
        }
        assert!(is_refused(&format!("sip:{}@b", "a".repeat(MAX_URI_BYTES))));
    }

    #[test]
    fn a_uri_is_sent_as_it_was_given() {
        for text in ["sip:+14155550100@b.example:5070;user=phone", "sip:a%40b@[::1]", "sip:b.example"] {
            assert_eq!(uri(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_call_leaves_by_the_transport_of_its_route() {
        let mut reachable = Reachable::default();
        for ours in [Transport::Udp, Transport::Tcp] {
            reachable.push(ours, ([127, 0, 0, 1], 5060).into());
        }
        let request = OutgoingCallRequest {
            target: "sip:bob@b.example".into(),
            from: "sip:alice@a.example".into(),
            route: Some("sip:proxy.example;transport=tcp".into()),
            ..OutgoingCallRequest::default()
        };
        let invite = invite(request, &reachable, None).unwrap();
        assert_eq!(invite.destination.and_then(|hop| hop.r#type), Some(Transport::Tcp));
        assert_eq!(invite.contact.transport(), Some(&Transport::Tcp));
    }

    #[test]
    fn a_header_of_the_user_agent_cannot_be_set() {
        for name in ["Via", "v", "Route", "Contact", "l", "Content-Length", "From", "X-", "", "X-a b", "X-a:"]
        {
            let set = headers(vec![(name.into(), "1".into())]);
            assert!(matches!(set, Err(SipError::Header(refused)) if refused == name), "{name}");
        }
        for name in ["X-PH-Team", "x-a", "P-Asserted-Identity", "privacy"] {
            assert_eq!(
                headers(vec![(name.into(), "1".into())]).unwrap()[2].to_string(),
                format!("{name}: 1")
            );
        }
    }

    #[test]
    fn headers_are_bounded() {
        let many = |count, length| headers(vec![("X-A".into(), "v".repeat(length)); count]).is_ok();
        assert!(many(64, 61) && !many(65, 1) && !many(64, 62));
    }

    #[test]
    fn a_password_is_not_shown() {
        let credentials = Credentials { username: "alice".into(), password: "secret".into() };
        let shown =
            format!("{:?}", OutgoingCallRequest { credentials: Some(credentials), ..Default::default() });
        assert!(!shown.contains("secret") && !shown.contains("alice"), "{shown}");
    }

    #[test]
    fn a_user_name_that_ends_its_quotes_is_refused() {
        for username in ["", "a\"", "a\\", "a\r\nb", &"a".repeat(129)] {
            let credentials = Credentials { username: username.into(), password: String::new() };
            assert!(matches!(credential(credentials), Err(SipError::Username)), "{username:?}");
        }
    }
}
