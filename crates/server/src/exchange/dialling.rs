//! Whom calls may be placed to, and by which way.

use std::borrow::Cow;
use std::net::IpAddr;
use std::str::FromStr;

use mixminus_control::{DialError, PlaceCall};
use mixminus_sip::{Cidr, Credentials, OutgoingCallRequest, Registrar};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::dialect;

/// What may stand for itself in the user part of a SIP URI (RFC 3261 section 25.1).
const USER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'+').remove(b'*');
/// Who calls if nothing else is known.
const ANONYMOUS: &str = "anonymous";

/// Whom calls may be placed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Any address of a network.
    Network(Cidr),
    /// A host by this name.
    Host(String),
}

impl FromStr for Peer {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let is_name = !text.is_empty() && text.len() <= 253 && text.bytes().all(name);
        if is_name { Ok(Self::Host(text.to_ascii_lowercase())) } else { Err(()) }
    }
}

/// Who takes calls to numbers.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// Its `host`, `host:port` or either with `;transport=tcp`.
    pub host: String,
    /// What it knows us by.
    pub credentials: Option<Credentials>,
}

/// The beginning of numbers that must not be called: digits, with a plus or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl FromStr for Prefix {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        is_number(text).then(|| Self(text.trim_start_matches('+').to_owned())).ok_or(())
    }
}

/// How calls are placed.
#[derive(Clone, Debug)]
pub struct Dialling {
    /// Takes calls to numbers; without one they fail.
    pub trunk: Option<Trunk>,
    /// Whom SIP URIs may name.
    pub peers: Vec<Peer>,
    /// What no number that is called may begin with, at whichever host.
    pub barred: Vec<Prefix>,
    /// Where endpoints are.
    pub registrar: Registrar,
    /// The host in the calling party's address.
    pub host: String,
}

impl Dialling {
    /// The requests that place `place` with `offer`, more than one if an endpoint has more than one contact.
    ///
    /// # Errors
    ///
    /// [`DialError::InvalidAddress`] if the called party is none that may be called, [`DialError::Barred`]
    /// if its number is none, [`DialError::NotRegistered`] if it is an endpoint that is not there.
    pub fn requests(&self, place: &PlaceCall, offer: &str) -> Result<Vec<OutgoingCallRequest>, DialError> {
        let Some(name) = dialect::endpoint_name(&place.call.to) else {
            return Ok(vec![self.request(place, offer)?]);
        };
        let ringing = self.registrar.bindings(name).into_iter().map(|binding| {
            let call_id = dialect::call_id_header(place.call.id);
            OutgoingCallRequest {
                from: self.from(&place.call.from),
                from_display: place.call.caller_name.clone(),
                offer: offer.to_owned(),
                headers: place.headers.iter().cloned().chain([call_id]).collect(),
                binding: Some(binding),
                ..OutgoingCallRequest::default()
            }
        });
        let ringing: Vec<_> = ringing.collect();
        if ringing.is_empty() { Err(DialError::NotRegistered) } else { Ok(ringing) }
    }

    fn request(&self, place: &PlaceCall, offer: &str) -> Result<OutgoingCallRequest, DialError> {
        let call = &place.call;
        if self.is_barred(&call.to) {
            return Err(DialError::Barred);
        }
        let (target, credentials) = match (sip_host(&call.to), &self.trunk) {
            (Some(host), _) if self.may_call(host) => (call.to.clone(), None),
            (None, Some(trunk)) if is_number(&call.to) => {
                (format!("sip:{}@{}", call.to, trunk.host), trunk.credentials.clone())
            }
            _ => return Err(DialError::InvalidAddress),
        };
        let own = place
            .credentials
            .clone()
            .map(|own| Credentials { username: own.username, password: own.password });
        Ok(OutgoingCallRequest {
            target,
            from: self.from(&call.from),
            from_display: call.caller_name.clone(),
            offer: offer.to_owned(),
            headers: place.headers.clone(),
            credentials: own.or(credentials),
            ..OutgoingCallRequest::default()
        })
    }

    fn may_call(&self, host: &str) -> bool {
        let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        self.peers.iter().any(|peer| match (peer, address) {
            (Peer::Network(network), Some(address)) => network.contains(address),
            (Peer::Host(name), None) => name.eq_ignore_ascii_case(host),
            _ => false,
        })
    }

    /// Whether the number in `to`, wherever it is called, begins with what must not be called.
    fn is_barred(&self, to: &str) -> bool {
        let user =
            sip_user(to).map_or(Cow::Borrowed(to), |user| percent_decode_str(user).decode_utf8_lossy());
        let digits: String = user.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect();
        let digits = digits.trim_start_matches('+');
        let digits = digits.strip_prefix("00").unwrap_or(digits);
        self.barred.iter().any(|Prefix(prefix)| digits.starts_with(prefix))
    }

