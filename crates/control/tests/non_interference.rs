//! The control plane drives real bridges: what one may not hear changes not
//! one bit of what one hears, whatever happens in the conference.

mod world;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mixminus_audio::{Clip, Pcm, SampleRate};
use mixminus_codec::{Encoder, Encoding, Format, OpusSettings};
use mixminus_control::policy::Role;
use mixminus_control::{ConferenceRequest, Effect, ParticipantChange, PromptContent, Repeat};
use mixminus_mixer::{
    Arrangement, Bridge, BridgeId, Contribution, Leg, LegId, MixPlan, Plays, Prompt, PromptId, Seated,
    SinkRoutes,
};
use proptest::prelude::*;
use world::{World, request};

/// What legs are sent, in turn.
const FORMATS: [Format; 4] =
    [Format::Pcmu, Format::G722, Format::L16(SampleRate::Hz16000), Format::Opus(SampleRate::Hz48000)];

/// Ticks after each step: few, so that what a filter or an encoder still remembers shows in the next one.
const TICKS: usize = 3;

fn encoding(leg: LegId) -> Encoding {
    let format = FORMATS[leg.0 as usize % FORMATS.len()];
    Encoding::new(format, OpusSettings { complexity: 0, ..OpusSettings::default() })
}

/// A talker with its own tone, loud enough that the limiter works, or noise instead.
#[derive(Debug)]
struct Talker {
    leg: u64,
    ticks: i32,
    noisy: bool,
    encoder: Encoder,
    heard: Vec<Vec<u8>>,
}

impl Talker {
    fn new(leg: LegId) -> Self {
        Self { leg: leg.0, ticks: 0, noisy: false, encoder: Encoder::new(encoding(leg)), heard: Vec::new() }
    }
}

impl Leg for Talker {
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        let start = self.ticks * frame.len() as i32;
        for (index, sample) in (start..).zip(frame) {
            let phase = index.wrapping_mul(self.leg as i32 * 37 + 11);
            *sample =
                if self.noisy { phase.wrapping_mul(7919) as i16 } else { (phase % 40_000 - 20_000) as i16 };
        }
        self.ticks += 1;
        Contribution::Audio
    }

    fn encoding(&self) -> Encoding {
        self.encoder.encoding()
    }

    fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    fn send(&mut self, payload: &[u8]) {
        self.heard.push(payload.to_vec());
    }
}

/// Bridges and prompts as the media workers keep them, in virtual time.
#[derive(Default)]
struct Rig {
    bridges: BTreeMap<BridgeId, Bridge<Talker>>,
    clips: HashMap<PromptId, (Arc<Clip>, Plays)>,
    gone: Vec<Talker>,
}

impl Rig {
    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Ring(leg) => self.seat(leg, Box::new(Seated::new(leg, Talker::new(leg)))),
            Effect::Install(bridge, plan) => {
                let mut arrangement = arrangement(plan);
                for leg in arrangement.plan().legs().to_vec() {
                    let elsewhere = self.bridges.iter_mut().filter(|(id, _)| **id != bridge);
                    if let Some(seated) =
                        elsewhere.map(|(_, other)| other.take_leg(leg)).find_map(|taken| taken)
                    {
                        arrangement.seat(seated).expect("the plan names it once");
                    }
                }
                for prompt in arrangement.plan().prompts().to_vec() {
                    let (clip, plays) = self.clips[&prompt].clone();
                    let fresh = Prompt::new(prompt, clip, plays);
                    arrangement.place(Box::new(fresh)).expect("the plan names it once");
                }
                let arrangement = Box::new(arrangement);
                match self.bridges.get_mut(&bridge) {
                    Some(running) => drop(running.adopt(arrangement)),
                    None => drop(self.bridges.insert(bridge, Bridge::new(arrangement))),
                }
            }
            Effect::CloseBridge(bridge) => drop(self.bridges.remove(&bridge)),
            Effect::HangUp(leg) | Effect::Refuse(leg, _) | Effect::Release(leg) => {
                let seated = self.bridges.values_mut().find_map(|bridge| bridge.take_leg(leg));
                self.gone.extend(seated.map(|seated| seated.into_leg()));
            }
            Effect::Play { prompt, content, repeat } => {
                drop(self.clips.insert(prompt, clip(&content, repeat)));
            }
            _ => {}
        }
    }

    /// A new leg waits in a bridge of its own until a plan takes it over.
    fn seat(&mut self, leg: LegId, seated: Box<Seated<Talker>>) {
        let alone = [SinkRoutes { leg, hears: vec![] }];
        let plan = MixPlan::compile(&alone).expect("one leg that hears nothing");
        let mut arrangement = arrangement(plan);
        arrangement.seat(seated).expect("the plan names it once");
        self.bridges.insert(BridgeId(u64::MAX - leg.0), Bridge::new(Box::new(arrangement)));
    }

    fn tick(&mut self) {
        self.bridges.values_mut().for_each(|bridge| bridge.tick(&mut |_| {}));
    }

    fn make_noisy(&mut self, leg: LegId, noisy: bool) {
        if let Some(talker) = self.bridges.values_mut().find_map(|bridge| bridge.leg_mut(leg)) {
            talker.noisy = noisy;
        }
    }

    /// What each leg heard in its life.
    fn heard(mut self) -> BTreeMap<u64, Vec<Vec<u8>>> {
        let inside = self
            .bridges
            .values_mut()
            .flat_map(Bridge::legs_mut)
            .map(|(_, talker)| (talker.leg, talker.heard.clone()));
        inside.chain(self.gone.iter().map(|talker| (talker.leg, talker.heard.clone()))).collect()
    }
}

