//! Empties the rings of taps in time, whatever the disk does.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use mixminus_control::{RecordingEntry, RecordingId, StartRecording};
use mixminus_mixer::TapReader;

use super::stretch::Stretch;
use super::writer::Work;

/// How often rings are emptied: often enough for an entry to stand within two ticks of what it is about.
const INTERVAL: Duration = Duration::from_millis(40);

/// What the pump is told.
#[derive(Debug)]
pub(super) enum Order {
    Begin(Box<StartRecording>, TapReader),
    Note(RecordingId, RecordingEntry),
}

/// A recording that goes on.
#[derive(Debug)]
struct Source {
    reader: TapReader,
    /// Ticks that wait to be written.
    backlog: Arc<AtomicUsize>,
    /// Whether the last ticks found the backlog full.
    dropping: bool,
    /// The last tick that was read.
    tick: Option<u64>,
    writer: usize,
}

#[derive(Debug)]
pub(super) struct Pump {
    pub orders: Receiver<Order>,
    pub writers: Vec<Sender<Work>>,
    /// Ticks of one recording that may wait to be written; beyond that they are left out.
    pub max_backlog_ticks: usize,
}

impl Pump {
    /// Runs until nobody gives orders any more and the last recording is over.
    pub fn run(self) {
        let mut sources = HashMap::new();
        let mut next_writer = 0;
        loop {
            match self.orders.recv_timeout(INTERVAL) {
                Ok(order) => {
                    self.take(order, &mut sources, &mut next_writer);
                    while let Ok(order) = self.orders.try_recv() {
                        self.take(order, &mut sources, &mut next_writer);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) if sources.is_empty() => return,
                Err(RecvTimeoutError::Disconnected) => std::thread::park_timeout(INTERVAL),
            }
            sources.retain(|id, source| self.empty(*id, source));
        }
    }

    fn take(&self, order: Order, sources: &mut HashMap<RecordingId, Source>, next_writer: &mut usize) {
        match order {
            Order::Begin(start, reader) => {
                *next_writer = (*next_writer + 1) % self.writers.len();
                let backlog = Arc::<AtomicUsize>::default();
                let source = Source {
                    reader,
                    backlog: Arc::clone(&backlog),
                    dropping: false,
                    tick: None,
                    writer: *next_writer,
                };
                let id = start.recording.id;
                self.send(&source, Work::Begin(start, backlog));
                sources.insert(id, source);
            }
            Order::Note(id, entry) => {
                if let Some(source) = sources.get_mut(&id) {
                    self.empty(id, source);
                    self.send(source, Work::Note(id, source.tick, entry));
                }
            }
        }
    }

    /// Passes on what the tap carried since. Returns whether there may be more.
    fn empty(&self, id: RecordingId, source: &mut Source) -> bool {
        let is_over = source.reader.is_over();
        let mut stretch = Stretch::default();
        source.reader.read(&mut |tick| {
            source.tick = Some(tick.tick);
            stretch.push(tick);
        });
        if !stretch.is_empty() {
            self.pass_on(id, source, stretch);
        }
        if is_over {
            self.send(source, Work::Finish(id));
        }
        !is_over
    }

    fn pass_on(&self, id: RecordingId, source: &mut Source, stretch: Stretch) {
        let waiting = source.backlog.load(Ordering::Relaxed);
        let dropping = waiting + stretch.len() > self.max_backlog_ticks;
        if dropping != std::mem::replace(&mut source.dropping, dropping) {
            if dropping {
                tracing::error!(recording = %id, "the disk is too slow: a gap begins");
            } else {
                tracing::warn!(recording = %id, "the disk keeps up again: the gap ends");
            }
        }
        if !dropping {
            source.backlog.fetch_add(stretch.len(), Ordering::Relaxed);
            self.send(source, Work::Ticks(id, stretch));
        }
    }

    fn send(&self, source: &Source, work: Work) {
        let sent = self.writers[source.writer].send(work);
        sent.expect("a writer runs for as long as somebody can give it work");
    }
}
