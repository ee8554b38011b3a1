//! What waits to be written, and whether it can be.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::hash::Hash;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mixminus_control::{CallId, ConferenceId, Outcome, ParticipantId, RecordingId, StreamId};
use mixminus_store::Batch;
use tokio::sync::{Notify, oneshot};

use super::handle::ExchangeError;
use super::leg::Signalling;

/// Rows that may wait before no more calls and commands are taken. Live calls go on
/// and replace their own rows, so that there are never many more.
const MAX_ROWS: usize = 16_384;
/// Callbacks that may wait, about 1 kB each; what live calls cause beyond is not told
/// to anybody, but is in the rows.
const MAX_CALLBACKS: usize = 65_536;

/// An answer that waits for its changes to be written.
pub type Reply = (oneshot::Sender<Result<Outcome, ExchangeError>>, Result<Outcome, ExchangeError>);

/// What one input changed.
#[derive(Debug, Default)]
pub struct Entry {
    /// The rows.
    pub batch: Batch,
    /// The calls to be answered once they are on record.
    pub answers: Vec<Signalling>,
    /// Who waits for the rows.
    pub replies: Vec<Reply>,
}

impl Entry {
    fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.answers.is_empty() && self.replies.is_empty()
    }
}

/// What was taken to be written: rows, and who waits for them.
#[derive(Debug)]
pub struct Group {
    pub batch: Arc<Batch>,
    pub answers: Vec<Signalling>,
    pub replies: Vec<Reply>,
}

/// What was decided and is not written yet. Nothing in it is ever waited for.
#[derive(Debug, Default)]
pub struct Backlog {
    queue: Mutex<Queue>,
    changed: Notify,
    failing: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Waiting,
    writing: Arc<Batch>,
    closed: bool,
}

/// Entries made one: each row once, where it was first and as it was last.
#[derive(Debug, Default)]
struct Waiting {
    entry: Entry,
    conferences: HashMap<ConferenceId, usize>,
    participants: HashMap<ParticipantId, usize>,
    calls: HashMap<CallId, usize>,
    recordings: HashMap<RecordingId, usize>,
    streams: HashMap<StreamId, usize>,
}

impl Backlog {
    /// Whether what is decided now will soon be written.
    pub fn keeps_up(&self) -> bool {
        !self.failing.load(Ordering::Relaxed) && self.lock().waiting.rows() < MAX_ROWS
    }

    /// Everything that is not written.
    pub fn unwritten(&self) -> Batch {
        let queue = self.lock();
        let mut all = Waiting::default();
        for batch in [Batch::clone(&queue.writing), queue.waiting.entry.batch.clone()] {
            all.merge(Entry { batch, ..Entry::default() });
        }
        all.entry.batch
    }

    pub(super) fn add(&self, mut entry: Entry) {
        let mut queue = self.lock();
        let callbacks = &mut entry.batch.callbacks;
        let room = MAX_CALLBACKS - queue.waiting.entry.batch.callbacks.len();
        let lost = callbacks.len().saturating_sub(room);
        callbacks.truncate(room);
        queue.waiting.merge(entry);
        drop(queue);
        if lost > 0 {
            tracing::error!(lost, MAX_CALLBACKS, "too many callbacks wait to be written");
        }
        self.changed.notify_one();
    }

