//! Two bridges, with legs and prompts that come and go, beside a plain account of who is where.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mixminus_audio::{Clip, Pcm, SampleRate};
use mixminus_codec::Format;
use mixminus_mixer::{
    Arrangement, Bridge, LegId, Plays, Prompt, PromptId, Refusal, Refused, Seated, SinkRoutes, SourceId,
    TapChannel,
};

use crate::diary::Diary;
use crate::legs::{RATE, TestLeg, arrangement_at, arrangement_of, encoding, plan, seated};
use crate::model::{Mouth, Sound, Sounds, Source};
use crate::tapped::Taps;

pub const LEGS: u64 = 6;
pub const PROMPTS: u64 = 3;

/// What each leg of a bridge hears.
pub type Routes = BTreeMap<LegId, BTreeSet<SourceId>>;

/// Something that happens between ticks, or a tick.
#[derive(Clone, Debug)]
pub enum Step {
    /// A bridge adopts a plan and a rate; legs and prompts that are named and outside may come with it.
    Follow { bridge: usize, rate: SampleRate, routes: Routes, bringing: bool },
    /// A leg or a prompt goes from wherever it is to a bridge, or outside.
    Move { source: SourceId, to: Option<usize> },
    /// A leg has another format from now on.
    SwitchFormat(LegId, Format),
    /// 20 ms pass.
    Tick,
}

/// The samples of a prompt, at 8 kHz, and how often they are played.
#[derive(Clone, Debug)]
pub struct Recording {
    pub samples: Vec<i16>,
    pub plays: Plays,
}

/// What one leg was sent in a tick, and everything it should have been made of.
pub struct Heard {
    pub leg: LegId,
    pub format: Format,
    pub payload: Vec<u8>,
    /// The rate of the bridge.
    pub rate: SampleRate,
    /// The sources that the leg may hear and that are there, with their audio at that rate.
    pub allowed: BTreeMap<SourceId, Sound>,
    /// What a tap has of it, at that rate, if one has.
    pub tapped: Option<Vec<i16>>,
}

pub struct World {
    bridges: [Bridge<TestLeg>; 2],
    formats: [Format; LEGS as usize],
    rates: [SampleRate; 2],
    routes: [Routes; 2],
    /// Which bridge a leg or a prompt is in.
    places: BTreeMap<SourceId, usize>,
    legs_outside: BTreeMap<LegId, Box<Seated<TestLeg>>>,
    prompts_outside: BTreeMap<PromptId, Box<Prompt>>,
    recordings: [Recording; PROMPTS as usize],
    clips: [Arc<Clip>; PROMPTS as usize],
    mouths: BTreeMap<LegId, Mouth>,
    /// The prompts in bridges, as sources.
    players: BTreeMap<PromptId, Source>,
    /// In how many ticks a leg or a prompt has been in a bridge.
    ticks: BTreeMap<SourceId, usize>,
    /// What each leg in a bridge heard there in the last tick.
    heard_last: BTreeMap<LegId, BTreeSet<SourceId>>,
    taps: Taps,
    /// The mixes that taps have of the last tick.
    mixes: BTreeMap<LegId, Vec<i16>>,
    /// The number of the next tick.
    time: u64,
    pub diary: Diary,
}

impl World {
    /// Everything is outside, and the bridges follow empty plans. Leg `n` begins with `formats[n]`.
    pub fn new(recordings: [Recording; PROMPTS as usize], formats: [Format; LEGS as usize]) -> Self {
        let legs = (0..).zip(formats).map(|(id, format)| (LegId(id), seated(id, TestLeg::new(format))));
        let clips = recordings.clone().map(|recording| {
            let clip = Clip::new(Pcm { rate: RATE, samples: recording.samples });
            for rate in SampleRate::ALL {
                clip.prepare(rate);
            }
            Arc::new(clip)
        });
        let prompts = (0..).zip(&clips).zip(&recordings).map(|((id, clip), recording)| {
            (PromptId(id), Box::new(Prompt::new(PromptId(id), Arc::clone(clip), recording.plays)))
        });
        let diary = Diary::new(&recordings);
        Self {
            bridges: [(); 2].map(|()| Bridge::new(arrangement_at(RATE, &[]))),
            formats,
            rates: [RATE; 2],
            routes: [Routes::new(), Routes::new()],
            places: BTreeMap::new(),
            legs_outside: legs.collect(),
            prompts_outside: prompts.collect(),
            recordings,
            clips,
            mouths: BTreeMap::new(),
            players: BTreeMap::new(),
            ticks: BTreeMap::new(),
            heard_last: BTreeMap::new(),
            taps: Taps::new(),
            mixes: BTreeMap::new(),
            time: 0,
            diary,
        }
    }

