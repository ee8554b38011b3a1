//! Which recordings there are, in which state, and who is told.

mod world;

use std::time::Duration;

use mixminus_control::policy::Role;
use mixminus_control::{
    Action, AutomaticRecording, CallChange, CallEvent, Command, CommandError, ConferenceChange,
    ConferenceEvent, ConferenceRequest, HttpMethod, Instruction, Outcome, ParticipantChange, PromptContent,
    RecordChange, RecordScope, RecordedParty, RecordingEntry, RecordingEvent, RecordingFault,
    RecordingFormat, RecordingId, RecordingState, RecordingTerms, RecordingTrack, Selector, TranscriptRecord,
    TranscriptState, TranscriptTerms,
};
use world::{World, request};

fn action(path: &str) -> Action {
    Action { url: format!("http://app/{path}"), method: HttpMethod::Post }
}

fn terms() -> RecordingTerms {
    let callback = Some(action("recorded"));
    RecordingTerms {
        format: RecordingFormat::Mp3,
        track: RecordingTrack::Channels,
        keeps_tracks: false,
        callback,
        transcript: None,
    }
}

fn transcribed(callback: &str) -> RecordingTerms {
    RecordingTerms { transcript: Some(TranscriptTerms { callback: Some(action(callback)) }), ..terms() }
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
fn a_recording_is_paused_resumed_and_stopped_and_lasts_with_its_pause() {
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
    assert_eq!(recording.duration, Duration::from_secs(16), "with the pause");
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
fn a_recording_is_transcribed_once_it_is_over_if_a_request_for_it_says_so() {
    let mut world = World::new();
    world.join(request("room", Role::Agent));
    for terms in [terms(), transcribed("first"), transcribed("second")] {
        world
            .command(Command::Conference(room(), ConferenceChange::Record(RecordScope::All, terms)))
            .unwrap();
    }
    let recording = world.recordings.values().next().unwrap();
    assert_eq!(recording.awaited_transcript(), None, "it goes on");
    change(&mut world, RecordScope::All, RecordChange::Stop).unwrap();
    let recording = world.recordings.values().next().unwrap();
    let awaited = TranscriptRecord {
        recording: recording.id,
        state: TranscriptState::Pending,
        asked_at: recording.ended_at.unwrap(),
        told: Some(action("first")),
    };
    assert_eq!(recording.awaited_transcript(), Some(awaited));
    record(&mut world, RecordScope::All).unwrap();
    change(&mut world, RecordScope::All, RecordChange::Stop).unwrap();
    let asked: Vec<_> = world.recordings.values().map(|one| one.awaited_transcript().is_some()).collect();
    assert_eq!(asked.iter().filter(|asked| **asked).count(), 1, "of two");
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
            0 => drop(world.command(Command::Call(call, CallChange::StopRecording(None))).unwrap()),
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
    let stop = Command::Call(world.call_of(leg).id, CallChange::StopRecording(None));
    assert_eq!(world.command(stop), Err(CommandError::NotRecording));
}

#[test]
fn a_recording_is_over_when_its_file_is_whole_also_after_the_conference() {
    let mut world = World::new();
    world.disk_is_slow = true;
    let leg = world.join(request("room", Role::Agent));
    let conference = world.conference(leg).id;
    record(&mut world, RecordScope::All).unwrap();
    world.pass(Duration::from_secs(10));
    change(&mut world, RecordScope::All, RecordChange::Stop).unwrap();
    assert_eq!(world.conference(leg).recording, None);
    record(&mut world, RecordScope::All).unwrap();
    world.pass(Duration::from_secs(5));
    world.hang_up(leg);
    assert!(world.recordings.values().all(|one| !one.state.is_over() && one.ended_at.is_none()));
    assert_eq!(events(&world), [RecordingEvent::Initiated; 2]);
    assert_eq!((world.switchboard.conferences(), world.switchboard.recordings()), (0, 2));
    world.pass(Duration::from_secs(3));
    world.write(1, Ok(()));
    world.write(0, Err(RecordingFault::Storage));
    assert_eq!(events(&world)[2..], [RecordingEvent::Completed, RecordingEvent::Failed]);
    let [completed, failed] = &world.told_of_recordings[2..] else { panic!() };
    assert_eq!(completed.recording.duration, Duration::from_secs(5));
    assert_eq!(completed.recording.size_bytes, 44);
    let lasted = completed.recording.ended_at.unwrap().since(completed.recording.started_at);
    assert_eq!(lasted, Duration::from_secs(5), "it ended when it was stopped, not when it was written");
    assert_eq!((failed.recording.state, failed.recording.size_bytes), (RecordingState::Failed, 0));
    assert_eq!(failed.sequence, completed.sequence + 1);
    assert_eq!(world.conferences[&conference].sequence, failed.sequence);
    assert_eq!(world.switchboard.recordings(), 0);
}

#[test]
fn a_recording_whose_file_breaks_has_failed_and_another_may_begin() {
    let mut world = World::new();
    let leg = world.join(request("room", Role::Agent));
    record(&mut world, RecordScope::All).unwrap();
    let tap = *world.taps.keys().next().unwrap();
    world.break_file(tap);
    assert_eq!(events(&world), [RecordingEvent::Initiated, RecordingEvent::Failed]);
    assert_eq!(world.conference(leg).recording, None);
    record(&mut world, RecordScope::All).unwrap();
    assert_eq!(world.conference(leg).recording, Some(RecordingState::Recording));
}

#[test]
fn files_that_are_not_whole_are_waited_for_before_there_are_too_many() {
    let mut world = World::new();
    world.disk_is_slow = true;
    world.join(request("room", Role::Agent));
    for _ in 0..20 {
        record(&mut world, RecordScope::All).unwrap();
        change(&mut world, RecordScope::All, RecordChange::Stop).unwrap();
    }
    assert_eq!(record(&mut world, RecordScope::All), Err(CommandError::TooMany));
    world.write(0, Ok(()));
    assert!(record(&mut world, RecordScope::All).is_ok());
}

#[test]
fn beside_a_recording_is_kept_who_is_there_and_what_happens_to_them() {
    let mut world = World::new();
    let a = world.join(request("room", Role::Agent));
    world.talk(a, true);
    record(&mut world, RecordScope::All).unwrap();
    let b = world.join(request("room", Role::Customer));
    world.update(b, ParticipantChange { mute: Some(true), ..ParticipantChange::default() }).unwrap();
    world.press(a, '5');
    change(&mut world, RecordScope::All, RecordChange::Pause).unwrap();
    world.press(a, '6');
    change(&mut world, RecordScope::All, RecordChange::Resume).unwrap();
    world.hang_up(b);
    let party = |leg, role| {
        let one = world.participant(leg);
        let (call, participant, address) = (one.call, Some(one.id), one.address.clone());
        let party =
            RecordedParty { call, participant, address, role, muted: false, held: false, coaching: false };
        RecordingEntry::Present(leg, Box::new(party))
    };
    let happened = RecordingEntry::Happened;
    let expected = [
        party(a, Some(Role::Agent)),
        happened(a, ConferenceEvent::TalkStarted),
        party(b, Some(Role::Customer)),
        happened(b, ConferenceEvent::Muted),
        happened(a, ConferenceEvent::Digit('5')),
        RecordingEntry::Paused,
        RecordingEntry::Resumed,
        happened(b, ConferenceEvent::Left),
    ];
    let kept: Vec<_> = world.notes.iter().map(|(_, entry)| entry.clone()).collect();
    assert_eq!(kept, expected, "the key pressed in the pause is not kept");
}

#[test]
fn one_of_a_calls_recordings_is_stopped_by_its_id() {
    let mut world = World::new();
    let leg = world.call(vec![Instruction::Wait { length: Duration::from_hours(1) }]);
    let call = world.call_of(leg).id;
    let Ok(Outcome::Recording(recording)) =
        world.command(Command::Call(call, CallChange::Record(terms(), Duration::from_mins(1))))
    else {
        panic!()
    };
    let mut stop = |id| world.command(Command::Call(call, CallChange::StopRecording(Some(id))));
    assert_eq!(stop(RecordingId(uuid::Uuid::nil())), Err(CommandError::NotRecording));
    assert_eq!(stop(recording.id), Ok(Outcome::Done));
    assert_eq!(stop(recording.id), Err(CommandError::NotRecording));
}
