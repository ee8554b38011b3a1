//! A stream that goes from one sample rate to another, and costs nothing while it is silent.

use mixminus_audio::{Declick, MAX_FRAME_SAMPLES, Resampler, SampleRate};

/// One frame of silence at any rate.
pub(crate) const SILENCE: [i16; MAX_FRAME_SAMPLES] = [0; MAX_FRAME_SAMPLES];

/// What a step after `frame` is smoothed with.
pub(crate) fn end_of(frame: &[i16]) -> Declick {
    let mut declick = Declick::new();
    declick.frame_sent(frame);
    declick
}

/// A resampler that knows when it has nothing more to say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Converter {
    resampler: Resampler,
    tail: Tail,
}

/// How much of the input is still to come out. No filter is longer than a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tail {
    Sounding,
    Ringing,
    Silent,
}

impl Converter {
    pub fn new(from: SampleRate, to: SampleRate) -> Self {
        Self { resampler: Resampler::new(from, to), tail: Tail::Silent }
    }

    pub const fn from(&self) -> SampleRate {
        self.resampler.from()
    }

    pub const fn to(&self) -> SampleRate {
        self.resampler.to()
    }

    /// Converts `frame`, or silence, to `out`. Returns whether there is anything to hear; if not, `out` may be
    /// as it was.
    pub fn convert(&mut self, frame: Option<&[i16]>, out: &mut [i16]) -> bool {
        if self.from() == self.to() {
            return frame.map(|frame| out.copy_from_slice(frame)).is_some();
        }
        self.tail = match (frame, self.tail) {
            (Some(_), _) => Tail::Sounding,
            (None, Tail::Sounding) => Tail::Ringing,
            (None, _) => Tail::Silent,
        };
        if self.tail != Tail::Silent {
            let silence = &SILENCE[..self.from().frame_samples()];
            self.resampler.process(frame.unwrap_or(silence), out);
        }
        self.tail != Tail::Silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_sound_comes_its_tail_and_then_nothing() {
        let mut converter = Converter::new(SampleRate::Hz8000, SampleRate::Hz16000);
        let mut out = [7; 320];
        assert!(!converter.convert(None, &mut out));
        assert!(converter.convert(Some(&[9_000; 160]), &mut out));
        assert!(converter.convert(None, &mut out));
        assert!(out.iter().any(|&sample| sample != 0), "the tail");
        assert!(!converter.convert(None, &mut out));
        assert_eq!(converter, Converter::new(SampleRate::Hz8000, SampleRate::Hz16000));
    }

    #[test]
    fn between_equal_rates_there_is_no_tail() {
        let mut converter = Converter::new(SampleRate::Hz8000, SampleRate::Hz8000);
        assert!(converter.convert(Some(&[9; 160]), &mut [0; 160]));
        assert_eq!(converter, Converter::new(SampleRate::Hz8000, SampleRate::Hz8000));
        assert!(!converter.convert(None, &mut [0; 160]));
    }
}
