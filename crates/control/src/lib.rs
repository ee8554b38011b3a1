//! Accounts, calls, conferences, participants and the routing policy, without I/O.
//!
//! [`Switchboard`] is the whole control plane as one state machine:
//! `handle(input, now) -> effects`. It reads no clock, draws no randomness of
//! its own and opens nothing; the server executes the [`Effect`]s and feeds
//! what happened back as [`Input`]s. Every vendor's API is translated into the
//! [`Command`]s and [`Document`]s defined here.
//!
//! Who hears whom is decided by [`policy::audible`] and nowhere else.

mod application;
mod call;
mod callback;
mod command;
mod conference;
mod context;
mod digit_matcher;
mod effect;
mod input;
mod instruction;
pub mod policy;
mod record;
mod recording;
mod switchboard;

pub use callback::{
    Answerer, CallCallback, CallEvent, CallbackEvent, Collected, ConferenceEvent, ConnectionEnd, DialStep,
    Dialled, Entry, ParticipantCallback, ParticipantEvent, PressedDigits, RecordReport, RecordingCallback,
    RecordingEvent, StreamEvent, Subject, Understood,
};
pub use command::{
    CallChange, Calls, Command, CommandError, ConferenceChange, Invitation, Invited, Legs, Members, Outcome,
    Parent, ParticipantChange, Placed, PlayKind, Playback, RecordChange, RecordScope, Selector,
};
pub use effect::{
    Effect, Fetch, FetchId, FetchPurpose, Handover, Listen, Listened, News, OpenStream, OutgoingMessage,
    PlaceCall, PromptContent, Prosody, RecordedParty, RecordingEntry, RecordingLayout, Repeat, RequestId,
    StartRecording, TimerId,
};
pub use input::{
    Application, Arrival, DialError, FetchError, Heard, Input, Introduction, LegEnd, Likelihood, Recorded,
    RecordingFault, Refusal, StreamNews, Successor, Verification,
};
pub use instruction::{
    Action, AutomaticRecording, Await, Beep, CallUrls, Collect, CollectKind, ConferenceRequest, Confirm,
    Credentials, Destination, Dial, DialMusic, DialTerms, Document, EventGroup, HttpMethod, Instruction,
    MachineDetection, OwnCallback, Record, RecordSpan, RecordingTerms, Report, Sound, SpeechModel,
    SpeechTerms, StatusCallback, StreamAudience, StreamFormat, StreamTerms, StreamTrack, Suppression,
    TextMessage, TranscriptTerms, Turn,
};
pub use record::{
    AccountId, ApplicationId, ApplicationRecord, CallId, CallRecord, CallState, ConferenceId, ConferenceKind,
    ConferenceRecord, ConferenceState, Direction, EndCause, EndpointId, EndpointRecord, ExitCause,
    HangupCause, HangupSource, MessageId, ParticipantId, ParticipantRecord, PasswordDigests, PlacementId,
    RecordedFrom, RecordingFormat, RecordingId, RecordingRecord, RecordingState, RecordingTrack, StreamId,
    StreamRecord, StreamState, Timestamp, TranscriptRecord, TranscriptState,
};
pub use switchboard::{Limits, Switchboard};
