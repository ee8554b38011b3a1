//! Between Plivo's language and ours: documents, requests and records.
//!
//! `plivo` knows nothing of conferences and `control` nothing of Plivo; what
//! one calls a member the other calls a participant, and this is where the
//! words meet.

mod callback;
mod document;
mod rest;
mod words;

pub use callback::{callback_parameters, fetch_parameters, request};
pub use document::document;
pub use rest::{
    change, conference_filter, day, instant, members, mpc, participant, participant_filter, refusal, selector,
};

#[cfg(test)]
pub(crate) mod samples;
