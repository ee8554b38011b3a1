//! A media worker: a thread that owns bridges, legs and a tick clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use rtrb::{Consumer, Producer};

use crate::MediaEvent;
use crate::cadence::Cadence;
use crate::clock;
use crate::counters::WorkerCounters;
use crate::errand::{Errand, Table};
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
    /// Ends it.
    pub(crate) stop: Arc<AtomicBool>,
}

impl Worker {
    /// Runs until told to stop: every 20 ms does its errands, takes in what
    /// arrived, mixes, and sends. Neither allocates, frees, locks nor logs;
    /// waits only for its next deadline, or without a bridge for an errand.
    pub(crate) fn run(mut self) {
        if clock::become_realtime() {
            self.counters.became_realtime();
        }
        self.cadence.restart(clock::now());
        while !self.stop.load(Ordering::Relaxed) {
            if self.is_idle() {
                thread::park();
                self.cadence.restart(clock::now());
            } else {
                self.tick_on_time();
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.table.is_empty() && self.errands.is_empty()
    }

    fn tick_on_time(&mut self) {
        let deadline = self.cadence.deadline();
        clock::sleep_until(deadline);
        let began = clock::now();
        self.counters.tick_began(began.saturating_sub(deadline));
        self.tick(deadline);
        let ended = clock::now();
        self.counters.tick_ended(ended.saturating_sub(began), std::mem::take(&mut self.tick.traffic));
        self.counters.skipped(self.cadence.advance(ended));
    }

    fn tick(&mut self, now: Duration) {
        let ran = self.run_errands();
        let tick = &mut self.tick;
        tick.now = now;
        for bridge in self.table.bridges_mut() {
            bridge.legs_mut().for_each(|(_, leg)| leg.begin_tick(tick));
            bridge.tick(&mut |prompt| tick.report(MediaEvent::PromptEnded { prompt }));
            bridge.legs_mut().for_each(|(_, leg)| leg.end_tick(tick));
        }
        if tick.take_reported() || ran > 0 {
            self.janitor.unpark();
        }
    }

    /// Returns how many were run. One is only begun when there is room to send
    /// it home.
    fn run_errands(&mut self) -> usize {
        let errands = self.errands.slots().min(self.done.slots()).min(MAX_ERRANDS_PER_TICK);
        for _ in 0..errands {
            let Ok(mut errand) = self.errands.pop() else { break };
            errand.run(&mut self.table);
            let sent_home = self.done.push(errand);
            debug_assert!(sent_home.is_ok(), "only this worker fills the ring, and it had room");
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
