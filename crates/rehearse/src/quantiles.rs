//! Summaries of many durations.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

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
        let at = |index: usize| durations.get(index).map(|duration| duration.as_secs_f64() * 1000.0);
        Some(Self { p50_ms: at(rank(50))?, p99_ms: at(rank(99))?, max_ms: at(samples - 1)?, samples })
    }
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
}
