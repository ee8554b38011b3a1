//! Whom calls may be placed to, and by which way.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::net::IpAddr;
use std::str::FromStr;

use mixminus_control::{DialError, PlaceCall};
use mixminus_sip::sdp::SrtpPolicy;
use mixminus_sip::{
    Cidr, Credentials, IncomingCall, ListenAddress, OutgoingCall, OutgoingCallRequest, Registrar, SipError,
    Transport, UserAgent,
};
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

/// A carrier: who takes calls to numbers, and from where its own come.
#[derive(Clone, Debug, Default)]
pub struct Trunk {
    /// Its `host`, `host:port` or either with `;transport=tcp`.
    pub host: String,
    /// What it knows us by.
    pub credentials: Option<Credentials>,
    /// What numbers that it takes begin with; empty if it takes all.
    pub prefixes: Vec<Prefix>,
    /// The lowest is tried first, among those that take a number by an equally long beginning.
    pub order: u16,
    /// Where its calls come from.
    pub networks: Vec<Cidr>,
    /// Whether audio with it is encrypted, if that is not as with others.
    pub srtp: Option<SrtpPolicy>,
}

impl Trunk {
    /// How much of the beginning of `number` makes it one for this trunk; none if nothing does.
    fn fits(&self, number: &str) -> Option<usize> {
        if self.prefixes.is_empty() {
            return Some(0);
        }
        let digits = dialled(number);
        let fitting = self.prefixes.iter().filter(|Prefix(prefix)| digits.starts_with(prefix));
        fitting.map(|Prefix(prefix)| prefix.len()).max()
    }
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

/// What a call that is placed offers, all of one session.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    /// To whom sends and takes packets wherever it is told.
    pub phone: String,
    /// To whom wants to check where packets go, and a handshake.
    pub browser: String,
}

/// How calls are placed.
#[derive(Clone, Debug)]
pub struct Dialling {
    /// Take calls to numbers; without one they fail.
    pub trunks: Vec<Trunk>,
    /// Whether audio with endpoints is encrypted, if that is not as with others.
    pub endpoints_srtp: Option<SrtpPolicy>,
    /// Whom SIP URIs may name.
    pub peers: Vec<Peer>,
    /// What no number that is called may begin with, at whichever host.
    pub barred: Vec<Prefix>,
    /// Where endpoints are.
    pub registrar: Registrar,
    /// The host in the calling party's address.
    pub host: String,
}

/// Where a call is to be placed.
#[derive(Debug)]
pub struct Route {
    requests: Vec<OutgoingCallRequest>,
    /// All ring together, and not one after the other.
    at_once: bool,
    /// Whether its audio is encrypted, if that is not as with others.
    pub srtp: Option<SrtpPolicy>,
}

impl Route {
    /// The host that all phones that it rings registered from by datagrams; none if there are several.
    pub fn registered_from(&self) -> Option<IpAddr> {
        let host = |request: &OutgoingCallRequest| Some(request.binding.as_ref()?.flow.datagram_peer()?.ip());
        let first = host(self.requests.first()?)?;
        self.requests.iter().all(|request| host(request) == Some(first)).then_some(first)
    }

    fn offer(&mut self, offers: &Offers) {
        for request in &mut self.requests {
            let is_browser = request.binding.as_ref().is_some_and(|binding| binding.flow.is_web_socket());
            request.offer.clone_from(if is_browser { &offers.browser } else { &offers.phone });
        }
    }

    /// Places the call with our session description.
    ///
    /// # Errors
    ///
    /// What the user agent says; nothing was sent then.
    pub fn place(mut self, agent: &UserAgent, offers: &Offers) -> Result<OutgoingCall, SipError> {
        self.offer(offers);
        if self.at_once { agent.call_any(self.requests) } else { agent.call_in_turn(self.requests) }
    }
}

