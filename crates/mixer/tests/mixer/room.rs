//! Small rooms, by ear.

use mixminus_codec::Format;
use mixminus_mixer::{Bridge, LegId, Plays, PromptId, Refusal, SinkRoutes};

use crate::legs::{FRAME, TestLeg, arrangement, bridge, clip, encoded, hears, leg, prompt, seated};

/// What each leg of `bridge` was sent, all samples of which must be `samples`.
fn assert_heard<const N: usize>(bridge: &mut Bridge<TestLeg>, samples: [i16; N]) {
    let heard: Vec<_> = bridge.legs_mut().map(|(_, leg)| leg.heard.clone()).collect();
    assert_eq!(heard, samples.map(|sample| encoded(Format::Pcmu, &[sample; FRAME])));
}

/// Ticks until what a change of routing left behind is over.
fn settle(bridge: &mut Bridge<TestLeg>) {
    for _ in 0..2 {
        bridge.tick(&mut |_| ());
    }
}

fn everyone_hears_all_others() -> [SinkRoutes; 3] {
    [hears(0, &[leg(1), leg(2)]), hears(1, &[leg(0), leg(2)]), hears(2, &[leg(0), leg(1)])]
}

#[test]
fn everybody_hears_all_but_themselves() {
    let mut bridge = bridge(&everyone_hears_all_others(), [100, 2_000, 400].map(TestLeg::saying).into());
    settle(&mut bridge);
    assert_heard(&mut bridge, [2_400, 500, 2_100]);
}

#[test]
fn a_coach_is_heard_by_the_agent_alone() {
    let routes = [hears(0, &[leg(1), leg(2)]), hears(1, &[leg(0)]), hears(2, &[leg(0), leg(1)])];
    let mut bridge = bridge(&routes, [100, 2_000, 400].map(TestLeg::saying).into());
    settle(&mut bridge);
    assert_heard(&mut bridge, [2_400, 100, 2_100]);
}

#[test]
fn who_hears_nobody_is_sent_silence() {
    let mut bridge = bridge(&[hears(0, &[])], vec![TestLeg::saying(100)]);
    bridge.tick(&mut |_| ());
    assert_heard(&mut bridge, [0]);
}

#[test]
fn each_leg_is_sent_its_own_format() {
    let legs =
        [Format::Pcmu, Format::Pcma].map(TestLeg::new).into_iter().chain([TestLeg::saying(100)]).collect();
    let mut bridge = bridge(&everyone_hears_all_others(), legs);
    settle(&mut bridge);
    for (_, leg) in bridge.legs_mut().take(2) {
        assert_eq!(leg.heard, encoded(leg.encoding.format(), &[100; FRAME]));
    }
}

#[test]
fn a_leg_that_was_taken_away_is_not_heard() {
    let mut bridge = bridge(&everyone_hears_all_others(), [100, 2_000, 400].map(TestLeg::saying).into());
    let taken = bridge.take_leg(LegId(1)).map(|seated| seated.id());
    settle(&mut bridge);
    assert_eq!(taken, Some(LegId(1)));
    assert_heard(&mut bridge, [400, 100]);
}

#[test]
fn a_leg_that_the_plan_does_not_name_is_given_back() {
    let mut bridge = bridge(&[hears(0, &[])], vec![]);
    let refused = bridge.seat_leg(seated(1, TestLeg::saying(100))).unwrap_err();
    assert_eq!((refused.reason, refused.returned.id()), (Refusal::NotInPlan, LegId(1)));
}

#[test]
fn a_taken_seat_is_not_given_away() {
    let mut bridge = bridge(&[hears(0, &[])], vec![TestLeg::saying(100)]);
    let refused = bridge.seat_leg(seated(0, TestLeg::saying(400))).unwrap_err();
    assert_eq!(
        (refused.reason, refused.returned.leg().says.clone()),
        (Refusal::Taken, Some(vec![400; FRAME]))
    );
}

#[test]
fn a_prompt_reaches_only_its_audience() {
    let mut bridge = bridge(
        &[hears(0, &[prompt(7), leg(1)]), hears(1, &[leg(0)])],
        vec![TestLeg::saying(100), TestLeg::saying(400)],
    );
    bridge.place_prompt(clip(7, vec![2_000], Plays::Forever)).unwrap();
    settle(&mut bridge);
    assert_heard(&mut bridge, [2_400, 100]);
}

#[test]
fn a_prompt_ends_once_and_is_silent_afterwards() {
    let mut bridge = bridge(&[hears(0, &[prompt(7)])], vec![TestLeg::new(Format::Pcmu)]);
    bridge.place_prompt(clip(7, vec![2_000; FRAME], Plays::Times(2))).unwrap();
    let mut ended = vec![];
    for tick in 0..4 {
        bridge.tick(&mut |prompt| ended.push((tick, prompt)));
    }
    assert_eq!(ended, [(1, PromptId(7))]);
    assert_heard(&mut bridge, [0]);
}

#[test]
fn a_prompt_that_plays_goes_on_under_the_next_plan() {
    let routes = [hears(0, &[prompt(7)])];
    let mut bridge = bridge(&routes, vec![TestLeg::new(Format::Pcmu)]);
    bridge.place_prompt(clip(7, [[100; FRAME], [400; FRAME]].concat(), Plays::Times(1))).unwrap();
    bridge.tick(&mut |_| ());
    let mut next = arrangement(&routes);
    next.place(clip(7, vec![3_000; FRAME], Plays::Times(1))).unwrap();
    let mut old = bridge.adopt(next);
    bridge.tick(&mut |_| ());
    assert_heard(&mut bridge, [400]);
    assert_eq!((old.take_prompts().count(), old.take_legs().count()), (1, 0));
}
