//! A key press as a sound.

use std::time::Duration;

use crate::dtmf::tone_pair;
use crate::{Dbov, MAX_FRAME_SAMPLES, SampleRate, Sine};

/// Levels of the two tones, -9 and -7 dBm0: loud enough for any line, and the higher one stronger because
/// lines take more from it.
const LEVELS: [Dbov; 2] = [Dbov(-15.2), Dbov(-13.2)];

/// How long the tones take to come and to go. A sudden edge would be heard as a click, and spread.
const RAMP_MS: usize = 2;

/// A key that is held for a while, as the two tones that say so in-band.
#[derive(Clone, Debug, PartialEq)]
pub struct TonePress {
    tones: [Sine; 2],
    ramp_samples: usize,
    samples: usize,
    played: usize,
}

impl TonePress {
    /// A press of `digit` for `duration`; `None` if no key has it.
    pub fn new(rate: SampleRate, digit: char, duration: Duration) -> Option<Self> {
        let (low, high) = tone_pair(digit)?;
        let samples = duration.as_millis() * rate.samples_per_ms() as u128;
        Some(Self {
            tones: [Sine::new(rate, low, LEVELS[0]), Sine::new(rate, high, LEVELS[1])],
            ramp_samples: RAMP_MS * rate.samples_per_ms(),
            samples: usize::try_from(samples).unwrap_or(usize::MAX),
            played: 0,
        })
    }

    /// Overwrites `frame` with what follows, and with silence after the end. Returns whether more follows.
    pub fn fill(&mut self, frame: &mut [i16]) -> bool {
        let [low, high] = &mut self.tones;
        let mut other = [0; MAX_FRAME_SAMPLES];
        let other = &mut other[..frame.len()];
        low.fill(frame);
        high.fill(other);
        for (sample, other) in frame.iter_mut().zip(other) {
            let edge = self.played.min(self.samples - self.played).min(self.ramp_samples);
            *sample =
                ((i32::from(*sample) + i32::from(*other)) * edge as i32 / self.ramp_samples as i32) as i16;
            self.played = (self.played + 1).min(self.samples);
        }
        self.played < self.samples
    }
}
