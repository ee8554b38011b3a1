//! What taps have of a bridge, by small numbers; over random lives every world has taps.

use std::sync::Arc;

use mixminus_audio::{Clip, Limiter, Pcm, SampleRate};
use mixminus_codec::Format;
use mixminus_mixer::{
    Bridge, LegId, Plays, Prompt, PromptId, Refusal, SinkRoutes, SourceId, TapCapacity, TapChannel, TapId,
    TapReader, tap,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;

use crate::legs::{
    FRAME, RATE, TestLeg, arrangement, arrangement_of, bridge_at, encoded, hears, leg, plan, prompt, seated,
};
use crate::tapped::{read, tapping};
use crate::who_hears_whom::scramble;

const TAP: TapId = TapId(4);
const LISTENER: LegId = LegId(0);
const TALKERS: u64 = 5;

/// Routes `bridge`, which runs at `rate`, anew, with the tap on everything; ends what the plan does not name any more.
fn follow(bridge: &mut Bridge<TestLeg>, rate: SampleRate, routes: &[SinkRoutes], paused: bool) {
    drop(bridge.adopt(arrangement_of(rate, tapping(plan(routes), &[(TAP, paused)]))));
}

fn attach(bridge: &mut Bridge<TestLeg>) -> TapReader {
    let (tap, reader) = tap(TAP, TapCapacity::of(4));
    bridge.attach_tap(Box::new(tap)).unwrap();
    reader
}

/// A frame of noise that begins and ends at zero, so that where it comes or goes there is no step to be smoothed; or
/// silence.
fn says(rate: SampleRate, seed: u64) -> Option<Vec<i16>> {
    let mut state = scramble(seed);
    if state.is_multiple_of(3) {
        return None;
    }
    let noise = |_| {
        state = scramble(state);
        (state % 24_001) as i16 - 12_000
    };
    let mut frame: Vec<_> = (0..rate.frame_samples()).map(noise).collect();
    frame[0] = 0;
    *frame.last_mut()? = 0;
    Some(frame)
}

/// Whom and what the listener and, differently, the talkers hear under a plan.
fn routes(seed: u64) -> Vec<SinkRoutes> {
    let others = |id| (0..=TALKERS).filter(move |&other| other != id).map(leg).chain([prompt(9)]);
    let some = |id: u64| {
        others(id).filter(move |source| {
            !matches!(source, SourceId::Leg(other)
        if scramble(seed ^ id << 8 ^ other.0).is_multiple_of(3))
        })
    };
    (0..=TALKERS).map(|id| hears(id, &some(id).collect::<Vec<_>>())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_listener_is_sent_the_limited_sum_of_what_a_tap_has_of_whom_it_hears(
        rate in select(&SampleRate::ALL[..]),
        seed: u64,
    ) {
        let format = Format::L16(rate);
        let mut bridge = bridge_at(rate, &routes(seed), (0..=TALKERS).map(|_| TestLeg::new(format)).collect());
        follow(&mut bridge, rate, &routes(seed), false);
        let mut reader = attach(&mut bridge);
        let samples = (1..).find_map(|seed| says(rate, seed)).unwrap();
        let music = Arc::new(Clip::new(Pcm { rate, samples }));
        bridge.place_prompt(Box::new(Prompt::new(PromptId(9), music, Plays::Forever))).unwrap();
        let mut limiter = Limiter::new(rate);
        for time in 0..60 {
            if time % 7 == 6 {
                follow(&mut bridge, rate, &routes(seed ^ time), false);
            }
            for id in 1..=TALKERS {
                bridge.leg_mut(LegId(id)).unwrap().says = says(rate, seed ^ time << 8 ^ id);
            }
            bridge.tick(&mut |_| ());
            let [(tick, _, _, frames)] = &read(&mut reader)[..] else { panic!("one tick") };
            prop_assert_eq!(*tick, time);
            let (mut wide, mut mix) = (vec![0; rate.frame_samples()], vec![0; rate.frame_samples()]);
            let heard = frames.iter().filter(|(channel, _)| {
                matches!(channel, TapChannel::Source(source) if bridge.plan().hears(LISTENER, *source))
            });
            for (_, frame) in heard {
                wide.iter_mut().zip(frame).for_each(|(sum, &sample)| *sum += i32::from(sample));
            }
            limiter.limit(&wide, &mut mix);
            let sent = &bridge.leg_mut(LISTENER).unwrap().heard;
            prop_assert_eq!(sent, &encoded(format, &mix), "tick {}", time);
            let tapped = frames.get(&TapChannel::Heard(LISTENER));
            prop_assert!(tapped.map_or(mix.iter().all(|&sample| sample == 0), |tapped| *tapped == mix));
        }
    }
}

/// Legs that say 100 and 2000 and hear each other, tapped.
fn pair() -> (Bridge<TestLeg>, TapReader) {
    let mut bridge = bridge_at(RATE, &[], vec![]);
    follow(&mut bridge, RATE, &couple(), false);
    for (id, sample) in [(0, 100), (1, 2_000)] {
        bridge.seat_leg(seated(id, TestLeg::saying(sample))).unwrap();
    }
    let reader = attach(&mut bridge);
    (bridge, reader)
}

fn couple() -> [SinkRoutes; 2] {
    [hears(0, &[leg(1)]), hears(1, &[leg(0)])]
}

#[test]
fn a_tap_has_what_each_says_and_what_each_hears_and_of_silence_nothing() {
    let (mut bridge, mut reader) = pair();
    (0..2).for_each(|_| bridge.tick(&mut |_| ()));
    bridge.leg_mut(LegId(1)).unwrap().says = None;
    (0..2).for_each(|_| bridge.tick(&mut |_| ()));
    let ticks = read(&mut reader);
    let constant = |channel, sample| (channel, vec![sample; FRAME]);
    let [said, heard] = [TapChannel::Source(leg(0)), TapChannel::Heard(LegId(1))];
    let others = [TapChannel::Source(leg(1)), TapChannel::Heard(LegId(0))];
    let all =
        [constant(said, 100), constant(others[0], 2_000), constant(others[1], 2_000), constant(heard, 100)];
    assert_eq!(ticks[1], (1, RATE, false, all.into()));
    assert_eq!(ticks[3], (3, RATE, false, [constant(said, 100), constant(heard, 100)].into()));
}

#[test]
fn a_muted_leg_that_nobody_hears_is_tapped() {
    let (mut bridge, mut reader) = pair();
    follow(&mut bridge, RATE, &[hears(0, &[leg(1)]), hears(1, &[])], false);
    bridge.tick(&mut |_| ());
    assert_eq!(read(&mut reader)[0].3[&TapChannel::Source(leg(0))], [100; FRAME]);
}

#[test]
fn while_a_tap_is_paused_it_has_ticks_and_no_frame() {
    let (mut bridge, mut reader) = pair();
    for paused in [false, true, true, false] {
        follow(&mut bridge, RATE, &couple(), paused);
        bridge.tick(&mut |_| ());
    }
    let ticks: Vec<_> =
        read(&mut reader).into_iter().map(|(tick, _, paused, frames)| (tick, paused, frames.len())).collect();
    assert_eq!(ticks, [(0, false, 4), (1, true, 0), (2, true, 0), (3, false, 4)]);
}

#[test]
fn a_tap_whose_plan_ends_is_over_after_its_last_tick() {
    let (mut bridge, mut reader) = pair();
    bridge.set_next_tick(70);
    (0..3).for_each(|_| bridge.tick(&mut |_| ()));
    drop(bridge.adopt(arrangement(&couple())));
    bridge.tick(&mut |_| ());
    assert!(!reader.is_over(), "there is something to be read");
    assert_eq!(read(&mut reader).iter().map(|tick| tick.0).collect::<Vec<_>>(), [70, 71, 72]);
    assert!(reader.is_over());
}

#[test]
fn a_tap_goes_on_in_another_bridge_with_the_number_of_its_tick() {
    let (mut bridge, mut reader) = pair();
    let (mut other, _) = pair();
    drop(other.take_tap(TAP));
    bridge.set_next_tick(7);
    bridge.tick(&mut |_| ());
    other.attach_tap(bridge.take_tap(TAP).unwrap()).unwrap();
    for number in [7, 9] {
        other.set_next_tick(number);
        other.tick(&mut |_| ());
    }
    let numbers: Vec<_> = read(&mut reader).iter().map(|tick| tick.0).collect();
    assert_eq!(numbers, [7, 9], "the time of 7 has been written");
}

#[test]
fn a_reader_that_is_too_slow_loses_whole_ticks() {
    let (mut bridge, _) = pair();
    drop(bridge.take_tap(TAP));
    let (tap, mut reader) = tap(TAP, TapCapacity { ticks: 10, frames: 9, samples: 10 * FRAME });
    bridge.attach_tap(Box::new(tap)).unwrap();
    (0..5).for_each(|_| bridge.tick(&mut |_| ()));
    let ticks: Vec<_> = read(&mut reader).into_iter().map(|tick| (tick.0, tick.3.len())).collect();
    assert_eq!((ticks, reader.lost()), (vec![(0, 4), (1, 4)], 3));
    bridge.tick(&mut |_| ());
    assert_eq!((read(&mut reader)[0].0, reader.lost()), (5, 3));
}

#[test]
fn a_tap_that_the_plan_does_not_name_is_given_back() {
    let mut bridge = bridge_at(RATE, &couple(), vec![]);
    let (tap, _reader) = tap(TAP, TapCapacity::of(1));
    let refused = bridge.attach_tap(Box::new(tap)).unwrap_err();
    assert_eq!((refused.reason, refused.returned.id()), (Refusal::NotInPlan, TAP));
}
