//! Things that happen in an order that is rare, each found by the state machine
//! of `state_machine` or while it was written.

#![expect(clippy::unwrap_used, reason = "a test's assumptions may fail loudly")]

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    Action, CallChange, CallEvent, CallState, Command, CommandError, ConferenceChange,
    ConferenceEvent as Event, ConferenceRequest, Confirm, Destination, Dial, DialStep, DialTerms, EventGroup,
    FetchPurpose, HangupCause, HttpMethod, Input, Instruction, Invitation, Invited, LegEnd, Limits, Members,
    Outcome, Refusal, Repeat, Report, Selector, StatusCallback,
};
use world::{LIMITS, LegFate, World, document, request};

fn post(path: &str) -> Action {
    Action { url: format!("http://app/{path}"), method: HttpMethod::Post }
}

fn room() -> Selector {
    Selector::Name("room".into())
}

/// A request that has all that is asserted here told.
fn told(role: Role) -> ConferenceRequest {
    let groups = [EventGroup::Conference, EventGroup::Participant, EventGroup::AddParticipant].into();
    let status_callback = Some(StatusCallback { action: post("status"), groups });
    ConferenceRequest { status_callback, ..request("room", role) }
}

fn destination(address: &str) -> Destination {
    Destination { address: address.into(), ring_timeout: Duration::from_secs(45), ..Destination::default() }
}

fn invite(world: &mut World, invited: Invited) -> Result<Outcome, CommandError> {
    let invitation = Invitation { invited, request: told(Role::Agent), creates: true };
    world.command(Command::Invite(room(), Box::new(invitation)))
}

fn invite_one(world: &mut World, confirm: Option<Confirm>) -> mixminus_mixer::LegId {
    let terms = DialTerms { from: "1415".into(), confirm, ..DialTerms::default() };
    invite(world, Invited::Dialled(vec![destination("a")], terms)).unwrap();
    world.pass(Duration::from_millis(100));
    world.connect()
}

fn key() -> Confirm {
    Confirm { key: Some('1'), sound: None, timeout: Duration::from_secs(10) }
}

fn dial(to: &[&str], confirm: Option<Confirm>) -> Instruction {
    Instruction::Dial(Box::new(Dial {
        destinations: to.iter().map(|to| destination(to)).collect(),
        terms: DialTerms { confirm, ..DialTerms::default() },
        time_limit: Duration::from_hours(4),
        end_on_star: false,
        report: Some(Report { action: post("dialled"), follow: true }),
        callback: None,
        caller_digits: vec![],
        callee_digits: vec![],
    }))
}

fn play() -> Instruction {
    Instruction::Play { url: "http://app/long.mp3".into(), repeat: Repeat::Forever }
}

#[test]
fn a_conference_that_is_started_before_anybody_came_is_told_to_exist_first() {
    let mut world = World::new();
    let leg = invite_one(&mut world, None);
    world.start("room").unwrap();
    world.far_end_answers(leg);
    world.hang_up(leg);
    let joined = Event::InvitationEnded { joined: true };
    let expected = [
        Event::Invited,
        Event::Initialized,
        Event::Started,
        Event::Joined,
        joined,
        Event::Left,
        Event::Ended,
    ];
    assert_eq!(world.events(), expected);
}

#[test]
fn the_row_of_a_conference_knows_the_number_of_an_invitation() {
    let mut world = World::new();
    let inside = world.join(told(Role::Customer));
    invite_one(&mut world, None);
    assert_eq!(world.conference(inside).sequence, world.told.last().unwrap().sequence);
}

#[test]
fn an_invitation_whose_key_is_not_pressed_has_failed() {
    let mut world = World::new();
    let leg = invite_one(&mut world, Some(key()));
    world.far_end_answers(leg);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.events(), [Event::Invited, Event::Left, Event::InvitationEnded { joined: false }]);
    assert_eq!(world.switchboard.conferences(), 0);
}

#[test]
fn a_call_is_not_transferred_while_it_is_asked_for_a_key() {
    let mut world = World::new();
    let leg = invite_one(&mut world, Some(key()));
    world.far_end_answers(leg);
    let transfer = CallChange::Transfer { this: Some(post("this")), other: None };
    let refused = world.command(Command::Call(world.placed("a").id, transfer));
    assert_eq!(refused, Err(CommandError::NotAnswered));
    world.press(leg, '1');
    assert_eq!(world.participants.len(), 1);
}

#[test]
fn a_caller_goes_on_when_a_callee_does_not_press_the_key() {
    let mut world = World::new();
    world.call(vec![dial(&["a"], Some(key()))]);
    world.pass(Duration::ZERO);
    let a = world.connect();
    world.far_end_answers(a);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.legs[&a], LegFate::HungUp);
    assert_eq!(world.fetches[0].action, post("dialled"));
}

#[test]
fn a_conference_that_just_ended_takes_no_room_from_the_next() {
    let mut world = World::within(Limits { max_conferences: 1, ..LIMITS });
    let next = Instruction::Conference(Box::new(request("next", Role::Agent)));
    let leg = world.call(vec![Instruction::Conference(Box::new(request("room", Role::Agent))), next]);
    world.end("room").unwrap();
    assert_eq!(world.conference(leg).name, "next");
}

