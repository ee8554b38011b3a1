//! Seeded chance.

use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Random numbers that a seed determines.
#[derive(Debug)]
pub struct Random(StdRng);

impl Random {
    /// The numbers of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// True for this share of the calls.
    pub fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.0.random::<f64>() < share
    }

    /// Any length of the range, all alike.
    pub fn uniform(&mut self, range: &Range<Duration>) -> Duration {
        range.start + range.end.saturating_sub(range.start).mul_f64(self.0.random())
    }

    /// A waiting time without memory.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-(1.0 - self.0.random::<f64>()).ln())
    }

    /// A sum of `shape` exponential times: the gamma distribution of that shape.
    pub fn gamma(&mut self, shape: u32, mean: Duration) -> Duration {
        (0..shape).map(|_| self.exponential(mean / shape)).sum()
    }

    /// A number from `-limit` to `limit`.
    pub fn noise(&mut self, limit: i16) -> i16 {
        self.0.random_range(-limit..=limit)
    }

    /// Any number at all.
    pub fn number(&mut self) -> u32 {
        self.0.random()
    }
}
