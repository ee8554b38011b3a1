//! Something like speech, and how much of it comes through.

use mixminus_audio::SampleRate;
use mixminus_codec::{Decoder, Encoder, Encoding, Format, MAX_PAYLOAD_BYTES, OpusSettings};

pub const RATES: [SampleRate; 2] = [SampleRate::Hz16000, SampleRate::Hz48000];

/// The delay of Opus: 5 ms of look-ahead, and what resampling inside SILK adds.
const MAX_DELAY_MS: usize = 15;

pub fn opus(rate: SampleRate) -> Encoding {
    Format::Opus(rate).into()
}

pub fn opus_with_dtx(rate: SampleRate) -> Encoding {
    Encoding::new(Format::Opus(rate), OpusSettings { dtx: true, ..OpusSettings::default() })
}

/// Vowels of a gliding voice, four a second: the harmonics of 100 to 180 Hz up to 3.4 kHz under two formants.
pub fn speech(rate: SampleRate, frames: usize) -> Vec<i16> {
    let mut phase = 0.0_f64;
    (0..frames * rate.frame_samples())
        .map(|n| {
            let seconds = n as f64 / f64::from(rate.hz());
            let pitch = 140.0 + 40.0 * (seconds * 5.0).sin();
            phase += std::f64::consts::TAU * pitch / f64::from(rate.hz());
            let formants = [500.0 + 250.0 * (seconds * 9.0).sin(), 1_600.0 + 500.0 * (seconds * 7.0).cos()];
            let wave: f64 = (1..=(3_400.0 / pitch) as u32)
                .map(|k| {
                    let resonance =
                        |formant: f64| (-((pitch * f64::from(k) - formant) / 200.0).powi(2)).exp() + 0.03;
                    (f64::from(k) * phase).sin() * (resonance(formants[0]) + 0.4 * resonance(formants[1]))
                })
                .sum();
            let syllable = (seconds * std::f64::consts::TAU * 2.0).sin().abs();
            (4_000.0 * syllable * wave) as i16
        })
        .collect()
}

/// The payloads of a stream.
pub fn encode(encoding: Encoding, samples: &[i16]) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(encoding);
    let frames = samples.chunks_exact(encoding.format().sample_rate().frame_samples());
    frames.map(|frame| encode_frame(&mut encoder, frame)).collect()
}

pub fn encode_frame(encoder: &mut Encoder, frame: &[i16]) -> Vec<u8> {
    let mut payload = [0; MAX_PAYLOAD_BYTES];
    let bytes = encoder.encode(frame, &mut payload);
    payload[..bytes].to_vec()
}

/// The samples of a stream, from payloads that make a frame each.
pub fn decode(format: Format, payloads: &[Vec<u8>]) -> Vec<i16> {
    let mut decoder = Decoder::new(format);
    payloads.iter().flat_map(|payload| decode_frame(&mut decoder, payload)).collect()
}

pub fn decode_frame(decoder: &mut Decoder, payload: &[u8]) -> Vec<i16> {
    let mut samples = vec![0; decoder.format().sample_rate().frame_samples()];
    assert_eq!(decoder.decode(payload, &mut samples), Ok(samples.len()));
    samples
}

/// Decibels of `original` over its difference from `actual`, whatever the delay of the latter.
pub fn snr(original: &[i16], actual: &[i16], rate: SampleRate) -> f64 {
    let power = |samples: &mut dyn Iterator<Item = f64>| samples.map(|sample| sample * sample).sum::<f64>();
    (0..MAX_DELAY_MS * rate.samples_per_ms())
        .map(|delay| {
            let pairs = || original.iter().zip(&actual[delay..]);
            let error = power(&mut pairs().map(|(&a, &b)| f64::from(a) - f64::from(b)));
            10.0 * (power(&mut pairs().map(|(&a, _)| f64::from(a))) / error).log10()
        })
        .fold(f64::NEG_INFINITY, f64::max)
}

pub fn peak(samples: &[i16]) -> u16 {
    samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap()
}
