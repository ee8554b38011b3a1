//! A media worker: a thread that owns bridges, legs and a tick clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use rtrb::{Consumer, Producer};

use crate::cadence::Cadence;
use crate::clock;
use crate::counters::WorkerCounters;
use crate::errand::{Errand, Table};
use crate::load::{Measured, Window};
use crate::tick::Tick;

/// Errands run before one tick. More could make the tick late; the rest wait
/// 20 ms.
const MAX_ERRANDS_PER_TICK: usize = 256;

/// A worker before and while it runs.
#[derive(Debug)]
pub(crate) struct Worker {
    /// What it is asked to do.
    pub(crate) errands: Consumer<Box<Errand>>,
    /// What is done, on its way home to be freed.
    pub(crate) done: Producer<Box<Errand>>,
    /// What it hands its legs.
    pub(crate) tick: Tick,
    /// Its bridges.
    pub(crate) table: Table,
    /// When its ticks are due.
    pub(crate) cadence: Cadence,
    /// Whom to wake when something was done or has happened.
    pub(crate) janitor: Thread,
    /// What it counts.
    pub(crate) counters: Arc<WorkerCounters>,
    /// How busy it is.
    pub(crate) window: Window,
    /// Legs that had the last tick.
    pub(crate) legs: usize,
    /// Ends it.
    pub(crate) stop: Arc<AtomicBool>,
}

impl Worker {
    /// Runs until told to stop: every 20 ms does its errands, takes in what
    /// arrived, mixes, and sends. Neither allocates, frees, locks nor logs;
    /// waits only for its next deadline, or without a leg for an errand.
    pub(crate) fn run(mut self) {
        if clock::become_realtime() {
            self.counters.became_realtime();
        }
        self.cadence.restart(clock::now());
        while !self.stop.load(Ordering::Relaxed) {
            if self.is_idle() {
                self.window.restart();
                self.counters.measure(Measured::default());
                thread::park();
                self.cadence.restart(clock::now());
            } else {
                self.tick_on_time();
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.legs == 0 && self.errands.is_empty()
    }

    fn tick_on_time(&mut self) {
        let deadline = self.cadence.deadline();
        clock::sleep_until(deadline);
        let began = clock::now();
        let lateness = began.saturating_sub(deadline);
        self.counters.tick_began(lateness);
        self.run_errands();
        self.tick(deadline);
        let ended = clock::now();
        let work = ended.saturating_sub(began);
        self.counters.tick_ended(work, std::mem::take(&mut self.tick.traffic));
        self.counters.skipped(self.cadence.advance(ended));
        if let Some(measured) = self.window.add(work, lateness, self.legs) {
            self.counters.measure(measured);
        }
    }

    fn tick(&mut self, now: Duration) {
        let tick = &mut self.tick;
        (tick.now, tick.number) = (now, self.cadence.number());
        tick.lap(clock::now());
        self.legs = self.table.bridges_mut().map(|bridge| bridge.tick(tick)).sum();
        if tick.take_reported() {
            self.janitor.unpark();
        }
    }

    /// Returns how many were run. One is only begun when there is room to send
    /// it home. The janitor is woken before the tick, so that a leg on its way to
    /// another worker is there before its next packet is due.
    fn run_errands(&mut self) -> usize {
        let errands = self.errands.slots().min(self.done.slots()).min(MAX_ERRANDS_PER_TICK);
        for _ in 0..errands {
            let Ok(mut errand) = self.errands.pop() else { break };
            if let (Errand::Logged { line, .. }, Some(log)) = (&*errand, &mut self.tick.log) {
                log.add(line);
            }
            errand.run(&mut self.table);
            let sent_home = self.done.push(errand);
            debug_assert!(sent_home.is_ok(), "only this worker fills the ring, and it had room");
        }
        if errands > 0 {
            self.janitor.unpark();
        }
        errands
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;

    use super::*;

    #[test]
    fn an_errand_waits_until_there_is_room_to_send_it_home() {
        let (mut to_worker, errands) = RingBuffer::new(3);
        let (done, mut from_done) = RingBuffer::new(2);
        let (events, _received) = RingBuffer::new(1);
        let mut worker = Worker {
            errands,
            done,
            tick: Tick::new(events, Arc::default()),
            table: Table::default(),
            cadence: Cadence::new(Duration::ZERO),
            janitor: thread::current(),
            counters: Arc::default(),
            window: Window::default(),
            legs: 0,
            stop: Arc::default(),
        };
        for slots in 1..=3 {
            to_worker.push(Box::new(Errand::Grow(Table::new(slots)))).unwrap();
        }
        assert_eq!((worker.run_errands(), worker.table.slots()), (2, 2));
        assert_eq!((worker.run_errands(), worker.table.slots()), (0, 2));
        from_done.pop().unwrap();
        assert_eq!((worker.run_errands(), worker.table.slots()), (1, 3));
    }
}
