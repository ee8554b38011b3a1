//! The registrar as the application sees it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::location::{Binding, Location, OutOfOrder, Wish};

/// Knows where endpoints are. Its copies are one registrar.
#[derive(Clone, Default)]
pub struct Registrar(Arc<Mutex<Location>>);

impl Registrar {
    /// The contacts of an endpoint, those that it prefers first; none if it is not registered.
    pub fn bindings(&self, username: &str) -> Vec<Binding> {
        self.lock().bindings(username, now())
    }

    /// Whether an endpoint can be called.
    pub fn is_registered(&self, username: &str) -> bool {
        self.lock().is_registered(username, now())
    }

    /// Forgets the contacts of an endpoint, as when it is deleted or its password changes.
    pub fn forget(&self, username: &str) {
        self.lock().forget(username);
    }

    /// Takes in the contacts of an endpoint that [`Registrar::changes`] told at another time.
    pub fn restore(&self, username: &str, bindings: Vec<Binding>) {
        self.lock().restore(username, bindings);
    }

    /// The endpoints whose contacts changed since the last call, with all their contacts.
    pub fn changes(&self) -> Vec<(String, Vec<Binding>)> {
        let now = now();
        let mut location = self.lock();
        let changed = location.changes(now);
        let told = changed.into_iter().map(|username| {
            let bindings = location.bindings(&username, now);
            (username, bindings)
        });
        told.collect()
    }

    /// Does what a REGISTER asks for and tells the contacts that there are then.
    pub(crate) fn register(
        &self,
        username: &str,
        request: (&str, u32),
        wish: Wish,
        now: Instant,
    ) -> Result<Vec<Binding>, OutOfOrder> {
        let mut location = self.lock();
        location.register(username, request, wish, now)?;
        Ok(location.bindings(username, now))
    }

    fn lock(&self) -> MutexGuard<'_, Location> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registrar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registrar").finish_non_exhaustive()
    }
}

impl Binding {
    /// How long it still lasts.
    pub fn expires_in(&self) -> Duration {
        self.expires_at.saturating_duration_since(now())
    }

    /// When something ends that still lasts `duration`.
    pub fn ending_in(duration: Duration) -> Instant {
        now() + duration
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the registrar is the edge where registrations get their instant"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