impl Dialling {
    /// Where `place` goes: to all contacts of an endpoint, to a SIP address, or by the trunks for its
    /// number, one after the other.
    ///
    /// # Errors
    ///
    /// [`DialError::InvalidAddress`] if the called party is none that may be called, [`DialError::Barred`]
    /// if its number is none, [`DialError::NotRegistered`] if it is an endpoint that is not there.
    pub fn route(&self, place: &PlaceCall) -> Result<Route, DialError> {
        let call = &place.call;
        if let Some(name) = dialect::endpoint_name(&call.to) {
            return self.route_to_endpoint(place, name);
        }
        if self.is_barred(&call.to) {
            return Err(DialError::Barred);
        }
        if let Some(host) = sip_host(&call.to) {
            let allowed = self.may_call(host).then(|| self.request(place, call.to.clone(), None));
            let requests = vec![allowed.ok_or(DialError::InvalidAddress)?];
            return Ok(Route { requests, at_once: false, srtp: None });
        }
        let trunks = if is_number(&call.to) { self.trunks_for(&call.to) } else { vec![] };
        let srtp = trunks.first().ok_or(DialError::InvalidAddress)?.srtp;
        // One offer is made for all of them, so all have to agree about encryption.
        let alike = trunks.into_iter().filter(|trunk| trunk.srtp == srtp);
        let requests = alike.map(|trunk| {
            self.request(place, format!("sip:{}@{}", call.to, trunk.host), trunk.credentials.clone())
        });
        Ok(Route { requests: requests.collect(), at_once: false, srtp })
    }

    /// Whether audio with a caller is encrypted, if that is not as with others.
    pub fn srtp_with(&self, caller: &IncomingCall) -> Option<SrtpPolicy> {
        if caller.endpoint.is_some() {
            return self.endpoints_srtp;
        }
        let address = caller.source.ip().to_canonical();
        let comes_from = |trunk: &&Trunk| trunk.networks.iter().any(|network| network.contains(address));
        self.trunks.iter().find(comes_from)?.srtp
    }

    /// Whom a transfer to `target`, a SIP URI, leads to. At an address that we listen on, and at any that
    /// may not be called if it comes from an endpoint, whose domain is ours by whatever name, that is the
    /// endpoint or the number which the user part says.
    pub fn callee(&self, target: String, by_endpoint: bool, listening: &[ListenAddress]) -> String {
        let Some(host) = sip_host(&target) else { return target };
        let is_ours = listening.iter().any(|own| is_at(&target, host, own));
        let foreign = !is_ours && (self.may_call(host) || !by_endpoint);
        let user = sip_user(&target).and_then(|user| percent_decode_str(user).decode_utf8().ok());
        let Some(user) = user.filter(|_| !foreign) else { return target };
        if is_number(&user) && self.registrar.bindings(&user).is_empty() {
            user.into_owned()
        } else {
            format!("sip:{user}@{}", dialect::ENDPOINT_DOMAIN)
        }
    }

    fn route_to_endpoint(&self, place: &PlaceCall, name: &str) -> Result<Route, DialError> {
        let label = dialect::call_id_header(place.call.id);
        let headers: Vec<_> = place.headers.iter().cloned().chain([label]).collect();
        let ringing = self.registrar.bindings(name).into_iter().map(|binding| OutgoingCallRequest {
            from: self.from(&place.call.from),
            from_display: place.call.caller_name.clone(),
            headers: headers.clone(),
            binding: Some(binding),
            ..OutgoingCallRequest::default()
        });
        let requests: Vec<_> = ringing.collect();
        if requests.is_empty() {
            return Err(DialError::NotRegistered);
        }
        Ok(Route { requests, at_once: true, srtp: self.endpoints_srtp })
    }

    /// The trunks that take `number`, in the order in which they are tried.
    fn trunks_for(&self, number: &str) -> Vec<&Trunk> {
        let fitting = self.trunks.iter().filter_map(|trunk| Some((trunk.fits(number)?, trunk)));
        let mut fitting: Vec<_> = fitting.collect();
        fitting.sort_by_key(|(length, trunk)| (Reverse(*length), trunk.order));
        fitting.into_iter().map(|(_, trunk)| trunk).collect()
    }

