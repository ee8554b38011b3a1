//! Calls that we place: for a conference, for a flow of their own, for a caller.

#![expect(clippy::unwrap_used, reason = "a test's assumptions may fail loudly")]

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    Action, CallChange, CallEvent, CallState, CallUrls, Calls, Command, CommandError,
    ConferenceEvent as Event, ConferenceRequest, ConferenceState, Confirm, ConnectionEnd, Destination, Dial,
    DialError, DialMusic, DialTerms, EventGroup, HangupCause, HangupSource, HttpMethod, Input, Instruction,
    Invitation, Invited, LegEnd, Legs, News, Outcome, Parent, PlacementId, PlayKind, Playback, PromptContent,
    Repeat, Report, Selector, StatusCallback,
};
use mixminus_mixer::LegId;
use world::{LIMITS, LegFate, World, document, request};

fn post(path: &str) -> Action {
    Action { url: format!("http://app/{path}"), method: HttpMethod::Post }
}

fn destination(address: &str) -> Destination {
    Destination { address: address.into(), ring_timeout: Duration::from_secs(45), ..Destination::default() }
}

fn terms() -> DialTerms {
    DialTerms { from: "1415".into(), ..DialTerms::default() }
}

/// A request that has all event groups told.
fn told(name: &str, role: Role) -> ConferenceRequest {
    let groups = [EventGroup::Conference, EventGroup::Participant, EventGroup::AddParticipant].into();
    ConferenceRequest {
        status_callback: Some(StatusCallback { action: post("status"), groups }),
        ..request(name, role)
    }
}

fn invite(world: &mut World, to: &[&str], terms: DialTerms) -> Outcome {
    let destinations = to.iter().map(|to| destination(to)).collect();
    let invited = Invited::Dialled(destinations, terms);
    let invitation = Invitation { invited, request: told("room", Role::Agent), creates: true };
    world.command(Command::Invite(Selector::Name("room".into()), Box::new(invitation))).unwrap()
}

/// Lets time pass until the next call is to be dialled, and dials it.
fn dialled(world: &mut World) -> LegId {
    world.pass(Duration::from_millis(100));
    world.connect()
}

fn cause(world: &World, to: &str) -> (CallState, Option<HangupCause>) {
    let call = world.placed(to);
    (call.state, call.hangup_cause)
}

fn invitations(world: &World) -> Vec<Event> {
    world.events().into_iter().filter(|event| event.group() == EventGroup::AddParticipant).collect()
}

#[test]
fn whoever_answers_an_invitation_takes_part() {
    let mut world = World::new();
    let inside = world.join(request("room", Role::Customer));
    let Outcome::Placed(placement, placed) = invite(&mut world, &["sip:bob@h"], terms()) else { panic!() };
    assert_eq!(placement.0, placed[0].call.0, "a single call's request has the call's id");
    let leg = dialled(&mut world);
    assert_eq!(world.placed("sip:bob@h").state, CallState::Queued);
    world.far_end_rings(leg);
    assert_eq!(world.placed("sip:bob@h").state, CallState::Ringing);
    assert!(world.prompts_of(inside).contains(&PromptContent::Ringback));
    world.far_end_answers(leg);
    assert!(world.hears(inside, leg) && world.hears(leg, inside));
    assert!(!world.prompts_of(inside).contains(&PromptContent::Ringback));
    assert_eq!(invitations(&world), [Event::Invited, Event::InvitationEnded { joined: true }]);
    let bob = world.participants.values().last().unwrap();
    assert_eq!((bob.address.as_str(), bob.role), ("sip:bob@h", Role::Agent));
}

#[test]
fn the_first_to_answer_wins_and_the_others_are_given_up() {
    let mut world = World::new();
    let outcome = invite(&mut world, &["a", "b"], terms());
    let Outcome::Placed(placement, placed) = outcome else { panic!("{outcome:?}") };
    assert!(placed.iter().all(|one| one.call.0 != placement.0), "several calls have a request of their own");
    let (a, b) = (dialled(&mut world), dialled(&mut world));
    world.far_end_answers(b);
    assert_eq!(world.legs[&a], LegFate::HungUp);
    assert_eq!(cause(&world, "a"), (CallState::Canceled, Some(HangupCause::LostRace)));
    assert_eq!(world.placed("b").state, CallState::InProgress);
    assert_eq!(world.participants.len(), 1);
    let joined = Event::InvitationEnded { joined: true };
    assert_eq!(invitations(&world), [Event::Invited, Event::Invited, joined]);
}