/// At the rate of its widest leg, as the media side makes it.
fn arrangement(plan: MixPlan) -> Arrangement<Talker> {
    let encodings: BTreeSet<_> = plan.legs().iter().map(|&leg| encoding(leg)).collect();
    let rate = encodings.iter().map(|encoding| encoding.format().sample_rate()).max();
    let encodings: Vec<_> = encodings.into_iter().collect();
    Arrangement::new(plan, rate.unwrap_or(SampleRate::Hz8000), &encodings)
}

fn clip(content: &PromptContent, repeat: Repeat) -> (Arc<Clip>, Plays) {
    let level = match content {
        PromptContent::Beep1 => 1000,
        PromptContent::Beep2 => 1100,
        PromptContent::WaitMusic => 1200,
        PromptContent::AgentHoldMusic => 1300,
        _ => 1400,
    };
    let plays = match repeat {
        Repeat::Times(times) => Plays::Times(times),
        Repeat::Forever => Plays::Forever,
    };
    let clip = Clip::new(Pcm { rate: SampleRate::Hz8000, samples: vec![level; 400] });
    for rate in SampleRate::ALL {
        clip.prepare(rate);
    }
    (Arc::new(clip), plays)
}

#[derive(Clone, Debug)]
enum Step {
    Join(Role, [bool; 3]),
    HangUp(usize),
    Update(usize, ParticipantChange),
    Start,
}

/// Who says what they should not: noise, or what they say in the other life.
#[derive(Clone, Copy, PartialEq)]
enum Unheard {
    Behaves,
    MakesNoise,
}

/// Lives through `steps` and returns who was a customer, and what each leg heard.
fn live(steps: &[Step], unheard: Unheard) -> (Vec<LegId>, BTreeMap<u64, Vec<Vec<u8>>>) {
    let (mut world, mut rig) = (World::new(), Rig::default());
    let (mut inside, mut customers) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Join(role, [mute, hold, start_on_enter]) if inside.len() < 8 => {
                let (mute, hold, start_on_enter) = (*mute, *hold, *start_on_enter);
                let leg =
                    world.join(ConferenceRequest { mute, hold, start_on_enter, ..request("room", *role) });
                inside.push(leg);
                if *role == Role::Customer {
                    customers.push(leg);
                }
            }
            Step::HangUp(index) if !inside.is_empty() => world.hang_up(inside.remove(index % inside.len())),
            Step::Update(index, change) if !inside.is_empty() => {
                world.update(inside[index % inside.len()], *change).expect("it is inside");
            }
            Step::Start if !inside.is_empty() => world.start("room").expect("somebody is inside"),
            _ => {}
        }
        for effect in std::mem::take(&mut world.media) {
            rig.carry_out(effect);
        }
        if unheard == Unheard::MakesNoise {
            for leg in &inside {
                let (it, room) = (world.participant(*leg), world.conference(*leg));
                rig.make_noisy(*leg, it.coaching || it.muted || it.held || room.started_at.is_none());
            }
        }
        (0..TICKS).for_each(|_| rig.tick());
    }
    (customers, rig.heard())
}

fn step() -> impl Strategy<Value = Step> {
    let role = prop_oneof![Just(Role::Agent), Just(Role::Customer), Just(Role::Supervisor)];
    let update = (any::<usize>(), any::<[Option<bool>; 3]>());
    prop_oneof![
        3 => (role, any::<[bool; 3]>()).prop_map(|(role, flags)| Step::Join(role, flags)),
        1 => any::<usize>().prop_map(Step::HangUp),
        4 => update.prop_map(|(index, [mute, hold, coach])| {
            Step::Update(index, ParticipantChange { mute, hold, coach })
        }),
        1 => Just(Step::Start),
    ]
}

proptest! {
    #[test]
    fn a_customer_hears_the_same_bits_whatever_the_unheard_say(steps in prop::collection::vec(step(), 1..30)) {
        let (customers, quiet) = live(&steps, Unheard::Behaves);
        let (_, noisy) = live(&steps, Unheard::MakesNoise);
        for customer in customers {
            prop_assert_eq!(&quiet[&customer.0], &noisy[&customer.0], "{:?}", customer);
        }
    }

    #[test]
    fn a_leg_gets_one_payload_each_tick_of_its_life(steps in prop::collection::vec(step(), 1..30)) {
        let joins = steps.iter().filter(|step| matches!(step, Step::Join(..))).count();
        let (_, heard) = live(&steps, Unheard::Behaves);
        prop_assert!(heard.len() <= joins);
        prop_assert!(heard.values().all(|payloads| payloads.len() % TICKS == 0));
        for (&leg, payloads) in &heard {
            let format = encoding(LegId(leg)).format();
            let tick = format.sample_rate().frame_samples();
            prop_assert!(payloads.iter().all(|payload| format.samples_in(payload) == Some(tick)));
        }
    }
}
