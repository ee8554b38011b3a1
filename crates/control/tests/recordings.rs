//! Which recordings there are, in which state, and who is told.

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    Action, AutomaticRecording, CallChange, CallEvent, Command, CommandError, ConferenceChange,
    ConferenceRequest, HttpMethod, Instruction, Outcome, PromptContent, RecordChange, RecordScope,
    RecordingEvent, RecordingFormat, RecordingState, RecordingTerms, RecordingTrack, Selector,
};
use world::{World, request};

fn action(path: &str) -> Action {
    Action { url: format!("http://app/{path}"), method: HttpMethod::Post }
}

fn terms() -> RecordingTerms {
    let callback = Some(action("recorded"));
    RecordingTerms { format: RecordingFormat::Mp3, track: RecordingTrack::Channels, callback }
}

fn room() -> Selector {
    Selector::Name("room".into())
}

fn record(world: &mut World, scope: RecordScope) -> Result<Outcome, CommandError> {
    world.command(Command::Conference(room(), ConferenceChange::Record(scope, terms())))
}

fn change(world: &mut World, scope: RecordScope, change: RecordChange) -> Result<(), CommandError> {
    world.change(room(), ConferenceChange::ChangeRecording(scope, change))
}

fn events(world: &World) -> Vec<RecordingEvent> {
    world.told_of_recordings.iter().map(|told| told.event).collect()
}

#[test]
fn a_recording_is_paused_resumed_and_stopped_and_counts_what_it_holds() {
    let mut world = World::new();
    let leg = world.join(request("room", Role::Agent));
    let all = RecordScope::All;
    assert_eq!(world.conference(leg).recording, None);
    record(&mut world, all).unwrap();
    assert_eq!(world.conference(leg).recording, Some(RecordingState::Recording));
    world.pass(Duration::from_secs(10));
    change(&mut world, all, RecordChange::Pause).unwrap();
    assert_eq!(world.conference(leg).recording, Some(RecordingState::Paused));
    world.pass(Duration::from_secs(5));
    change(&mut world, all, RecordChange::Resume).unwrap();
    world.pass(Duration::from_secs(1));
    change(&mut world, all, RecordChange::Stop).unwrap();
    let recording = world.recordings.values().next().unwrap();
    assert_eq!((recording.state, recording.track), (RecordingState::Completed, RecordingTrack::Mix));
    assert_eq!(recording.duration, Duration::from_secs(11), "without the pause");
    assert_eq!(recording.ended_at.unwrap().since(recording.started_at), Duration::from_secs(16));
    assert_eq!(world.conference(leg).recording, None);
    let expected = [
        RecordingEvent::Initiated,
        RecordingEvent::Paused,
        RecordingEvent::Resumed,
        RecordingEvent::Completed,
    ];
    assert_eq!(events(&world), expected);
}

#[test]
fn asking_twice_changes_nothing() {
    let mut world = World::new();
    world.join(request("room", Role::Agent));
    let first = record(&mut world, RecordScope::All).unwrap();
    assert_eq!(record(&mut world, RecordScope::All), Ok(first));
    for _ in 0..2 {
        change(&mut world, RecordScope::All, RecordChange::Pause).unwrap();
    }
    assert_eq!(events(&world), [RecordingEvent::Initiated, RecordingEvent::Paused]);
    change(&mut world, RecordScope::All, RecordChange::Stop).unwrap();
    let stopped = change(&mut world, RecordScope::All, RecordChange::Stop);
    assert_eq!(stopped, Err(CommandError::NotRecording));
}

#[test]
fn a_participants_recording_ends_when_it_leaves_and_all_end_with_the_conference() {
    let mut world = World::new();
    let (a, b) = (world.join(request("room", Role::Agent)), world.join(request("room", Role::Customer)));
    let one = RecordScope::One(world.participant(b).id);
    record(&mut world, one).unwrap();
    record(&mut world, RecordScope::All).unwrap();
    world.hang_up(b);
    assert_eq!(change(&mut world, one, RecordChange::Pause), Err(CommandError::NotRecording));
    assert_eq!(world.conference(a).recording, Some(RecordingState::Recording));
    world.end("room").unwrap();
    assert!(world.recordings.values().all(|one| one.state == RecordingState::Completed));
    assert_eq!(world.recordings.len(), 2);
    let absent = record(&mut world, RecordScope::All);
    assert_eq!(absent, Err(CommandError::ConferenceNotFound));
}

fn recorded(role: Role, min_participants: usize) -> ConferenceRequest {
    let recording = Some(AutomaticRecording {
        terms: terms(),
        min_participants,
        participants_too: true,
        start_sound: Some(action("started")),
        stop_sound: Some(action("stopped")),
    });
    ConferenceRequest { recording, ..request("room", role) }
}

#[test]
fn a_conference_is_recorded_by_itself_from_the_second_participant_on() {
    let mut world = World::new();
    let a = world.join(recorded(Role::Agent, 2));
    assert!(world.recordings.is_empty());
    let b = world.join(request("room", Role::Customer));
    assert_eq!(world.recordings.len(), 3, "all, and each of the two");
    assert!(world.prompts_of(b).contains(&PromptContent::Sounds(action("started"))));
    change(&mut world, RecordScope::All, RecordChange::Stop).unwrap();
    assert!(world.prompts_of(a).contains(&PromptContent::Sounds(action("stopped"))));
    world.join(request("room", Role::Customer));
    assert_eq!(world.conference(a).recording, None, "it was stopped by request");
}

#[test]
fn events_of_recordings_are_numbered_with_the_conferences_others() {
    let mut world = World::new();
    world.join(recorded(Role::Agent, 1));
    world.join(request("room", Role::Customer));
    let mut numbers: Vec<_> = world.told.iter().map(|told| told.sequence).collect();
    numbers.extend(world.told_of_recordings.iter().map(|told| told.sequence));
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}

#[test]
fn a_call_is_recorded_until_it_is_stopped_long_enough_or_over() {
    for end in 0..3 {
        let mut world = World::new();
        let leg = world.call(vec![Instruction::Wait { length: Duration::from_hours(1) }]);
        let call = world.call_of(leg).id;
        let longest = Duration::from_mins(1);
        let started = world.command(Command::Call(call, CallChange::Record(terms(), longest)));
        assert!(matches!(started, Ok(Outcome::Recording(_))));
        world.pass(Duration::from_secs(10));
        match end {
            0 => drop(world.command(Command::Call(call, CallChange::StopRecording)).unwrap()),
            1 => world.hang_up(leg),
            _ => world.pass(longest),
        }
        let recording = world.recordings.values().next().unwrap();
        assert_eq!(recording.state, RecordingState::Completed, "{end}");
        assert_eq!(recording.duration.as_secs(), [10, 10, 60][end]);
        let told: Vec<_> = world.told_of_calls.iter().map(|told| &told.event).collect();
        assert_eq!(told, [&CallEvent::Recorded(Box::new(recording.clone()))]);
    }
}

#[test]
fn a_call_that_is_not_recorded_has_no_recording_to_stop() {
    let mut world = World::new();
    let leg = world.call(vec![Instruction::Wait { length: Duration::from_hours(1) }]);
    let stop = Command::Call(world.call_of(leg).id, CallChange::StopRecording);
    assert_eq!(world.command(stop), Err(CommandError::NotRecording));
}
