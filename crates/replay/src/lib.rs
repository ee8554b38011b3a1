//! Logs of what bridges were given and sent, and their replay in virtual time.
//!
//! A worker that keeps a log writes what the control side has it do, what its legs contribute and what they
//! are sent. [`Player`] does the same with bridges of its own and compares every payload: the mixer reads no
//! clock and draws no random number, so they are equal bit for bit, or something is wrong.
//!
//! ```
//! use mixminus_codec::{Encoding, Format};
//! use mixminus_replay::{Event, Install, Player, Rate, Route, Seat};
//!
//! let seat = Seat { leg: 1, encoding: Encoding::from(Format::Pcmu).into() };
//! let route = Route { leg: 1, legs: vec![], prompts: vec![] };
//! let mut player = Player::default();
//! player.play(Event::Install(Install { routes: vec![route], seats: vec![seat], ..Install::default() }))?;
//! player.play(Event::Leg { leg: 1, encoding: seat.encoding, frame: None, payload: vec![0xff; 160].into() })?;
//! player.play(Event::Tick { bridge: 0 })?;
//! assert!(player.outcome().is_identical());
//! # Ok::<(), mixminus_replay::PlayError>(())
//! ```

mod event;
mod log;
mod player;

pub use event::{Event, Install, LoggedEncoding, Placed, Rate, Route, Seat};
pub use log::{LogError, MAX_EVENT_BYTES, PREAMBLE, Reader, to_bytes, write};
pub use player::{Difference, Outcome, PlayError, Player, ReplayError, replay};
