//! Tones that can be told from one another.

use mixminus_audio::{Dbov, SampleRate};

/// Different tones at most: at 8 kHz as many as the band of a telephone holds.
pub(crate) const TONES: u32 = 300;
/// What every distance of two tones is a multiple of: a window of 100 ms holds a whole number of periods
/// of each, so that they do not leak into one another.
const GRID_HZ: u32 = 10;
const LOWEST_HZ: u32 = 300;
/// Peak of all tones of a room together, of full scale: no limiter has a reason to act.
const ROOM_PEAK: f32 = 0.5;
/// Peak of many tones that begin at different phases, against their effective value together. Tones
/// that were as soft as if all peaks met would be distorted by G.711 itself.
const CREST: f32 = 4.5;
/// Peak of one tone alone.
const TONE_PEAK: f32 = 0.25;

/// The tones of a rehearsal, spread over the band of its format, so that a bridge that is narrower than
/// its legs is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    pub(crate) rate: SampleRate,
    /// How many tones.
    pub(crate) tones: u32,
    step_hz: u32,
}

impl Scale {
    /// Tones for `talkers`, each with its own until there are [`TONES`].
    pub(crate) fn new(rate: SampleRate, talkers: u32) -> Self {
        let tones = talkers.clamp(1, TONES);
        let width_hz = match rate {
            SampleRate::Hz8000 => 3_000,
            SampleRate::Hz16000 | SampleRate::Hz48000 => 6_000,
        };
        Self { rate, tones, step_hz: width_hz / tones / GRID_HZ * GRID_HZ }
    }

    /// The frequency of a tone, by its number.
    pub(crate) fn hz(self, tone: u32) -> f64 {
        f64::from(LOWEST_HZ + tone * self.step_hz)
    }
}

/// The level of each tone in a room where so many talk.
pub(crate) fn tone_level(talkers: u32) -> Dbov {
    let talkers = talkers as f32;
    let peaks_that_meet = talkers.min(CREST * (talkers / 2.0).sqrt());
    let peak = (ROOM_PEAK / peaks_that_meet).min(TONE_PEAK);
    Dbov(20.0 * (peak / std::f32::consts::SQRT_2).log10())
}

#[cfg(test)]
mod tests {
    use mixminus_audio::{Sine, goertzel};

    use super::*;

    #[test]
    fn the_tones_fill_the_band_of_a_telephone_or_of_wide_band_speech() {
        for (rate, highest_hz) in [(SampleRate::Hz8000, 3_290.0), (SampleRate::Hz48000, 6_280.0)] {
            for talkers in [2, 20, 100, 300, 2000] {
                let scale = Scale::new(rate, talkers);
                assert_eq!(scale.tones, talkers.min(300));
                assert!(scale.hz(0) < scale.hz(1) && scale.hz(scale.tones - 1) <= highest_hz, "{scale:?}");
            }
        }
    }

    #[test]
    fn tones_do_not_leak_into_each_other() {
        let scale = Scale::new(SampleRate::Hz8000, 300);
        let mut window = [0; 800];
        Sine::new(scale.rate, scale.hz(7), Dbov(-20.0)).fill(&mut window);
        let heard = |tone| goertzel(&window, scale.rate, scale.hz(tone)).0 + 20.0;
        assert!(heard(7).abs() < 0.1);
        assert!(heard(6) < -60.0 && heard(8) < -60.0 && heard(299) < -60.0);
    }
}
