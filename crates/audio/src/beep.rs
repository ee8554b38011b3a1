//! Hears the beep of an answering machine.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::tone::goertzel;
use crate::{Dbov, Resampler, SampleRate, TICK, level};

/// What the detector works at, whatever the audio's rate is.
const RATE: SampleRate = SampleRate::Hz8000;

/// Between which frequencies beeps are, in hertz. What hums below and whistles above is none.
const LOWEST_HZ: f64 = 350.0;
const HIGHEST_HZ: f64 = 3_000.0;

/// The least share of all power that is in the tone, in decibels. Less, and a vowel with one strong harmonic
/// is a tone; more, and one in noise is missed.
const PURITY_DB: f32 = -1.2;

/// By how much the frequency of one tone may differ from one frame to the next, as a share of it.
const MAX_DRIFT: f64 = 0.03;

/// Frames in a row that are neither tone nor silence before what sounds is something else. One is half
/// tone and half silence.
const MAX_UNCLEAR_TICKS: u32 = 1;

/// What counts as a beep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeepTerms {
    /// How long its tones are together at least.
    pub shortest: Duration,
    /// How long its tones may be apart.
    pub longest_gap: Duration,
    /// How long nothing has to follow.
    pub silence_after: Duration,
    /// The level of the weakest tone that counts, and below which there is nothing.
    pub weakest: Dbov,
}

/// Hears the end of a beep in frames of 20 ms.
#[derive(Clone, Debug, PartialEq)]
pub struct BeepDetector {
    terms: BeepTerms,
    resampler: Resampler,
    /// The tone that was heard last.
    hz: Option<f64>,
    /// How long there were tones, in ticks, and for how many of the last ones there was nothing, or what is neither.
    sounded: u32,
    silent: u32,
    unclear: u32,
}

/// What a frame holds.
enum Sound {
    Tone(f64),
    Nothing,
    Other,
}

impl BeepDetector {
    /// A detector for audio at `rate` that has heard nothing.
    pub fn new(rate: SampleRate, terms: BeepTerms) -> Self {
        let resampler = Resampler::new(rate, RATE);
        Self { terms, resampler, hz: None, sounded: 0, silent: 0, unclear: 0 }
    }

    /// Takes in one tick of audio; whether that completes a beep.
    pub fn hear(&mut self, frame: &[i16]) -> bool {
        let mut samples = [0; RATE.frame_samples()];
        self.resampler.process(frame, &mut samples);
        match sound(&samples, self.terms.weakest) {
            Sound::Tone(hz) => {
                let goes_on = self.hz.is_some_and(|known| (hz - known).abs() <= MAX_DRIFT * known);
                self.sounded = if goes_on { self.sounded + 1 } else { 1 };
                (self.hz, self.silent, self.unclear) = (Some(hz), 0, 0);
            }
            Sound::Nothing => {
                (self.silent, self.unclear) = (self.silent + 1, 0);
            }
            Sound::Other => {
                self.unclear += 1;
                if self.unclear > MAX_UNCLEAR_TICKS {
                    self.forget();
                }
            }
        }
        // A tone has only parts of the first and the last frame that it is in.
        let long_enough = self.sounded + 1 >= ticks(self.terms.shortest);
        let over = self.silent >= ticks(self.terms.silence_after);
        let beeped = self.hz.is_some() && long_enough && over;
        if beeped || self.silent > ticks(self.terms.longest_gap) {
            self.forget();
        }
        beeped
    }

    fn forget(&mut self) {
        (self.hz, self.sounded) = (None, 0);
    }
}

/// How many whole ticks `length` has; one, if it has none.
fn ticks(length: Duration) -> u32 {
    ((length.as_millis() / TICK.as_millis()) as u32).max(1)
}

fn sound(samples: &[i16], weakest: Dbov) -> Sound {
    let all = level(samples);
    if all < weakest {
        return Sound::Nothing;
    }
    match pitch(samples) {
        Some(hz) if goertzel(samples, RATE, hz).0 >= all.0 + PURITY_DB => Sound::Tone(hz),
        _ => Sound::Other,
    }
}

