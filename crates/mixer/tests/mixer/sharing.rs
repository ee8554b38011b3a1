//! Who shares a mix and an encoder, and that nobody hears when that changes.

use std::ops::Range;

use mixminus_audio::{Decibels, SampleRate, level};
use mixminus_codec::Format;
use mixminus_mixer::{Bridge, Gains, LegId};

use crate::legs::{
    OPUS, TestLeg, all_hear_all, arrangement_at, bridge_at, encoding, hears, leg, prompt, seated,
};
use crate::voices::vowel;

/// After so many ticks all who are silent from the beginning share an encoder, whatever it remembers.
const SETTLED: usize = 105;

fn rate(format: Format) -> SampleRate {
    format.sample_rate()
}

/// A room of `legs` in one format, in which all hear all and leg 0 says the same in every tick.
fn room(format: Format, legs: u64) -> Bridge<TestLeg> {
    let talker = TestLeg::new(format).who_says(Some(vec![1_000; rate(format).frame_samples()]));
    let silent = (1..legs).map(|_| TestLeg::new(format));
    bridge_at(rate(format), &all_hear_all(0..legs), [talker].into_iter().chain(silent).collect())
}

fn tick(bridge: &mut Bridge<TestLeg>, ticks: usize) {
    (0..ticks).for_each(|_| bridge.tick(&mut |_| ()));
}

/// Who got a mix of their own.
fn alone(bridge: &mut Bridge<TestLeg>) -> Vec<u64> {
    bridge.legs_mut().filter_map(|(id, leg)| leg.alone.then_some(id.0)).collect()
}

#[test]
fn only_who_speaks_or_was_rerouted_or_is_still_limited_costs_a_mix_of_its_own() {
    let mut bridge = room(Format::Pcmu, 4);
    for id in 0..2 {
        bridge.leg_mut(LegId(id)).unwrap().says = Some(vec![30_000; 160]);
    }
    tick(&mut bridge, 1);
    assert_eq!(alone(&mut bridge), [0, 1, 2, 3], "all are new");
    tick(&mut bridge, 1);
    assert_eq!(alone(&mut bridge), [0, 1, 2, 3], "the shared limiter begins now");
    bridge.legs_mut().for_each(|(_, leg)| leg.says = None);
    tick(&mut bridge, 20);
    assert_eq!(alone(&mut bridge), []);
}

#[test]
fn who_is_silent_for_long_enough_shares_an_encoder_that_remembers() {
    for format in [Format::G722, OPUS] {
        let mut bridge = room(format, 4);
        tick(&mut bridge, SETTLED);
        assert_eq!(alone(&mut bridge), [0], "{format:?}");
        bridge.leg_mut(LegId(2)).unwrap().says = Some(vec![9; rate(format).frame_samples()]);
        tick(&mut bridge, 1);
        assert_eq!(alone(&mut bridge), [0, 2], "{format:?}");
        bridge.leg_mut(LegId(2)).unwrap().says = None;
        tick(&mut bridge, 50);
        assert_eq!(alone(&mut bridge), [0, 2], "{format:?}: a breath pause");
        tick(&mut bridge, 1);
        assert_eq!(alone(&mut bridge), [0], "{format:?}");
    }
}

#[test]
fn a_newcomer_shares_once_an_encoder_has_run_for_long_enough_since_it_came() {
    let mut bridge = room(OPUS, 3);
    tick(&mut bridge, SETTLED);
    bridge.adopt(arrangement_at(rate(OPUS), &all_hear_all(0..4)));
    bridge.seat_leg(seated(3, TestLeg::new(OPUS))).unwrap();
    tick(&mut bridge, SETTLED - 10);
    assert_eq!(alone(&mut bridge), [0, 3], "nobody else was disturbed");
    tick(&mut bridge, 10);
    assert_eq!(alone(&mut bridge), [0]);
}

#[test]
fn a_private_bridge_shares_nothing() {
    let mut bridge = bridge_at(rate(OPUS), &[hears(0, &[])], vec![TestLeg::new(OPUS)]);
    tick(&mut bridge, 2 * SETTLED);
    assert_eq!(alone(&mut bridge), [0]);
}

#[test]
fn a_leg_with_a_gain_of_its_own_hears_alone() {
    let mut bridge = room(Format::Pcmu, 3);
    tick(&mut bridge, 3);
    assert!(bridge.set_gains(LegId(1), Gains { outgoing: Decibels(6.0), ..Gains::default() }));
    tick(&mut bridge, 3);
    assert_eq!(alone(&mut bridge), [0, 1]);
    assert!(bridge.set_gains(LegId(1), Gains::default()));
    tick(&mut bridge, 2);
    assert_eq!(alone(&mut bridge), [0]);
}

#[test]
fn a_leg_that_expects_another_loss_shares_what_is_encoded_for_that_if_it_is_listed() {
    let mut bridge = room(OPUS, 5);
    tick(&mut bridge, SETTLED);
    for (id, percent) in [(1, 10), (2, 10), (3, 25)] {
        bridge.leg_mut(LegId(id)).unwrap().encoding = encoding(OPUS).with_expected_loss(percent);
    }
    tick(&mut bridge, 1);
    assert_eq!(alone(&mut bridge), [0, 1, 2, 3]);
    tick(&mut bridge, SETTLED);
    assert_eq!(alone(&mut bridge), [0, 3]);
}

