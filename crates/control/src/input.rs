//! What goes into the control plane.

use std::collections::BTreeSet;
use std::time::Duration;

use mixminus_mixer::{BridgeId, LegId, PromptId, TapId};

use crate::command::Command;
use crate::effect::{FetchId, RequestId, TimerId};
use crate::instruction::{Action, CallUrls, Document};
use crate::record::{AccountId, CallId, RecordingId, StreamId, StreamState};

/// What answers a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Application {
    /// Joins the conference named by the called user:
    /// `<name>`, `<name>.customer` or `<name>.supervisor`.
    BuiltIn,
    /// Fetches a document.
    Url {
        /// From where.
        answer: Action,
        /// What else it asks for.
        urls: CallUrls,
    },
    /// Follows a document that is there.
    Document(Box<Document>),
}

/// How a leg ended without our doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegEnd {
    /// The far end hung up.
    HungUp,
    /// The far end gave up before the answer.
    Canceled,
    /// Signalling failed, or the far end refused with this SIP status.
    Failed {
        /// From 300 to 699.
        status: u16,
    },
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
    /// What it brought.
    pub introduction: Introduction,
}

/// What a call that arrived brought besides its parties, to be told to whoever decides about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introduction {
    /// The headers for the application, name and value.
    pub headers: Vec<(String, String)>,
    /// Who diverted it to us.
    pub diverted_by: Option<String>,
    /// What is known of the caller's right to its number.
    pub verification: Option<Verification>,
}

/// Whether a caller's right to its number was found good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It was.
    Passed,
    /// It was claimed, and not found good.
    NotPassed,
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
    /// A call that we place has its leg, which is alone and unanswered.
    Dialled {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
    },
    /// A call cannot be placed.
    NotDialled {
        /// The call.
        call: CallId,
        /// Why.
        reason: DialError,
    },
    /// The far end of a call that we placed rings.
    LegRinging {
        /// The leg.
        leg: LegId,
    },
    /// The far end of a call that we placed rings, and can be heard before it answers.
    LegAudible {
        /// The leg.
        leg: LegId,
    },
    /// The far end of a call that we placed answered.
    LegAnswered {
        /// The leg.
        leg: LegId,
    },
    /// A document that was asked for came, or did not.
    Fetched {
        /// The call that asked.
        call: CallId,
        /// Which of its fetches.
        fetch: FetchId,
        /// The document.
        result: Result<Document, FetchError>,
    },
    /// A prompt was heard to its end, or could not be played.
    PromptEnded {
        /// The prompt.
        prompt: PromptId,
    },
    /// A recording's file is whole, or there will be none; also of one that was not told to end.
    RecordingEnded {
        /// The recording.
        recording: RecordingId,
        /// What was written.
        result: Result<Recorded, RecordingFault>,
    },
    /// A leg's far end began to talk or stopped, whoever may hear it.
    Talking {
        /// The leg.
        leg: LegId,
        /// Whether it talks now.
        talking: bool,
    },
    /// Something was recognised of what a caller says.
    Heard {
        /// What carries it.
        tap: TapId,
        /// What.
        heard: Heard,
    },
    /// A digit was received.
    Digit {
        /// The leg that sent it.
        leg: LegId,
        /// One of `0-9 * # A-D`.
        digit: char,
    },
    /// The far end of a leg hands its place over to somebody else, who has been found to be allowed;
    /// [`Effect::TellHandover`](crate::Effect::TellHandover) follows.
    HandOver {
        /// The leg.
        leg: LegId,
        /// To whom.
        to: Successor,
    },
    /// Something became of a stream.
    Stream {
        /// Whose it is.
        call: CallId,
        /// Which.
        stream: StreamId,
        /// What.
        news: StreamNews,
    },
    /// An API client asks.
    Command {
        /// For the answer.
        request: RequestId,
        /// Whose client it is.
        account: AccountId,
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

/// Who is to be in the place of a far end that hands it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Successor {
    /// Somebody who is to be called: a number or a SIP URI.
    Called(String),
    /// Whoever the same far end talks to by this leg.
    PartyOf(LegId),
}

/// What is recognised of what a caller says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// What was said last, which may still turn out to be something else.
    Partial {
        /// All of it that is not final.
        text: String,
        /// How likely it is not to change.
        stability: Likelihood,
    },
    /// What was said last, for good.
    Final {
        /// What follows what was final before.
        text: String,
        /// How sure the recogniser is, if it says so.
        confidence: Option<Likelihood>,
    },
    /// The beep that was listened for; no more follows.
    Beep,
    /// All was recognised; no more follows.
    End,
    /// The recogniser failed; no more follows.
    Failed,
}

/// How likely something is, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Likelihood(u16);

impl Likelihood {
    /// That of `share`, from 0 to 1; what is beyond is taken for the nearest.
    pub fn new(share: f64) -> Self {
        Self((share.clamp(0.0, 1.0) * 1000.0).round() as u16)
    }

    /// From 0 to 1.
    pub fn share(self) -> f32 {
        f32::from(self.0) / 1000.0
    }
}

/// A file that is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// How long it plays: pauses are silence of their length.
    pub duration: Duration,
    /// How large it is.
    pub size_bytes: u64,
}

/// Why there is no whole file of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingFault {
    /// It could not be begun.
    #[error("no file could be made")]
    Unavailable,
    /// It could not be written to its end.
    #[error("the file could not be written to its end")]
    Storage,
}

/// What becomes of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamNews {
    /// Its WebSocket is open.
    Connected,
    /// Audio was left out, since the WebSocket did not take it in time.
    Degraded,
    /// The WebSocket asks to send these to the call's far end, as in
    /// [`Instruction::SendDigits`](crate::Instruction::SendDigits).
    Digits(String),
    /// It is over without our doing: stopped or dropped.
    Ended(StreamState),
}

/// Why a call could not be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialError {
    /// What was dialled is no address, or none that we may call.
    InvalidAddress,
    /// It begins with something that must not be called.
    Barred,
    /// It is an endpoint that is not registered.
    NotRegistered,
    /// There is no port or no room for its media.
    NoRoom,
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
