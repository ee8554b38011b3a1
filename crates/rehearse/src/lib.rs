//! Load and correctness rehearsal: SIP callers who know whom they should hear.
//!
//! At first every caller sounds a tone that can be told from all else. So each knows from what it receives
//! whom it hears, which has to be everybody in its room but itself. Then all talk at once, which tells what
//! the server spends. Last the callers of each room click in turn while the rest of it is quiet, which tells how long
//! sound takes through the server. All that is said is encoded beforehand, and one thread sends it for
//! everybody, so that the rehearsal takes little from the server beside it.
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

mod arrivals;
mod caller;
mod click;
mod clock;
mod delay;
mod ear;
#[cfg(test)]
mod hall;
mod hearing;
mod listening;
mod network;
mod process;
mod quantiles;
mod rehearsal;
mod repertoire;
mod report;
mod sending;
mod speech;
mod target;
mod timeline;
mod tones;
mod wav;

use std::path::PathBuf;

use mixminus_codec::Format;
use mixminus_sip::SipError;
use thiserror::Error;

pub use delay::{AddedDelay, StallDelay};
pub use hearing::{Finding, RoomHearing, Seat};
pub use network::{AfterStall, Network};
pub use quantiles::Quantiles;
pub use rehearsal::run;
pub use report::{Calls, Cost, FailedCall, Packets, Report};
pub use wav::WavError;

/// Most callers of one rehearsal.
pub const MAX_CALLERS: u32 = 2000;
/// Most who talk in one room: each needs a tone of its own.
pub const MAX_TALKERS: u32 = tones::TONES;
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
    /// How many of them talk; all, unless said otherwise. The others send digital silence.
    pub talkers: Option<u32>,
    /// How many callers of all decode and judge what they get; the others count packets. All, or
    /// [`OPUS_LISTENERS`](Self::OPUS_LISTENERS) with Opus, unless said otherwise.
    pub listeners: Option<u32>,
    /// Length of the conversation, after the last answer.
    pub seconds: u32,
    /// What the callers speak.
    pub codec: Format,
    /// Whether they send nothing, or what Opus makes of it, while they say nothing.
    pub dtx: bool,
    /// What their packets go through.
    pub network: Network,
    /// A WAV file with what callers talk about, each from another place; the first 30 seconds of it.
    pub speech: Option<PathBuf>,
    /// Whom to call; `{room}` stands for the number of the room.
    pub user_pattern: String,
    /// The server's process, to measure what it uses; looked for when the server is on this machine.
    pub pid: Option<u32>,
}

impl Options {
    /// How many listen to Opus: each of them takes a share of the machine that the server may need.
    pub const OPUS_LISTENERS: u32 = 40;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: "127.0.0.1:5060".into(),
            rooms: 10,
            participants: 10,
            talkers: None,
            listeners: None,
            seconds: 30,
            codec: Format::Pcmu,
            dtx: false,
            network: Network::default(),
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
