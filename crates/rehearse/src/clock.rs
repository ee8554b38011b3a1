//! Time as it passes.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

#[expect(clippy::disallowed_methods, reason = "the rehearsal measures time as it passes")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The kernel's clock, by which it stamps packets.
#[expect(clippy::disallowed_methods, reason = "the rehearsal measures time as it passes")]
pub(crate) fn wall() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "packets leave at absolute deadlines")]
pub(crate) fn sleep(duration: Duration) {
    thread::sleep(duration);
}
