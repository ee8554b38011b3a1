//! ICE-lite (RFC 8445), without I/O: where a far end is, checked.
//!
//! A browser tries all ways to us that it knows, by STUN requests under a name and password that came by signalling,
//! and says which one it wants to be used. An [`Agent`] answers, and says where the far end is: it never searches, for
//! we have one address that everybody can reach. Nothing is taken from a datagram before its password is right.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use mixminus_ice::{Agent, Credentials, Received};
//!
//! let ours = Credentials::new("ourufrag", "a password of 22 chars").unwrap();
//! # #[expect(clippy::disallowed_methods, reason = "an example has to have some instant")]
//! let now = Instant::now();
//! let mut agent = Agent::new(ours, "their");
//! let stranger = "192.0.2.1:4000".parse().unwrap();
//! assert_eq!(agent.receive(now, stranger, b"no check at all"), Received::default());
//! assert!(agent.selected().is_none() && !agent.admits(stranger));
//! ```

mod agent;
mod credentials;
mod stun;

pub use agent::{Agent, CONSENT, MAX_DATAGRAM_BYTES, Received, is_stun};
pub use credentials::Credentials;
