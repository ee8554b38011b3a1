//! Delivers callbacks from the store: those that tell of one thing to one URL
//! in order, others beside each other, each until it is acknowledged or given up.
//!
//! Delivery is at least once: what was sent when the process died is sent again,
//! with the same `Callback-Id`.

mod active;
mod keep;
mod retry;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use mixminus_control::Timestamp;
use mixminus_plivo::Tuning;
use mixminus_store::{Batch, NewCallback, OrderKey, QueuedCallback, Store, StoreError};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::dialect::MessageStatus;
use crate::http::{Exposition, Measured};
use crate::messages::{MessageService, is_refused, settled};
use crate::tuned::tuned;
use crate::web::{Limits, WebClient, WebRequest};
use active::Active;
pub use keep::Keep;
use retry::Outcome;
pub use retry::Retry;

/// How long deliveries may go on after the service was told to stop.
const FLUSH: Duration = Duration::from_secs(5);

/// Longest sleep, so that a clock that was set is noticed.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// How long to wait before a store that failed is asked again.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How often an outcome is tried to be written before the callback is left to
/// be sent again: a full disk has ten minutes to be emptied.
const MAX_WRITES: usize = 600;

/// The header by which a receiver knows what it has received before.
const ID_HEADER: &str = "Callback-Id";

