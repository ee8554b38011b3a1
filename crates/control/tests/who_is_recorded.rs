//! Who is in which recording: a test for each row of `docs/recordings.md`.

#![expect(clippy::unwrap_used, reason = "a test's assumptions may fail loudly")]

mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use mixminus_control::policy::{CoachVoice, Role};
use mixminus_control::{
    CallChange, Command, ConferenceChange, ConferenceRequest, Destination, Dial, DialMusic, DialTerms,
    Instruction, Invitation, Invited, Members, Outcome, ParticipantChange, PlayKind, Playback, PromptContent,
    RecordChange, RecordScope, RecordingFormat, RecordingId, RecordingLayout, RecordingTerms, RecordingTrack,
    Selector, Sound,
};
use mixminus_mixer::{BridgeId, LegId, SourceId, TapChannel};
use world::{World, request};

fn room() -> Selector {
    Selector::Name("room".into())
}

fn terms(track: RecordingTrack) -> RecordingTerms {
    RecordingTerms {
        format: RecordingFormat::Wav,
        track,
        keeps_tracks: false,
        callback: None,
        transcript: None,
    }
}

fn silent(role: Role) -> ConferenceRequest {
    ConferenceRequest { enter_sound: Sound::None, exit_sound: Sound::None, ..request("room", role) }
}

fn record(world: &mut World, scope: RecordScope, track: RecordingTrack) -> RecordingId {
    let change = ConferenceChange::Record(scope, terms(track));
    match world.command(Command::Conference(room(), change)) {
        Ok(Outcome::Recording(recording)) => recording.id,
        other => panic!("{other:?}"),
    }
}

fn record_all(world: &mut World) -> RecordingId {
    record(world, RecordScope::All, RecordingTrack::Mix)
}

fn record_one(world: &mut World, leg: LegId, track: RecordingTrack) -> RecordingId {
    let id = world.participant(leg).id;
    record(world, RecordScope::One(id), track)
}

fn record_call(world: &mut World, leg: LegId, track: RecordingTrack) -> RecordingId {
    let change = CallChange::Record(terms(track), Duration::from_hours(1));
    match world.command(Command::Call(world.call_of(leg).id, change)) {
        Ok(Outcome::Recording(recording)) => recording.id,
        other => panic!("{other:?}"),
    }
}

fn channels(world: &World, recording: RecordingId) -> BTreeSet<TapChannel> {
    world.tapped(recording).expect("it is tapped").1.channels.into_iter().collect()
}

fn voices(legs: &[LegId]) -> BTreeSet<TapChannel> {
    legs.iter().map(|leg| TapChannel::Source(SourceId::Leg(*leg))).collect()
}

/// What is played into the recording.
fn prompts(world: &World, recording: RecordingId) -> Vec<PromptContent> {
    let prompt = |channel| match channel {
        TapChannel::Source(SourceId::Prompt(prompt)) => Some(world.prompts[&prompt].clone()),
        _ => None,
    };
    channels(world, recording).into_iter().filter_map(prompt).collect()
}

fn play_to(world: &mut World, members: Vec<LegId>) {
    let members = Members::Listed(members.into_iter().map(|leg| world.participant(leg).id).collect());
    let playback = Playback::once(PromptContent::File("http://app/a.wav".into()));
    world
        .change(room(), ConferenceChange::Play { members, playback, kind: PlayKind::File, mixed: true })
        .unwrap();
}

fn update(world: &mut World, leg: LegId, change: ParticipantChange) {
    world.update(leg, change).unwrap();
}

#[test]
fn whoever_enters_the_conference_is_in_its_recording() {
    let mut world = World::new();
    let a = world.join(silent(Role::Agent));
    let recording = record_all(&mut world);
    assert_eq!(channels(&world, recording), voices(&[a]));
    let b = world.join(silent(Role::Customer));
    let barging = world.join(ConferenceRequest { coach: false, ..silent(Role::Supervisor) });
    assert_eq!(channels(&world, recording), voices(&[a, b, barging]));
    world.hang_up(b);
    assert_eq!(channels(&world, recording), voices(&[a, barging]));
}

