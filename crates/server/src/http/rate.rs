//! How many requests an account may send.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Span over which requests are counted, which is Plivo's.
const WINDOW: Duration = Duration::from_secs(5);

/// Lets at most so many requests through in any five seconds.
///
/// It remembers the instant of each, so the limit is exact and the wait it
/// tells is enough; the price is 16 bytes for each request of the limit.
#[derive(Debug)]
pub struct RateLimit {
    limit: usize,
    admitted: VecDeque<Instant>,
}

impl RateLimit {
    /// A limit of `limit` requests in any five seconds.
    pub const fn new(limit: usize) -> Self {
        Self { limit, admitted: VecDeque::new() }
    }

    /// Counts a request at `now`.
    ///
    /// # Errors
    ///
    /// The limit is reached; a request after the returned wait is let through.
    pub fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        while self.admitted.front().is_some_and(|at| *at + WINDOW <= now) {
            self.admitted.pop_front();
        }
        match self.admitted.front() {
            Some(oldest) if self.admitted.len() >= self.limit => Err(*oldest + WINDOW - now),
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
        let mut rate = RateLimit::new(3);
        assert_eq!(rate.admit(at(0)), Ok(()));
        assert_eq!(rate.admit(at(2)), Ok(()));
        assert_eq!(rate.admit(at(4)), Ok(()));
        assert_eq!(rate.admit(at(4)), Err(wait(1)));
        assert_eq!(rate.admit(at(5)), Ok(()));
        assert_eq!(rate.admit(at(6)), Err(wait(1)));
        assert_eq!(rate.admit(at(7)), Ok(()));
    }

    #[test]
    fn a_refused_request_does_not_count() {
        let at = clock();
        let mut rate = RateLimit::new(1);
        assert_eq!(rate.admit(at(0)), Ok(()));
        assert_eq!(rate.admit(at(4)), Err(Duration::from_secs(1)));
        assert_eq!(rate.admit(at(5)), Ok(()));
    }
}
