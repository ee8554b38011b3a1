use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use mixminus_audio::TICK;
use mixminus_codec::Format;
use mixminus_media::{Direction, MediaEvent};
use mixminus_mixer::BridgeId;
use mixminus_rtp::MediaParameters;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::far_end::{FarEnd, LOOPBACK, install, next, start, talk};

const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

#[test]
fn a_foreign_host_is_neither_heard_nor_sent_anything() {
    let (media, _events) = start(1);
    let (leg, to) = media.open_leg().unwrap();
    let victim = FarEnd::intrude(LOOPBACK, leg, to, 500.0);
    let attacker = FarEnd::intrude(ELSEWHERE, leg, to, 1300.0);
    let mut ends = [victim, attacker, FarEnd::call(&media, 900.0)];
    ends[0].silent = true;
    install(&media, 1, &[leg, ends[2].leg], &[]);
    talk(&mut ends, 5);
    ends[0].agree(&media, Direction::SendReceive);
    talk(&mut ends, 15);
    assert!(!ends[2].hears(1300.0), "before the first packet of the far end");
    ends[0].silent = false;
    talk(&mut ends, 25);
    assert!(ends[2].hears(500.0) && ends[0].hears(900.0));
    assert!(!ends[2].hears(1300.0), "after it");
    assert_eq!(ends[1].packets.len(), 0);
    assert!(media.counters().traffic.foreign >= 10);
}

#[test]
fn the_port_of_the_first_packet_is_used_for_good() {
    let (media, _events) = start(1);
    let (leg, to) = media.open_leg().unwrap();
    let translated = FarEnd::intrude(LOOPBACK, leg, to, 500.0);
    let hijacker = FarEnd::intrude(LOOPBACK, leg, to, 1300.0);
    let mut ends = [translated, hijacker, FarEnd::call(&media, 900.0)];
    let announced = SocketAddr::new(LOOPBACK, 9);
    ends[0].agree_on(&media, announced, Direction::SendReceive);
    ends[1].silent = true;
    install(&media, 1, &[leg, ends[2].leg], &[]);
    talk(&mut ends, 25);
    assert!(ends[2].hears(500.0) && ends[0].hears(900.0));

    ends[1].silent = false;
    ends[0].agree_on(&media, announced, Direction::SendReceive);
    talk(&mut ends, 20);
    assert!(ends[2].hears(500.0) && !ends[2].hears(1300.0));
    assert!(ends[0].hears(900.0));
    assert_eq!(ends[1].packets.len(), 0);
}

/// Attack M1 at full force: ten thousand packets a second, which fill a socket
/// buffer within a tick, with the right SSRC and payload type, too.
#[test]
fn a_flood_from_elsewhere_takes_no_packet_from_a_call_that_goes_on() {
    let (media, _events) = start(1);
    let mut ends = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    install(&media, 1, &[ends[0].leg, ends[1].leg], &[]);
    talk(&mut ends, 15);
    let attackers = [ELSEWHERE, LOOPBACK].map(|ip| FarEnd::intrude(ip, ends[0].leg, ends[0].to, 500.0));
    let packet = [&[0x80, 0, 0, 99, 0, 0, 0, 0, 0, 0, 1, 0xF4][..], &[0x10; 160]].concat();
    for _ in 0..60 {
        for attacker in &attackers {
            (0..100).for_each(|_| drop(attacker.socket.send_to(&packet, attacker.to)));
        }
        talk(&mut ends, 1);
    }
    assert!(ends[1].hears(500.0) && ends[0].hears(900.0));
    assert!(attackers.iter().all(|attacker| attacker.socket.recv(&mut [0; 1]).is_err()));
    talk(&mut ends, 55);
    let statistics = media.statistics(ends[0].leg).unwrap();
    assert_eq!((statistics.lost, statistics.source_changes, statistics.duplicated), (0, 0, 0));
}

