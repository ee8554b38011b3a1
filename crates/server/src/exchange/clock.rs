//! The instant at which things happen.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mixminus_control::Timestamp;

/// Wall-clock time that never runs backwards: read once at the start and
/// counted on from there, whatever the system's clock does meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    epoch: Timestamp,
}

impl Clock {
    /// A clock that shows the system's time now.
    #[expect(clippy::disallowed_methods, reason = "this is where the service reads its clock")]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), epoch: Timestamp::default() + since_epoch }
    }

    /// What it showed, or will show, at `instant`.
    pub fn at(&self, instant: Instant) -> Timestamp {
        self.epoch + instant.saturating_duration_since(self.started)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.epoch + self.started.elapsed()
    }
}
