//! Writes what the control plane decided, in order, away from its task.

use std::sync::Arc;
use std::time::Duration;

use mixminus_store::{Batch, Store};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use mixminus_control::CommandError;

/// Entries that wait to be written; beyond, the control plane waits for the disk.
const MAX_QUEUED: usize = 1024;
/// Entries written in one transaction when the disk is the slower one.
const MAX_GROUPED: usize = 64;
/// Tries before an entry is given up, a second apart at the end: a full disk may be
/// emptied, a locked database is freed.
const MAX_TRIES: u32 = 10;

/// An answer that waits for its changes to be written.
pub type Reply = (oneshot::Sender<Result<(), CommandError>>, Result<(), CommandError>);

/// What one input changed.
#[derive(Debug, Default)]
pub struct Entry {
    /// The rows.
    pub batch: Batch,
    /// Who waits for them.
    pub replies: Vec<Reply>,
}

/// Takes entries to be written.
#[derive(Debug)]
pub struct Journal {
    entries: mpsc::Sender<Entry>,
    writer: JoinHandle<()>,
}

impl Journal {
    /// A journal that writes to `store` and wakes `written` whenever something was.
    pub fn start(store: Arc<dyn Store>, written: Arc<Notify>) -> Self {
        let (entries, queue) = mpsc::channel(MAX_QUEUED);
        Self { entries, writer: tokio::spawn(write(queue, store, written)) }
    }

    /// Queues `entry`, waiting while the queue is full.
    pub async fn write(&self, entry: Entry) {
        if (!entry.batch.is_empty() || !entry.replies.is_empty()) && self.entries.send(entry).await.is_err() {
            tracing::error!("the journal's writer is gone");
        }
    }

    /// Returns when all that was queued is written.
    pub async fn close(self) {
        drop(self.entries);
        if self.writer.await.is_err() {
            tracing::error!("the journal's writer failed");
        }
    }
}

async fn write(mut queue: mpsc::Receiver<Entry>, store: Arc<dyn Store>, written: Arc<Notify>) {
    let mut entries = Vec::with_capacity(MAX_GROUPED);
    while queue.recv_many(&mut entries, MAX_GROUPED).await > 0 {
        let mut group = Entry::default();
        for entry in entries.drain(..) {
            group.batch.conferences.extend(entry.batch.conferences);
            group.batch.participants.extend(entry.batch.participants);
            group.batch.calls.extend(entry.batch.calls);
            group.batch.callbacks.extend(entry.batch.callbacks);
            group.replies.extend(entry.replies);
        }
        if commit(&*store, &group.batch).await {
            written.notify_one();
            for (reply, answer) in group.replies {
                // Who asked may be gone; what was asked is done all the same.
                drop(reply.send(answer));
            }
        }
    }
}

async fn commit(store: &dyn Store, batch: &Batch) -> bool {
    for attempt in 1..=MAX_TRIES {
        match store.commit(batch).await {
            Ok(()) => return true,
            Err(error) => tracing::error!(%error, attempt, "rows were not written"),
        }
        tokio::time::sleep(Duration::from_millis(100) * attempt.min(10)).await;
    }
    tracing::error!(?batch, "rows are lost");
    false
}
