//! Callees who can be heard before they answer.

#![expect(clippy::unwrap_used, reason = "a test's assumptions may fail loudly")]

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    Action, CallState, Command, ConferenceRequest, Confirm, Destination, Dial, DialMusic, DialTerms,
    HttpMethod, Input, Instruction, Invitation, Invited, LegEnd, PromptContent, Report, Selector,
};
use mixminus_mixer::LegId;
use world::{World, request};

fn destination(address: &str) -> Destination {
    Destination { address: address.into(), ring_timeout: Duration::from_secs(45), ..Destination::default() }
}

fn invite(world: &mut World, destinations: Vec<Destination>, role: Role) {
    let terms = DialTerms { from: "1415".into(), music: DialMusic::Callee, ..DialTerms::default() };
    let invited = Invited::Dialled(destinations, terms);
    let invitation = Invitation { invited, request: request("room", role), creates: true };
    world.command(Command::Invite(Selector::Name("room".into()), Box::new(invitation))).unwrap();
}

fn dial(to: &[&str]) -> Instruction {
    let action = Action { url: "http://app/dialled".into(), method: HttpMethod::Post };
    Instruction::Dial(Box::new(Dial {
        destinations: to.iter().map(|to| destination(to)).collect(),
        terms: DialTerms { music: DialMusic::Callee, ..DialTerms::default() },
        time_limit: Duration::from_hours(4),
        end_on_star: false,
        report: Some(Report { action, follow: true }),
        callback: None,
        caller_digits: vec![],
        callee_digits: vec![],
    }))
}

/// Lets time pass until the next call is to be dialled, and dials it.
fn dialled(world: &mut World) -> LegId {
    world.pass(Duration::from_millis(100));
    world.connect()
}

fn becomes_audible(world: &mut World, leg: LegId) {
    world.input(Input::LegAudible { leg });
}

fn sent(world: &World) -> String {
    world.digits.iter().map(|(_, digit)| *digit).collect()
}

#[test]
fn digits_that_may_come_early_are_sent_once_the_callee_can_be_heard() {
    for (early, before, after) in [(true, "12", "12"), (false, "", "12")] {
        let mut world = World::new();
        let digits = Some("12".to_owned());
        let callee = Destination { digits, digits_early: early, ..destination("a") };
        invite(&mut world, vec![callee], Role::Agent);
        let leg = dialled(&mut world);
        world.far_end_rings(leg);
        assert_eq!(sent(&world), "", "nobody would hear them");
        becomes_audible(&mut world, leg);
        assert_eq!(sent(&world), before);
        assert!(world.seats.contains_key(&leg), "only in a bridge is anything sent");
        assert_eq!(world.placed("a").state, CallState::Ringing);
        world.far_end_answers(leg);
        assert_eq!(sent(&world), after);
    }
}

#[test]
fn who_was_heard_and_falls_silent_rings_on() {
    let mut world = World::new();
    invite(&mut world, vec![destination("a")], Role::Agent);
    let leg = dialled(&mut world);
    becomes_audible(&mut world, leg);
    world.input(Input::LegEnded { leg, end: LegEnd::MediaTimeout });
    assert_eq!(world.placed("a").state, CallState::Ringing);
    world.far_end_answers(leg);
    world.input(Input::LegEnded { leg, end: LegEnd::MediaTimeout });
    assert_eq!(world.placed("a").state, CallState::Completed);
}

/// Two callees, of whom the first that can be heard is heard.
fn heard_in_turn(world: &mut World, listener: LegId) {
    let (a, b) = (dialled(world), dialled(world));
    world.far_end_rings(a);
    assert!(world.prompts_of(listener).contains(&PromptContent::Ringback));
    for leg in [b, a] {
        becomes_audible(world, leg);
    }
    assert!(world.hears(listener, b) && !world.hears(listener, a), "who came first is heard");
    assert!(!world.hears(b, listener), "and hears nothing itself");
    assert!(!world.prompts_of(listener).contains(&PromptContent::Ringback));
    world.far_end_refuses(b, 486);
    assert!(world.hears(listener, a));
    world.far_end_refuses(a, 486);
}

#[test]
fn a_caller_hears_who_is_called_instead_of_ringing() {
    let mut world = World::new();
    let caller = world.call(vec![dial(&["a", "b"])]);
    heard_in_turn(&mut world, caller);
    assert!(world.prompts_of(caller).is_empty(), "and goes on when nobody is left");
    assert_eq!(world.fetches.len(), 1);
}

#[test]
fn those_inside_hear_who_is_called_instead_of_ringing() {
    let mut world = World::new();
    let inside = world.join(request("room", Role::Customer));
    let held = world.join(ConferenceRequest { hold: true, ..request("room", Role::Customer) });
    invite(&mut world, vec![destination("a"), destination("b")], Role::Agent);
    heard_in_turn(&mut world, inside);
    invite(&mut world, vec![destination("c")], Role::Agent);
    let c = dialled(&mut world);
    becomes_audible(&mut world, c);
    assert!(world.hears(inside, c) && !world.hears(held, c), "as the ringing would reach them");
    world.far_end_answers(c);
    assert!(world.hears(inside, c) && world.hears(c, inside));
}

#[test]
fn nobody_hears_the_early_sounds_of_a_coach() {
    let mut world = World::new();
    let inside = world.join(request("room", Role::Customer));
    invite(&mut world, vec![destination("coach")], Role::Supervisor);
    let coach = dialled(&mut world);
    becomes_audible(&mut world, coach);
    assert!(!world.hears(inside, coach));
}

#[test]
fn a_callee_who_has_to_press_a_key_is_heard_no_more() {
    let mut world = World::new();
    let Instruction::Dial(mut asking) = dial(&["a"]) else { panic!() };
    asking.terms.confirm = Some(Confirm { key: Some('1'), sound: None, timeout: Duration::from_secs(9) });
    let caller = world.call(vec![Instruction::Dial(asking)]);
    let a = dialled(&mut world);
    becomes_audible(&mut world, a);
    assert!(world.hears(caller, a));
    world.far_end_answers(a);
    assert!(!world.hears(caller, a));
    assert_eq!(world.prompts_of(caller), [PromptContent::Ringback]);
    world.press(a, '1');
    assert!(world.hears(caller, a) && world.hears(a, caller));
    assert!(world.prompts_of(caller).is_empty());
}

#[test]
fn who_wants_ringing_hears_ringing() {
    let mut world = World::new();
    let Instruction::Dial(mut plain) = dial(&["a"]) else { panic!() };
    plain.terms.music = DialMusic::Ringing;
    let caller = world.call(vec![Instruction::Dial(plain)]);
    let a = dialled(&mut world);
    becomes_audible(&mut world, a);
    assert!(!world.hears(caller, a));
    assert_eq!(world.prompts_of(caller), [PromptContent::Ringback]);
}