#[test]
fn a_coach_is_recorded_unless_one_of_them_asked_that_coaches_are_not() {
    let mut world = World::new();
    let (agent, coach) = (world.join(silent(Role::Agent)), world.join(silent(Role::Supervisor)));
    let (all, heard) = (record_all(&mut world), record_one(&mut world, agent, RecordingTrack::Channels));
    assert_eq!(channels(&world, all), voices(&[agent, coach]));
    assert_eq!(channels(&world, heard), voices(&[agent, coach]));
    let discreet = ConferenceRequest { coach_voice: CoachVoice::LeftOut, ..silent(Role::Customer) };
    let customer = world.join(discreet);
    assert!(world.hears(agent, coach), "who is recorded is not who is heard");
    assert_eq!(channels(&world, all), voices(&[agent, customer]));
    assert_eq!(channels(&world, heard), voices(&[agent, customer]), "nor as what the agent hears");
    update(&mut world, coach, ParticipantChange { coach: Some(false), ..ParticipantChange::default() });
    assert_eq!(channels(&world, all), voices(&[agent, coach, customer]));
}

#[test]
fn who_is_muted_or_held_is_not_recorded_and_neither_is_hold_music() {
    let mut world = World::new();
    let (a, b) = (world.join(silent(Role::Agent)), world.join(silent(Role::Customer)));
    let recording = record_all(&mut world);
    for (change, back) in [
        (
            ParticipantChange { mute: Some(true), ..ParticipantChange::default() },
            ParticipantChange { mute: Some(false), ..ParticipantChange::default() },
        ),
        (
            ParticipantChange { hold: Some(true), ..ParticipantChange::default() },
            ParticipantChange { hold: Some(false), ..ParticipantChange::default() },
        ),
    ] {
        update(&mut world, b, change);
        assert_eq!(channels(&world, recording), voices(&[a]), "{change:?}");
        update(&mut world, b, back);
        assert_eq!(channels(&world, recording), voices(&[a, b]));
    }
}

#[test]
fn nothing_of_those_who_wait_is_recorded_nor_their_music() {
    let mut world = World::new();
    let waiting = ConferenceRequest { start_on_enter: false, ..silent(Role::Customer) };
    let leg = world.join(waiting);
    let (all, one) = (record_all(&mut world), record_one(&mut world, leg, RecordingTrack::Channels));
    assert_eq!(world.prompts_of(leg), [PromptContent::WaitMusic]);
    assert!(channels(&world, all).is_empty() && channels(&world, one).is_empty());
    world.start("room").unwrap();
    assert_eq!(channels(&world, all), voices(&[leg]));
}

#[test]
fn what_is_played_is_recorded_if_it_reaches_somebody_in_the_conversation() {
    let mut world = World::new();
    let (a, b) = (world.join(silent(Role::Agent)), world.join(silent(Role::Customer)));
    let recording = record_all(&mut world);
    world.join(ConferenceRequest { enter_sound: Sound::Beep2, ..silent(Role::Customer) });
    assert_eq!(prompts(&world, recording), [PromptContent::Beep2]);
    world.finish_sounds();
    play_to(&mut world, vec![a]);
    assert_eq!(prompts(&world, recording).len(), 1, "said to one of them");
    world.finish_sounds();
    update(&mut world, b, ParticipantChange { hold: Some(true), ..ParticipantChange::default() });
    play_to(&mut world, vec![b]);
    assert_eq!(prompts(&world, recording), [], "said to nobody who is in it");
    play_to(&mut world, vec![a, b]);
    assert_eq!(prompts(&world, recording).len(), 1, "said to one who is");
}

#[test]
fn ringing_that_all_hear_is_recorded() {
    let mut world = World::new();
    world.join(silent(Role::Agent));
    let recording = record_all(&mut world);
    let destination = Destination { address: "sip:bob@test".into(), ..Destination::default() };
    let terms = DialTerms { music: DialMusic::Ringing, ..DialTerms::default() };
    let invited = Invited::Dialled(vec![destination], terms);
    let invitation = Invitation { invited, request: silent(Role::Customer), creates: false };
    world.command(Command::Invite(room(), Box::new(invitation))).unwrap();
    let leg = world.connect();
    world.far_end_rings(leg);
    assert_eq!(prompts(&world, recording), [PromptContent::Ringback]);
}

#[test]
fn a_participants_recording_has_its_own_voice_and_beside_it_what_it_hears() {
    let mut world = World::new();
    let (a, b) = (world.join(silent(Role::Agent)), world.join(silent(Role::Customer)));
    let own = record_one(&mut world, a, RecordingTrack::Party);
    assert_eq!(channels(&world, own), voices(&[a]));
    let both = record_one(&mut world, b, RecordingTrack::Channels);
    assert_eq!(channels(&world, both), voices(&[a, b]));
    let start = world.taps.values().find(|one| one.recording.id == both).unwrap();
    assert_eq!(start.layout, RecordingLayout::Stereo { left: SourceId::Leg(b) });
    play_to(&mut world, vec![a]);
    assert_eq!(channels(&world, own), voices(&[a]), "it says no prompt");
    assert_eq!(prompts(&world, both), [], "it hears none");
}

