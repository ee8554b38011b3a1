//! One enumeration for another.

use mixminus_control::policy::Role;
use mixminus_control::{
    CallState, ConferenceEvent, ConferenceState, Direction, EndCause, ExitCause, FetchPurpose, HangupCause,
    HangupSource, HttpMethod,
};

/// What Plivo calls the role.
pub const fn role(role: Role) -> mixminus_plivo::Role {
    match role {
        Role::Agent => mixminus_plivo::Role::Agent,
        Role::AiAgent => mixminus_plivo::Role::AiAgent,
        Role::Customer => mixminus_plivo::Role::Customer,
        Role::Supervisor => mixminus_plivo::Role::Supervisor,
    }
}

pub const fn status(state: ConferenceState) -> mixminus_plivo::MpcStatus {
    match state {
        ConferenceState::Initialized => mixminus_plivo::MpcStatus::Initialized,
        ConferenceState::Active => mixminus_plivo::MpcStatus::Active,
        ConferenceState::Ended => mixminus_plivo::MpcStatus::Ended,
    }
}

pub const fn termination(cause: EndCause) -> mixminus_plivo::TerminationCause {
    use mixminus_plivo::TerminationCause as Plivo;
    match cause {
        EndCause::NoParticipants => Plivo::NoActiveParticipants,
        EndCause::AloneNotPermitted => Plivo::StayAloneNotPermitted,
        EndCause::MaxDuration => Plivo::MaxDurationReached,
        EndCause::ApiRequest => Plivo::HangupApiTriggered,
    }
}

pub const fn exit_cause(cause: ExitCause) -> mixminus_plivo::ExitCause {
    match cause {
        ExitCause::CallHangup => mixminus_plivo::ExitCause::CallHangup,
        ExitCause::Kicked => mixminus_plivo::ExitCause::Kicked,
        ExitCause::ConferenceEnded => mixminus_plivo::ExitCause::MpcEnded,
        ExitCause::CallTransferred => mixminus_plivo::ExitCause::CallTransferred,
    }
}

pub const fn direction(direction: Direction) -> mixminus_plivo::Direction {
    match direction {
        Direction::Inbound => mixminus_plivo::Direction::Inbound,
        Direction::Outbound => mixminus_plivo::Direction::Outbound,
    }
}

pub const fn call_status(state: CallState) -> mixminus_plivo::CallStatus {
    use mixminus_plivo::CallStatus as Plivo;
    match state {
        // What waits to be dialled has not reached anybody yet, and Plivo has no word for that here.
        CallState::Queued | CallState::Ringing => Plivo::Ringing,
        CallState::InProgress => Plivo::InProgress,
        CallState::Completed => Plivo::Completed,
        CallState::Busy => Plivo::Busy,
        CallState::Failed => Plivo::Failed,
        // Plivo has no word for a caller who gave up: nobody answered.
        CallState::NoAnswer | CallState::Canceled => Plivo::NoAnswer,
    }
}

pub const fn hangup_source(source: HangupSource) -> mixminus_plivo::HangupSource {
    use mixminus_plivo::HangupSource as Plivo;
    match source {
        HangupSource::Caller => Plivo::Caller,
        HangupSource::Callee => Plivo::CallRecipient,
        HangupSource::Service => Plivo::Plivo,
        HangupSource::ApiRequest => Plivo::ApiRequest,
        HangupSource::Document => Plivo::AnswerXml,
        HangupSource::Error => Plivo::Error,
    }
}

