//! The user agent on loopback.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod attacks;
mod calls;
mod common;
mod early;
mod hunting;
mod injection;
mod outgoing;
mod registering;
mod reliable;
mod secure;
mod session;
mod stream;
mod streams;
mod torture;
mod trace;
mod transfer;
mod trunk;
mod ways;
mod wire;
