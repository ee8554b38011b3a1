//! Resampling by sweep: what passes, what is stopped, and what a resampler remembers.

use std::time::Duration;

use mixminus_audio::{Dbov, Resampler, SampleRate, Sine, goertzel, level};

const PAIRS: [(SampleRate, SampleRate); 3] = [
    (SampleRate::Hz8000, SampleRate::Hz16000),
    (SampleRate::Hz8000, SampleRate::Hz48000),
    (SampleRate::Hz16000, SampleRate::Hz48000),
];

/// Loud, so that the rounding to 16 bits is far below what is measured.
const LOUD: Dbov = Dbov(-4.0);

/// Frames that a filter needs to swing in and out.
const SETTLING: usize = 2;

/// One second of a tone, after the filter has swung in.
fn through(from: SampleRate, to: SampleRate, hz: u32) -> Vec<i16> {
    let mut sine = Sine::new(from, f64::from(hz), LOUD);
    let mut resampler = Resampler::new(from, to);
    let mut frame = vec![0; from.frame_samples()];
    let mut out = vec![0; (SETTLING + 50) * to.frame_samples()];
    for out in out.chunks_exact_mut(to.frame_samples()) {
        sine.fill(&mut frame);
        resampler.process(&frame, out);
    }
    out.split_off(SETTLING * to.frame_samples())
}

/// Level of `hz` in a second of sound against the tone that went in.
fn gain_db(samples: &[i16], rate: SampleRate, hz: u32) -> f32 {
    goertzel(samples, rate, f64::from(hz)).0 - LOUD.0
}

/// The band that the lower rate of a pair is to keep.
fn pass_band_hz(lower: SampleRate) -> u32 {
    if lower == SampleRate::Hz8000 { 3_400 } else { 7_000 }
}

/// Tones from 100 Hz to below `end_hz`, never a whole fraction of a rate.
fn sweep(end_hz: u32) -> impl Iterator<Item = u32> {
    (101..end_hz).step_by(199).chain([end_hz - 1])
}

