//! G.711: 16-bit samples as 8-bit codes of a sign, a 3-bit segment and a 4-bit step.
//!
//! Samples are truncated to the 14 bits of µ-law and the 13 of A-law, negative ones in one's complement, as
//! in the reference of ITU-T G.191.

/// µ-law adds this to a 16-bit magnitude, so that each segment begins at a power of two.
const ULAW_BIAS: i32 = 132;

/// The largest magnitude whose biased value still is in the last segment.
const ULAW_CLIP: i32 = 32_767 - ULAW_BIAS;

/// Linear value of each µ-law code.
pub(crate) static ULAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = decode_ulaw(code as u8);
        code += 1;
    }
    table
};

/// Linear value of each A-law code.
pub(crate) static ALAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = decode_alaw(code as u8);
        code += 1;
    }
    table
};

/// Encodes `samples` to µ-law, one byte for each.
pub(crate) fn encode_ulaw(samples: &[i16], codes: &mut [u8]) {
    for (code, &sample) in codes.iter_mut().zip(samples) {
        let biased = magnitude(sample).min(ULAW_CLIP) + ULAW_BIAS;
        *code = !(segment_and_step(biased, 7) as u8 | sign(sample));
    }
}

/// Encodes `samples` to A-law, one byte for each; the even bits are inverted.
pub(crate) fn encode_alaw(samples: &[i16], codes: &mut [u8]) {
    for (code, &sample) in codes.iter_mut().zip(samples) {
        let magnitude = magnitude(sample) >> 4;
        // The first segment is as fine as the second and continues to zero.
        let curved = segment_and_step(magnitude, 3);
        let bits = if magnitude < 16 { magnitude } else { curved };
        *code = (bits as u8 | sign(sample)) ^ 0xD5;
    }
}

/// Looks `codes` up in [`ULAW`] or [`ALAW`].
pub(crate) fn decode(law: &[i16; 256], codes: &[u8], samples: &mut [i16]) {
    for (sample, &code) in samples.iter_mut().zip(codes) {
        *sample = law[usize::from(code)];
    }
}

fn sign(sample: i16) -> u8 {
    (sample >> 15) as u8 & 0x80
}

fn magnitude(sample: i16) -> i32 {
    i32::from(sample ^ (sample >> 15))
}

/// The position of the highest bit of `magnitude` above `first`, and the four bits below it: a segment and
/// its step. A float's exponent and mantissa are just that, and compute without a branch or table, so the
/// loops above become vector instructions.
fn segment_and_step(magnitude: i32, first: i32) -> i32 {
    ((magnitude as f32).to_bits() >> 19) as i32 - ((127 + first) << 4)
}

const fn decode_ulaw(code: u8) -> i16 {
    let code = !code;
    let step = ((code & 0x0F) as i32) << 3;
    let magnitude = ((step + ULAW_BIAS) << ((code >> 4) & 0x07)) - ULAW_BIAS;
    (if code & 0x80 == 0 { magnitude } else { -magnitude }) as i16
}

const fn decode_alaw(code: u8) -> i16 {
    let code = code ^ 0x55;
    let segment = (code >> 4) & 0x07;
    let step = ((code & 0x0F) as i32) << 4;
    let magnitude = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    (if code & 0x80 == 0 { -magnitude } else { magnitude }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decision values of G.711 tables 1 and 2 in 16-bit units, each from the one before: µ-law begins
    /// with half a step, A-law has two segments with the same step.
    fn decision_values(law: Law) -> Vec<i32> {
        let mut values = vec![0];
        for n in 0..127 {
            let step = match law {
                Law::U if n == 0 => 4,
                Law::U => 8 << (n / 16),
                Law::A => 16 << (n / 16_i32 - 1).max(0),
            };
            values.push(values[n as usize] + step);
        }
        values
    }

    #[derive(Clone, Copy)]
    enum Law {
        U,
        A,
    }

    /// The number of the interval that holds `sample`, counted up from zero, found by searching.
    fn interval(decisions: &[i32], sample: i16) -> u8 {
        let magnitude = if sample < 0 { -1 - i32::from(sample) } else { i32::from(sample) };
        (decisions.iter().filter(|&&decision| decision <= magnitude).count() - 1) as u8
    }

    #[test]
    fn every_linear_input_has_the_ulaw_code_of_its_interval() {
        let decisions = decision_values(Law::U);
        for sample in i16::MIN..=i16::MAX {
            let mut code = [0];
            encode_ulaw(&[sample], &mut code);
            let expected = if sample < 0 { 0x7F } else { 0xFF } - interval(&decisions, sample);
            assert_eq!(code[0], expected, "{sample}");
        }
    }

    #[test]
    fn every_linear_input_has_the_alaw_code_of_its_interval() {
        let decisions = decision_values(Law::A);
        for sample in i16::MIN..=i16::MAX {
            let mut code = [0];
            encode_alaw(&[sample], &mut code);
            let expected = (if sample < 0 { 0x00 } else { 0x80 } + interval(&decisions, sample)) ^ 0x55;
            assert_eq!(code[0], expected, "{sample}");
        }
    }

    #[test]
    fn every_code_decodes_to_the_middle_of_its_interval() {
        let mut ulaw = decision_values(Law::U);
        let mut alaw = decision_values(Law::A);
        ulaw.push(ulaw[127] + 1_024);
        alaw.push(alaw[127] + 1_024);
        for n in 0..128_usize {
            let middle = |decisions: &[i32]| i32::midpoint(decisions[n], decisions[n + 1]);
            let ulaw = if n == 0 { 0 } else { middle(&ulaw) };
            assert_eq!((i32::from(ULAW[0xFF - n]), i32::from(ULAW[0x7F - n])), (ulaw, -ulaw), "µ {n}");
            let alaw = middle(&alaw);
            assert_eq!(
                (i32::from(ALAW[(0x80 + n) ^ 0x55]), i32::from(ALAW[n ^ 0x55])),
                (alaw, -alaw),
                "A {n}"
            );
        }
    }

    #[test]
    fn every_code_survives_decoding_and_encoding() {
        for code in 0..=u8::MAX {
            let (mut ulaw, mut alaw) = ([0], [0]);
            encode_ulaw(&[ULAW[usize::from(code)]], &mut ulaw);
            encode_alaw(&[ALAW[usize::from(code)]], &mut alaw);
            // µ-law has two zeros; the encoder makes the positive one.
            assert_eq!(ulaw[0], if code == 0x7F { 0xFF } else { code });
            assert_eq!(alaw[0], code);
        }
    }
}
