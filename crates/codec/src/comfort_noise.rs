//! Comfort noise (RFC 3389): a description of background noise in place of the noise.

use mixminus_audio::{Dbov, SampleRate};

/// How many reflection coefficients are heeded; the RFC sets no limit. Ten shape speech.
const MAX_ORDER: usize = 12;

/// How long a change of level takes, mostly.
const SMOOTH_MS: f32 = 20.0;

/// Background noise as a far end described it.
#[derive(Clone, Debug, PartialEq)]
pub struct ComfortNoise {
    /// Root mean square of the white noise that is filtered: as described, and on its way there.
    wanted: f32,
    actual: f32,
    /// What `actual` keeps of the difference to `wanted` from sample to sample.
    inertia: f32,
    /// The spectrum, and the state of the lattice filter that makes it.
    reflections: [f32; MAX_ORDER],
    backward: [f32; MAX_ORDER],
    random: u32,
}

impl ComfortNoise {
    /// Silence at `rate` until noise is described.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            wanted: 0.0,
            actual: 0.0,
            inertia: 1.0 - 1.0 / (SMOOTH_MS * rate.samples_per_ms() as f32),
            reflections: [0.0; MAX_ORDER],
            backward: [0.0; MAX_ORDER],
            random: 1,
        }
    }

    /// Takes note of the level in `payload`, and of the spectrum if it has one: white otherwise. An empty
    /// payload changes nothing.
    pub fn describe(&mut self, payload: &[u8]) {
        let Some((level, spectrum)) = payload.split_first() else { return };
        self.reflections = [0.0; MAX_ORDER];
        for (reflection, &index) in self.reflections.iter_mut().zip(spectrum) {
            // 255 is reserved.
            *reflection = 258.0 / 32_768.0 * (f32::from(index.min(254)) - 127.0);
        }
        // Each stage of the filter makes the noise louder by as much as it takes from a flat spectrum.
        let power: f32 = self.reflections.iter().map(|reflection| 1.0 - reflection * reflection).product();
        let level = 10.0_f32.powf(-f32::from(level & 0x7F) / 20.0);
        self.wanted = 32_768.0 * level * power.sqrt();
    }

    /// Fills `frame` with the next of the noise.
    pub fn fill(&mut self, frame: &mut [i16]) {
        for sample in frame {
            self.actual = self.wanted + self.inertia * (self.actual - self.wanted);
            let white = self.actual * self.next_random();
            *sample = self.filter(white).round() as i16;
        }
    }

    /// Evenly distributed, with a mean square of one.
    fn next_random(&mut self) -> f32 {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.random as i32 >> 8) as f32 * (3.0_f32.sqrt() / 8_388_608.0)
    }

    fn filter(&mut self, white: f32) -> f32 {
        let mut forward = white;
        for n in (0..MAX_ORDER).rev() {
            forward -= self.reflections[n] * self.backward[n];
            let through = self.backward[n] + self.reflections[n] * forward;
            if let Some(next) = self.backward.get_mut(n + 1) {
                *next = through;
            }
        }
        self.backward[0] = forward;
        forward
    }
}

/// A payload that describes white noise at `level`.
pub fn comfort_noise_payload(level: Dbov) -> [u8; 1] {
    [(-level.0).clamp(0.0, 127.0).round() as u8]
}

#[cfg(test)]
mod tests {
    use mixminus_audio::level;

    use super::*;

    /// Half a second of settled noise.
    fn noise(rate: SampleRate, payload: &[u8]) -> Vec<i16> {
        let mut noise = ComfortNoise::new(rate);
        noise.describe(payload);
        let mut samples = vec![0; 1_000 * rate.samples_per_ms()];
        noise.fill(&mut samples);
        samples.split_off(samples.len() / 2)
    }

    /// The correlation of each sample with the next.
    fn smoothness(samples: &[i16]) -> f32 {
        let product = |a: &i16, b: &i16| f32::from(*a) * f32::from(*b);
        let next: f32 = samples.windows(2).map(|pair| product(&pair[0], &pair[1])).sum();
        next / samples.iter().map(|sample| product(sample, sample)).sum::<f32>()
    }

    #[test]
    fn noise_has_the_described_level_whatever_its_spectrum() {
        for rate in SampleRate::ALL {
            for payload in [&[45][..], &[45, 13], &[45, 241], &[45, 30, 200, 90, 127, 160]] {
                let Dbov(db) = level(&noise(rate, payload));
                assert!((db + 45.0).abs() < 0.5, "{rate:?} {payload:?}: {db}");
            }
        }
    }

    #[test]
    fn the_first_coefficient_makes_noise_dull_or_sharp() {
        let smoothnesses =
            [&[40][..], &[40, 13], &[40, 241]].map(|payload| smoothness(&noise(SampleRate::Hz8000, payload)));
        for (actual, expected) in smoothnesses.into_iter().zip([0.0, 0.9, -0.9]) {
            assert!((actual - expected).abs() < 0.05, "{actual} is not {expected}");
        }
    }

    #[test]
    fn a_new_description_replaces_all_of_the_old() {
        let mut noise = ComfortNoise::new(SampleRate::Hz8000);
        let mut samples = vec![0; 4_000];
        for payload in [&[40, 13][..], &[40, 255], &[40]] {
            noise.describe(payload);
            noise.fill(&mut samples);
        }
        assert!(smoothness(&samples).abs() < 0.1);
        let Dbov(db) = level(&samples);
        assert!((db + 40.0).abs() < 0.5, "{db}");
    }

    #[test]
    fn nothing_described_is_silence() {
        let mut frame = [1; 160];
        let mut noise = ComfortNoise::new(SampleRate::Hz8000);
        noise.describe(&[]);
        noise.fill(&mut frame);
        assert_eq!(frame, [0; 160]);
    }

    #[test]
    fn the_same_description_makes_the_same_noise() {
        let payload = [50, 100, 140];
        assert_eq!(noise(SampleRate::Hz16000, &payload), noise(SampleRate::Hz16000, &payload));
    }

    #[test]
    fn a_new_level_comes_without_a_step() {
        let mut noise = ComfortNoise::new(SampleRate::Hz8000);
        noise.describe(&[20]);
        let mut frame = [0; 160];
        noise.fill(&mut frame);
        let loudest = |samples: &[i16]| samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(loudest(&frame[..8]) < loudest(&frame[152..]) / 4);
    }

    #[test]
    fn a_level_is_described_in_whole_decibels() {
        let levels = [Dbov(0.0), Dbov(-50.4), Dbov(-50.6), Dbov::SILENCE, Dbov(-200.0), Dbov(3.0)];
        assert_eq!(levels.map(comfort_noise_payload), [[0], [50], [51], [127], [127], [0]]);
    }
}
