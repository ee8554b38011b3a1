//! Who is asking, and whether that address may ask again.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::account::{Accounts, Caller};
use crate::http::now;
use crate::http::reply::ApiError;

/// Span over which wrong passwords are counted.
const WINDOW: Duration = Duration::from_mins(1);
/// Addresses remembered at once; beyond, the one that failed longest ago is
/// forgotten, which gives it its tries back.
const MAX_ADDRESSES: usize = 10_000;

/// The address of the far end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Who `request` is by.
///
/// # Errors
///
/// 401 without credentials of an account; 429 from an address that sent too many wrong ones.
pub fn authenticate(request: &Request, accounts: &Accounts, failures: &Failures) -> Result<Caller, ApiError> {
    let header = request.headers().get(AUTHORIZATION).ok_or_else(ApiError::unauthorized)?;
    let peer = request.extensions().get::<Peer>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0);
    let now = now();
    failures.check(peer, now).map_err(ApiError::too_many_requests)?;
    let given = basic(header.as_bytes());
    given.and_then(|(id, token)| accounts.admit(&id, &token)).ok_or_else(|| {
        failures.count(peer, now);
        ApiError::unauthorized()
    })
}

fn basic(header: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, encoded) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut id = STANDARD.decode(encoded.trim_ascii()).ok()?;
    let colon = id.iter().position(|byte| *byte == b':')?;
    let token = id.split_off(colon + 1);
    id.truncate(colon);
    Some((id, token))
}

/// Wrong passwords by address.
#[derive(Debug)]
pub struct Failures {
    limit: usize,
    by_address: Mutex<HashMap<IpAddr, Tries>>,
}

#[derive(Clone, Copy, Debug)]
struct Tries {
    since: Instant,
    count: usize,
}

impl Failures {
    /// So many of one address in a minute make it wait for the rest of that minute.
    pub fn new(limit: usize) -> Self {
        Self { limit, by_address: Mutex::default() }
    }

    /// The wait, if `address` has to wait.
    pub(super) fn check(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        match self.lock().get(&network(address)) {
            Some(tries) if tries.count >= self.limit && now < tries.since + WINDOW => {
                Err(tries.since + WINDOW - now)
            }
            _ => Ok(()),
        }
    }

    /// Counts a wrong password of `address`.
    pub(super) fn count(&self, address: IpAddr, now: Instant) {
        let mut by_address = self.lock();
        let address = network(address);
        if by_address.len() >= MAX_ADDRESSES && !by_address.contains_key(&address) {
            by_address.retain(|_, tries| now < tries.since + WINDOW);
            let oldest = by_address.iter().min_by_key(|(_, tries)| tries.since).map(|(address, _)| *address);
            if let Some(oldest) = oldest.filter(|_| by_address.len() >= MAX_ADDRESSES) {
                by_address.remove(&oldest);
            }
        }
        let tries = by_address.entry(address).or_insert(Tries { since: now, count: 0 });
        if now >= tries.since + WINDOW {
            *tries = Tries { since: now, count: 0 };
        }
        tries.count += 1;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Tries>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_waits_for_the_rest_of_the_minute_and_others_do_not() {
        let (failures, start) = (Failures::new(2), now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        failures.count(one, at(0));
        assert_eq!(failures.check(one, at(10)), Ok(()));
        failures.count(one, at(10));
        assert_eq!(failures.check(one, at(20)), Err(Duration::from_secs(40)));
        assert_eq!(failures.check(other, at(20)), Ok(()));
        assert_eq!(failures.check(one, at(60)), Ok(()));
        failures.count(one, at(60));
        assert_eq!(failures.check(one, at(60)), Ok(()), "the count began anew");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_a_mapped_ipv4_address_is_itself() {
        assert_eq!(network(address("2001:db8:1:2:3:4:5:6")), network(address("2001:db8:1:2::1")));
        assert_ne!(network(address("2001:db8:1:3::1")), network(address("2001:db8:1:2::1")));
        assert_eq!(network(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }

    #[test]
    fn no_more_addresses_are_remembered_than_fit() {
        let (failures, start) = (Failures::new(1), now());
        let address = |number: u32| IpAddr::from(Ipv4Addr::from_bits(number));
        for number in 0..=MAX_ADDRESSES as u32 {
            failures.count(address(number), start + Duration::from_millis(number.into()));
        }
        assert_eq!(failures.lock().len(), MAX_ADDRESSES);
        let last = start + Duration::from_millis(MAX_ADDRESSES as u64);
        assert_eq!(failures.check(address(0), last), Ok(()), "the oldest was forgotten");
        assert!(failures.check(address(1), last).is_err());
    }
}
