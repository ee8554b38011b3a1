//! Plivo's XML: what an application answers, read into typed elements.
//!
//! The bytes are not trusted. A DTD is refused, and size, depth and number of
//! elements and attributes have limits that are checked before or while the
//! tree is built. Unknown elements and attributes are ignored; a known
//! attribute with a value it may not have refuses the document, because the
//! author is better told than guessed at.

mod attributes;
mod error;
mod mpc;
mod tree;
mod verbs;

use roxmltree::Node;
use url::Url;

use attributes::Attributes;

pub use error::XmlError;
pub use tree::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS};
pub use verbs::{BeepDetection, Hangup, HangupReason, MAX_SPEECH_CHARS, Play, Repeat, Speak, Wait};

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
    /// Go on with another document.
    Redirect(Target),
    /// End the call.
    Hangup(Hangup),
    /// An element of Plivo's that is not supported.
    Unsupported {
        /// Its name.
        name: &'static str,
        /// Where it begins, from 1.
        line: u32,
    },
}

const UNSUPPORTED: [&str; 9] =
    ["Conference", "DTMF", "Dial", "GetDigits", "GetInput", "Message", "PreAnswer", "Record", "Stream"];

/// Reads `document`, resolving its URLs against `base`, the URL it came from.
///
/// # Errors
///
/// [`XmlError`] if it is too large or complex, not well-formed, or if an
/// element lacks what it needs or has an attribute value it may not have.
pub fn parse(document: &[u8], base: &Url, limits: &Limits) -> Result<Document, XmlError> {
    let text = tree::admit(document, limits)?;
    let tree = tree::build(text)?;
    let root = tree.root_element();
    if root.tag_name().name() != "Response" {
        return Err(XmlError::Root(error::shorten(root.tag_name().name())));
    }
    let elements = root
        .children()
        .filter_map(|node| element(node, base, limits).transpose())
        .collect::<Result<_, _>>()?;
    Ok(Document { elements })
}

fn element(node: Node<'_, '_>, base: &Url, limits: &Limits) -> Result<Option<Element>, XmlError> {
    let name = node.tag_name().name();
    let attributes = Attributes::new(node, base);
    Ok(Some(match name {
        "MultiPartyCall" => Element::MultiPartyCall(Box::new(mpc::read(&attributes, limits)?)),
        "Speak" => Element::Speak(verbs::speak(&attributes)?),
        "Play" => Element::Play(verbs::play(&attributes)?),
        "Wait" => Element::Wait(verbs::wait(&attributes)?),
        "Redirect" => Element::Redirect(verbs::redirect(&attributes)?),
        "Hangup" => Element::Hangup(verbs::hangup(&attributes)?),
        _ => match UNSUPPORTED.into_iter().find(|other| *other == name) {
            Some(name) => Element::Unsupported { name, line: attributes.line() },
            None => return Ok(None),
        },
    }))
}

#[cfg(test)]
mod tests;
