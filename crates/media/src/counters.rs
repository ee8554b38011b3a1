//! What the workers count, for metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::StreamTotals;
use crate::load::Measured;

/// Upper bounds of a [`Histogram`]'s buckets, in microseconds; a last bucket
/// takes what is longer.
pub const BUCKETS_US: [u64; 10] = [100, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];

const BUCKETS: usize = BUCKETS_US.len() + 1;

/// Counts in a [`Traffic`].
const TRAFFIC: usize = 8;

/// How long something took, or how late it was, over all that was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many fell into each bucket of [`BUCKETS_US`] and no lower one.
    pub counts: [u64; BUCKETS],
    /// The sum of all.
    pub sum: Duration,
}

impl Histogram {
    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine += theirs;
        }
        self.sum += other.sum;
    }
}

/// Counts of all workers since the start, and what there is now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MediaCounters {
    /// Legs opened and not yet released.
    pub legs: u64,
    /// Bridges open.
    pub bridges: u64,
    /// Prompts that play, are to be played, or are awaited by a plan.
    pub prompts: u64,
    /// Workers that run with real-time priority.
    pub realtime_workers: u64,
    /// Ticks run.
    pub ticks: u64,
    /// Ticks given up because a worker was too late to catch up.
    pub ticks_skipped: u64,
    /// How late each tick began.
    pub lateness: Histogram,
    /// How long each tick took.
    pub work: Histogram,
    /// What went over the legs' sockets.
    pub traffic: Traffic,
    /// What the legs' streams have been like, at most a second ago.
    pub streams: StreamTotals,
    /// Events lost because nobody took the earlier ones.
    pub events_lost: u64,
}

/// Counts of datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Taken from the far end that signalling named.
    pub received: u64,
    /// Ignored because they came from anyone else.
    pub foreign: u64,
    /// Ignored because the far end should not be sending now.
    pub unexpected: u64,
    /// From the far end, but malformed, late, duplicate or of no known format.
    pub dropped: u64,
    /// From the far end's address, but not protected by the agreed keys, or a replay.
    pub forged: u64,
    /// Sent.
    pub sent: u64,
    /// That the socket refused to send.
    pub unsent: u64,
    /// Legs, not datagrams, that are no longer listened to for what they cost.
    pub evicted: u64,
}

impl Traffic {
    fn fields(&mut self) -> [&mut u64; TRAFFIC] {
        let Self { received, foreign, unexpected, dropped, forged, sent, unsent, evicted } = self;
        [received, foreign, unexpected, dropped, forged, sent, unsent, evicted]
    }
}

/// One worker's counts: written by the worker alone, read by anyone.
#[derive(Debug, Default)]
pub(crate) struct WorkerCounters {
    realtime: AtomicBool,
    ticks: AtomicU64,
    ticks_skipped: AtomicU64,
    lateness: SharedHistogram,
    work: SharedHistogram,
    traffic: [AtomicU64; TRAFFIC],
    events_lost: AtomicU64,
    measured: [AtomicU64; 3],
}

impl WorkerCounters {
    pub(crate) fn became_realtime(&self) {
        self.realtime.store(true, Ordering::Relaxed);
    }

    pub(crate) fn tick_began(&self, lateness: Duration) {
        add(&self.ticks, 1);
        self.lateness.record(lateness);
    }

    pub(crate) fn tick_ended(&self, took: Duration, mut traffic: Traffic) {
        self.work.record(took);
        for (total, count) in self.traffic.iter().zip(traffic.fields()) {
            add(total, *count);
        }
    }

    pub(crate) fn skipped(&self, ticks: u64) {
        add(&self.ticks_skipped, ticks);
    }

    pub(crate) fn event_lost(&self) {
        add(&self.events_lost, 1);
    }

    /// Notes what the last window was like.
    pub(crate) fn measure(&self, measured: Measured) {
        let Measured { work, lateness, legs } = measured;
        let words = [work.as_nanos() as u64, lateness.as_nanos() as u64, legs as u64];
        for (shared, word) in self.measured.iter().zip(words) {
            shared.store(word, Ordering::Relaxed);
        }
    }

    /// What the last window was like; its three values may be of two windows.
    pub(crate) fn measured(&self) -> Measured {
        let [work, lateness, legs] =
            std::array::from_fn(|place| self.measured[place].load(Ordering::Relaxed));
        Measured {
            work: Duration::from_nanos(work),
            lateness: Duration::from_nanos(lateness),
            legs: legs as usize,
        }
    }

    /// Adds this worker's counts to `total`.
    pub(crate) fn add_to(&self, total: &mut MediaCounters) {
        total.realtime_workers += u64::from(self.realtime.load(Ordering::Relaxed));
        total.ticks += self.ticks.load(Ordering::Relaxed);
        total.ticks_skipped += self.ticks_skipped.load(Ordering::Relaxed);
        total.events_lost += self.events_lost.load(Ordering::Relaxed);
        total.lateness.add(&self.lateness.snapshot());
        total.work.add(&self.work.snapshot());
        for (sum, count) in total.traffic.fields().into_iter().zip(&self.traffic) {
            *sum += count.load(Ordering::Relaxed);
        }
    }
}

#[derive(Debug, Default)]
struct SharedHistogram {
    counts: [AtomicU64; BUCKETS],
    sum_us: AtomicU64,
}

impl SharedHistogram {
    fn record(&self, value: Duration) {
        let value_us = value.as_micros() as u64;
        add(&self.counts[BUCKETS_US.partition_point(|bound| *bound < value_us)], 1);
        add(&self.sum_us, value_us);
    }

    fn snapshot(&self) -> Histogram {
        Histogram {
            counts: std::array::from_fn(|bucket| self.counts[bucket].load(Ordering::Relaxed)),
            sum: Duration::from_micros(self.sum_us.load(Ordering::Relaxed)),
        }
    }
}

/// A plain load and store, since each counter has one writer: a quarter of
/// the cost of a locked addition, hundreds of times a tick.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed) + count, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_lowest_bucket_that_holds_it() {
        let histogram = SharedHistogram::default();
        for us in [0, 100, 101, 100_000, 100_001] {
            histogram.record(Duration::from_micros(us));
        }
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(snapshot.sum, Duration::from_micros(200_202));
        assert_eq!(snapshot.count(), 5);
    }

    #[test]
    fn the_total_is_the_sum_over_the_workers() {
        let workers = [WorkerCounters::default(), WorkerCounters::default()];
        workers[0].became_realtime();
        for worker in &workers {
            worker.tick_began(Duration::from_micros(50));
            worker.tick_ended(
                Duration::from_micros(300),
                Traffic { received: 3, sent: 2, ..Traffic::default() },
            );
            worker.skipped(4);
            worker.event_lost();
        }
        let mut total = MediaCounters::default();
        for worker in &workers {
            worker.add_to(&mut total);
        }
        assert_eq!(
            (total.realtime_workers, total.ticks, total.ticks_skipped, total.events_lost),
            (1, 2, 8, 2)
        );
        assert_eq!((total.traffic.received, total.traffic.sent), (6, 4));
        assert_eq!((total.lateness.counts[0], total.work.counts[2]), (2, 2));
    }
}
