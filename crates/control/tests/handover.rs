//! Far ends that hand their place in a conference or a connection over to somebody else.

mod world;

use std::time::Duration;

use Handover::{Begun, Done, Failed, Refused, Ringing};
use mixminus_control::policy::Role;
use mixminus_control::{
    Action, CallEvent, ConferenceEvent as Event, ConferenceRequest, Destination, Dial, DialError, DialMusic,
    DialStep, DialTerms, ExitCause, Handover, HangupCause, HttpMethod, Input, Instruction, LegEnd,
    ParticipantChange, PromptContent, Report, Successor,
};
use mixminus_mixer::LegId;
use world::{LegFate, World, request};

const CAROL: &str = "sip:carol@h";

fn carol() -> Successor {
    Successor::Called(CAROL.into())
}

fn post(path: &str) -> Action {
    Action { url: format!("http://app/{path}"), method: HttpMethod::Post }
}

fn dial(to: &str) -> Instruction {
    let ring_timeout = Duration::from_secs(45);
    Instruction::Dial(Box::new(Dial {
        destinations: vec![Destination { address: to.into(), ring_timeout, ..Destination::default() }],
        terms: DialTerms { music: DialMusic::Ringing, ..DialTerms::default() },
        time_limit: Duration::from_hours(4),
        end_on_star: true,
        report: Some(Report { action: post("dialled"), follow: true }),
        callback: Some(post("steps")),
        caller_digits: vec![],
        callee_digits: vec![],
    }))
}

/// A caller who is connected to whom its document called.
fn connected(world: &mut World, to: &str) -> (LegId, LegId) {
    let caller = world.call(vec![dial(to)]);
    world.pass(Duration::from_millis(100));
    let callee = world.connect();
    world.far_end_answers(callee);
    (caller, callee)
}

/// Dials the successor.
fn successor(world: &mut World) -> LegId {
    world.pass(Duration::from_millis(100));
    world.connect()
}

fn hear_each_other(world: &World, one: LegId, other: LegId) -> bool {
    world.hears(one, other) && world.hears(other, one)
}

fn steps(world: &World, of: &str) -> Vec<DialStep> {
    let steps = world.told_of_calls.iter().filter_map(|told| match &told.event {
        CallEvent::DialStep(step, callee) if callee.to == of => Some(*step),
        _ => None,
    });
    steps.collect()
}

#[test]
fn a_callee_hands_its_caller_over_and_is_heard_until_the_successor_answers() {
    let mut world = World::new();
    let (caller, bob) = connected(&mut world, "bob");
    assert_eq!(world.hand_over(bob, carol()), [Begun]);
    let leg = successor(&mut world);
    assert!(hear_each_other(&world, caller, bob));
    assert_eq!((world.prompts_of(caller), world.prompts_of(bob)), (vec![PromptContent::Ringback], vec![]));
    let (placed, parent) =
        (world.placed(CAROL), world.calls.values().find(|one| one.parent.is_none()).unwrap());
    assert_eq!((&placed.from, placed.parent), (&parent.from, Some(parent.id)));
    world.far_end_rings(leg);
    world.far_end_answers(leg);
    assert_eq!(world.told_of_handover(bob), [Begun, Ringing, Done]);
    assert!(hear_each_other(&world, caller, leg));
    assert_eq!((world.prompts_of(caller), world.legs[&bob]), (vec![], LegFate::HungUp));
    assert_eq!(steps(&world, "bob"), [DialStep::Answered, DialStep::Connected, DialStep::Ended]);
    assert_eq!(steps(&world, CAROL), [DialStep::Answered, DialStep::Connected]);
    world.hang_up(leg);
    assert_eq!(world.fetches[0].action, post("dialled"), "the caller's document goes on");
}

#[test]
fn a_caller_hands_its_callee_over_and_nothing_of_its_document_is_left() {
    let mut world = World::new();
    let (ann, bob) = connected(&mut world, "bob");
    world.hand_over(ann, carol());
    let leg = successor(&mut world);
    assert_eq!(world.prompts_of(bob), [PromptContent::Ringback]);
    world.far_end_answers(leg);
    assert!(hear_each_other(&world, bob, leg));
    assert_eq!(world.call_of(ann).hangup_cause, Some(HangupCause::Normal));
    let told = world.told_of_calls.len();
    world.press(bob, '*');
    assert!(hear_each_other(&world, bob, leg), "only the document had `*` end it");
    world.hang_up(leg);
    assert_eq!((world.switchboard.calls(), world.fetches.len()), (0, 0));
    assert_eq!(world.told_of_calls.len(), told);
}

