//! Something like speech.

/// Fills `frame`, which begins at sample `start`, with a vowel whose pitch wanders, and a pause every two
/// seconds.
pub fn speak(samples_per_s: f64, start: u64, frame: &mut [i16]) {
    for (n, sample) in (start..).zip(frame) {
        let seconds = n as f64 / samples_per_s;
        let phase = seconds * 120.0 + (seconds * 3.0).sin();
        let harmonics = (1..8).map(|harmonic| (phase * f64::from(harmonic) * std::f64::consts::TAU).sin());
        let loudness = if seconds % 2.0 < 1.8 { 4_000.0 } else { 2.0 };
        *sample = (harmonics.sum::<f64>() * loudness) as i16;
    }
}
