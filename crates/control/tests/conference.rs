//! The life of a conference and of its participants.

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    AccountId, Action, Command, CommandError, ConferenceChange, ConferenceEvent as Event, ConferenceRequest,
    ConferenceState, EndCause, EventGroup, ExitCause, FetchPurpose, HangupCause, HangupSource, HttpMethod,
    Input, Instruction, LegEnd, Members, News, ParticipantChange, ParticipantId, PlayKind, Playback,
    PromptContent, Refusal, Report, Selector, Sound, StatusCallback,
};
use world::{LegFate, World, request};

const MUTE: ParticipantChange = ParticipantChange { mute: Some(true), hold: None, coach: None };
const HOLD: ParticipantChange = ParticipantChange { mute: None, hold: Some(true), coach: None };
const RESUME: ParticipantChange = ParticipantChange { mute: None, hold: Some(false), coach: None };
const BARGE: ParticipantChange = ParticipantChange { mute: None, hold: None, coach: Some(false) };

#[test]
fn two_callers_hear_each_other_and_not_themselves() {
    let mut world = World::new();
    let (a, b) = (world.dial("demo"), world.dial("demo.customer"));
    assert!(world.hears(a, b) && world.hears(b, a));
    assert!(!world.hears(a, a) && !world.hears(b, b));
    assert_eq!(world.participant(b).role, Role::Customer);
}

#[test]
fn conferences_do_not_hear_each_other() {
    let mut world = World::new();
    let (a, b) = (world.dial("one"), world.dial("two"));
    assert!(!world.hears(a, b) && !world.hears(b, a));
}

#[test]
fn a_coach_is_heard_by_agents_until_it_barges_in() {
    let mut world = World::new();
    let (agent, customer, coach) =
        (world.dial("demo"), world.dial("demo.customer"), world.dial("demo.supervisor"));
    assert!(world.hears(agent, coach) && !world.hears(customer, coach));
    assert!(world.hears(coach, customer));
    world.update(coach, BARGE).unwrap();
    assert!(world.hears(customer, coach));
    assert!(!world.participant(coach).coaching);
}

#[test]
fn coaching_means_nothing_for_others_than_supervisors() {
    let mut world = World::new();
    let agent = world.dial("demo");
    world.update(agent, ParticipantChange { coach: Some(true), ..Default::default() }).unwrap();
    assert!(!world.participant(agent).coaching);
}

#[test]
fn hold_while_muted_leaves_the_mute_behind() {
    let mut world = World::new();
    let (a, b) = (world.dial("demo"), world.dial("demo.customer"));
    world.update(b, MUTE).unwrap();
    world.update(b, HOLD).unwrap();
    assert_eq!(world.prompts_of(b), [PromptContent::CustomerHoldMusic]);
    assert!(!world.hears(b, a));
    world.update(b, RESUME).unwrap();
    assert!(world.hears(b, a) && !world.hears(a, b), "resumed, but still muted");
    assert!(!world.prompts_of(b).contains(&PromptContent::CustomerHoldMusic));
}

#[test]
fn those_who_wait_hear_music_until_the_start() {
    let mut world = World::new();
    let waiting = ConferenceRequest { start_on_enter: false, ..request("room", Role::Customer) };
    let (a, b) = (world.join(waiting.clone()), world.join(waiting));
    assert_eq!(world.prompts_of(a), [PromptContent::WaitMusic]);
    assert!(!world.hears(a, b));
    assert_eq!(world.conference(a).state, ConferenceState::Initialized);
    world.start("room").unwrap();
    assert_eq!(world.prompts_of(a), []);
    assert!(world.hears(a, b));
    assert_eq!(world.conference(a).started_at, Some(world.now));
}

#[test]
fn an_arrival_that_may_starts_the_conference() {
    let mut world = World::new();
    let customer = world.join(ConferenceRequest { start_on_enter: false, ..request("room", Role::Customer) });
    let agent = world.join(request("room", Role::Agent));
    assert!(world.hears(customer, agent));
    assert_eq!(world.events(), [Event::Initialized, Event::Joined, Event::Started, Event::Joined]);
}

