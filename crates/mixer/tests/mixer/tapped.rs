//! What two taps of a world have, beside what they should have.

use std::collections::BTreeMap;

use mixminus_audio::{MAX_FRAME_SAMPLES, SampleRate};
use mixminus_mixer::{
    Arrangement, Bridge, LegId, MixPlan, SourceId, Tap, TapCapacity, TapChannel, TapId, TapReader, TapRoutes,
    tap,
};

use crate::legs::TestLeg;
use crate::world::{LEGS, PROMPTS};

/// One tick of a tap: its number, rate, whether it is paused, and its frames.
pub type Tick = (u64, SampleRate, bool, BTreeMap<TapChannel, Vec<i16>>);

/// Tap 0 goes where a plan names leg 0, as the recording of a call; tap 1 stays with bridge 1, as that of a conference,
/// and is paused by every third plan. Both carry all that there is. The diary of the world knows nothing of them.
pub struct Taps {
    readers: [TapReader; 2],
    outside: BTreeMap<TapId, Box<Tap>>,
    /// In which bridge a tap is, and whether it is paused.
    places: BTreeMap<TapId, (usize, bool)>,
    plans: usize,
}

/// Each tap with whether it is paused, carrying every source and every mix of `plan`.
pub fn tapping(plan: MixPlan, taps: &[(TapId, bool)]) -> MixPlan {
    let legs = plan.legs().iter();
    let mut channels: Vec<_> =
        legs.flat_map(|&leg| [TapChannel::Heard(leg), TapChannel::Source(SourceId::Leg(leg))]).collect();
    channels.extend(plan.prompts().iter().map(|&prompt| TapChannel::Source(SourceId::Prompt(prompt))));
    let routes = |&(tap, paused): &(TapId, bool)| TapRoutes { tap, channels: channels.clone(), paused };
    let routes: Vec<_> = taps.iter().map(routes).collect();
    plan.with_taps(&routes).expect("it carries what the plan names")
}

/// All that has come since.
pub fn read(reader: &mut TapReader) -> Vec<Tick> {
    let mut ticks = vec![];
    reader.read(&mut |tick| {
        let frames = tick.frames().map(|(channel, frame)| (channel, frame.to_vec())).collect();
        ticks.push((tick.tick, tick.rate, tick.paused, frames));
    });
    ticks
}

impl Taps {
    /// Both are outside, with room for one tick.
    pub fn new() -> Self {
        let frames = (2 * LEGS + PROMPTS) as usize;
        let capacity = TapCapacity { ticks: 1, frames, samples: frames * MAX_FRAME_SAMPLES };
        let [(first, one), (second, two)] = [0, 1].map(|id| tap(TapId(id), capacity));
        let outside = [first, second].map(|tap| (tap.id(), Box::new(tap)));
        Self { readers: [one, two], outside: outside.into(), places: BTreeMap::new(), plans: 0 }
    }

    /// `plan`, with the taps that belong to it in `bridge`.
    pub fn tap(&mut self, bridge: usize, plan: MixPlan) -> MixPlan {
        self.plans += 1;
        let mut taps = vec![];
        if plan.legs().contains(&LegId(0)) {
            taps.push((TapId(0), false));
        }
        if bridge == 1 {
            taps.push((TapId(1), self.plans.is_multiple_of(3)));
        }
        tapping(plan, &taps)
    }

    /// Brings `next`, for the bridge at `place`, its taps from wherever they are.
    pub fn bring(
        &mut self,
        next: &mut Arrangement<TestLeg>,
        place: usize,
        bridges: &mut [Bridge<TestLeg>; 2],
    ) {
        for TapRoutes { tap, paused, .. } in next.plan().tap_routes() {
            let moved = match self.places.insert(tap, (place, paused)) {
                Some((from, _)) if from == place => continue,
                Some((from, _)) => bridges[from].take_tap(tap),
                None => self.outside.remove(&tap),
            };
            next.attach(moved.expect("it was there")).expect("the plan names it");
        }
    }

    /// Takes home what came with `old`.
    pub fn take_home(&mut self, old: &mut Arrangement<TestLeg>) {
        for tap in old.take_taps() {
            self.places.remove(&tap.id());
            self.outside.insert(tap.id(), tap);
        }
    }

    /// Asserts that each tap has tick `time` exactly once while it is in a bridge, which run at `rates`. Returns its
    /// frames, unless it is paused, with that bridge.
    pub fn hear(
        &mut self,
        time: u64,
        rates: [SampleRate; 2],
    ) -> Vec<(usize, BTreeMap<TapChannel, Vec<i16>>)> {
        let mut heard = vec![];
        for (id, reader) in (0..).map(TapId).zip(&mut self.readers) {
            let mut ticks = read(reader);
            let Some(&(bridge, paused)) = self.places.get(&id) else {
                assert_eq!(ticks, [], "{id:?} is nowhere");
                continue;
            };
            let (tick, rate, is_paused, frames) = ticks.pop().expect("a tick is written at once");
            assert_eq!((ticks.len(), tick, rate, is_paused), (0, time, rates[bridge], paused), "{id:?}");
            if paused {
                assert_eq!(frames, BTreeMap::new(), "{id:?} is paused");
            } else {
                heard.push((bridge, frames));
            }
        }
        heard
    }
}
