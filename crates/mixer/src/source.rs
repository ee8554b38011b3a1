//! What a leg's far end adds to a bridge.

use mixminus_audio::{Decibels, Declick, Gain, Limiter, MAX_FRAME_SAMPLES, SampleRate};

use crate::convert::{Converter, SILENCE, end_of};
use crate::leg::{Contribution, Leg};
use crate::onset::Onset;

/// A leg's contributions: what its far end sends, after gain, at the bridge's rate.
#[derive(Debug)]
pub(crate) struct Source {
    gain: Gain,
    /// Keeps what is turned up from being clipped.
    limiter: Limiter,
    /// Whether these two change anything.
    turned: bool,
    /// The rate of the leg's format, and that of the bridge.
    rates: (SampleRate, SampleRate),
    /// Where the last contribution before another format ended.
    seam: Option<Declick>,
    contribution: Contribution,
    onset: Onset,
    /// Whether the last raw frame is audio.
    said: bool,
    /// Apart, so that a look at a silent leg touches little memory: for a hundred of them that halves a tick.
    buffers: Box<Buffers>,
}

#[derive(Debug)]
struct Buffers {
    converter: Converter,
    /// At the rate of the leg's format.
    raw: [i16; MAX_FRAME_SAMPLES],
    /// At the bridge's rate, unless that is the same.
    frame: [i16; MAX_FRAME_SAMPLES],
}

impl Source {
    /// A source whose far end has said nothing yet.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            gain: Gain::default(),
            limiter: Limiter::new(rate),
            turned: false,
            rates: (rate, rate),
            seam: None,
            contribution: Contribution::Silence,
            onset: Onset::default(),
            said: false,
            buffers: Box::new(Buffers {
                converter: Converter::new(rate, rate),
                raw: SILENCE,
                frame: SILENCE,
            }),
        }
    }

    pub fn set_gain(&mut self, gain: Decibels) {
        self.gain.set(gain);
        self.turned = true;
    }

    /// Takes the next frame from `leg`, whose format's rate is `own`, in a bridge that runs at `rate`.
    pub fn contribute(&mut self, leg: &mut impl Leg, own: SampleRate, rate: SampleRate) {
        if (own, rate) != self.rates {
            self.adapt(own, rate);
        }
        let Buffers { converter, raw, frame } = &mut *self.buffers;
        let raw = &mut raw[..own.frame_samples()];
        self.contribution = leg.contribute(raw);
        if self.turned {
            self.contribution = turn(raw, self.contribution, &mut self.gain, &mut self.limiter);
            self.turned = !self.gain.is_identity() || self.limiter != Limiter::new(own);
        }
        self.said = self.contribution == Contribution::Audio;
        if own != rate && converter.convert(self.said.then_some(&*raw), &mut frame[..rate.frame_samples()]) {
            self.contribution = Contribution::Audio;
        }
        if let Some(declick) = self.seam.take()
            && self.contribution == Contribution::Audio
        {
            declick.smooth(if own == rate { raw } else { &mut frame[..rate.frame_samples()] });
        }
        let (first, last) = self.contribution().map_or((0, 0), |frame| (frame[0], frame[frame.len() - 1]));
        self.onset.note(first, last);
    }

    /// See [`Onset::before`].
    #[inline]
    pub const fn before(&self) -> i32 {
        self.onset.before()
    }

    /// What is added to this tick, if anything.
    #[inline]
    pub fn contribution(&self) -> Option<&[i16]> {
        match self.contribution {
            Contribution::Silence => None,
            Contribution::Audio => Some(self.samples()),
        }
    }

    /// Comes to a bridge, for which nothing is that was said before.
    pub fn arrive(&mut self) {
        let (own, rate) = self.rates;
        (self.contribution, self.said, self.seam) = (Contribution::Silence, false, None);
        self.onset = Onset::default();
        self.buffers.converter = Converter::new(own, rate);
    }

    /// Goes over to other rates. When only the bridge's has changed, the new filter begins with what was said last;
    /// another format is another decoder's stream, whose beginning is smoothed.
    fn adapt(&mut self, own: SampleRate, rate: SampleRate) {
        let mut converter = Converter::new(own, rate);
        if own != self.rates.0 {
            self.seam = self.contribution().map(end_of);
            self.limiter = self.limiter.at(own);
        } else if self.said && own != rate {
            let Buffers { raw, frame, .. } = &mut *self.buffers;
            converter.convert(Some(&raw[..own.frame_samples()]), &mut frame[..rate.frame_samples()]);
        }
        self.rates = (own, rate);
        self.buffers.converter = converter;
    }

    #[inline]
    fn samples(&self) -> &[i16] {
        let (own, rate) = self.rates;
        let frame = if own == rate { &self.buffers.raw } else { &self.buffers.frame };
        &frame[..rate.frame_samples()]
    }
}

/// Applies `gain` to what the far end contributes, and limits what gets too loud.
fn turn(raw: &mut [i16], contribution: Contribution, gain: &mut Gain, limiter: &mut Limiter) -> Contribution {
    if contribution == Contribution::Silence {
        gain.apply(&mut []);
        return Contribution::Silence;
    }
    let mut wide = [0; MAX_FRAME_SAMPLES];
    let wide = &mut wide[..raw.len()];
    wide.iter_mut().zip(&*raw).for_each(|(wide, &sample)| *wide = i32::from(sample));
    gain.apply_wide(wide);
    limiter.limit(wide, raw);
    if gain.is_silence() { Contribution::Silence } else { Contribution::Audio }
}
