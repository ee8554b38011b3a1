//! Wrong passwords by address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long wrong passwords count.
const WINDOW: Duration = Duration::from_mins(1);
/// Addresses that are remembered; the one that began longest ago makes room, and has its tries back.
const MAX_ADDRESSES: usize = 16_384;

/// How many wrong passwords came from where, whatever they were for.
#[derive(Debug)]
pub struct Attempts {
    limit: u32,
    /// When its window began, and how many there were in it.
    wrong: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl Attempts {
    /// Allows `limit` wrong passwords a minute.
    pub fn new(limit: u32) -> Self {
        Self { limit, wrong: Mutex::default() }
    }

    /// How long `source` may not try, if it has to wait.
    pub fn wait(&self, source: IpAddr, now: Instant) -> Option<Duration> {
        let (began, _) =
            self.lock().get(&network(source)).copied().filter(|(_, count)| *count >= self.limit)?;
        let wait = WINDOW.saturating_sub(now.saturating_duration_since(began));
        (!wait.is_zero()).then_some(wait)
    }

    /// Counts a wrong password.
    pub fn count(&self, source: IpAddr, now: Instant) {
        let (mut wrong, source) = (self.lock(), network(source));
        if wrong.len() >= MAX_ADDRESSES && !wrong.contains_key(&source) {
            wrong.retain(|_, (began, _)| now.saturating_duration_since(*began) < WINDOW);
            let oldest = wrong.iter().min_by_key(|(_, (began, _))| *began).map(|(address, _)| *address);
            if let Some(oldest) = oldest.filter(|_| wrong.len() >= MAX_ADDRESSES) {
                wrong.remove(&oldest);
            }
        }
        let (began, count) = wrong.entry(source).or_insert((now, 0));
        if now.saturating_duration_since(*began) >= WINDOW {
            (*began, *count) = (now, 0);
        }
        *count += 1;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, (Instant, u32)>> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever has an IPv6 address mostly has the other 2^64 of its network, too.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_guesses_waits_for_its_minute_to_end() {
        let (attempts, began) = (Attempts::new(2), crate::digest::tests::now());
        let [guesser, other] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
        attempts.count(guesser, began);
        assert!(attempts.wait(guesser, began).is_none());
        attempts.count(guesser, began + WINDOW / 2);
        assert_eq!(attempts.wait(guesser, began + WINDOW / 2), Some(WINDOW / 2));
        assert!(attempts.wait(other, began + WINDOW / 2).is_none());
        assert!(attempts.wait(guesser, began + WINDOW).is_none());
        attempts.count(guesser, began + WINDOW);
        assert!(attempts.wait(guesser, began + WINDOW).is_none());
    }

    #[test]
    fn a_crowd_of_guessers_takes_bounded_memory() {
        let (attempts, began) = (Attempts::new(1), crate::digest::tests::now());
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        let at = |number: u32| began + Duration::from_millis(number.into());
        for number in 0..=MAX_ADDRESSES as u32 {
            attempts.count(address(number), at(number));
        }
        assert_eq!(attempts.lock().len(), MAX_ADDRESSES);
        let last = at(MAX_ADDRESSES as u32);
        assert!(attempts.wait(address(0), last).is_none() && attempts.wait(address(1), last).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let (attempts, now) = (Attempts::new(1), crate::digest::tests::now());
        attempts.count("2001:db8:1:2::1".parse().unwrap(), now);
        assert!(attempts.wait("2001:db8:1:2:3::4".parse().unwrap(), now).is_some());
        assert!(attempts.wait("2001:db8:1:3::1".parse().unwrap(), now).is_none());
    }
}
