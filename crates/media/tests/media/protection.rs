//! Whom a leg with SRTP hears, and who hears it.

use mixminus_media::{Direction, Media, RemoteMedia, Security, Whereabouts};
use mixminus_rtp::srtp::SrtpSuite;

use crate::far_end::{FarEnd, eventually, install, srtp_keys, start, talk};

const SUITE: SrtpSuite = SrtpSuite::AesCm128HmacSha1_80;

fn forged(media: &Media) -> u64 {
    media.counters().traffic.forged
}

#[test]
fn legs_with_and_without_protection_hear_each_other() {
    let (media, _events) = start(1);
    let [mut plain, mut first, mut second] = [400.0, 700.0, 1_000.0].map(|tone| FarEnd::call(&media, tone));
    for (n, suite) in SrtpSuite::ALL.into_iter().enumerate() {
        first.protect(&media, srtp_keys(suite, n as u8));
        second.protect(&media, srtp_keys(SrtpSuite::ALL[4 - n], 40 + n as u8));
        install(&media, 0, &[plain.leg, first.leg, second.leg], &[]);
        talk([&mut plain, &mut first, &mut second], 40);
        assert!(plain.hears(700.0) && plain.hears(1_000.0) && !plain.hears(400.0), "{suite:?}");
        assert!(first.hears(400.0) && first.hears(1_000.0) && !first.hears(700.0), "{suite:?}");
        assert!(second.hears(400.0) && second.hears(700.0) && !second.hears(1_000.0), "{suite:?}");
    }
}

#[test]
fn what_is_not_protected_is_not_heard_by_a_leg_that_agreed_on_it() {
    let (media, _events) = start(1);
    let [mut listener, mut plain] = [400.0, 700.0].map(|tone| FarEnd::call(&media, tone));
    let security = Security::Srtp(srtp_keys(SUITE, 1));
    media.set_remote(plain.leg, RemoteMedia { security, ..plain.remote() });
    install(&media, 0, &[listener.leg, plain.leg], &[]);
    plain.deaf = true;
    talk([&mut listener, &mut plain], 40);
    assert!(!listener.hears(700.0));
    assert!(forged(&media) >= 30, "{}", forged(&media));
}

#[test]
fn nothing_is_sent_or_taken_before_there_are_keys() {
    let (media, _events) = start(1);
    let [mut listener, mut waiting] = [400.0, 700.0].map(|tone| FarEnd::call(&media, tone));
    media.set_remote(waiting.leg, RemoteMedia { security: Security::Awaited, ..waiting.remote() });
    install(&media, 0, &[listener.leg, waiting.leg], &[]);
    talk([&mut listener, &mut waiting], 30);
    assert!(!listener.hears(700.0) && waiting.packets.is_empty());
    waiting.protect(&media, srtp_keys(SUITE, 1));
    talk([&mut listener, &mut waiting], 40);
    assert!(listener.hears(700.0) && waiting.hears(400.0));
}

#[test]
fn a_flood_of_forged_packets_changes_nothing() {
    let (media, _events) = start(1);
    let [mut first, mut second] = [400.0, 700.0].map(|tone| FarEnd::call(&media, tone));
    first.protect(&media, srtp_keys(SUITE, 1));
    install(&media, 0, &[first.leg, second.leg], &[]);
    talk([&mut first, &mut second], 20);
    for n in 0..50_u32 {
        for junk in 0..60_u32 {
            let mut packet = vec![0x80, 0, (n * 60 + junk) as u8, junk as u8];
            packet.extend((n ^ junk).to_be_bytes().repeat(45));
            first.socket.send_to(&packet, first.to).unwrap();
        }
        talk([&mut first, &mut second], 1);
    }
    assert!(second.hears(400.0) && first.hears(700.0));
    assert!(forged(&media) > 1_000, "{}", forged(&media));
    let statistics = media.statistics(first.leg).unwrap();
    assert_eq!((statistics.lost, statistics.rejected), (0, 0), "they are in no statistics");
}

