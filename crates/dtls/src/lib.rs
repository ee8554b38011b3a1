//! Keys for SRTP by a DTLS handshake (RFC 5763, RFC 5764), without I/O.
//!
//! A far end is whoever shows the certificate whose fingerprint came by signalling; no authority vouches for it.
//! The library does DTLS 1.2; this crate decides whom it believes and what is kept meanwhile.

mod handshake;
mod identity;

pub use handshake::{Handshake, HandshakeError, Heard, Role};
pub use identity::{Identity, IdentityError};
