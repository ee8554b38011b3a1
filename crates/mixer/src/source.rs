//! What a leg's far end adds to a bridge.

use mixminus_audio::{Decibels, Declick, Gain, Limiter, MAX_FRAME_SAMPLES, SampleRate};

use crate::convert::{Converter, SILENCE, end_of};
use crate::heard::Heard;
use crate::leg::{Contribution, Leg};
use crate::onset::Onset;
use crate::sum::Part;

/// A leg's contributions: what its far end sends, after gain, at the bridge's rate.
#[derive(Debug)]
pub(crate) struct Source {
    gain: Gain,
    /// Keeps what is turned up from being clipped, and remembers for a second how loud that was. There is one for all, so
    /// that a leg that some go on to hear begins with it for others too.
    limiter: Limiter,
    /// Whether these two change anything.
    turned: bool,
    /// The rate of the leg's format, and that of the bridge.
    rates: (SampleRate, SampleRate),
    /// Where the last contribution before another format ended.
    seam: Option<Declick>,
    contribution: Contribution,
    /// The contribution had nothing been said before, where that is something else.
    anew: Option<Contribution>,
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
    /// That had nothing been said before.
    anew: [i16; MAX_FRAME_SAMPLES],
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
            anew: None,
            onset: Onset::default(),
            said: false,
            buffers: Box::new(Buffers {
                converter: Converter::new(rate, rate),
                raw: SILENCE,
                frame: SILENCE,
                anew: SILENCE,
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
        let Buffers { converter, raw, frame, anew } = &mut *self.buffers;
        let raw = &mut raw[..own.frame_samples()];
        (self.contribution, self.anew) = (leg.contribute(raw), None);
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
            let frame = if own == rate { raw } else { &mut frame[..rate.frame_samples()] };
            anew[..frame.len()].copy_from_slice(frame);
            self.anew = Some(Contribution::Audio);
            declick.smooth(frame);
        }
        let (first, last) = self.contribution().map_or((0, 0), |frame| (frame[0], frame[frame.len() - 1]));
        self.onset.note(first, last);
    }

    /// Makes what the last contribution would have been had nothing been said before.
    pub fn begin_anew(&mut self) {
        let (own, rate) = self.rates;
        if own != rate && self.anew.is_none() {
            let Buffers { raw, anew, .. } = &mut *self.buffers;
            let said = self.said.then_some(&raw[..own.frame_samples()]);
            let audible = Converter::new(own, rate).convert(said, &mut anew[..rate.frame_samples()]);
            self.anew = Some(if audible { Contribution::Audio } else { Contribution::Silence });
        }
    }

    /// What is added to this tick for who hears it so; newly, only after [`Self::begin_anew`].
    #[inline]
    pub fn part(&self, heard: Heard) -> Part<'_> {
        match (heard, self.anew) {
            (Heard::Still, _) => Part { before: self.onset.before(), frame: self.contribution() },
            (Heard::Newly, None) => Part::newly(self.contribution()),
            (Heard::Newly, Some(Contribution::Silence)) => Part::default(),
            (Heard::Newly, Some(Contribution::Audio)) => {
                Part::newly(Some(&self.buffers.anew[..self.rates.1.frame_samples()]))
            }
        }
    }

    #[inline]
    fn contribution(&self) -> Option<&[i16]> {
        match self.contribution {
            Contribution::Silence => None,
            Contribution::Audio => Some(self.samples()),
        }
    }

    /// Comes to ears for which nothing is that was said before.
    pub fn arrive(&mut self) {
        let (own, rate) = self.rates;
        (self.contribution, self.said, self.seam) = (Contribution::Silence, false, None);
        self.onset = Onset::default();
        self.limiter = Limiter::new(own);
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
