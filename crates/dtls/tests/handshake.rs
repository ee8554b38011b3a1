//! Handshakes of two ends over a network that we are.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mixminus_dtls::{Handshake, HandshakeError, Heard, Identity, Role};
use mixminus_rtp::srtp::{Fingerprint, SrtpKeys};
use proptest::prelude::*;

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// One end: its handshake, its address, and what came of it.
struct End {
    handshake: Handshake,
    address: SocketAddr,
    keys: Option<SrtpKeys>,
    error: Option<HandshakeError>,
    /// Whether the other end said goodbye.
    left: bool,
}

impl End {
    fn new(identity: &Identity, role: Role, expected: Fingerprint, port: u16, now: Instant) -> Self {
        let handshake = Handshake::new(identity, role, expected, now).unwrap();
        Self { handshake, address: address(port), keys: None, error: None, left: false }
    }

    fn hear(&mut self, now: Instant, source: SocketAddr, datagram: &[u8]) {
        match self.handshake.receive(now, source, datagram) {
            Ok(Heard::Keys(keys)) => self.keys = Some(keys),
            Ok(Heard::Goodbye) => self.left = true,
            Ok(Heard::Nothing) => {}
            Err(error) => self.error = Some(error),
        }
    }
}

/// Carries datagrams between the ends, less those whose number is in `lost`, for a minute at most.
fn carry(ends: &mut [End], mut now: Instant, lost: &[usize]) {
    let mut number = 0;
    for _ in 0..600 {
        let mut quiet = true;
        for from in 0..ends.len() {
            while let Some((to, datagram)) = ends[from].handshake.next_datagram() {
                quiet = false;
                number += 1;
                let source = ends[from].address;
                if !lost.contains(&number)
                    && let Some(end) = ends.iter_mut().find(|end| end.address == to)
                {
                    end.hear(now, source, &datagram);
                }
            }
        }
        if quiet && ends.iter().all(|end| end.keys.is_some() || end.error.is_some()) {
            return;
        }
        now += Duration::from_millis(100);
        for end in ends.iter_mut() {
            end.handshake.on_timeout(now);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "an origin for simulated time")]
fn now() -> Instant {
    Instant::now()
}

fn pair(expected: [Fingerprint; 2], identities: &[Identity; 2]) -> [End; 2] {
    let active = End::new(&identities[0], Role::Active(address(2)), expected[1], 1, now());
    let passive = End::new(&identities[1], Role::Passive, expected[0], 2, now());
    [active, passive]
}

fn identities() -> [Identity; 2] {
    [(); 2].map(|()| Identity::generate().unwrap())
}

#[test]
fn both_ends_come_to_the_same_keys() {
    let identities = identities();
    let mut ends = pair([0, 1].map(|n: usize| identities[n].fingerprint()), &identities);
    carry(&mut ends, now(), &[]);
    let [active, passive] = ends.map(|end| end.keys.unwrap());
    assert_eq!((&active.inbound, &active.outbound), (&passive.outbound, &passive.inbound));
    assert_ne!(active.inbound, active.outbound);
}

#[test]
fn whoever_shows_another_certificate_gets_no_keys_whichever_end_began() {
    let identities = identities();
    let [first, second] = [0, 1].map(|n: usize| identities[n].fingerprint());
    let other = Fingerprint([7; 32]);
    let mut ends = pair([first, other], &identities);
    carry(&mut ends, now(), &[]);
    assert_eq!((&ends[0].keys, &ends[0].error), (&None, &Some(HandshakeError::Certificate)));
    let mut ends = pair([other, second], &identities);
    carry(&mut ends, now(), &[]);
    assert_eq!((&ends[1].keys, &ends[1].error), (&None, &Some(HandshakeError::Certificate)));
}

#[test]
fn somebody_who_speaks_first_does_not_keep_the_far_end_out() {
    let identities = identities();
    let [first, second] = [0, 1].map(|n: usize| identities[n].fingerprint());
    let stranger = Identity::generate().unwrap();
    let [mut active, mut passive] = pair([first, second], &identities);
    let mut attacker = End::new(&stranger, Role::Active(address(2)), second, 3, now());
    let mut begun = [&mut attacker, &mut active].map(|end| end.handshake.next_datagram().unwrap().1);
    begun[0].truncate(60);
    for port in 4..20 {
        passive.hear(now(), address(port), &begun[0]);
        passive.hear(now(), address(port), &[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40]);
    }
    passive.hear(now(), active.address, &begun[1]);
    let mut ends = [active, passive, attacker];
    carry(&mut ends, now(), &[]);
    assert!(ends[0].keys.is_some() && ends[1].keys.is_some());
    assert_eq!(
        ends[0].keys.as_ref().map(|keys| &keys.inbound),
        ends[1].keys.as_ref().map(|keys| &keys.outbound)
    );
}

#[test]
fn goodbye_is_believed_if_it_comes_from_who_has_the_keys() {
    let identities = identities();
    let mut ends = pair([0, 1].map(|n: usize| identities[n].fingerprint()), &identities);
    // An alert that nobody encrypted: close_notify.
    let forged = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0];
    let stranger = Identity::generate().unwrap();
    let mut early = End::new(&stranger, Role::Passive, identities[0].fingerprint(), 9, now());
    early.hear(now(), address(2), &forged);
    assert!(!early.left, "there was no agreement yet");
    carry(&mut ends, now(), &[]);
    let [active, passive] = &mut ends;
    passive.hear(now(), active.address, &forged);
    assert!(!passive.left);
    active.handshake.close(now());
    let goodbye: Vec<_> = std::iter::from_fn(|| active.handshake.next_datagram()).collect();
    for (_, datagram) in &goodbye {
        passive.hear(now(), active.address, datagram);
    }
    assert!(passive.left && goodbye.len() == 1, "{goodbye:?}");
}

#[test]
fn what_is_lost_is_sent_again() {
    let identities = identities();
    let expected = [0, 1].map(|n: usize| identities[n].fingerprint());
    for lost in 1..8 {
        let mut ends = pair(expected, &identities);
        carry(&mut ends, now(), &[lost]);
        let told = ends.each_ref().map(|end| (end.keys.is_some(), end.error.clone()));
        assert_eq!(told, [(true, None), (true, None)], "datagram {lost} lost");
    }
}

proptest! {
    #[test]
    fn no_datagram_panics(datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..20)) {
        let identity = Identity::generate().unwrap();
        let mut end = End::new(&identity, Role::Passive, identity.fingerprint(), 1, now());
        for (n, mut datagram) in datagrams.into_iter().enumerate() {
            if n % 2 == 0 && datagram.len() > 13 {
                let length = datagram.len() - 13;
                datagram[..3].copy_from_slice(&[20 + (n % 4) as u8, 254, 253]);
                datagram[11..13].copy_from_slice(&(length as u16).to_be_bytes());
            }
            end.hear(now(), address(2), &datagram);
            prop_assert!(end.keys.is_none());
        }
    }
}
