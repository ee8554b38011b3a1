//! The elements that need no conference.

use super::attributes::Attributes;
use super::{Target, XmlError};
use crate::{Key, MAX_KEYS, Method};

/// The longest text message.
pub const MAX_MESSAGE_CHARS: usize = 1600;

/// The most that one message goes to.
const MAX_DESTINATIONS: usize = 100;

/// No wait or schedule is longer than a call may be.
const DAY_SECONDS: u32 = 86_400;

/// How often something is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// So many times.
    Times(u32),
    /// Until the call ends.
    Forever,
}

/// `<Play>`: play an audio file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// Absolute URL.
    pub url: String,
    /// How often.
    pub repeat: Repeat,
}

/// `<Wait>`: do nothing for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How long at most.
    pub length_seconds: u32,
    /// Whether the caller hears nothing instead of music.
    pub silence: bool,
    /// End earlier after so much silence of the caller.
    pub min_silence_ms: Option<u32>,
    /// End earlier when the caller's side beeps.
    pub beep: Option<BeepDetection>,
}

/// How an answering machine's beep is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named by the attribute's own text")]
pub struct BeepDetection {
    pub duration_ms: u32,
    pub inter_silence_ms: u32,
    pub intra_silence_ms: u32,
    pub threshold: u32,
}

/// `<Hangup>`: end the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hangup {
    /// How to refuse a call that is not answered yet.
    pub reason: Option<HangupReason>,
    /// End it so much later and go on meanwhile.
    pub schedule_seconds: Option<u32>,
}

/// `<DTMF>`: send digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dtmf {
    /// The digits, at least one.
    pub keys: Vec<Key>,
    /// Whether the next element begins meanwhile.
    pub is_async: bool,
}

/// `<Message>`: send a text message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sends it.
    pub src: String,
    /// Who gets it, at least one.
    pub dst: Vec<String>,
    /// Its kind, `sms` unless it says otherwise.
    pub kind: String,
    /// The text.
    pub text: String,
    /// Told what became of it.
    pub callback: Option<Target>,
}

/// How an unanswered call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangupReason {
    /// `rejected`.
    Rejected,
    /// `busy`.
    Busy,
}

pub(super) fn play(attributes: &Attributes<'_, '_>) -> Result<Play, XmlError> {
    Ok(Play { url: attributes.content_url()?, repeat: repeat(attributes)? })
}

pub(super) fn wait(attributes: &Attributes<'_, '_>) -> Result<Wait, XmlError> {
    Ok(Wait {
        length_seconds: attributes.number("length", 1..=DAY_SECONDS)?.unwrap_or(1),
        silence: attributes.flag("silence", false)?,
        min_silence_ms: attributes.number("minSilence", 0..=DAY_SECONDS * 1000)?,
        beep: beep(attributes)?,
    })
}

pub(super) fn redirect(attributes: &Attributes<'_, '_>) -> Result<Target, XmlError> {
    Ok(Target { url: attributes.content_url()?, method: attributes.method("method", Method::Post)? })
}

pub(super) fn hangup(attributes: &Attributes<'_, '_>) -> Result<Hangup, XmlError> {
    let reasons = [("rejected", HangupReason::Rejected), ("busy", HangupReason::Busy)];
    Ok(Hangup {
        reason: attributes.choice("reason", &reasons)?,
        schedule_seconds: attributes.number("schedule", 0..=DAY_SECONDS)?,
    })
}

pub(super) fn dtmf(attributes: &Attributes<'_, '_>) -> Result<Dtmf, XmlError> {
    let text = attributes.own_content();
    let keys = Key::sequence(&text)
        .ok_or_else(|| attributes.refuse_content(&text, format!("1 to {MAX_KEYS} of 0-9 * # w W")))?;
    Ok(Dtmf { keys, is_async: attributes.flag("async", true)? })
}

pub(super) fn message(attributes: &Attributes<'_, '_>) -> Result<Message, XmlError> {
    let line = |name| attributes.one_line(name)?.ok_or_else(|| attributes.refuse(name, "a number"));
    let text = attributes.own_content();
    if text.is_empty() || text.chars().count() > MAX_MESSAGE_CHARS {
        return Err(attributes.refuse_content(&text, format!("1 to {MAX_MESSAGE_CHARS} characters")));
    }
    let all = line("dst")?;
    let dst: Vec<_> = all.split('<').map(|number| number.trim().to_owned()).collect();
    if dst.len() > MAX_DESTINATIONS || dst.iter().any(String::is_empty) {
        return Err(attributes.refuse("dst", format!("1 to {MAX_DESTINATIONS} numbers with < between")));
    }
    Ok(Message {
        src: line("src")?,
        dst,
        kind: attributes.one_line("type")?.unwrap_or_else(|| "sms".to_owned()),
        text,
        callback: attributes.target("callbackUrl", ("callbackMethod", Method::Post))?,
    })
}

pub(super) fn repeat(attributes: &Attributes<'_, '_>) -> Result<Repeat, XmlError> {
    Ok(match attributes.number("loop", 0..=u32::MAX)? {
        Some(0) => Repeat::Forever,
        times => Repeat::Times(times.unwrap_or(1)),
    })
}

fn beep(attributes: &Attributes<'_, '_>) -> Result<Option<BeepDetection>, XmlError> {
    let mut beep =
        BeepDetection { duration_ms: 300, inter_silence_ms: 50, intra_silence_ms: 500, threshold: 256 };
    match attributes.text("beep") {
        None => return Ok(None),
        Some(text) if text.eq_ignore_ascii_case("false") => return Ok(None),
        Some(text) if text.eq_ignore_ascii_case("true") => return Ok(Some(beep)),
        Some(text) => {
            for setting in text.split(',') {
                set(&mut beep, setting).ok_or_else(|| {
                    let names = "duration=, inter_silence=, intra_silence=, threshold= with commas between";
                    attributes.refuse("beep", format!("true, false, {names}"))
                })?;
            }
        }
    }
    Ok(Some(beep))
}

fn set(beep: &mut BeepDetection, setting: &str) -> Option<()> {
    let (name, value) = setting.split_once('=')?;
    let field = match name.trim() {
        "duration" => &mut beep.duration_ms,
        "inter_silence" => &mut beep.inter_silence_ms,
        "intra_silence" => &mut beep.intra_silence_ms,
        "threshold" => &mut beep.threshold,
        _ => return None,
    };
    *field = value.trim().parse().ok()?;
    Some(())
}
