//! Over random plans, moves and voices: nobody hears anything but what the plan allows, bit for bit.

use std::collections::{BTreeMap, BTreeSet};

use mixminus_audio::{Declick, Limiter};
use mixminus_mixer::{LegId, Plays, PromptId, SourceId};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::FileFailurePersistence;

use crate::legs::{FRAME, Frame, RATE, encoded};
use crate::world::{Clip, Heard, LEGS, PROMPTS, Routes, Step, World, sources};

/// Quiet enough for all sources to fit in 16 bits; loud enough for any two to need the limiter.
const AMPLITUDES: [i16; 2] = [3_000, 30_000];

/// What a leg's output should be made with: an independent limiter and declick of its own.
struct Ear {
    limiter: Limiter,
    declick: Declick,
    audible: BTreeSet<SourceId>,
}

impl Ear {
    fn new() -> Self {
        Self { limiter: Limiter::new(RATE), declick: Declick::new(), audible: BTreeSet::new() }
    }

    fn hear(&mut self, allowed: &BTreeMap<SourceId, Option<Frame>>) -> Frame {
        let mut wide = [0; FRAME];
        for frame in allowed.values().flatten() {
            wide.iter_mut().zip(frame).for_each(|(sum, &sample)| *sum += i32::from(sample));
        }
        let mut frame = [0; FRAME];
        self.limiter.limit(&wide, &mut frame);
        let audible = allowed.keys().copied().collect();
        if self.audible != audible {
            self.declick.smooth(&mut frame);
        }
        self.declick.frame_sent(&frame);
        self.audible = audible;
        frame
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_leg_is_sent_once_a_tick_exactly_what_it_may_hear(
        steps in steps(),
        clips in clips(),
        seed: u64,
        amplitude in select(&AMPLITUDES[..]),
    ) {
        let mut world = World::new(clips);
        let mut ears: Vec<_> = (0..LEGS).map(|_| Ear::new()).collect();
        for (time, step) in (0..).zip(&steps) {
            for heard in world.take(step, &|leg, _: &World| speech(seed, leg, time, amplitude)) {
                let frame = ears[heard.leg.0 as usize].hear(&heard.allowed);
                prop_assert_eq!(heard.payload, encoded(heard.format, &frame), "{:?} at {}", heard.leg, time);
            }
        }
    }

    #[test]
    fn what_a_leg_may_not_hear_changes_no_bit_of_what_it_is_sent(
        steps in steps(),
        clips in clips(),
        seed: u64,
        victim in 0..LEGS,
        amplitude in select(&AMPLITUDES[..]),
    ) {
        let victim = LegId(victim);
        let before = listen(victim, &steps, clips.clone(), |_, leg, time| speech(seed, leg, time, amplitude));
        let audible: BTreeSet<_> = before.iter().flat_map(|heard| heard.allowed.keys()).collect();
        let mut others = clips;
        for (id, clip) in (0..).zip(&mut others) {
            if !audible.contains(&SourceId::Prompt(PromptId(id))) {
                *clip = Clip { samples: vec![i16::MAX; 100], plays: Plays::Forever };
            }
        }
        let after = listen(victim, &steps, others, |world, leg, time| {
            let secret = !world.hears(victim, SourceId::Leg(leg));
            if secret { speech(!seed, leg, time, i16::MAX) } else { speech(seed, leg, time, amplitude) }
        });
        let payloads = |heard: &[Heard]| heard.iter().map(|heard| heard.payload).collect::<Vec<_>>();
        prop_assert!(payloads(&before) == payloads(&after));
    }
}

/// All that `victim` was sent.
fn listen(
    victim: LegId,
    steps: &[Step],
    clips: [Clip; PROMPTS as usize],
    voice: impl Fn(&World, LegId, u64) -> Option<Frame>,
) -> Vec<Heard> {
    let mut world = World::new(clips);
    let timed = (0..).zip(steps);
    let heard =
        timed.flat_map(|(time, step)| world.take(step, &|leg, world: &World| voice(world, leg, time)));
    heard.filter(|heard| heard.leg == victim).collect()
}

/// Noise of its own for each leg, in talkspurts.
fn speech(seed: u64, leg: LegId, time: u64, amplitude: i16) -> Option<Frame> {
    let mut state = scramble(seed ^ scramble(leg.0));
    if scramble(state ^ (time / 8)).is_multiple_of(3) {
        return None;
    }
    state = scramble(state ^ time);
    let span = 2 * u64::from(amplitude.unsigned_abs()) + 1;
    Some(std::array::from_fn(|_| {
        state = scramble(state);
        ((state % span) as i32 - i32::from(amplitude)) as i16
    }))
}

/// SplitMix64.
fn scramble(mut state: u64) -> u64 {
    state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let follow = (0..2_usize, routes(), any::<bool>()).prop_map(|(bridge, routes, bringing)| Step::Follow {
        bridge,
        routes,
        bringing,
    });
    let source = select(sources().collect::<Vec<_>>());
    let destination = prop_oneof![1 => Just(None), 4 => (0..2_usize).prop_map(Some)];
    let movement = (source, destination).prop_map(|(source, to)| Step::Move { source, to });
    let format = (0..LEGS).prop_map(|leg| Step::SwitchFormat(LegId(leg)));
    prop::collection::vec(prop_oneof![12 => Just(Step::Tick), 3 => follow, 3 => movement, 1 => format], 1..80)
}

/// Rooms where many hear all other legs, and the rest anything.
fn routes() -> impl Strategy<Value = Routes> {
    let legs: Vec<_> = (0..LEGS).map(LegId).collect();
    let all: Vec<_> = sources().collect();
    let everyone = legs.iter().copied().map(SourceId::Leg).collect();
    let row = prop_oneof![2 => Just(everyone), 1 => subsequence(all.clone(), 0..=all.len())];
    let rows = prop::collection::vec(row, legs.len());
    (subsequence(legs, 0..=LEGS as usize), rows).prop_map(|(present, rows)| {
        let reaches = |sink: LegId, source: &SourceId| match source {
            SourceId::Leg(leg) => *leg != sink && present.contains(leg),
            SourceId::Prompt(_) => true,
        };
        let rows = present.iter().zip(rows);
        rows.map(|(&sink, row)| (sink, row.into_iter().filter(|source| reaches(sink, source)).collect()))
            .collect()
    })
}

fn clips() -> impl Strategy<Value = [Clip; PROMPTS as usize]> {
    let plays = prop_oneof![3 => (0..4_u32).prop_map(Plays::Times), 1 => Just(Plays::Forever)];
    let samples = prop_oneof![9 => prop::collection::vec(-3_000..=3_000_i16, 1..400), 1 => Just(vec![])];
    prop::array::uniform3((samples, plays).prop_map(|(samples, plays)| Clip { samples, plays }))
}
