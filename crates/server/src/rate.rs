//! How often something may be asked for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mixminus_control::AccountId;

/// Span over which an account's requests are counted, which is Plivo's.
const REQUESTS_WINDOW: Duration = Duration::from_secs(5);

/// One limit for each account, so that none uses up another's requests. There
/// are no more than accounts that were admitted.
#[derive(Debug)]
pub struct RateLimits {
    limit: usize,
    by_account: Mutex<HashMap<AccountId, RateLimit>>,
}

impl RateLimits {
    /// `limit` requests of each account in any five seconds.
    pub fn new(limit: usize) -> Self {
        Self { limit, by_account: Mutex::default() }
    }

    /// Counts a request of `account` at `now`.
    ///
    /// # Errors
    ///
    /// As [`RateLimit::admit`].
    pub fn admit(&self, account: &AccountId, now: Instant) -> Result<(), Duration> {
        let mut by_account = self.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rate) = by_account.get_mut(account) {
            return rate.admit(now);
        }
        by_account.entry(account.clone()).or_insert(RateLimit::new(self.limit, REQUESTS_WINDOW)).admit(now)
    }

    /// Forgets an account that is gone.
    pub fn remove(&self, account: &AccountId) {
        self.by_account.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}

/// Lets at most so many requests through in any span of a length.
///
/// It remembers the instant of each, so the limit is exact and the wait it
/// tells is enough; the price is 16 bytes for each request of the limit.
#[derive(Debug)]
pub struct RateLimit {
    limit: usize,
    window: Duration,
    admitted: VecDeque<Instant>,
}

impl RateLimit {
    /// A limit of `limit` requests in any span as long as `window`.
    pub const fn new(limit: usize, window: Duration) -> Self {
        Self { limit, window, admitted: VecDeque::new() }
    }

    /// Counts a request at `now`.
    ///
    /// # Errors
    ///
    /// The limit is reached; a request after the returned wait is let through.
    pub fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        while self.admitted.front().is_some_and(|at| *at + self.window <= now) {
            self.admitted.pop_front();
        }
        match self.admitted.front() {
            Some(oldest) if self.admitted.len() >= self.limit => Err(*oldest + self.window - now),
            _ => {
                self.admitted.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn clock() -> impl Fn(u64) -> Instant {
        let origin = Instant::now();
        move |seconds| origin + Duration::from_secs(seconds)
    }

    #[test]
    fn the_limit_holds_in_any_window() {
        let at = clock();
        let wait = Duration::from_secs;
        let mut rate = RateLimit::new(3, REQUESTS_WINDOW);
        assert_eq!(rate.admit(at(0)), Ok(()));
        assert_eq!(rate.admit(at(2)), Ok(()));
        assert_eq!(rate.admit(at(4)), Ok(()));
        assert_eq!(rate.admit(at(4)), Err(wait(1)));
        assert_eq!(rate.admit(at(5)), Ok(()));
        assert_eq!(rate.admit(at(6)), Err(wait(1)));
        assert_eq!(rate.admit(at(7)), Ok(()));
    }

    #[test]
    fn accounts_do_not_use_up_each_others_requests() {
        let at = clock();
        let rates = RateLimits::new(1);
        let (one, other) = (AccountId("MA1".into()), AccountId("SA1".into()));
        assert_eq!(rates.admit(&one, at(0)), Ok(()));
        assert_eq!(rates.admit(&one, at(1)), Err(Duration::from_secs(4)));
        assert_eq!(rates.admit(&other, at(1)), Ok(()));
    }

    #[test]
    fn a_refused_request_does_not_count() {
        let at = clock();
        let mut rate = RateLimit::new(1, REQUESTS_WINDOW);
        assert_eq!(rate.admit(at(0)), Ok(()));
        assert_eq!(rate.admit(at(4)), Err(Duration::from_secs(1)));
        assert_eq!(rate.admit(at(5)), Ok(()));
    }
}
