//! No click where routing changes.

use std::f64::consts::TAU;

use mixminus_codec::Format;
use mixminus_mixer::{Bridge, LegId};

use crate::legs::{FRAME, Frame, TestLeg, arrangement, bridge, hears, leg};

/// The tones of legs 1 and 2. None is a whole number of periods in a tick.
const TONES_HZ: [f64; 2] = [130.0, 210.0];
const AMPLITUDE: f64 = 8_000.0;

fn tone(hz: f64, tick: usize) -> Frame {
    std::array::from_fn(|n| (AMPLITUDE * (TAU * hz * (tick * FRAME + n) as f64 / 8_000.0).sin()) as i16)
}

/// What leg 0 hears while `change` is called before every third tick.
fn listen(mut change: impl FnMut(&mut Bridge<TestLeg>, usize)) -> Vec<i16> {
    let routes = [hears(0, &[leg(1), leg(2)]), hears(1, &[]), hears(2, &[])];
    let mut bridge = bridge(&routes, [(); 3].map(|()| TestLeg::new(Format::Pcmu)).into());
    let mut heard = vec![];
    for tick in 0..120 {
        if tick % 3 == 0 {
            change(&mut bridge, tick / 3);
        }
        for (id, hz) in (1..).zip(TONES_HZ) {
            if let Some(leg) = bridge.leg_mut(LegId(id)) {
                leg.says = Some(tone(hz, tick));
            }
        }
        bridge.tick(&mut |_| ());
        heard.extend(bridge.leg_mut(LegId(0)).expect("it stays").heard_samples());
    }
    heard
}

/// Fails if two neighbouring samples are further apart than both tones together can be, half as
/// much again for the slope that hides a change, and two steps of µ-law at that amplitude.
fn assert_smooth(heard: &[i16]) {
    let slope: f64 = TONES_HZ.iter().map(|hz| AMPLITUDE * TAU * hz / 8_000.0).sum();
    let steepest = heard.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().expect("many samples");
    assert!(f64::from(steepest) < 1.5 * slope + 1_024.0, "{steepest} where {slope} is natural");
    assert!(heard.iter().any(|sample| sample.abs() > 12_000), "both tones are there at times");
}

#[test]
fn plans_that_change_what_is_heard_do_not_click() {
    let heard = listen(|bridge, change| {
        let both = [leg(1), leg(2)];
        let audible = [&both[..], &both[..1], &[], &both[1..]][change % 4];
        bridge.adopt(arrangement(&[hears(0, audible), hears(1, &[]), hears(2, &[])]));
    });
    assert_smooth(&heard);
}

#[test]
fn legs_that_come_and_go_do_not_click() {
    let mut away = None;
    let heard = listen(|bridge, _| match away.take() {
        None => away = bridge.take_leg(LegId(1)),
        Some(leg) => bridge.seat_leg(leg).unwrap(),
    });
    assert_smooth(&heard);
}

#[test]
fn a_listener_that_changes_bridges_hears_no_click() {
    let mut other = bridge(&[hears(0, &[])], vec![]);
    let mut heard = vec![];
    let mut room =
        bridge(&[hears(0, &[leg(1)]), hears(1, &[])], [(); 2].map(|()| TestLeg::new(Format::Pcmu)).into());
    for tick in 0..120 {
        if tick % 3 == 0 {
            let listener = room.take_leg(LegId(0)).or_else(|| other.take_leg(LegId(0))).unwrap();
            let bridge = if tick % 2 == 0 { &mut room } else { &mut other };
            bridge.seat_leg(listener).unwrap();
        }
        room.leg_mut(LegId(1)).unwrap().says = Some(tone(TONES_HZ[0], tick).map(|sample| 2 * sample));
        room.tick(&mut |_| ());
        other.tick(&mut |_| ());
        let listener = room.leg_mut(LegId(0)).or_else(|| other.leg_mut(LegId(0))).unwrap();
        heard.extend(listener.heard_samples());
    }
    assert_smooth(&heard);
}
