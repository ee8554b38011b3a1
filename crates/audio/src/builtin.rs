//! Beeps and music that need no files: computed when the service starts.
//!
//! The three kinds of music are arpeggios of decaying notes over four chords, different in key, tempo and
//! colour. Notes that ring past the end continue at the beginning, so each clip loops without a seam.

use std::f64::consts::TAU;

use crate::{Clip, Dbov, Pcm, SampleRate, level};

/// What all of it is computed at. The highest harmonic of the highest note is at 2.6 kHz, so that 8 kHz hold
/// all of it, and every other rate follows from that without loss.
const RATE: SampleRate = SampleRate::Hz8000;

/// Level of all music: well below speech, which is around -20 to -26 dBov while somebody talks.
const MUSIC_LEVEL: Dbov = Dbov(-20.0);

/// How long a beep lasts.
const BEEP_MS: usize = 150;

/// Peak of a beep, about a quarter of full scale.
const BEEP_AMPLITUDE: f64 = 6_500.0;

/// What makes one music different from another.
struct Score {
    note_seconds: f64,
    /// MIDI numbers of one bar for each chord, played one after the other.
    bars: [[u8; 8]; 4],
    /// Relative strength of the first harmonics.
    harmonics: [f64; 3],
    /// Seconds in which a note fades to a third.
    decay_seconds: f64,
}

/// One short beep: somebody came in.
pub fn beep_once() -> Clip {
    Clip::new(Pcm { rate: RATE, samples: beep(880.0, BEEP_MS) })
}

/// Two short lower beeps: somebody left.
pub fn beep_twice() -> Clip {
    let beep = beep(660.0, BEEP_MS);
    let pause = vec![0; 100 * RATE.samples_per_ms()];
    Clip::new(Pcm { rate: RATE, samples: [&beep[..], &pause, &beep].concat() })
}

/// What a caller hears while it rings at the called party, as in most of Europe (ITU-T E.180): 425 Hz for 1 s
/// in every 5 s. Loops.
pub fn ringback() -> Clip {
    let mut samples = beep(425.0, 1_000);
    samples.resize(5_000 * RATE.samples_per_ms(), 0);
    Clip::looping(Pcm { rate: RATE, samples })
}

/// Calm arpeggios in C major, for those who wait until a conference starts. Loops. Of the three, only this
/// one has an E4 (329.63 Hz).
pub fn wait_music() -> Clip {
    play(&Score {
        note_seconds: 0.375,
        bars: [
            [60, 64, 67, 72, 76, 72, 67, 64],
            [57, 60, 64, 69, 72, 69, 64, 60],
            [53, 57, 60, 65, 69, 65, 60, 57],
            [55, 59, 62, 67, 71, 67, 62, 59],
        ],
        harmonics: [1.0, 0.3, 0.1],
        decay_seconds: 0.6,
    })
}

/// Slow low arpeggios in E flat major, for an agent on hold. Loops. Of the three, only this one has an E
/// flat 4 (311.13 Hz).
pub fn agent_hold_music() -> Clip {
    play(&Score {
        note_seconds: 0.5,
        bars: [
            [51, 58, 63, 67, 70, 67, 63, 58],
            [48, 55, 60, 63, 67, 63, 60, 55],
            [56, 63, 68, 72, 75, 72, 68, 63],
            [58, 62, 65, 70, 74, 70, 65, 62],
        ],
        harmonics: [1.0, 0.5, 0.25],
        decay_seconds: 0.9,
    })
}

/// Light falling arpeggios in A major, for a customer on hold. Loops. Of the three, only this one has a C
/// sharp 5 (554.37 Hz).
pub fn customer_hold_music() -> Clip {
    play(&Score {
        note_seconds: 0.25,
        bars: [
            [81, 76, 73, 69, 73, 76, 73, 69],
            [78, 73, 69, 66, 69, 73, 69, 66],
            [81, 78, 74, 69, 74, 78, 74, 69],
            [80, 76, 71, 68, 71, 76, 71, 68],
        ],
        harmonics: [1.0, 0.15, 0.05],
        decay_seconds: 0.4,
    })
}

/// 150 ms of a sine that begins and ends within 10 ms.
fn beep(hz: f64, length_ms: usize) -> Vec<i16> {
    let ramp = 10 * RATE.samples_per_ms();
    let length = length_ms * RATE.samples_per_ms();
    let sample = |n: usize| {
        let edge = (n.min(length - n) as f64 / ramp as f64).min(1.0);
        let wave = (TAU * hz * n as f64 / f64::from(RATE.hz())).sin();
        (BEEP_AMPLITUDE * edge * wave).round() as i16
    };
    (0..length).map(sample).collect()
}

