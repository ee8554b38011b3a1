//! What documents record of their calls.

mod world;

use std::time::Duration;

use mixminus_control::{
    Action, CallChange, CallEvent, Command, Destination, Dial, DialTerms, FetchPurpose, HttpMethod,
    Instruction, News, PromptContent, Record, RecordReport, RecordSpan, RecordingFormat, RecordingState,
    RecordingTerms, RecordingTrack, Report, Turn,
};
use mixminus_mixer::{LegId, SourceId, TapChannel};
use world::World;

const SILENCE: Duration = Duration::from_secs(5);

fn action(path: &str) -> Action {
    Action { url: format!("http://app/{path}"), method: HttpMethod::Post }
}

fn record(span: RecordSpan, follow: bool) -> Record {
    Record {
        terms: RecordingTerms {
            format: RecordingFormat::Mp3,
            track: RecordingTrack::Party,
            keeps_tracks: false,
            callback: Some(action("file")),
            transcript: None,
        },
        span,
        longest: matches!(span, RecordSpan::Turn(_)).then_some(Duration::from_mins(1)),
        report: Some(Report { action: action("recorded"), follow }),
    }
}

fn turn(beep: bool) -> RecordSpan {
    RecordSpan::Turn(Turn { beep, silence: SILENCE, finish_on: Some('#') })
}

fn wait() -> Instruction {
    Instruction::Wait { length: Duration::from_hours(1) }
}

/// A call that does so, then waits.
fn call(world: &mut World, record: Record) -> LegId {
    world.call(vec![Instruction::Record(Box::new(record)), wait()])
}

fn voice(leg: LegId) -> Vec<TapChannel> {
    vec![TapChannel::Source(SourceId::Leg(leg))]
}

/// What was told of recordings, in order.
fn told(world: &World) -> Vec<&CallEvent> {
    let events = world.told_of_calls.iter().map(|told| &told.event);
    events.filter(|event| matches!(event, CallEvent::Recorded(_) | CallEvent::RecordReported(_))).collect()
}

