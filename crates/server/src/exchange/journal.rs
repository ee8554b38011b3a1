//! Writes what the control plane decided, in order, away from its task.

use std::sync::Arc;
use std::time::Duration;

use mixminus_store::{Batch, Store};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::backlog::{Backlog, Entry};

/// Pause after the first try that failed; each further one is longer by as much.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause: a full disk may be emptied, a locked database is freed.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Takes entries to be written, and tries until they are.
#[derive(Debug)]
pub struct Journal {
    backlog: Arc<Backlog>,
    writer: JoinHandle<()>,
}

impl Journal {
    /// A journal that writes `backlog` to `store` and wakes `written` whenever something was.
    pub fn start(backlog: Arc<Backlog>, store: Arc<dyn Store>, written: Arc<Notify>) -> Self {
        let writer = tokio::spawn(write(Arc::clone(&backlog), store, written));
        Self { backlog, writer }
    }

    /// Whether what is decided now will soon be written.
    pub fn keeps_up(&self) -> bool {
        self.backlog.keeps_up()
    }

    /// Queues `entry`.
    pub fn write(&self, entry: Entry) {
        self.backlog.add(entry);
    }

    /// Returns when all that was queued is written.
    pub async fn close(self) {
        self.backlog.close();
        if self.writer.await.is_err() {
            tracing::error!("the journal's writer failed");
        }
    }
}

async fn write(backlog: Arc<Backlog>, store: Arc<dyn Store>, written: Arc<Notify>) {
    while let Some(group) = backlog.next().await {
        commit(&*store, &group.batch, &backlog).await;
        backlog.written();
        written.notify_one();
        for signalling in group.answers {
            signalling.answer();
        }
        for (reply, answer) in group.replies {
            // Who asked may be gone; what was asked is done all the same.
            drop(reply.send(answer));
        }
    }
}

async fn commit(store: &dyn Store, batch: &Batch, backlog: &Backlog) {
    let mut pause = FIRST_PAUSE;
    while let Err(error) = store.commit(batch).await {
        backlog.failed();
        tracing::error!(%error, "rows are not written yet");
        tokio::time::sleep(pause).await;
        pause = (pause + FIRST_PAUSE).min(MAX_PAUSE);
    }
}
