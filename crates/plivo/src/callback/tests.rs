//! What customers are sent, key by key.

mod elements;

use super::*;
use crate::{
    CallStatus, Direction, EventGroup, FileFormat, HangupCause, HangupSource, MpcStatus, RecordingFile,
    RecordingState, Role, StirVerification,
};

const CREATED: i64 = 1_767_350_923_000_000;

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_micros(CREATED + seconds * 1_000_000)
}

fn mpc() -> Mpc {
    Mpc {
        uuid: "mpc-uuid".into(),
        name: "my room".into(),
        sub_account: None,
        status: MpcStatus::Initialized,
        recording: RecordingState::NotRecording,
        stay_alone: false,
        created_at: after(0),
        started_at: None,
        ended_at: None,
        termination: None,
        billed_seconds: None,
    }
}

fn participant() -> Participant {
    Participant {
        member_id: 355,
        mpc_uuid: "mpc-uuid".into(),
        call_uuid: "call-uuid".into(),
        address: "sip:ann@h".into(),
        role: Role::Supervisor,
        coach_mode: true,
        mute: false,
        hold: false,
        start_mpc_on_enter: true,
        end_mpc_on_exit: false,
        joined_at: after(1),
        left_at: None,
        exit_cause: None,
    }
}

fn call() -> Call {
    Call {
        uuid: "call-uuid".into(),
        account: "MAXXXXXXXXXXXXXXXXXX".into(),
        from: "sip:ann@h".into(),
        to: "sip:room@h".into(),
        direction: Direction::Inbound,
        status: CallStatus::InProgress,
        created_at: Timestamp::from_micros(CREATED + 123_456),
        answered_at: Some(after(1)),
        ended_at: None,
        hangup: None,
        caller_name: None,
        request_uuid: None,
        parent_uuid: None,
        forwarded_from: None,
        stir_verification: None,
    }
}