#[test]
fn calls_are_placed_no_faster_than_the_account_may() {
    let mut world = World::new();
    invite(&mut world, &["a", "b", "c"], terms());
    call_out(&mut world, &["d"]);
    assert_eq!(world.dials.len(), 1);
    world.pass(Duration::from_millis(199));
    assert_eq!(world.dials.len(), 2, "ten a second");
    world.pass(Duration::from_millis(101));
    let dialled: Vec<_> = world.dials.iter().map(|place| place.call.to.as_str()).collect();
    assert_eq!(dialled, ["a", "b", "c", "d"], "as they were asked for");
}

#[test]
fn an_account_has_no_more_calls_placed_than_it_may() {
    let mut world = World::new();
    for number in 0..LIMITS.max_placed {
        call_out(&mut world, &[&format!("{number}")]);
        dialled(&mut world);
    }
    call_out(&mut world, &["late"]);
    world.pass(Duration::from_millis(100));
    assert_eq!(cause(&world, "late").1, Some(HangupCause::ConcurrencyLimit));
    assert!(world.dials.is_empty());
    let first = *world.legs.keys().next().unwrap();
    world.input(Input::LegEnded { leg: first, end: LegEnd::HungUp });
    call_out(&mut world, &["later"]);
    dialled(&mut world);
    assert_eq!(cause(&world, "later").1, None);
}

#[test]
fn a_call_that_may_not_be_placed_says_why() {
    let mut world = World::new();
    for (reason, expected) in [
        (DialError::InvalidAddress, HangupCause::InvalidAddress),
        (DialError::Barred, HangupCause::Barred),
        (DialError::NotRegistered, HangupCause::NotRegistered),
        (DialError::NoRoom, HangupCause::ConcurrencyLimit),
    ] {
        call_out(&mut world, &["a"]);
        world.pass(Duration::from_millis(100));
        let call = world.dials.pop().unwrap().call.id;
        world.input(Input::NotDialled { call, reason });
        assert_eq!(world.calls[&call].hangup_cause, Some(expected));
    }
}

#[test]
fn each_destination_has_its_own_delay_and_ring_timeout() {
    let mut world = World::new();
    let early = Destination { ring_timeout: Duration::from_secs(5), ..destination("a") };
    let late = Destination { delay: Duration::from_secs(8), ..destination("b") };
    let invited = Invited::Dialled(vec![early, late], terms());
    let invitation = Invitation { invited, request: told("room", Role::Agent), creates: true };
    world.command(Command::Invite(Selector::Name("room".into()), Box::new(invitation))).unwrap();
    let a = dialled(&mut world);
    assert!(world.dials.is_empty());
    world.pass(Duration::from_secs(5));
    assert_eq!(world.legs[&a], LegFate::HungUp);
    assert_eq!(cause(&world, "a"), (CallState::NoAnswer, Some(HangupCause::RingTimeout)));
    world.pass(Duration::from_secs(3));
    let b = world.connect();
    world.far_end_answers(b);
    assert_eq!(world.participants.len(), 1);
}

#[test]
fn an_invitation_that_nobody_accepts_leaves_no_conference_behind() {
    let mut world = World::new();
    invite(&mut world, &["a", "b"], terms());
    let (a, b) = (dialled(&mut world), dialled(&mut world));
    world.far_end_refuses(a, 486);
    assert_eq!(world.conferences.values().next().unwrap().state, ConferenceState::Initialized);
    world.far_end_refuses(b, 404);
    assert_eq!(cause(&world, "a"), (CallState::Busy, Some(HangupCause::Busy)));
    assert_eq!(cause(&world, "b"), (CallState::Failed, Some(HangupCause::UnknownAddress)));
    assert_eq!(world.placed("a").hangup_source, Some(HangupSource::Callee));
    assert_eq!(world.switchboard.conferences(), 0);
    assert_eq!(
        world.events(),
        [Event::Invited, Event::Invited, Event::Left, Event::Left, Event::InvitationEnded { joined: false }],
        "nobody ever was inside, so nothing began and nothing ended"
    );
    assert!(world.told.iter().all(|told| told.subject.as_ref().unwrap().participant.is_none()));
}