    /// The calling party as a SIP URI: as it is, or a user of ours.
    fn from(&self, from: &str) -> String {
        match sip_host(from) {
            Some(_) => from.to_owned(),
            None if from.is_empty() => format!("sip:{ANONYMOUS}@{}", self.host),
            None => format!("sip:{}@{}", utf8_percent_encode(from, USER), self.host),
        }
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The user that a SIP URI names, still escaped.
fn sip_user(text: &str) -> Option<&str> {
    sip_host(text)?;
    text[4..].split_once('@').map(|(user, _)| user)
}

/// The host that a SIP URI names; none if `text` is no SIP URI.
fn sip_host(text: &str) -> Option<&str> {
    let rest = text.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("sip:")).map(|_| &text[4..])?;
    let rest = rest.split([';', '?']).next()?;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    match host.find(']') {
        Some(end) => host.get(..=end),
        None => host.split(':').next(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mixminus_sip::{Binding, Flow};

    use super::super::super::dialect::samples;
    use super::*;

    fn dialling(trunk: Option<&str>) -> Dialling {
        let peers = ["127.0.0.0/8", "::1/128", "pbx.example"].map(|peer| peer.parse().unwrap());
        let trunk = trunk.map(|host| Trunk { host: host.into(), credentials: None });
        let barred = ["+1900", "979"].map(|prefix| prefix.parse().unwrap());
        Dialling {
            trunk,
            peers: peers.into(),
            barred: barred.into(),
            registrar: Registrar::default(),
            host: "192.0.2.1".into(),
        }
    }

    fn placed(to: &str, from: &str) -> PlaceCall {
        let call = mixminus_control::CallRecord { to: to.into(), from: from.into(), ..samples::call() };
        PlaceCall { call, headers: vec![], credentials: None }
    }

    fn target(to: &str, trunk: Option<&str>) -> Option<String> {
        dialling(trunk).request(&placed(to, "1415"), "").ok().map(|request| request.target)
    }

    #[test]
    fn sip_addresses_are_called_where_that_is_allowed() {
        for to in [
            "sip:bob@127.0.0.1",
            "SIP:bob@127.0.0.1:5080;transport=tcp",
            "sip:[::1]:5060",
            "sip:a@PBX.example",
        ] {
            assert_eq!(target(to, None).as_deref(), Some(to));
        }
        for to in
            ["sip:bob@192.0.2.9", "sip:127.0.0.1@evil.example", "sip:bob@pbx.example.evil", "bob", "tel:1"]
        {
            assert_eq!(target(to, Some("trunk.example")), None, "{to}");
        }
    }

    #[test]
    fn numbers_go_to_the_trunk_and_nowhere_without_one() {
        assert_eq!(target("+1415", Some("t.example:5070")).as_deref(), Some("sip:+1415@t.example:5070"));
        assert_eq!(target("+1415", None), None);
        assert_eq!(target("1415;x", Some("t.example")), None);
    }

    #[test]
    fn barred_numbers_are_called_nowhere() {
        let reason = |to| dialling(Some("t.example")).requests(&placed(to, "1415"), "").err();
        for to in
            ["+19005550100", "1900", "001900555", "979", "sip:+1900@pbx.example", "sip:%2B19-00@127.0.0.1"]
        {
            assert_eq!(reason(to), Some(DialError::Barred), "{to}");
        }
        for to in ["+1415900", "+1901", "sip:anna1900@pbx.example"] {
            assert_eq!(reason(to), None, "{to}");
        }
        assert!(["+1x", "", "+", "sip:1900@h"].iter().all(|prefix| prefix.parse::<Prefix>().is_err()));
    }

    #[test]
    fn an_endpoint_is_called_at_all_its_contacts_wherever_calls_may_go() {
        let (dialling, place) = (dialling(None), placed("sip:bob1@phone.plivo.com", "1415"));
        assert_eq!(dialling.requests(&place, "").err(), Some(DialError::NotRegistered));
        let binding = |contact: &str| Binding {
            contact: contact.into(),
            preference: 1000,
            path: vec![],
            flow: Flow::udp(([192, 0, 2, 7], 5060).into()),
            user_agent: String::new(),
            instance: None,
            call_id: "c".into(),
            sequence: 1,
            expires_at: Binding::ending_in(Duration::from_mins(1)),
        };
        dialling.registrar.restore("bob1", vec![binding("sip:b@192.0.2.7"), binding("sip:b@192.0.2.8")]);
        let requests = dialling.requests(&place, "v=0").unwrap();
        let told: Vec<_> =
            requests.iter().map(|one| one.binding.as_ref().unwrap().contact.as_str()).collect();
        assert_eq!(told, ["sip:b@192.0.2.7", "sip:b@192.0.2.8"]);
        let call_id = ("X-Calluuid".to_owned(), place.call.id.to_string());
        assert!(requests.iter().all(|one| one.offer == "v=0" && one.headers == [call_id.clone()]));
    }

    #[test]
    fn a_callees_own_credentials_go_before_the_trunks() {
        let credentials =
            |username: &str| Credentials { username: username.into(), password: "12345678".into() };
        let mut dialling = dialling(Some("t.example"));
        dialling.trunk.as_mut().unwrap().credentials = Some(credentials("trunk"));
        let own = mixminus_control::Credentials { username: "ann".into(), password: "12345678".into() };
        let place = |to, own: Option<&mixminus_control::Credentials>| {
            let place = PlaceCall { credentials: own.cloned(), ..placed(to, "1415") };
            dialling.request(&place, "").unwrap().credentials
        };
        let (user, number) = ("sip:bob@pbx.example", "1416");
        assert_eq!(place(user, Some(&own)), Some(credentials("ann")));
        assert_eq!((place(user, None), place(number, None)), (None, Some(credentials("trunk"))));
        let shown = format!("{:?}", PlaceCall { credentials: Some(own), ..placed(user, "1415") });
        assert!(!shown.contains("12345678") && !shown.contains("ann\""), "{shown}");
    }

    #[test]
    fn who_calls_is_a_user_of_ours_or_a_sip_address() {
        let from = |from| dialling(None).request(&placed("sip:a@127.0.0.1", from), "").unwrap().from;
        assert_eq!(from("+1415"), "sip:+1415@192.0.2.1");
        assert_eq!(from("sip:ann@h"), "sip:ann@h");
        assert_eq!(from("Ann Lee@x"), "sip:Ann%20Lee%40x@192.0.2.1");
        assert_eq!(from(""), "sip:anonymous@192.0.2.1");
    }
}
