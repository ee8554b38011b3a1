//! Checks as browsers send them, and as those do who would be one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mixminus_ice::{Agent, CONSENT, Credentials, Received, is_stun};
use proptest::prelude::*;
use rtc_crypto::default_provider;
use rtc_stun::attributes::{
    ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME, AttrType,
};
use rtc_stun::error_code::{CODE_ROLE_CONFLICT, ErrorCodeAttribute};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, Getter, Message, Setter, TransactionId,
};
use rtc_stun::xoraddr::XorMappedAddress;

/// The request of RFC 5769, section 2.1; its sender believes that it is controlled.
const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74\
    002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020\
    000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
/// The mapped address of its response, section 2.2: 192.0.2.1:32853.
const MAPPED: &str = "002000080001a147e112a643";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn ours() -> Credentials {
    Credentials::new("evtj", "VOkJxbRl1RmTxUk/WvJxBt").unwrap()
}

fn agent() -> Agent {
    Agent::new(ours(), "h6vY")
}

#[expect(clippy::disallowed_methods, reason = "an origin for simulated time")]
fn now() -> Instant {
    Instant::now()
}

fn at(port: u16) -> SocketAddr {
    ([192, 0, 2, 1], port).into()
}

const NOMINATING: &[AttrType] = &[ATTR_ICE_CONTROLLING, ATTR_USE_CANDIDATE];
const CHECKING: &[AttrType] = &[ATTR_ICE_CONTROLLING];

/// A check with the number `n`.
fn check(n: u8, name: &str, password: &str, attributes: &[AttrType]) -> Vec<u8> {
    let crypto = default_provider().unwrap();
    let mut message = Message::new();
    message.build(&[Box::new(BINDING_REQUEST), Box::new(TransactionId([n; 12]))]).unwrap();
    message.add(ATTR_USERNAME, name.as_bytes());
    message.add(ATTR_PRIORITY, &[0x6e, 0, 1, 0xff]);
    for attribute in attributes {
        let value: &[u8] = if *attribute == ATTR_USE_CANDIDATE { &[] } else { &[7; 8] };
        message.add(*attribute, value);
    }
    let proof = MessageIntegrity::new_raw_integrity_with_provider(password, crypto.crypto());
    proof.add_to(&mut message).unwrap();
    FINGERPRINT.add_to(&mut message).unwrap();
    message.raw
}

fn good(n: u8, attributes: &[AttrType]) -> Vec<u8> {
    check(n, "evtj:h6vY", ours().password(), attributes)
}

/// Reads a reply of ours as a browser does.
fn read(reply: &[u8], password: &str) -> Message {
    let crypto = default_provider().unwrap();
    let mut message = Message::new();
    message.unmarshal_binary(reply).unwrap();
    FINGERPRINT.check(&message).unwrap();
    MessageIntegrity::check(&mut message, password.as_bytes(), crypto.crypto()).unwrap();
    message
}

#[test]
fn a_check_is_answered_with_where_it_came_from() {
    let mut agent = agent();
    let Received { reply, selected } = agent.receive(now(), at(4_000), &good(1, CHECKING));
    assert_eq!(selected, None, "nobody has said that this way is to be used");
    let reply = read(&reply.unwrap(), ours().password());
    assert_eq!((reply.typ, reply.transaction_id), (BINDING_SUCCESS, TransactionId([1; 12])));
    let mut mapped = XorMappedAddress::default();
    mapped.get_from(&reply).unwrap();
    assert_eq!((mapped.ip, mapped.port), (at(4_000).ip(), 4_000));
    assert!(agent.admits(at(4_000)) && !agent.admits(at(4_001)));
    assert_eq!(agent.selected(), None);
}

#[test]
fn the_way_that_is_nominated_is_used_and_the_next_one_after_it() {
    let mut agent = agent();
    agent.receive(now(), at(4_000), &good(1, CHECKING));
    let moved = |agent: &mut Agent, n, port| agent.receive(now(), at(port), &good(n, NOMINATING)).selected;
    assert_eq!(moved(&mut agent, 2, 4_001), Some(at(4_001)));
    assert_eq!(moved(&mut agent, 3, 4_001), None, "it is there already");
    assert_eq!(moved(&mut agent, 4, 5_000), Some(at(5_000)), "another network");
    assert_eq!(agent.selected(), Some(at(5_000)));
}

