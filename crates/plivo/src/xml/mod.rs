//! Plivo's XML: what an application answers, read into typed elements.
//!
//! The bytes are not trusted. A DTD is refused, and size, depth and number of
//! elements and attributes have limits that are checked before or while the
//! tree is built. Unknown elements and attributes are ignored; a known
//! attribute with a value it may not have refuses the document, because the
//! author is better told than guessed at.

mod attributes;
mod conference;
mod dial;
mod error;
mod input;
mod mpc;
mod record;
mod say_as;
mod speech;
mod stream;
mod tree;
mod verbs;

use url::Url;

use attributes::Attributes;

pub use conference::Conference;
pub use dial::{
    CallType, Dial, DialConfirm, DialTone, Dialled, MAX_DIALLED, MAX_DIGIT_PATTERNS, SipCredentials,
};
pub use error::XmlError;
pub use input::{GetDigits, GetInput, MAX_HINT_CHARS, MAX_HINTS, MAX_HINTS_CHARS, SpeechInput, SpeechModel};
pub use record::{MAX_LENGTH, Record};
pub use speech::{MAX_SPEECH_CHARS, Manner, Speak, SpeechPart};
pub use stream::Stream;
pub use tree::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS};
pub use verbs::{BeepDetection, Dtmf, Hangup, HangupReason, MAX_MESSAGE_CHARS, Message, Play, Repeat, Wait};

pub use crate::FileFormat;
pub use crate::join::{
    AiAgentStream, MAX_NAME_CHARS, MultiPartyCall, Recording, Sound, StatusCallback, Target,
};

/// Limits that a deployer may move; the defaults are Plivo's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest `maxParticipants`, and its value if absent.
    pub max_participants: u32,
    /// The largest `maxDuration`.
    pub max_duration_seconds: u32,
    /// The largest document.
    pub document_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_participants: 10, max_duration_seconds: 28_800, document_bytes: 100 * 1024 }
    }
}

/// A document: what to do, top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The children of `<Response>`.
    pub elements: Vec<Element>,
}

/// One child of `<Response>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// Join an MPC.
    MultiPartyCall(Box<MultiPartyCall>),
    /// Say a text.
    Speak(Speak),
    /// Play an audio file.
    Play(Play),
    /// Do nothing for a while.
    Wait(Wait),
    /// Collect digits.
    GetDigits(Box<GetDigits>),
    /// Collect digits or speech.
    GetInput(Box<GetInput>),
    /// Record.
    Record(Box<Record>),
    /// Call others.
    Dial(Box<Dial>),
    /// Go on with another document.
    Redirect(Target),
    /// End the call.
    Hangup(Hangup),
    /// Do these before the call is answered.
    PreAnswer(Vec<Element>),
    /// Send digits.
    Dtmf(Dtmf),
    /// Join a conference of the older kind.
    Conference(Box<Conference>),
    /// Send the call's audio over a WebSocket.
    Stream(Box<Stream>),
    /// Send a text message.
    Message(Message),
}

impl Element {
    /// Its name in a document.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MultiPartyCall(_) => "MultiPartyCall",
            Self::Speak(_) => "Speak",
            Self::Play(_) => "Play",
            Self::Wait(_) => "Wait",
            Self::GetDigits(_) => "GetDigits",
            Self::GetInput(_) => "GetInput",
            Self::Record(_) => "Record",
            Self::Dial(_) => "Dial",
            Self::Redirect(_) => "Redirect",
            Self::Hangup(_) => "Hangup",
            Self::PreAnswer(_) => "PreAnswer",
            Self::Dtmf(_) => "DTMF",
            Self::Conference(_) => "Conference",
            Self::Stream(_) => "Stream",
            Self::Message(_) => "Message",
        }
    }
}

/// What is heard: music, a sound, or what goes before an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Say a text.
    Speak(Speak),
    /// Play an audio file.
    Play(Play),
    /// Be silent for a while.
    Wait(Wait),
}

/// Elements that `<Response>` may contain.
const ELEMENTS: [&str; 15] = [
    "Conference",
    "DTMF",
    "Dial",
    "GetDigits",
    "GetInput",
    "Hangup",
    "Message",
    "MultiPartyCall",
    "Play",
    "PreAnswer",
    "Record",
    "Redirect",
    "Speak",
    "Stream",
    "Wait",
];
/// Elements that `<PreAnswer>` may contain.
const BEFORE_ANSWER: [&str; 8] =
    ["DTMF", "GetDigits", "GetInput", "Message", "Play", "Redirect", "Speak", "Wait"];

