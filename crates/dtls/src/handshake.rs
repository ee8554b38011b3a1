//! One handshake, with everybody who says to be the far end.

use std::collections::VecDeque;
use std::fmt::{self, Debug};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use mixminus_rtp::srtp::{Fingerprint, SrtpKey, SrtpKeys, SrtpSuite};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_dtls::state::State;
use rtc_shared::TransportProtocol;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::Identity;
use crate::identity::fingerprint;

/// Addresses that a handshake is held with at a time. A far end has one; the others are somebody who would be it,
/// and cannot keep it from being heard by speaking first.
const MAX_PEERS: usize = 4;

/// How often an address is sent a flight again because it repeats its own: nobody has proved to be there.
const MAX_REPEATS: u32 = 8;

/// The label of the keys (RFC 5764, section 4.2).
const LABEL: &str = "EXTRACTOR-dtls_srtp";

/// Who begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We do, with the far end at this address (`a=setup:active`).
    Active(SocketAddr),
    /// The far end does (`a=setup:passive`).
    Passive,
}

/// Why a handshake came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HandshakeError {
    /// It showed another certificate than signalling said.
    #[error("the certificate is not the one that signalling told of")]
    Certificate,
    /// There is no protection that both speak.
    #[error("no common protection profile")]
    Profile,
    /// It does not speak DTLS as we do.
    #[error("DTLS: {0}")]
    Protocol(String),
}

/// What comes of a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing that matters to anybody else.
    Nothing,
    /// The keys that were agreed on; they come each time that is confirmed.
    Keys(SrtpKeys),
    /// With whom they were agreed on said goodbye, in a way that nobody else can.
    Goodbye,
}

/// An address that a handshake is held with.
#[derive(Debug)]
struct Peer {
    address: SocketAddr,
    /// Number of the newest message that came from there.
    newest: Option<u16>,
    /// What was sent there last.
    flight: Vec<Vec<u8>>,
    /// How often that was sent again.
    repeated: u32,
    /// Whether there are keys.
    agreed: bool,
}

impl Peer {
    fn new(address: SocketAddr, newest: Option<u16>) -> Self {
        Self { address, newest, flight: Vec::new(), repeated: 0, agreed: false }
    }
}

/// A handshake that leads to the keys of a call.
pub struct Handshake {
    endpoint: Endpoint,
    expected: Fingerprint,
    peers: Vec<Peer>,
    outgoing: VecDeque<(SocketAddr, Vec<u8>)>,
    is_active: bool,
}

impl Handshake {
    /// A handshake as `identity` with who has the certificate of that fingerprint.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Protocol`] when it cannot begin.
    pub fn new(
        identity: &Identity,
        role: Role,
        expected: Fingerprint,
        now: Instant,
    ) -> Result<Self, HandshakeError> {
        let is_active = matches!(role, Role::Active(_));
        let accepting = (!is_active).then(|| identity.accepting.clone());
        let local = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let mut handshake = Self {
            endpoint: Endpoint::new(local, TransportProtocol::UDP, accepting),
            expected,
            peers: Vec::new(),
            outgoing: VecDeque::new(),
            is_active,
        };
        if let Role::Active(peer) = role {
            let began = handshake.endpoint.connect(now, peer, identity.calling.clone(), None);
            began.map_err(|error| protocol(&error))?;
            handshake.peers.push(Peer::new(peer, None));
            handshake.collect();
        }
        Ok(handshake)
    }

