//! Summaries of many durations.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Width of a histogram's bins.
const BIN: Duration = Duration::from_micros(10);
/// Bins of a histogram: what is longer than a second counts as one.
const BINS: usize = 100_000;

/// Middle, tail and worst of some durations, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half are shorter.
    pub p50_ms: f64,
    /// One in a hundred is longer.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// How many there are.
    pub samples: usize,
}

impl Quantiles {
    /// `None` without durations.
    pub fn of(mut durations: Vec<Duration>) -> Option<Self> {
        durations.sort_unstable();
        let samples = durations.len();
        let rank = |percent: usize| (samples * percent).div_ceil(100).saturating_sub(1);
        let at = |index: usize| durations.get(index).copied().map(ms);
        Some(Self { p50_ms: at(rank(50))?, p99_ms: at(rank(99))?, max_ms: at(samples - 1)?, samples })
    }
}

/// Durations without number, known to the next 10 µs.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    bins: Vec<u32>,
    longest: Duration,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { bins: vec![0; BINS], longest: Duration::ZERO }
    }

    pub(crate) fn note(&mut self, duration: Duration) {
        let bin = ((duration + BIN / 2).as_nanos() / BIN.as_nanos()).min(BINS as u128 - 1);
        self.bins[bin as usize] += 1;
        self.longest = self.longest.max(duration);
    }

    /// `None` without durations.
    pub(crate) fn quantiles(&self) -> Option<Quantiles> {
        let samples: usize = self.bins.iter().map(|count| *count as usize).sum();
        let at = |percent: usize| {
            let (mut rank, target) = (0, (samples * percent).div_ceil(100));
            let bin = self.bins.iter().position(|count| {
                rank += *count as usize;
                rank >= target
            });
            bin.map_or(0.0, |bin| ms(BIN * bin as u32))
        };
        (samples > 0).then(|| Quantiles { p50_ms: at(50), p99_ms: at(99), max_ms: ms(self.longest), samples })
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50_ms, p99_ms, max_ms, samples } = self;
        write!(f, "p50 {p50_ms:.2}  p99 {p99_ms:.2}  max {max_ms:.2} ms  ({samples} samples)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_ranks() {
        let durations = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(
            Quantiles::of(durations),
            Some(Quantiles { p50_ms: 100.0, p99_ms: 198.0, max_ms: 200.0, samples: 200 })
        );
        let one = Quantiles::of(vec![Duration::from_millis(3)]);
        assert_eq!(one, Some(Quantiles { p50_ms: 3.0, p99_ms: 3.0, max_ms: 3.0, samples: 1 }));
        assert_eq!(Quantiles::of(vec![]), None);
    }

    #[test]
    fn a_histogram_has_the_quantiles_of_what_it_noted() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantiles(), None);
        let durations: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        for duration in &durations {
            histogram.note(*duration);
        }
        assert_eq!(histogram.quantiles(), Quantiles::of(durations));
        histogram.note(Duration::from_hours(1));
        let longest = histogram.quantiles().map(|quantiles| quantiles.max_ms);
        assert_eq!(longest, Some(3_600_000.0));
    }
}
