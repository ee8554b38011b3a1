//! Digits as tones in the audio (ITU-T Q.23): for far ends that have no telephone events.

mod detector;
mod press;

pub use detector::{DtmfDetector, Heard};
pub use press::TonePress;

/// The lower frequencies, one for each row of keys, in hertz.
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];

/// The higher frequencies, one for each column.
const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];

const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// The lower and the higher frequency of `digit`, in hertz; `None` if no key has it.
pub fn tone_pair(digit: char) -> Option<(f64, f64)> {
    let place = KEYS.as_flattened().iter().position(|&key| key == digit)?;
    Some((ROWS[place / 4], COLUMNS[place % 4]))
}
