//! Plivo's language: REST types, XML documents, callbacks, signatures.
//!
//! Pure: bytes and values in, values and bytes out. Nothing here knows how
//! calls are handled; Plivo's own words are kept because its clients read
//! them. [`Mpc`], [`Participant`] and [`Call`] are what is known of a thing;
//! [`rest`] and [`callback`] write it the two ways that Plivo does, [`xml`]
//! reads what an application answers, and [`sign`] proves who asked.
//!
//! ```
//! use mixminus_plivo::xml::{self, Element, Limits};
//!
//! let base = "https://app.example/answer".parse()?;
//! let answer = br#"<Response><MultiPartyCall role="Agent">support</MultiPartyCall></Response>"#;
//! let document = xml::parse(answer, &base, &Limits::default())?;
//! let Element::MultiPartyCall(call) = &document.elements[0] else { panic!("not a conference") };
//! assert_eq!(call.name, "support");
//! assert_eq!(call.max_participants, 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod billing;
pub mod callback;
mod events;
mod facts;
mod hangup;
mod join;
mod keys;
mod media;
mod party;
pub mod rest;
pub mod sign;
mod sip_headers;
pub mod stream;
mod timestamp;
mod tuning;
mod voice;
mod words;
pub mod xml;

pub use billing::{RATE_PER_MINUTE, amount, billed_seconds};
pub use events::{EventGroup, EventName};
pub use facts::{Call, Mpc, Participant, RecordingFile, StirVerification};
pub use hangup::HangupCause;
pub use join::{
    AiAgentStream, MAX_NAME_CHARS, MAX_URL_BYTES, MultiPartyCall, Recording, Sound, StatusCallback, Target,
};
pub use keys::{Key, MAX_KEYS};
pub use media::{AudioTrack, MAX_EXTRA_HEADERS_BYTES, StreamFormat, Transcription, TranscriptionType};
pub use party::{Destination, MAX_CALLER_NAME_CHARS, MAX_NUMBER_DIGITS, MAX_SIP_URI_BYTES};
pub use sign::Request;
pub use sip_headers::{MAX_SIP_HEADER_NAME_BYTES, MAX_SIP_HEADER_VALUE_BYTES, MAX_SIP_HEADERS, SipHeaders};
pub use timestamp::Timestamp;
pub use tuning::{Failure, Tuning};
pub use voice::{DEFAULT_LANGUAGE, Gender, LANGUAGES, POLLY, Voice, VoiceError};
pub use words::{
    CallStatus, Direction, ExitCause, FileFormat, HangupSource, Method, MpcStatus, RecordingState, Role,
    TerminationCause,
};