#[test]
fn events_are_numbered_in_order_and_complete() {
    let mut world = World::new();
    let a = world.join(request("room", Role::Agent));
    let b = world.join(request("room", Role::Supervisor));
    world.update(a, MUTE).unwrap();
    world.update(a, MUTE).unwrap();
    world.update(b, BARGE).unwrap();
    world.hang_up(a);
    world.hang_up(b);
    let expected = [
        Event::Initialized,
        Event::Started,
        Event::Joined,
        Event::Joined,
        Event::Muted,
        Event::CoachStopped,
        Event::Left,
        Event::Left,
        Event::Ended,
    ];
    assert_eq!(world.events(), expected);
    let numbers: Vec<_> = world.told.iter().map(|told| told.sequence).collect();
    assert_eq!(numbers, (1..=9).collect::<Vec<_>>());
    let last = world.told.last().unwrap();
    let subject = last.subject.as_ref().unwrap();
    assert_eq!(subject.participant.as_ref().unwrap().id, world.participant(b).id, "who left last is named");
    assert_eq!(last.conference.end_cause, Some(EndCause::NoParticipants));
}

fn subscribing(url: &str, group: EventGroup) -> ConferenceRequest {
    let action = Action { url: url.into(), method: HttpMethod::Post };
    let status_callback = Some(StatusCallback { action, groups: [group].into() });
    ConferenceRequest { status_callback, max_participants: 30, ..request("room", Role::Agent) }
}

#[test]
fn a_subscriber_gets_only_the_groups_it_asked_for() {
    let mut world = World::new();
    let leg = world.join(subscribing("http://app/digits", EventGroup::Digits));
    world.join(subscribing("http://app/people", EventGroup::Participant));
    world.press(leg, '5');
    let told: Vec<_> = world.told.iter().map(|told| (told.event, &*told.url, told.sequence)).collect();
    assert_eq!(told, [(Event::Joined, "http://app/people", 1), (Event::Digit('5'), "http://app/digits", 2)]);
}

#[test]
fn a_conference_keeps_whom_it_tells_each_once_and_no_more_than_twenty() {
    let mut world = World::new();
    let mut last = None;
    let asked = (0..=20).map(|number| (number, EventGroup::Conference)).chain([(0, EventGroup::Digits)]);
    for (number, group) in asked {
        last = Some(world.join(subscribing(&format!("http://app/{number}"), group)));
    }
    let kept = &world.conference(last.unwrap()).subscribers;
    let urls: Vec<_> = kept.iter().map(|subscriber| subscriber.action.url.clone()).collect();
    assert_eq!(urls, (0..20).map(|number| format!("http://app/{number}")).collect::<Vec<_>>());
    assert_eq!(kept[0].groups, [EventGroup::Conference, EventGroup::Digits].into());
    assert_eq!(kept[1].groups, [EventGroup::Conference].into());
}

#[test]
fn enter_and_exit_sounds_reach_those_inside_only() {
    let mut world = World::new();
    let (a, b) = (world.dial("demo"), world.dial("demo"));
    assert_eq!(world.prompts_of(a), [PromptContent::Beep1, PromptContent::Beep1]);
    assert_eq!(world.prompts_of(b), [PromptContent::Beep1]);
    world.finish_sounds();
    assert_eq!(world.prompts_of(a), []);
    world.update(a, HOLD).unwrap();
    world.dial("demo");
    assert_eq!(world.prompts_of(a), [PromptContent::AgentHoldMusic]);
    assert_eq!(world.prompts_of(b), [PromptContent::Beep1]);
    world.finish_sounds();
    world.hang_up(a);
    assert_eq!(world.prompts_of(b), [PromptContent::Beep2]);
}

#[test]
fn a_coach_comes_and_goes_without_a_sound() {
    let mut world = World::new();
    let customer = world.dial("demo.customer");
    world.finish_sounds();
    let coach = world.dial("demo.supervisor");
    assert_eq!(world.prompts_of(customer), []);
    world.hang_up(coach);
    assert_eq!(world.prompts_of(customer), []);
}

#[test]
fn a_supervisor_who_barged_in_is_announced_when_leaving() {
    let mut world = World::new();
    let (customer, coach) = (world.dial("demo.customer"), world.dial("demo.supervisor"));
    world.finish_sounds();
    world.update(coach, BARGE).unwrap();
    world.hang_up(coach);
    assert_eq!(world.prompts_of(customer), [PromptContent::Beep2]);
}

#[test]
fn a_sound_may_be_none_or_what_an_url_says() {
    let mut world = World::new();
    let a = world.join(ConferenceRequest { enter_sound: Sound::None, ..request("room", Role::Agent) });
    assert_eq!(world.prompts_of(a), []);
    let bell = Action { url: "http://app/bell.wav".into(), method: HttpMethod::Get };
    world.join(ConferenceRequest { enter_sound: Sound::Url(bell.clone()), ..request("room", Role::Agent) });
    assert_eq!(world.prompts_of(a), [PromptContent::Sounds(bell)]);
}

