//! One frame between each two sample rates, and a key heard in one.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mixminus_audio::dtmf::DtmfDetector;
use mixminus_audio::{Dbov, Resampler, SampleRate, Sine};

fn frame(rate: SampleRate) -> Vec<i16> {
    let mut frame = vec![0; rate.frame_samples()];
    Sine::new(rate, 440.0, Dbov(-20.0)).fill(&mut frame);
    frame
}

fn resampler(criterion: &mut Criterion) {
    for from in SampleRate::ALL {
        for to in SampleRate::ALL.into_iter().filter(|&to| to != from) {
            let (frame, mut out) = (frame(from), vec![0; to.frame_samples()]);
            let mut resampler = Resampler::new(from, to);
            criterion.bench_function(&format!("resampler from {} to {} Hz", from.hz(), to.hz()), |bencher| {
                bencher.iter(|| resampler.process(black_box(&frame), black_box(&mut out)));
            });
        }
    }
    let mut resampler = Resampler::new(SampleRate::Hz8000, SampleRate::Hz48000);
    let mut out = [0; 960];
    criterion.bench_function("resampler of silence from 8000 to 48000 Hz", |bencher| {
        bencher.iter(|| resampler.process(black_box(&[0; 160]), black_box(&mut out)));
    });
}

fn detector(criterion: &mut Criterion) {
    for rate in SampleRate::ALL {
        let (frame, mut detector) = (frame(rate), DtmfDetector::new(rate));
        criterion.bench_function(&format!("DTMF detector at {} Hz", rate.hz()), |bencher| {
            bencher.iter(|| detector.hear(black_box(&frame)));
        });
    }
}

criterion_group!(benches, resampler, detector);
criterion_main!(benches);
