//! SIP user agent and SDP offer/answer on the chosen SIP stack.
//!
//! The stack stays behind this crate: nothing of it appears here, so it can be exchanged. It logs
//! whole messages, credentials included, at level `info`: whoever installs a log subscriber adds
//! [`LOG_DIRECTIVE`] to its filter.
//!
//! ```
//! use mixminus_sip::{CallEnd, CallEvent, OutgoingCallRequest, UserAgent, UserAgentConfig};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = UserAgentConfig { listen: vec!["udp:127.0.0.1:0".parse()?], ..UserAgentConfig::default() };
//! let (callee, mut calls) = UserAgent::start(config.clone()).await?;
//! let (caller, _) = UserAgent::start(config).await?;
//!
//! let mut outgoing = caller.call(OutgoingCallRequest {
//!     target: format!("sip:bob@{}", callee.listening()[0].address),
//!     from: "sip:alice@localhost".into(),
//!     offer: "v=0\r\n".into(),
//!     ..OutgoingCallRequest::default()
//! })?;
//! let incoming = calls.recv().await.expect("a call");
//! assert_eq!(incoming.user, "bob");
//! incoming.control.refuse(486, None);
//! let busy = CallEnd::Failed { status: 486, reason: None };
//! assert_eq!(outgoing.events.recv().await, Some(CallEvent::Ended(busy)));
//! # Ok(())
//! # }
//! ```

mod address;
mod agent;
mod alarm;
mod answer;
mod attempts;
mod between;
mod call;
mod caller;
mod dialler;
mod dialog;
mod digest;
mod door;
mod early;
mod endpoints;
mod faithful;
mod flow;
mod foreign;
mod fork;
mod gate;
mod hunt;
mod identify;
mod info;
mod limits;
mod listen;
mod location;
mod message;
mod offer;
mod place;
mod places;
mod reach;
mod reachable;
mod register;
mod registrar;
mod reliable;
mod request;
mod resolve;
pub mod sdp;
mod stream;
mod switch;
mod task;
mod timer;
mod trace;
mod transfer;
mod unfold;
mod user_agent;
mod web_socket;

pub use address::{AddressError, Cidr, ListenAddress, PeerAddress, Transport};
pub use attempts::Attempts;
pub use call::{CallControl, CallEnd, CallEvent, IncomingCall, OutgoingCall};
pub use caller::Verification;
pub use digest::{Algorithm, PasswordHashes};
pub use endpoints::{EndpointConfig, Passwords, Standing, Unavailable};
pub use foreign::{Caller, ForeignCall, Wish};
pub use limits::StreamLimits;
pub use location::{Binding, Expiry, Flow};
pub use message::Masked;
pub use place::{Credentials, OutgoingCallRequest};
pub use registrar::Registrar;
pub use trace::{CallCount, CallTrace, MessageCount, Side, Totals, Trace, TracedMessage, Way};
pub use transfer::Replaces;
pub use user_agent::{SipError, UserAgent, UserAgentConfig};
pub use web_socket::{WebSocketClient, WebSocketEnd, WebSocketInput, WebSocketOutput};

/// Keeps the messages that the SIP stack logs out of a `tracing` filter.
pub const LOG_DIRECTIVE: &str = "rsipstack=warn";
