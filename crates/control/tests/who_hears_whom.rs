//! Random lives of a conference: at every moment everybody hears exactly
//! those whom the rules, stated here once more in other words, allow, exactly
//! those are told to talk who do and whom somebody may hear, and a digit reaches
//! exactly those who hear whoever asked that it be relayed.

mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    ConferenceEvent, ConferenceRequest, ParticipantChange, ParticipantId, ParticipantRecord, PromptContent,
};
use mixminus_mixer::LegId;
use proptest::prelude::*;
use world::{World, request};

#[derive(Clone, Debug)]
enum Step {
    Join(Box<ConferenceRequest>),
    HangUp(usize),
    Kick(usize),
    Update(usize, ParticipantChange),
    Talk(usize, bool),
    Press(usize),
    Start,
    SoundsEnd,
}

/// What the test itself remembers of a participant.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent attribute of a participant")]
#[derive(Clone, Debug)]
struct Party {
    leg: LegId,
    role: Role,
    coaching: bool,
    muted: bool,
    held: bool,
    relays: bool,
    talking: bool,
}

#[derive(Default)]
struct Model {
    inside: Vec<Party>,
    started: bool,
}

impl Model {
    fn may_hear(&self, sink: &Party, source: &Party) -> bool {
        let mut forbidden = vec![sink.leg == source.leg, !self.started, source.muted, source.held, sink.held];
        if source.role == Role::Supervisor && source.coaching {
            forbidden.push(sink.role != Role::Agent);
        }
        !forbidden.contains(&true)
    }

    fn music_of(&self, party: &Party) -> Option<PromptContent> {
        if party.held {
            Some(match party.role {
                Role::Agent => PromptContent::AgentHoldMusic,
                _ => PromptContent::CustomerHoldMusic,
            })
        } else {
            (!self.started).then_some(PromptContent::WaitMusic)
        }
    }

    fn step(&mut self, step: &Step, world: &mut World) {
        match step {
            Step::Join(request) => {
                let leg = world.join((**request).clone());
                self.inside.push(Party {
                    leg,
                    role: request.role,
                    coaching: request.coach && request.role == Role::Supervisor,
                    muted: request.mute,
                    held: request.hold,
                    relays: request.relay_digits,
                    talking: false,
                });
                self.started |= request.start_on_enter;
            }
            Step::HangUp(index) | Step::Kick(index) if !self.inside.is_empty() => {
                let leg = self.inside.remove(index % self.inside.len()).leg;
                if matches!(step, Step::Kick(_)) {
                    world.kick(leg).expect("it is inside");
                } else {
                    world.hang_up(leg);
                }
                self.started &= !self.inside.is_empty();
            }
            Step::Update(index, change) if !self.inside.is_empty() => {
                let index = index % self.inside.len();
                let party = &mut self.inside[index];
                world.update(party.leg, *change).expect("it is inside");
                party.muted = change.mute.unwrap_or(party.muted);
                party.held = change.hold.unwrap_or(party.held);
                if party.role == Role::Supervisor {
                    party.coaching = change.coach.unwrap_or(party.coaching);
                }
            }
            Step::Talk(index, talking) if !self.inside.is_empty() => {
                let index = index % self.inside.len();
                world.talk(self.inside[index].leg, *talking);
                self.inside[index].talking = *talking;
            }
            Step::Press(index) if !self.inside.is_empty() => {
                self.press(&self.inside[index % self.inside.len()], world);
            }
            Step::Start if !self.inside.is_empty() => {
                world.start("room").expect("somebody is inside");
                self.started = true;
            }
            Step::SoundsEnd => world.finish_sounds(),
            _ => {}
        }
    }

    fn press(&self, sender: &Party, world: &mut World) {
        world.press(sender.leg, '7');
        let mut reached = std::mem::take(&mut world.digits);
        reached.sort_unstable();
        let listeners = self.inside.iter().filter(|sink| sender.relays && self.may_hear(sink, sender));
        let mut expected: Vec<_> = listeners.map(|sink| (sink.leg, '7')).collect();
        expected.sort_unstable();
        assert_eq!(reached, expected, "pressed by {sender:?}");
    }