/// Signs one attempt at a callback: header names and values.
pub type Sign = Arc<dyn Fn(&NewCallback) -> Vec<(&'static str, String)> + Send + Sync>;

/// Tells the time.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Delivers what the store's outbox holds.
#[derive(Clone)]
pub struct Outbox {
    /// Where callbacks are kept.
    pub store: Arc<dyn Store>,
    /// How they are sent.
    pub web: WebClient,
    /// What sends the messages among them.
    pub messages: Option<MessageService>,
    /// How they are signed, anew for each attempt.
    pub sign: Sign,
    /// What time it is.
    pub now: Now,
    /// When they are sent again.
    pub retry: Retry,
    /// What became of them.
    pub counts: Arc<Counts>,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("retry", &self.retry)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl Outbox {
    /// Delivers until `stop`, and then for a short while what is still due.
    /// `written` tells that something was queued.
    pub async fn run(self, written: Arc<Notify>, stop: CancellationToken) {
        self.run_and_flush(written, stop, FLUSH).await;
    }

    async fn run_and_flush(self, written: Arc<Notify>, stop: CancellationToken, flush: Duration) {
        let mut active = Active::default();
        let mut flushed = pin!(async {
            stop.cancelled().await;
            sleep(flush).await;
        });
        let mut stopping = false;
        loop {
            let pause = self.start_due(&mut active).await;
            if stopping && active.is_empty() {
                return;
            }
            tokio::select! {
                () = written.notified() => {}
                () = active.finished(), if !active.is_empty() => {}
                () = sleep(pause) => {}
                () = stop.cancelled(), if !stopping => stopping = true,
                () = &mut flushed => return tracing::info!("callbacks are left for the next start"),
            }
        }
    }

    /// Starts what is due as far as there is room; how long there is nothing
    /// more to do unless something happens.
    async fn start_due(&self, active: &mut Active) -> Duration {
        match self.try_start_due(active).await {
            Ok(pause) => pause.min(LONGEST_SLEEP),
            Err(error) => {
                tracing::error!(%error, "callbacks cannot be read");
                STORE_PAUSE
            }
        }
    }

    async fn try_start_due(&self, active: &mut Active) -> Result<Duration, StoreError> {
        if active.is_full() {
            return Ok(LONGEST_SLEEP);
        }
        let now = (self.now)();
        for queued in self.store.pending_callbacks(now, active.wanted()).await? {
            if active.admits(&queued) {
                active.start(&queued, self.clone().deliver(queued.clone()));
            }
        }
        let next = self.store.next_callback_due(now).await?;
        Ok(next.map_or(LONGEST_SLEEP, |due| due.since(now)))
    }

    async fn deliver(self, queued: QueuedCallback) {
        let outcome = match queued.callback.order {
            OrderKey::Message(_) => self.send_message(&queued).await,
            _ => self.send(&queued).await,
        };
        self.counts.count(&outcome);
        let QueuedCallback { callback: NewCallback { id, order, sequence, .. }, attempts, .. } = &queued;
        match &outcome {
            Outcome::Delivered => tracing::debug!(%id, %order, sequence, "callback delivered"),
            Outcome::Failed { error, .. } => {
                tracing::warn!(%id, %order, sequence, attempts, error, "callback failed");
            }
            Outcome::Dead { error } => {
                tracing::error!(%id, %order, sequence, attempts, error, "callback given up");
            }
        }
        self.write(*id, &outcome).await;
    }

    async fn send(&self, queued: &QueuedCallback) -> Outcome {
        let callback = &queued.callback;
        let mut headers = (self.sign)(callback);
        headers.push((ID_HEADER, callback.id.to_string()));
        let request = WebRequest {
            method: callback.method,
            url: &callback.url,
            params: &callback.params,
            headers: &headers,
            limits: tuned(Limits::CALLBACK, &Tuning::of(&callback.url)),
        };
        match self.web.send(&request).await {
            Ok(_) => Outcome::Delivered,
            Err(error) => self.retry.after(queued, &error, (self.now)()),
        }
    }

    /// Hands a message to its service. Its sender is told first: whoever dies in between tells it again, under the
    /// same id.
    async fn send_message(&self, queued: &QueuedCallback) -> Outcome {
        let message = &queued.callback;
        let Some(service) = &self.messages else {
            return self.settle(message, Outcome::Dead { error: "no service under [messages]".into() }).await;
        };
        let outcome = match service.send(message).await {
            Ok(()) => Outcome::Delivered,
            Err(error) if is_refused(&error) => Outcome::Dead { error: error.to_string() },
            Err(error) => self.retry.after(queued, &error, (self.now)()),
        };
        self.settle(message, outcome).await
    }

    /// Queues what the sender of `message` is told of `outcome`, if that is settled.
    async fn settle(&self, message: &NewCallback, outcome: Outcome) -> Outcome {
        let status = match &outcome {
            Outcome::Delivered => MessageStatus::Sent,
            Outcome::Dead { .. } => MessageStatus::Failed,
            Outcome::Failed { .. } => return outcome,
        };
        let callbacks: Vec<_> = settled(message, status, (self.now)()).into_iter().collect();
        if let Err(error) = self.store.commit(&Batch { callbacks, ..Batch::default() }).await {
            tracing::error!(id = %message.id, %error, "a message's sender is not told what became of it");
        }
        outcome
    }

    /// Writes what became of a callback. Until that is done the callback
    /// counts as under way, so that a failing store does not make it sent twice.
    async fn write(&self, id: Uuid, outcome: &Outcome) {
        for _ in 0..MAX_WRITES {
            let written = match outcome {
                Outcome::Delivered => self.store.callback_delivered(id, (self.now)()).await,
                Outcome::Failed { next_attempt_at, error } => {
                    self.store.callback_failed(id, *next_attempt_at, error).await
                }
                Outcome::Dead { error } => self.store.callback_dead(id, (self.now)(), error).await,
            };
            match written {
                Ok(()) => return,
                Err(error) => tracing::error!(%id, %error, "a callback's outcome was not written"),
            }
            sleep(STORE_PAUSE).await;
        }
    }
}

/// What became of callbacks since the start.
#[derive(Debug, Default)]
pub struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
    dead: AtomicU64,
}

impl Counts {
    fn count(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Delivered => &self.delivered,
            Outcome::Failed { .. } => &self.failed,
            Outcome::Dead { .. } => &self.dead,
        };
        counter.fetch_add(1, Relaxed);
    }
}

impl Measured for Counts {
    fn measure(&self, out: &mut Exposition) {
        let counts = [("delivered", &self.delivered), ("failed", &self.failed), ("dead", &self.dead)];
        let values = counts.map(|(outcome, count)| (outcome, count.load(Relaxed)));
        out.counters("callbacks_total", "Attempts at callbacks.", "outcome", values);
    }
}
