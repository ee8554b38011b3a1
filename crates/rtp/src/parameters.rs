//! What both ends of a stream agreed on.

use mixminus_codec::{Encoding, Format, Ptime};

/// Payload type of comfort noise at a clock rate of 8 kHz, agreed or not (RFC 3389, section 4).
const STATIC_COMFORT_NOISE: u8 = 13;

/// The first dynamic payload type.
const FIRST_DYNAMIC: u8 = 96;

/// What both sides agreed on by SDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaParameters {
    /// Codec of the audio, both ways.
    pub encoding: Encoding,
    /// RTP payload type of the audio.
    pub payload_type: u8,
    /// Audio in each packet that we send. Opus is always sent in packets of one frame.
    pub ptime: Ptime,
    /// RTP payload type of telephone events, if agreed.
    pub digit_payload_type: Option<u8>,
    /// RTP payload type of comfort noise, if agreed.
    pub comfort_noise_payload_type: Option<u8>,
}

impl MediaParameters {
    /// `format` in packets of one frame under its static payload type, else 96, and nothing besides.
    pub fn of(format: Format) -> Self {
        Self {
            encoding: format.into(),
            payload_type: format.static_payload_type().unwrap_or(FIRST_DYNAMIC),
            ptime: Ptime::default(),
            digit_payload_type: None,
            comfort_noise_payload_type: None,
        }
    }

    /// Format of the audio, both ways.
    pub fn format(&self) -> Format {
        self.encoding.format()
    }

    /// Whether packets of this type describe comfort noise.
    pub(crate) fn is_comfort_noise(&self, payload_type: u8) -> bool {
        let by_rate = payload_type == STATIC_COMFORT_NOISE && self.format().clock_rate().hz() == 8_000;
        by_rate || Some(payload_type) == self.comfort_noise_payload_type
    }
}
