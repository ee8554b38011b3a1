//! Who is told to talk: those whom the media plane hears and nobody silenced.

mod world;

use mixminus_control::policy::Role;
use mixminus_control::{
    Action, ConferenceEvent as Event, ConferenceRequest, EventGroup, HttpMethod, Instruction,
    ParticipantChange, StatusCallback,
};
use mixminus_mixer::LegId;
use world::{World, request};

const MUTE: ParticipantChange = ParticipantChange { mute: Some(true), hold: None, coach: None };
const UNMUTE: ParticipantChange = ParticipantChange { mute: Some(false), hold: None, coach: None };
const HOLD: ParticipantChange = ParticipantChange { mute: None, hold: Some(true), coach: None };
const RESUME: ParticipantChange = ParticipantChange { mute: None, hold: Some(false), coach: None };

/// Two in one conference, and nothing told yet.
fn conversation() -> (World, [LegId; 2]) {
    let mut world = World::new();
    let legs = [world.join(request("room", Role::Agent)), world.join(request("room", Role::Customer))];
    world.told.clear();
    (world, legs)
}

#[test]
fn a_talkspurt_is_told_once_at_each_end() {
    let (mut world, [a, b]) = conversation();
    for talking in [false, true, true, false, false] {
        world.talk(a, talking);
    }
    world.talk(b, true);
    let told: Vec<_> = world
        .told
        .iter()
        .map(|told| (told.event, told.subject.as_ref().unwrap().participant.as_ref().unwrap().id))
        .collect();
    let [a, b] = [a, b].map(|leg| world.participant(leg).id);
    assert_eq!(told, [(Event::TalkStarted, a), (Event::TalkStopped, a), (Event::TalkStarted, b)]);
}

#[test]
fn who_is_silenced_stops_first_and_starts_again_last() {
    let (mut world, [a, _]) = conversation();
    world.talk(a, true);
    for change in [MUTE, HOLD, UNMUTE, RESUME] {
        world.update(a, change).unwrap();
    }
    let expected = [
        Event::TalkStarted,
        Event::TalkStopped,
        Event::Muted,
        Event::Held,
        Event::Unmuted,
        Event::Resumed,
        Event::TalkStarted,
    ];
    assert_eq!(world.events(), expected);
}

#[test]
fn what_a_muted_participant_says_is_not_told() {
    let (mut world, [a, _]) = conversation();
    world.update(a, MUTE).unwrap();
    world.talk(a, true);
    world.talk(a, false);
    world.update(a, UNMUTE).unwrap();
    assert_eq!(world.events(), [Event::Muted, Event::Unmuted]);
}

#[test]
fn who_leaves_while_talking_stops_before() {
    let (mut world, [a, b]) = conversation();
    world.talk(a, true);
    world.talk(b, true);
    world.told.clear();
    world.hang_up(a);
    world.talk(a, false);
    world.end("room").unwrap();
    let expected = [Event::TalkStopped, Event::Left, Event::TalkStopped, Event::Left, Event::Ended];
    assert_eq!(world.events(), expected);
    assert!(
        world.told[0].subject.as_ref().unwrap().participant.as_ref().unwrap().left_at.is_none(),
        "it was still inside"
    );
}

#[test]
fn who_waits_talks_from_the_start() {
    let mut world = World::new();
    let leg = world.join(ConferenceRequest { start_on_enter: false, ..request("room", Role::Customer) });
    world.talk(leg, true);
    world.start("room").unwrap();
    assert_eq!(world.events(), [Event::Initialized, Event::Joined, Event::Started, Event::TalkStarted]);
}

#[test]
fn who_talks_on_from_one_conference_to_the_next_talks_in_both() {
    let mut world = World::new();
    let rooms = ["one", "two"].map(|room| Instruction::Conference(Box::new(request(room, Role::Agent))));
    let leg = world.call(rooms.into());
    world.talk(leg, true);
    world.end("one").unwrap();
    world.talk(leg, false);
    let told = world.told.iter().map(|told| (&*told.conference.name, told.event));
    let talking: Vec<_> = told.filter(|(_, event)| event.group() == EventGroup::Talking).collect();
    let [started, stopped] = [Event::TalkStarted, Event::TalkStopped];
    assert_eq!(talking, [("one", started), ("one", stopped), ("two", started), ("two", stopped)]);
}

#[test]
fn only_who_asked_for_it_is_told() {
    let mut world = World::new();
    let action = Action { url: "http://app/talk".into(), method: HttpMethod::Post };
    let status_callback = Some(StatusCallback { action, groups: [EventGroup::Talking].into() });
    let leg = world.join(ConferenceRequest { status_callback, ..request("room", Role::Agent) });
    world.talk(leg, true);
    assert_eq!(world.events(), [Event::TalkStarted]);
    assert_eq!(world.conference(leg).sequence, 1);

    let mut other = World::new();
    let leg = other.join(ConferenceRequest { status_callback: None, ..request("room", Role::Agent) });
    let before = other.media.len();
    other.talk(leg, true);
    assert_eq!(other.media.len(), before, "nothing is to be done");
}
