//! No click where routing changes.

use std::f64::consts::TAU;

use mixminus_audio::{Decibels, SampleRate};
use mixminus_codec::Format;
use mixminus_mixer::{Bridge, Gains, LegId, Plays};

use crate::legs::{
    LINEAR, RATE, TestLeg, arrangement, arrangement_at, bridge, bridge_at, clip, hears, leg, prompt, seated,
};
use crate::voices::{self, vowel};

/// The tones of legs 1 and 2. None is a whole number of periods in a tick.
const TONES_HZ: [f64; 2] = [130.0, 210.0];
const AMPLITUDE: f64 = 8_000.0;

fn tone(hz: f64, tick: usize) -> Vec<i16> {
    voices::tone(RATE, hz, AMPLITUDE, tick)
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
        room.leg_mut(LegId(1)).unwrap().says =
            Some(tone(TONES_HZ[0], tick).iter().map(|sample| 2 * sample).collect());
        room.tick(&mut |_| ());
        other.tick(&mut |_| ());
        let listener = room.leg_mut(LegId(0)).or_else(|| other.leg_mut(LegId(0))).unwrap();
        heard.extend(listener.heard_samples());
    }
    assert_smooth(&heard);
}

/// The steepest step of what leg 0, in the format `own`, hears of leg 1, which says `voice` in the format `other`, while
/// the bridge goes from one of `rates` to the next every 5 ticks.
fn steepest(
    rates: &[SampleRate],
    (own, other): (Format, Format),
    voice: impl Fn(SampleRate, usize) -> Vec<i16>,
) -> f64 {
    let routes = [hears(0, &[leg(1)]), hears(1, &[])];
    let mut bridge = bridge_at(rates[0], &routes, [own, other].map(TestLeg::new).into());
    let mut heard = vec![];
    for tick in 0..200 {
        if tick % 5 == 0 {
            bridge.adopt(arrangement_at(rates[tick / 5 % rates.len()], &routes));
        }
        bridge.leg_mut(LegId(1)).unwrap().says = Some(voice(other.sample_rate(), tick));
        bridge.tick(&mut |_| ());
        heard.extend(bridge.leg_mut(LegId(0)).unwrap().heard_samples());
    }
    heard.windows(2).map(|pair| f64::from(pair[0].abs_diff(pair[1]))).fold(0.0, f64::max)
}

#[test]
fn a_bridge_that_changes_its_rate_does_not_click_on_any_leg_in_either_direction() {
    use SampleRate::{Hz8000, Hz16000, Hz48000};
    let changing = [Hz8000, Hz48000, Hz16000, Hz8000, Hz16000, Hz48000];
    let tone = |rate, tick| voices::tone(rate, 130.0, 2.0 * AMPLITUDE, tick);
    for formats in LINEAR.into_iter().flat_map(|own| LINEAR.map(|other| (own, other))) {
        for (voice, what) in [(&tone as &dyn Fn(_, _) -> _, "tone"), (&vowel, "vowel")] {
            let natural = steepest(&[Hz48000], formats, voice);
            let worst = steepest(&changing, formats, voice);
            // Two slopes of 5 ms, each of which hides a step of up to twice the amplitude: that of the mix and that of
            // the format.
            let slope = 8.0 * AMPLITUDE / (0.005 * f64::from(formats.0.sample_rate().hz()));
            assert!(worst < 1.05 * natural + slope, "{worst}, {natural} is natural: {what} in {formats:?}");
        }
    }
}

#[test]
fn a_source_that_comes_does_not_touch_one_that_goes_on() {
    let routes = [hears(0, &[leg(1), leg(2), prompt(7)]), hears(1, &[]), hears(2, &[])];
    let before = [hears(0, &[leg(1)]), hears(1, &[])];
    let listen = |others: bool| {
        let mut bridge = bridge(&before, vec![TestLeg::new(LINEAR[0]), TestLeg::new(LINEAR[0])]);
        let mut heard = vec![];
        for tick in 0..60 {
            if tick == 30 && others {
                let mut next = arrangement(&routes);
                next.place(clip(7, vec![0; 8_000], Plays::Forever)).unwrap();
                next.seat(seated(2, TestLeg::new(LINEAR[0]).who_says(Some(vec![0; 160])))).unwrap();
                bridge.adopt(next);
            }
            bridge.leg_mut(LegId(1)).unwrap().says = Some(vowel(RATE, tick));
            bridge.tick(&mut |_| ());
            heard.extend(bridge.leg_mut(LegId(0)).unwrap().heard_samples());
        }
        heard
    };
    assert!(listen(true) == listen(false));
}

#[test]
fn gains_that_change_do_not_click() {
    let heard = listen(|bridge, change| {
        let gain = [0.0, -12.0, -3.0, -60.0][change % 4];
        bridge.set_gains(LegId(1), Gains { incoming: Decibels(gain), ..Gains::default() });
        bridge.set_gains(LegId(0), Gains { outgoing: Decibels(gain / 2.0), ..Gains::default() });
    });
    assert_smooth(&heard);
}
