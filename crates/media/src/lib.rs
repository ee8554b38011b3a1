//! Media workers: sockets, tick clock, legs and bridges.
//!
//! [`Media`] is the control side's handle; it never waits. Behind it,
//! worker threads own bridges with all their legs and tick every 20 ms.
//! What goes to a worker and what comes back travels in boxes through bounded
//! rings, so a worker never allocates, frees, locks or waits for anyone.
//!
//! ```no_run
//! use std::net::Ipv4Addr;
//! use std::time::Duration;
//!
//! use mixminus_media::{Media, MediaConfig};
//! use mixminus_mixer::{BridgeId, MixPlan, SinkRoutes};
//!
//! let (media, mut events) = Media::start(MediaConfig {
//!     bind_ip: Ipv4Addr::LOCALHOST.into(),
//!     ports: 20_000..=29_999,
//!     workers: 2,
//!     media_timeout: Duration::from_secs(60),
//!     max_legs: 1_000,
//!     max_busy_percent: 70,
//!     replay_log: None,
//! })?;
//! let (leg, address) = media.open_leg()?;
//! println!("send audio to {address}");
//! let alone = [SinkRoutes { leg, hears: vec![] }];
//! media.install(BridgeId(1), MixPlan::compile(&alone)?);
//! # let _ = events.try_recv();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cadence;
mod clock;
mod counters;
mod dialing;
mod errand;
mod event;
mod expected_loss;
mod gate;
mod janitor;
mod leg;
mod link;
mod load;
mod media;
mod meter;
mod open_bridge;
mod order;
mod ports;
mod preparer;
mod protection;
mod published;
mod registry;
mod remote;
mod replay_log;
mod reports;
mod side_channel;
mod socket;
mod stamped;
mod streams;
mod tick;
mod timeline;
mod voice;
mod worker;

pub use counters::{BUCKETS_US, Histogram, MediaCounters, Traffic};
pub use dialing::MAX_DIGITS_WAITING;
pub use event::{MediaError, MediaEvent};
pub use load::{BridgeState, Load, WorkerLoad};
pub use media::{Media, MediaConfig};
pub use protection::Security;
pub use remote::{Direction, RemoteMedia, Whereabouts};
pub use replay_log::ReplayLog;
pub use side_channel::SideChannel;
pub use streams::{Mean, StreamTotals};
pub use voice::Voice;