    /// Does what `step` says, and for a tick returns what every leg in a bridge was sent.
    pub fn take(&mut self, step: &Step, voice: &impl Fn(LegId, &Self) -> Option<Vec<i16>>) -> Vec<Heard> {
        match step {
            Step::Follow { bridge, rate, routes, bringing } => {
                self.rates[*bridge] = *rate;
                self.follow(*bridge, routes, *bringing);
            }
            Step::Move { source, to } => {
                self.bring_out(*source);
                if let Some(bridge) = to {
                    self.bring_in(*source, *bridge);
                }
            }
            Step::SwitchFormat(leg, format) => self.formats[leg.0 as usize] = *format,
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
        let plan = self.taps.tap(bridge, plan(&sinks.collect::<Vec<_>>()));
        let mut next = arrangement_of(self.rates[bridge], plan);
        self.taps.bring(&mut next, bridge, &mut self.bridges);
        for (sink, source) in sinks_and_sources() {
            let allowed = routes.get(&sink).is_some_and(|hears| hears.contains(&source));
            assert_eq!(next.plan().hears(sink, source), allowed, "{sink:?} and {source:?}");
        }
        self.routes[bridge].clone_from(routes);
        let brought = if bringing { self.bring_along(&mut next, bridge) } else { vec![] };
        self.diary.follows(bridge, &mut next, &brought);
        let mut old = self.bridges[bridge].adopt(next);
        self.taps.take_home(&mut old);
        for leg in old.take_legs() {
            assert!(!routes.contains_key(&leg.id()), "the new plan names it");
            assert_eq!(self.places.remove(&SourceId::Leg(leg.id())), Some(bridge));
            self.mouths.remove(&leg.id());
            self.heard_last.remove(&leg.id());
            self.legs_outside.insert(leg.id(), leg);
        }
        for prompt in old.take_prompts() {
            assert!(!self.names(bridge, SourceId::Prompt(prompt.id())), "the new plan names it");
            assert_eq!(self.places.remove(&SourceId::Prompt(prompt.id())), Some(bridge));
            self.players.remove(&prompt.id());
            self.prompts_outside.insert(prompt.id(), prompt);
        }
        let mut here = self.places.iter().filter(|(_, place)| **place == bridge);
        assert!(here.all(|(&source, _)| self.names(bridge, source)), "the others came home");
    }

    /// Returns what has come along.
    fn bring_along(&mut self, next: &mut Arrangement<TestLeg>, bridge: usize) -> Vec<SourceId> {
        let mut named: Vec<_> = sources().filter(|&source| self.names(bridge, source)).collect();
        named.retain(|&source| {
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
            brought.is_some()
        });
        named
    }

    fn bring_out(&mut self, source: SourceId) {
        let Some(bridge) = self.places.remove(&source) else { return };
        self.diary.leaves(source, bridge);
        match source {
            SourceId::Leg(leg) => {
                let taken = self.bridges[bridge].take_leg(leg).expect("it is there");
                self.mouths.remove(&leg);
                self.heard_last.remove(&leg);
                self.legs_outside.insert(leg, taken);
            }
            SourceId::Prompt(prompt) => {
                let taken = self.bridges[bridge].take_prompt(prompt).expect("it is there");
                self.players.remove(&prompt);
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
            self.diary.comes(source, bridge, &mut self.bridges[bridge]);
        } else {
            assert_eq!(refusal, Err(Refusal::NotInPlan));
        }
    }

    fn leg_mut(&mut self, leg: LegId) -> &mut TestLeg {
        match self.places.get(&SourceId::Leg(leg)) {
            Some(&bridge) => self.bridges[bridge].leg_mut(leg).expect("it is there"),
            None => self.legs_outside.get_mut(&leg).expect("it is outside").leg_mut(),
        }
    }

    /// The rate of the leg's format.
    pub fn rate(&self, leg: LegId) -> SampleRate {
        self.formats[leg.0 as usize].sample_rate()
    }

    /// What a leg that `says` this adds to the bridge that it is in.
    fn say(&mut self, leg: LegId, says: Option<Vec<i16>>) -> Option<Sounds> {
        let (own, bridge) = (self.rate(leg), *self.places.get(&SourceId::Leg(leg))?);
        Some(self.mouths.entry(leg).or_default().say(says, own, self.rates[bridge]))
    }

    fn tick(&mut self, voice: &impl Fn(LegId, &Self) -> Option<Vec<i16>>) -> Vec<Heard> {
        for (id, format) in (0..).zip(self.formats) {
            let leg = self.leg_mut(LegId(id));
            if leg.encoding != encoding(format) {
                leg.renegotiate(encoding(format));
            }
        }
        let voices: Vec<_> = (0..LEGS).map(|id| voice(LegId(id), self)).collect();
        let mut ended = vec![];
        for (number, bridge) in self.bridges.iter_mut().enumerate() {
            bridge.legs_mut().for_each(|(id, leg)| leg.says.clone_from(&voices[id.0 as usize]));
            bridge.set_next_tick(self.time);
            bridge.tick(&mut |prompt| ended.push(prompt));
            self.diary.ticks(number, bridge);
        }
        let mut said: BTreeMap<_, _> = (0..LEGS)
            .map(LegId)
            .zip(voices)
            .filter_map(|(leg, says)| Some((SourceId::Leg(leg), self.say(leg, says)?)))
            .collect();
        said.extend((0..PROMPTS).map(PromptId).filter_map(|id| Some((SourceId::Prompt(id), self.play(id)?))));
        self.read_taps(&said);
        let seated: Vec<_> =
            (0..LEGS).map(LegId).filter(|&leg| self.places.contains_key(&SourceId::Leg(leg))).collect();
        let heard = seated.iter().map(|&leg| self.heard(leg, &said)).collect();
        let expected = self.places.keys().filter_map(|source| match source {
            SourceId::Prompt(prompt) => {
                self.recordings[prompt.0 as usize].ends_in(self.age(*source)).then_some(*prompt)
            }
            SourceId::Leg(_) => None,
        });
        ended.sort_unstable();
        assert_eq!(ended, expected.collect::<Vec<_>>());
        self.places.keys().for_each(|source| *self.ticks.entry(*source).or_default() += 1);
        heard
    }

    /// Asserts that taps have what all sources in their bridges have `said`.
    fn read_taps(&mut self, said: &BTreeMap<SourceId, Sounds>) {
        self.mixes.clear();
        for (bridge, mut tapped) in self.taps.hear(self.time, self.rates) {
            let silence = vec![0; self.rates[bridge].frame_samples()];
            let mut take = |channel| tapped.remove(&channel).unwrap_or_else(|| silence.clone());
            for (&source, _) in self.places.iter().filter(|(_, place)| **place == bridge) {
                let Sounds { still, newly } = &said[&source];
                let is_heard = self.heard_last.values().any(|heard| heard.contains(&source));
                // With a new plan, what nobody has heard begins anew.
                let sounds = if is_heard { &[still][..] } else { &[still, newly] };
                let tapped = take(TapChannel::Source(source));
                let mut frames = sounds.iter().map(|sound| sound.frame.as_ref().unwrap_or(&silence));
                assert!(frames.any(|frame| *frame == tapped), "{source:?} at {}", self.time);
                if let SourceId::Leg(leg) = source {
                    self.mixes.insert(leg, take(TapChannel::Heard(leg)));
                }
            }
            assert!(tapped.is_empty(), "all others are silent");
        }
        self.time += 1;
    }

    fn heard(&mut self, sink: LegId, said: &BTreeMap<SourceId, Sounds>) -> Heard {
        let rate = self.rates[self.places[&SourceId::Leg(sink)]];
        let allowed = said.iter().filter(|(source, _)| self.hears(sink, **source));
        let last = self.heard_last.get(&sink);
        let still = |source| last.is_some_and(|last| last.contains(source));
        let allowed: BTreeMap<_, _> = allowed
            .map(|(source, Sounds { still: on, newly })| {
                (*source, if still(source) { on } else { newly }.clone())
            })
            .collect();
        self.heard_last.insert(sink, allowed.keys().copied().collect());
        let age = self.age(SourceId::Leg(sink)) as u32;
        let format = self.formats[sink.0 as usize];
        let leg = self.leg_mut(sink);
        assert_eq!((leg.contributed, leg.sent), (age + 1, age + 1), "each once a tick");
        let payload = leg.heard.clone();
        Heard { leg: sink, format, payload, rate, allowed, tapped: self.mixes.remove(&sink) }
    }

    /// What a prompt adds to this tick of the bridge that it is in.
    fn play(&mut self, prompt: PromptId) -> Option<Sounds> {
        let rate = self.rates[*self.places.get(&SourceId::Prompt(prompt))?];
        let samples = self.clips[prompt.0 as usize].at(rate).expect("it was prepared");
        let end = self.recordings[prompt.0 as usize].end(samples.len());
        let start = self.age(SourceId::Prompt(prompt)) * rate.frame_samples();
        let sample = |at: usize| if at < end { samples[at % samples.len()] } else { 0 };
        let frame = (start < end).then(|| (start..start + rate.frame_samples()).map(sample).collect());
        let newly = Sound::beginning(frame.clone());
        Some(Sounds { still: self.players.entry(prompt).or_default().sound(frame), newly })
    }

    fn age(&self, source: SourceId) -> usize {
        self.ticks.get(&source).copied().unwrap_or(0)
    }
}

impl Recording {
    /// Whether the tick `tick`, from 0, is the last.
    fn ends_in(&self, tick: usize) -> bool {
        tick == self.end(self.samples.len()).saturating_sub(1) / RATE.frame_samples()
    }

    /// After how many samples it ends, where it has `samples`.
    fn end(&self, samples: usize) -> usize {
        match self.plays {
            Plays::Times(times) => samples * times as usize,
            Plays::Forever if samples == 0 => 0,
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