/// Attacks M8 and M10 from the far end itself.
#[test]
fn whatever_a_far_end_sends_the_others_are_served() {
    let (media, mut events) = start(1);
    let mut ends = [500.0, 900.0, 1300.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    let legs = [0, 1, 2].map(|end| ends[end].leg);
    install(&media, 1, &legs, &[]);
    talk(&mut ends, 15);
    let mut random = StdRng::seed_from_u64(8);
    for _ in 0..40 {
        for _ in 0..20 {
            let size_bytes = [0, 1, 4, 12, 13, 172, 1_500, 60_000][random.random_range(0..8)];
            let mut datagram: Vec<u8> = (0..size_bytes).map(|_| random.random()).collect();
            if size_bytes >= 12 && random.random() {
                datagram[..2].copy_from_slice(&[0x80, [0, 101, 13, 200][random.random_range(0..4)]]);
                datagram[8..12].copy_from_slice(&500_u32.to_be_bytes());
            }
            ends[0].socket.send_to(&datagram, ends[0].to).unwrap();
        }
        talk(&mut ends, 1);
    }
    assert!(ends[1].hears(1300.0) && ends[2].hears(900.0));
    ends[1..].iter().for_each(FarEnd::assert_regular);
    let ended = |event| matches!(event, MediaEvent::Evicted { .. } | MediaEvent::MediaTimeout { .. });
    assert!(std::iter::from_fn(|| next(&mut events)).all(|event| !ended(event)));
    assert!(media.statistics(legs[0]).unwrap().delay.max < Duration::from_millis(500));
}

/// Attack M9: packets of 120 ms, each in another mode, five times as many as are due.
#[test]
fn the_costliest_opus_is_paid_for_by_nobody_else() {
    let (media, mut events) = start(1);
    let opus = MediaParameters::of(Format::ALL[0]);
    let mut ends =
        [FarEnd::call_with(&media, 500.0, opus), FarEnd::call(&media, 900.0), FarEnd::call(&media, 1300.0)];
    install(&media, 1, &[0, 1, 2].map(|end| ends[end].leg), &[]);
    ends[0].silent = true;
    let mut random = StdRng::seed_from_u64(9);
    for number in 0..300_u16 {
        // Any configuration and channels, six frames of equal size (RFC 6716, section 3.2.5).
        let toc = random.random::<u8>() & 0xFC | 3;
        let frames = (0..6 * 150).map(|_| random.random());
        let header = [
            &[0x80, 96][..],
            &number.to_be_bytes(),
            &(u32::from(number) * 5_760).to_be_bytes(),
            &[0, 0, 1, 0xF4],
        ];
        let datagram: Vec<u8> = header.concat().into_iter().chain([toc, 6]).chain(frames).collect();
        ends[0].socket.send_to(&datagram, ends[0].to).unwrap();
        if number % 5 == 4 {
            talk(&mut ends, 1);
        }
    }
    assert!(media.bridge(BridgeId(1)).unwrap().tick_cost < TICK / 4);
    ends[1..].iter().for_each(FarEnd::assert_regular);
    talk(&mut ends, 30);
    assert!(ends[1].hears(1300.0) && ends[2].hears(900.0));
    assert!(
        std::iter::from_fn(|| next(&mut events)).all(|event| !matches!(event, MediaEvent::Evicted { .. }))
    );
}

#[test]
fn another_far_end_by_new_signalling_is_heard_and_the_old_one_no_more() {
    let (media, _events) = start(1);
    let (leg, to) = media.open_leg().unwrap();
    let [before, after] = [500.0, 1300.0].map(|tone_hz| FarEnd::intrude(LOOPBACK, leg, to, tone_hz));
    let mut ends = [before, after, FarEnd::call(&media, 900.0)];
    ends[0].agree(&media, Direction::SendReceive);
    ends[1].silent = true;
    install(&media, 1, &[leg, ends[2].leg], &[]);
    talk(&mut ends, 20);
    assert!(ends[2].hears(500.0) && ends[0].hears(900.0));

    ends[1].agree(&media, Direction::SendReceive);
    ends[1].silent = false;
    talk(&mut ends, 30);
    assert!(ends[2].hears(1300.0) && ends[1].hears(900.0));
    let sent = ends[0].packets.len();
    talk(&mut ends, 20);
    assert!(!ends[2].hears(500.0));
    assert_eq!(ends[0].packets.len(), sent);
}
