//! Loudness that is measured, and gain that is applied.

/// Measured loudness relative to overload: 0 is a full-scale square wave, a full-scale sine is -3.01.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Dbov(pub f32);

impl Dbov {
    /// Digital silence, the lowest level that RFC 6464 can express.
    pub const SILENCE: Self = Self(-127.0);

    /// The level whose mean square is `power`, in squared samples.
    pub(crate) fn from_power(power: f64) -> Self {
        if power <= 0.0 {
            return Self::SILENCE;
        }
        let db = 10.0 * (power / (32_768.0 * 32_768.0)).log10();
        Self((db as f32).max(Self::SILENCE.0))
    }
}

/// A change of loudness.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Decibels(pub f32);

impl Decibels {
    /// No change.
    pub const IDENTITY: Self = Self(0.0);

    /// Nothing is left.
    pub const MUTE: Self = Self(f32::NEG_INFINITY);

    /// The factor by which samples are multiplied.
    pub fn amplitude(self) -> f32 {
        10.0_f32.powf(self.0 / 20.0)
    }
}

/// The root-mean-square level of `samples`; [`Dbov::SILENCE`] when there are none.
pub fn level(samples: &[i16]) -> Dbov {
    if samples.is_empty() {
        return Dbov::SILENCE;
    }
    let squares: i64 = samples.iter().map(|&sample| i64::from(i32::from(sample).pow(2))).sum();
    Dbov::from_power(squares as f64 / samples.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_square_wave_is_overload() {
        assert_eq!(level(&[-32_768; 160]), Dbov(0.0));
    }

    #[test]
    fn a_tenth_of_the_amplitude_is_twenty_decibels_less() {
        let Dbov(db) = level(&[3_277; 160]);
        assert!((db + 20.0).abs() < 0.01, "{db}");
    }

    #[test]
    fn silence_and_nothing_have_the_lowest_level() {
        assert_eq!(level(&[0; 160]), Dbov::SILENCE);
        assert_eq!(level(&[]), Dbov::SILENCE);
    }

    #[test]
    fn six_decibels_double_and_twenty_multiply_by_ten() {
        assert!((Decibels(6.0206).amplitude() - 2.0).abs() < 1e-4);
        assert!((Decibels(20.0).amplitude() - 10.0).abs() < 1e-4);
        assert!((Decibels::IDENTITY.amplitude() - 1.0).abs() < f32::EPSILON);
    }
}
