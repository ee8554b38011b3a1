//! How loud a track was, coarsely, over all of it.

use serde::{Deserialize, Serialize};

/// Ticks that one peak is taken of, at first: 80 ms.
pub(crate) const PEAK_TICKS: u64 = 4;

/// Buckets that are kept: more than a picture has columns. When they are full, neighbours become one.
const MAX_BUCKETS: usize = 4_096;

/// The lowest and the highest sample of a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peak(pub i16, pub i16);

impl Peak {
    /// That of `samples` and 0.
    pub(crate) fn of(samples: &[i16]) -> Self {
        samples.iter().fold(Self::default(), |peak, &sample| Self(peak.0.min(sample), peak.1.max(sample)))
    }

    /// That of this while and another.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0.min(other.0), self.1.max(other.1))
    }
}

/// The peaks of a track in up to 4096 buckets of equal length, of which the last may not be full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peaks {
    bucket_ticks: u64,
    last_ticks: u64,
    buckets: Vec<Peak>,
}

impl Default for Peaks {
    fn default() -> Self {
        Self { bucket_ticks: PEAK_TICKS, last_ticks: PEAK_TICKS, buckets: Vec::new() }
    }
}

impl Peaks {
    /// Ticks of 20 ms in a bucket: 4 at first, and twice as many whenever all buckets are full.
    pub const fn bucket_ticks(&self) -> u64 {
        self.bucket_ticks
    }

    /// The buckets, first to last.
    pub fn buckets(&self) -> &[Peak] {
        &self.buckets
    }

    /// How many peaks of [`PEAK_TICKS`] it was given.
    pub(crate) fn pushed(&self) -> u64 {
        let full = (self.buckets.len() as u64).saturating_sub(1) * self.bucket_ticks;
        if self.buckets.is_empty() { 0 } else { (full + self.last_ticks) / PEAK_TICKS }
    }

    /// Adds the next [`PEAK_TICKS`].
    pub(crate) fn push(&mut self, peak: Peak) {
        if self.last_ticks == self.bucket_ticks {
            if self.buckets.len() == MAX_BUCKETS {
                self.buckets = self.buckets.chunks(2).map(|pair| pair[0].with(pair[1])).collect();
                self.bucket_ticks *= 2;
            }
            self.buckets.push(peak);
            self.last_ticks = PEAK_TICKS;
        } else if let Some(last) = self.buckets.last_mut() {
            *last = last.with(peak);
            self.last_ticks += PEAK_TICKS;
        }
    }

    /// Adds so many times [`PEAK_TICKS`] of silence.
    pub(crate) fn push_silence(&mut self, peaks: u64) {
        (0..peaks).for_each(|_| self.push(Peak::default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_the_lowest_and_the_highest_sample_around_zero() {
        assert_eq!(Peak::of(&[3, -7, 5]), Peak(-7, 5));
        assert_eq!(Peak::of(&[3, 5]), Peak(0, 5));
        assert_eq!(Peak::of(&[]), Peak(0, 0));
    }

    #[test]
    fn full_buckets_become_half_as_many_and_lose_no_peak() {
        let mut peaks = Peaks::default();
        for n in 0..MAX_BUCKETS {
            peaks.push(Peak(0, n as i16));
        }
        assert_eq!((peaks.buckets().len(), peaks.bucket_ticks()), (4_096, 4));
        peaks.push(Peak(-9, 0));
        assert_eq!((peaks.buckets().len(), peaks.bucket_ticks()), (2_049, 8));
        assert_eq!(peaks.buckets()[2_046..], [Peak(0, 4_093), Peak(0, 4_095), Peak(-9, 0)]);
        peaks.push(Peak(0, 8));
        assert_eq!(peaks.buckets()[2_048..], [Peak(-9, 8)]);
    }

    #[test]
    fn a_day_needs_no_more_memory_than_minutes() {
        let mut peaks = Peaks::default();
        peaks.push_silence(24 * 3_600 * 50 / PEAK_TICKS);
        assert!((2_048..=MAX_BUCKETS).contains(&peaks.buckets().len()), "{}", peaks.buckets().len());
    }
}
