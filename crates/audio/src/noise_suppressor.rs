//! Takes the noise around a voice out of it.

use std::fmt;
use std::time::Duration;

use sonora_ns::config::{NS_FRAME_SIZE, NsConfig, OVERLAP_SIZE, SuppressionLevel};

use crate::pcm::round_to_i16;
use crate::{Resampler, SampleRate};

/// By how much noise is turned down where nobody speaks. Less leaves more of it; more takes from soft voices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says how much by its name")]
pub enum Suppression {
    Db6,
    Db12,
    Db18,
    Db21,
}

impl Suppression {
    const fn level(self) -> SuppressionLevel {
        match self {
            Self::Db6 => SuppressionLevel::K6dB,
            Self::Db12 => SuppressionLevel::K12dB,
            Self::Db18 => SuppressionLevel::K18dB,
            Self::Db21 => SuppressionLevel::K21dB,
        }
    }
}

/// The rate above which a stream is brought down to this one: voices have little above 8 kHz, and noise more.
const HIGHEST_RATE: SampleRate = SampleRate::Hz16000;

/// WebRTC's noise suppression for one stream. It learns the noise within a second or two of it.
///
/// 26 KB of state: made, and kept in a box, where memory may be allocated; [`process`](Self::process) does not.
pub struct NoiseSuppressor {
    rate: SampleRate,
    suppressor: sonora_ns::noise_suppressor::NoiseSuppressor,
    down: Resampler,
    up: Resampler,
}

impl NoiseSuppressor {
    /// A suppressor for frames at `rate` that knows no noise yet.
    pub fn new(rate: SampleRate, suppression: Suppression) -> Self {
        let own = rate.min(HIGHEST_RATE);
        let config = NsConfig { target_level: suppression.level() };
        Self {
            rate,
            suppressor: sonora_ns::noise_suppressor::NoiseSuppressor::new(config),
            down: Resampler::new(rate, own),
            up: Resampler::new(own, rate),
        }
    }

    /// By how much the output is later than the input.
    pub fn delay(&self) -> Duration {
        let overlap = Duration::from_secs(1) * OVERLAP_SIZE as u32 / self.down.to().hz();
        overlap + self.down.delay() + self.up.delay()
    }

    /// Suppresses noise in one tick. What is above 7 kHz goes with it.
    pub fn process(&mut self, frame: &mut [i16]) {
        debug_assert_eq!(frame.len(), self.rate.frame_samples());
        let mut samples = [0; HIGHEST_RATE.frame_samples()];
        let samples = &mut samples[..self.down.to().frame_samples()];
        self.down.process(frame, samples);
        for samples in samples.as_chunks_mut::<NS_FRAME_SIZE>().0 {
            let mut block = samples.map(f32::from);
            self.suppressor.analyze(&block);
            self.suppressor.process(&mut block);
            *samples = block.map(round_to_i16);
        }
        self.up.process(samples, frame);
    }
}

impl fmt::Debug for NoiseSuppressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NoiseSuppressor").field("rate", &self.rate).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dbov, Sine, level};

    /// Uniform noise at about -40 dBov.
    fn noise(state: &mut u32) -> i16 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((*state >> 16) as i32 % 568 - 284) as i16
    }

    /// Three seconds of noise in which the last half second has a voice of 200 and 400 Hz at -20 dBov, with the
    /// noise suppressed.
    fn suppressed(rate: SampleRate, suppression: Suppression) -> Vec<i16> {
        let mut suppressor = NoiseSuppressor::new(rate, suppression);
        let [mut low, mut high] = [200.0, 400.0].map(|hz| Sine::new(rate, hz, Dbov(-23.0)));
        let mut state = 1;
        let frame_of = |sine: &mut Sine| {
            let mut frame = vec![0; rate.frame_samples()];
            sine.fill(&mut frame);
            frame
        };
        let frames = (0..150).map(|tick| {
            let voices = frame_of(&mut low).into_iter().zip(frame_of(&mut high));
            let mut frame: Vec<i16> = voices
                .map(|(low, high)| noise(&mut state) + if tick < 125 { 0 } else { low + high })
                .collect();
            suppressor.process(&mut frame);
            frame
        });
        frames.flatten().collect()
    }

    #[test]
    fn noise_falls_by_15_db_and_a_voice_keeps_its_level_at_every_rate() {
        for rate in SampleRate::ALL {
            let out = suppressed(rate, Suppression::Db18);
            let frame = rate.frame_samples();
            let left = level(&out[100 * frame..125 * frame]);
            assert!(left < Dbov(-55.0), "{left:?} at {rate:?}");
            let voice = level(&out[128 * frame..]);
            assert!((voice.0 + 20.0).abs() < 1.5, "{voice:?} at {rate:?}");
        }
    }

    #[test]
    fn a_stronger_suppression_leaves_less_noise() {
        let strengths = [Suppression::Db6, Suppression::Db12, Suppression::Db18, Suppression::Db21];
        let left = strengths.map(|one| {
            let out = suppressed(SampleRate::Hz16000, one);
            level(&out[32_000..40_000]).0.round() as i32
        });
        assert_eq!(left, [-52, -58, -64, -67], "of -46 dBov");
    }

    #[test]
    fn the_delay_is_what_the_voice_is_late_by() {
        let delay = |rate| NoiseSuppressor::new(rate, Suppression::Db18).delay().as_micros();
        assert_eq!(SampleRate::ALL.map(delay), [12_000, 6_000, 10_500]);
        for rate in SampleRate::ALL {
            let out = suppressed(rate, Suppression::Db18);
            let loud = out.iter().position(|sample| sample.abs() > 1_500).unwrap();
            let late_ms = loud / rate.samples_per_ms() - 2_500;
            assert!(
                late_ms.abs_diff(NoiseSuppressor::new(rate, Suppression::Db18).delay().as_millis() as usize)
                    <= 3,
                "{late_ms}"
            );
        }
    }
}
