//! G.722 at 64 kbit/s (ITU-T G.722, mode 1): two half-bands of 8 kHz, each coded as the difference to what
//! an adaptive predictor expects, in 6 and 2 bits.

mod band;
#[cfg(test)]
mod tests;

use band::{Band, OCTAVE, saturate};

/// Every second coefficient of the filter that splits and joins the bands, oldest sample first;
/// the samples between have the same ones in reverse.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// Decision levels of the lower band's 6-bit quantizer.
const DECISIONS_6: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
    1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];

/// The upper band's only decision level.
const DECISION_2: i32 = 564;

/// Values of the lower band's 6-bit codes.
const VALUES_6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360,
    -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688,
    -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856,
    7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136,
    -432, -136,
];

/// Values of the upper four bits of the lower band's codes; the predictor adapts by these, so that the lower
/// two can be taken for data on the way.
const VALUES_4: [i32; 16] =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];

/// Values of the upper band's codes.
const VALUES_2: [i32; 4] = [-7408, -1616, 7408, 1616];

/// By how much the upper four bits of the lower band's codes change the logarithm of its step.
const LOG_STEPS_4: [i32; 16] =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];

/// By how much the upper band's codes change the logarithm of its step.
const LOG_STEPS_2: [i32; 4] = [798, -214, 798, -214];

/// Encodes audio at 16 kHz.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Encoder {
    mirror: Mirror,
    bands: Bands,
}

impl Encoder {
    pub(crate) const fn new() -> Self {
        Self { mirror: Mirror::new(), bands: Bands::new() }
    }

    /// Encodes each pair of `samples` to a byte; an odd one at the end is left out.
    pub(crate) fn encode(&mut self, samples: &[i16], codes: &mut [u8]) {
        for (code, pair) in codes.iter_mut().zip(samples.chunks_exact(2)) {
            let (first, second) = self.mirror.filter(pair[0], pair[1]);
            *code = self.bands.encode(limit((second + first) >> 14), limit((second - first) >> 14));
        }
    }
}

/// Decodes to audio at 16 kHz.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decoder {
    mirror: Mirror,
    bands: Bands,
}

impl Decoder {
    pub(crate) const fn new() -> Self {
        Self { mirror: Mirror::new(), bands: Bands::new() }
    }

    /// Decodes each of `codes` to a pair of samples.
    pub(crate) fn decode(&mut self, codes: &[u8], samples: &mut [i16]) {
        for (&code, pair) in codes.iter().zip(samples.chunks_exact_mut(2)) {
            let (low, high) = self.bands.decode(code);
            let (first, second) = self.mirror.filter((low + high) as i16, (low - high) as i16);
            pair.copy_from_slice(&[saturate(second >> 11) as i16, saturate(first >> 11) as i16]);
        }
    }
}

/// The quadrature mirror filter over pairs of samples, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mirror {
    firsts: [i16; QMF.len()],
    seconds: [i16; QMF.len()],
}

impl Mirror {
    const fn new() -> Self {
        Self { firsts: [0; QMF.len()], seconds: [0; QMF.len()] }
    }

    /// Takes in one more pair and weighs the firsts and the seconds of the last twelve.
    fn filter(&mut self, first: i16, second: i16) -> (i32, i32) {
        self.firsts.copy_within(1.., 0);
        self.seconds.copy_within(1.., 0);
        self.firsts[QMF.len() - 1] = first;
        self.seconds[QMF.len() - 1] = second;
        let (mut firsts, mut seconds) = (0, 0);
        for n in 0..QMF.len() {
            firsts += QMF[n] * i32::from(self.firsts[n]);
            seconds += QMF[QMF.len() - 1 - n] * i32::from(self.seconds[n]);
        }
        (firsts, seconds)
    }
}

/// The coders of both half-bands, whose samples have 15 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bands {
    low: Band,
    high: Band,
}

impl Bands {
    const fn new() -> Self {
        Self { low: Band::new(32), high: Band::new(8) }
    }

    fn encode(&mut self, low: i32, high: i32) -> u8 {
        debug_assert_eq!((low, high), (limit(low), limit(high)));
        let low = quantize_6(saturate(low - self.low.expected), self.low.step);
        let high = quantize_2(saturate(high - self.high.expected), self.high.step);
        self.adapt(low, high);
        (high << 6 | low) as u8
    }

    fn decode(&mut self, code: u8) -> (i32, i32) {
        let (low, high) = (usize::from(code & 0x3F), usize::from(code >> 6));
        let low_sample = self.low.expected + self.low.difference(VALUES_6[low]);
        let high_sample = self.high.expected + self.high.difference(VALUES_2[high]);
        self.adapt(low, high);
        (limit(low_sample), limit(high_sample))
    }

    /// Learns from the codes what comes next, in the same way at both ends.
    fn adapt(&mut self, low: usize, high: usize) {
        let (low_difference, high_difference) =
            (self.low.difference(VALUES_4[low >> 2]), self.high.difference(VALUES_2[high]));
        self.low.scale(LOG_STEPS_4[low >> 2], 9 * OCTAVE, 8);
        self.high.scale(LOG_STEPS_2[high], 11 * OCTAVE, 10);
        self.low.predict(low_difference);
        self.high.predict(high_difference);
    }
}

/// The code whose interval of the lower band holds `difference`.
fn quantize_6(difference: i32, step: i32) -> usize {
    let magnitude = magnitude(difference);
    let interval = DECISIONS_6.partition_point(|level| (level * step) >> 12 <= magnitude);
    match (difference < 0, interval) {
        (true, 0..=1) => 63 - interval,
        (true, _) => 33 - interval,
        (false, _) => 61 - interval,
    }
}

/// The code whose interval of the upper band holds `difference`.
fn quantize_2(difference: i32, step: i32) -> usize {
    let outer = magnitude(difference) >= (DECISION_2 * step) >> 12;
    match (difference < 0, outer) {
        (true, true) => 0,
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 3,
    }
}

/// In one's complement, as in the Recommendation.
fn magnitude(difference: i32) -> i32 {
    difference ^ (difference >> 31)
}

fn limit(sample: i32) -> i32 {
    sample.clamp(-16_384, 16_383)
}
