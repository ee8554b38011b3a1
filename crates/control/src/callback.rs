//! What others are told of, and of what.

use crate::input::{Introduction, Likelihood};
use crate::instruction::{EventGroup, HttpMethod};
use crate::policy::Role;
use crate::record::{
    CallRecord, ConferenceId, ConferenceKind, ConferenceRecord, ParticipantRecord, RecordingRecord,
    StreamRecord, Timestamp,
};

/// What happened in a conference, for its subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConferenceEvent {
    /// Created.
    Initialized,
    /// Became active.
    Started,
    /// Ended.
    Ended,
    /// A participant joined.
    Joined,
    /// A participant left, or whoever was called to be one never came.
    Left,
    /// A participant was muted.
    Muted,
    /// A participant was unmuted.
    Unmuted,
    /// A participant was held.
    Held,
    /// A participant was resumed.
    Resumed,
    /// A supervisor began to coach.
    CoachStarted,
    /// A supervisor stopped coaching.
    CoachStopped,
    /// A participant who is neither muted, held nor waiting began to talk.
    TalkStarted,
    /// It stopped, was silenced or leaves.
    TalkStopped,
    /// A participant sent a digit.
    Digit(char),
    /// Somebody is being called to take part.
    Invited,
    /// The invitation was accepted, or failed.
    InvitationEnded {
        /// Whether somebody joined.
        joined: bool,
    },
}

impl ConferenceEvent {
    /// The group it belongs to.
    pub const fn group(self) -> EventGroup {
        match self {
            Self::Initialized | Self::Started | Self::Ended => EventGroup::Conference,
            Self::TalkStarted | Self::TalkStopped => EventGroup::Talking,
            Self::Digit(_) => EventGroup::Digits,
            Self::Invited | Self::InvitationEnded { .. } => EventGroup::AddParticipant,
            Self::Joined
            | Self::Left
            | Self::Muted
            | Self::Unmuted
            | Self::Held
            | Self::Resumed
            | Self::CoachStarted
            | Self::CoachStopped => EventGroup::Participant,
        }
    }
}

/// Whom a conference's event concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its call.
    pub call: CallRecord,
    /// What it is, or was to be, in the conference.
    pub role: Role,
    /// The participant; none if the call never came inside.
    pub participant: Option<ParticipantRecord>,
}

/// One event for one subscriber, with everything known at that instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackEvent {
    /// Where and how to deliver.
    pub url: String,
    /// How to deliver.
    pub method: HttpMethod,
    /// What happened.
    pub event: ConferenceEvent,
    /// When.
    pub at: Timestamp,
    /// Its number among the conference's events, from 1.
    pub sequence: u64,
    /// The conference.
    pub conference: ConferenceRecord,
    /// Whom it concerns, or who triggered a conference event.
    pub subject: Option<Subject>,
}

/// What happened to a participant, for its own URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParticipantEvent {
    /// It joined.
    Joined,
    /// It left.
    Left,
    /// It pressed these digits, of which it asked to be told.
    Digits(String),
    /// It became the active speaker.
    BecameActiveSpeaker,
}

/// One event of a participant for its own URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParticipantCallback {
    /// Where to deliver.
    pub url: String,
    /// How to deliver.
    pub method: HttpMethod,
    /// What happened.
    pub event: ParticipantEvent,
    /// When.
    pub at: Timestamp,
    /// Its number among the conference's events, from 1.
    pub sequence: u64,
    /// The conference.
    pub conference: ConferenceRecord,
    /// Whom it happened to.
    pub participant: ParticipantRecord,
}