#[test]
fn a_hundred_plans_do_not_part_who_hears_the_same_under_all_of_them() {
    let all = all_hear_all(0..12);
    for format in [Format::Pcmu, Format::G722, OPUS] {
        let mut bridge = room(format, 12);
        tick(&mut bridge, SETTLED);
        for plan in 0..100 {
            let mut routes = all.clone();
            // In turn, legs 8 to 11 are heard by leg 0 alone or by nobody, and hear a prompt.
            let turn = leg(8 + plan % 4);
            let deaf = routes.iter_mut().skip(plan as usize % 2);
            deaf.for_each(|sink| sink.hears.retain(|source| *source != turn));
            routes[8 + (plan as usize + 1) % 4].hears.push(prompt(plan % 5));
            bridge.adopt(arrangement_at(rate(format), &routes));
            for _ in 0..3 {
                tick(&mut bridge, 1);
                assert!(!alone(&mut bridge).contains(&1), "{format:?} under plan {plan}");
            }
        }
    }
}

/// All that the customers, legs 3 and 4, are sent while leg 3 speaks. Until the coach, leg 2, is heard by all, only the
/// agents, legs 0 and 1, hear it; then it is silent.
fn beside_a_coach(format: Format, coach_speaks: bool) -> Vec<Vec<u8>> {
    let mut routes = all_hear_all(0..5);
    routes[3..].iter_mut().for_each(|sink| sink.hears.retain(|source| *source != leg(2)));
    let legs = (0..5).map(|_| TestLeg::new(format)).collect();
    let mut bridge = bridge_at(rate(format), &routes, legs);
    let mut payloads = vec![];
    for number in 0..400 {
        if number == 150 {
            bridge.adopt(arrangement_at(rate(format), &all_hear_all(0..5)));
        }
        let said = |leg: usize| Some(vowel(rate(format), number * leg));
        bridge.leg_mut(LegId(3)).unwrap().says = said(1).filter(|_| number % 200 < 100);
        bridge.leg_mut(LegId(2)).unwrap().says = said(2).filter(|_| coach_speaks && number < 145);
        tick(&mut bridge, 1);
        payloads.extend([3, 4].map(|id| bridge.leg_mut(LegId(id)).unwrap().heard.clone()));
    }
    assert_eq!(alone(&mut bridge), [], "{format:?}");
    payloads
}

#[test]
fn an_encoder_that_has_heard_a_coach_is_not_shared_by_who_has_not() {
    for format in [Format::G722, OPUS] {
        assert!(beside_a_coach(format, true) == beside_a_coach(format, false), "{format:?}");
    }
}

/// All that leg 3 is sent, which comes after 150 ticks, when the bridge goes over to a higher rate, and speaks in
/// `turn`. Until it comes, legs 1 and 2 share, unless they speak.
fn come_later(others_speak: bool, turn: Range<usize>) -> Vec<Vec<u8>> {
    let legs = (0..3).map(|_| TestLeg::new(OPUS)).collect();
    let mut bridge = bridge_at(SampleRate::Hz16000, &all_hear_all(0..3), legs);
    let mut payloads = vec![];
    for number in 0..400 {
        if number == 150 {
            bridge.adopt(arrangement_at(SampleRate::Hz48000, &all_hear_all(0..4)));
            bridge.seat_leg(seated(3, TestLeg::new(OPUS))).unwrap();
        }
        for (id, leg) in bridge.legs_mut() {
            let speaks = match id.0 {
                0 => true,
                3 => turn.contains(&number),
                _ => others_speak && number < 150,
            };
            leg.says = speaks.then(|| vowel(rate(OPUS), number));
        }
        tick(&mut bridge, 1);
        payloads.extend(bridge.leg_mut(LegId(3)).map(|leg| leg.heard.clone()));
    }
    assert_eq!(alone(&mut bridge), [0]);
    payloads
}

#[test]
fn a_newcomer_is_sent_the_same_whoever_shared_before_it_came() {
    for turn in [0..0, 240..260] {
        assert!(come_later(true, turn.clone()) == come_later(false, turn.clone()), "{turn:?}");
    }
}

/// How far the difference of `heard` from `expected` is below `expected`, in decibels.
fn distance_db(heard: &[i16], expected: &[i16]) -> f32 {
    let difference: Vec<_> = heard.iter().zip(expected).map(|(heard, expected)| heard - expected).collect();
    level(expected).0 - level(&difference).0
}

/// What leg 1 hears of leg 0, decoded. It says zeros in the ticks in which it `speaks`.
fn heard_beside(format: Format, speaks: impl Fn(usize) -> bool) -> Vec<i16> {
    let mut bridge = room(format, 4);
    let mut heard = vec![];
    for number in 0..600 {
        bridge.leg_mut(LegId(0)).unwrap().says = Some(vowel(rate(format), number));
        let zeros = speaks(number).then(|| vec![0; rate(format).frame_samples()]);
        bridge.leg_mut(LegId(1)).unwrap().says = zeros;
        tick(&mut bridge, 1);
        heard.extend(bridge.leg_mut(LegId(1)).unwrap().heard_samples());
    }
    heard
}

/// The noise of two Opus encoders differs, whatever they heard before; more than that would be a seam. PESQ of real
/// speech moved so between encoders is within 0.01 of that by one encoder.
#[test]
fn nobody_hears_that_a_leg_goes_from_a_shared_encoder_to_its_own_and_back() {
    for (format, least_db) in [(Format::Pcmu, 90.0), (Format::G722, 30.0), (OPUS, 10.0)] {
        let moving = heard_beside(format, |number| number % 200 > 140);
        let found = distance_db(&moving, &heard_beside(format, |_| true));
        assert!(found > least_db, "{found} in {format:?}");
    }
}

#[test]
fn an_encoding_that_is_not_listed_is_never_shared() {
    let mut bridge = room(OPUS, 3);
    for id in 1..3 {
        bridge.leg_mut(LegId(id)).unwrap().renegotiate(encoding(OPUS).with_expected_loss(20));
    }
    tick(&mut bridge, 2 * SETTLED);
    assert_eq!(alone(&mut bridge), [0, 1, 2]);
}
