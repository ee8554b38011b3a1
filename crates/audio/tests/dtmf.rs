//! Digits in the audio: which are heard, and what is none.

#![expect(clippy::unwrap_used, reason = "tests")]

mod noise;

use std::f64::consts::TAU;
use std::time::Duration;

use mixminus_audio::dtmf::{DtmfDetector, Heard, TonePress, tone_pair};
use mixminus_audio::{Dbov, SampleRate, goertzel, level};

use crate::noise::Noise;

const RATE: SampleRate = SampleRate::Hz8000;
const DIGITS: &str = "123A456B789C*0#D";

/// A pair of tones for some milliseconds, each with its factor off frequency and its level.
#[derive(Clone, Copy)]
struct Tones {
    low: (f64, f64, f64),
    high: (f64, f64, f64),
    ms: f64,
}

impl Tones {
    fn of(digit: char) -> Self {
        let (low, high) = tone_pair(digit).unwrap();
        Self { low: (low, 1.0, -15.0), high: (high, 1.0, -15.0), ms: 40.0 }
    }

    /// Adds them to `samples` from `start_ms` on, without any ramp.
    fn add(self, rate: SampleRate, start_ms: f64, samples: &mut [f64]) {
        let per_ms = f64::from(rate.hz()) / 1_000.0;
        let start = (start_ms * per_ms).round() as usize;
        for n in 0..(self.ms * per_ms).round() as usize {
            for (hz, factor, dbov) in [self.low, self.high] {
                let amplitude = 32_768.0 * 2.0_f64.sqrt() * 10.0_f64.powf(dbov / 20.0);
                samples[start + n] += amplitude * (TAU * hz * factor * n as f64 / (1_000.0 * per_ms)).sin();
            }
        }
    }
}

fn hear(rate: SampleRate, samples: &[f64]) -> Vec<Heard> {
    let mut detector = DtmfDetector::new(rate);
    let frames = samples.chunks_exact(rate.frame_samples());
    frames
        .map(|frame| detector.hear(&frame.iter().map(|&sample| sample.round() as i16).collect::<Vec<_>>()))
        .collect()
}

fn digits(rate: SampleRate, samples: &[f64]) -> String {
    let new = |heard: Heard| if let Heard::Tone(digit) = heard { Some(digit) } else { None };
    hear(rate, samples).into_iter().filter_map(new).collect()
}

/// Half a second with `tones` at a place that is like no other for each `offset_ms`.
fn at(rate: SampleRate, tones: Tones, offset_ms: u32) -> Vec<f64> {
    let mut samples = vec![0.0; 25 * rate.frame_samples()];
    tones.add(rate, 60.0 + f64::from(offset_ms), &mut samples);
    samples
}

/// In how many of 20 positions against the frames `tones` are heard as `digit`, and as anything.
fn heard_in_20(rate: SampleRate, tones: Tones, digit: char) -> (usize, usize) {
    let found: Vec<String> = (0..20).map(|offset| digits(rate, &at(rate, tones, offset))).collect();
    let right = found.iter().filter(|found| **found == digit.to_string()).count();
    (right, found.iter().filter(|found| !found.is_empty()).count())
}

#[test]
fn every_digit_of_40_ms_is_heard_once_at_every_rate_wherever_it_begins() {
    for rate in SampleRate::ALL {
        for digit in DIGITS.chars() {
            assert_eq!(heard_in_20(rate, Tones::of(digit), digit), (20, 20), "{digit} at {rate:?}");
        }
    }
}

#[test]
fn tones_of_24_ms_are_no_digit() {
    for digit in DIGITS.chars() {
        assert_eq!(heard_in_20(RATE, Tones { ms: 24.0, ..Tones::of(digit) }, digit).1, 0, "{digit}");
    }
}

