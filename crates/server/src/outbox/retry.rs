use std::time::Duration;

use mixminus_control::Timestamp;
use mixminus_plivo::Tuning;
use mixminus_store::QueuedCallback;

use crate::tuned::failure;
use crate::web::WebError;

/// When a callback that failed is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The first pause; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// How long after it was queued a callback that fails again is given up.
    pub give_up_after: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_mins(5),
            give_up_after: Duration::from_hours(24),
        }
    }
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Acknowledged.
    Delivered,
    /// To be sent again.
    Failed { next_attempt_at: Timestamp, error: String },
    /// Given up.
    Dead { error: String },
}

impl Retry {
    /// What to do after `error` at `now`, as far as the fragment of the callback's URL leaves it open.
    pub(super) fn after(&self, queued: &QueuedCallback, error: &WebError, now: Timestamp) -> Outcome {
        let tuning = Tuning::of(&queued.callback.url);
        let give_up_after = tuning.total.unwrap_or(self.give_up_after).min(self.give_up_after);
        let too_old = now.since(queued.queued_at) >= give_up_after
            || tuning.retries.is_some_and(|most| queued.attempts >= most);
        let permanent = error.is_permanent() || !tuning.retries_after(failure(error));
        let error = error.to_string();
        if too_old || permanent {
            return Outcome::Dead { error };
        }
        let doubled =
            2_u32.checked_pow(queued.attempts).and_then(|factor| self.first_pause.checked_mul(factor));
        let pause = doubled.map_or(self.longest_pause, |pause| pause.min(self.longest_pause));
        Outcome::Failed { next_attempt_at: now + pause, error }
    }
}

#[cfg(test)]
mod tests {
    use mixminus_control::{AccountId, ConferenceId, HttpMethod};
    use mixminus_store::{NewCallback, OrderKey};
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn refused() -> WebError {
        WebError::Status { host: "customer.example".into(), status: 500 }
    }

    fn queued(attempts: u32, age: Duration) -> QueuedCallback {
        let callback = NewCallback {
            id: Uuid::nil(),
            account: AccountId(String::new()),
            order: OrderKey::Conference(ConferenceId(Uuid::nil())),
            sequence: 1,
            url: "http://customer.example/".into(),
            method: HttpMethod::Post,
            params: Vec::new(),
            created_at: Timestamp::default(),
        };
        let queued_at = Timestamp::from_micros(NOW.as_micros() - age.as_micros() as i64);
        QueuedCallback { callback, attempts, queued_at }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let error = refused().to_string();
        for (attempts, pause_s) in
            [(0, 1), (1, 2), (2, 4), (7, 128), (8, 256), (9, 300), (31, 300), (32, 300), (u32::MAX, 300)]
        {
            let outcome = Retry::default().after(&queued(attempts, Duration::ZERO), &refused(), NOW);
            let next_attempt_at = NOW + Duration::from_secs(pause_s);
            assert_eq!(outcome, Outcome::Failed { next_attempt_at, error: error.clone() }, "{attempts}");
        }
    }

    #[test]
    fn a_day_old_callback_that_fails_is_given_up() {
        let day = Duration::from_hours(24);
        let young = day.checked_sub(Duration::from_micros(1)).unwrap();
        let after = |age| Retry::default().after(&queued(300, age), &refused(), NOW);
        assert!(matches!(after(young), Outcome::Failed { .. }));
        assert!(matches!(after(day), Outcome::Dead { .. }));
    }

    #[test]
    fn a_fragment_says_how_often_how_long_and_after_what_a_callback_is_sent_again() {
        let again = |fragment: &str, attempts, age_s| {
            let mut queued = queued(attempts, Duration::from_secs(age_s));
            queued.callback.url = format!("http://customer.example/#{fragment}");
            matches!(Retry::default().after(&queued, &refused(), NOW), Outcome::Failed { .. })
        };
        for (fragment, attempts, age_s, expected) in [
            ("", 9, 3600, true),
            ("rc=2", 1, 3600, true),
            ("rc=2", 2, 3, false),
            ("rc=0", 0, 0, false),
            ("tt=5000", 3, 4, true),
            ("tt=5000", 3, 5, false),
            ("rp=4xx,ct", 0, 0, false),
            ("rp=5xx", 0, 0, true),
        ] {
            assert_eq!(again(fragment, attempts, age_s), expected, "{fragment}");
        }
    }

    #[test]
    fn what_can_never_be_sent_is_given_up_at_once() {
        let scheme = WebError::Scheme("ftp".into());
        let outcome = Retry::default().after(&queued(0, Duration::ZERO), &scheme, NOW);
        let error = "only http and https URLs are requested, not ftp".into();
        assert_eq!(outcome, Outcome::Dead { error });
    }
}