/// What happened to a call, for those who asked to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEvent {
    /// It rings.
    Ringing,
    /// It was answered.
    Answered,
    /// It ended.
    Ended,
    /// Its document collected this, and goes on without the answer.
    Collected(Collected),
    /// So much is recognised by now of what its caller says.
    Understood(Understood),
    /// The calls that its document placed went so, and it goes on without the answer.
    Dialled(Box<Dialled>),
    /// It left this conference, where it was this participant, and goes on without the answer.
    Left(Box<(ConferenceRecord, ParticipantRecord)>),
    /// A recording of it is over: whole, or failed.
    Recorded(Box<RecordingRecord>),
    /// Its document recorded, or began to, and goes on without the answer.
    RecordReported(Box<RecordReport>),
    /// Something became of its stream.
    Streamed(StreamEvent, Box<StreamRecord>),
    /// A call that its document placed took a step.
    DialStep(DialStep, Box<CallRecord>),
    /// It is certain who answered it, as the callback says.
    AnsweredBy {
        /// Whether the call ends if that is a machine.
        ends_machines: bool,
    },
    /// It, or the call it is connected to, pressed digits that its document asks to be told of.
    Pressed(Box<PressedDigits>),
}

/// Who answered a call that we placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answerer {
    /// Somebody who greets shortly.
    Person,
    /// An answering machine.
    Machine,
    /// Nobody can tell.
    Unknown,
}

/// Digits of one of two connected calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PressedDigits {
    /// One of the patterns asked for.
    pub digits: String,
    /// Whose.
    pub by: ConnectionEnd,
    /// The callee's call.
    pub callee: CallRecord,
}

/// One of two connected calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// The one whose document placed the other.
    Caller,
    /// The other.
    Callee,
}

/// What became of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// Its WebSocket is open.
    Started,
    /// It is over as somebody wanted, or with its call.
    Stopped,
    /// Its WebSocket could not be opened, or broke.
    Dropped,
    /// Audio was left out.
    Degraded,
}

/// What a caller entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// What.
    pub entry: Entry,
    /// In whose words it is reported.
    pub kind: crate::CollectKind,
}

/// What a caller pressed or said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Digits, without the one that ended them.
    Digits(String),
    /// Words.
    Speech {
        /// All that was said.
        text: String,
        /// How sure the recogniser is of the part it is least sure of, if it says so.
        confidence: Option<Likelihood>,
    },
}

/// What is recognised while a caller speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Understood {
    /// What will not change.
    pub stable: String,
    /// What follows it, and may.
    pub unstable: String,
    /// How likely that is not to.
    pub stability: Likelihood,
    /// Its number among those of one question, from 1.
    pub sequence: u64,
}

/// How calls that a document placed went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialled {
    /// The call that answered, or the last that failed.
    pub callee: CallRecord,
    /// Whether it rang, or was answered.
    pub rang: bool,
}

/// What a document recorded, or began to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordReport {
    /// The recording. One that ended tells when and how long it will be; whether its file is whole is
    /// told later.
    pub recording: RecordingRecord,
    /// The key that ended it.
    pub digit: Option<char>,
}

/// A step of a call that a document placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialStep {
    /// The callee answered.
    Answered,
    /// It is connected to the caller.
    Connected,
    /// Its call ended.
    Ended,
}

/// One event of a call for one URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCallback {
    /// Where to deliver.
    pub url: String,
    /// How to deliver.
    pub method: HttpMethod,
    /// What happened.
    pub event: CallEvent,
    /// When.
    pub at: Timestamp,
    /// Its number among the call's events, from 1.
    pub sequence: u64,
    /// The call.
    pub call: CallRecord,
    /// What the call brought.
    pub introduction: Introduction,
    /// Who answered the call, if that was to be found out and is certain.
    pub answerer: Option<Answerer>,
}

/// What happened to a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingEvent {
    /// It began.
    Initiated,
    /// Nothing is kept for now.
    Paused,
    /// It goes on.
    Resumed,
    /// It is over and its file is whole.
    Completed,
    /// It is over, and there is no whole file.
    Failed,
}

/// One event of a recording for its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingCallback {
    /// Where to deliver.
    pub url: String,
    /// How to deliver.
    pub method: HttpMethod,
    /// What happened.
    pub event: RecordingEvent,
    /// When.
    pub at: Timestamp,
    /// Its number among the conference's events, from 1.
    pub sequence: u64,
    /// The conference.
    pub conference: ConferenceId,
    /// Which kind it is of. Of a plain one only the end of the recording is told.
    pub kind: ConferenceKind,
    /// The recording.
    pub recording: RecordingRecord,
}