#[test]
fn who_must_press_a_key_takes_part_only_after_it() {
    for (pressed, joins) in [(Some('1'), true), (Some('2'), false), (None, false)] {
        let mut world = World::new();
        let confirm = Confirm { key: Some('1'), sound: Some(post("ask")), timeout: Duration::from_secs(10) };
        invite(&mut world, &["a"], DialTerms { confirm: Some(confirm), ..terms() });
        let leg = dialled(&mut world);
        world.far_end_answers(leg);
        assert_eq!(world.prompts_of(leg), [PromptContent::Sounds(post("ask"))]);
        assert!(world.participants.is_empty());
        world.finish_sounds();
        if let Some(digit) = pressed {
            world.press(leg, digit);
        }
        assert_eq!(world.participants.len(), usize::from(joins));
        world.pass(Duration::from_secs(10));
        if !joins {
            assert_eq!(cause(&world, "a"), (CallState::Completed, Some(HangupCause::NotConfirmed)));
        }
    }
}

#[test]
fn digits_are_sent_after_the_answer_with_their_pauses() {
    let mut world = World::new();
    let digits = Some("ww1W23".to_owned());
    let invited = Invited::Dialled(vec![Destination { digits, ..destination("a") }], terms());
    let invitation = Invitation { invited, request: told("room", Role::Agent), creates: true };
    world.command(Command::Invite(Selector::Name("room".into()), Box::new(invitation))).unwrap();
    let leg = dialled(&mut world);
    world.far_end_answers(leg);
    let sent = |world: &World| world.digits.iter().map(|(_, digit)| *digit).collect::<String>();
    assert_eq!(sent(&world), "");
    world.pass(Duration::from_secs(1));
    assert_eq!(sent(&world), "1");
    world.pass(Duration::from_millis(1199));
    assert_eq!(sent(&world), "1");
    world.pass(Duration::from_millis(1));
    assert_eq!(sent(&world), "123");
}

#[test]
fn nobody_hears_that_a_coach_is_called() {
    let mut world = World::new();
    let inside = world.join(request("room", Role::Customer));
    let invited = Invited::Dialled(vec![destination("coach")], terms());
    let invitation = Invitation { invited, request: told("room", Role::Supervisor), creates: true };
    world.command(Command::Invite(Selector::Name("room".into()), Box::new(invitation))).unwrap();
    world.finish_sounds();
    let leg = dialled(&mut world);
    world.far_end_rings(leg);
    assert_eq!(world.prompts_of(inside), []);
}

#[test]
fn an_invited_participant_that_is_kicked_is_hung_up() {
    let mut world = World::new();
    world.join(request("room", Role::Customer));
    invite(&mut world, &["a"], terms());
    let leg = dialled(&mut world);
    world.far_end_answers(leg);
    let id = world.participants.values().last().unwrap().id;
    let kick = mixminus_control::ConferenceChange::Kick(mixminus_control::Members::Listed(vec![id]));
    world.change(Selector::Name("room".into()), kick).unwrap();
    assert_eq!(cause(&world, "a"), (CallState::Completed, Some(HangupCause::Kicked)));
    assert_eq!(world.legs[&leg], LegFate::HungUp);
}

#[test]
fn a_live_call_is_moved_into_a_conference_and_leaves_what_it_did() {
    let mut world = World::new();
    let inside = world.join(request("room", Role::Agent));
    let url = "http://app/long.mp3".to_owned();
    let leg = world.call(vec![Instruction::Play { url, repeat: Repeat::Forever }]);
    let call = world.call_of(leg).id;
    let invitation =
        Invitation { invited: Invited::Call(call), request: told("room", Role::Customer), creates: true };
    let moved = world.command(Command::Invite(Selector::Name("room".into()), Box::new(invitation)));
    assert!(matches!(moved, Ok(Outcome::Placed(PlacementId(id), _)) if id == call.0));
    assert!(world.hears(inside, leg));
    world.end("room").unwrap();
    assert_eq!(world.call_of(leg).hangup_cause, Some(HangupCause::ConferenceEnded));
}

#[test]
fn the_end_of_a_conference_gives_up_who_was_called_for_it() {
    let mut world = World::new();
    let inside = world.join(request("room", Role::Agent));
    invite(&mut world, &["a"], terms());
    let leg = dialled(&mut world);
    world.hang_up(inside);
    assert_eq!(world.legs[&leg], LegFate::HungUp);
    assert_eq!(cause(&world, "a"), (CallState::Failed, Some(HangupCause::ConferenceEnded)));
    assert_eq!(world.switchboard.calls(), 0);
}