#[test]
fn whom_nobody_succeeds_has_its_place_still() {
    type End = fn(&mut World, LegId);
    let ends: [(End, HangupCause); 4] = [
        (|world, leg| world.far_end_refuses(leg, 486), HangupCause::Busy),
        (|world, _| world.pass(Duration::from_secs(45)), HangupCause::RingTimeout),
        (|world, leg| world.input(Input::LegEnded { leg, end: LegEnd::Evicted }), HangupCause::InternalError),
        (
            |world, _| {
                let call = world.placed(CAROL).id;
                world.input(Input::NotDialled { call, reason: DialError::Barred });
            },
            HangupCause::Barred,
        ),
    ];
    for (end, cause) in ends {
        let mut world = World::new();
        let (caller, bob) = connected(&mut world, "bob");
        world.hand_over(bob, carol());
        let leg = successor(&mut world);
        end(&mut world, leg);
        assert_eq!(world.told_of_handover(bob), [Begun, Failed(cause)]);
        assert!(hear_each_other(&world, caller, bob));
        assert_eq!(world.prompts_of(caller), []);
        assert_eq!(world.hand_over(bob, carol()), [Begun, Failed(cause), Begun], "it may try again");
    }
}

#[test]
fn who_hangs_up_early_leaves_the_other_to_wait_for_the_successor() {
    for (caller_leaves, answered) in [(false, true), (true, true), (false, false), (true, false)] {
        let mut world = World::new();
        let (caller, bob) = connected(&mut world, "bob");
        let (leaves, waits) = if caller_leaves { (caller, bob) } else { (bob, caller) };
        world.hand_over(leaves, carol());
        let leg = successor(&mut world);
        world.hang_up(leaves);
        assert_eq!(world.told_of_handover(leaves), [Begun], "who is gone is told nothing");
        assert_eq!(world.prompts_of(waits), [PromptContent::Ringback]);
        if answered {
            world.far_end_answers(leg);
            assert!(hear_each_other(&world, waits, leg) && world.prompts_of(waits).is_empty());
        } else {
            world.far_end_refuses(leg, 486);
            assert_eq!(world.fetches.len(), usize::from(!caller_leaves), "what its document says next");
            assert_eq!(world.legs[&waits] == LegFate::Answered, !caller_leaves);
        }
    }
}

#[test]
fn a_successor_is_given_up_when_there_is_nothing_to_succeed_to() {
    let mut world = World::new();
    let (caller, bob) = connected(&mut world, "bob");
    world.hand_over(bob, carol());
    let leg = successor(&mut world);
    world.hang_up(caller);
    assert_eq!((world.legs[&leg], world.legs[&bob]), (LegFate::HungUp, LegFate::HungUp));
    let mut world = World::new();
    let waits = Instruction::Wait { length: Duration::from_mins(1) };
    let ann = world.call(vec![Instruction::Conference(Box::new(request("room", Role::Agent))), waits]);
    world.join(request("room", Role::Customer));
    world.hand_over(ann, carol());
    let leg = successor(&mut world);
    world.kick(ann).unwrap();
    assert_eq!(world.told_of_handover(ann), [Begun, Failed(HangupCause::Canceled)]);
    assert_eq!(world.legs[&leg], LegFate::HungUp);
    assert_eq!(world.hand_over(ann, carol()).last(), Some(&Refused), "it is nowhere");
}

#[test]
fn a_participants_successor_is_what_it_was() {
    let mut world = World::new();
    let agent = world.join(request("room", Role::Agent));
    let customer = world.join(request("room", Role::Customer));
    let told =
        ConferenceRequest { end_on_exit: true, max_participants: 3, ..request("room", Role::Supervisor) };
    let boss = world.join(told);
    let muted = ParticipantChange { mute: Some(true), ..ParticipantChange::default() };
    world.update(agent, muted).unwrap();
    world.hand_over(boss, carol());
    let leg = successor(&mut world);
    world.far_end_rings(leg);
    assert!(world.hears(boss, customer) && !world.prompts_of(customer).contains(&PromptContent::Ringback));
    world.told.clear();
    world.far_end_answers(leg);
    assert_eq!(world.events()[..2], [Event::Joined, Event::Left], "the conference is never without it");
    assert!(world.hears(agent, leg) && !world.hears(customer, leg), "a coach still");
    assert!(world.hears(leg, customer) && !world.hears(leg, agent));
    let (before, after) = (world.participant(boss), world.participants.values().last().unwrap());
    assert_eq!(before.exit_cause, Some(ExitCause::CallTransferred));
    assert_eq!((after.address.as_str(), after.role, after.coaching), (CAROL, Role::Supervisor, true));
    world.hang_up(leg);
    assert_eq!(world.switchboard.conferences(), 0, "its exit is the end, as its predecessor's was");
}

