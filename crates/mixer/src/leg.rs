//! What the mixer asks of a leg, and a leg that is ready to be seated.

use mixminus_audio::{Declick, Limiter, MAX_FRAME_SAMPLES, SampleRate};
use mixminus_codec::Format;

use crate::plan::LegId;

/// Whether a source adds to the sum of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contribution {
    /// Nothing to add; what is in the frame is not read.
    Silence,
    /// The frame is to be added.
    Audio,
}

/// Media with one remote party, as a bridge sees it. Each method is called exactly once a tick, in
/// this order; none may allocate, free or wait.
pub trait Leg {
    /// Fills `frame` with the next tick of what the far end sends, at the bridge's rate.
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution;

    /// What the far end wants to be sent in; its sample rate is the bridge's.
    fn format(&self) -> Format;

    /// Sends one tick of audio to the far end.
    fn send(&mut self, payload: &[u8]);
}

/// A leg with what has to stay with it, from tick to tick and from bridge to bridge, so that what
/// its far end hears has no seam.
#[derive(Debug)]
pub struct Seated<L> {
    id: LegId,
    leg: L,
    rate: SampleRate,
    contribution: Contribution,
    frame: [i16; MAX_FRAME_SAMPLES],
    pub(crate) limiter: Limiter,
    pub(crate) declick: Declick,
    /// The fingerprint of the sources that were audible to this leg in the last tick.
    pub(crate) audible: u64,
}

impl<L> Seated<L> {
    /// A leg that has heard nothing yet.
    pub fn new(id: LegId, leg: L, rate: SampleRate) -> Self {
        Self {
            id,
            leg,
            rate,
            contribution: Contribution::Silence,
            frame: [0; MAX_FRAME_SAMPLES],
            limiter: Limiter::new(rate),
            declick: Declick::new(),
            audible: 0,
        }
    }

    /// Which leg it is.
    pub const fn id(&self) -> LegId {
        self.id
    }

    /// The leg.
    pub const fn leg(&self) -> &L {
        &self.leg
    }

    /// The leg, to be changed.
    pub const fn leg_mut(&mut self) -> &mut L {
        &mut self.leg
    }

    /// The leg, for good.
    pub fn into_leg(self) -> L {
        self.leg
    }

    /// What the leg adds to this tick, if anything.
    pub(crate) fn contribution(&self) -> Option<&[i16]> {
        match self.contribution {
            Contribution::Silence => None,
            Contribution::Audio => Some(&self.frame[..self.rate.frame_samples()]),
        }
    }
}

impl<L: Leg> Seated<L> {
    /// Takes the next frame from the leg, in a bridge that runs at `rate`.
    pub(crate) fn contribute(&mut self, rate: SampleRate) {
        if self.rate != rate {
            self.rate = rate;
            self.limiter = Limiter::new(rate);
        }
        self.contribution = self.leg.contribute(&mut self.frame[..self.rate.frame_samples()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Loud;

    impl Leg for Loud {
        fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
            frame.fill(i16::MAX);
            Contribution::Audio
        }
        fn format(&self) -> Format {
            Format::Pcmu
        }
        fn send(&mut self, _: &[u8]) {}
    }

    #[test]
    fn a_leg_follows_the_rate_of_its_bridge() {
        let mut seated = Seated::new(LegId(1), Loud, SampleRate::Hz8000);
        seated.limiter.limit(&[99_999; 160], &mut [0; 160]);
        seated.contribute(SampleRate::Hz16000);
        assert_eq!(seated.contribution(), Some(&[i16::MAX; 320][..]));
        assert_eq!(seated.limiter, Limiter::new(SampleRate::Hz16000));
    }
}