pub const fn hangup_cause(cause: HangupCause) -> mixminus_plivo::HangupCause {
    use FetchPurpose::{Action, Answer, Redirect, Transfer};
    use mixminus_plivo::HangupCause as Plivo;
    match cause {
        HangupCause::Canceled => Plivo::CANCELED,
        HangupCause::Rejected => Plivo::REJECTED,
        HangupCause::Busy => Plivo::BUSY,
        HangupCause::BusyEverywhere => Plivo::BUSY_EVERYWHERE,
        HangupCause::NoAnswer => Plivo::NO_ANSWER,
        HangupCause::Declined => Plivo::DECLINED,
        HangupCause::Forbidden => Plivo::FORBIDDEN,
        HangupCause::UnknownAddress => Plivo::UNALLOCATED,
        HangupCause::UnknownEverywhere => Plivo::NO_SUCH_USER,
        HangupCause::InvalidAddress => Plivo::INVALID_DESTINATION,
        HangupCause::Barred => Plivo::PREFIX_BARRED,
        HangupCause::NotRegistered => Plivo::NOT_REGISTERED,
        HangupCause::RequestTimeout => Plivo::REQUEST_TIMEOUT,
        HangupCause::FarEndFailed => Plivo::CARRIER_ERROR,
        HangupCause::FarEndCongested => Plivo::CARRIER_CONGESTION,
        HangupCause::RingTimeout => Plivo::RING_TIMEOUT,
        HangupCause::LostRace => Plivo::LOST_RACE,
        HangupCause::NotConfirmed => Plivo::CONFIRM_KEY_FAILED,
        HangupCause::Machine => Plivo::MACHINE,
        HangupCause::Normal => Plivo::NORMAL,
        HangupCause::EndOfInstructions => Plivo::END_OF_XML,
        HangupCause::ConferenceEnded => Plivo::MPC_ENDED,
        HangupCause::Kicked => Plivo::MPC_KICKED,
        HangupCause::NetworkError => Plivo::NETWORK_ERROR,
        HangupCause::InternalError => Plivo::INTERNAL_ERROR,
        HangupCause::ConcurrencyLimit => Plivo::CONCURRENCY_LIMIT,
        HangupCause::Scheduled => Plivo::SCHEDULED,
        HangupCause::MediaTimeout => Plivo::MEDIA_TIMEOUT,
        HangupCause::Unreachable(Answer) => Plivo::ANSWER_UNREACHABLE,
        HangupCause::Unreachable(Action) => Plivo::ACTION_UNREACHABLE,
        HangupCause::Unreachable(Transfer) => Plivo::TRANSFER_UNREACHABLE,
        HangupCause::Unreachable(Redirect) => Plivo::REDIRECT_UNREACHABLE,
        HangupCause::InvalidDocument(Answer) => Plivo::ANSWER_XML_INVALID,
        HangupCause::InvalidDocument(Action) => Plivo::ACTION_XML_INVALID,
        HangupCause::InvalidDocument(Transfer) => Plivo::TRANSFER_XML_INVALID,
        HangupCause::InvalidDocument(Redirect) => Plivo::REDIRECT_XML_INVALID,
    }
}

/// Every cause of ours, to be found by its code.
const CAUSES: [HangupCause; 34] = {
    use FetchPurpose::{Action, Answer, Redirect, Transfer};
    use HangupCause as Cause;
    [
        Cause::Canceled,
        Cause::Rejected,
        Cause::Busy,
        Cause::BusyEverywhere,
        Cause::NoAnswer,
        Cause::Declined,
        Cause::Forbidden,
        Cause::UnknownAddress,
        Cause::UnknownEverywhere,
        Cause::InvalidAddress,
        Cause::RequestTimeout,
        Cause::FarEndFailed,
        Cause::FarEndCongested,
        Cause::RingTimeout,
        Cause::LostRace,
        Cause::NotConfirmed,
        Cause::Machine,
        Cause::Normal,
        Cause::EndOfInstructions,
        Cause::ConferenceEnded,
        Cause::Kicked,
        Cause::NetworkError,
        Cause::InternalError,
        Cause::ConcurrencyLimit,
        Cause::Scheduled,
        Cause::MediaTimeout,
        Cause::Unreachable(Answer),
        Cause::Unreachable(Action),
        Cause::Unreachable(Transfer),
        Cause::Unreachable(Redirect),
        Cause::InvalidDocument(Answer),
        Cause::InvalidDocument(Action),
        Cause::InvalidDocument(Transfer),
        Cause::InvalidDocument(Redirect),
    ]
};

/// The causes that Plivo gives this code.
pub fn causes(code: u16) -> Vec<HangupCause> {
    CAUSES.into_iter().filter(|cause| hangup_cause(*cause).code == code).collect()
}

/// Who it is that Plivo calls so; nobody we know for some.
pub fn source(source: mixminus_plivo::HangupSource) -> Option<HangupSource> {
    use HangupSource::{ApiRequest, Callee, Caller, Document, Error, Service};
    [Caller, Callee, Service, ApiRequest, Document, Error]
        .into_iter()
        .find(|one| hangup_source(*one) == source)
}

/// What Plivo calls the event.
pub const fn event_name(event: ConferenceEvent) -> mixminus_plivo::EventName {
    use mixminus_plivo::EventName as Plivo;
    match event {
        ConferenceEvent::Initialized => Plivo::MpcInitialized,
        ConferenceEvent::Started => Plivo::MpcStart,
        ConferenceEvent::Ended => Plivo::MpcEnd,
        ConferenceEvent::Joined => Plivo::ParticipantJoin,
        ConferenceEvent::Left => Plivo::ParticipantExit,
        ConferenceEvent::Muted => Plivo::ParticipantMute,
        ConferenceEvent::Unmuted => Plivo::ParticipantUnmute,
        ConferenceEvent::Held => Plivo::ParticipantHold,
        ConferenceEvent::Resumed => Plivo::ParticipantUnhold,
        ConferenceEvent::CoachStarted => Plivo::ParticipantCoachModeStart,
        ConferenceEvent::CoachStopped => Plivo::ParticipantCoachModeStop,
        ConferenceEvent::TalkStarted => Plivo::ParticipantSpeakStart,
        ConferenceEvent::TalkStopped => Plivo::ParticipantSpeakStop,
        ConferenceEvent::Digit(_) => Plivo::ParticipantDigitInput,
        ConferenceEvent::Invited => Plivo::AddParticipantByApiActionInitiated,
        ConferenceEvent::InvitationEnded { .. } => Plivo::AddParticipantByApiActionCompleted,
    }
}