#[test]
fn a_call_that_just_ended_takes_no_room_from_the_next() {
    let mut world = World::within(Limits { max_calls: 2, ..LIMITS });
    let first = Instruction::Dial(Box::new(Dial { report: None, ..unwrap_dial(dial(&["a"], None)) }));
    let caller = world.call(vec![first, dial(&["b"], None)]);
    world.pass(Duration::ZERO);
    let a = world.connect();
    world.far_end_refuses(a, 486);
    assert_eq!(world.legs[&caller], LegFate::Answered);
    assert_eq!(world.placed("b").state, CallState::Queued);
}

fn unwrap_dial(instruction: Instruction) -> Dial {
    let Instruction::Dial(dial) = instruction else { panic!("{instruction:?}") };
    *dial
}

#[test]
fn a_call_that_is_moved_to_where_it_is_stays_there() {
    let mut world = World::within(Limits { max_conferences: 1, ..LIMITS });
    let host = world.join(ConferenceRequest { end_on_exit: true, ..told(Role::Agent) });
    let guest = world.join(told(Role::Customer));
    let call = world.call_of(host).id;
    invite(&mut world, Invited::Call(call)).unwrap();
    assert!(world.hears(guest, host) && world.participants.len() == 2);
    let [.., invited, ended] = world.events()[..] else { panic!() };
    assert_eq!([invited, ended], [Event::Invited, Event::InvitationEnded { joined: true }]);
}

#[test]
fn a_call_is_not_moved_where_there_is_no_room_for_a_conference() {
    let mut world = World::within(Limits { max_conferences: 1, ..LIMITS });
    let other = Instruction::Conference(Box::new(request("other", Role::Agent)));
    let leg = world.call(vec![other]);
    let call = world.call_of(leg).id;
    assert_eq!(invite(&mut world, Invited::Call(call)), Err(CommandError::TooMany));
    assert_eq!(world.conference(leg).name, "other");
}

#[test]
fn nothing_is_told_of_a_conference_after_its_end() {
    let mut world = World::new();
    let inside = world.join(told(Role::Customer));
    invite_one(&mut world, None);
    world.hang_up(inside);
    let ended = Event::InvitationEnded { joined: false };
    let expected = [Event::Invited, Event::Left, Event::Left, ended, Event::Ended];
    assert_eq!(world.events()[3..], expected);
}

#[test]
fn a_call_that_sends_no_media_before_its_answer_is_refused() {
    for end in [LegEnd::MediaTimeout, LegEnd::Evicted] {
        let mut world = World::new();
        let leg = world.call(vec![Instruction::BeforeAnswer(vec![play()])]);
        world.input(Input::LegEnded { leg, end });
        assert_eq!(world.legs[&leg], LegFate::Refused(Refusal::Unavailable));
    }
}

#[test]
fn a_call_that_was_moved_into_a_conference_and_transferred_follows_its_document_again() {
    let mut world = World::new();
    let leg = world.call(vec![play()]);
    let call = world.call_of(leg).id;
    invite(&mut world, Invited::Call(call)).unwrap();
    let this = Some(post("this"));
    world.command(Command::Call(call, CallChange::Transfer { this, other: None })).unwrap();
    let join = Instruction::Conference(Box::new(request("other", Role::Agent)));
    world.deliver(Ok(document(vec![join, play()])));
    world.change(Selector::Name("other".into()), ConferenceChange::Kick(Members::All)).unwrap();
    assert_eq!(world.legs[&leg], LegFate::Answered, "it hears what comes after the conference");
}

#[test]
fn a_caller_that_leaves_its_callee_is_told_of_the_callees_end() {
    for transferred in [false, true] {
        let mut world = World::new();
        let steps = Some(post("steps"));
        let caller = world.call(vec![Instruction::Dial(Box::new(Dial {
            callback: steps,
            ..unwrap_dial(dial(&["a"], None))
        }))]);
        world.pass(Duration::ZERO);
        let a = world.connect();
        world.far_end_answers(a);
        if transferred {
            let transfer = CallChange::Transfer { this: Some(post("this")), other: None };
            world.command(Command::Call(world.call_of(caller).id, transfer)).unwrap();
        } else {
            world.hang_up(caller);
        }
        let CallEvent::DialStep(DialStep::Ended, callee) = &world.told_of_calls.last().unwrap().event else {
            panic!("{:?}", world.told_of_calls.last())
        };
        assert_eq!(**callee, *world.placed("a"));
    }
}

#[test]
fn a_drain_asks_no_caller_what_to_do_after_its_callee() {
    let mut world = World::new();
    for _ in 0..8 {
        world.call(vec![dial(&["a"], None)]);
        world.pass(Duration::from_millis(100));
        let callee = world.connect();
        world.far_end_answers(callee);
    }
    world.input(Input::Drain);
    assert!(world.fetches.is_empty());
    assert_eq!(world.switchboard.calls(), 0);
}

#[test]
fn a_call_that_only_meets_a_full_conference_goes_in_circles() {
    let mut world = World::new();
    let small = ConferenceRequest { max_participants: 1, ..request("room", Role::Agent) };
    world.join(small.clone());
    let circle = vec![Instruction::Conference(Box::new(small)), Instruction::Redirect(post("again"))];
    let leg = world.call(circle.clone());
    for _ in 0..30 {
        if !world.fetches.is_empty() {
            world.deliver(Ok(document(circle.clone())));
        }
    }
    let cause = HangupCause::InvalidDocument(FetchPurpose::Redirect);
    assert_eq!(world.call_of(leg).hangup_cause, Some(cause));
}
