//! A peak limiter that adds no delay.

use crate::pcm::round_to_i16;
use crate::{MAX_FRAME_SAMPLES, SampleRate};

/// Sub-blocks of 1 ms in one frame.
const BLOCKS: usize = 20;

/// How much the gain may fall in 1 ms where the frame itself shows the peak coming. A smaller step
/// begins earlier and is heard less; a larger one keeps more of what precedes the peak.
const ATTACK_STEP: f32 = 0.25;

/// Factor by which the gain recovers in 1 ms, 0.1 dB: 12 dB take 120 ms. Faster pumps less after one
/// loud sound, slower distorts low voices less.
const RELEASE: f32 = 1.011_58;

/// How long the gain stays after a peak: half a period of the lowest audible voice, so that the gain
/// does not follow the waveform.
const HOLD_BLOCKS: u8 = 10;

/// Keeps a sum of many sources within 16 bits by turning it down instead of clipping it.
///
/// While the sum fits and the gain has recovered it copies exactly. The gain is a line between nodes 1 ms
/// apart, looking ahead to the end of the frame; only a peak in the very first millisecond of a frame can
/// meet a gain that is still falling, and is clamped.
#[derive(Clone, Debug, PartialEq)]
pub struct Limiter {
    block_samples: usize,
    gain: f32,
    hold: u8,
}

impl Limiter {
    /// A limiter at unity gain for frames at `rate`.
    pub fn new(rate: SampleRate) -> Self {
        Self { block_samples: rate.samples_per_ms(), gain: 1.0, hold: 0 }
    }

    /// The same limiter, as it is now, for frames at `rate`.
    #[must_use]
    pub fn at(&self, rate: SampleRate) -> Self {
        Self { block_samples: rate.samples_per_ms(), ..self.clone() }
    }

    /// Writes `wide`, limited, to `out`. Both are one frame long.
    pub fn limit(&mut self, wide: &[i32], out: &mut [i16]) {
        debug_assert_eq!(wide.len(), out.len());
        debug_assert_eq!(wide.len(), BLOCKS * self.block_samples);
        debug_assert!(wide.len() <= MAX_FRAME_SAMPLES);
        if self.gain >= 1.0 && peak(wide) <= i32::from(i16::MAX) {
            for (out, &wide) in out.iter_mut().zip(wide) {
                *out = wide as i16;
            }
            return;
        }
        let nodes = self.plan(wide);
        let blocks = wide.chunks_exact(self.block_samples).zip(out.chunks_exact_mut(self.block_samples));
        for ((wide, out), ends) in blocks.zip(nodes.windows(2)) {
            apply(wide, out, ends[0], ends[1]);
        }
        self.gain = nodes[BLOCKS];
    }

    /// The gain at the 21 ends of the 20 blocks of `wide`.
    fn plan(&mut self, wide: &[i32]) -> [f32; BLOCKS + 1] {
        let mut allowed = [1.0_f32; BLOCKS];
        for (allowed, block) in allowed.iter_mut().zip(wide.chunks_exact(self.block_samples)) {
            *allowed = (f32::from(i16::MAX) / peak(block).max(1) as f32).min(1.0);
        }
        let mut nodes = [1.0; BLOCKS + 1];
        nodes[BLOCKS] = allowed[BLOCKS - 1];
        for block in (0..BLOCKS).rev() {
            let before = if block == 0 { 1.0 } else { allowed[block - 1] };
            nodes[block] = before.min(allowed[block]).min(nodes[block + 1] + ATTACK_STEP);
        }
        nodes[0] = self.gain;
        for block in 1..=BLOCKS {
            let recovered = if self.hold > 0 { nodes[block - 1] } else { nodes[block - 1] * RELEASE };
            if nodes[block] <= nodes[block - 1] && nodes[block] < 1.0 {
                self.hold = HOLD_BLOCKS;
            } else {
                nodes[block] = nodes[block].min(recovered);
                self.hold = self.hold.saturating_sub(1);
            }
        }
        nodes
    }
}

/// The largest magnitude, counting -32768 as 32767 so that all of 16 bits fits.
fn peak(samples: &[i32]) -> i32 {
    samples.iter().fold(0, |peak, &sample| peak.max(sample ^ (sample >> 31)))
}

