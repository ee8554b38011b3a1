//! Two bridges, with legs and prompts that come and go, beside a plain account of who is where.

use std::collections::{BTreeMap, BTreeSet};

use mixminus_codec::Format;
use mixminus_mixer::{
    Arrangement, Bridge, LegId, Plays, Prompt, PromptId, Refusal, Refused, Seated, SinkRoutes, SourceId,
};

use crate::legs::{FRAME, Frame, TestLeg, arrangement, clip, seated};

pub const LEGS: u64 = 6;
pub const PROMPTS: u64 = 3;

/// What each leg of a bridge hears.
pub type Routes = BTreeMap<LegId, BTreeSet<SourceId>>;

/// Something that happens between ticks, or a tick.
#[derive(Clone, Debug)]
pub enum Step {
    /// A bridge adopts a plan; legs and prompts that it names and that are outside may come with it.
    Follow { bridge: usize, routes: Routes, bringing: bool },
    /// A leg or a prompt goes from wherever it is to a bridge, or outside.
    Move { source: SourceId, to: Option<usize> },
    /// A leg is sent the other format from now on.
    SwitchFormat(LegId),
    /// 20 ms pass.
    Tick,
}

/// The samples of a prompt and how often they are played.
#[derive(Clone, Debug)]
pub struct Clip {
    pub samples: Vec<i16>,
    pub plays: Plays,
}

/// What one leg was sent in a tick, and everything it should have been made of.
pub struct Heard {
    pub leg: LegId,
    pub format: Format,
    pub payload: [u8; FRAME],
    /// The sources that the leg may hear and that are there, with their audio.
    pub allowed: BTreeMap<SourceId, Option<Frame>>,
}

pub struct World {
    bridges: [Bridge<TestLeg>; 2],
    routes: [Routes; 2],
    /// Which bridge a leg or a prompt is in.
    places: BTreeMap<SourceId, usize>,
    legs_outside: BTreeMap<LegId, Box<Seated<TestLeg>>>,
    prompts_outside: BTreeMap<PromptId, Box<Prompt>>,
    clips: [Clip; PROMPTS as usize],
    /// In how many ticks a leg or a prompt has been in a bridge.
    ticks: BTreeMap<SourceId, usize>,
}

impl World {
    /// Everything is outside, and the bridges follow empty plans.
    pub fn new(clips: [Clip; PROMPTS as usize]) -> Self {
        let legs = (0..LEGS).map(|id| (LegId(id), seated(id, TestLeg::new(Format::ALL[id as usize % 2]))));
        let prompts = (0..).zip(&clips).map(|(id, from)| clip(id, from.samples.clone(), from.plays));
        Self {
            bridges: [(); 2].map(|()| Bridge::new(arrangement(&[]))),
            routes: [Routes::new(), Routes::new()],
            places: BTreeMap::new(),
            legs_outside: legs.collect(),
            prompts_outside: prompts.map(|prompt| (prompt.id(), prompt)).collect(),
            clips,
            ticks: BTreeMap::new(),
        }
    }

    /// Does what `step` says, and for a tick returns what every leg in a bridge was sent.
    pub fn take(&mut self, step: &Step, voice: &impl Fn(LegId, &Self) -> Option<Frame>) -> Vec<Heard> {
        match step {
            Step::Follow { bridge, routes, bringing } => self.follow(*bridge, routes, *bringing),
            Step::Move { source, to } => {
                self.bring_out(*source);
                if let Some(bridge) = to {
                    self.bring_in(*source, *bridge);
                }
            }
            Step::SwitchFormat(leg) => self.switch_format(*leg),
            Step::Tick => return self.tick(voice),
        }
        vec![]
    }

    /// Whether what `source` says now is for the ears of `sink`.
    pub fn hears(&self, sink: LegId, source: SourceId) -> bool {
        self.places.get(&SourceId::Leg(sink)).is_some_and(|bridge| {
            self.places.get(&source) == Some(bridge) && self.routes[*bridge][&sink].contains(&source)
        })
    }

