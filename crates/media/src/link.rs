//! The control side's end of a worker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::Thread;
use std::time::Duration;

use mixminus_mixer::{Gains, LegId};
use rtrb::{Producer, PushError};

use crate::counters::WorkerCounters;
use crate::errand::{Errand, Slot, Table};
use crate::load::Measured;
use crate::replay_log::Scribe;

/// Bridges that a worker's first table has room for; it doubles when full.
const FIRST_SLOTS: usize = 64;

/// Sends errands to one worker and knows which slots of its table are taken.
#[derive(Debug)]
pub(crate) struct WorkerLink {
    errands: Producer<Box<Errand>>,
    /// What did not fit into the ring, in order. The worker empties the ring
    /// at its next tick; so this grows no further than what the control side
    /// asks for in 20 ms.
    backlog: VecDeque<Box<Errand>>,
    worker: Thread,
    counters: Arc<WorkerCounters>,
    free: Vec<Slot>,
    slots: usize,
    /// Legs seated there.
    pub(crate) legs: usize,
    /// Describes what it does, if there is a replay log.
    scribe: Option<Scribe>,
}

impl WorkerLink {
    pub(crate) fn new(errands: Producer<Box<Errand>>, worker: Thread, counters: Arc<WorkerCounters>) -> Self {
        Self {
            errands,
            backlog: VecDeque::new(),
            worker,
            counters,
            free: Vec::new(),
            slots: 0,
            legs: 0,
            scribe: None,
        }
    }

    /// Has everything that the worker does described from now on.
    pub(crate) fn keep_log(&mut self, scribe: Scribe) {
        self.scribe = Some(scribe);
    }

    /// Has the log say what a leg was told that is with no worker.
    pub(crate) fn note(&mut self, leg: LegId, gains: Gains) {
        if self.scribe.is_some() {
            self.backlog.push_back(Box::new(Scribe::note(leg, gains)));
            self.flush();
        }
    }

    /// What the worker counts.
    pub(crate) fn counters(&self) -> &WorkerCounters {
        &self.counters
    }

    /// What a tick of the worker will take with the legs that are seated there
    /// now, when each that it has not measured takes `leg_cost`.
    pub(crate) fn expected_work(&self, leg_cost: Duration) -> Duration {
        let Measured { work, legs, .. } = self.counters.measured();
        let new = leg_cost * self.legs.saturating_sub(legs) as u32;
        let gone = leg_cost * legs.saturating_sub(self.legs) as u32;
        (work + new).saturating_sub(gone)
    }

    /// Has the worker do `errand` at its next tick, after all before it.
    pub(crate) fn send(&mut self, errand: Errand) {
        let errand = match &mut self.scribe {
            Some(scribe) => scribe.describe(errand),
            None => errand,
        };
        self.backlog.push_back(Box::new(errand));
        self.flush();
    }

    /// Sends what waits, as far as there is room.
    pub(crate) fn flush(&mut self) {
        while let Some(errand) = self.backlog.pop_front() {
            if let Err(PushError::Full(errand)) = self.errands.push(errand) {
                self.backlog.push_front(errand);
                break;
            }
        }
        self.worker.unpark();
    }

    /// A slot for a new bridge.
    pub(crate) fn open_slot(&mut self) -> Slot {
        if self.free.is_empty() {
            let slots = (self.slots * 2).max(FIRST_SLOTS);
            self.free.extend((self.slots..slots).rev().map(Slot));
            self.slots = slots;
            self.send(Errand::Grow(Table::new(slots)));
        }
        self.free.pop().expect("the table has just grown")
    }

    /// Takes back the slot of a bridge that the worker has been told to close.
    pub(crate) fn close_slot(&mut self, slot: Slot) {
        debug_assert!(!self.free.contains(&slot));
        self.free.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;

    use super::*;

    fn slots(ring: &mut rtrb::Consumer<Box<Errand>>) -> Vec<usize> {
        let errands = std::iter::from_fn(|| ring.pop().ok());
        let slot = |errand: Box<Errand>| match *errand {
            Errand::Close { slot, .. } => slot.0,
            _ => unreachable!("only closings are sent"),
        };
        errands.map(slot).collect()
    }

    #[test]
    fn errands_that_do_not_fit_wait_in_order() {
        let (to_worker, mut ring) = RingBuffer::new(2);
        let mut link = WorkerLink::new(to_worker, std::thread::current(), Arc::default());
        for slot in 0..5 {
            link.send(Errand::Close { slot: Slot(slot), closed: None });
        }
        assert_eq!(slots(&mut ring), [0, 1]);
        link.flush();
        assert_eq!(slots(&mut ring), [2, 3]);
        link.send(Errand::Close { slot: Slot(5), closed: None });
        assert_eq!(slots(&mut ring), [4, 5]);
    }

    #[test]
    fn legs_that_came_or_went_since_the_last_measurement_count() {
        let ms = Duration::from_millis;
        let (to_worker, _ring) = RingBuffer::new(1);
        let counters = Arc::<WorkerCounters>::default();
        let mut link = WorkerLink::new(to_worker, std::thread::current(), Arc::clone(&counters));
        counters.measure(Measured { work: ms(6), lateness: ms(0), legs: 3 });
        let works = [0, 2, 3, 5].map(|legs| {
            link.legs = legs;
            link.expected_work(ms(2))
        });
        assert_eq!(works, [ms(0), ms(4), ms(6), ms(10)]);
    }

    #[test]
    fn the_table_doubles_when_every_slot_is_taken() {
        let (to_worker, mut ring) = RingBuffer::new(9);
        let mut link = WorkerLink::new(to_worker, std::thread::current(), Arc::default());
        let taken: Vec<_> = (0..=FIRST_SLOTS).map(|_| link.open_slot().0).collect();
        assert_eq!(taken, (0..=FIRST_SLOTS).collect::<Vec<_>>());
        let mut table = Table::default();
        while let Ok(mut errand) = ring.pop() {
            errand.run(&mut table);
        }
        assert_eq!(table.slots(), 2 * FIRST_SLOTS);
        link.close_slot(Slot(3));
        assert_eq!(link.open_slot(), Slot(3));
    }
}