/// Multiplies a block by a gain that goes from `start` to `end`.
fn apply(wide: &[i32], out: &mut [i16], start: f32, end: f32) {
    let step = (end - start) / wide.len() as f32;
    let mut gain = start;
    for (out, &wide) in out.iter_mut().zip(wide) {
        gain += step;
        *out = round_to_i16(wide as f32 * gain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dbov, goertzel, level};

    const RATE: SampleRate = SampleRate::Hz8000;
    const FRAME: usize = RATE.frame_samples();

    fn sine(rate: SampleRate, amplitude: f64, hz: f64, frames: usize) -> Vec<i32> {
        let step = std::f64::consts::TAU * hz / f64::from(rate.hz());
        let samples = 0..frames * rate.frame_samples();
        samples.map(|n| (amplitude * (step * n as f64).sin()).round() as i32).collect()
    }

    fn run(limiter: &mut Limiter, wide: &[i32]) -> Vec<i16> {
        let mut out = vec![0; wide.len()];
        let frame = BLOCKS * limiter.block_samples;
        for (wide, out) in wide.chunks(frame).zip(out.chunks_mut(frame)) {
            limiter.limit(wide, out);
        }
        out
    }

    #[test]
    fn what_fits_passes_bit_exact() {
        let mut limiter = Limiter::new(RATE);
        let mut wide = vec![0; FRAME];
        wide[..4].copy_from_slice(&[-32_768, 32_767, -1, 1]);
        assert_eq!(run(&mut limiter, &wide)[..4], [-32_768, 32_767, -1, 1]);
        assert_eq!(limiter, Limiter::new(RATE));
    }

    #[test]
    fn a_loud_sum_keeps_its_shape_at_every_rate() {
        for rate in SampleRate::ALL {
            let wide = sine(rate, 131_068.0, 200.0, 10);
            let out = run(&mut Limiter::new(rate), &wide);
            for (out, wide) in out.iter().zip(&wide).skip(rate.frame_samples()) {
                assert!((i32::from(*out) - wide / 4).abs() <= 40, "{out} is not a quarter of {wide}");
            }
        }
    }

    #[test]
    fn a_change_of_rate_is_none_of_the_gain() {
        let mut narrow = Limiter::new(RATE);
        run(&mut narrow, &sine(RATE, 131_068.0, 200.0, 2));
        let mut wide = narrow.at(SampleRate::Hz48000);
        let [narrow, wide] = [(&mut narrow, 160), (&mut wide, 960)]
            .map(|(limiter, samples)| run(limiter, &vec![1_000; samples]));
        assert_eq!(narrow[159], wide[959]);
        assert!(narrow[0].abs_diff(wide[0]) <= 1 && narrow[0] < 300, "{} {}", narrow[0], wide[0]);
    }

    #[test]
    fn a_peak_inside_a_frame_is_met_without_clipping_or_a_click() {
        let mut limiter = Limiter::new(RATE);
        let mut wide = vec![20_000; 2 * FRAME];
        wide[100] = 80_000;
        let out = run(&mut limiter, &wide);
        assert!(out[100] >= 32_700, "{}", out[100]);
        let gains: Vec<f64> = out.iter().zip(&wide).map(|(&o, &w)| f64::from(o) / f64::from(w)).collect();
        let steepest = gains.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
        assert!(steepest < 0.04, "{steepest}");
    }

    #[test]
    fn the_gain_comes_back_to_exactly_unity() {
        let mut limiter = Limiter::new(RATE);
        run(&mut limiter, &sine(RATE, 131_068.0, 200.0, 2));
        let quiet = sine(RATE, 1_000.0, 200.0, 20);
        assert_ne!(run(&mut limiter, &quiet[..FRAME]), run(&mut limiter.clone(), &[0; FRAME]));
        run(&mut limiter, &quiet);
        let out = run(&mut limiter, &quiet);
        assert!(out.iter().zip(&quiet).all(|(&out, &wide)| i32::from(out) == wide));
    }

    #[test]
    fn no_sum_wraps() {
        let mut limiter = Limiter::new(RATE);
        let wide: Vec<i32> =
            (0..FRAME as i32).map(|n| if n % 2 == 0 { i32::MIN } else { i32::MAX }).collect();
        let out = run(&mut limiter, &wide);
        assert!(out.iter().enumerate().all(|(n, &sample)| (sample < 0) == (n % 2 == 0)));
    }

    #[test]
    fn ten_loud_talkers_stay_fifteen_decibels_above_what_limiting_adds_at_every_rate() {
        let tones = [210.0, 330.0, 470.0, 610.0, 790.0, 980.0, 1_190.0, 1_430.0, 1_710.0, 2_030.0];
        let power = |level: Dbov| 10.0_f32.powf(level.0 / 10.0);
        for rate in SampleRate::ALL {
            let mut wide = vec![0; 100 * rate.frame_samples()];
            for hz in tones {
                wide.iter_mut().zip(sine(rate, 13_107.0, hz, 100)).for_each(|(sum, sample)| *sum += sample);
            }
            let out = &run(&mut Limiter::new(rate), &wide)[20 * rate.frame_samples()..];
            let wanted: f32 = tones.map(|hz| power(goertzel(out, rate, hz))).iter().sum();
            let added = power(level(out)) - wanted;
            let ratio_db = 10.0 * (wanted / added).log10();
            assert!(ratio_db > 15.0, "{ratio_db} at {rate:?}");
        }
    }
}
