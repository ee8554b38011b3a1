//! G.722 against the ITU's test sequence and FFmpeg, bit by bit.

use super::*;

/// The overflow sequence T1C2.XMT of appendix II: samples for both bands.
fn overflow_sequence() -> Vec<u16> {
    let mut words = [0x8000, 0x7FFE].repeat(319);
    words.extend([0x8000, 0x0000, 0xB1E0, 0xC000]);
    words.extend([0x8000, 0x7FFE, 0x8000].repeat(42));
    words
}

/// The CRC-32 of a file with `words` as the ITU distributes it: between 16 words of reset, low byte first.
fn crc_of_file(words: impl IntoIterator<Item = u16>) -> u32 {
    crc(&[1; 16].into_iter().chain(words).chain([1; 16]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

fn crc(bytes: &[u8]) -> u32 {
    let divided = |crc: u32| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| divided(crc)))
}

/// 4 s of noise that swells to `peak` in 32 blocks of 10 ms, over and over; the first `silent` blocks are silent.
fn noise(peak: i32, silent: i32) -> Vec<i16> {
    let mut random = 1_u32;
    let mut next = |n: i32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let block = n / 160 % 32;
        let sample = (random >> 8) as i32 % (2 * peak + 1) - peak;
        if block < silent { 0 } else { (sample * (block + 1) / 32) as i16 }
    };
    (0..64_000).map(&mut next).collect()
}

/// 4 s of a triangle wave from 0 to 8 kHz.
fn sweep(peak: i32) -> Vec<i16> {
    let (mut phase, mut step) = (0_u32, 0_u32);
    let mut next = |_| {
        step += 33_554;
        phase = phase.wrapping_add(step);
        let triangle = ((phase >> 16) as i32 - 32_768).abs() - 16_384;
        (triangle * peak / 16_384) as i16
    };
    (0..64_000).map(&mut next).collect()
}

#[test]
fn the_overflow_sequence_of_the_itu_is_encoded_and_decoded_to_its_files() {
    let samples = overflow_sequence();
    assert_eq!(crc_of_file(samples.iter().copied()), 0x2D60_4685, "bt1c2.xmt");
    let mut encoder = Bands::new();
    let codes: Vec<u8> = samples
        .iter()
        .map(|&word| i32::from(word as i16) >> 1)
        .map(|sample| encoder.encode(sample, sample))
        .collect();
    assert_eq!(crc_of_file(codes.iter().map(|&code| u16::from(code) << 8)), 0x344E_A5D0, "bt2r2.cod");
    let mut decoder = Bands::new();
    let decoded: Vec<(i32, i32)> = codes.iter().map(|&code| decoder.decode(code)).collect();
    assert_eq!(crc_of_file(decoded.iter().map(|&(low, _)| (low << 1) as u16)), 0xAF00_F31F, "bt3l2.rc1");
    assert_eq!(crc_of_file(decoded.iter().map(|&(_, high)| (high << 1) as u16)), 0x5330_AE2E, "bt3h2.rc0");
}

/// What FFmpeg 5.1 makes of the same: its encoder of the samples, and its decoder of that.
#[test]
fn streams_are_bit_identical_to_ffmpegs() {
    let streams = [
        ("faint noise", noise(40, 0), 0x9DF6_CC71, 0xD523_466F),
        ("noise", noise(15_000, 0), 0xC8A8_3088, 0x1A05_DF82),
        ("noise and silence", noise(15_000, 20), 0x2C76_88D8, 0xB4FB_1094),
        ("sweep", sweep(16_000), 0x7E37_D603, 0xA883_2F12),
        ("faint sweep", sweep(300), 0x29CE_8ED3, 0x771B_307D),
    ];
    for (name, samples, encoded, decoded) in streams {
        let (mut codes, mut out) = (vec![0; samples.len() / 2], vec![0; samples.len()]);
        Encoder::new().encode(&samples, &mut codes);
        Decoder::new().decode(&codes, &mut out);
        let out: Vec<u8> = out.into_iter().flat_map(i16::to_le_bytes).collect();
        assert_eq!((crc(&codes), crc(&out)), (encoded, decoded), "{name}");
    }
}

/// What FFmpeg 5.1 decodes from the same.
#[test]
fn any_codes_decode_as_ffmpegs_decoder_does() {
    let codes: Vec<u8> = noise(15_000, 0).iter().map(|sample| (sample >> 3) as u8).collect();
    let mut out = vec![0; 2 * codes.len()];
    Decoder::new().decode(&codes, &mut out);
    let out: Vec<u8> = out.into_iter().flat_map(i16::to_le_bytes).collect();
    assert_eq!(crc(&out), 0xD13B_24C9);
}

#[test]
fn the_loudest_sounds_fit_both_bands() {
    for period in 1..40 {
        let square: Vec<i16> =
            (0..640).map(|n| if n / period % 2 == 0 { i16::MIN } else { i16::MAX }).collect();
        Encoder::new().encode(&square, &mut [0; 320]);
    }
}

#[test]
fn both_ends_learn_the_same() {
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
    let samples: Vec<i16> = (0..3_200).map(|n| (n * n % 19_937 - 10_000) as i16).collect();
    let (mut codes, mut decoded) = ([0; 1_600], [0; 3_200]);
    encoder.encode(&samples, &mut codes);
    decoder.decode(&codes, &mut decoded);
    assert_eq!(encoder.bands, decoder.bands);
}
