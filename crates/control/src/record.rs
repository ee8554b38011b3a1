//! What is kept of calls, conferences and participants.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use crate::callback::{CallbackEvent, ConferenceEvent, Subject};
use crate::instruction::{Action, StatusCallback};
use crate::policy::Role;

/// Microseconds since the Unix epoch, never running backwards within a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this instant, zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0).max(0) as u64)
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

mod application;
mod endpoint;
mod recording;
mod stream;
mod transcript;

pub use application::{ApplicationId, ApplicationRecord};
pub use endpoint::{EndpointId, EndpointRecord, PasswordDigests};
pub use recording::{
    RecordedFrom, RecordingFormat, RecordingId, RecordingRecord, RecordingState, RecordingTrack,
};
pub use stream::{StreamId, StreamRecord, StreamState};
pub use transcript::{TranscriptRecord, TranscriptState};

uuid_id! {
    /// A conference, unique across nodes and for good.
    ConferenceId
}
uuid_id! {
    /// A call: one leg with its call flow.
    CallId
}
uuid_id! {
    /// A text message to one party.
    MessageId
}
uuid_id! {
    /// A request that placed calls; that of a single call has the call's own id.
    PlacementId
}

/// A participant, unique within the installation, growing with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantId(pub u64);

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The account that owns calls and conferences.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub String);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which conferences of an account share their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConferenceKind {
    /// Its participants have roles. It is kept, and requests reach it.
    Supervised,
    /// All in it are equal. It is told of while it lasts, and not kept.
    Plain,
}

/// Where a conference is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConferenceState {
    /// Created; those inside hear wait music.
    Initialized,
    /// Started; those inside hear each other.
    Active,
    /// Over.
    Ended,
}

/// Why a conference ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// The last participant left.
    NoParticipants,
    /// One participant was left who may not stay alone.
    AloneNotPermitted,
    /// The conference reached its longest allowed duration.
    MaxDuration,
    /// An API request ended it.
    ApiRequest,
}

/// Why a participant left a conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCause {
    /// The call ended inside the conference.
    CallHangup,
    /// It was removed: by an API request, or as it asked for when it joined.
    Kicked,
    /// The conference ended around the participant.
    ConferenceEnded,
    /// The call was moved to another document.
    CallTransferred,
}

/// Which side set up the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The far end called us.
    Inbound,
    /// We called the far end.
    Outbound,
}

/// Where a call is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// To be placed, not dialled yet.
    Queued,
    /// Arrived or dialled, not answered.
    Ringing,
    /// Answered.
    InProgress,
    /// Ended after an answer.
    Completed,
    /// Refused because the party was busy.
    Busy,
    /// Ended without an answer by an error or a refusal.
    Failed,
    /// Not answered in time.
    NoAnswer,
    /// Given up by the caller, or by us, before the answer.
    Canceled,
}

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangupSource {
    /// The calling party.
    Caller,
    /// The called party.
    Callee,
    /// This service.
    Service,
    /// An API request.
    ApiRequest,
    /// An instruction of the call's document.
    Document,
    /// A failure.
    Error,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangupCause {
    /// The caller gave up before the answer, or who placed the call did.
    Canceled,
    /// The document, or the far end, refused the call.
    Rejected,
    /// The document, or the far end, reported busy.
    Busy,
    /// The far end is busy wherever it is.
    BusyEverywhere,
    /// The far end did not answer.
    NoAnswer,
    /// The far end does not want to answer.
    Declined,
    /// The far end does not let us call.
    Forbidden,
    /// There is nobody of that address.
    UnknownAddress,
    /// There is nobody of that address anywhere.
    UnknownEverywhere,
    /// What was dialled is no address that can be called.
    InvalidAddress,
    /// What was dialled begins with something that must not be called.
    Barred,
    /// The endpoint that was called is not registered.
    NotRegistered,
    /// The far end's network did not reply.
    RequestTimeout,
    /// The far end's network failed.
    FarEndFailed,
    /// The far end's network has no room.
    FarEndCongested,
    /// Nobody answered in the time given.
    RingTimeout,
    /// Another call of the same placement was answered first.
    LostRace,
    /// The callee did not press the key asked for.
    NotConfirmed,
    /// A machine answered.
    Machine,
    /// One side hung up.
    Normal,
    /// The document ran out of instructions.
    EndOfInstructions,
    /// The conference ended and the call had nothing else to do.
    ConferenceEnded,
    /// The participant was kicked and the call had nothing else to do.
    Kicked,
    /// The network or the far end failed.
    NetworkError,
    /// This service failed or stopped.
    InternalError,
    /// A limit on concurrent calls was reached.
    ConcurrencyLimit,
    /// A scheduled hang-up came due.
    Scheduled,
    /// No media arrived for too long.
    MediaTimeout,
    /// A document could not be fetched.
    Unreachable(crate::FetchPurpose),
    /// A fetched document was not valid.
    InvalidDocument(crate::FetchPurpose),
}

/// The unit in which presence is billed; what is begun counts whole.
const BILLED_UNIT: Duration = Duration::from_mins(1);

/// A conference as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConferenceRecord {
    /// Its id.
    pub id: ConferenceId,
    /// The owning account.
    pub account: AccountId,
    /// Which kind it is of.
    pub kind: ConferenceKind,
    /// The name under which participants joined.
    pub name: String,
    /// Where it is in its life.
    pub state: ConferenceState,
    /// Whether its creator may stay alone in it.
    pub stay_alone: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it became active.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub end_cause: Option<EndCause>,
    /// Sum over participants of whole minutes begun, in seconds; set at the end.
    pub billed_seconds: Option<u64>,
    /// Whether everybody is being recorded: recording, paused or not at all.
    pub recording: Option<RecordingState>,
    /// The number of the last event told of it.
    pub sequence: u64,
    /// Who is told of its events, each [`Action`](crate::Action) once.
    pub subscribers: Vec<StatusCallback>,
}