fn call_out(world: &mut World, to: &[&str]) -> Outcome {
    place(world, to.iter().map(|to| destination(to)).collect(), None).unwrap()
}

fn place(
    world: &mut World,
    destinations: Vec<Destination>,
    parent: Option<Parent>,
) -> Result<Outcome, CommandError> {
    let calls = Calls {
        destinations,
        from: "1415".into(),
        caller_name: None,
        answer: post("answer"),
        urls: CallUrls { ring: Some(post("ring")), hangup: Some(post("hangup")), ..CallUrls::default() },
        time_limit: Duration::from_mins(10),
        parent,
        machine: None,
    };
    world.command(Command::Place(Box::new(calls)))
}

#[test]
fn a_call_that_we_make_belongs_to_a_live_one_or_to_none() {
    let mut world = World::new();
    let first = world.call(vec![Instruction::Wait { length: Duration::from_hours(1) }]);
    let call = world.call_of(first).id;
    let belonging = |world: &mut World, to: &str, required| {
        place(world, vec![destination(to)], Some(Parent { call, required })).map(|_| world.placed(to).parent)
    };
    assert_eq!(belonging(&mut world, "a", true), Ok(Some(call)));
    world.hang_up(first);
    assert_eq!(belonging(&mut world, "b", false), Ok(None));
    assert_eq!(belonging(&mut world, "c", true), Err(CommandError::ParentNotFound));
}

#[test]
fn a_callee_may_ring_for_a_part_of_the_time_that_it_takes_to_reach_it() {
    for (limit_s, rings_s, over_s) in [(0, 9, 9), (10, 9, 19), (60, 9, 45)] {
        let mut world = World::new();
        let ring_limit = Some(Duration::from_secs(limit_s));
        place(&mut world, vec![Destination { ring_limit, ..destination("a") }], None).unwrap();
        let leg = world.connect();
        world.pass(Duration::from_secs(rings_s));
        world.far_end_rings(leg);
        world.pass(Duration::from_secs(over_s - rings_s));
        let began = world.placed("a").created_at;
        let ended = world.placed("a").ended_at.map(|at| at.since(began));
        assert_eq!(
            (cause(&world, "a").1, ended),
            (Some(HangupCause::RingTimeout), Some(Duration::from_secs(over_s)))
        );
    }
}

#[test]
fn a_call_that_we_make_follows_its_own_document_once_answered() {
    let mut world = World::new();
    call_out(&mut world, &["a"]);
    let leg = dialled(&mut world);
    assert!(world.fetches.is_empty());
    world.far_end_rings(leg);
    world.far_end_answers(leg);
    assert_eq!(world.fetches[0].action, post("answer"));
    world.deliver(Ok(document(vec![])));
    assert_eq!(cause(&world, "a"), (CallState::Completed, Some(HangupCause::EndOfInstructions)));
    let told: Vec<_> = world.told_of_calls.iter().map(|told| (told.url.as_str(), &told.event)).collect();
    assert_eq!(told, [("http://app/ring", &CallEvent::Ringing), ("http://app/hangup", &CallEvent::Ended)]);
}

#[test]
fn a_placement_can_be_cancelled_until_it_is_answered() {
    let mut world = World::new();
    let outcome = call_out(&mut world, &["a", "b"]);
    let Outcome::Placed(placement, _) = outcome else { panic!("{outcome:?}") };
    let a = dialled(&mut world);
    world.command(Command::Cancel(placement)).unwrap();
    assert_eq!(world.legs[&a], LegFate::HungUp);
    assert_eq!(
        cause(&world, "b"),
        (CallState::Canceled, Some(HangupCause::Canceled)),
        "it was never dialled"
    );
    assert_eq!(world.command(Command::Cancel(placement)), Err(CommandError::PlacementNotFound));
}

#[test]
fn a_call_lasts_no_longer_than_it_may() {
    let mut world = World::new();
    call_out(&mut world, &["a"]);
    let leg = dialled(&mut world);
    world.far_end_answers(leg);
    let long = Instruction::Wait { length: Duration::from_hours(1) };
    world.deliver(Ok(document(vec![long])));
    world.pass(Duration::from_mins(10));
    assert_eq!(cause(&world, "a"), (CallState::Completed, Some(HangupCause::Scheduled)));
}

