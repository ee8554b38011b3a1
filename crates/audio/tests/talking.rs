//! Who is said to talk, by sounds rather than levels.

mod noise;

use std::f64::consts::TAU;

use mixminus_audio::{SampleRate, Talking, level};

use crate::noise::Noise;

/// A room: noise at about -62 dBov, to which sounds are added.
struct Room {
    rate: SampleRate,
    noise: Noise,
    samples: Vec<f64>,
}

impl Room {
    fn new(rate: SampleRate, seconds: usize) -> Self {
        Self::with_noise(rate, seconds, 45.0)
    }

    fn with_noise(rate: SampleRate, seconds: usize, peak: f64) -> Self {
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        let samples = (0..seconds * rate.hz() as usize).map(|_| peak * noise.next()).collect();
        Self { rate, noise, samples }
    }

    /// Adds a sound that lasts from `start` for `seconds`: a function of the time since its start, and noise.
    fn add(&mut self, start: f64, seconds: f64, sound: impl Fn(f64, f64) -> f64) {
        let hz = f64::from(self.rate.hz());
        let samples = &mut self.samples[(start * hz) as usize..][..(seconds * hz) as usize];
        for (n, sample) in samples.iter_mut().enumerate() {
            *sample += sound(n as f64 / hz, self.noise.next());
        }
    }

    /// One breath: noise through a resonance of the mouth, swelling and falling within 1.2 s.
    fn breathe(&mut self, start: f64, resonance_hz: f64, amplitude: f64) {
        let hz = f64::from(self.rate.hz());
        let radius = (-TAU * 100.0 / hz).exp();
        let turn = 2.0 * radius * (TAU * resonance_hz / hz).cos();
        let (mut now, mut before) = (0.0, 0.0);
        let length = (1.2 * hz) as usize;
        for n in 0..length {
            (now, before) = (self.noise.next() + turn * now - radius * radius * before, now);
            let swell = (TAU / 2.0 * n as f64 / length as f64).sin();
            // What the resonance makes of noise is as strong at every rate.
            self.samples[(start * hz) as usize + n] +=
                amplitude * swell * now * (1.0 - radius) * (hz / 8_000.0).sqrt();
        }
    }

    /// One key of a keyboard: a tick and a thump as it goes down, a weaker one as it comes up.
    fn strike(&mut self, start: f64, amplitude: f64) {
        for (start, amplitude) in [(start, amplitude), (start + 0.08, amplitude / 3.0)] {
            self.add(start, 0.06, |t, noise| {
                let tick = noise * (-t / 0.003).exp();
                let thump = (TAU * 180.0 * t).sin() * (-t / 0.010).exp();
                amplitude * (tick + 0.5 * thump)
            });
        }
    }

    /// One syllable of 160 ms: an `s` of 80 ms first if wanted, then a vowel of falling pitch.
    fn say(&mut self, start: f64, hiss: f64, amplitude: f64) {
        if hiss > 0.0 {
            self.add(start, 0.08, |_, noise| hiss * noise);
        }
        let start = if hiss > 0.0 { start + 0.08 } else { start };
        self.add(start, 0.16, |t, _| {
            let phase = TAU * (130.0 * t - 60.0 * t * t);
            let harmonics = (1..20).map(|number| {
                let hz = 130.0 * f64::from(number);
                let gain: f64 =
                    [600.0, 1_200.0, 2_400.0].map(|f| 1.0 / (1.0 + ((hz - f) / 120.0).powi(2))).iter().sum();
                gain * (f64::from(number) * phase).sin()
            });
            amplitude * (TAU / 2.0 * t / 0.16).sin() * harmonics.sum::<f64>()
        });
    }

    /// After how many milliseconds a talkspurt began and ended, in turn.
    fn changes(&self) -> Vec<usize> {
        let mut talking = Talking::default();
        let mut talked = false;
        let frames = self.samples.chunks_exact(self.rate.frame_samples()).zip((1..).map(|tick| tick * 20));
        let changed = |(frame, ms): (&[f64], usize)| {
            let frame: Vec<i16> = frame.iter().map(|&sample| sample.round() as i16).collect();
            let talks = talking.hear(level(&frame), &frame);
            (std::mem::replace(&mut talked, talks) != talks).then_some(ms)
        };
        frames.filter_map(changed).collect()
    }
}

#[test]
fn breath_never_talks_however_loud_and_coloured() {
    for rate in SampleRate::ALL {
        for resonance_hz in [300.0, 600.0, 1_000.0, 1_500.0] {
            for amplitude in [3_000.0, 10_000.0] {
                let mut room = Room::new(rate, 40);
                (1..20).for_each(|breath| room.breathe(2.0 * f64::from(breath), resonance_hz, amplitude));
                assert_eq!(room.changes(), [0; 0], "{rate:?} {resonance_hz} Hz {amplitude}");
            }
        }
    }
}

#[test]
fn a_keyboard_never_talks_however_fast() {
    for rate in SampleRate::ALL {
        for (interval, amplitude) in [(0.25, 8_000.0), (0.15, 2_000.0), (0.12, 5_000.0), (0.1, 8_000.0)] {
            let mut room = Room::new(rate, 60);
            let mut at = 2.0;
            while at < 59.0 {
                room.strike(at, amplitude);
                at += interval * (1.0 + 0.3 * room.noise.next());
            }
            assert_eq!(room.changes(), [0; 0], "{rate:?} {interval} {amplitude}");
        }
    }
}

#[test]
fn a_voice_is_noticed_within_150_ms_and_lasts_until_half_a_second_after_it() {
    for rate in SampleRate::ALL {
        for (hiss, amplitude) in [(0.0, 3_000.0), (2_000.0, 3_000.0), (0.0, 600.0)] {
            let mut room = Room::new(rate, 12);
            for syllable in 0..20 {
                room.say(2.0 + 0.3 * f64::from(syllable), hiss, amplitude);
            }
            let spoken = if hiss > 0.0 { 2_000 + 80 } else { 2_000 };
            let [started, stopped] = room.changes()[..] else { panic!("{:?} at {rate:?}", room.changes()) };
            assert!((40..=150).contains(&(started - spoken)), "{started} at {rate:?} {hiss} {amplitude}");
            assert!((8_300..8_500).contains(&stopped), "{stopped} at {rate:?} {hiss} {amplitude}");
        }
    }
}

#[test]
fn a_voice_is_noticed_in_a_noisy_street_that_never_talks_itself() {
    for rate in SampleRate::ALL {
        // -36 dBov of noise, and a voice some 15 dB above it.
        let mut room = Room::with_noise(rate, 20, 900.0);
        assert_eq!(room.changes(), [0; 0]);
        for syllable in 0..20 {
            room.say(6.0 + 0.3 * f64::from(syllable), 0.0, 8_000.0);
        }
        let changes = room.changes();
        let [started, stopped] = changes[..] else { panic!("{changes:?} at {rate:?}") };
        assert!((6_040..=6_150).contains(&started) && (12_000..12_600).contains(&stopped), "{changes:?}");
    }
}

#[test]
fn rumble_and_a_direct_current_never_talk() {
    let mut room = Room::new(SampleRate::Hz16000, 20);
    room.add(2.0, 8.0, |t, _| 2_000.0 * (TAU * 20.0 * t).sin());
    room.add(12.0, 6.0, |_, _| 1_000.0);
    assert_eq!(room.changes(), [0; 0]);
}
