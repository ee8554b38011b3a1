//! Where endpoints are: the contacts that they registered (RFC 3261 section 10, RFC 5626).

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rsipstack::sip::Transport;
use rsipstack::transport::{SipAddr, SipConnection};
use tokio_util::sync::CancellationToken;

use crate::PeerAddress;
use crate::listen::sip_addr;

/// Contacts that one endpoint may have; the one that would expire first makes room for another.
const MAX_CONTACTS: usize = 10;

/// The way to a contact: where its registration came from. Requests go there, whatever the contact
/// says, so that they pass address translation.
#[derive(Clone, Debug)]
pub struct Flow {
    pub(crate) address: SipAddr,
    /// Cancelled when the connection is gone; datagrams have none.
    pub(crate) connection: Option<CancellationToken>,
}

impl Flow {
    /// The way by datagrams to `peer`.
    pub fn udp(peer: SocketAddr) -> Self {
        Self::to(PeerAddress { transport: crate::Transport::Udp, address: peer })
    }

    /// The way to `peer`, by a connection that is there or can be opened.
    pub fn to(peer: PeerAddress) -> Self {
        Self { address: sip_addr(peer.transport.for_stack(), peer.address), connection: None }
    }

    /// The way back over `connection`.
    pub(crate) fn over(connection: &SipConnection) -> Option<Self> {
        let address = connection.get_remote_addr()?;
        let r#type = address.r#type.or_else(|| Some(connection.transport()));
        let connection = connection.cancel_token().filter(|_| connection.is_reliable());
        Some(Self { address: SipAddr { r#type, ..address.clone() }, connection })
    }

    /// Where it leads, if it needs no connection.
    pub fn datagram_peer(&self) -> Option<SocketAddr> {
        self.peer().filter(|_| self.address.r#type == Some(Transport::Udp))
    }

    /// Whether it is a WebSocket: what is at its end is a browser, or speaks like one.
    pub fn is_web_socket(&self) -> bool {
        matches!(self.address.r#type, Some(Transport::Ws | Transport::Wss))
    }

    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.address.get_socketaddr().ok()
    }

    fn is_open(&self) -> bool {
        !self.connection.as_ref().is_some_and(CancellationToken::is_cancelled)
    }
}

/// A contact of an endpoint.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Its URI, as it was registered.
    pub contact: String,
    /// How much it is preferred, in thousandths.
    pub preference: u16,
    /// The proxies that lead to it, the nearest first (RFC 3327).
    pub path: Vec<String>,
    /// The way to it.
    pub flow: Flow,
    /// What the phone says it is.
    pub user_agent: String,
    /// The phone, and which of its registrations this is (RFC 5626).
    pub instance: Option<(String, u32)>,
    /// Call-ID of its registrations.
    pub call_id: String,
    /// CSeq of the last of them.
    pub sequence: u32,
    /// When it ends.
    pub expires_at: Instant,
}

impl Binding {
    fn is_live(&self, now: Instant) -> bool {
        self.expires_at > now && self.flow.is_open()
    }

    /// Whether this is the same contact, maybe at another address by now.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.instance, &other.instance) {
            (Some(own), Some(other)) => own == other,
            _ => self.contact == other.contact,
        }
    }
}

/// What a REGISTER asks for.
#[derive(Debug)]
pub(crate) enum Wish {
    /// To know the contacts.
    Nothing,
    /// To have none.
    RemoveAll,
    /// To have these; those that expire at once are removed.
    Bind(Vec<Binding>),
}

/// Why a REGISTER changes nothing: its CSeq is behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfOrder;

/// The contacts of all endpoints, by user name. Whoever asks must have made sure that the user
/// exists: there is no limit on users.
#[derive(Debug, Default)]
pub(crate) struct Location {
    endpoints: HashMap<String, Vec<Binding>>,
    /// Those whose contacts changed since somebody asked.
    changed: BTreeSet<String>,
}

impl Location {
    /// Does what a REGISTER with this Call-ID and CSeq asks for, all of it or nothing.
    pub(crate) fn register(
        &mut self,
        username: &str,
        (call_id, sequence): (&str, u32),
        wish: Wish,
        now: Instant,
    ) -> Result<(), OutOfOrder> {
        let Some(bindings) = self.endpoints.get_mut(username) else {
            if let Wish::Bind(wanted) = wish {
                let wanted: Vec<_> = wanted.into_iter().filter(|binding| binding.is_live(now)).collect();
                self.put(username, wanted);
            }
            return Ok(());
        };
        let behind = |binding: &Binding| binding.call_id == call_id && binding.sequence > sequence;
        let mut kept = bindings.clone();
        kept.retain(|binding| binding.is_live(now));
        match wish {
            Wish::Nothing => return Ok(()),
            Wish::RemoveAll if kept.iter().any(behind) => return Err(OutOfOrder),
            Wish::RemoveAll => kept.clear(),
            Wish::Bind(wanted) => {
                for new in wanted {
                    let old = kept.iter().position(|binding| binding.is_same(&new));
                    if let Some(old) = old.map(|index| kept.remove(index))
                        && behind(&old)
                    {
                        return Err(OutOfOrder);
                    }
                    if new.is_live(now) {
                        kept.push(new);
                    }
                }
            }
        }
        self.put(username, kept);
        Ok(())
    }

