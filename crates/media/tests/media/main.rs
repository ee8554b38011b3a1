//! The media plane over real sockets on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conversation;
mod far_end;
mod gate;
mod lifecycle;
mod moves;
mod reports;
mod stress;
mod talking;