    /// Takes a datagram from `source`.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`]: with `source` there will be no keys. Others may still be the far end.
    pub fn receive(
        &mut self,
        now: Instant,
        source: SocketAddr,
        datagram: &[u8],
    ) -> Result<Heard, HandshakeError> {
        let Some(repeats) = self.repeats(source, datagram) else { return Ok(Heard::Nothing) };
        let events = match self.endpoint.read(now, source, None, datagram.into()) {
            Ok(events) => events,
            Err(error) => {
                self.collect();
                self.forget(now, source);
                return Err(protocol(&error));
            }
        };
        if !self.collect() && repeats {
            self.repeat(source);
        }
        if events.iter().any(|event| matches!(event, EndpointEvent::PeerClosed)) {
            let gone = self.peers.iter().position(|peer| peer.address == source);
            let agreed = gone.is_some_and(|gone| self.peers.remove(gone).agreed);
            return Ok(if agreed { Heard::Goodbye } else { Heard::Nothing });
        }
        let complete = events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete));
        let state = self.endpoint.get_connection_state(source).filter(|_| complete);
        match state.map(|state| keys(state, self.expected)).transpose() {
            Ok(None) => Ok(Heard::Nothing),
            Ok(Some(keys)) => {
                if let Some(peer) = self.peers.iter_mut().find(|peer| peer.address == source) {
                    peer.agreed = true;
                }
                Ok(Heard::Keys(keys))
            }
            Err(error) => {
                self.forget(now, source);
                Err(error)
            }
        }
    }

    /// Says goodbye to everybody.
    pub fn close(&mut self, now: Instant) {
        while let Some(peer) = self.peers.first() {
            self.forget(now, peer.address);
        }
    }

    /// Whether a datagram from `source` says something again; none if nothing is to be taken from there.
    fn repeats(&mut self, source: SocketAddr, datagram: &[u8]) -> Option<bool> {
        let number = message_number(datagram);
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.address == source) {
            let repeats = number.is_some() && number <= peer.newest;
            peer.newest = peer.newest.max(number);
            return Some(repeats);
        }
        let welcome = !self.is_active && self.peers.len() < MAX_PEERS;
        welcome.then(|| {
            self.peers.push(Peer::new(source, number));
            false
        })
    }

    /// Sends the last flight to `peer` again: it has not got it, or it would not repeat itself (RFC 6347, section
    /// 4.2.4). The library does not, and forgets its timer for what it cannot use.
    fn repeat(&mut self, peer: SocketAddr) {
        if let Some(peer) =
            self.peers.iter_mut().find(|other| other.address == peer && other.repeated < MAX_REPEATS)
        {
            peer.repeated += 1;
            self.outgoing.extend(peer.flight.iter().map(|datagram| (peer.address, datagram.clone())));
        }
    }

    /// Takes what the library wants sent. Returns whether it is anything.
    fn collect(&mut self) -> bool {
        let mut flights: Vec<(SocketAddr, Vec<u8>)> = Vec::new();
        while let Some(message) = self.endpoint.poll_transmit() {
            flights.push((message.transport.peer_addr, message.message.to_vec()));
        }
        for peer in &mut self.peers {
            let flight = flights.iter().filter(|(to, _)| *to == peer.address);
            let flight: Vec<_> = flight.map(|(_, datagram)| datagram.clone()).collect();
            if !flight.is_empty() {
                peer.flight = flight;
            }
        }
        let any = !flights.is_empty();
        self.outgoing.extend(flights);
        any
    }

    /// The next datagram to be sent, and to whom.
    pub fn next_datagram(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.outgoing.pop_front()
    }

    /// When [`Self::on_timeout`] is due.
    pub fn timeout(&self) -> Option<Instant> {
        self.peers.iter().filter_map(|peer| self.endpoint.poll_timeout(&peer.address)).min()
    }

    /// Repeats what was not answered.
    pub fn on_timeout(&mut self, now: Instant) {
        let peers: Vec<_> = self.peers.iter().map(|peer| peer.address).collect();
        for peer in peers {
            if self.endpoint.handle_timeout(peer, now).is_err() {
                self.forget(now, peer);
            }
        }
        self.collect();
    }

    fn forget(&mut self, now: Instant, peer: SocketAddr) {
        drop(self.endpoint.stop(now, peer));
        self.collect();
        self.peers.retain(|other| other.address != peer);
    }
}

impl Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("peers", &self.peers).finish_non_exhaustive()
    }
}

/// The number of the handshake message at the beginning of a datagram that is not encrypted (RFC 6347, sections
/// 4.1 and 4.2.2).
fn message_number(datagram: &[u8]) -> Option<u16> {
    const HANDSHAKE: u8 = 22;
    match datagram {
        [HANDSHAKE, _, _, 0, 0, rest @ ..] => Some(u16::from_be_bytes([*rest.get(12)?, *rest.get(13)?])),
        _ => None,
    }
}

fn protocol(error: &rtc_shared::error::Error) -> HandshakeError {
    HandshakeError::Protocol(error.to_string())
}

/// The keys of a handshake that is complete.
fn keys(state: &State, expected: Fingerprint) -> Result<SrtpKeys, HandshakeError> {
    let shown = state.peer_certificates.first().map(|certificate| fingerprint(certificate));
    if shown != Some(expected) {
        return Err(HandshakeError::Certificate);
    }
    let suite = match state.srtp_protection_profile() {
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => SrtpSuite::AesCm128HmacSha1_80,
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32 => SrtpSuite::AesCm128HmacSha1_32,
        SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => SrtpSuite::AeadAes128Gcm,
        SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => SrtpSuite::AeadAes256Gcm,
        _ => return Err(HandshakeError::Profile),
    };
    let (key, salt) = (suite.key_bytes(), suite.salt_bytes());
    let material = state.export_keying_material(LABEL, &[], 2 * (key + salt));
    let material = material.map_err(|error| protocol(&error))?;
    // Keys of client and server, then their salts.
    let (keys, salts) = material.as_ref().split_at(2 * key);
    let of = |place: usize| {
        let bytes = Zeroizing::new([&keys[place * key..][..key], &salts[place * salt..][..salt]].concat());
        SrtpKey::new(suite, &bytes).expect("as many bytes as the suite takes")
    };
    let (client, server) = (of(0), of(1));
    Ok(if state.is_client() {
        SrtpKeys { inbound: server, outbound: client }
    } else {
        SrtpKeys { inbound: client, outbound: server }
    })
}
