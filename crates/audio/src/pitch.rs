//! Whether a sound has a pitch, as voices have and breath, keyboards and other noise have not.

/// What is looked at is a fifth of a telephone's band: there the harmonics of a voice are strongest, and it
/// costs little.
const HZ: usize = 4_000;
const FRAME: usize = HZ / 50;

/// The periods that are tried, in samples: voices from 70 to 400 Hz. All higher tones fit one of them several
/// times.
const PERIODS: std::ops::RangeInclusive<usize> = HZ / 400..=HZ / 70;

/// How alike a sound must be to itself one period earlier, 1 being the same. Of the loud frames of speech four
/// in five are above it, of noise one in a hundred, however it is coloured.
const ALIKE: f32 = 0.7;

/// The share by which the average follows each sample that is subtracted from them: what is below 100 Hz is
/// alike at every period.
const AVERAGE_SHARE: f32 = 0.15;

/// The least share of all energy that must be left then: hum, rumble and wind have less.
const LEFT_SHARE: f32 = 0.25;

/// The last frame of a sound that goes on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pitch {
    average: f32,
    last: [f32; FRAME],
}

impl Pitch {
    pub(crate) const NOTHING_HEARD: Self = Self { average: 0.0, last: [0.0; FRAME] };

    /// Takes in a frame at any rate, and returns whether it repeats itself or the end of the one before.
    pub(crate) fn hear(&mut self, frame: &[i16]) -> bool {
        let mut samples = [0.0; 2 * FRAME];
        samples[..FRAME].copy_from_slice(&self.last);
        let (mut energy, mut left) = (0.0, 0.0);
        for (sample, group) in samples[FRAME..].iter_mut().zip(frame.chunks_exact(frame.len() / FRAME)) {
            let mean = group.iter().map(|&sample| f32::from(sample)).sum::<f32>() / group.len() as f32;
            self.average += AVERAGE_SHARE * (mean - self.average);
            *sample = mean - self.average;
            energy += mean * mean;
            left += *sample * *sample;
        }
        self.last.copy_from_slice(&samples[FRAME..]);
        left >= LEFT_SHARE * energy && PERIODS.into_iter().any(|period| likeness(&samples, period) >= ALIKE)
    }
}

/// How alike the second half of `samples` is to what was there `period` earlier.
fn likeness(samples: &[f32; 2 * FRAME], period: usize) -> f32 {
    let (now, before) = (&samples[FRAME..], &samples[FRAME - period..][..FRAME]);
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let energies = product(now, now) * product(before, before);
    if energies > 0.0 { product(now, before) / energies.sqrt() } else { 0.0 }
}