    fn put(&mut self, username: &str, mut bindings: Vec<Binding>) {
        while bindings.len() > MAX_CONTACTS {
            let first = (0..bindings.len()).min_by_key(|index| bindings[*index].expires_at);
            bindings.remove(first.expect("there is one"));
        }
        bindings.sort_by_key(|binding| std::cmp::Reverse(binding.preference));
        if bindings.is_empty() {
            self.endpoints.remove(username);
        } else {
            self.endpoints.insert(username.to_owned(), bindings);
        }
        self.changed.insert(username.to_owned());
    }

    /// The contacts of an endpoint, those that it prefers first.
    pub(crate) fn bindings(&self, username: &str, now: Instant) -> Vec<Binding> {
        let bindings = self.endpoints.get(username).into_iter().flatten();
        bindings.filter(|binding| binding.is_live(now)).cloned().collect()
    }

    pub(crate) fn is_registered(&self, username: &str, now: Instant) -> bool {
        self.endpoints.get(username).is_some_and(|bindings| bindings.iter().any(|one| one.is_live(now)))
    }

    /// Takes in contacts that were kept elsewhere.
    pub(crate) fn restore(&mut self, username: &str, bindings: Vec<Binding>) {
        self.endpoints.insert(username.to_owned(), bindings);
    }

    pub(crate) fn forget(&mut self, username: &str) {
        if self.endpoints.remove(username).is_some() {
            self.changed.insert(username.to_owned());
        }
    }

    /// Drops contacts that are over and names the endpoints whose contacts changed since the last time.
    pub(crate) fn changes(&mut self, now: Instant) -> BTreeSet<String> {
        self.endpoints.retain(|username, bindings| {
            let before = bindings.len();
            bindings.retain(|binding| binding.is_live(now));
            if bindings.len() < before {
                self.changed.insert(username.clone());
            }
            !bindings.is_empty()
        });
        std::mem::take(&mut self.changed)
    }
}

/// The length of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The shortest; who asks for less is refused with 423.
    pub min: Duration,
    /// The longest; who asks for more gets this.
    pub max: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::tests::now;

    const HOUR: Duration = Duration::from_hours(1);

    fn binding(contact: &str, sequence: u32, expires_at: Instant) -> Binding {
        Binding {
            contact: contact.into(),
            preference: 1000,
            path: vec![],
            flow: Flow::udp(([192, 0, 2, 1], 5060).into()),
            user_agent: "phone".into(),
            instance: None,
            call_id: "c".into(),
            sequence,
            expires_at,
        }
    }

    fn contacts(location: &Location, now: Instant) -> Vec<String> {
        location.bindings("bob", now).into_iter().map(|binding| binding.contact).collect()
    }

    fn bind(location: &mut Location, wanted: Vec<Binding>, now: Instant) -> Result<(), OutOfOrder> {
        let sequence = wanted[0].sequence;
        location.register("bob", ("c", sequence), Wish::Bind(wanted), now)
    }

    #[test]
    fn contacts_are_there_until_they_expire() {
        let (mut location, now) = (Location::default(), now());
        bind(
            &mut location,
            vec![binding("sip:a@h", 1, now + HOUR), binding("sip:b@h", 1, now + 2 * HOUR)],
            now,
        )
        .unwrap();
        assert_eq!(contacts(&location, now), ["sip:a@h", "sip:b@h"]);
        assert_eq!(contacts(&location, now + HOUR), ["sip:b@h"]);
        assert!(location.is_registered("bob", now) && !location.is_registered("bob", now + 2 * HOUR));
        assert!(!location.is_registered("al", now));
        assert_eq!(location.changes(now).len(), 1);
        assert_eq!(location.changes(now).len(), 0);
        assert_eq!(location.changes(now + HOUR).len(), 1);
        assert_eq!(location.changes(now + 2 * HOUR).len(), 1);
        assert!(location.endpoints.is_empty());
    }