pub const fn method(method: HttpMethod) -> mixminus_plivo::Method {
    match method {
        HttpMethod::Get => mixminus_plivo::Method::Get,
        HttpMethod::Post => mixminus_plivo::Method::Post,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_have_the_documented_codes() {
        use FetchPurpose::{Action, Answer, Redirect, Transfer};
        for (cause, code) in [
            (HangupCause::Canceled, 1000),
            (HangupCause::Rejected, 3020),
            (HangupCause::Busy, 3010),
            (HangupCause::Normal, 4000),
            (HangupCause::EndOfInstructions, 4010),
            (HangupCause::ConferenceEnded, 4020),
            (HangupCause::Kicked, 4030),
            (HangupCause::NetworkError, 5000),
            (HangupCause::InternalError, 5010),
            (HangupCause::ConcurrencyLimit, 5030),
            (HangupCause::Scheduled, 6000),
            (HangupCause::MediaTimeout, 6020),
            (HangupCause::Unreachable(Answer), 7011),
            (HangupCause::Unreachable(Action), 7012),
            (HangupCause::Unreachable(Transfer), 7013),
            (HangupCause::Unreachable(Redirect), 7014),
            (HangupCause::InvalidDocument(Answer), 8011),
            (HangupCause::InvalidDocument(Action), 8012),
            (HangupCause::InvalidDocument(Transfer), 8013),
            (HangupCause::InvalidAddress, 2000),
            (HangupCause::NotRegistered, 2020),
            (HangupCause::Barred, 2050),
            (HangupCause::NoAnswer, 3000),
            (HangupCause::Forbidden, 3040),
            (HangupCause::UnknownAddress, 3050),
            (HangupCause::RequestTimeout, 3070),
            (HangupCause::FarEndFailed, 3080),
            (HangupCause::FarEndCongested, 3090),
            (HangupCause::BusyEverywhere, 3100),
            (HangupCause::Declined, 3110),
            (HangupCause::UnknownEverywhere, 3120),
            (HangupCause::RingTimeout, 6010),
            (HangupCause::LostRace, 9000),
            (HangupCause::Machine, 9100),
            (HangupCause::NotConfirmed, 9110),
            (HangupCause::InvalidDocument(Redirect), 8014),
        ] {
            assert_eq!(hangup_cause(cause).code, code, "{cause:?}");
        }
        for (cause, code) in [
            (EndCause::NoParticipants, 1000),
            (EndCause::AloneNotPermitted, 1010),
            (EndCause::MaxDuration, 2000),
            (EndCause::ApiRequest, 3000),
        ] {
            assert_eq!(termination(cause).code(), code, "{cause:?}");
        }
    }

    #[test]
    fn states_and_parties_have_the_documented_words() {
        let names = [
            status(ConferenceState::Initialized).name(),
            status(ConferenceState::Active).name(),
            status(ConferenceState::Ended).name(),
            direction(Direction::Inbound).name(),
            direction(Direction::Outbound).name(),
            role(Role::Agent).name(),
            role(Role::AiAgent).name(),
            role(Role::Customer).name(),
            role(Role::Supervisor).name(),
        ];
        let words = "Initialized Active Ended inbound outbound agent ai-agent customer supervisor";
        assert_eq!(names.join(" "), words);
    }

    #[test]
    fn ends_have_the_documented_words() {
        use CallState::{Busy, Canceled, Completed, Failed, InProgress, NoAnswer, Ringing};
        use ExitCause::{CallHangup, CallTransferred, ConferenceEnded, Kicked};
        use HangupSource::{ApiRequest, Callee, Caller, Document, Error, Service};

        let states = [Ringing, InProgress, Completed, Busy, Failed, NoAnswer, Canceled];
        let words = "ringing in-progress completed busy failed no-answer no-answer";
        assert_eq!(states.map(|state| call_status(state).name()).join(" "), words);

        let sources = [Caller, Callee, Service, ApiRequest, Document, Error];
        let words = ["Caller", "Call recipient", "Plivo", "API Request", "Answer XML", "Error"];
        assert_eq!(sources.map(|source| hangup_source(source).name()), words);

        let causes = [CallHangup, Kicked, ConferenceEnded, CallTransferred];
        let words = [
            "Participant Call Hangup",
            "Kicked Out of Multiparty Call",
            "Multiparty Call Ended",
            "Participant Call Transferred",
        ];
        assert_eq!(causes.map(|cause| exit_cause(cause).name()), words);
    }
}
