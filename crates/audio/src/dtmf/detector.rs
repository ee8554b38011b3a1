//! Hears key presses in audio.

use std::array;
use std::f64::consts::TAU;
use std::sync::LazyLock;

use crate::dtmf::{COLUMNS, KEYS, ROWS};
use crate::{Dbov, SampleRate};

/// What the detector works at, whatever the audio's rate is.
const RATE: SampleRate = SampleRate::Hz8000;

/// Samples that are looked at together, 20 ms, and by which the next look is later. A longer window tells
/// the frequencies apart better and misses short presses.
const WINDOW: usize = 160;
const HOP: usize = WINDOW / 2;

/// The width of one bin of the window's spectrum, in hertz: how finely it tells frequencies apart.
const BIN_HZ: f64 = 50.0;

/// Looks in a row that must find the same digit before it is believed: 40 ms of tones always fill as many,
/// 24 ms never do, for a look may miss at most 7 ms of them.
const PRESSED_LOOKS: u8 = 3;

/// Looks in a row that must find something else before a press is over: an interruption of 10 ms does not
/// make two presses of one, a pause of 40 ms does.
const RELEASED_LOOKS: u8 = 3;

/// How far a tone may be off, as a share of its frequency: a telephone may be off by 1.5 %, and at 3.5 % it
/// is no key (ITU-T Q.24).
const MAX_DEVIATION: f64 = 0.025;

/// The weakest tone that counts: -30 dBm0.
const WEAKEST: Dbov = Dbov(-36.2);

/// How much stronger than the other tone the higher and the lower one may be, in decibels. Lines weaken the
/// higher one (ITU-T Q.24 asks for 4 and 8).
const MAX_HIGHER_EXCESS_DB: f32 = 6.0;
const MAX_LOWER_EXCESS_DB: f32 = 10.0;

/// The least share of all power that is in the two tones. Less, and a voice that happens to have two strong
/// harmonics in the right places is a key; more, and a key pressed in noise is missed.
const PURITY: f32 = 0.85;

/// What is heard in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// No key press.
    Nothing,
    /// Tones that may become a press or are the end of one: for whoever keeps digits out of a mix.
    Suspected,
    /// A press of this digit, for the first time.
    Tone(char),
    /// The same press as before.
    ToneContinues,
}

/// Hears key presses in frames of 20 ms, within 60 ms of their beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct DtmfDetector {
    rate: SampleRate,
    /// The second half of the last frame.
    last: [f32; HOP],
    /// What the last look found, and how many before it found the same.
    found: Option<char>,
    looks: u8,
    /// The digit that is believed, and how many of the last looks did not find it.
    pressed: Option<char>,
    misses: u8,
}

impl DtmfDetector {
    /// A detector for audio at `rate` that has heard nothing.
    pub fn new(rate: SampleRate) -> Self {
        LazyLock::force(&PROBES);
        Self { rate, last: [0.0; HOP], found: None, looks: 0, pressed: None, misses: 0 }
    }

    /// Takes in one tick of audio.
    pub fn hear(&mut self, frame: &[i16]) -> Heard {
        debug_assert_eq!(frame.len(), self.rate.frame_samples());
        let before = self.pressed;
        let mut window = [0.0; HOP + WINDOW];
        window[..HOP].copy_from_slice(&self.last);
        let group = frame.len() / WINDOW;
        for (sample, samples) in window[HOP..].iter_mut().zip(frame.chunks_exact(group)) {
            *sample = samples.iter().map(|&sample| f32::from(sample)).sum::<f32>() / group as f32;
        }
        self.last.copy_from_slice(&window[WINDOW..]);
        let mut suspected = false;
        for start in [0, HOP] {
            let found = look(&window[start..start + WINDOW]);
            suspected |= found.is_some();
            self.count(found);
        }
        match self.pressed {
            Some(digit) if before != Some(digit) => Heard::Tone(digit),
            Some(_) => Heard::ToneContinues,
            None if suspected => Heard::Suspected,
            None => Heard::Nothing,
        }
    }

    fn count(&mut self, found: Option<char>) {
        self.looks = if found == self.found { self.looks.saturating_add(1) } else { 1 };
        self.found = found;
        if found.is_some() && self.looks >= PRESSED_LOOKS {
            self.pressed = found;
        }
        self.misses = if found == self.pressed { 0 } else { self.misses.saturating_add(1) };
        if self.misses >= RELEASED_LOOKS {
            self.pressed = None;
        }
    }
}