#[test]
fn music_may_be_what_an_url_says() {
    let mut world = World::new();
    let music = Action { url: "http://app/music.mp3".into(), method: HttpMethod::Get };
    let agent_hold_music = Some(music.clone());
    let a = world.join(ConferenceRequest { agent_hold_music, ..request("room", Role::Agent) });
    world.update(a, HOLD).unwrap();
    assert!(world.prompts_of(a).contains(&PromptContent::Sounds(music)));
}

#[test]
fn the_last_one_is_removed_unless_it_may_stay_alone() {
    for stay_alone in [true, false] {
        let mut world = World::new();
        let a = world.join(ConferenceRequest { stay_alone, ..request("room", Role::Agent) });
        let b = world.join(request("room", Role::Customer));
        assert_eq!(world.conference(a).state, ConferenceState::Active, "a first participant may be alone");
        world.hang_up(b);
        let expected = (!stay_alone).then_some(EndCause::AloneNotPermitted);
        assert_eq!(world.conference(a).end_cause, expected);
        assert_eq!(world.participant(a).exit_cause, expected.map(|_| ExitCause::ConferenceEnded));
    }
}

#[test]
fn a_departure_may_end_the_conference() {
    let mut world = World::new();
    let host = world.join(ConferenceRequest { end_on_exit: true, ..request("room", Role::Agent) });
    let guests = [world.join(request("room", Role::Customer)), world.join(request("room", Role::Customer))];
    world.hang_up(host);
    assert_eq!(world.conference(host).end_cause, Some(EndCause::NoParticipants));
    for guest in guests {
        assert_eq!(world.participant(guest).exit_cause, Some(ExitCause::ConferenceEnded));
        assert_eq!(world.legs[&guest], LegFate::HungUp, "nothing was left to do");
    }
}

#[test]
fn the_longest_duration_ends_the_conference() {
    let mut world = World::new();
    let limited = ConferenceRequest { max_duration: Duration::from_mins(5), ..request("room", Role::Agent) };
    let leg = world.join(limited);
    world.pass(Duration::from_secs(299));
    assert!(world.conference(leg).ended_at.is_none());
    world.pass(Duration::from_secs(2));
    assert_eq!(world.conference(leg).end_cause, Some(EndCause::MaxDuration));
}

#[test]
fn an_api_request_ends_the_conference_and_the_calls_go_on() {
    let mut world = World::new();
    let join = Instruction::Conference(Box::new(request("room", Role::Agent)));
    let wait = Instruction::Wait { length: Duration::from_secs(1) };
    let leg = world.call(vec![join, wait]);
    world.end("room").unwrap();
    assert_eq!(world.conference(leg).end_cause, Some(EndCause::ApiRequest));
    assert_eq!(world.legs[&leg], LegFate::Answered);
    assert_eq!(world.end("room"), Err(CommandError::ConferenceNotFound), "its name is free again");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.legs[&leg], LegFate::HungUp);
}

#[test]
fn a_kicked_participant_asks_what_to_do_next() {
    let mut world = World::new();
    let on_exit = Some(Report {
        action: Action { url: "http://app/bye".into(), method: HttpMethod::Get },
        follow: true,
    });
    let leg = world.join(ConferenceRequest { on_exit, ..request("room", Role::Customer) });
    let other = world.join(request("room", Role::Agent));
    world.kick(leg).unwrap();
    assert_eq!(world.participant(leg).exit_cause, Some(ExitCause::Kicked));
    assert!(!world.hears(other, leg) && !world.hears(leg, other));
    assert_eq!(world.fetches[0].purpose, FetchPurpose::Action);
    let Some(News::Left(left)) = &world.fetches[0].news else { panic!("{:?}", world.fetches[0]) };
    assert_eq!(left.1.id, world.participant(leg).id);
    assert_eq!(world.kick(leg), Err(CommandError::ParticipantNotFound(world.participant(leg).id)));
}

#[test]
fn all_can_be_kicked_at_once() {
    let mut world = World::new();
    let legs: Vec<_> = (0..3)
        .map(|_| world.join(ConferenceRequest { stay_alone: false, ..request("room", Role::Agent) }))
        .collect();
    world.change(Selector::Name("room".into()), ConferenceChange::Kick(Members::All)).unwrap();
    for leg in legs {
        assert_eq!(world.participant(leg).exit_cause, Some(ExitCause::Kicked));
    }
}

