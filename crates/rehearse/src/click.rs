//! Clicks: short bursts whose onset is heard to the sample, also through a codec that thinks in frames.

use std::f64::consts::TAU;
use std::time::Duration;

use mixminus_audio::{SampleRate, TICK, goertzel};

/// Pitches in turn, so that a click is told from those shortly before and after it.
const PITCHES_HZ: [f64; 6] = [700.0, 1000.0, 1350.0, 1750.0, 2200.0, 2700.0];
/// Onsets are spread over so many places of the talker's frame.
const OFFSETS: u32 = 8;
/// Different clicks.
pub(crate) const VARIATIONS: u32 = 24;
/// Frames in which a click is said, and a codec gets back to silence.
pub(crate) const CLICK_FRAMES: u32 = 4;
const PEAK: f64 = 12_000.0;
const LENGTH_MS: usize = 10;
/// An onset is louder than this sample value, and no echo of it through a codec is after [`QUIET_MS`].
const THRESHOLD: u16 = 3_000;
/// An onset follows so much of what is not one.
const QUIET_MS: usize = 60;
/// Pitch is told by so much of a click.
const PITCH_MS: usize = 8;

/// One of the clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variation(u32);

/// A click that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Onset {
    /// When, since the start.
    pub(crate) at: Duration,
    pub(crate) pitch: usize,
}

impl Variation {
    /// That of the click with this number.
    pub(crate) fn of(click: u32) -> Self {
        Self(click % VARIATIONS)
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn pitch(self) -> usize {
        self.0 as usize % PITCHES_HZ.len()
    }

    /// When in its first frame it begins.
    pub(crate) fn offset(self) -> Duration {
        TICK * (self.0 * 3 % OFFSETS) / OFFSETS
    }

    /// Its frames. It begins at its peak: with the first sample that is not zero.
    pub(crate) fn samples(self, rate: SampleRate) -> Vec<i16> {
        let mut samples = vec![0; CLICK_FRAMES as usize * rate.frame_samples()];
        let first = self.offset().as_micros() as usize * rate.samples_per_ms() / 1000;
        let turn = TAU * PITCHES_HZ[self.pitch()] / f64::from(rate.hz());
        let burst = samples[first..].iter_mut().take(LENGTH_MS * rate.samples_per_ms());
        burst.zip(0..).for_each(|(sample, index)| *sample = (PEAK * (turn * f64::from(index)).cos()) as i16);
        samples
    }
}

/// Hears clicks.
#[derive(Clone, Debug)]
pub(crate) struct Clicks {
    rate: SampleRate,
    quiet_samples: usize,
    /// An onset, and what followed it until its pitch can be told.
    open: Option<(Duration, Vec<i16>)>,
}

impl Clicks {
    pub(crate) fn new(rate: SampleRate) -> Self {
        Self { rate, quiet_samples: 0, open: None }
    }

    /// Takes what does not continue what was heard before.
    pub(crate) fn interrupt(&mut self) {
        *self = Self::new(self.rate);
    }

    /// Takes the samples of a packet that arrived at `at` and gives each onset, once its pitch is known.
    pub(crate) fn hear(&mut self, at: Duration, samples: &[i16], mut heard: impl FnMut(Onset)) {
        for (index, &sample) in samples.iter().enumerate() {
            if let Some((onset, burst)) = &mut self.open {
                burst.push(sample);
                if burst.len() == PITCH_MS * self.rate.samples_per_ms() {
                    heard(Onset { at: *onset, pitch: pitch(burst, self.rate) });
                    self.open = None;
                }
            } else if sample.unsigned_abs() < THRESHOLD {
                self.quiet_samples += 1;
            } else {
                if self.quiet_samples >= QUIET_MS * self.rate.samples_per_ms() {
                    let onset = at + Duration::from_secs(index as u64) / self.rate.hz();
                    self.open = Some((onset, vec![sample]));
                }
                self.quiet_samples = 0;
            }
        }
    }
}

/// The pitch that a burst has most of.
fn pitch(burst: &[i16], rate: SampleRate) -> usize {
    let levels = PITCHES_HZ.map(|hz| goertzel(burst, rate, hz).0);
    let loudest = levels.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    loudest.expect("there are pitches").0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is heard of `samples` that arrive at a second, in packets of a frame, a frame apart.
    fn heard(rate: SampleRate, samples: &[i16]) -> Vec<Onset> {
        let (mut clicks, mut onsets) = (Clicks::new(rate), Vec::new());
        for (frame, tick) in samples.chunks(rate.frame_samples()).zip(0..) {
            clicks.hear(Duration::from_secs(1) + TICK * tick, frame, |onset| onsets.push(onset));
        }
        onsets
    }

    #[test]
    fn a_click_is_heard_where_it_begins_with_its_pitch() {
        for rate in SampleRate::ALL {
            for variation in (0..VARIATIONS).map(Variation::of) {
                let quiet = vec![0; 3 * rate.frame_samples()];
                let onsets = heard(rate, &[quiet, variation.samples(rate)].concat());
                let at = Duration::from_secs(1) + TICK * 3 + variation.offset();
                assert_eq!(onsets, [Onset { at, pitch: variation.pitch() }], "{rate:?} {variation:?}");
            }
        }
    }

    #[test]
    fn onsets_are_spread_over_the_frame_and_neighbours_have_other_pitches() {
        let mut offsets: Vec<_> = (0..VARIATIONS).map(|click| Variation::of(click).offset()).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let expected: Vec<_> = (0..8).map(|place| Duration::from_micros(2_500 * place)).collect();
        assert_eq!(offsets, expected);
        let pitches: Vec<_> = (0..7).map(|click| Variation::of(click).pitch()).collect();
        assert_eq!(pitches, [0, 1, 2, 3, 4, 5, 0]);
    }

    #[test]
    fn what_is_not_quiet_before_or_was_interrupted_is_no_onset() {
        let rate = SampleRate::Hz8000;
        let click = Variation::of(0).samples(rate);
        assert_eq!(heard(rate, &click), []);
        assert_eq!(heard(rate, &[vec![THRESHOLD as i16; 480], click.clone()].concat()), []);
        let (mut clicks, mut onsets) = (Clicks::new(rate), 0);
        clicks.hear(TICK, &[0; 480], |_| onsets += 1);
        clicks.interrupt();
        clicks.hear(TICK, &click, |_| onsets += 1);
        assert_eq!(onsets, 0);
    }
}
