//! Load and correctness rehearsal: SIP callers who know whom they should hear.
//!
//! Every caller says something that can be told from all else: its own tone, or a recording in its
//! turn. So each knows from what it receives whom it hears, which has to be everybody in its room but
//! itself. Then one caller in each room clicks while the others are quiet, which tells how long sound
//! takes through the server.
//!
//! ```no_run
//! # #[tokio::main]
//! # async fn main() -> Result<(), mixminus_rehearse::RehearseError> {
//! use mixminus_rehearse::{Options, run};
//!
//! let report = run(Options { target: "127.0.0.1:5060".into(), ..Options::default() }).await?;
//! print!("{report}");
//! std::process::exit(i32::from(!report.passed()));
//! # }
//! ```

mod caller;
mod ear;
mod hearing;
mod media;
mod process;
mod quantiles;
mod rehearsal;
mod report;
mod target;
mod timeline;
mod voice;
mod wav;

use std::path::PathBuf;

use mixminus_sip::SipError;
use thiserror::Error;

pub use hearing::{Finding, RoomHearing, Seat};
pub use quantiles::Quantiles;
pub use rehearsal::run;
pub use report::{Calls, FailedCall, Packets, Report, ServerCost};
pub use wav::WavError;

/// Most callers of one rehearsal.
pub const MAX_CALLERS: u32 = 2000;
/// Most callers of one room: each needs a tone of its own.
pub const MAX_PARTICIPANTS: u32 = voice::TONES;
/// The longest rehearsal.
pub const MAX_SECONDS: u32 = 3600;

/// What to rehearse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The SIP server: `host[:port][;transport]`, UDP port 5060 unless said otherwise.
    pub target: String,
    /// Conferences.
    pub rooms: u32,
    /// Callers in each of them.
    pub participants: u32,
    /// Length of the conversation, after the last answer.
    pub seconds: u32,
    /// A WAV file that callers read out one after the other, instead of all sounding a tone at once.
    pub speech: Option<PathBuf>,
    /// Whom to call; `{room}` stands for the number of the room.
    pub user_pattern: String,
    /// The server's process, to measure what it uses; looked for when the server is on this machine.
    pub pid: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: "127.0.0.1:5060".into(),
            rooms: 10,
            participants: 10,
            seconds: 20,
            speech: None,
            user_pattern: "rehearse-{room}".into(),
            pid: None,
        }
    }
}

/// Why there was no rehearsal.
#[derive(Debug, Error)]
pub enum RehearseError {
    /// The target cannot be read or looked up.
    #[error("cannot find {0:?}: the target is host[:port][;transport], as in 127.0.0.1:5060;tcp")]
    Target(String),
    /// Too many or too few of something.
    #[error("{name} is {value}; {least} to {most} is possible")]
    Range {
        /// The option.
        name: &'static str,
        /// Its value.
        value: u32,
        /// The least that is possible, given the other options.
        least: u32,
        /// The most.
        most: u32,
    },
    /// The recording cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Speech {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: WavError,
    },
    /// The callers' SIP side does not start.
    #[error(transparent)]
    Sip(#[from] SipError),
    /// The callers' media side does not start.
    #[error("cannot start the callers' media: {0}")]
    Media(#[from] std::io::Error),
    /// Not one call was answered.
    #[error("not one of {placed} calls was answered; the first: {reason}")]
    NobodyAnswered {
        /// Calls placed.
        placed: usize,
        /// What became of the first.
        reason: String,
    },
}
