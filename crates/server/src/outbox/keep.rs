use std::sync::Arc;
use std::time::Duration;

use mixminus_control::Timestamp;
use mixminus_store::{Forget, Store};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Now;

/// How often is looked for what may be forgotten.
const PAUSE: Duration = Duration::from_mins(1);

/// How long callbacks are kept once they are settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Those that were acknowledged.
    pub delivered: Duration,
    /// Those that were given up.
    pub dead: Duration,
}

impl Keep {
    /// Forgets what is older, every minute until `stop`.
    pub async fn run(self, store: Arc<dyn Store>, now: Now, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = store.forget_callbacks(self.at(now())).await {
                tracing::error!(%error, "old callbacks were not deleted");
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    fn at(self, now: Timestamp) -> Forget {
        let before = |age: Duration| {
            let age_us = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
            Timestamp::from_micros(now.as_micros().saturating_sub(age_us))
        };
        Forget { delivered_before: before(self.delivered), dead_before: before(self.dead) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_may_be_kept_longer_than_what_was_delivered() {
        let keep = Keep { delivered: Duration::from_secs(1), dead: Duration::from_secs(3) };
        let expected = Forget {
            delivered_before: Timestamp::from_micros(9_000_000),
            dead_before: Timestamp::from_micros(7_000_000),
        };
        assert_eq!(keep.at(Timestamp::from_micros(10_000_000)), expected);
    }
}
