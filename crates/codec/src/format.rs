//! Formats: codecs with their rates and names.

use mixminus_audio::{SampleRate, TICK};

/// RTP timestamp units per second. Not always the rate of the audio: G.722 has 8 kHz and 16 kHz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockRate(u32);

impl ClockRate {
    /// Timestamp units per second.
    pub const fn hz(self) -> u32 {
        self.0
    }

    /// Timestamp units in one frame.
    pub const fn frame_units(self) -> u32 {
        self.0 / 1_000 * TICK.as_millis() as u32
    }
}

/// A codec with its rates and parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

impl Format {
    /// Every format, preferred first.
    pub const ALL: [Self; 2] = [Self::Pcmu, Self::Pcma];

    /// Rate of its RTP timestamps.
    pub const fn clock_rate(self) -> ClockRate {
        match self {
            Self::Pcmu | Self::Pcma => ClockRate(8_000),
        }
    }

    /// Rate of its audio.
    pub const fn sample_rate(self) -> SampleRate {
        match self {
            Self::Pcmu | Self::Pcma => SampleRate::Hz8000,
        }
    }

    /// Its static RTP payload type (RFC 3551, section 6).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// Its name in SDP.
    pub const fn encoding_name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }
}