#[test]
fn one_unknown_member_refuses_the_whole_update() {
    let mut world = World::new();
    let leg = world.dial("demo");
    let (known, unknown) = (world.participant(leg).id, ParticipantId(99));
    let change = ConferenceChange::Update(Members::Listed(vec![known, unknown]), MUTE);
    let refused = world.change(Selector::Name("demo".into()), change);
    assert_eq!(refused, Err(CommandError::ParticipantNotFound(unknown)));
    assert!(!world.participant(leg).muted);
}

#[test]
fn another_accounts_conference_is_not_found() {
    let mut world = World::new();
    world.dial("demo");
    let other = AccountId("MAYYYYYYYYYYYYYYYYYY".into());
    let end = Command::Conference(Selector::Name("demo".into()), ConferenceChange::End);
    assert_eq!(world.command_of(other, end), Err(CommandError::ConferenceNotFound));
}

#[test]
fn a_full_conference_is_passed_over() {
    let mut world = World::new();
    let small = ConferenceRequest { max_participants: 2, ..request("room", Role::Agent) };
    let (_, _, third) = (world.join(small.clone()), world.join(small.clone()), world.join(small));
    assert_eq!(world.legs[&third], LegFate::Refused(Refusal::NotAvailable), "nothing was left to do");
    assert!(world.participants.len() == 2);
}

#[test]
fn presence_is_billed_in_minutes_begun() {
    let mut world = World::new();
    let (a, b) = (world.dial("demo"), world.dial("demo"));
    world.pass(Duration::from_mins(1));
    world.hang_up(a);
    world.pass(Duration::from_millis(1));
    world.hang_up(b);
    assert_eq!(world.conference(a).billed_seconds, Some(60 + 120));
}

#[test]
fn a_drain_hangs_up_all_and_takes_no_more() {
    let mut world = World::new();
    let on_exit = Some(Report {
        action: Action { url: "http://app/bye".into(), method: HttpMethod::Get },
        follow: true,
    });
    let lonely = ConferenceRequest { on_exit, stay_alone: false, ..request("room", Role::Agent) };
    let legs = [world.join(lonely.clone()), world.join(lonely)];
    let ringing = world.ring();
    world.fetches.clear();
    world.input(Input::Drain);
    assert!(legs.iter().all(|leg| world.legs[leg] == LegFate::HungUp));
    assert_eq!(world.legs[&ringing], LegFate::Refused(Refusal::Unavailable));
    assert_eq!(world.call_of(legs[0]).hangup_cause, Some(HangupCause::Normal));
    assert_eq!(world.call_of(legs[0]).hangup_source, Some(HangupSource::Service));
    assert_eq!(world.fetches.len(), 0, "nobody is asked what to do next");
    assert_eq!(world.switchboard.calls() + world.switchboard.conferences(), 0);
    let late = world.dial("demo");
    assert_eq!(world.legs[&late], LegFate::Refused(Refusal::Unavailable));
}

#[test]
fn a_leg_whose_media_is_gone_or_no_longer_listened_to_leaves_the_conference() {
    for (end, cause) in
        [(LegEnd::MediaTimeout, HangupCause::MediaTimeout), (LegEnd::Evicted, HangupCause::InternalError)]
    {
        let mut world = World::new();
        let (a, b) = (world.dial("demo"), world.dial("demo"));
        world.input(Input::LegEnded { leg: a, end });
        assert_eq!(world.legs[&a], LegFate::HungUp);
        assert_eq!(world.call_of(a).hangup_cause, Some(cause));
        assert_eq!(world.participant(a).exit_cause, Some(ExitCause::CallHangup));
        assert!(!world.hears(b, a));
    }
}

#[test]
fn nobody_joins_a_conference_whose_bridge_is_crowded_and_those_inside_stay() {
    let mut world = World::new();
    let inside = world.dial("demo");
    let bridge = world.seats[&inside];
    world.input(Input::Crowded([bridge].into()));
    let late = world.dial("demo");
    assert_eq!(world.legs[&late], LegFate::Refused(Refusal::Unavailable));
    assert_eq!(world.call_of(late).hangup_cause, Some(HangupCause::ConcurrencyLimit));
    assert_eq!(world.seats[&inside], bridge);
    let elsewhere = world.dial("other");
    assert_eq!(world.legs[&elsewhere], LegFate::Answered);
    world.input(Input::Crowded([].into()));
    let next = world.dial("demo");
    assert!(world.hears(inside, next));
}

