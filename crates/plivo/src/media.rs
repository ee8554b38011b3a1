//! What XML and REST say alike of recordings and streams.

use crate::Target;

/// Where a transcript goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcription {
    /// `auto`, `hybrid` or `manual`.
    pub kind: TranscriptionType,
    /// Told the transcript.
    pub callback: Option<Target>,
}

/// Who transcribes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TranscriptionType {
    /// A machine.
    Auto,
    /// A machine and a human.
    Hybrid,
    /// A human.
    Manual,
}

impl TranscriptionType {
    pub(crate) const WORDS: &[(&str, Self)] =
        &[("auto", Self::Auto), ("hybrid", Self::Hybrid), ("manual", Self::Manual)];
}

/// Which audio of a call is streamed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AudioTrack {
    /// What the far end says.
    #[default]
    Inbound,
    /// What the far end hears.
    Outbound,
    /// Both.
    Both,
}

impl AudioTrack {
    pub(crate) const WORDS: &[(&str, Self)] =
        &[("inbound", Self::Inbound), ("outbound", Self::Outbound), ("both", Self::Both)];
}

impl AudioTrack {
    /// Its name in messages, of [`Both`](Self::Both) none.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Inbound => Some("inbound"),
            Self::Outbound => Some("outbound"),
            Self::Both => None,
        }
    }

    /// What it consists of.
    pub const fn parts(self) -> &'static [Self] {
        match self {
            Self::Inbound => &[Self::Inbound],
            Self::Outbound => &[Self::Outbound],
            Self::Both => &[Self::Inbound, Self::Outbound],
        }
    }
}

/// Format of streamed audio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamFormat {
    /// Linear samples of 16 bits, the low byte first, 8000 in a second.
    #[default]
    L16At8000,
    /// The same, 16 000 in a second.
    L16At16000,
    /// The same, 24 000 in a second.
    L16At24000,
    /// G.711 μ-law, 8000 in a second.
    MulawAt8000,
}

impl StreamFormat {
    pub(crate) const WORDS: &[(&str, Self)] = &[
        ("audio/x-l16;rate=8000", Self::L16At8000),
        ("audio/x-l16;rate=16000", Self::L16At16000),
        ("audio/x-l16;rate=24000", Self::L16At24000),
        ("audio/x-mulaw;rate=8000", Self::MulawAt8000),
    ];

    /// Its media type without the rate.
    pub const fn encoding(self) -> &'static str {
        match self {
            Self::L16At8000 | Self::L16At16000 | Self::L16At24000 => "audio/x-l16",
            Self::MulawAt8000 => "audio/x-mulaw",
        }
    }

    /// Samples in a second.
    pub const fn rate_hz(self) -> u32 {
        match self {
            Self::L16At8000 | Self::MulawAt8000 => 8_000,
            Self::L16At16000 => 16_000,
            Self::L16At24000 => 24_000,
        }
    }
}

/// The longest `extra_headers`.
pub const MAX_EXTRA_HEADERS_BYTES: usize = 512;

/// `text` if it is short enough and on one line.
pub(crate) fn extra_headers(text: &str) -> Option<String> {
    let fits = text.len() <= MAX_EXTRA_HEADERS_BYTES && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}
