//! Wrong passwords by address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long wrong passwords count.
const WINDOW: Duration = Duration::from_mins(1);
/// Addresses that are remembered; the one that began longest ago makes room, and has its tries back.
const MAX_ADDRESSES: usize = 16_384;

/// How many wrong passwords came from where.
#[derive(Debug)]
pub(crate) struct Attempts {
    limit: u32,
    /// When its window began, and how many there were in it.
    wrong: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl Attempts {
    /// Allows `limit` wrong passwords a minute.
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, wrong: Mutex::default() }
    }

    /// Whether `source` may not try for now.
    pub(crate) fn are_exhausted(&self, source: IpAddr, now: Instant) -> bool {
        let wrong = self.lock().get(&network(source)).copied();
        wrong.is_some_and(|(began, count)| {
            count >= self.limit && now.saturating_duration_since(began) < WINDOW
        })
    }

    /// Counts a wrong password.
    pub(crate) fn count(&self, source: IpAddr, now: Instant) {
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
        assert!(!attempts.are_exhausted(guesser, began));
        attempts.count(guesser, began + WINDOW / 2);
        assert!(attempts.are_exhausted(guesser, began + WINDOW / 2));
        assert!(!attempts.are_exhausted(other, began + WINDOW / 2));
        assert!(!attempts.are_exhausted(guesser, began + WINDOW));
        attempts.count(guesser, began + WINDOW);
        assert!(!attempts.are_exhausted(guesser, began + WINDOW));
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
        assert!(!attempts.are_exhausted(address(0), last) && attempts.are_exhausted(address(1), last));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let (attempts, now) = (Attempts::new(1), crate::digest::tests::now());
        attempts.count("2001:db8:1:2::1".parse().unwrap(), now);
        assert!(attempts.are_exhausted("2001:db8:1:2:3::4".parse().unwrap(), now));
        assert!(!attempts.are_exhausted("2001:db8:1:3::1".parse().unwrap(), now));
    }
}