#[test]
fn a_tone_off_by_1_5_percent_is_heard_and_one_off_by_3_5_percent_is_none() {
    for digit in DIGITS.chars() {
        for (low, high) in
            [(0.985, 1.0), (1.015, 1.0), (1.0, 0.985), (1.0, 1.015), (0.985, 1.015), (1.015, 0.985)]
        {
            let mut tones = Tones::of(digit);
            (tones.low.1, tones.high.1) = (low, high);
            assert_eq!(heard_in_20(RATE, tones, digit), (20, 20), "{digit} at {low} and {high}");
        }
        for (low, high) in [(0.965, 1.0), (1.035, 1.0), (1.0, 0.965), (1.0, 1.035)] {
            let mut tones = Tones { ms: 400.0, ..Tones::of(digit) };
            (tones.low.1, tones.high.1) = (low, high);
            assert_eq!(heard_in_20(RATE, tones, digit).1, 0, "{digit} at {low} and {high}");
        }
    }
}

#[test]
fn one_tone_may_be_stronger_than_the_other_within_limits() {
    for (low, high, count) in [(-19.0, -15.0, 20), (-15.0, -23.0, 20), (-24.0, -15.0, 0), (-15.0, -28.0, 0)] {
        for digit in DIGITS.chars() {
            let mut tones = Tones::of(digit);
            (tones.low.2, tones.high.2) = (low, high);
            assert_eq!(heard_in_20(RATE, tones, digit), (count, count), "{digit} at {low} and {high} dBov");
        }
    }
}

#[test]
fn the_loudest_and_the_weakest_tones_are_heard_and_a_whisper_is_not() {
    for (level, count) in [(-9.1, 20), (-35.5, 20), (-40.0, 0)] {
        let mut tones = Tones::of('5');
        (tones.low.2, tones.high.2) = (level, level);
        assert_eq!(heard_in_20(RATE, tones, '5'), (count, count), "{level} dBov");
    }
}

#[test]
fn one_tone_alone_is_no_digit() {
    let mut tones = Tones { ms: 400.0, ..Tones::of('5') };
    tones.high.2 = -90.0;
    assert_eq!(heard_in_20(RATE, tones, '5').1, 0);
}

#[test]
fn digits_are_heard_in_noise_15_db_below_them() {
    let mut noise = Noise(1);
    for rate in SampleRate::ALL {
        for digit in DIGITS.chars() {
            for offset in 0..20 {
                let mut samples = at(rate, Tones { ms: 50.0, ..Tones::of(digit) }, offset);
                // Both tones are -12 dBov; a uniform distribution has a third of its peak's square.
                let peak = 32_768.0 * 10.0_f64.powf((-12.0 - 15.0) / 20.0) * 3.0_f64.sqrt();
                for sample in &mut samples {
                    *sample += peak * noise.next();
                }
                assert_eq!(digits(rate, &samples), digit.to_string(), "offset {offset} at {rate:?}");
            }
        }
    }
}

#[test]
fn a_pause_of_40_ms_divides_two_presses_and_an_interruption_of_10_ms_does_not() {
    for (pause, expected) in [(40.0, "55"), (10.0, "5")] {
        for offset in 0..20 {
            let mut samples = at(RATE, Tones::of('5'), offset);
            Tones::of('5').add(RATE, 60.0 + f64::from(offset) + 40.0 + pause, &mut samples);
            assert_eq!(digits(RATE, &samples), expected, "{pause} ms at {offset}");
        }
    }
}

#[test]
fn digits_that_follow_each_other_without_a_pause_are_heard() {
    let mut samples = vec![0.0; 100 * 160];
    for (place, digit) in DIGITS.chars().enumerate() {
        Tones { ms: 60.0, ..Tones::of(digit) }.add(RATE, 33.0 + 60.0 * place as f64, &mut samples);
    }
    assert_eq!(digits(RATE, &samples), DIGITS);
}

#[test]
fn of_a_press_no_more_than_its_first_20_ms_pass_unsuspected() {
    for rate in SampleRate::ALL {
        for offset in 0..20 {
            let heard = hear(rate, &at(rate, Tones { ms: 100.0, ..Tones::of('9') }, offset));
            let first = heard.iter().position(|&heard| heard != Heard::Nothing).unwrap();
            assert!(first as u32 * 20 <= 60 + offset + 20, "{offset}: {heard:?}");
            let tone = heard.iter().position(|&heard| heard == Heard::Tone('9')).unwrap();
            assert!(tone as u32 * 20 <= 60 + offset + 40, "{offset}: {heard:?}");
            let end = (60 + offset + 100).div_ceil(20) as usize;
            assert!(heard[first..end - 1].iter().all(|&heard| heard != Heard::Nothing), "{heard:?}");
            assert!(heard[end + 2..].iter().all(|&heard| heard == Heard::Nothing), "{heard:?}");
        }
    }
}