    fn names(&self, bridge: usize, source: SourceId) -> bool {
        let routes = &self.routes[bridge];
        match source {
            SourceId::Leg(leg) => routes.contains_key(&leg),
            SourceId::Prompt(_) => routes.values().any(|hears| hears.contains(&source)),
        }
    }

    fn follow(&mut self, bridge: usize, routes: &Routes, bringing: bool) {
        let sinks =
            routes.iter().map(|(&leg, hears)| SinkRoutes { leg, hears: hears.iter().copied().collect() });
        let mut next = arrangement(&sinks.collect::<Vec<_>>());
        for (sink, source) in sinks_and_sources() {
            let allowed = routes.get(&sink).is_some_and(|hears| hears.contains(&source));
            assert_eq!(next.plan().hears(sink, source), allowed, "{sink:?} and {source:?}");
        }
        self.routes[bridge].clone_from(routes);
        if bringing {
            self.bring_along(&mut next, bridge);
        }
        let mut old = self.bridges[bridge].adopt(next);
        for leg in old.take_legs() {
            assert!(!routes.contains_key(&leg.id()), "the new plan names it");
            assert_eq!(self.places.remove(&SourceId::Leg(leg.id())), Some(bridge));
            self.legs_outside.insert(leg.id(), leg);
        }
        for prompt in old.take_prompts() {
            assert!(!self.names(bridge, SourceId::Prompt(prompt.id())), "the new plan names it");
            assert_eq!(self.places.remove(&SourceId::Prompt(prompt.id())), Some(bridge));
            self.prompts_outside.insert(prompt.id(), prompt);
        }
        let mut here = self.places.iter().filter(|(_, place)| **place == bridge);
        assert!(here.all(|(&source, _)| self.names(bridge, source)), "the others came home");
    }

    fn bring_along(&mut self, next: &mut Arrangement<TestLeg>, bridge: usize) {
        let named: Vec<_> = sources().filter(|&source| self.names(bridge, source)).collect();
        for source in named {
            let brought = match source {
                SourceId::Leg(leg) => self.legs_outside.remove(&leg).map(|leg| next.seat(leg).is_ok()),
                SourceId::Prompt(id) => {
                    self.prompts_outside.remove(&id).map(|prompt| next.place(prompt).is_ok())
                }
            };
            if let Some(taken_in) = brought {
                assert!(taken_in, "{source:?} is in the plan and nowhere else");
                self.places.insert(source, bridge);
            }
        }
    }

    fn bring_out(&mut self, source: SourceId) {
        let Some(bridge) = self.places.remove(&source) else { return };
        match source {
            SourceId::Leg(leg) => {
                let taken = self.bridges[bridge].take_leg(leg).expect("it is there");
                self.legs_outside.insert(leg, taken);
            }
            SourceId::Prompt(prompt) => {
                let taken = self.bridges[bridge].take_prompt(prompt).expect("it is there");
                self.prompts_outside.insert(prompt, taken);
            }
        }
    }

    fn bring_in(&mut self, source: SourceId, bridge: usize) {
        let refusal = match source {
            SourceId::Leg(leg) => {
                let seated = self.legs_outside.remove(&leg).expect("it is outside");
                let result = self.bridges[bridge].seat_leg(seated);
                result.map_err(|refused| keep(refused, leg, &mut self.legs_outside))
            }
            SourceId::Prompt(prompt) => {
                let placed = self.prompts_outside.remove(&prompt).expect("it is outside");
                let result = self.bridges[bridge].place_prompt(placed);
                result.map_err(|refused| keep(refused, prompt, &mut self.prompts_outside))
            }
        };
        if self.names(bridge, source) {
            assert_eq!(refusal, Ok(()));
            self.places.insert(source, bridge);
        } else {
            assert_eq!(refusal, Err(Refusal::NotInPlan));
        }
    }

