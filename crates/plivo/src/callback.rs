//! The parameters of the requests made to a customer's URLs.
//!
//! Every documented key is sent every time, empty when it does not apply:
//! handlers index them without asking.

use crate::{
    Call, Direction, EventName, ExitCause, Mpc, Participant, TerminationCause, Timestamp, amount,
    billed_seconds,
};

/// Names and values in the order in which they are sent.
pub type Parameters = Vec<(String, String)>;

/// What happened in an MPC, for its status callback URL.
#[derive(Clone, Copy, Debug)]
pub struct StatusEvent<'a> {
    /// What happened.
    pub name: EventName,
    /// When.
    pub at: Timestamp,
    /// Its number among the events of the MPC, from 1.
    pub sequence: u64,
    /// The MPC.
    pub mpc: &'a Mpc,
    /// Whom it concerns, or who triggered an event of the MPC.
    pub participant: Option<(&'a Participant, &'a Call)>,
    /// For [`EventName::ParticipantDigitInput`]: the digit.
    pub digit: Option<char>,
}

impl StatusEvent<'_> {
    /// The parameters of the callback.
    pub fn parameters(&self) -> Parameters {
        let mut all = parameters([
            ("EventName", self.name.name().to_owned()),
            ("EventTimestamp", self.at.to_string()),
            ("SequenceNumber", self.sequence.to_string()),
        ]);
        all.extend(mpc_parameters(self.mpc));
        all.extend(participant_parameters(self.participant));
        all.extend(parameters([("DigitInput", or_empty(self.digit)), ("STIRVerification", String::new())]));
        all
    }
}

/// The parameters that ask for the document of a call: `event` is `StartApp`
/// for the answer URL. `headers` are the call's `X-PH-` headers.
pub fn call_parameters(call: &Call, event: &str, headers: &[(String, String)]) -> Parameters {
    let mut all = parameters([
        ("CallUUID", call.uuid.clone()),
        ("From", call.from.clone()),
        ("To", call.to.clone()),
        ("CallStatus", call.status.name().to_owned()),
        ("Direction", call.direction.name().to_owned()),
        ("Event", event.to_owned()),
        ("ParentAuthID", call.account.clone()),
        ("SessionStart", call.created_at.with_fraction()),
    ]);
    if call.direction == Direction::Outbound {
        let keys = ["ALegUUID", "ALegRequestUUID", "RequestUUID"];
        all.extend(parameters(keys.map(|key| (key, call.uuid.clone()))));
    }
    all.extend(hangup_parameters(call));
    all.extend(headers.iter().map(|(name, value)| {
        let key = match name.get(..5) {
            Some(prefix) if prefix.eq_ignore_ascii_case("X-PH-") => &name[5..],
            _ => name,
        };
        (format!("X-PH-{key}"), value.clone())
    }));
    all
}

/// The parameters that ask what a call does after leaving `mpc`.
pub fn exit_parameters(mpc: &Mpc, participant: &Participant) -> Parameters {
    parameters([
        ("MPCUUID", mpc.uuid.clone()),
        ("MPCFriendlyName", mpc.name.clone()),
        ("MemberID", participant.member_id.to_string()),
        ("ParticipantCallUUID", participant.call_uuid.clone()),
        ("ParticipantJoinTime", participant.joined_at.to_string()),
        ("ParticipantEndTime", or_empty(participant.left_at)),
        ("ParticipantRole", participant.role.title().to_owned()),
    ])
}

fn mpc_parameters(mpc: &Mpc) -> Parameters {
    parameters([
        ("MPCUUID", mpc.uuid.clone()),
        ("MPCName", mpc.name.clone()),
        ("MPCCreationTime", mpc.created_at.to_string()),
        ("MPCStartTime", or_empty(mpc.started_at)),
        ("MPCEndTime", or_empty(mpc.ended_at)),
        ("MPCDuration", or_empty(mpc.duration_seconds())),
        ("MPCBilledDuration", or_empty(mpc.billed_seconds)),
        ("MPCBilledAmount", or_empty(mpc.billed_seconds.map(amount))),
        ("MPCTerminationCause", or_empty(mpc.termination.map(TerminationCause::name))),
        ("MPCTerminationCauseCode", or_empty(mpc.termination.map(TerminationCause::code))),
    ])
}

fn participant_parameters(concerned: Option<(&Participant, &Call)>) -> Parameters {
    let participant = concerned.map(|(participant, _)| participant);
    let call = concerned.map(|(_, call)| call);
    parameters([
        ("MemberID", or_empty(participant.map(|p| p.member_id))),
        ("MemberAddress", or_empty(participant.map(|p| &p.address))),
        ("ParticipantRole", or_empty(participant.map(|p| p.role.title()))),
        ("ParticipantCallUUID", or_empty(call.map(|c| &c.uuid))),
        ("ParticipantCallFrom", or_empty(call.map(|c| &c.from))),
        ("ParticipantCallTo", or_empty(call.map(|c| &c.to))),
        ("ParticipantCallDirection", or_empty(call.map(|c| c.direction.name()))),
        ("ParticipantCoachMode", or_empty(participant.map(|p| p.coach_mode))),
        ("ParticipantJoinTime", or_empty(participant.map(|p| p.joined_at))),
        ("ParticipantExitTime", or_empty(participant.and_then(|p| p.left_at))),
        ("ParticipantExitCause", or_empty(participant.and_then(|p| p.exit_cause).map(ExitCause::name))),
    ])
}

/// What is added once the call ended.
fn hangup_parameters(call: &Call) -> Parameters {
    let (Some((cause, source)), Some(end)) = (call.hangup, call.ended_at) else {
        return Vec::new();
    };
    let answered = call.answered_at.unwrap_or(end);
    let billed = billed_seconds(answered, end);
    parameters([
        ("HangupCause", cause.legacy().to_owned()),
        ("HangupCauseName", cause.name.to_owned()),
        ("HangupCauseCode", cause.code.to_string()),
        ("HangupSource", source.name().to_owned()),
        ("Duration", end.seconds_since(answered).to_string()),
        ("BillDuration", billed.to_string()),
        ("TotalCost", amount(billed)),
    ])
}

fn parameters<const N: usize>(pairs: [(&str, String); N]) -> Parameters {
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallStatus, HangupCause, HangupSource, MpcStatus, Role};

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
            recording: crate::RecordingState::NotRecording,
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
            digit: None,
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
            digit: Some('#'),
        };
        let lines = lines(&event.parameters());
        assert_eq!(lines.len(), 26);
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
        let left =
            Participant { left_at: Some(after(5)), exit_cause: Some(ExitCause::Kicked), ..participant() };
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
            lines(&call_parameters(&ended, "Hangup", &[]))[8..],
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
        assert_eq!(parameters[12..], ["Duration=0", "BillDuration=0", "TotalCost=0.00000"]);
        assert_eq!(parameters[8], "HangupCause=USER_BUSY");
    }
}