#[test]
fn a_call_that_ended_while_it_was_dialled_is_hung_up() {
    let mut world = World::new();
    let outcome = call_out(&mut world, &["a"]);
    let Outcome::Placed(placement, _) = outcome else { panic!("{outcome:?}") };
    world.pass(Duration::ZERO);
    world.command(Command::Cancel(placement)).unwrap();
    let leg = world.connect();
    assert_eq!(world.legs[&leg], LegFate::HungUp);
}

fn dial(to: &[&str]) -> Instruction {
    Instruction::Dial(Box::new(Dial {
        destinations: to.iter().map(|to| destination(to)).collect(),
        terms: DialTerms { music: DialMusic::Ringing, ..DialTerms::default() },
        time_limit: Duration::from_hours(4),
        end_on_star: true,
        report: Some(Report { action: post("dialled"), follow: true }),
        callback: Some(post("steps")),
        caller_digits: vec!["12".into()],
        callee_digits: vec!["9".into()],
    }))
}

#[test]
fn a_caller_is_connected_to_whoever_answers_first() {
    let mut world = World::new();
    let caller = world.call(vec![dial(&["a", "b"])]);
    assert_eq!(world.prompts_of(caller), [PromptContent::Ringback]);
    assert_eq!(world.placed("a").from, world.call_of(caller).from, "the caller's own number");
    let (a, b) = (dialled(&mut world), dialled(&mut world));
    world.far_end_answers(a);
    assert!(world.hears(caller, a) && world.hears(a, caller));
    assert_eq!(world.prompts_of(caller), []);
    assert_eq!(world.legs[&b], LegFate::HungUp);
    world.hang_up(a);
    let News::Dialled(dialled) = world.fetches[0].news.as_ref().unwrap() else { panic!() };
    assert_eq!(dialled.callee.to, "a");
    assert_eq!(world.legs[&caller], LegFate::Answered, "it goes on");
    let steps: Vec<_> = world.told_of_calls.iter().map(|told| told.url.as_str()).collect();
    assert_eq!(steps, ["http://app/steps"; 3], "answered, connected, ended");
}

#[test]
fn a_callers_end_is_the_end_of_whom_it_called() {
    for answered in [false, true] {
        let mut world = World::new();
        let caller = world.call(vec![dial(&["a"])]);
        let a = dialled(&mut world);
        if answered {
            world.far_end_answers(a);
        }
        world.hang_up(caller);
        assert_eq!(world.legs[&a], LegFate::HungUp);
        assert_eq!(world.switchboard.calls(), 0);
    }
}

#[test]
fn a_star_ends_a_connection_and_the_caller_goes_on() {
    let mut world = World::new();
    let caller = world.call(vec![dial(&["a"])]);
    let a = dialled(&mut world);
    world.far_end_answers(a);
    world.press(a, '*');
    assert_eq!(world.legs[&a], LegFate::Answered, "only the caller's counts");
    world.press(caller, '*');
    assert_eq!(world.legs[&a], LegFate::HungUp);
    assert_eq!(world.fetches.len(), 1);
}

