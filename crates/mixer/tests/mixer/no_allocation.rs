//! Whatever happens between ticks, the thread of a bridge neither allocates nor frees.

use allocation_counter::{AllocationInfo, measure};
use mixminus_codec::Format;
use mixminus_mixer::{LegId, Plays, PromptId, SinkRoutes, SourceId};

use crate::legs::{FRAME, TestLeg, arrangement, bridge, clip, hears, leg, prompt, seated};

const LEGS: u64 = 20;

/// Legs `from..LEGS`, who hear one another and the prompt of the round.
fn room(from: u64, round: u64) -> Vec<SinkRoutes> {
    let others = |id| (from..LEGS).filter(move |&other| other != id).map(leg);
    (from..LEGS).map(|id| hears(id, &others(id).chain([prompt(round)]).collect::<Vec<SourceId>>())).collect()
}

fn assert_untouched(info: AllocationInfo) {
    assert_eq!((info.count_total, info.count_current), (0, 0), "{info:?}");
}

#[test]
fn a_tick_during_churn_allocates_and_frees_nothing() {
    let speaking = |id: u64| TestLeg {
        says: id.is_multiple_of(3).then_some([9_000; FRAME]),
        ..TestLeg::new(Format::ALL[id as usize % 2])
    };
    let mut bridge = bridge(&room(0, 0), (0..LEGS).map(speaking).collect());
    for round in 1..50 {
        let gone = round % 7;
        let mut next = arrangement(&room(gone, round));
        next.place(clip(round, vec![300; 200], Plays::Times(2))).unwrap();
        let returning: Vec<_> = (0..gone).map(|id| seated(id, speaking(id))).collect();
        let mut back = Some(arrangement(&room(0, round)));
        let mut returning = returning.into_iter();
        let (mut old, mut older, mut taken, mut ended) = (None, None, None, 0);
        assert_untouched(measure(|| {
            old = Some(bridge.adopt(next));
            bridge.tick(&mut |_| ended += 1);
            older = back.take().map(|back| bridge.adopt(back));
            returning.by_ref().for_each(|leg| bridge.seat_leg(leg).unwrap());
            bridge.tick(&mut |_| ended += 1);
            taken = bridge.take_leg(LegId(LEGS - 1));
            bridge.tick(&mut |_| ended += 1);
            bridge.seat_leg(taken.take().unwrap()).unwrap();
            taken = bridge.take_leg(LegId(0));
            assert!(bridge.take_prompt(PromptId(999)).is_none());
        }));
        bridge.seat_leg(taken.unwrap()).unwrap();
        assert_eq!((ended, old.unwrap().take_legs().count()), (1, gone as usize));
        assert_eq!((older.unwrap().take_legs().count(), bridge.legs_mut().count()), (0, LEGS as usize));
    }
}

#[test]
fn the_counter_sees_an_allocation_and_a_free() {
    let kept = vec![1];
    assert_eq!(measure(|| drop(kept)).count_current, -1);
    let mut made = None;
    assert_eq!(measure(|| made = Some(Box::new(1))).count_total, 1);
}
