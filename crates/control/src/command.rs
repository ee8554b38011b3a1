//! What an API client may ask of the control plane.

use std::time::Duration;

use crate::effect::{PromptContent, Repeat};
use crate::instruction::{
    Action, CallUrls, ConferenceRequest, Destination, DialTerms, MachineDetection, RecordingTerms,
    StreamTerms,
};
use crate::record::{
    CallId, ConferenceId, ConferenceRecord, ParticipantId, PlacementId, RecordingId, RecordingRecord,
    StreamId, StreamRecord,
};

/// How a request names a conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// By its id, live or ended.
    Id(ConferenceId),
    /// By its name, live only.
    Name(String),
}

/// Which participants of a conference a request concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// Everybody inside.
    All,
    /// Those listed; one unknown id refuses the whole request.
    Listed(Vec<ParticipantId>),
}

/// What to change of a participant; `None` leaves as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParticipantChange {
    /// Mute or unmute.
    pub mute: Option<bool>,
    /// Hold or resume.
    pub hold: Option<bool>,
    /// Coach, or be heard by all; ignored for other roles than supervisor.
    pub coach: Option<bool>,
}

/// Who is to take part in a conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invited {
    /// A live call, which leaves what it does.
    Call(CallId),
    /// Whoever of these answers first; at least one.
    Dialled(Vec<Destination>, DialTerms),
}

/// A participant to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Who.
    pub invited: Invited,
    /// How it joins. The conference is created by it if it is named and there is none;
    /// otherwise the name in here does not count.
    pub request: ConferenceRequest,
    /// Whether a conference may be created for it.
    pub creates: bool,
}

/// Calls to be placed, each with a flow of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Whom; at least one.
    pub destinations: Vec<Destination>,
    /// The calling party that they see.
    pub from: String,
    /// The name that they see.
    pub caller_name: Option<String>,
    /// What they do once answered.
    pub answer: Action,
    /// What else they ask for.
    pub urls: CallUrls,
    /// How long each may last.
    pub time_limit: Duration,
    /// The live call that they belong to.
    pub parent: Option<Parent>,
    /// How it is found out whether a machine answers.
    pub machine: Option<Box<MachineDetection>>,
}

/// A live call of the account that another one belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The call.
    pub call: CallId,
    /// Whether nothing is placed without it.
    pub required: bool,
}

/// Which ends of two connected calls a request concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legs {
    /// The call named.
    This,
    /// The one it is connected to.
    Other,
    /// Both.
    Both,
}

/// Something to be played on request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playback {
    /// What.
    pub content: PromptContent,
    /// How often.
    pub repeat: Repeat,
    /// How long at most, also before all of it was heard.
    pub length: Option<Duration>,
}

impl Playback {
    /// All of `content`, once.
    pub const fn once(content: PromptContent) -> Self {
        Self { content, repeat: Repeat::Times(1), length: None }
    }
}

/// What to do with a live call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallChange {
    /// Leave what it does and follow other documents.
    Transfer {
        /// For the call named.
        this: Option<Action>,
        /// For the one it is connected to.
        other: Option<Action>,
    },
    /// End it.
    HangUp,
    /// Let it hear something.
    Play {
        /// What, how often and how long.
        playback: Playback,
        /// Who hears it.
        legs: Legs,
        /// Whether what was heard before is heard meanwhile.
        mixed: bool,
        /// What ends it.
        kind: PlayKind,
    },
    /// End what was played so.
    StopPlaying(PlayKind),
    /// Record it for so long at most; a recording that there is goes on.
    Record(RecordingTerms, Duration),
    /// End this recording of it, or all that go on.
    StopRecording(Option<RecordingId>),
    /// Send its audio to a WebSocket.
    Stream(Box<StreamTerms>),
    /// End this stream of it, or whichever there is.
    StopStream(Option<StreamId>),
    /// Send digits to it, as in [`Instruction::SendDigits`](crate::Instruction::SendDigits).
    SendDigits(String, Legs),
}

/// Something that is played on request, and ended by the kind it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayKind {
    /// A file.
    File,
    /// A sentence.
    Speech,
}

/// Of whom a conference is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordScope {
    /// Of everybody, as one mix.
    All,
    /// Of one participant.
    One(ParticipantId),
}

/// What becomes of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordChange {
    /// Nothing is kept until it is resumed.
    Pause,
    /// It goes on.
    Resume,
    /// It is over.
    Stop,
}

/// What to do with a conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConferenceChange {
    /// Move it from initialized to active; nothing happens if it is.
    Start,
    /// End it.
    End,
    /// Mute, hold or coach.
    Update(Members, ParticipantChange),
    /// Remove participants.
    Kick(Members),
    /// Let participants hear something, wherever they stand; beside the others or, when not
    /// `mixed`, in their place.
    Play {
        /// Who hears it.
        members: Members,
        /// What, how often and how long.
        playback: Playback,
        /// What ends it.
        kind: PlayKind,
        /// Whether the others are heard meanwhile.
        mixed: bool,
    },
    /// End what was played to exactly these.
    StopPlaying(Members, PlayKind),
    /// Record; a recording that there is goes on.
    Record(RecordScope, RecordingTerms),
    /// Change a recording.
    ChangeRecording(RecordScope, RecordChange),
}

/// A request to change something that is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Change a conference.
    Conference(Selector, ConferenceChange),
    /// Add a participant to a conference.
    Invite(Selector, Box<Invitation>),
    /// Place calls.
    Place(Box<Calls>),
    /// Change a call.
    Call(CallId, CallChange),
    /// Give up the calls of a placement that are not answered.
    Cancel(PlacementId),
}

/// A call that a request placed or moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The call.
    pub call: CallId,
    /// The calling party.
    pub from: String,
    /// The called party, as the request named it.
    pub to: String,
}

/// What came of a [`Command`] that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked is done.
    Done,
    /// A conference was changed.
    Conference(Box<ConferenceRecord>, Vec<ParticipantId>),
    /// A conference or a call is recorded.
    Recording(Box<RecordingRecord>),
    /// A call is streamed.
    Streamed(Box<StreamRecord>),
    /// Calls are being placed.
    Placed(PlacementId, Vec<Placed>),
}

/// Why a [`Command`] was refused; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The account has no such live conference.
    #[error("conference not found")]
    ConferenceNotFound,
    /// The conference has no such participant inside.
    #[error("participant {0} not found")]
    ParticipantNotFound(ParticipantId),
    /// The account has no such live call.
    #[error("call not found")]
    CallNotFound,
    /// The account has no such live call for others to belong to.
    #[error("parent call not found")]
    ParentNotFound,
    /// The account has no such placement with unanswered calls.
    #[error("request not found")]
    PlacementNotFound,
    /// The conference has as many participants as it may have.
    #[error("the conference is full")]
    ConferenceFull,
    /// As many calls or conferences live as may.
    #[error("too many calls or conferences")]
    TooMany,
    /// The call is not connected to another one.
    #[error("the call has no other leg")]
    NoOtherLeg,
    /// The call is not answered.
    #[error("the call is not answered")]
    NotAnswered,
    /// There is no recording to change.
    #[error("it is not being recorded")]
    NotRecording,
    /// The call has a stream; it can have one.
    #[error("the call has an audio stream already")]
    AlreadyStreamed,
    /// The call has no such stream.
    #[error("stream not found")]
    NotStreamed,
}
