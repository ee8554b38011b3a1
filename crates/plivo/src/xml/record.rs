//! `<Record>`.

use std::time::Duration;

use super::attributes::Attributes;
use super::{Target, XmlError};
use crate::media::{Transcription, TranscriptionType};
use crate::{FileFormat, Method};

/// The longest recording of what the caller says, where the document says nothing else.
pub const MAX_LENGTH: Duration = Duration::from_mins(1);

/// `<Record>`: record what the caller says, or the whole call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are Plivo's and independent")]
pub struct Record {
    /// Told the recording.
    pub action: Option<Target>,
    /// Whether the document goes on with what `action` answers.
    pub redirect: bool,
    /// Format of the file.
    pub file_format: FileFormat,
    /// How much silence ends it.
    pub timeout: Duration,
    /// The longest, if the document says it; [`MAX_LENGTH`] otherwise, unless it is of the session or
    /// of a connection.
    pub max_length: Option<Duration>,
    /// The key that ends it.
    pub finish_on_key: Option<char>,
    /// Whether a beep comes before.
    pub play_beep: bool,
    /// Whether it begins at once and lasts until the end of the call, whatever follows.
    pub record_session: bool,
    /// Whether it begins when a `<Dial>` is answered.
    pub start_on_dial_answer: bool,
    /// Whether the two sides are two channels.
    pub stereo: bool,
    /// Whether it is transcribed, and how.
    pub transcription: Option<Transcription>,
    /// Whether the transcript comes with all its details.
    pub full_report: bool,
    /// Told that the file is there.
    pub callback: Option<Target>,
}

pub(super) fn record(attributes: &Attributes<'_, '_>) -> Result<Record, XmlError> {
    let kind = attributes.choice("transcriptionType", TranscriptionType::WORDS)?;
    let told = attributes.target("transcriptionUrl", ("transcriptionMethod", Method::Post))?;
    let is_transcribed = kind.is_some() || told.is_some();
    Ok(Record {
        action: attributes.action()?,
        redirect: attributes.flag("redirect", true)?,
        file_format: attributes.choice("fileFormat", FileFormat::WORDS)?.unwrap_or_default(),
        timeout: attributes.seconds("timeout", 0..=3600)?.unwrap_or(Duration::from_secs(15)),
        max_length: attributes.seconds("maxLength", 1..=86_400)?,
        finish_on_key: attributes.finish_on_key()?,
        play_beep: attributes.flag("playBeep", true)?,
        record_session: attributes.flag("recordSession", false)?,
        start_on_dial_answer: attributes.flag("startOnDialAnswer", false)?,
        stereo: attributes.choice("recordChannelType", &[("stereo", true), ("mono", false)])?.unwrap_or(true),
        transcription: is_transcribed
            .then(|| Transcription { kind: kind.unwrap_or(TranscriptionType::Auto), callback: told }),
        full_report: attributes
            .choice("transcriptionReportType", &[("compact", false), ("full", true)])?
            .unwrap_or(false),
        callback: attributes.target("callbackUrl", ("callbackMethod", Method::Post))?,
    })
}
