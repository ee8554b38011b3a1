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
mod facts;
mod hangup;
pub mod rest;
pub mod sign;
mod timestamp;
mod words;
pub mod xml;

pub use billing::{RATE_PER_MINUTE, amount, billed_seconds};
pub use facts::{Call, Mpc, Participant};
pub use hangup::HangupCause;
pub use sign::Request;
pub use timestamp::Timestamp;
pub use words::{
    CallStatus, Direction, EventGroup, EventName, ExitCause, HangupSource, Method, MpcStatus, Role,
    TerminationCause,
};
