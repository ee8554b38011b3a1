//! The predictor and the step of a half-band.

/// 2048 times two to the power of n/32.
const MANTISSAS: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896,
    2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// One in the logarithm of a step.
pub(super) const OCTAVE: i32 = 2_048;

/// The step and the predictor of a half-band, the same in the encoder and the decoder. Samples saturate at 16
/// bits; coefficients have 14 bits after the point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Band {
    log_step: i32,
    pub(super) step: i32,
    /// Of the poles: the last samples, signs of the last that the zeros alone would make, and coefficients.
    samples: [i32; 2],
    falls: [bool; 2],
    poles: [i32; 2],
    /// Of the zeros: the last differences, and coefficients.
    differences: [i32; 6],
    zeros: [i32; 6],
    /// What the zeros make of the next sample, and what zeros and poles do.
    expected_by_zeros: i32,
    pub(super) expected: i32,
}

impl Band {
    pub(super) const fn new(step: i32) -> Self {
        Self {
            log_step: 0,
            step,
            samples: [0; 2],
            falls: [false; 2],
            poles: [0; 2],
            differences: [0; 6],
            zeros: [0; 6],
            expected_by_zeros: 0,
            expected: 0,
        }
    }

    /// The difference that a `value` of the quantizer stands for.
    pub(super) fn difference(&self, value: i32) -> i32 {
        (self.step * value) >> 15
    }

    /// Widens the step after large differences and narrows it after small ones.
    pub(super) fn scale(&mut self, change: i32, log_step_max: i32, shift: i32) {
        self.log_step = (((self.log_step * 127) >> 7) + change).clamp(0, log_step_max);
        let mantissa = MANTISSAS[(self.log_step >> 6) as usize % MANTISSAS.len()];
        self.step = (mantissa << (self.log_step / OCTAVE) >> shift) << 2;
    }

    /// Adapts the predictor to `difference`, and predicts the next sample.
    pub(super) fn predict(&mut self, difference: i32) {
        self.adapt_poles(saturate(self.expected_by_zeros + difference) < 0);
        self.adapt_zeros(difference);
        self.samples = [saturate(self.expected + difference), self.samples[0]];
        let mut expected = 0;
        for (coefficient, difference) in self.zeros.iter().zip(&self.differences).rev() {
            expected = saturate(expected + ((coefficient * saturate(2 * difference)) >> 15));
        }
        self.expected_by_zeros = expected;
        let by_pole = |n: usize| (self.poles[n] * saturate(2 * self.samples[n])) >> 15;
        self.expected = saturate(expected + saturate(by_pole(0) + by_pole(1)));
    }

    /// Moves each coefficient of the poles up where signs agree and down where not, lets it leak, and keeps the
    /// filter stable.
    fn adapt_poles(&mut self, falls: bool) {
        let [first, second] = self.poles;
        let turn = if falls == self.falls[0] { saturate(-saturate(4 * first)) } else { saturate(4 * first) };
        let agreement = if falls == self.falls[1] { 128 } else { -128 };
        let second = ((turn >> 7) + agreement + ((second * 32_512) >> 15)).clamp(-12_288, 12_288);
        let agreement = if falls == self.falls[0] { 192 } else { -192 };
        let room = 15_360 - second;
        let first = (agreement + ((first * 32_640) >> 15)).clamp(-room, room);
        self.poles = [first, second];
        self.falls = [falls, self.falls[0]];
    }

    /// The same for the zeros by the signs of the differences, of which it takes in the newest.
    fn adapt_zeros(&mut self, difference: i32) {
        let by = if difference == 0 { 0 } else { 128 };
        for (coefficient, earlier) in self.zeros.iter_mut().zip(&self.differences) {
            let agreement = if (*earlier < 0) == (difference < 0) { by } else { -by };
            *coefficient = saturate(((*coefficient * 32_640) >> 15) + agreement);
        }
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference;
    }
}

/// To 16 bits.
pub(super) fn saturate(sample: i32) -> i32 {
    sample.clamp(-32_768, 32_767)
}