/// Reads `document`, resolving its URLs against `base`, the URL it came from.
///
/// # Errors
///
/// [`XmlError`] if it is too large or complex, not well-formed, or if an
/// element lacks what it needs, stands where it may not, or has an attribute
/// value it may not have.
pub fn parse(document: &[u8], base: &Url, limits: &Limits) -> Result<Document, XmlError> {
    let text = tree::admit(document, limits)?;
    let tree = tree::build(text)?;
    let response = response(&tree, base)?;
    let elements = response.children().filter_map(|child| element(&child, limits).transpose());
    Ok(Document { elements: elements.collect::<Result<_, _>>()? })
}

/// Reads a document of music, of a sound or of a confirmation, in which only
/// Play, Speak and Wait count.
///
/// # Errors
///
/// [`XmlError`] as for [`parse`], but never for another element.
pub fn parse_sounds(document: &[u8], base: &Url, limits: &Limits) -> Result<Vec<Prompt>, XmlError> {
    let text = tree::admit(document, limits)?;
    let tree = tree::build(text)?;
    response(&tree, base)?.children().filter_map(|child| prompt(&child).transpose()).collect()
}

fn response<'a, 'input>(
    tree: &'a roxmltree::Document<'input>,
    base: &'a Url,
) -> Result<Attributes<'a, 'input>, XmlError> {
    let root = tree.root_element();
    match root.tag_name().name() {
        "Response" => Ok(Attributes::new(root, base)),
        other => Err(XmlError::Root(error::shorten(other))),
    }
}

fn element(attributes: &Attributes<'_, '_>, limits: &Limits) -> Result<Option<Element>, XmlError> {
    Ok(Some(match attributes.name() {
        "MultiPartyCall" => Element::MultiPartyCall(Box::new(mpc::read(&attributes.in_any_case(), limits)?)),
        "GetDigits" => Element::GetDigits(Box::new(input::get_digits(attributes)?)),
        "GetInput" => Element::GetInput(Box::new(input::get_input(attributes)?)),
        "Record" => Element::Record(Box::new(record::record(attributes)?)),
        "Dial" => Element::Dial(Box::new(dial::dial(attributes)?)),
        "Redirect" => Element::Redirect(verbs::redirect(attributes)?),
        "Hangup" => Element::Hangup(verbs::hangup(attributes)?),
        "PreAnswer" => Element::PreAnswer(pre_answer(attributes, limits)?),
        "DTMF" => Element::Dtmf(verbs::dtmf(attributes)?),
        "Conference" => Element::Conference(Box::new(conference::conference(attributes)?)),
        "Stream" => Element::Stream(Box::new(stream::stream(attributes)?)),
        "Message" => Element::Message(verbs::message(attributes)?),
        _ => {
            return Ok(prompt(attributes)?.map(|prompt| match prompt {
                Prompt::Speak(speak) => Element::Speak(speak),
                Prompt::Play(play) => Element::Play(play),
                Prompt::Wait(wait) => Element::Wait(wait),
            }));
        }
    }))
}

fn prompt(attributes: &Attributes<'_, '_>) -> Result<Option<Prompt>, XmlError> {
    Ok(match attributes.name() {
        "Speak" => Some(Prompt::Speak(speech::speak(attributes)?)),
        "Play" => Some(Prompt::Play(verbs::play(attributes)?)),
        "Wait" => Some(Prompt::Wait(verbs::wait(attributes)?)),
        _ => None,
    })
}

fn pre_answer(attributes: &Attributes<'_, '_>, limits: &Limits) -> Result<Vec<Element>, XmlError> {
    let mut elements = Vec::new();
    for child in attributes.children() {
        if !BEFORE_ANSWER.contains(&child.name()) {
            child.refuse_nested("PreAnswer")?;
        }
        elements.extend(element(&child, limits)?);
    }
    Ok(elements)
}

/// What is heard before an input.
fn prompts(attributes: &Attributes<'_, '_>) -> Result<Vec<Prompt>, XmlError> {
    let mut prompts = Vec::new();
    for child in attributes.children() {
        match prompt(&child)? {
            Some(prompt) => prompts.push(prompt),
            None => child.refuse_nested(attributes.name())?,
        }
    }
    Ok(prompts)
}

#[cfg(test)]
mod tests;
