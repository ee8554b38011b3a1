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
mod command;
mod conference;
mod context;
mod effect;
mod instruction;
pub mod policy;
mod record;
mod switchboard;

pub use command::{Command, CommandError, Members, ParticipantChange, Selector};
pub use effect::{
    Application, Arrival, CallbackEvent, ConferenceEvent, Effect, Fetch, FetchError, FetchPurpose, Input,
    LegEnd, PromptContent, Refusal, Repeat, RequestId, TimerId,
};
pub use instruction::{
    Action, ConferenceRequest, Document, EventGroup, HttpMethod, Instruction, Sound, StatusCallback,
};
pub use record::{
    AccountId, CallId, CallRecord, CallState, ConferenceId, ConferenceRecord, ConferenceState, Direction,
    EndCause, ExitCause, HangupCause, HangupSource, ParticipantId, ParticipantRecord, Timestamp,
};
pub use switchboard::{Limits, Switchboard};