    fn request(
        &self,
        place: &PlaceCall,
        target: String,
        credentials: Option<Credentials>,
    ) -> OutgoingCallRequest {
        let own = place.credentials.clone();
        let own = own.map(|own| Credentials { username: own.username, password: own.password });
        OutgoingCallRequest {
            target,
            from: self.from(&place.call.from),
            from_display: place.call.caller_name.clone(),
            headers: place.headers.clone(),
            credentials: own.or(credentials),
            ..OutgoingCallRequest::default()
        }
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
        let digits = dialled(&user);
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

/// The digits of a number, with its country's first.
fn dialled(number: &str) -> String {
    let digits: String = number.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect();
    let digits = digits.trim_start_matches('+');
    digits.strip_prefix("00").unwrap_or(digits).to_owned()
}

/// Whether the SIP URI `target` at `host` is where `own` listens.
fn is_at(target: &str, host: &str, own: &ListenAddress) -> bool {
    let port =
        target.rsplit_once(host).and_then(|(_, rest)| rest.strip_prefix(':')?.split([';', '?']).next());
    let usual = if own.transport == Transport::Tls { 5061 } else { 5060 };
    let port = port.map_or(Some(usual), |port| port.parse().ok());
    [Some(own.address), own.advertised]
        .into_iter()
        .flatten()
        .any(|known| Some(known.port()) == port && host.trim_matches(['[', ']']).parse() == Ok(known.ip()))
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

    use mixminus_sip::{Binding, Flow, PeerAddress};

    use super::super::super::dialect::samples;
    use super::*;

    fn dialling(trunk: Option<&str>) -> Dialling {
        let peers = ["127.0.0.0/8", "::1/128", "pbx.example"].map(|peer| peer.parse().unwrap());
        let trunks = trunk.into_iter().map(|host| Trunk { host: host.into(), ..Trunk::default() });
        Dialling {
            trunks: trunks.collect(),
            endpoints_srtp: None,
            peers: peers.into(),
            barred: prefixes(&["+1900", "979"]),
            registrar: Registrar::default(),
            host: "192.0.2.1".into(),
        }
    }

    fn prefixes(texts: &[&str]) -> Vec<Prefix> {
        texts.iter().map(|prefix| prefix.parse().unwrap()).collect()
    }

    fn placed(to: &str, from: &str) -> PlaceCall {
        let call = mixminus_control::CallRecord { to: to.into(), from: from.into(), ..samples::call() };
        PlaceCall { call, headers: vec![], credentials: None }
    }

    fn target(to: &str, trunk: Option<&str>) -> Option<String> {
        let route = dialling(trunk).route(&placed(to, "1415")).ok()?;
        route.requests.into_iter().next().map(|request| request.target)
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
    fn trunks_are_tried_by_beginning_and_order_and_are_alike_in_encryption() {
        let trunk = |host: &str, begins: &[&str], order, srtp| Trunk {
            host: host.into(),
            prefixes: prefixes(begins),
            order,
            srtp,
            ..Trunk::default()
        };
        let required = Some(SrtpPolicy::Required);
        let trunks = vec![
            trunk("any", &[], 1, None),
            trunk("late", &["+49", "+1"], 9, None),
            trunk("early", &["+1"], 2, None),
            trunk("near", &["+1415"], 5, required),
            trunk("nearer", &["+14155", "+2"], 7, required),
        ];
        let dialling = Dialling { trunks, ..dialling(None) };
        let tried = |number: &str| {
            let Route { requests, at_once, srtp } = dialling.route(&placed(number, "1")).unwrap();
            assert!(!at_once);
            let hosts = requests.iter().map(|one| one.target.rsplit_once('@').unwrap().1);
            (hosts.map(str::to_owned).collect::<Vec<_>>().join(" "), srtp)
        };
        assert_eq!(tried("+14155550100"), ("nearer near".into(), required));

        assert_eq!(tried("+4930"), ("late any".into(), None));
        assert_eq!(tried("911"), ("any".into(), None));
    }

    #[test]
    fn barred_numbers_are_called_nowhere() {
        let reason = |to| dialling(Some("t.example")).route(&placed(to, "1415")).err();
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
        assert_eq!(dialling.route(&place).err(), Some(DialError::NotRegistered));
        let binding = |contact: &str, transport| Binding {
            contact: contact.into(),
            preference: 1000,
            path: vec![],
            flow: Flow::to(PeerAddress { transport, address: ([192, 0, 2, 7], 5060).into() }),
            user_agent: String::new(),
            instance: None,
            call_id: "c".into(),
            sequence: 1,
            expires_at: Binding::ending_in(Duration::from_mins(1)),
        };
        let contacts =
            [binding("sip:b@192.0.2.7", Transport::Udp), binding("sip:b@192.0.2.8", Transport::Ws)];
        dialling.registrar.restore("bob1", contacts.into());
        let mut route = dialling.route(&place).unwrap();
        assert_eq!(route.registered_from(), None, "one is a browser");
        route.requests.truncate(1);
        assert_eq!(route.registered_from(), Some([192, 0, 2, 7].into()));
        let mut route = dialling.route(&place).unwrap();
        route.offer(&Offers { phone: "phone".into(), browser: "browser".into() });
        let Route { requests, at_once, .. } = route;
        let told: Vec<_> =
            requests.iter().map(|one| one.binding.as_ref().unwrap().contact.as_str()).collect();
        assert_eq!(told, ["sip:b@192.0.2.7", "sip:b@192.0.2.8"]);
        let call_id = ("X-Calluuid".to_owned(), place.call.id.to_string());
        assert!(at_once && requests.iter().all(|one| one.headers == [call_id.clone()]));
        let offered: Vec<_> = requests.iter().map(|one| one.offer.as_str()).collect();
        assert_eq!(offered, ["phone", "browser"]);
    }

    #[test]
    fn a_transfer_to_an_address_of_ours_leads_to_an_endpoint_or_a_number() {
        let own = ["udp:192.0.2.1:5060", "tls:192.0.2.1:5061", "udp:10.0.0.1:5080=203.0.113.7:5070"];
        let own = own.map(|listen| listen.parse().unwrap());
        let callee = |target: &str, by| dialling(None).callee(target.into(), by, &own);
        for by_endpoint in [false, true] {
            for (target, callee_is) in [
                ("sip:+1415@192.0.2.1", "+1415"),
                ("sip:%2B1415@203.0.113.7:5070;user=phone", "+1415"),
                ("sip:bob1@192.0.2.1:5061;transport=tls", "sip:bob1@phone.plivo.com"),
                ("sip:bob1@192.0.2.1:5070", "sip:bob1@192.0.2.1:5070"),
                ("sip:1415@pbx.example", "sip:1415@pbx.example"),
                ("sip:192.0.2.1", "sip:192.0.2.1"),
            ] {
                let led = callee(target, by_endpoint);
                let guessed = by_endpoint && target.ends_with("5070") && callee_is == target;
                assert_eq!(led, if guessed { "sip:bob1@phone.plivo.com" } else { callee_is }, "{target}");
            }
        }
        assert_eq!(callee("sip:1415@voice.example", true), "1415", "an endpoint's domain is ours");
        assert_eq!(callee("sip:1415@voice.example", false), "sip:1415@voice.example");
    }

    #[test]
    fn a_callees_own_credentials_go_before_the_trunks() {
        let credentials =
            |username: &str| Credentials { username: username.into(), password: "12345678".into() };
        let mut dialling = dialling(Some("t.example"));
        dialling.trunks[0].credentials = Some(credentials("trunk"));
        let own = mixminus_control::Credentials { username: "ann".into(), password: "12345678".into() };
        let place = |to, own: Option<&mixminus_control::Credentials>| {
            let place = PlaceCall { credentials: own.cloned(), ..placed(to, "1415") };
            dialling.route(&place).unwrap().requests[0].credentials.clone()
        };
        let (user, number) = ("sip:bob@pbx.example", "1416");
        assert_eq!(place(user, Some(&own)), Some(credentials("ann")));
        assert_eq!((place(user, None), place(number, None)), (None, Some(credentials("trunk"))));
        let shown = format!("{:?}", PlaceCall { credentials: Some(own), ..placed(user, "1415") });
        assert!(!shown.contains("12345678") && !shown.contains("ann\""), "{shown}");
    }

    #[test]
    fn who_calls_is_a_user_of_ours_or_a_sip_address() {
        let place = |from| dialling(None).route(&placed("sip:a@127.0.0.1", from)).unwrap();
        let from = |from| place(from).requests[0].from.clone();
        assert_eq!(from("+1415"), "sip:+1415@192.0.2.1");
        assert_eq!(from("sip:ann@h"), "sip:ann@h");
        assert_eq!(from("Ann Lee@x"), "sip:Ann%20Lee%40x@192.0.2.1");
        assert_eq!(from(""), "sip:anonymous@192.0.2.1");
    }
}