#[test]
fn the_vectors_of_rfc_5769_are_understood() {
    let request = hex(REQUEST);
    let reply = agent().receive(now(), at(32_853), &request).reply.unwrap();
    let reply = read(&reply, ours().password());
    let mut error = ErrorCodeAttribute::default();
    error.get_from(&reply).unwrap();
    assert!(reply.typ == BINDING_ERROR && error.code == CODE_ROLE_CONFLICT);
    let crypto = default_provider().unwrap();
    let mut same = Message::new();
    let transaction = TransactionId(request[8..20].try_into().unwrap());
    same.build(&[Box::new(BINDING_REQUEST), Box::new(transaction)]).unwrap();
    same.add(ATTR_USERNAME, b"evtj:h6vY");
    let proof = MessageIntegrity::new_raw_integrity_with_provider(ours().password(), crypto.crypto());
    proof.add_to(&mut same).unwrap();
    FINGERPRINT.add_to(&mut same).unwrap();
    let accepted = agent().receive(now(), at(32_853), &same.raw).reply.unwrap();
    assert!(accepted.windows(12).any(|attribute| attribute == hex(MAPPED)));
}

#[test]
fn who_believes_that_we_choose_is_told_otherwise_and_not_followed() {
    let mut agent = agent();
    let conflicting = good(1, &[ATTR_ICE_CONTROLLED, ATTR_USE_CANDIDATE]);
    let received = agent.receive(now(), at(4_000), &conflicting);
    assert_eq!(read(&received.reply.unwrap(), ours().password()).typ, BINDING_ERROR);
    assert_eq!((received.selected, agent.admits(at(4_000))), (None, false));
}

#[test]
fn without_the_right_names_and_password_there_is_no_reply() {
    let password = ours().password().to_owned();
    let mut other = password.clone();
    other.replace_range(0..1, "v");
    let mut changed = good(1, NOMINATING);
    changed[31] ^= 1;
    let mut longer = good(1, NOMINATING);
    longer.push(0);
    let mut unproved = Message::new();
    unproved.build(&[Box::new(BINDING_REQUEST), Box::new(TransactionId([1; 12]))]).unwrap();
    unproved.add(ATTR_USERNAME, b"evtj:h6vY");
    FINGERPRINT.add_to(&mut unproved).unwrap();
    let mut oversize = good(1, NOMINATING);
    oversize.resize(65_000, 0);
    let mut response = good(1, NOMINATING);
    response[0] = 1;
    let mut agent = agent();
    for datagram in [
        check(1, "evtj:h6vY", &other, NOMINATING),
        check(1, "evtj:h6v", &password, NOMINATING),
        check(1, "evtj:h6vYY", &password, NOMINATING),
        check(1, "h6vY:evtj", &password, NOMINATING),
        check(1, "evtj", &password, NOMINATING),
        check(1, "", &password, NOMINATING),
        good(1, NOMINATING)[..good(1, NOMINATING).len() - 8].to_vec(),
        unproved.raw,
        changed,
        longer,
        oversize,
        response,
        Vec::new(),
    ] {
        assert_eq!(agent.receive(now(), at(4_000), &datagram), Received::default());
        assert!(!agent.admits(at(4_000)));
    }
}

#[test]
fn what_stands_behind_the_proof_is_not_believed() {
    let mut message = Message::new();
    message.unmarshal_binary(&good(1, CHECKING)).unwrap();
    let mut forged = Message::new();
    forged.build(&[Box::new(BINDING_REQUEST), Box::new(TransactionId([1; 12]))]).unwrap();
    for attribute in &message.attributes.0[..message.attributes.0.len() - 1] {
        forged.add(attribute.typ, &attribute.value);
    }
    forged.add(ATTR_USE_CANDIDATE, &[]);
    FINGERPRINT.add_to(&mut forged).unwrap();
    let mut agent = agent();
    let received = agent.receive(now(), at(4_000), &forged.raw);
    assert!(received.reply.is_some() && agent.selected().is_none());
}