#[test]
fn a_held_participants_recording_goes_on_in_silence() {
    let mut world = World::new();
    let (a, _) = (world.join(silent(Role::Agent)), world.join(silent(Role::Customer)));
    let recording = record_one(&mut world, a, RecordingTrack::Channels);
    update(&mut world, a, ParticipantChange { hold: Some(true), ..ParticipantChange::default() });
    assert!(channels(&world, recording).is_empty());
}

#[test]
fn nothing_of_anybody_is_in_a_pause() {
    let mut world = World::new();
    let (a, b) = (world.join(request("room", Role::Agent)), world.join(request("room", Role::Customer)));
    let recording = record_all(&mut world);
    world.change(room(), ConferenceChange::ChangeRecording(RecordScope::All, RecordChange::Pause)).unwrap();
    let (_, tap) = world.tapped(recording).unwrap();
    assert!(tap.paused && tap.channels.is_empty());
    world.finish_sounds();
    assert!(channels(&world, recording).is_empty(), "also after a change");
    world.change(room(), ConferenceChange::ChangeRecording(RecordScope::All, RecordChange::Resume)).unwrap();
    assert_eq!(channels(&world, recording), voices(&[a, b]));
    assert!(!world.tapped(recording).unwrap().1.paused);
}

#[test]
fn a_calls_recording_has_what_it_says_and_hears_wherever_it_goes() {
    let mut world = World::new();
    let wait = Instruction::Wait { length: Duration::from_secs(1) };
    let dial = Dial {
        destinations: vec![Destination {
            address: "sip:bob@test".into(),
            ring_timeout: Duration::from_secs(30),
            ..Destination::default()
        }],
        terms: DialTerms::default(),
        time_limit: Duration::from_hours(1),
        end_on_star: false,
        report: None,
        callback: None,
        caller_digits: vec![],
        callee_digits: vec![],
    };
    let joins = Instruction::Conference(Box::new(silent(Role::Customer)));
    let leg = world.call(vec![wait, Instruction::Dial(Box::new(dial)), joins]);
    let recording = record_call(&mut world, leg, RecordingTrack::Channels);
    let sides: BTreeSet<_> = voices(&[leg]).into_iter().chain([TapChannel::Heard(leg)]).collect();
    let mut bridges: BTreeSet<BridgeId> = BTreeSet::new();
    let mut look = |world: &World| {
        let (bridge, _) = world.tapped(recording).unwrap();
        assert_eq!(channels(world, recording), sides);
        assert_eq!(world.seats[&leg], bridge);
        bridges.insert(bridge);
    };
    look(&world);
    world.pass(Duration::from_secs(1));
    let callee = world.connect();
    look(&world);
    world.far_end_answers(callee);
    assert!(world.hears(leg, callee));
    look(&world);
    world.hang_up(callee);
    look(&world);
    assert!(world.conferences.values().any(|one| one.ended_at.is_none()));
    assert_eq!(bridges.len(), 3, "its own, that of the connection, and the conference's");
}

#[test]
fn a_calls_recording_has_no_voice_that_its_conference_does_not_have() {
    let mut world = World::new();
    let leg = world.join(silent(Role::Agent));
    let recording = record_call(&mut world, leg, RecordingTrack::Mix);
    for mute in [true, false] {
        update(&mut world, leg, ParticipantChange { mute: Some(mute), ..ParticipantChange::default() });
        let own = TapChannel::Source(SourceId::Leg(leg));
        assert_eq!(channels(&world, recording).contains(&own), !mute);
    }
}

#[test]
fn a_recording_lets_nobody_hear_anybody() {
    let mut world = World::new();
    let (a, b) = (world.join(silent(Role::Agent)), world.join(silent(Role::Customer)));
    let coach = world.join(silent(Role::Supervisor));
    let routes = |world: &World| world.plans[&world.seats[&a]].routes();
    let before = routes(&world);
    record_all(&mut world);
    for leg in [a, b, coach] {
        record_one(&mut world, leg, RecordingTrack::Channels);
        record_call(&mut world, leg, RecordingTrack::Channels);
    }
    assert_eq!(world.plans[&world.seats[&a]].taps().len(), 7);
    assert_eq!(routes(&world), before);
}