fn reported(world: &World) -> RecordReport {
    match told(world)[..] {
        [CallEvent::RecordReported(report), ..] => (**report).clone(),
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_turn_is_recorded_after_its_beep_until_a_silence() {
    let mut world = World::new();
    let leg = call(&mut world, record(turn(true), false));
    assert_eq!(world.prompts_of(leg), [PromptContent::Beep1]);
    assert!(world.recordings.is_empty(), "the beep is not recorded");
    world.finish_sounds();
    let id = world.taps.values().next().unwrap().recording.id;
    assert_eq!(world.tapped(id).unwrap().1.channels, voice(leg));
    world.pass(Duration::from_secs(3));
    world.talk(leg, true);
    world.pass(Duration::from_secs(20));
    assert!(told(&world).is_empty(), "it speaks");
    world.talk(leg, false);
    world.pass(SILENCE);
    let report = reported(&world);
    assert_eq!((report.digit, report.recording.duration.as_secs()), (None, 28));
    assert_eq!(world.tapped(id), None);
    assert!(world.plans.values().all(|plan| plan.taps().is_empty()));
}

#[test]
fn a_turn_ends_by_its_key_and_no_other() {
    let mut world = World::new();
    let leg = call(&mut world, record(turn(false), true));
    world.pass(Duration::from_secs(1));
    world.press(leg, '1');
    assert!(world.fetches.is_empty());
    world.press(leg, '#');
    let fetch = &world.fetches[0];
    assert_eq!((fetch.purpose, &fetch.action), (FetchPurpose::Action, &action("recorded")));
    let Some(News::Recorded(report)) = &fetch.news else { panic!("{fetch:?}") };
    assert_eq!((report.digit, report.recording.duration.as_secs()), (Some('#'), 1));
}

#[test]
fn a_turn_ends_when_it_is_long_enough_or_by_request_and_the_document_goes_on() {
    for by_request in [false, true] {
        let mut world = World::new();
        let leg = call(&mut world, record(turn(false), false));
        world.talk(leg, true);
        if by_request {
            let stop = CallChange::StopRecording(None);
            world.command(Command::Call(world.call_of(leg).id, stop)).unwrap();
        } else {
            world.pass(Duration::from_mins(1));
        }
        assert_eq!(reported(&world).digit, None);
        world.press(leg, '#');
        assert_eq!(told(&world).len(), 2, "the report and the file, once");
    }
}

#[test]
fn a_caller_who_hangs_up_has_left_its_message() {
    let mut world = World::new();
    world.disk_is_slow = true;
    let leg = call(&mut world, record(turn(false), true));
    world.pass(Duration::from_secs(2));
    world.hang_up(leg);
    assert_eq!(reported(&world).recording.duration.as_secs(), 2);
    assert!(world.fetches.is_empty(), "there is no call to go on with");
    assert_eq!(told(&world).len(), 1);
    world.write(0, Ok(()));
    let [_, CallEvent::Recorded(file)] = told(&world)[..] else { panic!("{:?}", told(&world)) };
    assert_eq!((file.state, file.size_bytes), (RecordingState::Completed, 44));
    let sequences: Vec<_> = world.told_of_calls.iter().map(|told| told.sequence).collect();
    assert!(sequences.is_sorted_by(|a, b| a + 1 == *b), "{sequences:?}");
}

#[test]
fn a_turn_whose_file_breaks_is_over_and_the_document_goes_on() {
    let mut world = World::new();
    call(&mut world, record(turn(false), true));
    let tap = *world.taps.keys().next().unwrap();
    world.break_file(tap);
    assert!(matches!(world.fetches[0].news, Some(News::Recorded(_))));
    let [CallEvent::Recorded(file)] = told(&world)[..] else { panic!() };
    assert_eq!(file.state, RecordingState::Failed);
}

#[test]
fn a_session_is_recorded_behind_the_document_to_the_end_of_the_call() {
    let mut world = World::new();
    let leg = call(&mut world, record(RecordSpan::Session, false));
    assert_eq!(reported(&world).recording.ended_at, None, "nothing is known of its end");
    world.press(leg, '#');
    world.pass(Duration::from_mins(30));
    assert_eq!(told(&world).len(), 1);
    world.hang_up(leg);
    let [_, CallEvent::Recorded(file)] = told(&world)[..] else { panic!() };
    assert_eq!(file.duration, Duration::from_mins(30));
}

#[test]
fn a_document_that_only_records_sessions_does_not_go_in_circles_for_ever() {
    let mut world = World::new();
    call(&mut world, record(RecordSpan::Session, true));
    let again = || vec![Instruction::Record(Box::new(record(RecordSpan::Session, true)))];
    let mut documents = 1;
    while !world.fetches.is_empty() {
        world.deliver(Ok(world::document(again())));
        documents += 1;
        assert!(documents < 100);
    }
    assert_eq!(world.recordings.len(), 1, "and is recorded once");
}

#[test]
fn a_connection_is_recorded_from_when_it_is_answered() {
    let mut world = World::new();
    let ring_timeout = Duration::from_secs(30);
    let bob = Destination { address: "sip:bob@test".into(), ring_timeout, ..Destination::default() };
    let dial = Dial {
        destinations: vec![bob],
        terms: DialTerms::default(),
        time_limit: Duration::from_hours(1),
        end_on_star: false,
        report: None,
        callback: None,
        caller_digits: vec![],
        callee_digits: vec![],
    };
    let record = record(RecordSpan::Connection, true);
    let terms = RecordingTerms { track: RecordingTrack::Mix, ..record.terms.clone() };
    let record = Instruction::Record(Box::new(Record { terms, ..record }));
    let leg = world.call(vec![record, Instruction::Dial(Box::new(dial)), wait()]);
    let callee = world.connect();
    assert!(world.recordings.is_empty() && world.fetches.is_empty());
    world.far_end_answers(callee);
    let id = reported(&world).recording.id;
    let (bridge, tap) = world.tapped(id).unwrap();
    assert_eq!(
        (bridge, tap.channels),
        (world.seats[&callee], [voice(leg), vec![TapChannel::Heard(leg)]].concat())
    );
    world.hang_up(callee);
    assert!(world.tapped(id).is_some(), "to the end of the call");
}