#[test]
fn a_handshake_goes_past_the_media_and_comes_from_the_named_host_only() {
    let (media, _events) = start(1);
    let [mut listener, mut far_end] = [400.0, 700.0].map(|tone| FarEnd::call(&media, tone));
    let mut side = media.open_side_channel(far_end.leg).unwrap();
    let elsewhere = FarEnd::intrude("127.0.0.2".parse().unwrap(), far_end.leg, far_end.to, 900.0);
    install(&media, 0, &[listener.leg, far_end.leg], &[]);
    for (from, first) in [(&far_end, 22), (&elsewhere, 22), (&far_end, 128), (&far_end, 63), (&far_end, 64)] {
        from.socket.send_to(&[first; 30], far_end.to).unwrap();
    }
    talk([&mut listener, &mut far_end], 30);
    let source = far_end.socket.local_addr().unwrap();
    let came: Vec<_> = std::iter::from_fn(|| side.receive()).collect();
    assert_eq!(came, [(source, vec![22; 30]), (source, vec![63; 30])]);
    assert!(listener.hears(700.0) && !side.is_closed());
    side.send(&[23; 40], source).unwrap();
    far_end.deaf = true;
    media.release_leg(far_end.leg);
    eventually("the channel ends with the leg", || side.is_closed());
    assert!(media.open_side_channel(far_end.leg).is_none());
}

#[test]
fn a_far_end_that_is_checked_is_heard_where_it_was_found_and_strangers_only_aside() {
    let (media, _events) = start(1);
    let [mut listener, mut far_end] = [400.0, 700.0].map(|tone| FarEnd::call(&media, tone));
    let mut side = media.open_side_channel(far_end.leg).unwrap();
    let found = far_end.socket.local_addr().unwrap();
    let checked = |address| RemoteMedia { address, whereabouts: Whereabouts::Checked, ..far_end.remote() };
    let (nowhere, here) = (checked("0.0.0.0:0".parse().unwrap()), checked(found));
    let mut stranger = FarEnd::intrude(found.ip(), far_end.leg, far_end.to, 900.0);
    media.set_remote(far_end.leg, nowhere);
    install(&media, 0, &[listener.leg, far_end.leg], &[]);
    talk([&mut listener, &mut far_end], 30);
    assert!(!listener.hears(700.0) && far_end.packets.is_empty(), "nobody knows where it is");
    media.set_remote(far_end.leg, here);
    for n in 0..100 {
        stranger.socket.send_to(&[1, n], far_end.to).unwrap();
    }
    far_end.socket.send_to(&[2; 30], far_end.to).unwrap();
    stranger.deaf = true;
    talk([&mut listener, &mut far_end, &mut stranger], 40);
    assert!(listener.hears(700.0) && !listener.hears(900.0) && far_end.hears(400.0));
    assert!(stranger.packets.is_empty());
    let came: Vec<_> = std::iter::from_fn(|| side.receive()).collect();
    assert!((30..=41).contains(&side.packets()), "{} of 40 and a report", side.packets());
    assert!(came.contains(&(found, vec![2; 30])), "a flood leaves it room");
    assert!((1..=8).contains(&came.iter().filter(|(source, _)| *source != found).count()), "{}", came.len());
}

#[test]
fn holding_and_moving_neither_change_keys_nor_begin_the_numbers_anew() {
    let (media, _events) = start(1);
    let [mut first, mut second] = [400.0, 700.0].map(|tone| FarEnd::call(&media, tone));
    first.protect(&media, srtp_keys(SUITE, 1));
    install(&media, 0, &[first.leg, second.leg], &[]);
    talk([&mut first, &mut second], 20);
    for direction in
        [Direction::ReceiveOnly, Direction::SendReceive, Direction::Inactive, Direction::SendReceive]
    {
        first.agree(&media, direction);
        talk([&mut first, &mut second], 10);
    }
    talk([&mut first, &mut second], 20);
    // Its far end would refuse what is protected anew with numbers that came before.
    assert!(first.hears(700.0) && second.hears(400.0));
}
