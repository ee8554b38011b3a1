//! Turning a source up or down without a click.

use crate::Decibels;
use crate::pcm::round_to_i16;

/// A gain that goes over to a new value within one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// Factors: where the last frame ended and where the next one shall end.
    reached: f32,
    wanted: f32,
}

impl Default for Gain {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Gain {
    const IDENTITY: Self = Self { reached: 1.0, wanted: 1.0 };
    const SILENCE: Self = Self { reached: 0.0, wanted: 0.0 };

    /// Starts at `gain`.
    pub fn new(gain: Decibels) -> Self {
        let factor = gain.amplitude();
        Self { reached: factor, wanted: factor }
    }

    /// From the next frame on goes to `gain`; [`Decibels::MUTE`] is silence.
    pub fn set(&mut self, gain: Decibels) {
        self.wanted = gain.amplitude();
    }

    /// Whether frames pass unchanged.
    pub fn is_identity(&self) -> bool {
        *self == Self::IDENTITY
    }

    /// Whether nothing is left of any frame.
    pub fn is_silence(&self) -> bool {
        *self == Self::SILENCE
    }

    /// Applies it to one frame. At 0 dB that changes nothing; what gets too loud is clipped.
    pub fn apply(&mut self, frame: &mut [i16]) {
        if !self.is_identity() {
            let ramp = self.ramp(frame.len());
            for (sample, factor) in frame.iter_mut().zip(ramp) {
                *sample = round_to_i16(f32::from(*sample) * factor);
            }
        }
    }

    /// Applies it to a sum that has yet to be limited, which so is never clipped.
    pub fn apply_wide(&mut self, wide: &mut [i32]) {
        if !self.is_identity() {
            let ramp = self.ramp(wide.len());
            for (sample, factor) in wide.iter_mut().zip(ramp) {
                *sample = (*sample as f32 * factor).round_ties_even() as i32;
            }
        }
    }

    /// The factors of the next `samples`, in a line to the wanted one.
    fn ramp(&mut self, samples: usize) -> impl Iterator<Item = f32> + use<> {
        let (start, step) = (self.reached, (self.wanted - self.reached) / samples.max(1) as f32);
        self.reached = self.wanted;
        (1..=samples as u16).map(move |number| start + step * f32::from(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dbov, SampleRate, Sine};

    /// One frame of samples that would show every rounding.
    fn frame() -> Vec<i16> {
        let mut frame = vec![0; 160];
        Sine::new(SampleRate::Hz8000, 450.0, Dbov(-20.0)).fill(&mut frame);
        frame[..2].copy_from_slice(&[i16::MIN, i16::MAX]);
        frame
    }

    fn turned(gain: &mut Gain, mut frame: Vec<i16>) -> Vec<i16> {
        gain.apply(&mut frame);
        frame
    }

    #[test]
    fn zero_decibels_change_nothing_and_mute_leaves_nothing() {
        assert_eq!(turned(&mut Gain::default(), frame()), frame());
        let mut mute = Gain::new(Decibels::MUTE);
        assert_eq!(turned(&mut mute, frame()), [0; 160]);
        assert!(mute.is_silence() && !mute.is_identity());
    }

    #[test]
    fn a_tenth_of_the_amplitude_is_twenty_decibels_less() {
        assert_eq!(turned(&mut Gain::new(Decibels(-20.0)), vec![1_000; 160]), [100; 160]);
    }

    #[test]
    fn a_new_gain_is_reached_in_a_line_over_one_frame() {
        let mut gain = Gain::default();
        gain.set(Decibels::MUTE);
        let expected: Vec<i16> = (1..=160).map(|n| 16_000 - 100 * n).collect();
        assert_eq!(turned(&mut gain, vec![16_000; 160]), expected);
        assert!(gain.is_silence());
        gain.set(Decibels::IDENTITY);
        assert!(!gain.is_silence() && !gain.is_identity());
        let expected: Vec<i16> = (1..=160).map(|n| 100 * n).collect();
        assert_eq!(turned(&mut gain, vec![16_000; 160]), expected);
        assert!(gain.is_identity());
        assert_eq!(turned(&mut gain, frame()), frame());
    }

    #[test]
    fn what_gets_too_loud_is_clipped_and_never_wraps() {
        assert_eq!(turned(&mut Gain::new(Decibels(40.0)), vec![1_000; 160]), [i16::MAX; 160]);
        assert_eq!(turned(&mut Gain::new(Decibels(40.0)), vec![-1_000; 160]), [i16::MIN; 160]);
    }

    #[test]
    fn a_sum_is_turned_like_a_frame_and_not_clipped() {
        let mut gain = Gain::default();
        gain.set(Decibels(20.0));
        let mut wide = vec![16_000; 160];
        gain.apply_wide(&mut wide);
        assert_eq!((wide[0], wide[159]), (16_900, 160_000));
        gain.apply_wide(&mut wide);
        assert_eq!(wide[159], 1_600_000);
    }
}
