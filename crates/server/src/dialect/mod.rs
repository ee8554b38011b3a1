//! Between Plivo's language and ours: documents, requests and records.
//!
//! `plivo` knows nothing of conferences and `control` nothing of Plivo; what
//! one calls a member the other calls a participant, and this is where the
//! words meet.

mod callback;
mod command;
mod document;
mod endpoint;
mod input;
mod join;
mod plain;
mod resource;
mod rest;
mod sounds;
mod stream;
mod words;

pub use callback::{
    call, call_callback_parameters, callback_parameters, fetch_parameters, message_parameters,
    recording_callback_parameters, request, transcript_parameters,
};
pub use command::{
    call_id, calls, cancel, invitation, play, record_call, recording_terms, said, send_digits, speak,
    stop_recording, transfer,
};
pub use document::{Means, document};
pub use endpoint::{ADDRESS_QUERY, ENDPOINT_DOMAIN, call_id_header, endpoint_name, is_application};
pub use join::{conference, digits, to_url};
pub use plain::participant_callback_parameters;
pub use resource::{application, endpoint, http_method, recording, recording_filter, transcription};
pub use rest::{
    call_filter, change, conference_filter, instant, members, mpc, participant, participant_filter, selector,
};
pub use sounds::{plain_voice, sounds};
pub use stream::{audio_track, plivo_format, start_stream, stream, stream_format};
pub use words::{event_name, role};

pub use mixminus_plivo::callback::MessageStatus;

#[cfg(test)]
pub(crate) mod samples;