fn lines(parameters: &Parameters) -> Vec<String> {
    parameters.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

#[test]
fn a_first_event_has_every_key_and_leaves_empty_what_is_not_known() {
    let (mpc, participant, call) = (mpc(), participant(), call());
    let event = StatusEvent {
        name: EventName::MpcInitialized,
        at: after(1),
        sequence: 1,
        mpc: &mpc,
        participant: Some((&participant, &call)),
        called: None,
        digit: None,
        outcome: None,
    };
    assert_eq!(
        lines(&event.parameters()),
        [
            "EventName=MPCInitialized",
            "EventTimestamp=2026-01-02 10:48:44+00:00",
            "SequenceNumber=1",
            "MPCUUID=mpc-uuid",
            "MPCName=my room",
            "MPCCreationTime=2026-01-02 10:48:43+00:00",
            "MPCStartTime=",
            "MPCEndTime=",
            "MPCDuration=",
            "MPCBilledDuration=",
            "MPCBilledAmount=",
            "MPCTerminationCause=",
            "MPCTerminationCauseCode=",
            "MemberID=355",
            "MemberAddress=sip:ann@h",
            "ParticipantRole=Supervisor",
            "ParticipantCallUUID=call-uuid",
            "ParticipantCallFrom=sip:ann@h",
            "ParticipantCallTo=sip:room@h",
            "ParticipantCallDirection=inbound",
            "ParticipantCoachMode=true",
            "ParticipantJoinTime=2026-01-02 10:48:44+00:00",
            "ParticipantExitTime=",
            "ParticipantExitCause=",
            "DigitInput=",
            "STIRVerification=",
            "AddParticipantAPIRequestOutcome=",
        ]
    );
}

#[test]
fn a_last_event_without_a_participant_tells_the_end() {
    let mpc = Mpc {
        status: MpcStatus::Ended,
        started_at: Some(after(2)),
        ended_at: Some(after(11)),
        termination: Some(TerminationCause::StayAloneNotPermitted),
        billed_seconds: Some(120),
        ..mpc()
    };
    let event = StatusEvent {
        name: EventName::MpcEnd,
        at: after(11),
        sequence: 9,
        mpc: &mpc,
        participant: None,
        called: None,
        digit: Some('#'),
        outcome: None,
    };
    let lines = lines(&event.parameters());
    assert_eq!(lines.len(), 27);
    for line in [
        "MPCStartTime=2026-01-02 10:48:45+00:00",
        "MPCEndTime=2026-01-02 10:48:54+00:00",
        "MPCDuration=11",
        "MPCBilledDuration=120",
        "MPCBilledAmount=0.01000",
        "MPCTerminationCause=Stay Alone Not Permitted",
        "MPCTerminationCauseCode=1010",
        "MemberID=",
        "ParticipantCallDirection=",
        "ParticipantCoachMode=",
        "DigitInput=#",
    ] {
        assert!(lines.iter().any(|other| other == line), "{line}");
    }
}

#[test]
fn an_exit_action_uses_its_own_names() {
    let left = Participant { left_at: Some(after(5)), exit_cause: Some(ExitCause::Kicked), ..participant() };
    assert_eq!(
        lines(&exit_parameters(&mpc(), &left)),
        [
            "MPCUUID=mpc-uuid",
            "MPCFriendlyName=my room",
            "MemberID=355",
            "ParticipantCallUUID=call-uuid",
            "ParticipantJoinTime=2026-01-02 10:48:44+00:00",
            "ParticipantEndTime=2026-01-02 10:48:48+00:00",
            "ParticipantRole=Supervisor",
        ]
    );
}

#[test]
fn an_answer_request_tells_the_call_and_its_custom_headers() {
    let headers = [("X-PH-Order".into(), "7".into()), ("é".into(), "8".into())];
    assert_eq!(
        lines(&call_parameters(&call(), "StartApp", &headers)),
        [
            "CallUUID=call-uuid",
            "From=sip:ann@h",
            "To=sip:room@h",
            "CallStatus=in-progress",
            "Direction=inbound",
            "Event=StartApp",
            "ParentAuthID=MAXXXXXXXXXXXXXXXXXX",
            "SessionStart=2026-01-02 10:48:43.123456",
            "BillRate=0.00500",
            "CallerName=",
            "STIRVerification=",
            "X-PH-Order=7",
            "X-PH-é=8",
        ]
    );
}

#[test]
fn an_ended_outbound_call_names_its_legs_and_its_cause() {
    let ended = Call {
        direction: Direction::Outbound,
        status: CallStatus::Completed,
        ended_at: Some(after(62)),
        hangup: Some((HangupCause::NORMAL, HangupSource::CallRecipient)),
        ..call()
    };
    assert_eq!(
        lines(&call_parameters(&ended, "Hangup", &[]))[11..],
        [
            "ALegUUID=call-uuid",
            "ALegRequestUUID=call-uuid",
            "RequestUUID=call-uuid",
            "HangupCause=NORMAL_CLEARING",
            "HangupCauseName=Normal Hangup",
            "HangupCauseCode=4000",
            "HangupSource=Call recipient",
            "Duration=61",
            "BillDuration=120",
            "TotalCost=0.01000",
        ]
    );
}

#[test]
fn a_call_that_was_never_answered_costs_nothing() {
    let refused = Call {
        status: CallStatus::Busy,
        answered_at: None,
        ended_at: Some(after(30)),
        hangup: Some((HangupCause::BUSY, HangupSource::AnswerXml)),
        ..call()
    };
    let parameters = lines(&call_parameters(&refused, "Hangup", &[]));
    assert_eq!(parameters[15..], ["Duration=0", "BillDuration=0", "TotalCost=0.00000"]);
    assert_eq!(parameters[11], "HangupCause=USER_BUSY");
}

#[test]
fn every_group_has_the_events_of_the_documentation() {
    use EventName as Name;
    for (group, names) in [
        (EventGroup::MpcStateChanges, vec![Name::MpcInitialized, Name::MpcStart, Name::MpcEnd]),
        (
            EventGroup::ParticipantStateChanges,
            vec![
                Name::ParticipantJoin,
                Name::ParticipantExit,
                Name::ParticipantMute,
                Name::ParticipantUnmute,
                Name::ParticipantHold,
                Name::ParticipantUnhold,
                Name::ParticipantCoachModeStart,
                Name::ParticipantCoachModeStop,
            ],
        ),
        (EventGroup::ParticipantSpeakEvents, vec![Name::ParticipantSpeakStart, Name::ParticipantSpeakStop]),
        (EventGroup::ParticipantDigitInputEvents, vec![Name::ParticipantDigitInput]),
        (
            EventGroup::AddParticipantApiEvents,
            vec![Name::AddParticipantByApiActionInitiated, Name::AddParticipantByApiActionCompleted],
        ),
    ] {
        assert!(names.iter().all(|name| name.group() == group), "{group:?}");
    }
}

#[test]
fn who_was_called_in_vain_leaves_without_having_joined() {
    let (mpc, call) = (mpc(), Call { direction: Direction::Outbound, to: "2".into(), ..call() });
    let event = StatusEvent {
        name: EventName::AddParticipantByApiActionCompleted,
        at: after(45),
        sequence: 4,
        mpc: &mpc,
        participant: None,
        called: Some(Called {
            call: &call,
            role: Role::Agent,
            left: Some((after(45), ExitCause::CallHangup)),
        }),
        digit: None,
        outcome: Some(AddParticipantOutcome::Failure),
    };
    let lines = lines(&event.parameters());
    assert_eq!(lines.len(), 27);
    assert_eq!(lines[0], "EventName=AddParticipantByAPIActionCompleted");
    assert_eq!(
        lines[13..],
        [
            "MemberID=",
            "MemberAddress=2",
            "ParticipantRole=Agent",
            "ParticipantCallUUID=call-uuid",
            "ParticipantCallFrom=sip:ann@h",
            "ParticipantCallTo=2",
            "ParticipantCallDirection=outbound",
            "ParticipantCoachMode=",
            "ParticipantJoinTime=",
            "ParticipantExitTime=2026-01-02 10:49:28+00:00",
            "ParticipantExitCause=Participant Call Hangup",
            "DigitInput=",
            "STIRVerification=",
            "AddParticipantAPIRequestOutcome=failure",
        ]
    );
}

fn recording() -> RecordingFile {
    RecordingFile {
        id: "r-1".into(),
        account: "MA1".into(),
        url: "https://h/r-1.mp3".into(),
        format: FileFormat::Mp3,
        started_at: after(0),
        ended_at: None,
        duration_us: None,
        mpc_uuid: Some("mpc-uuid".into()),
        mpc_name: Some("my room".into()),
        member_id: Some(355),
        call_uuid: Some("call-uuid".into()),
        from: None,
        to: None,
    }
}

#[test]
fn a_recording_event_has_every_key() {
    let event = |name, recording: &RecordingFile| {
        let event =
            RecordingEvent { name, at: after(9), sequence: 3, recording, api_url: "https://api.example" };
        lines(&event.parameters())
    };
    assert_eq!(
        event(RecordingEventName::Initiated, &recording()),
        [
            "EventName=MPCRecordingInitiated",
            "EventTimestamp=2026-01-02 10:48:52+00:00",
            "SequenceNumber=3",
            "MPCName=my room",
            "MPCUUID=mpc-uuid",
            "MemberID=355",
            "RecordingUUID=r-1",
            "RecordingURL=https://h/r-1.mp3",
            "RecordingResourceURL=https://api.example/v1/Account/MA1/Recording/r-1/",
            "RecordingFormat=mp3",
            "RecordingStartTime=2026-01-02 10:48:43+00:00",
            "RecordingEndTime=",
            "RecordingDuration=",
        ]
    );
    let ended = RecordingFile {
        ended_at: Some(after(9)),
        duration_us: Some(8_960_000),
        member_id: None,
        ..recording()
    };
    let completed = event(RecordingEventName::Completed, &ended);
    assert_eq!(completed[5], "MemberID=");
    assert_eq!(completed[11..], ["RecordingEndTime=2026-01-02 10:48:52+00:00", "RecordingDuration=8"]);
    assert_eq!(event(RecordingEventName::Failed, &ended)[0], "EventName=MPCRecordingFailed");
}

#[test]
fn a_dialled_leg_names_the_call_and_the_request_that_it_belongs_to() {
    let dialled = Call {
        direction: Direction::Outbound,
        parent_uuid: Some("a-1".into()),
        request_uuid: Some("r-1".into()),
        caller_name: Some("Ann".into()),
        forwarded_from: Some("1".into()),
        stir_verification: Some(StirVerification::NotVerified),
        ..call()
    };
    assert_eq!(
        lines(&call_parameters(&dialled, "Ring", &[]))[9..],
        [
            "CallerName=Ann",
            "STIRVerification=Not Verified",
            "ALegUUID=a-1",
            "ALegRequestUUID=r-1",
            "RequestUUID=r-1",
            "ForwardedFrom=1"
        ]
    );
}
