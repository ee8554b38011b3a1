//! Registrations across restarts: endpoints that need no connection can be called before they register again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mixminus_sip::{Binding, Flow, Registrar};
use mixminus_store::{RegistrationRecord, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::exchange::Clock;

/// How often changes are written, all of them at once. What changes later than that before the process
/// dies is known again when the phones register next.
const INTERVAL: Duration = Duration::from_secs(2);

/// Tells `registrar` what `store` has.
///
/// # Errors
///
/// [`StoreError`]; nothing is told then.
pub async fn restore(store: &dyn Store, registrar: &Registrar, clock: Clock) -> Result<(), StoreError> {
    let now = clock.now();
    let mut endpoints: BTreeMap<String, Vec<Binding>> = BTreeMap::new();
    for record in store.registrations(now).await? {
        let binding = Binding {
            contact: record.contact,
            preference: record.preference,
            path: record.path,
            flow: Flow::udp(record.peer),
            user_agent: record.user_agent,
            instance: record.instance,
            call_id: record.call_id,
            sequence: record.sequence,
            expires_at: Binding::ending_in(record.expires_at.since(now)),
        };
        endpoints.entry(record.username).or_default().push(binding);
    }
    tracing::debug!(endpoints = endpoints.len(), "registrations restored");
    for (username, bindings) in endpoints {
        registrar.restore(&username, bindings);
    }
    Ok(())
}

/// Writes what changes until `stop`, and then the rest.
pub async fn keep(store: Arc<dyn Store>, registrar: Registrar, clock: Clock, stop: CancellationToken) {
    let mut unwritten: BTreeMap<String, Vec<Binding>> = BTreeMap::new();
    let mut last = false;
    while !last {
        last = stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none();
        unwritten.extend(registrar.changes());
        if unwritten.is_empty() {
            continue;
        }
        let records: Vec<_> =
            unwritten.iter().map(|(name, all)| (name.clone(), records(name, all, clock))).collect();
        match store.save_registrations(&records).await {
            Ok(()) => unwritten.clear(),
            Err(error) => {
                tracing::error!(%error, endpoints = records.len(), "registrations were not written");
            }
        }
    }
}

fn records(username: &str, bindings: &[Binding], clock: Clock) -> Vec<RegistrationRecord> {
    let record = |binding: &Binding| {
        Some(RegistrationRecord {
            username: username.to_owned(),
            contact: binding.contact.clone(),
            peer: binding.flow.datagram_peer()?,
            preference: binding.preference,
            path: binding.path.clone(),
            user_agent: binding.user_agent.clone(),
            instance: binding.instance.clone(),
            call_id: binding.call_id.clone(),
            sequence: binding.sequence,
            expires_at: clock.now() + binding.expires_in(),
        })
    };
    bindings.iter().filter_map(record).collect()
}
