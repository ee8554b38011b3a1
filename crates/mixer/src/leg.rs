//! What the mixer asks of a leg, and a leg that is ready to be seated.

use mixminus_audio::{Dbov, Decibels, SampleRate, Voice};
use mixminus_codec::{Encoder, Encoding};

use crate::heard::Heard;
use crate::hearing::Hearing;
use crate::plan::LegId;
use crate::source::Source;
use crate::sum::Part;

/// Whether a source adds to the sum of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contribution {
    /// Nothing to add; what is in the frame is not read.
    Silence,
    /// The frame is to be added.
    Audio,
}

/// Media with one remote party, as a bridge sees it. Once a tick it contributes, and later in that tick it sends.
/// No method may allocate, free or wait.
pub trait Leg {
    /// Fills `frame` with the next tick of what the far end sends, at the rate of its format.
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution;

    /// What the far end wants to be sent; it may change from tick to tick.
    fn encoding(&self) -> Encoding;

    /// The leg's own encoder for that, used for as long as no other leg hears the same.
    fn encoder(&mut self) -> &mut Encoder;

    /// How loud the far end is in this tick, while it talks. Only told to control, never heard of.
    fn talks(&self) -> Option<Dbov> {
        None
    }

    /// Sends one tick of audio to the far end; an empty payload when there is nothing to be sent (DTX).
    fn send(&mut self, payload: &[u8]);
}

/// How much louder a leg is heard and hears than it would be by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gains {
    /// Of what its far end says.
    pub incoming: Decibels,
    /// Of what its far end hears. Other than 0 dB, it costs a mix and an encoder for this leg alone.
    pub outgoing: Decibels,
}

impl Default for Gains {
    fn default() -> Self {
        Self { incoming: Decibels::IDENTITY, outgoing: Decibels::IDENTITY }
    }
}

/// A leg with what has to stay with it, from tick to tick and from bridge to bridge, so that what is heard of it and
/// what its far end hears has no seam.
#[derive(Debug)]
pub struct Seated<L> {
    id: LegId,
    pub(crate) leg: L,
    pub(crate) source: Source,
    pub(crate) hearing: Hearing,
}

impl<L> Seated<L> {
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

    /// Changes the gains, within the next tick.
    pub fn set_gains(&mut self, gains: Gains) {
        self.source.set_gain(gains.incoming);
        self.hearing.set_gain(gains.outgoing);
    }

    /// What the leg adds to this tick for who hears it so.
    #[inline]
    pub(crate) fn part(&self, heard: Heard) -> Part<'_> {
        self.source.part(heard)
    }

    /// Comes to a bridge.
    pub(crate) fn arrive(&mut self) {
        self.source.arrive();
        self.hearing.arrive();
    }
}

impl<L: Leg> Seated<L> {
    /// A leg that has heard and said nothing yet.
    pub fn new(id: LegId, leg: L) -> Self {
        let encoding = leg.encoding();
        Self {
            id,
            leg,
            source: Source::new(encoding.format().sample_rate()),
            hearing: Hearing::new(encoding),
        }
    }

    /// Takes the next frame from the leg, in a bridge that runs at `rate`.
    pub(crate) fn contribute(&mut self, rate: SampleRate) {
        let encoding = self.leg.encoding();
        self.hearing.recode(encoding);
        self.source.contribute(&mut self.leg, encoding.format().sample_rate(), rate);
    }

    /// As [`Self::contribute`], in a tick in which somebody may hear the leg newly.
    pub(crate) fn open(&mut self, rate: SampleRate) {
        if !self.hearing.is_heard() {
            self.source.arrive();
        }
        self.contribute(rate);
        self.source.begin_anew();
    }

    /// The far end among the talkers of this tick.
    pub(crate) fn voice(&self) -> Voice<LegId> {
        let talks = self.leg.talks();
        Voice { id: self.id, level: talks.unwrap_or(Dbov::SILENCE), talking: talks.is_some() }
    }
}
