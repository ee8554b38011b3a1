//! One frame through each codec, concealment, limiter and resampler.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use flite_rs::Engine;
use mixminus_audio::{Dbov, Limiter, Resampler, SampleRate, Sine, resample};
use mixminus_codec::{
    ComfortNoise, Concealment, Decoder, Encoder, Encoding, Format, MAX_PAYLOAD_BYTES, OpusSettings,
};

const OPUS_RATES: [SampleRate; 2] = [SampleRate::Hz16000, SampleRate::Hz48000];

/// A voice-like level at 8 kHz.
fn frame() -> [i16; 160] {
    let mut frame = [0; 160];
    Sine::new(SampleRate::Hz8000, 210.0, Dbov(-20.0)).fill(&mut frame);
    frame
}

/// Frames of two sentences at `rate`. What Opus costs depends on what is said.
fn speech(rate: SampleRate) -> Vec<Vec<i16>> {
    let mut engine = Engine::new();
    assert!(engine.select_voice("kal16"), "the voice is compiled in");
    let said = engine.synthesize(
        "Good morning, you are speaking to the service desk. Please hold the line while I look at your contract.",
    );
    let mut resampler = Resampler::new(SampleRate::Hz16000, rate);
    let frames = said.samples.chunks_exact(SampleRate::Hz16000.frame_samples());
    frames
        .map(|frame| {
            let mut out = vec![0; rate.frame_samples()];
            resampler.process(frame, &mut out);
            out
        })
        .collect()
}

fn payloads(encoding: Encoding, frames: &[Vec<i16>]) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(encoding);
    let mut encode = |frame: &Vec<i16>| {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let bytes = encoder.encode(frame, &mut payload);
        payload[..bytes].to_vec()
    };
    frames.iter().map(&mut encode).collect()
}

fn bench_encode(criterion: &mut Criterion, name: &str, encoding: Encoding, frames: &[Vec<i16>]) {
    let (mut encoder, mut payload) = (Encoder::new(encoding), [0; MAX_PAYLOAD_BYTES]);
    let mut frames = frames.iter().cycle();
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| encoder.encode(frames.next().expect("endless"), black_box(&mut payload)));
    });
}

fn bench_decode(criterion: &mut Criterion, name: &str, format: Format, payloads: &[Vec<u8>]) {
    let (mut decoder, mut out) = (Decoder::new(format), [0; 960]);
    let mut payloads = payloads.iter().cycle();
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| decoder.decode(payloads.next().expect("endless"), black_box(&mut out)));
    });
}

fn waveform_codecs(criterion: &mut Criterion) {
    for format in Format::ALL.into_iter().filter(|format| !matches!(format, Format::Opus(_))) {
        let name = format!("{} at {} Hz", format.encoding_name(), format.sample_rate().hz());
        let frames = speech(format.sample_rate());
        bench_encode(criterion, &format!("{name} encode"), format.into(), &frames);
        bench_decode(criterion, &format!("{name} decode"), format, &payloads(format.into(), &frames));
    }
}

fn opus(criterion: &mut Criterion) {
    for rate in OPUS_RATES {
        let (format, frames, name) = (Format::Opus(rate), speech(rate), format!("opus at {} Hz", rate.hz()));
        for complexity in 0..=10 {
            let encoding = Encoding::new(format, OpusSettings { complexity, ..OpusSettings::default() });
            let name = format!("{name} encode, complexity {complexity}");
            bench_encode(criterion, &name, encoding, &frames);
        }
        let with_fec = Encoding::from(format).with_expected_loss(10);
        bench_encode(criterion, &format!("{name} encode with FEC"), with_fec, &frames);
        let silence = vec![vec![0; rate.frame_samples()]];
        bench_encode(criterion, &format!("{name} encode silence"), format.into(), &silence);
        let said = payloads(format.into(), &frames);
        bench_decode(criterion, &format!("{name} decode"), format, &said);
        let quiet = payloads(format.into(), &vec![vec![0; rate.frame_samples()]; 20]);
        bench_decode(criterion, &format!("{name} decode silence"), format, &quiet[15..]);
        let recent: Vec<&[i16]> = frames[20..24].iter().map(Vec::as_slice).collect();
        let mut encoder = Encoder::new(format.into());
        criterion.bench_function(&format!("{name} prime"), |bencher| {
            bencher.iter(|| encoder.prime(black_box(&recent)));
        });
    }
}

fn comfort_noise(criterion: &mut Criterion) {
    let (mut noise, mut frame) = (ComfortNoise::new(SampleRate::Hz8000), frame());
    noise.describe(&[50, 100, 140, 127, 130]);
    criterion.bench_function("comfort noise", |bencher| {
        bencher.iter(|| noise.fill(black_box(&mut frame)));
    });
}

fn concealment(criterion: &mut Criterion) {
    let (good, mut frame) = (frame(), frame());
    let mut concealment = Concealment::new(SampleRate::Hz8000);
    criterion.bench_function("concealment of nothing", |bencher| {
        bencher.iter(|| concealment.good(black_box(&mut frame)));
    });
    criterion.bench_function("concealment of every other frame", |bencher| {
        bencher.iter(|| {
            frame.copy_from_slice(&good);
            concealment.good(&mut frame);
            concealment.conceal(black_box(&mut frame))
        });
    });
}

fn limiter(criterion: &mut Criterion) {
    for (name, gain) in [("that fits", 1), ("four times too loud", 40)] {
        let wide = frame().map(|sample| i32::from(sample) * gain);
        let mut limiter = Limiter::new(SampleRate::Hz8000);
        let mut out = [0; 160];
        criterion.bench_function(&format!("limiter of a sum {name}"), |bencher| {
            bencher.iter(|| limiter.limit(black_box(&wide), &mut out));
        });
    }
}

fn resampler(criterion: &mut Criterion) {
    let second = vec![1_000; 44_100];
    criterion.bench_function("resample a second from 44.1 to 8 kHz", |bencher| {
        bencher.iter(|| resample(black_box(&second), 44_100, SampleRate::Hz8000));
    });
}

criterion_group!(benches, waveform_codecs, opus, comfort_noise, concealment, limiter, resampler);
criterion_main!(benches);