#[test]
fn digits_of_connected_calls_are_told_to_who_asks() {
    let mut world = World::new();
    let caller = world.call(vec![dial(&["a"])]);
    let a = dialled(&mut world);
    world.press(caller, '1');
    world.far_end_answers(a);
    for (leg, digit) in
        [(caller, '2'), (a, '1'), (caller, '1'), (a, '2'), (caller, '2'), (a, '9'), (caller, '9')]
    {
        world.press(leg, digit);
    }
    let told = world.told_of_calls.iter().filter_map(|told| match &told.event {
        CallEvent::Pressed(pressed) => Some((&*told.url, &*pressed.digits, pressed.by, &*pressed.callee.to)),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    let steps = "http://app/steps";
    assert_eq!(told, [(steps, "12", ConnectionEnd::Caller, "a"), (steps, "9", ConnectionEnd::Callee, "a")]);
}

#[test]
fn nobody_answering_a_dial_lets_the_caller_go_on() {
    let mut world = World::new();
    let caller = world.call(vec![dial(&["a"])]);
    let a = dialled(&mut world);
    world.far_end_refuses(a, 486);
    let News::Dialled(dialled) = world.fetches[0].news.as_ref().unwrap() else { panic!() };
    assert_eq!(dialled.callee.state, CallState::Busy);
    assert_eq!(world.prompts_of(caller), []);
}

#[test]
fn a_request_moves_one_end_of_a_connection_or_both() {
    for both in [false, true] {
        let mut world = World::new();
        let caller = world.call(vec![dial(&["a"])]);
        let a = dialled(&mut world);
        world.far_end_answers(a);
        let id = world.call_of(caller).id;
        let (this, other) = (Some(post("this")), both.then(|| post("other")));
        world.command(Command::Call(id, CallChange::Transfer { this, other })).unwrap();
        let urls: Vec<_> = world.fetches.iter().map(|fetch| fetch.action.url.as_str()).collect();
        let expected = ["http://app/this", "http://app/other"];
        assert_eq!(urls, expected[..=usize::from(both)]);
        assert_eq!(world.legs[&a], if both { LegFate::Answered } else { LegFate::HungUp });
        assert!(!world.hears(caller, a));
    }
}

#[test]
fn a_request_plays_to_one_end_of_a_connection_or_both() {
    let mut world = World::new();
    let caller = world.call(vec![dial(&["a"])]);
    let a = dialled(&mut world);
    world.far_end_answers(a);
    let id = world.call_of(caller).id;
    let file = PromptContent::File("http://app/x.mp3".into());
    for (legs, mixed, hearing) in [(Legs::This, true, (1, 0)), (Legs::Other, false, (1, 1))] {
        let change = CallChange::Play {
            playback: Playback { repeat: Repeat::Forever, ..Playback::once(file.clone()) },
            legs,
            mixed,
            kind: PlayKind::File,
        };
        world.command(Command::Call(id, change)).unwrap();
        assert_eq!((world.prompts_of(caller).len(), world.prompts_of(a).len()), hearing);
    }
    assert!(world.hears(caller, a) && !world.hears(a, caller), "what is not mixed stands alone");
    world.command(Command::Call(id, CallChange::StopPlaying(PlayKind::Speech))).unwrap();
    assert_eq!(world.prompts_of(a).len(), 1, "it is no speech");
    world.command(Command::Call(id, CallChange::StopPlaying(PlayKind::File))).unwrap();
    assert_eq!((world.prompts_of(caller).len(), world.prompts_of(a).len()), (0, 0));
    assert!(world.hears(a, caller));
}

#[test]
fn what_is_played_ends_after_as_long_as_it_may_be_heard() {
    let mut world = World::new();
    let alone = world.call(vec![Instruction::Wait { length: Duration::from_hours(1) }]);
    let inside = world.join(request("room", Role::Agent));
    world.finish_sounds();
    for leg in [alone, inside] {
        let file = PromptContent::File("http://app/x.mp3".into());
        let length = Some(Duration::from_secs(5));
        let playback = Playback { repeat: Repeat::Forever, length, ..Playback::once(file.clone()) };
        let change = CallChange::Play { playback, legs: Legs::This, mixed: true, kind: PlayKind::File };
        world.command(Command::Call(world.call_of(leg).id, change)).unwrap();
        world.pass(Duration::from_millis(4999));
        assert_eq!(world.prompts_of(leg), [file]);
        world.pass(Duration::from_millis(1));
        assert_eq!(world.prompts_of(leg), []);
    }
}

#[test]
fn an_invitation_that_may_create_no_conference_needs_one() {
    let mut world = World::new();
    let invited = || Invited::Dialled(vec![destination("a")], terms());
    let invite = |world: &mut World| {
        let invitation =
            Invitation { invited: invited(), request: told("room", Role::Agent), creates: false };
        world.command(Command::Invite(Selector::Name("room".into()), Box::new(invitation)))
    };
    assert_eq!(invite(&mut world), Err(CommandError::ConferenceNotFound));
    world.join(request("room", Role::Customer));
    assert!(matches!(invite(&mut world), Ok(Outcome::Placed(..))));
}

#[test]
fn nobody_is_invited_to_a_full_conference() {
    let mut world = World::new();
    let small = ConferenceRequest { max_participants: 2, ..request("room", Role::Agent) };
    let legs = [world.join(small.clone()), world.join(small)];
    let invitation = Invitation {
        invited: Invited::Dialled(vec![destination("a")], terms()),
        request: told("room", Role::Agent),
        creates: true,
    };
    let refused = world.command(Command::Invite(Selector::Name("room".into()), Box::new(invitation)));
    assert_eq!(refused, Err(CommandError::ConferenceFull));
    assert!(world.dials.is_empty() && legs.iter().all(|leg| world.legs[leg] == LegFate::Answered));
}
