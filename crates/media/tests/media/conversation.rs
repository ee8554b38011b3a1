use mixminus_media::{Direction, MediaEvent};
use mixminus_rtp::Digit;

use crate::far_end::{FarEnd, install, next, start, talk};

#[test]
fn two_legs_hear_each_other_and_not_themselves() {
    let (media, _events) = start(1);
    let mut ends = [FarEnd::call(&media, 500.0), FarEnd::call(&media, 900.0)];
    install(&media, 1, &[ends[0].leg, ends[1].leg], &[]);
    talk(&mut ends, 30);
    assert!(ends[0].hears(900.0) && !ends[0].hears(500.0));
    assert!(ends[1].hears(500.0) && !ends[1].hears(900.0));
    for end in &ends {
        end.assert_regular();
        assert!(end.packets.len() >= 25, "{} packets in 30 ticks", end.packets.len());
    }
}

#[test]
fn a_leg_alone_is_sent_silence_at_every_tick() {
    let (media, _events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    end.silent = true;
    install(&media, 1, &[end.leg], &[]);
    talk([&mut end], 20);
    end.assert_regular();
    assert!(end.packets.len() >= 15);
    assert!(end.audio(20).iter().all(|sample| *sample == 0));
}

#[test]
fn a_far_end_on_hold_is_neither_heard_nor_sent_to() {
    let (media, _events) = start(1);
    let mut ends = [FarEnd::call(&media, 500.0), FarEnd::call(&media, 900.0)];
    install(&media, 1, &[ends[0].leg, ends[1].leg], &[]);
    talk(&mut ends, 10);

    ends[0].agree(&media, Direction::ReceiveOnly);
    talk(&mut ends, 3);
    let before = ends[0].packets.len();
    talk(&mut ends, 20);
    assert_eq!(ends[0].packets.len(), before);
    assert!(!ends[1].hears(500.0));
    ends[1].assert_regular();

    ends[0].agree(&media, Direction::SendReceive);
    talk(&mut ends, 25);
    assert!(ends[1].hears(500.0) && ends[0].hears(900.0));
    let [(last, _), (first, _)] = &ends[0].packets[before - 1..=before] else { unreachable!() };
    assert_eq!(first.sequence, last.sequence.wrapping_add(1));
    let pause = first.timestamp.wrapping_sub(last.timestamp);
    assert!(first.marker && pause >= 20 * 160 && pause.is_multiple_of(160), "pause of {pause} samples");
}

#[test]
fn a_digit_is_reported_once() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    install(&media, 1, &[end.leg], &[]);
    talk([&mut end], 5);
    end.press('7');
    talk([&mut end], 20);
    let digit = Digit::try_from('7').unwrap();
    assert_eq!(next(&mut events), Some(MediaEvent::Digit { leg: end.leg, digit }));
    assert_eq!(next(&mut events), None);
}

#[test]
fn an_address_of_zeros_is_hold() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    install(&media, 1, &[end.leg], &[]);
    talk([&mut end], 5);
    end.agree_on(&media, "0.0.0.0:4000".parse().unwrap(), Direction::SendReceive);
    talk([&mut end], 3);
    let before = end.packets.len();
    talk([&mut end], 20);
    assert_eq!(end.packets.len(), before);
    assert_eq!(next(&mut events), None);
}