#[test]
fn a_check_sent_again_from_elsewhere_moves_nobody() {
    let mut agent = agent();
    let seen = good(1, NOMINATING);
    agent.receive(now(), at(4_000), &seen);
    assert_eq!(agent.receive(now(), at(6_666), &seen), Received::default());
    assert!(!agent.admits(at(6_666)));
    assert_eq!(agent.selected(), Some(at(4_000)));
    assert!(agent.receive(now(), at(4_000), &seen).reply.is_some(), "its reply was lost");
}

#[test]
fn a_far_end_that_is_silent_for_half_a_minute_is_gone() {
    let (mut agent, start) = (agent(), now());
    assert!(!agent.is_gone(start + CONSENT * 10), "it was never there");
    agent.receive(start, at(4_000), &good(1, NOMINATING));
    agent.receive(start + CONSENT / 2, at(4_001), &good(2, CHECKING));
    assert!(!agent.is_gone(start + Duration::from_millis(29_999)));
    assert!(agent.is_gone(start + CONSENT), "another way is not the one that is used");
    agent.receive(start + CONSENT, at(4_000), &good(3, CHECKING));
    assert!(!agent.is_gone(start + Duration::from_millis(59_999)));
}

#[test]
fn after_a_restart_the_far_end_stays_where_it_is_until_it_is_found_anew() {
    let mut agent = agent();
    agent.receive(now(), at(4_000), &good(1, NOMINATING));
    let next = Credentials::new("next", "another password, as long").unwrap();
    agent.restart(next.clone(), "their");
    assert!(agent.is_between(&next, "their") && !agent.is_between(&ours(), "h6vY"));
    let old = agent.receive(now(), at(4_001), &good(2, NOMINATING));
    assert!(old.reply.is_some() && old.selected.is_none());
    assert_eq!(agent.selected(), Some(at(4_000)));
    let found = check(3, "next:their", next.password(), NOMINATING);
    assert_eq!(agent.receive(now(), at(5_000), &found).selected, Some(at(5_000)));
    assert_eq!(agent.receive(now(), at(4_000), &good(4, NOMINATING)), Received::default());
}

#[test]
fn no_more_ways_are_remembered_than_a_far_end_has_and_the_one_in_use_always_is() {
    let mut agent = agent();
    agent.receive(now(), at(4_000), &good(0, NOMINATING));
    for n in 1..=100 {
        agent.receive(now(), at(4_000 + u16::from(n)), &good(n, CHECKING));
    }
    let admitted: Vec<_> = (0..=100).filter(|n| agent.admits(at(4_000 + n))).collect();
    assert_eq!(admitted, [0, 94, 95, 96, 97, 98, 99, 100]);
}

proptest! {
    #[test]
    fn nobody_without_the_password_gets_in(
        datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
        flips in prop::collection::vec((0_usize..120, 1_u8..=255), 1..4),
    ) {
        let mut agent = agent();
        let mut changed = good(1, NOMINATING);
        let whole = changed.clone();
        for (place, flip) in flips {
            let place = place % changed.len();
            changed[place] ^= flip;
        }
        let stun = datagrams.iter().map(|datagram| {
            let mut stun = hex(REQUEST)[..20].to_vec();
            stun[2..4].copy_from_slice(&(datagram.len() as u16).to_be_bytes());
            [stun, datagram.clone()].concat()
        });
        let stun: Vec<_> = stun.collect();
        let changed = [changed].into_iter().filter(|changed| *changed != whole);
        for datagram in datagrams.into_iter().chain(stun).chain(changed) {
            prop_assert_eq!(agent.receive(now(), at(4_000), &datagram), Received::default());
        }
        prop_assert!(!agent.admits(at(4_000)));
    }
}

#[test]
fn stun_is_told_from_media_and_from_handshakes_by_its_first_byte() {
    assert!(is_stun(&good(1, CHECKING)) && is_stun(&hex(REQUEST)));
    assert!(!is_stun(&[]) && !is_stun(&[0x80, 0]) && !is_stun(&[22, 254]));
}
