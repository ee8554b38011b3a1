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

/// Formats of streamed audio.
pub(crate) const STREAM_FORMATS: &[(&str, &str)] = &[
    ("audio/x-l16;rate=8000", "audio/x-l16;rate=8000"),
    ("audio/x-l16;rate=16000", "audio/x-l16;rate=16000"),
    ("audio/x-l16;rate=24000", "audio/x-l16;rate=24000"),
    ("audio/x-mulaw;rate=8000", "audio/x-mulaw;rate=8000"),
];

/// The longest `extra_headers`.
pub const MAX_EXTRA_HEADERS_BYTES: usize = 512;

/// `text` if it is short enough and on one line.
pub(crate) fn extra_headers(text: &str) -> Option<String> {
    let fits = text.len() <= MAX_EXTRA_HEADERS_BYTES && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}
