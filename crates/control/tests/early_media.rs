//! Callees who can be heard before they answer.

#![expect(clippy::unwrap_used, reason = "a test's assumptions may fail loudly")]

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    CallState, Command, Destination, DialTerms, Input, Invitation, Invited, LegEnd, Selector,
};
use mixminus_mixer::LegId;
use world::{World, request};

fn destination(address: &str) -> Destination {
    Destination { address: address.into(), ring_timeout: Duration::from_secs(45), ..Destination::default() }
}

fn invite(world: &mut World, destinations: Vec<Destination>, role: Role) {
    let terms = DialTerms { from: "1415".into(), ..DialTerms::default() };
    let invited = Invited::Dialled(destinations, terms);
    let invitation = Invitation { invited, request: request("room", role), creates: true };
    world.command(Command::Invite(Selector::Name("room".into()), Box::new(invitation))).unwrap();
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
        assert_eq!(world.seats.contains_key(&leg), early, "only in a bridge is anything sent");
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