    fn switch_format(&mut self, leg: LegId) {
        let format = match self.places.get(&SourceId::Leg(leg)) {
            Some(&bridge) => &mut self.bridges[bridge].leg_mut(leg).expect("it is there").format,
            None => &mut self.legs_outside.get_mut(&leg).expect("it is outside").leg_mut().format,
        };
        *format = if *format == Format::Pcmu { Format::Pcma } else { Format::Pcmu };
    }

    fn tick(&mut self, voice: &impl Fn(LegId, &Self) -> Option<Frame>) -> Vec<Heard> {
        let voices: Vec<_> = (0..LEGS).map(|id| voice(LegId(id), self)).collect();
        let mut ended = vec![];
        for bridge in &mut self.bridges {
            bridge.legs_mut().for_each(|(id, leg)| leg.says = voices[id.0 as usize]);
            bridge.tick(&mut |prompt| ended.push(prompt));
        }
        let seated: Vec<_> =
            (0..LEGS).map(LegId).filter(|&leg| self.places.contains_key(&SourceId::Leg(leg))).collect();
        let heard = seated.iter().map(|&leg| self.heard(leg, &voices)).collect();
        let expected = self.places.keys().filter_map(|source| match source {
            SourceId::Prompt(prompt) => self.clip(*prompt).ends_in(self.age(*source)).then_some(*prompt),
            SourceId::Leg(_) => None,
        });
        ended.sort_unstable();
        assert_eq!(ended, expected.collect::<Vec<_>>());
        self.places.keys().for_each(|source| *self.ticks.entry(*source).or_default() += 1);
        heard
    }

    fn heard(&mut self, sink: LegId, voices: &[Option<Frame>]) -> Heard {
        let allowed = sources().filter(|&source| self.hears(sink, source)).map(|source| match source {
            SourceId::Leg(leg) => (source, voices[leg.0 as usize]),
            SourceId::Prompt(prompt) => (source, self.clip(prompt).frame(self.age(source))),
        });
        let allowed = allowed.collect();
        let age = self.age(SourceId::Leg(sink)) as u32;
        let leg = self.bridges[self.places[&SourceId::Leg(sink)]].leg_mut(sink).expect("it is there");
        assert_eq!((leg.contributed, leg.sent), (age + 1, age + 1), "each once a tick");
        Heard { leg: sink, format: leg.format, payload: leg.heard, allowed }
    }

    fn clip(&self, prompt: PromptId) -> &Clip {
        &self.clips[prompt.0 as usize]
    }

    fn age(&self, source: SourceId) -> usize {
        self.ticks.get(&source).copied().unwrap_or(0)
    }
}

impl Clip {
    /// What is played in tick `tick` from 0; none when everything has been.
    fn frame(&self, tick: usize) -> Option<Frame> {
        let sample = |at: usize| if at < self.end() { self.samples[at % self.samples.len()] } else { 0 };
        (tick * FRAME < self.end()).then(|| std::array::from_fn(|n| sample(tick * FRAME + n)))
    }

    fn ends_in(&self, tick: usize) -> bool {
        tick == self.end().saturating_sub(1) / FRAME
    }

    fn end(&self) -> usize {
        match self.plays {
            Plays::Times(times) => self.samples.len() * times as usize,
            Plays::Forever if self.samples.is_empty() => 0,
            Plays::Forever => usize::MAX,
        }
    }
}

/// Every leg and prompt of the world.
pub fn sources() -> impl Iterator<Item = SourceId> {
    let legs = (0..LEGS).map(|id| SourceId::Leg(LegId(id)));
    legs.chain((0..PROMPTS).map(|id| SourceId::Prompt(PromptId(id))))
}

fn sinks_and_sources() -> impl Iterator<Item = (LegId, SourceId)> {
    (0..LEGS).map(LegId).flat_map(|sink| sources().map(move |source| (sink, source)))
}

fn keep<I: Ord, T>(refused: Refused<T>, id: I, outside: &mut BTreeMap<I, Box<T>>) -> Refusal {
    outside.insert(id, refused.returned);
    refused.reason
}
