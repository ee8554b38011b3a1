//! What goes into the control plane and what comes out of it.

use std::collections::BTreeSet;
use std::time::Duration;

use mixminus_mixer::{BridgeId, LegId, MixPlan, PromptId};

use crate::command::{Command, CommandError};
use crate::instruction::{Action, Document, EventGroup, HttpMethod};
use crate::record::{AccountId, CallId, CallRecord, ConferenceRecord, ParticipantRecord, Timestamp};

/// Identifies one [`Command`] so that its answer finds the asker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

/// Identifies one wake-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u64);

/// What answers a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Application {
    /// Joins the conference named by the called user:
    /// `<name>`, `<name>.customer` or `<name>.supervisor`.
    BuiltIn,
    /// Fetches a document.
    Url(Action),
}

/// How a leg ended without our doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegEnd {
    /// The far end hung up.
    HungUp,
    /// The far end gave up before the answer.
    Canceled,
    /// Signalling failed.
    Failed,
    /// No media arrived for too long.
    MediaTimeout,
    /// What arrived took too much time, which the other legs need.
    Evicted,
}

/// How an unanswered call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 486 Busy Here.
    Busy,
    /// 603 Decline.
    Declined,
    /// 503 Service Unavailable with Retry-After.
    Unavailable,
    /// 480 Temporarily Unavailable.
    NotAvailable,
    /// 404 Not Found.
    NotFound,
}

/// A call that arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The leg.
    pub leg: LegId,
    /// The account it is for.
    pub account: AccountId,
    /// Calling party.
    pub from: String,
    /// Called party, as a SIP URI.
    pub to: String,
    /// The user part of the called party.
    pub user: String,
    /// What answers it.
    pub application: Application,
    /// `X-PH-` headers, name and value.
    pub headers: Vec<(String, String)>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A call arrived; its leg exists, alone and unanswered.
    CallArrived(Arrival),
    /// The leg is gone.
    LegEnded {
        /// The leg.
        leg: LegId,
        /// How.
        end: LegEnd,
    },
    /// A document that was asked for came, or did not.
    Fetched {
        /// The call that asked.
        call: CallId,
        /// What it was asked for.
        purpose: FetchPurpose,
        /// The document.
        result: Result<Document, FetchError>,
    },
    /// A prompt was heard to its end, or could not be played.
    PromptEnded {
        /// The prompt.
        prompt: PromptId,
    },
    /// A leg's far end began to talk or stopped, whoever may hear it.
    Talking {
        /// The leg.
        leg: LegId,
        /// Whether it talks now.
        talking: bool,
    },
    /// A digit was received.
    Digit {
        /// The leg that sent it.
        leg: LegId,
        /// One of `0-9 * # A-D`.
        digit: char,
    },
    /// An API client asks.
    Command {
        /// For the answer.
        request: RequestId,
        /// What is asked.
        command: Command,
    },
    /// A wake-up came due.
    Timer(TimerId),
    /// The bridges that have no room for another leg, from now on: whoever is
    /// about to join one of their conferences is refused whole.
    Crowded(BTreeSet<BridgeId>),
    /// Accept no more calls, hang up those there are.
    Drain,
}

/// What a document is fetched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchPurpose {
    /// What to do with a new call.
    Answer,
    /// What to do after a conference.
    Exit,
    /// A redirect instruction.
    Redirect,
}

/// Why no document came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No answer, an error status, too slow, too many redirects or forbidden.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// An answer that is no valid document.
    #[error("invalid document: {0}")]
    Invalid(String),
}

/// A document to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The call that asks.
    pub call: CallRecord,
    /// The call's `X-PH-` headers, name and value.
    pub headers: Vec<(String, String)>,
    /// What for.
    pub purpose: FetchPurpose,
    /// Where and how.
    pub action: Action,
    /// For [`FetchPurpose::Exit`]: the conference and participant that was left.
    pub left: Option<Box<(ConferenceRecord, ParticipantRecord)>>,
}

/// What a prompt sounds like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PromptContent {
    /// The built-in single beep.
    Beep1,
    /// The built-in double beep.
    Beep2,
    /// The built-in wait music.
    WaitMusic,
    /// The built-in hold music for agents.
    AgentHoldMusic,
    /// The built-in hold music for customers and supervisors.
    CustomerHoldMusic,
    /// An audio file.
    File(String),
    /// A synthesised sentence.
    Speech {
        /// What is said.
        text: String,
        /// Voice name.
        voice: String,
        /// BCP 47 language tag.
        language: String,
    },
}

/// How often a prompt is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// So many times, at least once.
    Times(u32),
    /// Until it is stopped.
    Forever,
}

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
    /// A participant left.
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
}

impl ConferenceEvent {
    /// The group it belongs to.
    pub const fn group(self) -> EventGroup {
        match self {
            Self::Initialized | Self::Started | Self::Ended => EventGroup::Conference,
            Self::TalkStarted | Self::TalkStopped => EventGroup::Talking,
            Self::Digit(_) => EventGroup::Digits,
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
    /// The participant concerned, or who triggered a conference event.
    pub participant: Option<(ParticipantRecord, CallRecord)>,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Tell the caller that it rings.
    Ring(LegId),
    /// Answer the call.
    Answer(LegId),
    /// Refuse the unanswered call; its media is released.
    Refuse(LegId, Refusal),
    /// End the answered call; its media is released.
    HangUp(LegId),
    /// Release the media of a leg whose far end is gone.
    Release(LegId),
    /// Route a bridge anew. Legs named by the plan move into the bridge from
    /// wherever they are, at the same tick; the bridge is created if need be.
    Install(BridgeId, MixPlan),
    /// The bridge is empty and no longer needed.
    CloseBridge(BridgeId),
    /// Make a prompt's audio; it sounds once made, where a plan names it.
    Play {
        /// The prompt.
        prompt: PromptId,
        /// What it sounds like.
        content: PromptContent,
        /// How often.
        repeat: Repeat,
    },
    /// The prompt is no longer needed.
    StopPrompt(PromptId),
    /// Send a digit to the far ends of `legs`.
    SendDigit {
        /// To whom, at least one.
        legs: Vec<LegId>,
        /// One of `0-9 * # A-D`.
        digit: char,
    },
    /// Fetch a document.
    Fetch(Box<Fetch>),
    /// Write the call's row.
    SaveCall(CallRecord),
    /// Write the conference's row.
    SaveConference(ConferenceRecord),
    /// Write the participant's row.
    SaveParticipant(ParticipantRecord),
    /// Queue a callback.
    Notify(Box<CallbackEvent>),
    /// Answer an API client, after everything before it is written.
    Reply(RequestId, Result<(), CommandError>),
    /// Give [`Input::Timer`] back after `after`.
    Wake {
        /// Which wake-up.
        timer: TimerId,
        /// How much later.
        after: Duration,
    },
}
