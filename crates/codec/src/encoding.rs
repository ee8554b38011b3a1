//! How a stream is encoded: its format and the encoder's settings.

use crate::Format;

/// What an Opus encoder may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpusSettings {
    /// Bits per second.
    pub bitrate_bps: u32,
    /// 0 to 10: processor time for quality.
    pub complexity: u8,
    /// Whether nothing is sent while there is nothing to hear.
    pub dtx: bool,
}

/// What costs least for speech that few tell from the original: `benches/QUALITY.md` has what other settings cost and
/// are worth.
impl Default for OpusSettings {
    fn default() -> Self {
        Self { bitrate_bps: 32_000, complexity: 1, dtx: false }
    }
}

/// A format with all that decides what an encoder makes of audio: equal encodings of equal audio can share
/// one encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Encoding {
    format: Format,
    opus: OpusSettings,
    expected_loss_percent: u8,
}

impl Encoding {
    /// The encoding of `format` without expected loss. `opus` counts for Opus only.
    pub fn new(format: Format, opus: OpusSettings) -> Self {
        let opus = match format {
            Format::Opus(_) => opus,
            _ => OpusSettings::default(),
        };
        Self { format, opus, expected_loss_percent: 0 }
    }

    /// Its format.
    pub fn format(self) -> Format {
        self.format
    }

    /// What its encoder may spend, if it is Opus.
    pub fn opus(self) -> OpusSettings {
        self.opus
    }

    /// The loss that payloads are made to survive by in-band FEC: 0 (without FEC), 10 or 25.
    pub fn expected_loss_percent(self) -> u8 {
        self.expected_loss_percent
    }

    /// The same with FEC for a loss of `percent`, taken as one of three steps so that listeners with much
    /// the same loss share an encoder. No format but Opus has FEC.
    #[must_use]
    pub fn with_expected_loss(self, percent: u8) -> Self {
        let expected_loss_percent = match (self.format, percent) {
            (Format::Opus(_), 3..=14) => 10,
            (Format::Opus(_), 15..) => 25,
            _ => 0,
        };
        Self { expected_loss_percent, ..self }
    }
}

impl From<Format> for Encoding {
    /// The format with default settings.
    fn from(format: Format) -> Self {
        Self::new(format, OpusSettings::default())
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::SampleRate;

    use super::*;

    const OPUS: Format = Format::Opus(SampleRate::Hz48000);
    const THRIFTY: OpusSettings = OpusSettings { bitrate_bps: 16_000, complexity: 0, dtx: true };

    #[test]
    fn settings_of_opus_tell_encodings_of_opus_apart_and_no_others() {
        assert_ne!(Encoding::new(OPUS, THRIFTY), Encoding::from(OPUS));
        assert_eq!(Encoding::new(OPUS, THRIFTY).opus(), THRIFTY);
        assert_eq!(Encoding::new(Format::G722, THRIFTY), Encoding::from(Format::G722));
    }

    #[test]
    fn expected_loss_has_three_steps_for_opus_and_one_for_others() {
        let given = [0, 2, 3, 14, 15, 100];
        let steps = |format| {
            given.map(|percent| Encoding::from(format).with_expected_loss(percent).expected_loss_percent())
        };
        assert_eq!(steps(OPUS), [0, 0, 10, 10, 25, 25]);
        assert_eq!(steps(Format::Pcmu), [0; 6]);
    }

    #[test]
    fn loss_that_has_gone_is_no_longer_expected() {
        let encoding = Encoding::from(OPUS);
        assert_eq!(encoding.with_expected_loss(20).with_expected_loss(0), encoding);
    }
}