impl ConferenceRecord {
    /// Numbers `event` and gives it for each subscriber to its group; an event
    /// that nobody is told has no number.
    pub fn tell(
        &mut self,
        event: ConferenceEvent,
        at: Timestamp,
        subject: Option<&Subject>,
    ) -> Vec<CallbackEvent> {
        let wants = |subscriber: &&StatusCallback| subscriber.groups.contains(&event.group());
        if self.subscribers.iter().find(wants).is_none() {
            return Vec::new();
        }
        self.sequence += 1;
        let told = |subscriber: &StatusCallback| CallbackEvent {
            url: subscriber.action.url.clone(),
            method: subscriber.action.method,
            event,
            at,
            sequence: self.sequence,
            conference: self.clone(),
            subject: subject.cloned(),
        };
        self.subscribers.iter().filter(wants).map(told).collect()
    }
}

/// A participant as it is kept.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent attribute of a participant")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParticipantRecord {
    /// Its id.
    pub id: ParticipantId,
    /// The conference it is or was in.
    pub conference: ConferenceId,
    /// The call that takes part.
    pub call: CallId,
    /// The party's number or SIP address.
    pub address: String,
    /// Its role.
    pub role: Role,
    /// Whether it is coaching; always false for other roles than supervisor.
    pub coaching: bool,
    /// Whether it is muted.
    pub muted: bool,
    /// Whether it is held.
    pub held: bool,
    /// Whether its arrival starts the conference.
    pub start_on_enter: bool,
    /// Whether its departure ends the conference.
    pub end_on_exit: bool,
    /// When it joined.
    pub joined_at: Timestamp,
    /// When it left.
    pub left_at: Option<Timestamp>,
    /// Why it left.
    pub exit_cause: Option<ExitCause>,
}

impl ParticipantRecord {
    /// Presence in whole billed units, in seconds; zero while inside.
    pub fn billed_seconds(&self) -> u64 {
        let present = self.left_at.map_or(Duration::ZERO, |left| left.since(self.joined_at));
        present.as_nanos().div_ceil(BILLED_UNIT.as_nanos()) as u64 * BILLED_UNIT.as_secs()
    }
}

impl CallRecord {
    /// Whether it waits to be dialled.
    pub fn is_queued(&self) -> bool {
        self.state == CallState::Queued
    }

    /// The address of the party at its other end.
    pub fn far_end(&self) -> &str {
        match self.direction {
            Direction::Inbound => &self.from,
            Direction::Outbound => &self.to,
        }
    }

    /// Whether it rings or is answered, and has not ended.
    pub const fn is_live(&self) -> bool {
        matches!(self.state, CallState::Ringing | CallState::InProgress)
    }
}

/// A call as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// Its id.
    pub id: CallId,
    /// The owning account.
    pub account: AccountId,
    /// Who set it up.
    pub direction: Direction,
    /// The calling party.
    pub from: String,
    /// The called party.
    pub to: String,
    /// The name shown to the called party, if not the calling party's own.
    pub caller_name: Option<String>,
    /// The request that placed it; none for a call that arrived.
    pub placement: Option<PlacementId>,
    /// The call whose document placed it.
    pub parent: Option<CallId>,
    /// Where it is in its life.
    pub state: CallState,
    /// When it arrived or was placed.
    pub created_at: Timestamp,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub hangup_cause: Option<HangupCause>,
    /// Who ended it.
    pub hangup_source: Option<HangupSource>,
    /// Who is told when it ends.
    pub on_end: Vec<Action>,
}
