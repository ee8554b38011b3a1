use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mixminus_media::Direction;

use crate::far_end::{FarEnd, LOOPBACK, install, start, talk};

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
    assert!(media.counters().traffic.foreign >= 40);
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