    #[test]
    fn what_is_preferred_comes_first() {
        let (mut location, now) = (Location::default(), now());
        let less = Binding { preference: 500, ..binding("sip:a@h", 1, now + HOUR) };
        bind(&mut location, vec![less, binding("sip:b@h", 1, now + HOUR)], now).unwrap();
        assert_eq!(contacts(&location, now), ["sip:b@h", "sip:a@h"]);
    }

    #[test]
    fn a_contact_is_renewed_and_removed_in_the_order_of_its_requests() {
        let (mut location, now) = (Location::default(), now());
        bind(&mut location, vec![binding("sip:a@h", 2, now + HOUR)], now).unwrap();
        assert_eq!(bind(&mut location, vec![binding("sip:a@h", 1, now)], now), Err(OutOfOrder));
        bind(&mut location, vec![binding("sip:a@h", 3, now + 2 * HOUR)], now).unwrap();
        assert_eq!(contacts(&location, now + HOUR), ["sip:a@h"]);
        assert_eq!(location.register("bob", ("c", 2), Wish::RemoveAll, now), Err(OutOfOrder));
        let other_call = Binding { call_id: "d".into(), ..binding("sip:a@h", 1, now) };
        location.register("bob", ("d", 1), Wish::Bind(vec![other_call]), now).unwrap();
        assert_eq!(contacts(&location, now), [""; 0]);
    }

    #[test]
    fn a_refused_request_changes_nothing() {
        let (mut location, now) = (Location::default(), now());
        bind(&mut location, vec![binding("sip:a@h", 5, now + HOUR)], now).unwrap();
        let mixed = vec![binding("sip:b@h", 4, now + HOUR), binding("sip:a@h", 4, now + HOUR)];
        assert_eq!(bind(&mut location, mixed, now), Err(OutOfOrder));
        assert_eq!(contacts(&location, now), ["sip:a@h"]);
    }

    #[test]
    fn all_contacts_are_removed_at_once() {
        let (mut location, now) = (Location::default(), now());
        bind(&mut location, vec![binding("sip:a@h", 1, now + HOUR), binding("sip:b@h", 1, now + HOUR)], now)
            .unwrap();
        location.register("bob", ("c", 2), Wish::RemoveAll, now).unwrap();
        assert_eq!(contacts(&location, now), [""; 0]);
    }

    #[test]
    fn a_phone_that_comes_back_elsewhere_is_the_same_contact() {
        let (mut location, now) = (Location::default(), now());
        let instance = Some(("<urn:uuid:1>".to_owned(), 1));
        let at = |contact| Binding { instance: instance.clone(), ..binding(contact, 1, now + HOUR) };
        bind(&mut location, vec![at("sip:x1@a.invalid")], now).unwrap();
        bind(&mut location, vec![at("sip:x2@b.invalid")], now).unwrap();
        assert_eq!(contacts(&location, now), ["sip:x2@b.invalid"]);
    }

    #[test]
    fn a_contact_is_gone_with_its_connection() {
        let (mut location, now) = (Location::default(), now());
        let open = CancellationToken::new();
        let address =
            SipAddr { r#type: Some(Transport::Tcp), ..Flow::udp(([192, 0, 2, 1], 1).into()).address };
        let flow = Flow { address, connection: Some(open.clone()) };
        assert_eq!(flow.datagram_peer(), None);
        bind(&mut location, vec![Binding { flow, ..binding("sip:a@h", 1, now + HOUR) }], now).unwrap();
        assert!(location.is_registered("bob", now));
        open.cancel();
        assert!(!location.is_registered("bob", now));
    }

    #[test]
    fn the_contact_that_would_end_first_makes_room() {
        let (mut location, now) = (Location::default(), now());
        for number in 0..=MAX_CONTACTS as u32 {
            let contact = format!("sip:{number}@h");
            bind(
                &mut location,
                vec![binding(&contact, 1, now + HOUR + Duration::from_secs(number.into()))],
                now,
            )
            .unwrap();
        }
        let contacts = contacts(&location, now);
        assert_eq!(contacts.len(), MAX_CONTACTS);
        assert!(!contacts.contains(&"sip:0@h".to_owned()));
    }
}
