//! Over random plans, moves and voices: nobody hears anything but what the plan allows, bit for bit.

use std::cell::RefCell;
use std::collections::BTreeSet;

use mixminus_audio::SampleRate;
use mixminus_codec::Format;
use mixminus_mixer::{LegId, Plays, PromptId, SourceId};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::FileFailurePersistence;

use crate::legs::{LINEAR, OPUS, encoded};
use crate::model::Ear;
use crate::world::{Heard, LEGS, PROMPTS, Recording, Routes, Step, World, sources};

/// Quiet enough for all sources to fit in 16 bits; loud enough for any two to need the limiter.
const AMPLITUDES: [i16; 2] = [3_000, 30_000];

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_leg_is_sent_once_a_tick_exactly_what_it_may_hear(
        formats in prop::array::uniform6(lossless()),
        steps in steps(lossless(), 1),
        recordings in recordings(),
        seed: u64,
        amplitude in select(&AMPLITUDES[..]),
    ) {
        let speech = Speech::lively(seed, amplitude);
        let mut world = World::new(recordings, formats);
        let mut ears = formats.map(|format| Ear::new(format.sample_rate()));
        for (time, step) in (0..).zip(&steps) {
            for heard in world.take(step, &|leg, world| speech.says(leg, world.rate(leg), time)) {
                let ear = &mut ears[heard.leg.0 as usize];
                let frame = ear.hear(&heard.allowed, heard.rate, heard.format.sample_rate());
                let as_it_should = heard.payload == encoded(heard.format, frame);
                prop_assert!(as_it_should, "{:?} at {time}: {}", heard.leg, world.diary.keep("exactly"));
                let as_tapped = heard.tapped.is_none_or(|mix| mix == ear.mix());
                prop_assert!(as_tapped, "{:?} at {time}: {}", heard.leg, world.diary.keep("tapped"));
            }
        }
    }

    #[test]
    fn what_a_leg_may_not_hear_changes_no_bit_of_what_it_is_sent(
        formats in prop::array::uniform6(lossless()),
        steps in steps(lossless(), 1),
        recordings in recordings(),
        secrets in secrets(true, Speech::quiet),
    ) {
        secrets.assert_kept(formats, &steps, &recordings)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        cases: 16,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_can_be_played_again(
        formats in prop::array::uniform6(any_format()),
        steps in steps(any_format(), 20),
        recordings in recordings(),
        seed: u64,
    ) {
        let (speech, mut world) = (Speech::lively(seed, 3_000), World::new(recordings, formats));
        for (time, step) in (0..).zip(&steps) {
            world.take(step, &|leg, world| speech.says(leg, world.rate(leg), time));
        }
        let outcome = mixminus_replay::replay(world.diary.log()).unwrap();
        prop_assert!(outcome.is_identical(), "{}", world.diary.keep("again"));
    }

    #[test]
    fn nor_does_it_through_an_encoder_that_remembers_what_others_heard(
        formats in prop::array::uniform6(any_format()),
        steps in steps(any_format(), 120),
        recordings in recordings(),
        secrets in secrets(true, Speech::quiet),
    ) {
        secrets.assert_kept(formats, &steps, &recordings)?;
    }
}

/// Noise of its own for each leg, in talkspurts.
#[derive(Clone, Copy, Debug)]
struct Speech {
    seed: u64,
    amplitude: i16,
    spurt_ticks: u64,
    /// How many of three spurts are not silent.
    of_three: u64,
}

impl Speech {
    fn lively(seed: u64, amplitude: i16) -> Self {
        Self { seed, amplitude, spurt_ticks: 8, of_three: 2 }
    }

    /// With pauses in which an encoder can come to be shared.
    fn quiet(seed: u64, amplitude: i16) -> Self {
        Self { seed, amplitude, spurt_ticks: 80, of_three: 1 }
    }

    fn says(self, leg: LegId, rate: SampleRate, time: u64) -> Option<Vec<i16>> {
        let mut state = scramble(self.seed ^ scramble(leg.0));
        if scramble(state ^ (time / self.spurt_ticks)) % 3 >= self.of_three {
            return None;
        }
        state = scramble(state ^ time);
        let span = 2 * u64::from(self.amplitude.unsigned_abs()) + 1;
        let samples = (0..rate.frame_samples()).map(|_| {
            state = scramble(state);
            ((state % span) as i32 - i32::from(self.amplitude)) as i16
        });
        Some(samples.collect())
    }
}

/// Who must not be affected by secrets, and how all speak.
#[derive(Clone, Copy, Debug)]
struct Secrets {
    victim: LegId,
    speech: Speech,
    /// Whether what the victim says may affect it.
    own_voice_matters: bool,
}

