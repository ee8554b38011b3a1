//! The media plane over real sockets on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conversation;
mod digits;
mod far_end;
mod formats;
mod gate;
mod lifecycle;
mod load;
mod moves;
mod protection;
mod replay;
mod reports;
mod stress;
mod talking;
mod taps;
