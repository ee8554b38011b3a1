//! Formats: codecs with their rates and names.

use mixminus_audio::{SampleRate, TICK};

use crate::opus;

/// The longest packet that is decoded: as much as Opus can hold (RFC 6716, section 3.2.5).
pub const MAX_PACKET_MS: usize = 120;

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

/// A codec with the rate of its audio, which is always mono here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s.
    G722,
    /// Linear samples in network byte order (RFC 3551, section 4.5.11).
    L16(SampleRate),
    /// Opus (RFC 6716), encoded from and decoded to audio at this rate, whatever the far end has.
    Opus(SampleRate),
}

impl Format {
    /// Every format that we offer, preferred first.
    pub const ALL: [Self; 6] = [
        Self::Opus(SampleRate::Hz48000),
        Self::G722,
        Self::Pcmu,
        Self::Pcma,
        Self::L16(SampleRate::Hz16000),
        Self::L16(SampleRate::Hz8000),
    ];

    /// Rate of its RTP timestamps.
    pub const fn clock_rate(self) -> ClockRate {
        match self {
            // G.722's is wrong in RFC 1890 and has stayed so (RFC 3551, section 4.5.2).
            Self::Pcmu | Self::Pcma | Self::G722 => ClockRate(8_000),
            Self::L16(rate) => ClockRate(rate.hz()),
            Self::Opus(_) => ClockRate(48_000),
        }
    }

    /// Rate of its audio.
    pub const fn sample_rate(self) -> SampleRate {
        match self {
            Self::Pcmu | Self::Pcma => SampleRate::Hz8000,
            Self::G722 => SampleRate::Hz16000,
            Self::L16(rate) | Self::Opus(rate) => rate,
        }
    }

    /// Its static RTP payload type (RFC 3551, section 6), if it has one.
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
            Self::G722 => Some(9),
            Self::L16(_) | Self::Opus(_) => None,
        }
    }

    /// Its name in SDP.
    pub const fn encoding_name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::L16(_) => "L16",
            Self::Opus(_) => "opus",
        }
    }

    /// Samples at its rate that `payload` holds, found without decoding it. None when there are none, when
    /// the payload is malformed, or when they last longer than [`MAX_PACKET_MS`].
    pub fn samples_in(self, payload: &[u8]) -> Option<usize> {
        let samples = match self {
            Self::Pcmu | Self::Pcma => payload.len(),
            Self::G722 => 2 * payload.len(),
            Self::L16(_) if payload.len() % 2 == 1 => 0,
            Self::L16(_) => payload.len() / 2,
            Self::Opus(rate) => opus::samples_in(payload, rate)?,
        };
        let longest = MAX_PACKET_MS * self.sample_rate().samples_per_ms();
        (1..=longest).contains(&samples).then_some(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPUS: Format = Format::Opus(SampleRate::Hz48000);

    #[test]
    fn clocks_and_audio_have_the_rates_of_the_rtp_profile() {
        let rates = Format::ALL.map(|format| (format.clock_rate().hz(), format.sample_rate().hz()));
        let expected = [
            (48_000, 48_000),
            (8_000, 16_000),
            (8_000, 8_000),
            (8_000, 8_000),
            (16_000, 16_000),
            (8_000, 8_000),
        ];
        assert_eq!(rates, expected);
        assert_eq!(Format::Opus(SampleRate::Hz16000).clock_rate().hz(), 48_000);
    }

    #[test]
    fn twenty_milliseconds_are_found_in_a_payload_of_each_format() {
        let sizes = [(Format::Pcmu, 160), (Format::Pcma, 160), (Format::G722, 160)];
        for (format, bytes) in sizes {
            assert_eq!(format.samples_in(&vec![0; bytes]), Some(format.sample_rate().frame_samples()));
        }
        assert_eq!(Format::L16(SampleRate::Hz16000).samples_in(&[0; 640]), Some(320));
        // The TOC byte of one SILK frame of 20 ms in wide band.
        assert_eq!(OPUS.samples_in(&[0x48, 1, 2]), Some(960));
    }

    #[test]
    fn no_audio_half_a_sample_and_more_than_120_milliseconds_are_refused() {
        for format in Format::ALL {
            assert_eq!(format.samples_in(&[]), None, "{format:?}");
        }
        assert_eq!(Format::L16(SampleRate::Hz8000).samples_in(&[0; 3]), None);
        assert_eq!(Format::Pcmu.samples_in(&[0; 960]), Some(960));
        assert_eq!(Format::Pcmu.samples_in(&[0; 961]), None);
        assert_eq!(Format::G722.samples_in(&[0; 960]), Some(1_920));
        assert_eq!(Format::G722.samples_in(&[0; 961]), None);
        // Three frames of 60 ms.
        assert_eq!(OPUS.samples_in(&[0x5B, 0x03, 0, 0, 0]), None);
    }
}