/// The frequency of the sine that the samples are nearest to, if that is one of beeps: of each sample, the sum of its
/// neighbours is the same multiple.
fn pitch(samples: &[i16]) -> Option<f64> {
    let (mut product, mut square) = (0.0, 0.0);
    for triple in samples.array_windows() {
        let [before, now, after] = triple.map(f64::from);
        product += now * (before + after);
        square += now * now;
    }
    let hz = (product / (2.0 * square)).acos() / TAU * f64::from(RATE.hz());
    (LOWEST_HZ..=HIGHEST_HZ).contains(&hz).then_some(hz)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sine, builtin};

    const TERMS: BeepTerms = BeepTerms {
        shortest: Duration::from_millis(300),
        longest_gap: Duration::from_millis(500),
        silence_after: Duration::from_millis(50),
        weakest: Dbov(-45.0),
    };

    /// When beeps are heard, in milliseconds, of tones that last so many milliseconds: nothing, where they have no pitch.
    fn beeps(parts: &[(f64, usize)]) -> Vec<usize> {
        let mut samples = Vec::new();
        for &(hz, ms) in parts {
            let mut part = vec![0; ms * 8];
            if hz > 0.0 {
                Sine::new(RATE, hz, Dbov(-20.0)).fill(&mut part);
            }
            samples.extend(part);
        }
        heard(&samples)
    }

    fn heard(samples: &[i16]) -> Vec<usize> {
        let mut detector = BeepDetector::new(RATE, TERMS);
        let frames = samples.as_chunks::<160>().0.iter().enumerate();
        frames.filter(|(_, frame)| detector.hear(*frame)).map(|(tick, _)| (tick + 1) * 20).collect()
    }

    #[test]
    fn a_tone_is_a_beep_once_nothing_follows_it() {
        for hz in [400.0, 850.0, 1000.0, 1400.0, 2000.0, 2700.0] {
            assert_eq!(beeps(&[(0.0, 103), (hz, 300), (0.0, 300)]), [460], "{hz}");
            assert_eq!(beeps(&[(0.0, 100), (hz, 1000)]), [0; 0], "{hz} goes on");
            assert_eq!(beeps(&[(0.0, 100), (hz, 240), (0.0, 1000)]), [0; 0], "{hz} is short");
        }
    }

    #[test]
    fn tones_that_are_not_far_apart_are_one_beep() {
        let part = |ms| (1000.0, ms);
        assert_eq!(beeps(&[part(200), (0.0, 400), part(200), (0.0, 200)]), [840]);
        assert_eq!(beeps(&[part(200), (0.0, 700), part(200), (0.0, 200)]), [0; 0]);
        assert_eq!(beeps(&[part(200), (0.0, 200), (1500.0, 200), (0.0, 200)]), [0; 0], "another pitch");
    }

    #[test]
    fn keys_music_and_a_rising_tone_are_no_beeps() {
        let pair = |ms: usize| {
            let mut both = vec![0; ms * 8];
            Sine::new(RATE, 697.0, Dbov(-20.0)).fill(&mut both);
            let mut other = both.clone();
            Sine::new(RATE, 1209.0, Dbov(-20.0)).fill(&mut other);
            both.iter_mut().zip(other).for_each(|(one, other)| *one += other);
            both.resize(ms * 8 + 1_600, 0);
            both
        };
        assert_eq!(heard(&pair(500)), [0; 0]);
        let music = builtin::wait_music();
        music.prepare(RATE);
        let mut music = music.at(RATE).unwrap().to_vec();
        music.extend([0; 1_600]);
        assert_eq!(heard(&music), [0; 0]);
        let rising: Vec<_> = (0..30).map(|step| (600.0 + 40.0 * f64::from(step), 20)).collect();
        assert_eq!(beeps(&[&rising[..], &[(0.0, 200)]].concat()), [0; 0]);
    }
}
