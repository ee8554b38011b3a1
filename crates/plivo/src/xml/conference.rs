//! `<Conference>`, the older kind.

use std::time::Duration;

use super::attributes::Attributes;
use super::dial::digit_patterns;
use super::{Sound, Target, XmlError};
use crate::join::{MAX_NAME_CHARS, is_name};
use crate::media::{Transcription, TranscriptionType};
use crate::{FileFormat, Method};

/// `<Conference>`: join a conference in which all are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are Plivo's and independent")]
pub struct Conference {
    /// Its name.
    pub name: String,
    /// Whether the member starts out muted.
    pub muted: bool,
    /// Played when the member enters.
    pub enter_sound: Sound,
    /// Played when the member leaves.
    pub exit_sound: Sound,
    /// The most members at once.
    pub max_members: u32,
    /// The longest it may last.
    pub time_limit: Duration,
    /// Whether `*` makes the member leave.
    pub hangup_on_star: bool,
    /// Whether the member may stay alone.
    pub stay_alone: bool,
    /// Whether the member's arrival starts the conference.
    pub start_conference_on_enter: bool,
    /// Whether the member's departure ends the conference.
    pub end_conference_on_exit: bool,
    /// Played before the start.
    pub wait_sound: Option<Target>,
    /// Whether it is recorded.
    pub record: bool,
    /// Format of the recording.
    pub record_file_format: FileFormat,
    /// Whether the recording is transcribed, and how.
    pub transcription: Option<Transcription>,
    /// Asked what to do after leaving.
    pub action: Option<Target>,
    /// Whether the document goes on with what `action` answers.
    pub redirect: bool,
    /// Told what happens.
    pub callback: Option<Target>,
    /// Digits of the member that are reported.
    pub digits_match: Vec<String>,
    /// Whether it is reported that the member speaks.
    pub floor_event: bool,
    /// Whether the member's digits are passed on to the others.
    pub relay_dtmf: bool,
}

pub(super) fn conference(attributes: &Attributes<'_, '_>) -> Result<Conference, XmlError> {
    let name = attributes.own_content();
    if !is_name(&name) {
        let accepted = format!("a name on one line of 1 to {MAX_NAME_CHARS} characters");
        return Err(attributes.refuse_content(&name, accepted));
    }
    let kind = attributes.choice("transcriptionType", TranscriptionType::WORDS)?;
    let told = attributes.target("transcriptionUrl", ("transcriptionMethod", Method::Post))?;
    let is_transcribed = kind.is_some() || told.is_some();
    Ok(Conference {
        name,
        muted: attributes.flag("muted", false)?,
        enter_sound: sound(attributes, "enterSound")?,
        exit_sound: sound(attributes, "exitSound")?,
        max_members: attributes.number("maxMembers", 1..=20)?.unwrap_or(20),
        time_limit: attributes.seconds("timeLimit", 1..=86_400)?.unwrap_or(Duration::from_hours(24)),
        hangup_on_star: attributes.flag("hangupOnStar", false)?,
        stay_alone: attributes.flag("stayAlone", true)?,
        start_conference_on_enter: attributes.flag("startConferenceOnEnter", true)?,
        end_conference_on_exit: attributes.flag("endConferenceOnExit", false)?,
        wait_sound: attributes.url("waitSound")?.map(posted),
        record: attributes.flag("record", false)?,
        record_file_format: attributes.choice("recordFileFormat", FileFormat::WORDS)?.unwrap_or_default(),
        transcription: is_transcribed
            .then(|| Transcription { kind: kind.unwrap_or(TranscriptionType::Auto), callback: told }),
        action: attributes.action()?,
        redirect: attributes.flag("redirect", true)?,
        callback: attributes.target("callbackUrl", ("callbackMethod", Method::Post))?,
        digits_match: digit_patterns(attributes, "digitsMatch")?,
        floor_event: attributes.flag("floorEvent", false)?,
        relay_dtmf: attributes.flag("relayDTMF", true)?,
    })
}

fn sound(attributes: &Attributes<'_, '_>, name: &'static str) -> Result<Sound, XmlError> {
    match attributes.text(name) {
        None => Ok(Sound::None),
        Some("beep:1") => Ok(Sound::Beep1),
        Some("beep:2") => Ok(Sound::Beep2),
        Some(text) => attributes
            .resolve_http(text)
            .map(|url| Sound::Url(posted(url)))
            .ok_or_else(|| attributes.refuse(name, "beep:1, beep:2, or a URL, http or https")),
    }
}

/// Sounds of this element are asked for by POST, and no attribute says otherwise.
const fn posted(url: String) -> Target {
    Target { url, method: Method::Post }
}
