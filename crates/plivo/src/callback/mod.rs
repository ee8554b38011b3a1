//! The parameters of the requests made to a customer's URLs.
//!
//! Every documented key is sent every time, empty when it does not apply:
//! handlers index them without asking.

mod call;
mod element;
mod message;
mod recording;

use crate::{Call, EventName, ExitCause, Mpc, Participant, Role, TerminationCause, Timestamp, amount};

pub use call::call_parameters;
pub use element::{
    ConferenceAction, ConferenceEvent, DialAction, DialEvent, DialOutcome, DialStatus, Input, InputType,
    InterimSpeech, RecordOutcome, StreamEvent, StreamStatus, TranscriptOutcome, digits_parameters,
};
pub use message::{MessageReport, MessageStatus};
pub use recording::{RecordingEvent, RecordingEventName};

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
    /// Whom it concerns, if that is nobody who takes part.
    pub called: Option<Called<'a>>,
    /// For [`EventName::ParticipantDigitInput`]: the digit.
    pub digit: Option<char>,
    /// For [`EventName::AddParticipantByApiActionCompleted`]: how it ended.
    pub outcome: Option<AddParticipantOutcome>,
}

/// A party that an add-participant request calls, and that does not take part yet, or never did.
#[derive(Clone, Copy, Debug)]
pub struct Called<'a> {
    /// The call to it.
    pub call: &'a Call,
    /// The role it is called for.
    pub role: Role,
    /// When and why it was given up.
    pub left: Option<(Timestamp, ExitCause)>,
}

/// How an add-participant request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddParticipantOutcome {
    /// Somebody joined.
    Success,
    /// Nobody did.
    Failure,
}

impl AddParticipantOutcome {
    /// `AddParticipantAPIRequestOutcome`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
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
        all.extend(match (self.participant, self.called) {
            (None, Some(called)) => called.parameters(),
            (concerned, _) => participant_parameters(concerned),
        });
        all.extend(parameters([
            ("DigitInput", or_empty(self.digit)),
            ("STIRVerification", String::new()),
            ("AddParticipantAPIRequestOutcome", or_empty(self.outcome.map(AddParticipantOutcome::name))),
        ]));
        all
    }
}

impl Called<'_> {
    fn parameters(&self) -> Parameters {
        parameters([
            ("MemberID", String::new()),
            ("MemberAddress", self.call.to.clone()),
            ("ParticipantRole", self.role.title().to_owned()),
            ("ParticipantCallUUID", self.call.uuid.clone()),
            ("ParticipantCallFrom", self.call.from.clone()),
            ("ParticipantCallTo", self.call.to.clone()),
            ("ParticipantCallDirection", self.call.direction.name().to_owned()),
            ("ParticipantCoachMode", String::new()),
            ("ParticipantJoinTime", String::new()),
            ("ParticipantExitTime", or_empty(self.left.map(|(at, _)| at))),
            ("ParticipantExitCause", or_empty(self.left.map(|(_, cause)| cause.name()))),
        ])
    }
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

fn parameters<const N: usize>(pairs: [(&str, String); N]) -> Parameters {
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
