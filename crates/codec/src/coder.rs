//! One encoder and one decoder for all formats.

use crate::{Format, g711};

/// Upper bound of an encoded frame in any format; Opus can fill 1275 bytes (RFC 6716, section 3.4).
pub const MAX_PAYLOAD_BYTES: usize = 1_280;

/// Why a payload could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The payload holds more audio than there is room for.
    #[error("payload holds {samples} samples, at most {capacity_samples} fit")]
    TooLong {
        /// Samples in the payload.
        samples: usize,
        /// Samples that the caller has room for.
        capacity_samples: usize,
    },
}

/// Turns frames into payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoder {
    format: Format,
}

impl Encoder {
    /// An encoder at the start of a stream of `format`.
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// The format of its payloads.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Encodes `frame` to the start of `out` and returns the size of the payload in bytes.
    ///
    /// # Panics
    ///
    /// When `out` is smaller than the payload; [`MAX_PAYLOAD_BYTES`] is enough for any frame.
    pub fn encode(&mut self, frame: &[i16], out: &mut [u8]) -> usize {
        let law = match self.format {
            Format::Pcmu => g711::encode_ulaw,
            Format::Pcma => g711::encode_alaw,
        };
        law(frame, &mut out[..frame.len()]);
        frame.len()
    }
}

/// Turns payloads into samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoder {
    format: Format,
}

impl Decoder {
    /// A decoder at the start of a stream of `format`.
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// The format that it understands.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Decodes `payload` to the start of `out` and returns the number of samples.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooLong`] when the samples do not fit `out`, which is then untouched.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, DecodeError> {
        let capacity_samples = out.len();
        let room = out
            .get_mut(..payload.len())
            .ok_or(DecodeError::TooLong { samples: payload.len(), capacity_samples })?;
        let law = match self.format {
            Format::Pcmu => &g711::ULAW,
            Format::Pcma => &g711::ALAW,
        };
        for (sample, &code) in room.iter_mut().zip(payload) {
            *sample = law[usize::from(code)];
        }
        Ok(payload.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_encodes_and_decodes_by_its_own_law() {
        let decoded = Format::ALL.map(|format| {
            let mut payload = [0; MAX_PAYLOAD_BYTES];
            let bytes = Encoder::new(format).encode(&[1_000, -1_000], &mut payload);
            let mut samples = [0; 3];
            assert_eq!(Decoder::new(format).decode(&payload[..bytes], &mut samples), Ok(2));
            samples
        });
        assert_eq!(decoded, [[988, -988, 0], [1_008, -1_008, 0]]);
    }

    #[test]
    fn a_payload_that_does_not_fit_is_an_error_and_changes_nothing() {
        let mut samples = [7; 2];
        let error = DecodeError::TooLong { samples: 3, capacity_samples: 2 };
        assert_eq!(Decoder::new(Format::Pcmu).decode(&[0; 3], &mut samples), Err(error));
        assert_eq!(samples, [7; 2]);
    }

    #[test]
    fn any_frame_of_any_format_fits_the_largest_payload() {
        for format in Format::ALL {
            let frame = vec![0; format.sample_rate().frame_samples()];
            let mut payload = [0; MAX_PAYLOAD_BYTES];
            assert_eq!(Encoder::new(format).encode(&frame, &mut payload), 160);
        }
    }
}