impl Secrets {
    fn assert_kept(
        self,
        formats: [Format; LEGS as usize],
        steps: &[Step],
        recordings: &[Recording; PROMPTS as usize],
    ) -> Result<(), TestCaseError> {
        let Self { victim, speech, own_voice_matters } = self;
        let audience = RefCell::new(BTreeSet::new());
        let mut quiet = World::new(recordings.clone(), formats);
        let before = self.listen(&mut quiet, steps, |leg, world, time| {
            if world.hears(victim, SourceId::Leg(leg)) {
                audience.borrow_mut().extend([(leg, time)]);
            }
            speech.says(leg, world.rate(leg), time)
        });
        let audible: BTreeSet<_> = before.iter().flat_map(|heard| heard.allowed.keys()).collect();
        let mut others = recordings.clone();
        for (id, recording) in (0..).zip(&mut others) {
            if !audible.contains(&SourceId::Prompt(PromptId(id))) {
                *recording = Recording { samples: vec![i16::MAX; 100], plays: Plays::Forever };
            }
        }
        let noise = Speech { seed: !speech.seed, amplitude: i16::MAX, ..speech };
        let mut noisy = World::new(others, formats);
        let after = self.listen(&mut noisy, steps, |leg, world, time| {
            let heard = audience.borrow().contains(&(leg, time));
            let open = heard || (leg == victim && own_voice_matters);
            if open { speech } else { noise }.says(leg, world.rate(leg), time)
        });
        let payloads = |heard: &[Heard]| heard.iter().map(|heard| heard.payload.clone()).collect::<Vec<_>>();
        let kept = payloads(&before) == payloads(&after);
        prop_assert!(kept, "{} and {}", quiet.diary.keep("quiet"), noisy.diary.keep("noisy"));
        Ok(())
    }

    /// All that the victim was sent.
    fn listen(
        self,
        world: &mut World,
        steps: &[Step],
        voice: impl Fn(LegId, &World, u64) -> Option<Vec<i16>>,
    ) -> Vec<Heard> {
        let (mut time, mut heard) = (0, vec![]);
        for step in steps {
            heard.extend(world.take(step, &|leg, world| voice(leg, world, time)));
            time += u64::from(matches!(step, Step::Tick));
        }
        heard.retain(|heard| heard.leg == self.victim);
        heard
    }
}

/// SplitMix64.
pub fn scramble(mut state: u64) -> u64 {
    state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// What happens, to legs that go over to some `format`, with up to so many `ticks` at a time.
fn steps(format: impl Strategy<Value = Format>, ticks: usize) -> impl Strategy<Value = Vec<Step>> {
    let rate = select(&SampleRate::ALL[..]);
    let follow = (0..2_usize, rate, routes(), any::<bool>())
        .prop_map(|(bridge, rate, routes, bringing)| Step::Follow { bridge, rate, routes, bringing });
    let source = select(sources().collect::<Vec<_>>());
    let destination = prop_oneof![1 => Just(None), 4 => (0..2_usize).prop_map(Some)];
    let movement = (source, destination).prop_map(|(source, to)| Step::Move { source, to });
    let format = (0..LEGS, format).prop_map(|(leg, format)| Step::SwitchFormat(LegId(leg), format));
    let change = prop_oneof![3 => follow, 3 => movement, 1 => format].prop_map(|step| vec![step]);
    let pause = (1..=ticks).prop_map(|ticks| vec![Step::Tick; ticks]);
    prop::collection::vec(prop_oneof![12 => pause, 7 => change], 1..80).prop_map(|steps| steps.concat())
}

fn lossless() -> impl Strategy<Value = Format> {
    select([&LINEAR[..], &[Format::Pcmu, Format::Pcma]].concat())
}

fn any_format() -> impl Strategy<Value = Format> {
    prop_oneof![2 => Just(OPUS), 2 => Just(Format::G722), 1 => lossless()]
}

fn secrets(own_voice_matters: bool, speech: fn(u64, i16) -> Speech) -> impl Strategy<Value = Secrets> {
    (0..LEGS, any::<u64>(), select(&AMPLITUDES[..])).prop_map(move |(victim, seed, amplitude)| Secrets {
        victim: LegId(victim),
        speech: speech(seed, amplitude),
        own_voice_matters,
    })
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

fn recordings() -> impl Strategy<Value = [Recording; PROMPTS as usize]> {
    let plays = prop_oneof![3 => (0..4_u32).prop_map(Plays::Times), 1 => Just(Plays::Forever)];
    let samples = prop_oneof![9 => prop::collection::vec(-3_000..=3_000_i16, 1..400), 1 => Just(vec![])];
    prop::array::uniform3((samples, plays).prop_map(|(samples, plays)| Recording { samples, plays }))
}
