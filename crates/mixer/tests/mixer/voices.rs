//! What legs say, tick by tick.

use std::f64::consts::TAU;

use mixminus_audio::SampleRate;

/// Frame `tick` of a signal that has this value at each time in seconds.
fn frame(rate: SampleRate, tick: usize, value: impl Fn(f64) -> f64) -> Vec<i16> {
    let samples = rate.frame_samples();
    (tick * samples..(tick + 1) * samples).map(|n| value(n as f64 / f64::from(rate.hz())) as i16).collect()
}

pub fn tone(rate: SampleRate, hz: f64, amplitude: f64, tick: usize) -> Vec<i16> {
    frame(rate, tick, |time| amplitude * (TAU * hz * time).sin())
}

/// Harmonics of a gliding pitch, in syllables, up to 3 kHz so that all of it passes at every rate.
pub fn vowel(rate: SampleRate, tick: usize) -> Vec<i16> {
    frame(rate, tick, |time| {
        let phase = TAU * (120.0 * time + 2.0 * (TAU * 1.5 * time).sin());
        let harmonics: f64 = (1..18).map(|n| (f64::from(n) * phase).sin() / f64::from(n)).sum();
        5_000.0 * (TAU * 2.0 * time).sin().abs() * harmonics
    })
}
