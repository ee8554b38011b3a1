//! From a sum to what is encoded: limited, without a click, at the rate of a format.

use std::mem;

use mixminus_audio::{Declick, Limiter, MAX_FRAME_SAMPLES, Resampler, SampleRate};

use crate::convert::{Converter, SILENCE, end_of};

/// Makes a mix of a sum, at the bridge's rate.
#[derive(Clone, Debug)]
pub(crate) struct Mixdown {
    rate: SampleRate,
    limiter: Limiter,
    /// Whether the last mix was made at another rate, and so has another delay than the next.
    moved: bool,
    /// Whether the last mix is nothing but zeros.
    silent: bool,
    mix: [i16; MAX_FRAME_SAMPLES],
}

impl Mixdown {
    /// A mixdown in a bridge that runs at `rate`, after silence.
    pub fn new(rate: SampleRate) -> Self {
        Self { rate, limiter: Limiter::new(rate), moved: false, silent: true, mix: SILENCE }
    }

    /// Whether equal sums make equal mixes from now on.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.limiter == other.limiter && !self.moved && !other.moved
    }

    /// Mixes `wide`, or silence.
    pub fn mix(&mut self, wide: Option<&[i32]>) {
        let moved = mem::take(&mut self.moved);
        if wide.is_none() && self.silent && self.limiter == Limiter::new(self.rate) {
            return;
        }
        let end = end_of(self.last());
        let mix = &mut self.mix[..self.rate.frame_samples()];
        self.limiter.limit(wide.unwrap_or(&[0; MAX_FRAME_SAMPLES][..mix.len()]), mix);
        if moved {
            end.smooth(mix);
        }
        self.silent = wide.is_none() && !moved;
    }

    /// The last mix, unless it was silence.
    pub fn heard(&self) -> Option<&[i16]> {
        (!self.silent).then(|| self.last())
    }

    /// Goes over to a bridge that runs at `rate`. What was heard last is kept at that rate: the filters of outlets
    /// begin with it.
    #[inline]
    pub fn follow(&mut self, rate: SampleRate) {
        if self.rate != rate {
            self.move_to(rate);
        }
    }

    fn move_to(&mut self, rate: SampleRate) {
        let mut mix = SILENCE;
        Resampler::new(self.rate, rate).process(self.last(), &mut mix[..rate.frame_samples()]);
        *self = Self { rate, limiter: self.limiter.at(rate), moved: true, silent: self.silent, mix };
    }

    fn last(&self) -> &[i16] {
        &self.mix[..self.rate.frame_samples()]
    }
}

/// Brings a mix to the rate of a format.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    converter: Converter,
    /// Where the last frame ended.
    declick: Declick,
    /// Whether that was before a change of rate.
    moved: bool,
}

impl Outlet {
    /// An outlet of a bridge that runs at `from` for a format at `to`, after silence.
    pub fn new(from: SampleRate, to: SampleRate) -> Self {
        Self { converter: Converter::new(from, to), declick: Declick::new(), moved: false }
    }

    pub const fn rate(&self) -> SampleRate {
        self.converter.to()
    }

    /// Whether equal mixes make equal frames from now on.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.converter == other.converter && !self.moved && !other.moved
    }

    /// Brings `mix`, or silence, to the rate of the format, in `frame` unless it is that already.
    pub fn pass<'a>(&mut self, mix: Option<&'a [i16]>, frame: &'a mut [i16]) -> &'a [i16] {
        let (from, to) = (self.converter.from(), self.converter.to());
        let frame = if from == to && !self.moved {
            mix.unwrap_or(&SILENCE[..to.frame_samples()])
        } else {
            let frame = &mut frame[..to.frame_samples()];
            if !self.converter.convert(mix, frame) {
                frame.fill(0);
            }
            if mem::take(&mut self.moved) {
                self.declick.smooth(frame);
            }
            frame
        };
        self.declick.frame_sent(frame);
        frame
    }

    /// Goes over to a bridge that runs at `from` and a format at `to`, after `mixdown` has.
    ///
    /// The new filter begins with what was heard last, not with silence. It has another delay than the old one, so
    /// there remains a step, which is smoothed.
    #[inline]
    pub fn adapt(&mut self, from: SampleRate, to: SampleRate, mixdown: &Mixdown) {
        if (from, to) != (self.converter.from(), self.rate()) {
            self.move_to(from, to, mixdown);
        }
    }

    fn move_to(&mut self, from: SampleRate, to: SampleRate, mixdown: &Mixdown) {
        self.converter = Converter::new(from, to);
        self.converter.convert(mixdown.heard(), &mut [0; MAX_FRAME_SAMPLES][..to.frame_samples()]);
        self.moved = true;
    }
}