    fn check(&self, world: &World) {
        let talks = |one: &&Party| one.talking && self.started && !one.muted && !one.held;
        let talkers: BTreeSet<_> =
            self.inside.iter().filter(talks).map(|one| world.participant(one.leg).id).collect();
        assert_eq!(told_to_talk(world), talkers);
        for sink in &self.inside {
            for source in &self.inside {
                let heard = world.hears(sink.leg, source.leg);
                assert_eq!(heard, self.may_hear(sink, source), "{sink:?} hears {source:?}");
            }
            let prompts = world.prompts_of(sink.leg);
            match self.music_of(sink) {
                Some(music) => assert_eq!(prompts, [music], "{sink:?}"),
                None => assert!(prompts.iter().all(is_beep), "{sink:?} hears {prompts:?}"),
            }
        }
    }
}

/// Who began to talk and did not stop, as told; nobody does so twice, or leaves in between.
fn told_to_talk(world: &World) -> BTreeSet<ParticipantId> {
    let mut talkers = BTreeSet::new();
    for told in &world.told {
        let inside = told.subject.as_ref().and_then(|subject| subject.participant.as_ref());
        let Some(&ParticipantRecord { id, .. }) = inside else { continue };
        match told.event {
            ConferenceEvent::TalkStarted => assert!(talkers.insert(id), "{id:?} started twice"),
            ConferenceEvent::TalkStopped => assert!(talkers.remove(&id), "{id:?} stopped twice"),
            ConferenceEvent::Left => assert!(!talkers.contains(&id), "{id:?} left talking"),
            _ => {}
        }
    }
    talkers
}

fn is_beep(content: &PromptContent) -> bool {
    matches!(content, PromptContent::Beep1 | PromptContent::Beep2)
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Agent), Just(Role::Customer), Just(Role::Supervisor)]
}

fn joining() -> impl Strategy<Value = Step> {
    (role(), any::<[bool; 5]>()).prop_map(|(role, [coach, mute, hold, start_on_enter, relay_digits])| {
        let ways = request("room", role);
        let ways = ConferenceRequest { coach, mute, hold, start_on_enter, relay_digits, ..ways };
        Step::Join(Box::new(ways))
    })
}

fn change() -> impl Strategy<Value = ParticipantChange> {
    (any::<Option<bool>>(), any::<Option<bool>>(), any::<Option<bool>>())
        .prop_map(|(mute, hold, coach)| ParticipantChange { mute, hold, coach })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => joining(),
        1 => any::<usize>().prop_map(Step::HangUp),
        1 => any::<usize>().prop_map(Step::Kick),
        4 => (any::<usize>(), change()).prop_map(|(index, change)| Step::Update(index, change)),
        3 => any::<(usize, bool)>().prop_map(|(index, talking)| Step::Talk(index, talking)),
        2 => any::<usize>().prop_map(Step::Press),
        1 => Just(Step::Start),
        1 => Just(Step::SoundsEnd),
    ]
}

proptest! {
    #[test]
    fn everybody_hears_and_is_told_to_talk_exactly_as_the_policy_allows(steps in prop::collection::vec(step(), 1..40)) {
        let (mut world, mut model) = (World::new(), Model::default());
        for step in steps {
            if matches!(step, Step::Join(_)) && model.inside.len() == 10 {
                continue;
            }
            model.step(&step, &mut world);
            model.check(&world);
        }
        finish(&mut world, model);
    }
}

/// When all are gone nothing is left over, and the books are right.
fn finish(world: &mut World, model: Model) {
    world.pass(Duration::from_secs(1));
    for party in model.inside {
        world.hang_up(party.leg);
    }
    assert_eq!((world.switchboard.calls(), world.switchboard.conferences()), (0, 0));
    assert!(world.plans.is_empty() && world.prompts.is_empty() && world.seats.is_empty());
    assert!(world.participants.values().all(|one| one.left_at.is_some() && one.exit_cause.is_some()));
    assert!(world.calls.values().all(|one| one.ended_at.is_some() && one.hangup_cause.is_some()));
    assert!(world.conferences.values().all(|one| one.ended_at.is_some() && one.end_cause.is_some()));
    for id in world.conferences.keys() {
        let told: Vec<_> = world.told.iter().filter(|told| told.conference.id == *id).collect();
        let expected: Vec<_> = (1..=told.len() as u64).collect();
        assert_eq!(told.iter().map(|told| told.sequence).collect::<Vec<_>>(), expected);
    }
}
