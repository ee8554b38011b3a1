//! Conferences in which all are equal: they have names of their own, are told of and not kept.

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    Action, AutomaticRecording, CallEvent, CommandError, ConferenceKind, ConferenceRequest, FetchPurpose,
    HttpMethod, Instruction, News, OwnCallback, ParticipantEvent as Event, RecordingEvent, RecordingFormat,
    RecordingState, RecordingTerms, RecordingTrack, Report, Sound,
};
use mixminus_mixer::LegId;
use world::{LegFate, World, request};

fn action(path: &str) -> Action {
    Action { url: format!("http://app/{path}"), method: HttpMethod::Post }
}

/// Joins `room`; what happens to it is told at `url`.
fn plain(url: &str) -> ConferenceRequest {
    let digits = vec!["12".to_owned(), "9".to_owned()];
    ConferenceRequest {
        kind: ConferenceKind::Plain,
        own_callback: Some(OwnCallback { action: action(url), digits, tells_active_speaker: true }),
        status_callback: None,
        enter_sound: Sound::None,
        exit_sound: Sound::None,
        ..request("room", Role::Agent)
    }
}

/// What was told, and where, since the last time.
fn told(world: &mut World) -> Vec<(String, Event)> {
    world
        .told_of_participants
        .drain(..)
        .map(|told| (told.url.replace("http://app/", ""), told.event))
        .collect()
}

fn at(url: &str, event: Event) -> (String, Event) {
    (url.to_owned(), event)
}

fn two() -> (World, [LegId; 2]) {
    let mut world = World::new();
    let legs = [world.join(plain("a")), world.join(plain("b"))];
    told(&mut world);
    (world, legs)
}

#[test]
fn one_name_means_another_room_in_each_kind() {
    let mut world = World::new();
    let plain = [world.join(plain("a")), world.join(plain("b"))];
    let supervised = world.join(request("room", Role::Agent));
    assert!(world.hears(plain[0], plain[1]) && world.hears(plain[1], plain[0]));
    assert!(!world.hears(plain[0], supervised) && !world.hears(supervised, plain[0]));
    assert_eq!(world.switchboard.conferences(), 2);
}

#[test]
fn requests_do_not_reach_a_plain_conference_and_it_is_not_kept() {
    let (mut world, legs) = two();
    assert_eq!(world.end("room"), Err(CommandError::ConferenceNotFound));
    for leg in legs {
        world.hang_up(leg);
    }
    assert!(world.conferences.is_empty() && world.participants.is_empty() && world.told.is_empty());
    assert_eq!(world.switchboard.conferences(), 0);
}

#[test]
fn each_ones_own_url_is_told_of_it_and_of_nobody_else() {
    let mut world = World::new();
    let a = world.join(plain("a"));
    let b = world.join(plain("b"));
    world.join(ConferenceRequest { own_callback: None, ..plain("nowhere") });
    world.hang_up(b);
    world.hang_up(a);
    let numbers: Vec<_> = world.told_of_participants.iter().map(|told| told.sequence).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let expected =
        [at("a", Event::Joined), at("b", Event::Joined), at("b", Event::Left), at("a", Event::Left)];
    assert_eq!(told(&mut world), expected);
}

#[test]
fn whoever_talks_alone_becomes_the_active_speaker_and_is_told_once() {
    let (mut world, [a, b]) = two();
    let becomes = |url| vec![at(url, Event::BecameActiveSpeaker)];
    for (leg, talking, expected) in [
        (a, true, becomes("a")),
        (a, false, vec![]),
        (a, true, vec![]),
        (b, true, vec![]),
        (a, false, becomes("b")),
        (b, false, vec![]),
    ] {
        world.talk(leg, talking);
        assert_eq!(told(&mut world), expected, "{leg:?} {talking}");
    }
}

#[test]
fn a_participant_that_does_not_ask_is_not_told_to_be_the_active_speaker() {
    let mut world = World::new();
    let own = OwnCallback { action: action("a"), digits: vec![], tells_active_speaker: false };
    let leg = world.join(ConferenceRequest { own_callback: Some(own), ..plain("a") });
    world.talk(leg, true);
    assert_eq!(told(&mut world), [at("a", Event::Joined)]);
}

#[test]
fn digits_that_somebody_waits_for_are_told() {
    let (mut world, [a, b]) = two();
    for (leg, digit) in [(a, '1'), (b, '2'), (a, '2'), (b, '9')] {
        world.press(leg, digit);
    }
    assert_eq!(told(&mut world), [at("a", Event::Digits("12".into())), at("b", Event::Digits("9".into()))]);
}

#[test]
fn a_star_leaves_where_the_participant_said_so_and_its_answer_is_followed_or_only_told() {
    for follow in [true, false] {
        let mut world = World::new();
        let on_exit = Some(Report { action: action("bye"), follow });
        let leaves = ConferenceRequest { leave_on_star: true, relay_digits: true, on_exit, ..plain("a") };
        let join = Instruction::Conference(Box::new(leaves));
        let a = world.call(vec![join, Instruction::Wait { length: Duration::from_secs(9) }]);
        let b = world.join(plain("b"));
        world.press(b, '*');
        world.press(a, '*');
        assert!(!world.hears(b, a) && world.digits.is_empty(), "nobody hears the star");
        assert_eq!(world.legs[&a], LegFate::Answered);
        let followed =
            world.fetches.iter().map(|fetch| (fetch.purpose, matches!(fetch.news, Some(News::Left(_)))));
        assert_eq!(followed.collect::<Vec<_>>(), vec![(FetchPurpose::Action, true); usize::from(follow)]);
        let only_told = world.told_of_calls.iter().filter(|told| matches!(told.event, CallEvent::Left(_)));
        assert_eq!(only_told.count(), usize::from(!follow));
    }
}

#[test]
fn only_the_end_of_a_plain_conferences_recording_is_told() {
    let mut world = World::new();
    let terms = RecordingTerms {
        format: RecordingFormat::Mp3,
        track: RecordingTrack::Mix,
        keeps_tracks: false,
        callback: Some(action("r")),
        transcript: None,
    };
    let recording = Some(AutomaticRecording {
        terms,
        min_participants: 1,
        participants_too: false,
        start_sound: None,
        stop_sound: None,
    });
    let leg = world.join(ConferenceRequest { recording, ..plain("a") });
    assert_eq!(world.recordings.values().next().unwrap().state, RecordingState::Recording);
    assert!(world.told_of_recordings.is_empty());
    world.hang_up(leg);
    let [ended] = &world.told_of_recordings[..] else { panic!("{:?}", world.told_of_recordings) };
    assert_eq!((ended.event, ended.kind), (RecordingEvent::Completed, ConferenceKind::Plain));
}
