//! Whether a machine answered a call that we made, and what follows.

#![expect(clippy::unwrap_used, reason = "a test's assumptions may fail loudly")]

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    Action, Answerer, CallEvent, CallUrls, Calls, Command, Destination, HangupCause, HttpMethod, Instruction,
    MachineDetection,
};
use mixminus_mixer::LegId;
use world::{LegFate, World, document, request};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn post(path: &str) -> Action {
    Action { url: format!("http://app/{path}"), method: HttpMethod::Post }
}

/// A call that was just answered.
fn answered(world: &mut World, hang_up: bool, callback: Option<Action>) -> LegId {
    let machine = MachineDetection {
        hang_up,
        callback,
        time: ms(5000),
        initial_silence: ms(4500),
        max_greeting: ms(1500),
        max_talkspurt: ms(5000),
        max_talkspurts: 3,
        silence: ms(800),
    };
    let calls = Calls {
        destinations: vec![Destination {
            address: "a".into(),
            ring_timeout: ms(9000),
            ..Destination::default()
        }],
        from: "1415".into(),
        caller_name: None,
        answer: post("answer"),
        urls: CallUrls { hangup: Some(post("hangup")), ..CallUrls::default() },
        time_limit: Duration::from_mins(10),
        parent: None,
        machine: Some(Box::new(machine)),
    };
    world.command(Command::Place(Box::new(calls))).unwrap();
    world.pass(ms(100));
    let leg = world.connect();
    world.far_end_answers(leg);
    leg
}

/// It greets as long as a machine does.
fn greet_at_length(world: &mut World, leg: LegId) {
    world.talk(leg, true);
    world.pass(ms(2000));
}

#[test]
fn who_answered_is_told_beside_the_document_or_before_it() {
    for beside in [true, false] {
        let mut world = World::new();
        let leg = answered(&mut world, false, beside.then(|| post("machine")));
        assert_eq!(world.fetches.len(), usize::from(beside), "the document waits for what nobody is told");
        greet_at_length(&mut world, leg);
        let fetched = world.fetches[0].answerer;
        assert_eq!(fetched, if beside { None } else { Some(Answerer::Machine) });
        let told: Vec<_> = world.told_of_calls.iter().map(|told| (&*told.url, &told.event)).collect();
        let detected = ("http://app/machine", &CallEvent::AnsweredBy { ends_machines: false });
        assert_eq!(told, if beside { vec![detected] } else { vec![] });
        world.hang_up(leg);
        assert_eq!(world.told_of_calls.last().unwrap().answerer, Some(Answerer::Machine));
    }
}

#[test]
fn a_person_is_found_by_the_pause_after_the_greeting() {
    let mut world = World::new();
    let leg = answered(&mut world, true, None);
    world.pass(ms(600));
    world.talk(leg, true);
    world.pass(ms(900));
    world.talk(leg, false);
    assert!(world.fetches.is_empty());
    world.pass(ms(380));
    assert_eq!(world.fetches[0].answerer, Some(Answerer::Person));
    assert_eq!(world.legs[&leg], LegFate::Answered);
}

#[test]
fn a_machine_is_hung_up_on_wherever_the_call_is() {
    for in_conference in [true, false] {
        let mut world = World::new();
        let leg = answered(&mut world, true, in_conference.then(|| post("machine")));
        if in_conference {
            let join = Instruction::Conference(Box::new(request("room", Role::Customer)));
            world.deliver(Ok(document(vec![join])));
        }
        greet_at_length(&mut world, leg);
        assert_eq!(world.legs[&leg], LegFate::HungUp);
        assert_eq!(world.placed("a").hangup_cause, Some(HangupCause::Machine));
        assert_eq!((world.switchboard.calls(), world.switchboard.conferences()), (0, 0));
        let events: Vec<_> = world.told_of_calls.iter().map(|told| &told.event).collect();
        let detected = CallEvent::AnsweredBy { ends_machines: true };
        let expected =
            if in_conference { vec![&detected, &CallEvent::Ended] } else { vec![&CallEvent::Ended] };
        assert_eq!(events, expected);
    }
}

#[test]
fn who_says_nothing_is_let_through() {
    let mut world = World::new();
    let leg = answered(&mut world, true, None);
    world.pass(ms(4580));
    assert_eq!(world.fetches[0].answerer, Some(Answerer::Unknown));
    assert_eq!(world.legs[&leg], LegFate::Answered);
}
