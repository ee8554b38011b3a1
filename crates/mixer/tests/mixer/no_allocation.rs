//! Whatever happens between ticks, the thread of a bridge neither allocates nor frees.

use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use mixminus_audio::{Clip, Decibels, Pcm, SampleRate};
use mixminus_codec::Format;
use mixminus_mixer::{Gains, LegId, Plays, Prompt, PromptId, SinkRoutes, SourceId, TapCapacity, TapId, tap};

use crate::legs::{
    LINEAR, OPUS, TestLeg, all_hear_all, arrangement_at, arrangement_of, bridge, bridge_at, hears, leg, plan,
    prompt, seated,
};
use crate::tapped::{read, tapping};

const LEGS: u64 = 20;

/// Legs `from..LEGS`, who hear one another and the prompt of the round.
fn room(from: u64, round: u64) -> Vec<SinkRoutes> {
    let others = |id| (from..LEGS).filter(move |&other| other != id).map(leg);
    (from..LEGS).map(|id| hears(id, &others(id).chain([prompt(round)]).collect::<Vec<SourceId>>())).collect()
}

fn assert_untouched(info: AllocationInfo) {
    assert_eq!((info.count_total, info.count_current), (0, 0), "{info:?}");
}

/// Legs of all formats, some of which speak, in a bridge that changes its rate and plan; all that it is given was made
/// before.
#[test]
fn a_tick_during_churn_allocates_and_frees_nothing() {
    let formats = [Format::Pcmu, Format::Pcma, Format::G722, OPUS, LINEAR[1]];
    let speaking = |id: u64| {
        let leg = TestLeg::new(formats[id as usize % formats.len()]);
        let frame = id.is_multiple_of(3).then(|| vec![9_000; leg.rate().frame_samples()]);
        leg.who_says(frame)
    };
    let mut bridge = bridge(&room(0, 0), (0..LEGS).map(speaking).collect());
    for round in 1..50 {
        let (gone, rate) = (round % 7, SampleRate::ALL[round as usize % 3]);
        let (tap, mut reader) = tap(TapId(round), TapCapacity::of(2));
        let tapped =
            |gone, paused| arrangement_of(rate, tapping(plan(&room(gone, round)), &[(tap.id(), paused)]));
        let (mut next, mut back) = (tapped(gone, false), Some(tapped(0, round % 3 == 1)));
        next.attach(Box::new(tap)).unwrap();
        let part = || Arc::new(Clip::new(Pcm { rate: SampleRate::Hz8000, samples: vec![300; 200] }));
        let mut prompt = Box::new(Prompt::growing(PromptId(round), Plays::Times(1)));
        assert!(prompt.append(part()).is_none());
        next.place(prompt).unwrap();
        let (second, third, mut too_late) = (part(), part(), None);
        let returning: Vec<_> = (0..gone).map(|id| seated(id, speaking(id))).collect();
        let mut returning = returning.into_iter();
        let (mut old, mut older, mut taken, mut ended) = (None, None, None, 0);
        assert_untouched(measure(|| {
            old = Some(bridge.adopt(next));
            bridge.tick(&mut |_| ended += 1);
            let prompt = bridge.prompt_mut(PromptId(round)).unwrap();
            assert!(prompt.append(second).is_none());
            prompt.complete();
            too_late = prompt.append(third);
            older = back.take().map(|back| bridge.adopt(back));
            returning.by_ref().for_each(|leg| bridge.seat_leg(leg).unwrap());
            bridge.tick(&mut |_| ended += 1);
            let tap = bridge.take_tap(TapId(round)).unwrap();
            bridge.attach_tap(tap).unwrap();
            taken = bridge.take_leg(LegId(LEGS - 1));
            bridge.set_gains(LegId(1), Gains { incoming: Decibels(6.0), outgoing: Decibels(-6.0) });
            bridge.tick(&mut |_| ended += 1);
            bridge.seat_leg(taken.take().unwrap()).unwrap();
            taken = bridge.take_leg(LegId(0));
            assert!(bridge.take_prompt(PromptId(999)).is_none());
        }));
        bridge.seat_leg(taken.unwrap()).unwrap();
        assert!(too_late.is_some());
        assert_eq!(read(&mut reader).len() as u64 + reader.lost(), 3);
        assert_eq!((ended, old.unwrap().take_legs().count()), (1, gone as usize));
        assert_eq!((older.unwrap().take_legs().count(), bridge.legs_mut().count()), (0, LEGS as usize));
    }
}

#[test]
fn a_conversation_of_many_encodings_allocates_and_frees_nothing() {
    let legs = (0..8).map(|id| TestLeg::new([OPUS, Format::G722][id % 2])).collect();
    let mut bridge = bridge_at(SampleRate::Hz48000, &all_hear_all(0..8), legs);
    let plans: Vec<_> = (0..8).map(|gone| all_hear_all((0..8).filter(move |&id| id != gone))).collect();
    let mut next: Vec<_> = plans.iter().map(|plan| arrangement_at(SampleRate::Hz48000, plan)).collect();
    let mut old = Vec::with_capacity(2 * next.len());
    let mut all: Vec<_> =
        plans.iter().map(|_| arrangement_at(SampleRate::Hz48000, &all_hear_all(0..8))).collect();
    let frames = [vec![4_000; 960], vec![4_000; 320]];
    for turn in 0..8 {
        let mut says = Some(frames[turn as usize % 2].clone());
        assert_untouched(measure(|| {
            (0..110).for_each(|_| bridge.tick(&mut |_| ()));
            says = std::mem::replace(&mut bridge.leg_mut(LegId(turn)).unwrap().says, says.take());
            (0..60).for_each(|_| bridge.tick(&mut |_| ()));
            says = std::mem::replace(&mut bridge.leg_mut(LegId(turn)).unwrap().says, says.take());
            old.push(bridge.adopt(next.pop().unwrap()));
            bridge.tick(&mut |_| ());
            old.push(bridge.adopt(all.pop().unwrap()));
        }));
        let missing = (0..8).find(|&id| bridge.leg_mut(LegId(id)).is_none()).unwrap();
        let returned = old.iter_mut().find_map(|old| old.take_leg(LegId(missing))).unwrap();
        bridge.seat_leg(returned).unwrap();
    }
}

#[test]
fn the_counter_sees_an_allocation_and_a_free() {
    let kept = vec![1];
    assert_eq!(measure(|| drop(kept)).count_current, -1);
    let mut made = None;
    assert_eq!(measure(|| made = Some(Box::new(1))).count_total, 1);
}
