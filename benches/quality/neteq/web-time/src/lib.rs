//! The part of `web-time` that `neteq` uses, on a clock that is set by hand.

use std::sync::atomic::{AtomicU64, Ordering};

pub use std::time::Duration;

static NOW_US: AtomicU64 = AtomicU64::new(0);

/// Sets what [`Instant::now`] returns.
pub fn set(now: Duration) {
    NOW_US.store(now.as_micros() as u64, Ordering::Relaxed);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    pub fn now() -> Self {
        Self(Duration::from_micros(NOW_US.load(Ordering::Relaxed)))
    }

    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    pub fn duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub fn checked_add(self, by: Duration) -> Option<Self> {
        self.0.checked_add(by).map(Self)
    }
}