fn play(score: &Score) -> Clip {
    let note_samples = (score.note_seconds * f64::from(RATE.hz())).round() as usize;
    let notes = score.bars.as_flattened();
    let mut loop_ = vec![0.0; note_samples * notes.len()];
    for (index, &note) in notes.iter().enumerate() {
        strike(&mut loop_, index * note_samples, score, note);
    }
    let loudest = loop_.iter().fold(1.0_f64, |peak, sample| peak.max(sample.abs()));
    let scaled =
        |gain: f64| -> Vec<i16> { loop_.iter().map(|sample| (sample * gain).round() as i16).collect() };
    let Dbov(full) = level(&scaled(32_000.0 / loudest));
    let gain = 10.0_f64.powf(f64::from(MUSIC_LEVEL.0 - full) / 20.0).min(1.0);
    Clip::looping(Pcm { rate: RATE, samples: scaled(gain * 32_000.0 / loudest) })
}

/// Adds a note that begins at `start` and rings on around the end of the loop until it is inaudible.
fn strike(loop_: &mut [f64], start: usize, score: &Score, note: u8) {
    let hz = 440.0 * 2.0_f64.powf((f64::from(note) - 69.0) / 12.0);
    let per_second = f64::from(RATE.hz());
    let audible = (8.0 * score.decay_seconds * per_second) as usize;
    let length = loop_.len();
    for n in 0..audible.min(length) {
        let seconds = n as f64 / per_second;
        let envelope = (seconds / 0.008).min(1.0) * (-seconds / score.decay_seconds).exp();
        let waves = score.harmonics.iter().zip(1..).map(|(strength, harmonic): (&f64, i32)| {
            let hz = hz * f64::from(harmonic);
            strength * (TAU * hz * seconds).sin()
        });
        loop_[(start + n) % length] += envelope * waves.sum::<f64>();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::goertzel;

    fn at(clip: &Clip, rate: SampleRate) -> &[i16] {
        clip.prepare(rate);
        clip.at(rate).unwrap()
    }

    fn music() -> [Clip; 3] {
        [wait_music(), agent_hold_music(), customer_hold_music()]
    }

    #[test]
    fn music_has_its_level_at_every_rate_and_lasts_some_seconds() {
        for clip in music() {
            assert!((Duration::from_secs(8)..=Duration::from_secs(16)).contains(&clip.duration()));
            for rate in SampleRate::ALL {
                let Dbov(db) = level(at(&clip, rate));
                assert!((db - MUSIC_LEVEL.0).abs() < 0.1, "{db} at {rate:?}");
            }
        }
    }

    #[test]
    fn music_is_as_smooth_across_the_loop_as_within() {
        for (clip, rate) in music().iter().flat_map(|clip| SampleRate::ALL.map(|rate| (clip, rate))) {
            let samples = at(clip, rate);
            let steps = samples.windows(2).map(|pair| pair[0].abs_diff(pair[1]));
            let seam = samples[0].abs_diff(*samples.last().unwrap());
            assert!(seam <= steps.max().unwrap() / 2, "{seam} at {rate:?}");
        }
    }

    #[test]
    fn each_music_has_a_note_that_the_others_lack() {
        let notes = [329.628, 311.127, 554.365];
        for (own, clip) in music().iter().enumerate() {
            let heard = notes.map(|hz| goertzel(at(clip, RATE), RATE, hz).0);
            for other in (0..3).filter(|&other| other != own) {
                assert!(heard[own] > heard[other] + 20.0, "{own}: {heard:?}");
            }
        }
    }

    #[test]
    fn a_beep_begins_and_ends_in_silence_and_two_have_a_gap() {
        let (once, twice) = (beep_once(), beep_twice());
        assert_eq!(once.duration(), Duration::from_millis(150));
        assert_eq!(twice.duration(), Duration::from_millis(400));
        let (once, twice) = (at(&once, RATE), at(&twice, RATE));
        assert_eq!((once[0], twice[0]), (0, 0));
        assert!(once[1_199].abs() < 200);
        assert_eq!(twice[1_200..2_000], [0; 800]);
    }

    #[test]
    fn it_rings_for_one_second_in_five() {
        let clip = ringback();
        assert_eq!((clip.duration(), clip.loops()), (Duration::from_secs(5), true));
        let (ring, pause) = at(&clip, RATE).split_at(8_000);
        assert!(goertzel(ring, RATE, 425.0) > Dbov(level(ring).0 - 0.5));
        assert!(level(ring) > Dbov(-18.0));
        assert_eq!((pause.len(), level(pause)), (32_000, Dbov::SILENCE));
    }

    #[test]
    fn beeps_differ_in_pitch() {
        let beeps = [beep_once(), beep_twice()];
        for (own, other, beep) in [(880.0, 660.0, &beeps[0]), (660.0, 880.0, &beeps[1])] {
            let tone = |hz| goertzel(&at(beep, RATE)[..1_200], RATE, hz).0;
            assert!(tone(own) > tone(other) + 20.0);
        }
    }
}
