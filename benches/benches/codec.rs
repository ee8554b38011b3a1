//! One frame through each codec, concealment, limiter and resampler.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mixminus_audio::{Dbov, Limiter, SampleRate, Sine, resample};
use mixminus_codec::{Concealment, Decoder, Encoder, Format, MAX_PAYLOAD_BYTES};

/// A voice-like level at 8 kHz.
fn frame() -> [i16; 160] {
    let mut frame = [0; 160];
    Sine::new(SampleRate::Hz8000, 210.0, Dbov(-20.0)).fill(&mut frame);
    frame
}

fn g711(criterion: &mut Criterion) {
    let frame = frame();
    for format in Format::ALL {
        let (mut payload, mut decoded) = ([0; MAX_PAYLOAD_BYTES], [0; 160]);
        let mut encoder = Encoder::new(format);
        let bytes = encoder.encode(&frame, &mut payload);
        let name = format.encoding_name();
        criterion.bench_function(&format!("{name} encode"), |bencher| {
            bencher.iter(|| encoder.encode(black_box(&frame), &mut payload));
        });
        let mut decoder = Decoder::new(format);
        criterion.bench_function(&format!("{name} decode"), |bencher| {
            bencher.iter(|| decoder.decode(black_box(&payload[..bytes]), &mut decoded));
        });
    }
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

criterion_group!(benches, g711, concealment, limiter, resampler);
criterion_main!(benches);
