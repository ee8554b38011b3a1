//! A call's stream: where its tap and its voice are, when it ends, and who is told.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    Action, AutomaticRecording, CallChange, CallEvent, Command, CommandError, ConferenceRequest, HttpMethod,
    Input, Instruction, Outcome, ParticipantChange, RecordingFormat, RecordingTerms, RecordingTrack, Repeat,
    StreamAudience, StreamEvent, StreamFormat, StreamNews, StreamState, StreamTerms, StreamTrack,
};
use mixminus_mixer::{LegId, SourceId, TapChannel, TapRoutes};
use world::{World, document, request};

fn action(path: &str) -> Action {
    Action { url: format!("http://app{path}"), method: HttpMethod::Post }
}

fn terms() -> StreamTerms {
    StreamTerms {
        url: "wss://ai/s".into(),
        track: StreamTrack::Said,
        format: StreamFormat::Linear8k,
        audience: Some(StreamAudience::Caller),
        denoised: None,
        longest: Duration::from_mins(1),
        headers: None,
        callback: Some(action("/stream")),
    }
}

fn stream(waits: bool) -> Instruction {
    Instruction::Stream { terms: Box::new(terms()), waits }
}

fn play(file: &str) -> Instruction {
    Instruction::Play { url: file.into(), repeat: Repeat::Times(1) }
}

fn recorded() -> AutomaticRecording {
    let terms = RecordingTerms {
        format: RecordingFormat::Wav,
        track: RecordingTrack::Mix,
        keeps_tracks: false,
        callback: None,
        transcript: None,
    };
    let (start_sound, stop_sound) = (None, None);
    AutomaticRecording { terms, min_participants: 1, participants_too: false, start_sound, stop_sound }
}

fn ask(world: &mut World, leg: LegId, change: CallChange) -> Result<Outcome, CommandError> {
    let call = world.call_of(leg).id;
    world.command(Command::Call(call, change))
}

fn news(world: &mut World, news: StreamNews) {
    let record = world.opened.last().unwrap().record.clone();
    world.input(Input::Stream { call: record.call, stream: record.id, news });
}

/// What plans let the last stream's tap carry, and who hears its voice.
fn followed(world: &World) -> (Vec<TapRoutes>, Vec<LegId>) {
    let open = world.opened.last().unwrap();
    let taps = world.plans.values().flat_map(mixminus_mixer::MixPlan::tap_routes);
    let taps = taps.filter(|tap| tap.tap == open.tap).collect();
    let voice = SourceId::Prompt(open.voice.unwrap());
    let hears = |leg: &LegId| world.plans.values().any(|plan| plan.hears(*leg, voice));
    (taps, world.legs.keys().copied().filter(hears).collect())
}

fn events(world: &World) -> Vec<StreamEvent> {
    let streamed = world.told_of_calls.iter().filter_map(|told| match &told.event {
        CallEvent::Streamed(event, _) => Some(*event),
        _ => None,
    });
    streamed.collect()
}

#[test]
fn a_stream_follows_its_call_into_a_conference_and_out_and_only_its_leg_hears_it() {
    let mut world = World::new();
    let other = world.join(request("room", Role::Agent));
    let leg = world.ring();
    let joins = Instruction::Conference(Box::new(request("room", Role::Customer)));
    world.deliver(Ok(document(vec![stream(false), play("hello"), joins, play("bye")])));
    let tap = world.opened[0].tap;
    let channels = vec![TapChannel::Source(SourceId::Leg(leg))];
    let expected = (vec![TapRoutes { tap, channels, paused: false }], vec![leg]);
    assert_eq!(followed(&world), expected, "alone");
    world.finish_sounds();
    assert_eq!(world.participant(leg).left_at, None);
    assert!(world.hears(leg, other));
    assert_eq!(followed(&world), expected, "in the conference");
    world.kick(leg).unwrap();
    assert_eq!(followed(&world), expected, "after it");
    news(&mut world, StreamNews::Ended(StreamState::Stopped));
    assert_eq!(followed(&world), (vec![], vec![]), "over");
}

fn ai_agent() -> StreamTerms {
    StreamTerms { track: StreamTrack::Heard, audience: Some(StreamAudience::Listeners), ..terms() }
}

#[test]
fn an_ai_agent_hears_what_its_call_hears_and_is_heard_and_recorded_wherever_that_is() {
    let mut world = World::new();
    let customer =
        world.join(ConferenceRequest { recording: Some(recorded()), ..request("room", Role::Customer) });
    let coach = world.join(ConferenceRequest { coach: true, ..request("room", Role::Supervisor) });
    let stream = Some(Box::new(ai_agent()));
    let leg = world.call(vec![
        Instruction::Conference(Box::new(ConferenceRequest { stream, ..request("room", Role::AiAgent) })),
        play("bye"),
    ]);
    let (tap, voice) = (world.opened[0].tap, world.opened[0].voice.unwrap());
    let spoken = TapChannel::Source(SourceId::Prompt(voice));
    let is_recorded = |world: &World| {
        let recording = *world.recordings.keys().next().unwrap();
        world.tapped(recording).unwrap().1.channels.contains(&spoken)
    };
    let hearing = vec![TapRoutes { tap, channels: vec![TapChannel::Heard(leg)], paused: false }];
    assert_eq!(followed(&world), (hearing.clone(), vec![customer, coach]));
    assert!(is_recorded(&world));
    for (change, heard) in [
        (ParticipantChange { mute: Some(true), ..ParticipantChange::default() }, false),
        (ParticipantChange { mute: Some(false), ..ParticipantChange::default() }, true),
        (ParticipantChange { hold: Some(true), ..ParticipantChange::default() }, false),
        (ParticipantChange { hold: Some(false), ..ParticipantChange::default() }, true),
    ] {
        world.update(leg, change).unwrap();
        let by = if heard { vec![customer, coach] } else { vec![] };
        assert_eq!(followed(&world), (hearing.clone(), by), "{change:?}");
        assert_eq!(is_recorded(&world), heard, "{change:?}");
    }
    let held = ParticipantChange { hold: Some(true), ..ParticipantChange::default() };
    world.update(customer, held).unwrap();
    assert_eq!(followed(&world).1, [coach], "a held customer hears no AI agent");
    world.kick(leg).unwrap();
    assert_eq!(followed(&world), (vec![], vec![]), "the stream is over with the participant");
    assert_eq!((events(&world), world.closed.len()), (vec![StreamEvent::Stopped], 1));
    assert_eq!(world.prompts_of(leg).len(), 1, "the document goes on");
}

