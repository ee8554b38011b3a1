//! A leg of a bridge in memory.

use mixminus_codec::{Encoder, Encoding};
use mixminus_mixer::{Contribution, Leg};
use mixminus_rtp::{LegMedia, MAX_PACKET_BYTES, MediaParameters, Playout, SenderIdentity};

/// A leg that gives each packet to its far end to `hears`.
#[derive(Debug)]
pub struct Phone<H> {
    /// Its media.
    pub media: LegMedia,
    encoder: Encoder,
    hears: H,
}

impl<H> Phone<H> {
    /// A leg that has received nothing.
    pub fn new(parameters: MediaParameters, identity: SenderIdentity, hears: H) -> Self {
        let (media, encoder) = (LegMedia::new(parameters, identity), Encoder::new(parameters.encoding));
        Self { media, encoder, hears }
    }
}

impl<H: FnMut(&[u8])> Leg for Phone<H> {
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        match self.media.playout(frame) {
            Playout::Silence => Contribution::Silence,
            Playout::Audio => Contribution::Audio,
        }
    }

    fn encoding(&self) -> Encoding {
        self.encoder.encoding()
    }

    fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    fn send(&mut self, payload: &[u8]) {
        self.media.send(payload);
        let mut packet = [0; MAX_PACKET_BYTES];
        while let Some(bytes) = self.media.next_packet(&mut packet) {
            (self.hears)(&packet[..bytes]);
        }
    }
}
