//! The decoder: libopus, with its own concealment and fades.

use std::fmt;

use mixminus_audio::SampleRate;
use opus::Channels;

use super::packet;
use crate::DecodeError;

pub(crate) struct Decoder {
    libopus: opus::Decoder,
    rate: SampleRate,
}

impl Decoder {
    pub(crate) fn new(rate: SampleRate) -> Self {
        let libopus = opus::Decoder::new(rate.hz(), Channels::Mono).expect("libopus knows all our rates");
        Self { libopus, rate }
    }

    /// Fills `out`, which has the length of the payload's audio. Stereo comes out mixed.
    pub(crate) fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, DecodeError> {
        self.libopus.decode(payload, out, false).map_err(|_| DecodeError::Malformed)
    }

    pub(crate) fn recover(&mut self, next_payload: &[u8], out: &mut [i16]) -> bool {
        packet::fec_samples(next_payload, self.rate).is_some_and(|samples| samples <= out.len())
            && self.libopus.decode(next_payload, out, true).is_ok()
    }

    pub(crate) fn conceal(&mut self, out: &mut [i16]) -> bool {
        if self.libopus.decode(&[], out, false).is_err() {
            debug_assert!(false, "{} samples are not a multiple of 2.5 ms", out.len());
            out.fill(0);
        }
        out.iter().fold(0, |any, sample| any | sample) != 0
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Decoder").field("rate", &self.rate).finish_non_exhaustive()
    }
}