#[test]
fn a_participant_stays_when_its_stream_ends_or_cannot_be_begun() {
    let mut world = World::new();
    let stream = Some(Box::new(ai_agent()));
    let request = ConferenceRequest { stream, ..request("room", Role::AiAgent) };
    let leg = world.join(request.clone());
    news(&mut world, StreamNews::Ended(StreamState::Dropped));
    assert_eq!(followed(&world), (vec![], vec![]));
    assert_eq!(world.participant(leg).left_at, None);
    let streamed = world.call(vec![self::stream(false), Instruction::Conference(Box::new(request))]);
    assert_eq!(world.participant(streamed).left_at, None);
    assert_eq!((world.opened.len(), events(&world)), (2, vec![StreamEvent::Dropped, StreamEvent::Dropped]));
    world.hang_up(streamed);
    assert_eq!(events(&world)[2], StreamEvent::Stopped, "the document's own");
}

#[test]
fn a_stream_that_is_waited_for_holds_the_document_up_until_it_ends() {
    let mut world = World::new();
    let leg = world.call(vec![stream(true), play("after")]);
    assert!(world.prompts.is_empty());
    news(&mut world, StreamNews::Connected);
    assert_eq!(world.streams.values().next().unwrap().state, StreamState::Streaming);
    world.pass(Duration::from_secs(59));
    assert!(world.prompts.is_empty());
    world.pass(Duration::from_secs(1));
    assert_eq!(world.prompts.len(), 1, "the time of the stream is up");
    assert_eq!(world.closed, [world.opened[0].record.id]);
    assert_eq!(events(&world), [StreamEvent::Started, StreamEvent::Stopped]);
    world.hang_up(leg);
    assert_eq!(events(&world).len(), 2, "it ends once");
}

#[test]
fn a_stream_that_cannot_be_opened_is_told_as_dropped_and_the_call_goes_on() {
    let mut world = World::new();
    let leg = world.call(vec![stream(true), play("after")]);
    news(&mut world, StreamNews::Ended(StreamState::Dropped));
    assert_eq!((events(&world), world.prompts.len()), (vec![StreamEvent::Dropped], 1));
    assert_eq!(world.streams.values().next().unwrap().started_at, None);
    assert_eq!(world.legs[&leg], world::LegFate::Answered);
}

#[test]
fn a_call_has_one_stream_at_a_time() {
    let mut world = World::new();
    let leg = world.call(vec![stream(false), stream(true), play("after")]);
    assert_eq!((world.opened.len(), world.prompts.len()), (1, 1), "the second is left out");
    assert_eq!(events(&world), [StreamEvent::Dropped]);
    let again = CallChange::Stream(Box::new(terms()));
    assert_eq!(ask(&mut world, leg, again.clone()), Err(CommandError::AlreadyStreamed));
    let first = world.opened[0].record.id;
    assert_eq!(ask(&mut world, leg, CallChange::StopStream(Some(first))), Ok(Outcome::Done));
    assert_eq!(ask(&mut world, leg, CallChange::StopStream(Some(first))), Err(CommandError::NotStreamed));
    assert!(matches!(ask(&mut world, leg, again), Ok(Outcome::Streamed(_))));
    assert_eq!(ask(&mut world, leg, CallChange::StopStream(None)), Ok(Outcome::Done));
    assert_eq!(world.closed.len(), 2);
}

#[test]
fn a_documents_stream_ends_when_a_request_takes_the_call_elsewhere_and_a_requests_goes_on() {
    for (by_document, left) in [(true, 1), (false, 0)] {
        let mut world = World::new();
        let first = if by_document { stream(true) } else { play("long") };
        let leg = world.call(vec![first, play("never")]);
        if !by_document {
            ask(&mut world, leg, CallChange::Stream(Box::new(terms()))).unwrap();
        }
        let change = CallChange::Transfer { this: Some(action("/next")), other: None };
        ask(&mut world, leg, change).unwrap();
        assert_eq!(world.closed.len(), left, "by the document: {by_document}");
        assert_eq!(world.fetches.len(), 1);
        assert!(world.prompts.is_empty(), "nothing of the old document is done");
    }
}

#[test]
fn digits_go_both_ways_and_a_dead_stream_says_nothing() {
    let mut world = World::new();
    let leg = world.call(vec![stream(true)]);
    let id = world.opened[0].record.id;
    world.press(leg, '5');
    news(&mut world, StreamNews::Digits("1#".into()));
    assert_eq!((&world.streamed_digits, &world.digits), (&vec![(id, '5')], &vec![(leg, '1'), (leg, '#')]));
    news(&mut world, StreamNews::Degraded);
    world.hang_up(leg);
    assert_eq!(events(&world), [StreamEvent::Degraded, StreamEvent::Stopped]);
    let ended = world.told_of_calls.len();
    news(&mut world, StreamNews::Connected);
    news(&mut world, StreamNews::Ended(StreamState::Dropped));
    assert_eq!(world.told_of_calls.len(), ended);
}