    /// Nothing will be added any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// All that waits, as soon as there is anything; none when it is closed and empty.
    pub(super) async fn next(&self) -> Option<Group> {
        loop {
            {
                let mut queue = self.lock();
                if !queue.waiting.entry.is_empty() {
                    let Entry { batch, answers, replies } = mem::take(&mut queue.waiting).entry;
                    queue.writing = Arc::new(batch);
                    return Some(Group { batch: Arc::clone(&queue.writing), answers, replies });
                }
                if queue.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    pub(super) fn failed(&self) {
        self.failing.store(true, Ordering::Relaxed);
    }

    pub(super) fn written(&self) {
        self.lock().writing = Arc::default();
        self.failing.store(false, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn rows(&self) -> usize {
        let Batch { conferences, participants, calls, recordings, transcripts, streams, callbacks } =
            &self.entry.batch;
        conferences.len()
            + participants.len()
            + calls.len()
            + recordings.len()
            + transcripts.len()
            + streams.len()
            + callbacks.len()
    }

    fn merge(&mut self, entry: Entry) {
        let Batch { conferences, participants, calls, recordings, transcripts, streams, callbacks } =
            entry.batch;
        let batch = &mut self.entry.batch;
        for row in conferences {
            put(&mut batch.conferences, &mut self.conferences, row.id, row);
        }
        for row in participants {
            put(&mut batch.participants, &mut self.participants, row.id, row);
        }
        for row in calls {
            put(&mut batch.calls, &mut self.calls, row.id, row);
        }
        for row in recordings {
            put(&mut batch.recordings, &mut self.recordings, row.id, row);
        }
        for row in streams {
            put(&mut batch.streams, &mut self.streams, row.id, row);
        }
        batch.transcripts.extend(transcripts);
        batch.callbacks.extend(callbacks);
        self.entry.answers.extend(entry.answers);
        self.entry.replies.extend(entry.replies);
    }
}

/// A row keeps its place: the conference that ended goes before the next one of its name.
fn put<I: Eq + Hash, R>(rows: &mut Vec<R>, places: &mut HashMap<I, usize>, id: I, row: R) {
    match places.entry(id) {
        Place::Occupied(place) => rows[*place.get()] = row,
        Place::Vacant(place) => {
            place.insert(rows.len());
            rows.push(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use mixminus_control::{ConferenceRecord, ConferenceState};
    use mixminus_store::{NewCallback, OrderKey};
    use uuid::Uuid;

    use super::*;
    use crate::dialect::samples;

    fn conferences(conferences: Vec<ConferenceRecord>) -> Entry {
        Entry { batch: Batch { conferences, ..Batch::default() }, ..Entry::default() }
    }

    fn callbacks(count: usize) -> Entry {
        let callback = NewCallback {
            id: Uuid::from_u128(9),
            account: samples::conference().account,
            order: OrderKey::Conference(samples::conference().id),
            sequence: 1,
            url: "http://h/".into(),
            method: mixminus_control::HttpMethod::Post,
            params: Vec::new(),
            created_at: samples::second(0),
        };
        Entry { batch: Batch { callbacks: vec![callback; count], ..Batch::default() }, ..Entry::default() }
    }

    #[tokio::test]
    async fn a_row_waits_once_in_its_first_place_and_last_state() {
        let first = samples::conference();
        let next = ConferenceRecord { id: ConferenceId(Uuid::from_u128(7)), ..first.clone() };
        let ended = ConferenceRecord { state: ConferenceState::Ended, ..first.clone() };
        let backlog = Backlog::default();
        backlog.add(conferences(vec![first]));
        backlog.add(conferences(vec![next.clone(), ended.clone()]));
        let group = backlog.next().await.unwrap();
        assert_eq!(group.batch.conferences, [ended, next]);
    }

    #[tokio::test]
    async fn what_is_being_written_is_unwritten_until_it_is() {
        let backlog = Backlog::default();
        let unwritten = || {
            let batch = backlog.unwritten();
            (batch.conferences.len(), batch.callbacks.len())
        };
        backlog.add(callbacks(2));
        backlog.add(conferences(vec![samples::conference()]));
        backlog.next().await.unwrap();
        backlog.add(callbacks(1));
        backlog.add(conferences(vec![samples::conference()]));
        assert_eq!(unwritten(), (1, 3));
        backlog.written();
        assert_eq!(unwritten(), (1, 1));
    }

    #[tokio::test]
    async fn a_long_backlog_takes_no_more_and_is_bounded() {
        let backlog = Backlog::default();
        backlog.add(callbacks(MAX_ROWS - 1));
        assert!(backlog.keeps_up());
        backlog.add(callbacks(MAX_CALLBACKS));
        assert!(!backlog.keeps_up());
        assert_eq!(backlog.next().await.unwrap().batch.callbacks.len(), MAX_CALLBACKS);
        assert!(backlog.keeps_up());
    }

    #[tokio::test]
    async fn a_closed_backlog_is_emptied_first() {
        let backlog = Backlog::default();
        backlog.add(callbacks(1));
        backlog.close();
        assert!(backlog.next().await.is_some());
        assert!(backlog.next().await.is_none());
    }
}
