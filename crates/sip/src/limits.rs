//! How many connections there may be, and how slow.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::debug;

/// Limits of connections: TCP, TLS and WebSocket. Datagrams know neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Connections at one time; more are closed at once.
    pub max_connections: usize,
    /// Connections at one time with one IP address.
    pub max_per_address: usize,
    /// How long a peer may take to connect, and for its part of the TLS handshake.
    pub handshake: Duration,
    /// How long a message may take from its first byte to its last, in either direction.
    pub message: Duration,
    /// How long a peer may be silent before anything was agreed with it: a call, a registration.
    pub unused: Duration,
    /// How long it may be silent after that. A call that lasts has nothing to say, so this is longer
    /// than calls are; that the peer still exists is checked by the kernel.
    pub silence: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            max_per_address: 256,
            handshake: Duration::from_secs(10),
            message: Duration::from_secs(20),
            unused: Duration::from_mins(3),
            silence: Duration::from_hours(8),
        }
    }
}

/// The places that connections take.
#[derive(Debug)]
pub(crate) struct Places {
    max: usize,
    max_per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection's place; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    pub(crate) fn new(limits: &StreamLimits) -> Arc<Self> {
        let StreamLimits { max_connections: max, max_per_address, .. } = *limits;
        Arc::new(Self { max, max_per_address, taken: Mutex::default() })
    }

    /// A place for a connection with `address`, if there is one left.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut taken = self.taken();
        let of_address = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.all >= self.max || of_address >= self.max_per_address {
            debug!(%address, all = taken.all, of_address, "too many connections");
            return None;
        }
        taken.all += 1;
        taken.by_address.insert(address, of_address + 1);
        Some(Place { places: Arc::clone(self), address })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        if let Some(count) = taken.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_for_each_address_and_for_all() {
        let limits = StreamLimits { max_connections: 3, max_per_address: 2, ..StreamLimits::default() };
        let places = Places::new(&limits);
        let take = |last: u8| places.take([192, 0, 2, last].into());
        let (first, second) = (take(1).unwrap(), take(1).unwrap());
        assert!(take(1).is_none());
        let third = take(2).unwrap();
        assert!(take(3).is_none());
        drop((first, second));
        assert!(take(1).is_some() && places.taken().by_address.len() == 1);
        drop(third);
        assert_eq!(places.taken().all, 0);
    }
}