#[test]
fn a_held_participants_successor_is_held_and_a_waiting_ones_waits_as_long() {
    let mut world = World::new();
    let held = world.join(ConferenceRequest { hold: true, ..request("room", Role::Customer) });
    let agent = world.join(request("room", Role::Agent));
    world.hand_over(held, carol());
    let leg = successor(&mut world);
    world.far_end_answers(leg);
    assert!(!world.hears(leg, agent) && !world.hears(agent, leg));
    assert_eq!(world.prompts_of(leg), [PromptContent::CustomerHoldMusic]);
    let mut world = World::new();
    let wait = Some(Duration::from_secs(10));
    let waits =
        ConferenceRequest { start_on_enter: false, max_wait: wait, ..request("room", Role::Customer) };
    let waiting = world.join(waits);
    world.hand_over(waiting, carol());
    let leg = successor(&mut world);
    world.far_end_answers(leg);
    world.pass(Duration::from_millis(9_950));
    assert_eq!(world.prompts_of(leg), [PromptContent::WaitMusic]);
    world.pass(Duration::from_millis(50));
    assert_eq!(world.legs[&leg], LegFate::HungUp);
}

#[test]
fn one_place_has_one_successor_and_only_who_is_with_others_has_a_place() {
    let mut world = World::new();
    let (caller, bob) = connected(&mut world, "bob");
    assert_eq!(world.hand_over(bob, carol()), [Begun]);
    assert_eq!(world.hand_over(bob, carol()), [Begun, Refused]);
    assert_eq!(world.hand_over(caller, carol()), [Refused], "who stays does not leave");
    let alone = world.call(vec![Instruction::Wait { length: Duration::from_mins(1) }]);
    assert_eq!(world.hand_over(alone, carol()), [Refused]);
    assert_eq!(world.hand_over(caller, Successor::PartyOf(alone)), [Refused, Refused]);
    assert_eq!(world.hand_over(caller, Successor::PartyOf(bob)), [Refused; 3], "they are together");
}

#[test]
fn the_parties_of_two_connections_of_one_far_end_are_joined() {
    let mut world = World::new();
    let (ann, bob) = connected(&mut world, "bob");
    let (consulting, carol) = connected(&mut world, CAROL);
    assert_eq!(world.hand_over(ann, Successor::PartyOf(consulting)), [Begun, Done]);
    assert!(hear_each_other(&world, bob, carol));
    assert_eq!([world.legs[&ann], world.legs[&consulting]], [LegFate::HungUp; 2]);
    world.hang_up(bob);
    assert_eq!(world.switchboard.calls(), 0);
}

#[test]
fn of_two_joined_parties_the_caller_goes_on_with_its_document() {
    for swapped in [false, true] {
        let mut world = World::new();
        let (caller, ann) = connected(&mut world, "ann");
        let (consulting, carol) = connected(&mut world, CAROL);
        let (by, other) = if swapped { (consulting, ann) } else { (ann, consulting) };
        assert_eq!(world.hand_over(by, Successor::PartyOf(other)), [Begun, Done]);
        assert!(hear_each_other(&world, caller, carol));
        assert_eq!(steps(&world, "ann").last(), Some(&DialStep::Ended));
        world.hang_up(carol);
        assert_eq!((world.fetches.len(), world.legs[&caller]), (1, LegFate::Answered));
    }
}

#[test]
fn a_party_is_brought_into_a_conference_from_either_call() {
    for from_conference in [false, true] {
        let mut world = World::new();
        let customer = world.join(request("room", Role::Customer));
        let agent = world.join(request("room", Role::Agent));
        let (consulting, carol) = connected(&mut world, CAROL);
        let (by, other) = if from_conference { (agent, consulting) } else { (consulting, agent) };
        assert_eq!(world.hand_over(by, Successor::PartyOf(other)), [Begun, Done]);
        assert!(hear_each_other(&world, customer, carol));
        assert_eq!([world.legs[&agent], world.legs[&consulting]], [LegFate::HungUp; 2]);
        assert_eq!(world.participants.values().last().unwrap().role, Role::Agent);
    }
}

#[test]
fn two_conferences_are_not_joined() {
    let mut world = World::new();
    let [here, there] = ["room", "hall"].map(|name| world.join(request(name, Role::Agent)));
    assert_eq!(world.hand_over(here, Successor::PartyOf(there)), [Refused]);
    assert_eq!(world.switchboard.conferences(), 2);
}
