//! Sample rates and clips of linear audio.

use std::time::Duration;

/// One step of a bridge: the length of every frame.
pub const TICK: Duration = Duration::from_millis(20);

/// Samples of one frame at the highest [`SampleRate`].
pub const MAX_FRAME_SAMPLES: usize = 960;

/// Samples per second of linear audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SampleRate {
    /// Narrow band.
    Hz8000,
    /// Wide band.
    Hz16000,
    /// Full band.
    Hz48000,
}

impl SampleRate {
    /// Every rate, lowest first.
    pub const ALL: [Self; 3] = [Self::Hz8000, Self::Hz16000, Self::Hz48000];

    /// Samples per second.
    pub const fn hz(self) -> u32 {
        match self {
            Self::Hz8000 => 8_000,
            Self::Hz16000 => 16_000,
            Self::Hz48000 => 48_000,
        }
    }

    /// Samples in one frame, which is one [`TICK`] long.
    pub const fn frame_samples(self) -> usize {
        self.samples_per_ms() * TICK.as_millis() as usize
    }

    /// Samples in one millisecond.
    pub const fn samples_per_ms(self) -> usize {
        self.hz() as usize / 1_000
    }
}

/// A mono clip of linear audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pcm {
    /// Rate at which `samples` are to be played.
    pub rate: SampleRate,
    /// The samples, first to last.
    pub samples: Vec<i16>,
}

impl Pcm {
    /// How long the clip plays.
    pub fn duration(&self) -> Duration {
        let nanos = self.samples.len() as u128 * 1_000_000_000 / u128::from(self.rate.hz());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// The nearest 16-bit sample, halves to the even one. Adding one and a half times the value of a float's last
/// bit at 2^23 leaves the rounded number in its lowest bits: two vector instructions on every x86-64, where
/// `round_ties_even` is a call for each sample.
pub(crate) fn round_to_i16(value: f32) -> i16 {
    (value.clamp(-32_768.0, 32_767.0) + 12_582_912.0).to_bits() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_twenty_milliseconds_at_every_rate() {
        let frames = SampleRate::ALL.map(SampleRate::frame_samples);
        assert_eq!(frames, [160, 320, MAX_FRAME_SAMPLES]);
    }

    #[test]
    fn twelve_thousand_samples_at_8_khz_last_one_and_a_half_seconds() {
        let clip = Pcm { rate: SampleRate::Hz8000, samples: vec![0; 12_000] };
        assert_eq!(clip.duration(), Duration::from_millis(1_500));
    }

    #[test]
    fn samples_are_rounded_to_the_nearest_and_do_not_wrap() {
        let values = [0.4, 0.6, -0.6, 1.5, 2.5, -2.5, 32_767.4, 40_000.0, -1e9];
        assert_eq!(values.map(round_to_i16), [0, 1, -1, 2, 2, -2, i16::MAX, i16::MAX, i16::MIN]);
        let all = (i32::from(i16::MIN)..=i32::from(i16::MAX)).map(|sample| sample as i16);
        assert!(all.into_iter().all(|sample| round_to_i16(f32::from(sample)) == sample));
    }
}
