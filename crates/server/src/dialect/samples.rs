//! A supervisor's call in a conference, for tests.

use mixminus_control::policy::Role;
use mixminus_control::{
    AccountId, CallId, CallRecord, CallState, ConferenceId, ConferenceKind, ConferenceRecord,
    ConferenceState, Direction, ParticipantId, ParticipantRecord, Subject, Timestamp,
};
use uuid::Uuid;

/// `count` seconds after the conference was created.
pub fn second(count: i64) -> Timestamp {
    Timestamp::from_micros((1_767_350_923 + count) * 1_000_000)
}

pub fn conference() -> ConferenceRecord {
    ConferenceRecord {
        id: ConferenceId(Uuid::from_u128(1)),
        account: AccountId("MAXXXXXXXXXXXXXXXXXX".into()),
        kind: ConferenceKind::Supervised,
        name: "my room".into(),
        state: ConferenceState::Active,
        stay_alone: true,
        created_at: second(0),
        started_at: Some(second(1)),
        ended_at: None,
        end_cause: None,
        billed_seconds: None,
        recording: None,
        sequence: 0,
        subscribers: Vec::new(),
    }
}

pub fn participant() -> ParticipantRecord {
    ParticipantRecord {
        id: ParticipantId(355),
        conference: conference().id,
        call: call().id,
        address: "sip:ann@h".into(),
        role: Role::Supervisor,
        coaching: true,
        muted: false,
        held: true,
        start_on_enter: true,
        end_on_exit: false,
        joined_at: second(1),
        left_at: None,
        exit_cause: None,
    }
}

pub fn call() -> CallRecord {
    CallRecord {
        id: CallId(Uuid::from_u128(2)),
        account: AccountId("MAXXXXXXXXXXXXXXXXXX".into()),
        direction: Direction::Inbound,
        from: "sip:ann@h".into(),
        to: "sip:room@h".into(),
        caller_name: None,
        placement: None,
        parent: None,
        state: CallState::InProgress,
        created_at: second(0),
        answered_at: Some(second(1)),
        ended_at: None,
        hangup_cause: None,
        hangup_source: None,
        on_end: Vec::new(),
    }
}

pub fn subject() -> Subject {
    let participant = participant();
    Subject { call: call(), role: participant.role, participant: Some(participant) }
}