/// The digit whose tones fill a window, and nothing else.
fn look(samples: &[f32]) -> Option<char> {
    let mut windowed = [0.0; WINDOW];
    for ((windowed, sample), weight) in windowed.iter_mut().zip(samples).zip(&PROBES.window) {
        *windowed = sample * weight;
    }
    let energy: f32 = windowed.iter().map(|sample| sample * sample).sum();
    if Dbov::from_power(f64::from(energy / WINDOW_ENERGY)) < WEAKEST {
        return None;
    }
    let amplitudes = amplitudes(&windowed, &PROBES.coefficients);
    let (row, lower) = strongest(&amplitudes[..ROWS.len()], &ROWS)?;
    let (column, higher) = strongest(&amplitudes[ROWS.len()..], &COLUMNS)?;
    let [lower_db, higher_db] = [lower, higher].map(|power| Dbov::from_power(f64::from(power)).0);
    let audible = lower_db.min(higher_db) >= WEAKEST.0;
    let excess_db = higher_db - lower_db;
    let balanced = (-MAX_LOWER_EXCESS_DB..=MAX_HIGHER_EXCESS_DB).contains(&excess_db);
    let pure = (lower + higher) * WINDOW_ENERGY >= PURITY * energy;
    (audible && balanced && pure).then_some(KEYS[row][column])
}

/// The place of the strongest of four tones and its power, unless its frequency is none of a key's.
fn strongest(amplitudes: &[[f32; 2]], frequencies: &[f64; 4]) -> Option<(usize, f32)> {
    let both = |place: &usize| amplitudes[*place][0] + amplitudes[*place][1];
    let place = (0..frequencies.len()).max_by(|a, b| both(a).total_cmp(&both(b)))?;
    let [below, above] = amplitudes[place];
    // Under this window the two are as 1.5 - x and 1.5 + x when the tone is x bins above their middle, and
    // their sum falls as the second line says, to within one part in a hundred.
    let bins = 1.5 * (above - below) / (above + below);
    let amplitude = (above + below) / (1.698 - 0.75 * bins * bins);
    let deviation = f64::from(bins.abs()) * BIN_HZ / frequencies[place];
    (deviation <= MAX_DEVIATION).then_some((place, amplitude * amplitude / 2.0))
}

/// The amplitudes of sines at two probes for each tone, by Goertzel's algorithm.
fn amplitudes(windowed: &[f32; WINDOW], coefficients: &[f32; PROBED]) -> [[f32; 2]; PROBED / 2] {
    let (mut now, mut before) = ([0.0_f32; PROBED], [0.0_f32; PROBED]);
    for &sample in windowed {
        for probe in 0..PROBED {
            let next = sample + coefficients[probe] * now[probe] - before[probe];
            (before[probe], now[probe]) = (now[probe], next);
        }
    }
    let amplitude = |probe: usize| {
        let (now, before) = (now[probe], before[probe]);
        let square = now * now + before * before - coefficients[probe] * now * before;
        4.0 / WINDOW as f32 * square.max(0.0).sqrt()
    };
    array::from_fn(|tone| [amplitude(2 * tone), amplitude(2 * tone + 1)])
}

/// The energy that the window leaves of a signal whose mean square is one.
const WINDOW_ENERGY: f32 = 0.375 * WINDOW as f32;

/// Half a bin below and above each of the tones.
const PROBED: usize = 2 * (ROWS.len() + COLUMNS.len());

static PROBES: LazyLock<Probes> = LazyLock::new(|| Probes {
    window: array::from_fn(|n| (0.5 - 0.5 * (TAU * (n as f64 + 0.5) / WINDOW as f64).cos()) as f32),
    coefficients: array::from_fn(|probe| {
        let side = if probe % 2 == 0 { -0.5 } else { 0.5 };
        let hz =
            ROWS.iter().chain(&COLUMNS).nth(probe / 2).expect("two probes for each tone") + side * BIN_HZ;
        (2.0 * (TAU * hz / f64::from(RATE.hz())).cos()) as f32
    }),
});

/// What every look needs.
struct Probes {
    window: [f32; WINDOW],
    coefficients: [f32; PROBED],
}
