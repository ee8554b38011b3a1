use std::collections::HashMap;
use std::future::Future;

use mixminus_store::QueuedCallback;
use tokio::task::{Id, JoinSet};
use uuid::Uuid;

/// Deliveries at the same time. More would finish a burst sooner at the price
/// of more connections to one customer at once.
const MAX_ACTIVE: usize = 16;

/// Of these, attempts at what failed before: servers that hang until the
/// time-out leave half of the room to those that answer.
const MAX_RETRIES: usize = MAX_ACTIVE / 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Retry,
}

/// The deliveries under way.
#[derive(Default)]
pub(super) struct Active {
    deliveries: JoinSet<()>,
    callbacks: HashMap<Id, (Uuid, Attempt)>,
}

impl Active {
    pub fn is_empty(&self) -> bool {
        self.callbacks.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.callbacks.len() >= MAX_ACTIVE
    }

    /// How many heads of queues to ask for: those under way are among them.
    pub fn wanted(&self) -> u32 {
        (MAX_ACTIVE + self.callbacks.len()) as u32
    }

    pub fn admits(&self, queued: &QueuedCallback) -> bool {
        let mut active = self.callbacks.values();
        let retries = active.clone().filter(|(_, attempt)| *attempt == Attempt::Retry).count();
        !self.is_full()
            && active.all(|(id, _)| *id != queued.callback.id)
            && (attempt(queued) == Attempt::First || retries < MAX_RETRIES)
    }

    pub fn start(&mut self, queued: &QueuedCallback, delivery: impl Future<Output = ()> + Send + 'static) {
        let task = self.deliveries.spawn(delivery).id();
        self.callbacks.insert(task, (queued.callback.id, attempt(queued)));
    }

    /// Waits until one of them is done.
    pub async fn finished(&mut self) {
        let task = match self.deliveries.join_next_with_id().await {
            Some(Ok((task, ()))) => task,
            Some(Err(error)) => {
                tracing::error!(%error, "a delivery broke off");
                error.id()
            }
            None => return,
        };
        self.callbacks.remove(&task);
    }
}

const fn attempt(queued: &QueuedCallback) -> Attempt {
    if queued.attempts == 0 { Attempt::First } else { Attempt::Retry }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::tests::callbacks;

    fn queued(attempts: u32) -> QueuedCallback {
        let callback = callbacks("http://customer.example/", 1).remove(0);
        let queued_at = callback.created_at;
        QueuedCallback { callback, attempts, queued_at }
    }

    #[tokio::test]
    async fn retries_take_half_of_the_room_and_first_attempts_all_of_it() {
        let mut active = Active::default();
        for _ in 0..MAX_RETRIES {
            assert!(active.admits(&queued(1)));
            active.start(&queued(1), std::future::pending());
        }
        assert!(!active.admits(&queued(1)));
        for _ in MAX_RETRIES..MAX_ACTIVE {
            assert!(active.admits(&queued(0)));
            active.start(&queued(0), std::future::pending());
        }
        assert!(!active.admits(&queued(0)));
    }

    #[tokio::test]
    async fn a_delivery_that_breaks_off_leaves_its_place() {
        let mut active = Active::default();
        let callback = queued(0);
        active.start(&callback, async { panic!("broken") });
        assert!(!active.admits(&callback));
        active.finished().await;
        assert!(active.admits(&callback));
        assert!(active.is_empty());
    }
}
