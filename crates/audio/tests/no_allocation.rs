//! What runs on an audio thread neither allocates nor frees.

use std::hint::black_box;
use std::time::Duration;

use allocation_counter::measure;
use mixminus_audio::dtmf::{DtmfDetector, TonePress};
use mixminus_audio::{
    ActiveSpeaker, Clip, Dbov, Decibels, Gain, Limiter, NoiseSuppressor, Pcm, Resampler, SampleRate, Sine,
    Suppression, Talking, Voice, level,
};

fn assert_untouched(what: &str, run: impl FnOnce()) {
    let info = measure(run);
    assert_eq!((info.count_total, info.count_current), (0, 0), "{what}: {info:?}");
}

#[test]
fn a_resampler_is_made_and_run_without_a_touch_once_another_was_made() {
    for (from, to) in SampleRate::ALL.into_iter().flat_map(|from| SampleRate::ALL.map(|to| (from, to))) {
        let fresh = Resampler::new(from, to);
        let (mut frame, mut out) = ([0; 960], [0; 960]);
        Sine::new(from, 440.0, Dbov(-20.0)).fill(&mut frame);
        assert_untouched("resampler", || {
            let mut resampler = Resampler::new(from, to);
            resampler.process(&frame[..from.frame_samples()], &mut out[..to.frame_samples()]);
            assert_eq!(resampler == fresh, from == to);
        });
    }
}

#[test]
fn everything_else_that_an_audio_thread_runs_leaves_memory_alone() {
    for rate in SampleRate::ALL {
        let clip = Clip::new(Pcm { rate: SampleRate::Hz8000, samples: vec![1; 8_000] });
        clip.prepare(rate);
        let mut suppressor = NoiseSuppressor::new(rate, Suppression::Db18);
        let mut detector = DtmfDetector::new(rate);
        assert_untouched("all else", || {
            let (mut buffer, mut wide) = ([0; 960], [0; 960]);
            let frame = &mut buffer[..rate.frame_samples()];
            let Some(mut press) = TonePress::new(rate, '5', Duration::from_millis(100)) else { return };
            let (mut talking, mut gain) = (Talking::default(), Gain::default());
            let (mut speaker, mut limiter) = (ActiveSpeaker::default(), Limiter::new(rate));
            for tick in 0..20_u16 {
                assert_eq!(press.fill(frame), tick < 4);
                detector.hear(frame);
                suppressor.process(frame);
                let voice =
                    Voice { id: tick % 3, level: level(frame), talking: talking.hear(level(frame), frame) };
                speaker.hear([voice]);
                gain.set(Decibels(f32::from(tick)));
                gain.apply(frame);
                frame.copy_from_slice(&clip.at(rate).unwrap_or_default()[..frame.len()]);
                wide.iter_mut().zip(&*frame).for_each(|(wide, &sample)| *wide = i32::from(sample) * 40_000);
                limiter.limit(&wide[..frame.len()], frame);
            }
        });
    }
}

#[test]
fn the_counter_sees_an_allocation() {
    assert_eq!(measure(|| drop(black_box(Box::new(0)))).count_total, 1);
}
