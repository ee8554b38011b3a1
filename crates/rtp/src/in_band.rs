//! Key presses that are sounds.

use mixminus_audio::SampleRate;
use mixminus_audio::dtmf::{DtmfDetector, Heard};

use crate::{Digit, Playout};

/// Hears key presses in what is played, and takes their sound out of it.
#[derive(Debug)]
pub(crate) struct InBand {
    detector: DtmfDetector,
    digit: Option<Digit>,
    /// Whether the last frame was muted.
    muted: bool,
    /// Whether the detector may be in the middle of something.
    busy: bool,
}

impl InBand {
    /// For audio at `rate`.
    pub(crate) fn new(rate: SampleRate) -> Self {
        Self { detector: DtmfDetector::new(rate), digit: None, muted: false, busy: false }
    }

    /// Takes in a frame, and mutes it if it holds a key's sound. Returns whether nothing is left of it.
    pub(crate) fn hear(&mut self, frame: &mut [i16], playout: Playout) -> bool {
        if playout == Playout::Silence && !self.busy {
            return false;
        }
        let heard = self.detector.hear(frame);
        self.busy = playout == Playout::Audio || heard != Heard::Nothing;
        if let Heard::Tone(key) = heard {
            self.digit = Digit::try_from(key).ok();
        }
        let was_muted = std::mem::replace(&mut self.muted, heard != Heard::Nothing);
        match (was_muted, self.muted) {
            (false, false) => {}
            (false, true) => fade(frame, |n, length| length - n),
            (true, false) => fade(frame, |n, _| n),
            (true, true) => frame.fill(0),
        }
        was_muted && self.muted
    }

    /// The key that was pressed last, once.
    pub(crate) fn take_digit(&mut self) -> Option<Digit> {
        self.digit.take()
    }
}

/// Multiplies the first quarter of `frame`, 5 ms, by `share` of its length and all that follows by what that
/// comes to.
fn fade(frame: &mut [i16], share: impl Fn(i32, i32) -> i32) {
    let length = frame.len() as i32 / 4;
    for (n, sample) in (0..).zip(frame) {
        *sample = (i32::from(*sample) * share(length.min(n), length) / length) as i16;
    }
}
