//! What a recording is to hold.

use std::collections::BTreeMap;

use mixminus_audio::SampleRate;
use serde::{Deserialize, Serialize};

/// Whose audio a track holds: chosen by the caller and the same throughout the recording, e.g. a number for each
/// participant and one for prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrackId(pub u32);

/// How the main file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Linear samples of 16 bits; RF64 from 4 GiB on.
    Wav,
    /// MPEG layer III of constant bit rate: 64 kbit/s for each channel, and half of that at 8 kHz.
    Mp3,
    /// Opus in Ogg (RFC 7845), 32 kbit/s for each channel.
    OggOpus,
    /// FLAC (RFC 9639), 16 bits.
    Flac,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Wav, Self::Mp3, Self::OggOpus, Self::Flac];

    /// The format of files whose names end so.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.extension() == extension)
    }

    /// What names of such files end with, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::OggOpus => "ogg",
            Self::Flac => "flac",
        }
    }

    /// Its `Content-Type` (RFC 3003, RFC 5334, RFC 9639; for WAV the one that browsers play).
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Mp3 => "audio/mpeg",
            Self::OggOpus => "audio/ogg",
            Self::Flac => "audio/flac",
        }
    }
}

/// What the channels of the main file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One: the sum of all tracks, limited.
    Mono,
    /// Two: the sum of the tracks [placed](crate::Recorder::place) on the left, and that of all others; each limited.
    Stereo,
    /// One for each track, lowest [`TrackId`] first. Only in WAV, and written when the recording ends.
    EachItsOwn,
}

/// The channel of a stereo recording that a track is heard in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Side {
    /// Channel 0.
    Left,
    /// Channel 1.
    #[default]
    Right,
}

/// What a recording is to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// Rate of all its files.
    #[serde(rename = "rate_hz", with = "rate_hz")]
    pub rate: SampleRate,
    /// Format of the main file.
    pub format: Format,
    /// Channels of the main file.
    pub layout: Layout,
    /// Whether each track is also kept as a file of its own: mono WAV, all equally long. They hold the samples of which
    /// the main file is the limited sum.
    pub keep_tracks: bool,
    /// What else the sidecar is to say of the recording.
    pub about: BTreeMap<String, String>,
}

impl Outline {
    /// A recording without files of tracks.
    pub const fn new(rate: SampleRate, format: Format, layout: Layout) -> Self {
        Self { rate, format, layout, keep_tracks: false, about: BTreeMap::new() }
    }
}

mod rate_hz {
    use mixminus_audio::SampleRate;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
    pub(super) fn serialize<S: Serializer>(rate: &SampleRate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(rate.hz())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SampleRate, D::Error> {
        let hz = u32::deserialize(deserializer)?;
        let rate = SampleRate::ALL.into_iter().find(|rate| rate.hz() == hz);
        rate.ok_or_else(|| D::Error::custom(format!("{hz} samples per second are not recorded")))
    }
}