#[test]
fn a_higher_rate_has_the_same_pass_band_and_no_images() {
    for (lower, higher) in PAIRS {
        for hz in sweep(lower.hz() / 2).chain([pass_band_hz(lower)]) {
            let out = through(lower, higher, hz);
            let gain = gain_db(&out, higher, hz);
            if hz <= pass_band_hz(lower) {
                assert!(gain.abs() < 0.1, "{lower:?} to {higher:?}: {gain} dB at {hz} Hz");
            }
            let multiples = (1..).map(|multiple| multiple * lower.hz());
            for multiple in multiples.take_while(|multiple| *multiple <= higher.hz() / 2) {
                for image in [multiple - hz, multiple + hz] {
                    let gain = gain_db(&out, higher, image);
                    let heard = image < higher.hz() / 2;
                    assert!(
                        !heard || gain < -80.0,
                        "{lower:?} to {higher:?}: {gain} dB at {image} Hz of {hz}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_lower_rate_has_the_same_pass_band_and_no_aliases() {
    for (lower, higher) in PAIRS {
        let nyquist = lower.hz() / 2;
        for hz in sweep(higher.hz() / 2).chain([pass_band_hz(lower), nyquist, nyquist + 1]) {
            let out = through(higher, lower, hz);
            if hz >= nyquist {
                let alias = level(&out).0 - LOUD.0;
                assert!(alias < -80.0, "{higher:?} to {lower:?}: {alias} dB of {hz} Hz");
            } else if hz <= pass_band_hz(lower) {
                let gain = gain_db(&out, lower, hz);
                assert!(gain.abs() < 0.1, "{higher:?} to {lower:?}: {gain} dB at {hz} Hz");
            }
        }
    }
}

#[test]
fn nothing_but_the_tone_comes_out() {
    for (from, to) in PAIRS.into_iter().flat_map(|(low, high)| [(low, high), (high, low)]) {
        let out = through(from, to, 1_003);
        let tone = 10.0_f64.powf(f64::from(goertzel(&out, to, 1_003.0).0) / 10.0);
        let all = 10.0_f64.powf(f64::from(level(&out).0) / 10.0);
        let rest_db = 10.0 * ((all - tone).abs() / all).log10();
        assert!(rest_db < -60.0, "{from:?} to {to:?}: {rest_db} dB");
    }
}

#[test]
fn the_output_is_the_input_later_by_the_delay() {
    for (from, to) in PAIRS.into_iter().flat_map(|(low, high)| [(low, high), (high, low)]) {
        let mut resampler = Resampler::new(from, to);
        let mut frame = vec![0; from.frame_samples()];
        frame[0] = i16::MAX;
        let mut out = vec![0; to.frame_samples()];
        resampler.process(&frame, &mut out);
        let loudest = out.iter().enumerate().max_by_key(|(_, sample)| **sample).unwrap().0;
        let late = Duration::from_secs(1) * loudest as u32 / to.hz();
        assert_eq!(late, resampler.delay());
    }
}

#[test]
fn the_delay_is_short() {
    let delay = |from, to| Resampler::new(from, to).delay().as_micros();
    assert_eq!(delay(SampleRate::Hz8000, SampleRate::Hz48000), 3_875);
    assert_eq!(delay(SampleRate::Hz16000, SampleRate::Hz8000), 3_875);
    assert_eq!(delay(SampleRate::Hz48000, SampleRate::Hz16000), 2_250);
    assert_eq!(delay(SampleRate::Hz48000, SampleRate::Hz48000), 0);
}

#[test]
fn equal_rates_copy() {
    for rate in SampleRate::ALL {
        let frame: Vec<i16> = (0..rate.frame_samples()).map(|n| n as i16 * 31 - 15_000).collect();
        let mut out = vec![0; frame.len()];
        Resampler::new(rate, rate).process(&frame, &mut out);
        assert_eq!(out, frame);
    }
}

#[test]
fn what_was_heard_longer_ago_than_the_filter_is_forgotten() {
    for (from, to) in PAIRS.into_iter().flat_map(|(low, high)| [(low, high), (high, low)]) {
        let [mut old, mut new] = [Resampler::new(from, to), Resampler::new(from, to)];
        let mut out = [vec![0; to.frame_samples()], vec![0; to.frame_samples()]];
        let mut sine = Sine::new(from, 440.0, LOUD);
        let mut frame = vec![0; from.frame_samples()];
        for tick in 0..4 {
            sine.fill(&mut frame);
            old.process(&frame, &mut out[0]);
            if tick > 1 {
                new.process(&frame, &mut out[1]);
            }
            assert_eq!(old == new, tick > 1, "{from:?} to {to:?} after tick {tick}");
        }
        assert_eq!(out[0], out[1]);
    }
}

#[test]
fn silence_comes_out_as_silence_after_the_last_sound_has_rung_out() {
    let mut resampler = Resampler::new(SampleRate::Hz8000, SampleRate::Hz16000);
    let mut out = [1; 320];
    resampler.process(&[0; 160], &mut out);
    assert_eq!(out, [0; 320]);
    resampler.process(&[20_000; 160], &mut out);
    resampler.process(&[0; 160], &mut out);
    assert!(out[0] > 10_000);
    assert_eq!(out[124..], [0; 196]);
    assert_eq!(resampler, Resampler::new(SampleRate::Hz8000, SampleRate::Hz16000));
}

#[test]
fn the_overshoot_of_the_loudest_square_wave_does_not_wrap() {
    for (from, to) in PAIRS.into_iter().flat_map(|(low, high)| [(low, high), (high, low)]) {
        let half = from.frame_samples() / 4;
        let square = |n: usize| if (n / half).is_multiple_of(2) { i16::MAX } else { i16::MIN };
        let frame: Vec<i16> = (0..from.frame_samples()).map(square).collect();
        let mut resampler = Resampler::new(from, to);
        let mut out = vec![0; to.frame_samples()];
        for _ in 0..3 {
            resampler.process(&frame, &mut out);
        }
        let changes = out.windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count();
        assert!((3..=4).contains(&changes), "{changes} from {from:?} to {to:?}");
        assert!(out.contains(&i16::MAX) && out.contains(&i16::MIN));
    }
}
