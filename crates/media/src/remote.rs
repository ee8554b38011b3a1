//! What signalling agreed with a far end, and what a leg needs for it.

use std::net::SocketAddr;

use mixminus_audio::MAX_FRAME_SAMPLES;
use mixminus_codec::{Encoder, MAX_PAYLOAD_BYTES};
use mixminus_rtp::{MediaParameters, Renewal};

use crate::Security;
use crate::protection::ProtectionChange;

/// Which way media flows, seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendReceive,
    /// The far end listens and sends nothing.
    SendOnly,
    /// The far end does not listen: it holds us. What it sends meanwhile is
    /// its hold music or a voice that believes it is not heard, so its digits
    /// are taken and its audio is not.
    ReceiveOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    pub(crate) const fn sends(self) -> bool {
        matches!(self, Self::SendReceive | Self::SendOnly)
    }

    pub(crate) const fn receives(self) -> bool {
        matches!(self, Self::SendReceive | Self::ReceiveOnly)
    }
}

/// How it is known where a far end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// It said so. Behind a translator it may turn out to be at another port of the same host.
    Said,
    /// It was checked (ICE): it is exactly there, or nowhere yet if the address is unspecified. Meanwhile and
    /// afterwards, whoever wants to be checked is heard by the leg's side channel, and only there.
    Checked,
}

/// What signalling agreed with the far end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteMedia {
    /// Where it takes media.
    pub address: SocketAddr,
    /// How that is known.
    pub whereabouts: Whereabouts,
    /// Where it said it takes reports (RTCP); of no meaning with `rtcp_mux`.
    pub report_address: SocketAddr,
    /// Whether reports come and go with the media (RFC 5761).
    pub rtcp_mux: bool,
    /// Whether it wants reports to say how the call sounds (RFC 3611).
    pub voip_metrics: bool,
    /// Codec, digits, comfort noise.
    pub parameters: MediaParameters,
    /// Which way media flows.
    pub direction: Direction,
    /// How packets are protected.
    pub security: Security,
}

/// A [`RemoteMedia`] with what a worker must not allocate.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) media: RemoteMedia,
    pub(crate) protection: ProtectionChange,
    /// None when the leg has all that the parameters need.
    pub(crate) renewed: Option<Renewed>,
}

/// What a leg needs for other parameters.
#[derive(Debug)]
pub(crate) struct Renewed {
    pub(crate) renewal: Renewal,
    pub(crate) encoders: Encoders,
}

/// What a leg encodes by itself.
#[derive(Debug)]
pub(crate) struct Encoders {
    /// Encodes a mix of the leg's own.
    pub(crate) mix: Encoder,
    /// Encodes digits as tones, for a far end that takes no telephone events.
    pub(crate) tones: Option<Encoder>,
    /// One tick of silence.
    pub(crate) silence: Box<[u8]>,
}

impl Remote {
    /// `media` for a leg that has what it needs for `present` and `security`.
    pub(crate) fn new(media: RemoteMedia, present: MediaParameters, security: &Security) -> Self {
        let protection = ProtectionChange::new(security, &media.security);
        let renewed = (media.parameters != present).then(|| Renewed {
            renewal: Renewal::new(media.parameters),
            encoders: Encoders::new(media.parameters),
        });
        Self { media, protection, renewed }
    }
}

impl Encoders {
    /// All that `parameters` need.
    pub(crate) fn new(parameters: MediaParameters) -> Self {
        let encoder = || Encoder::new(parameters.encoding);
        let frame = [0; MAX_FRAME_SAMPLES];
        let frame = &frame[..parameters.format().sample_rate().frame_samples()];
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let size_bytes = encoder().encode(frame, &mut payload);
        Self {
            mix: encoder(),
            tones: parameters.digit_payload_type.is_none().then(encoder),
            silence: payload[..size_bytes].into(),
        }
    }

    /// Takes over from `next`, which takes home what is not needed any more. An
    /// encoder whose stream goes on stays.
    pub(crate) fn renew(&mut self, next: &mut Self) {
        let base = |encoder: &Encoder| encoder.encoding().with_expected_loss(0);
        if base(&self.mix) != base(&next.mix) {
            std::mem::swap(&mut self.mix, &mut next.mix);
        }
        std::mem::swap(&mut self.tones, &mut next.tones);
        std::mem::swap(&mut self.silence, &mut next.silence);
    }
}

#[cfg(test)]
mod tests {
    use mixminus_codec::{Encoding, Format};

    use super::*;

    #[test]
    fn silence_is_a_tick_of_the_format() {
        let silence = |format| Encoders::new(MediaParameters::of(format)).silence;
        assert_eq!(silence(Format::Pcmu)[..], [0xFF; 160]);
        assert_eq!(silence(Format::Pcma)[..], [0xD5; 160]);
    }

    #[test]
    fn an_encoder_stays_while_its_encoding_does() {
        let parameters = MediaParameters::of(Format::ALL[0]);
        let mut encoders = Encoders::new(parameters);
        encoders.mix.expect_loss(10);
        let digits = MediaParameters { digit_payload_type: Some(101), ..parameters };
        encoders.renew(&mut Encoders::new(digits));
        assert_eq!(encoders.mix.encoding().expected_loss_percent(), 10);
        assert!(encoders.tones.is_none());
        encoders.renew(&mut Encoders::new(MediaParameters::of(Format::G722)));
        assert_eq!(encoders.mix.encoding(), Encoding::from(Format::G722));
        assert!(encoders.tones.is_some());
    }
}
