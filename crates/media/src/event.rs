//! What the media plane tells the control side, and why it refuses.

use std::io;
use std::net::IpAddr;

use mixminus_mixer::{LegId, PromptId};
use mixminus_rtp::Digit;

/// Something that happened on a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// A far end pressed a key.
    Digit {
        /// The leg it belongs to.
        leg: LegId,
        /// The key.
        digit: Digit,
    },
    /// A far end began to talk or stopped; never the same twice in a row for
    /// one leg.
    Talking {
        /// The leg it belongs to.
        leg: LegId,
        /// Whether it talks now.
        talking: bool,
    },
    /// A prompt was heard to its end.
    PromptEnded {
        /// The prompt.
        prompt: PromptId,
    },
    /// A far end that should be sending has sent nothing for the configured
    /// time. Said once, until it sends again.
    MediaTimeout {
        /// The leg it belongs to.
        leg: LegId,
    },
    /// What a far end sends took so much time that it would have made other
    /// legs late. It is no longer listened to; hanging up is all that is left.
    Evicted {
        /// The leg it belongs to.
        leg: LegId,
    },
}

/// Why the media plane refused.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The configuration asks for no worker.
    #[error("there must be at least one media worker")]
    NoWorkers,
    /// The configured range holds no even port with its odd neighbour.
    #[error("the range {first}-{last} holds no pair of media ports")]
    NoPortPair {
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
    },
    /// A thread could not be started.
    #[error("a media thread did not start")]
    Thread(#[source] io::Error),
    /// The replay log cannot be written.
    #[error("the replay log cannot be written: {0}")]
    ReplayLog(#[source] io::Error),
    /// As many legs as allowed are open, or every media port is in use.
    #[error("no media port is free")]
    NoPorts,
    /// A socket could not be opened, for another reason than its port being
    /// in use.
    #[error("media port {port} of {ip} could not be opened")]
    Socket {
        /// The address it was to be bound to.
        ip: IpAddr,
        /// The port.
        port: u16,
        /// Why.
        #[source]
        error: io::Error,
    },
}