#[test]
fn an_answered_call_goes_on_where_a_conference_is_crowded() {
    let mut world = World::new();
    let inside = world.dial("room");
    world.input(Input::Crowded([world.seats[&inside]].into()));
    let wait = Instruction::Wait { length: Duration::from_secs(1) };
    let join = Instruction::Conference(Box::new(request("room", Role::Agent)));
    let caller = world.call(vec![wait.clone(), join, wait]);
    world.pass(Duration::from_millis(1500));
    assert_eq!(world.legs[&caller], LegFate::Answered);
    assert!(!world.hears(inside, caller));
    world.pass(Duration::from_secs(1));
    assert_eq!(world.legs[&caller], LegFate::HungUp);
}

#[test]
fn digits_reach_the_others_only_if_their_sender_relays_them() {
    let mut world = World::new();
    let relaying = |role| ConferenceRequest { relay_digits: true, ..request("room", role) };
    let customer = world.join(relaying(Role::Customer));
    let agent = world.join(request("room", Role::Agent));
    let coach = world.join(relaying(Role::Supervisor));
    for (leg, digit) in [(customer, '1'), (agent, '2'), (coach, '3')] {
        world.press(leg, digit);
    }
    assert_eq!(world.digits, [(agent, '1'), (coach, '1'), (agent, '3')], "a coach's never reach customers");
}

#[test]
fn who_waits_too_long_leaves_and_asks_what_to_do_next() {
    let mut world = World::new();
    let on_exit = Some(Report {
        action: Action { url: "http://app/bye".into(), method: HttpMethod::Post },
        follow: true,
    });
    let patient = ConferenceRequest { start_on_enter: false, ..request("room", Role::Customer) };
    let max_wait = Some(Duration::from_secs(30));
    let active = world.join(ConferenceRequest { max_wait, ..request("other", Role::Agent) });
    let leg = world.join(ConferenceRequest { max_wait, on_exit, ..patient.clone() });
    let other = world.join(patient);
    world.pass(Duration::from_secs(30));
    assert_eq!(world.participant(leg).exit_cause, Some(ExitCause::Kicked));
    assert_eq!(world.fetches[0].action.url, "http://app/bye");
    assert_eq!(world.participant(other).left_at, None, "it may wait for ever");
    assert_eq!(world.participant(active).left_at, None, "nobody waits in a conference that has started");
}

#[test]
fn a_conference_that_waits_for_an_agent_is_started_by_no_customer() {
    let mut world = World::new();
    let wait_for_agent = true;
    let customer = world.join(ConferenceRequest { wait_for_agent, ..request("room", Role::Customer) });
    assert_eq!(world.prompts_of(customer), [PromptContent::WaitMusic]);
    let agent = world.join(request("room", Role::Agent));
    assert!(world.hears(customer, agent));
}

#[test]
fn no_more_than_twenty_things_are_played_at_once() {
    let mut world = World::new();
    let leg = world.join(request("room", Role::Agent));
    let play = |world: &mut World| {
        let content = PromptContent::File("http://app/x.mp3".into());
        let members = Members::Listed(vec![world.participant(leg).id]);
        let change = ConferenceChange::Play {
            members,
            playback: Playback::once(content),
            kind: PlayKind::File,
            mixed: true,
        };
        world.change(Selector::Name("room".into()), change)
    };
    for _ in 0..20 {
        play(&mut world).unwrap();
    }
    assert_eq!(play(&mut world), Err(CommandError::TooMany));
    world.finish_sounds();
    play(&mut world).unwrap();
}

#[test]
fn who_is_held_hears_what_is_played_to_it_instead_of_music() {
    let mut world = World::new();
    let leg = world.join(request("room", Role::Customer));
    let other = world.join(request("room", Role::Agent));
    world.finish_sounds();
    world.update(leg, HOLD).unwrap();
    let content = PromptContent::File("http://app/x.mp3".into());
    let members = Members::Listed(vec![world.participant(leg).id]);
    let change = ConferenceChange::Play {
        members,
        playback: Playback::once(content.clone()),
        kind: PlayKind::File,
        mixed: true,
    };
    world.change(Selector::Name("room".into()), change).unwrap();
    assert_eq!(world.prompts_of(leg), [content]);
    assert_eq!(world.prompts_of(other), [], "it is for nobody else");
    world.finish_sounds();
    assert_eq!(world.prompts_of(leg), [PromptContent::CustomerHoldMusic]);
}
