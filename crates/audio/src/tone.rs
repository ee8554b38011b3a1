//! Sines, and how much of one is in a signal.

use std::f64::consts::TAU;

use crate::{Dbov, SampleRate};

/// An endless sine that continues from one frame to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Sine {
    amplitude: f64,
    step: f64,
    phase: f64,
}

impl Sine {
    /// A sine of `hz` whose level is `level`; -3.01 dBov is full scale.
    pub fn new(rate: SampleRate, hz: f64, level: Dbov) -> Self {
        let amplitude = 32_768.0 * 2.0_f64.sqrt() * 10.0_f64.powf(f64::from(level.0) / 20.0);
        Self { amplitude: amplitude.min(32_767.0), step: TAU * hz / f64::from(rate.hz()), phase: 0.0 }
    }

    /// Overwrites `frame` with what follows.
    pub fn fill(&mut self, frame: &mut [i16]) {
        for sample in frame {
            *sample = (self.amplitude * self.phase.sin()).round() as i16;
            self.phase = (self.phase + self.step) % TAU;
        }
    }
}

/// The level of the part of `samples` that is a sine of `hz`.
///
/// Neighbouring frequencies count less the longer `samples` is; another frequency counts not at all when
/// both fit `samples` a whole number of times.
pub fn goertzel(samples: &[i16], rate: SampleRate, hz: f64) -> Dbov {
    let turn = TAU * hz / f64::from(rate.hz());
    let coefficient = 2.0 * turn.cos();
    let (mut now, mut before) = (0.0_f64, 0.0_f64);
    for &sample in samples {
        (now, before) = (f64::from(sample) + coefficient * now - before, now);
    }
    let power = now * now + before * before - coefficient * now * before;
    let length = samples.len().max(1) as f64;
    Dbov::from_power(2.0 * power / (length * length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level;

    fn tone(hz: f64) -> Vec<i16> {
        let mut samples = vec![0; 1_600];
        let mut sine = Sine::new(SampleRate::Hz8000, hz, Dbov(-20.0));
        samples.chunks_mut(160).for_each(|frame| sine.fill(frame));
        samples
    }

    #[test]
    fn a_sine_has_the_level_asked_for() {
        assert!((level(&tone(440.0)).0 + 20.0).abs() < 0.01);
    }

    #[test]
    fn a_sine_is_found_at_its_frequency_and_nowhere_else() {
        let samples = tone(440.0);
        assert!((goertzel(&samples, SampleRate::Hz8000, 440.0).0 + 20.0).abs() < 0.01);
        assert!(goertzel(&samples, SampleRate::Hz8000, 600.0).0 < -80.0);
    }

    #[test]
    fn frames_of_a_sine_join_without_a_seam() {
        let samples = tone(200.0);
        assert_eq!(samples[..40], samples[1_560..]);
    }

    #[test]
    fn nothing_holds_no_tone() {
        assert_eq!(goertzel(&[], SampleRate::Hz8000, 440.0), Dbov::SILENCE);
    }
}