/// Harmonics of a voice, shaped by three formants, with the pitch gliding over an octave within a second.
fn vowel(formants: [f64; 3], lowest_hz: f64, samples: usize) -> Vec<f64> {
    let mut phase = 0.0;
    let gain =
        |hz: f64| formants.iter().map(|formant| 1.0 / (1.0 + ((hz - formant) / 60.0).powi(2))).sum::<f64>();
    let sound = |n: usize| {
        let pitch = lowest_hz * 2.0_f64.powf((n as f64 / 8_000.0) % 1.0);
        phase += TAU * pitch / 8_000.0;
        let harmonics = (1..).take_while(|&number| pitch * f64::from(number) < 3_600.0);
        3_000.0
            * harmonics
                .map(|number| gain(pitch * f64::from(number)) * (phase * f64::from(number)).sin())
                .sum::<f64>()
    };
    (0..samples).map(sound).collect()
}

#[test]
fn no_vowel_at_any_pitch_is_a_digit() {
    let formants = [
        [730.0, 1_090.0, 2_440.0],
        [270.0, 2_290.0, 3_010.0],
        [300.0, 870.0, 2_240.0],
        [530.0, 1_840.0, 2_480.0],
        [660.0, 1_720.0, 2_410.0],
        [520.0, 1_190.0, 2_390.0],
        [700.0, 1_220.0, 2_600.0],
        [850.0, 1_340.0, 2_800.0],
        [940.0, 1_480.0, 3_000.0],
    ];
    for formants in formants {
        for lowest_hz in [70.0, 90.0, 120.0, 160.0, 200.0, 240.0, 300.0] {
            let samples = vowel(formants, lowest_hz, 8_000);
            assert_eq!(digits(RATE, &samples), "", "{formants:?} from {lowest_hz} Hz");
        }
    }
}

#[test]
fn noise_and_silence_hold_no_digit() {
    let mut noise = Noise(7);
    let samples: Vec<f64> = (0..60 * 8_000).map(|_| 8_000.0 * noise.next()).collect();
    assert!(hear(RATE, &samples).iter().all(|&heard| heard == Heard::Nothing));
    assert!(hear(RATE, &[0.0; 1_600]).iter().all(|&heard| heard == Heard::Nothing));
}

#[test]
fn a_press_played_is_heard_and_ends_in_silence() {
    for rate in SampleRate::ALL {
        for digit in DIGITS.chars() {
            let mut press = TonePress::new(rate, digit, Duration::from_millis(70)).unwrap();
            let mut detector = DtmfDetector::new(rate);
            let mut frame = vec![1; rate.frame_samples()];
            let mut heard = vec![];
            for more in [true, true, true, false, false, false, false] {
                assert_eq!(press.fill(&mut frame), more);
                heard.push(detector.hear(&frame));
            }
            assert_eq!(frame, vec![0; rate.frame_samples()]);
            assert_eq!(heard[1], Heard::Tone(digit));
            assert_eq!(heard[6], Heard::Nothing);
        }
    }
    assert_eq!(TonePress::new(RATE, 'E', Duration::from_secs(1)), None);
}

#[test]
fn a_press_has_its_two_tones_at_their_levels_and_no_click_at_its_ends() {
    let mut press = TonePress::new(RATE, '1', Duration::from_millis(200)).unwrap();
    let mut samples = vec![1; 1_760];
    samples.chunks_mut(160).for_each(|frame| {
        press.fill(frame);
    });
    for (hz, level) in [(697.0, -15.2), (1_209.0, -13.2)] {
        assert!((goertzel(&samples[80..1_520], RATE, hz).0 - level).abs() < 0.3);
    }
    assert!(level(&samples[1_600..]) == Dbov::SILENCE);
    assert!(samples[..4].iter().chain(&samples[1_596..1_600]).all(|sample| sample.abs() < 4_000));
}
