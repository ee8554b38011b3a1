//! The control plane drives real bridges: what one may not hear changes not
//! one bit of what one hears, whatever happens in the conference.

mod world;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mixminus_audio::{Pcm, SampleRate};
use mixminus_codec::Format;
use mixminus_control::policy::Role;
use mixminus_control::{ConferenceRequest, Effect, ParticipantChange, PromptContent, Repeat};
use mixminus_mixer::{
    Arrangement, Bridge, BridgeId, Contribution, Leg, LegId, Plays, Prompt, PromptId, Seated,
};
use proptest::prelude::*;
use world::{World, request};

const RATE: SampleRate = SampleRate::Hz8000;

/// A talker with its own tone, loud enough that the limiter works, or noise instead.
#[derive(Debug)]
struct Talker {
    leg: u64,
    ticks: i32,
    noisy: bool,
    heard: Vec<Vec<u8>>,
}

impl Leg for Talker {
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        for (index, sample) in frame.iter_mut().enumerate() {
            let phase = (self.ticks * 160 + index as i32) * (self.leg as i32 * 37 + 11);
            *sample =
                if self.noisy { phase.wrapping_mul(7919) as i16 } else { (phase % 40_000 - 20_000) as i16 };
        }
        self.ticks += 1;
        Contribution::Audio
    }

    fn format(&self) -> Format {
        Format::Pcmu
    }

    fn send(&mut self, payload: &[u8]) {
        self.heard.push(payload.to_vec());
    }
}

/// Bridges and prompts as the media workers keep them, in virtual time.
#[derive(Default)]
struct Rig {
    bridges: BTreeMap<BridgeId, Bridge<Talker>>,
    clips: HashMap<PromptId, (Arc<Pcm>, Plays)>,
    gone: Vec<Talker>,
}

impl Rig {
    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Ring(leg) => {
                let talker = Talker { leg: leg.0, ticks: 0, noisy: false, heard: Vec::new() };
                self.seat(leg, Box::new(Seated::new(leg, talker, RATE)));
            }
            Effect::Install(bridge, plan) => {
                let mut arrangement = Arrangement::new(plan, RATE);
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
        let alone = [mixminus_mixer::SinkRoutes { leg, hears: vec![] }];
        let plan = mixminus_mixer::MixPlan::compile(&alone).expect("one leg that hears nothing");
        let mut arrangement = Arrangement::new(plan, RATE);
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

fn clip(content: &PromptContent, repeat: Repeat) -> (Arc<Pcm>, Plays) {
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
    (Arc::new(Pcm { rate: RATE, samples: vec![level; 400] }), plays)
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
        (0..3).for_each(|_| rig.tick());
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
        prop_assert!(heard.values().all(|payloads| payloads.len() % 3 == 0));
        prop_assert!(heard.values().all(|payloads| payloads.iter().all(|one| one.len() == 160)));
    }
}
