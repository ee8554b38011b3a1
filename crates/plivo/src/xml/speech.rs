//! `<Speak>` and what of its SSML a speech engine is told.

use std::collections::BTreeSet;
use std::time::Duration;

use roxmltree::Node;

use super::attributes::Attributes;
use super::{Repeat, XmlError, verbs};

/// The longest text that one `<Speak>` may say.
pub const MAX_SPEECH_CHARS: usize = 3000;

/// The longest pause that a `<break>` may make.
const MAX_BREAK: Duration = Duration::from_secs(10);
const SENTENCE_PAUSE: Duration = Duration::from_millis(400);
const PARAGRAPH_PAUSE: Duration = Duration::from_millis(700);

/// Elements of SSML that ask for another way of saying a text.
const PLAIN: [&str; 5] = ["emphasis", "lang", "phoneme", "prosody", "w"];

/// `<Speak>`: say a text.
///
/// Of SSML, `break`, `p` and `s` become pauses, `sub` its alias, and `say-as`
/// letter by letter is spelled out. Of `emphasis`, `prosody`, `lang`, `phoneme`,
/// `w` and other kinds of `say-as` the text is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speak {
    /// What to say, without pauses; may be empty.
    pub text: String,
    /// What to say, with pauses.
    pub parts: Vec<SpeechPart>,
    /// `WOMAN`, `MAN` or `Polly.` with a name.
    pub voice: String,
    /// What of its SSML changes nothing of how it is said.
    pub plain: BTreeSet<&'static str>,
    /// Language tag.
    pub language: String,
    /// How often.
    pub repeat: Repeat,
}

/// A step of saying a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpeechPart {
    /// Say it.
    Text(String),
    /// Be silent.
    Pause(Duration),
}

pub(super) fn speak(attributes: &Attributes<'_, '_>) -> Result<Speak, XmlError> {
    let content = attributes.content();
    if content.chars().count() > MAX_SPEECH_CHARS {
        return Err(attributes.refuse_content(&content, format!("at most {MAX_SPEECH_CHARS} characters")));
    }
    let voice = attributes.text("voice").unwrap_or("WOMAN");
    let polly = voice.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("Polly."));
    if !polly && !["WOMAN", "MAN"].iter().any(|known| known.eq_ignore_ascii_case(voice)) {
        return Err(attributes.refuse("voice", "WOMAN, MAN, Polly.<Name>"));
    }
    let language = attributes.language()?.unwrap_or("en-US");
    let mut parts = Parts::default();
    parts.add_children(attributes.node());
    let plain = std::mem::take(&mut parts.plain);
    let parts = parts.finish();
    let texts = parts.iter().filter_map(|part| match part {
        SpeechPart::Text(text) => Some(text.as_str()),
        SpeechPart::Pause(_) => None,
    });
    Ok(Speak {
        text: texts.collect::<Vec<_>>().join(" "),
        parts,
        plain,
        voice: voice.to_owned(),
        language: language.to_owned(),
        repeat: verbs::repeat(attributes)?,
    })
}

/// Parts as they are collected; a text grows until a pause ends it.
#[derive(Default)]
struct Parts {
    done: Vec<SpeechPart>,
    text: String,
    plain: BTreeSet<&'static str>,
}

impl Parts {
    fn add_children(&mut self, node: Node<'_, '_>) {
        for child in node.children() {
            if child.is_text() {
                self.text.push_str(child.text().unwrap_or_default());
            } else if child.is_element() {
                self.add_element(child);
            }
        }
    }

    fn add_element(&mut self, node: Node<'_, '_>) {
        match node.tag_name().name() {
            "break" => self.pause(break_length(node)),
            "p" => self.add_and_pause(node, PARAGRAPH_PAUSE),
            "s" => self.add_and_pause(node, SENTENCE_PAUSE),
            "sub" => match node.attribute("alias") {
                Some(alias) => self.text.push_str(alias),
                None => self.add_children(node),
            },
            "say-as" => match node.attribute("interpret-as") {
                Some("characters" | "spell-out" | "digits" | "telephone") => self.spell(node),
                _ => self.add_plain(node, "say-as"),
            },
            // It stands between two texts of one <Speak>.
            "cont" => {
                self.text.push(' ');
                self.add_children(node);
                self.text.push(' ');
            }
            name => match PLAIN.into_iter().find(|plain| *plain == name) {
                Some(name) => self.add_plain(node, name),
                None => self.add_children(node),
            },
        }
    }

    /// Says the text as if it stood there alone.
    fn add_plain(&mut self, node: Node<'_, '_>, name: &'static str) {
        self.plain.insert(name);
        self.add_children(node);
    }

    fn add_and_pause(&mut self, node: Node<'_, '_>, pause: Duration) {
        self.text.push(' ');
        self.add_children(node);
        self.pause(pause);
    }

    fn spell(&mut self, node: Node<'_, '_>) {
        let texts = node.descendants().filter_map(|node| node.text().filter(|_| node.is_text()));
        for letter in texts.flat_map(str::chars).filter(|letter| !letter.is_whitespace()) {
            self.text.extend([' ', letter]);
        }
        self.text.push(' ');
    }

    fn pause(&mut self, length: Duration) {
        self.end_text();
        if !length.is_zero() {
            self.done.push(SpeechPart::Pause(length));
        }
    }

    fn end_text(&mut self) {
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.text.clear();
        if !text.is_empty() {
            self.done.push(SpeechPart::Text(text));
        }
    }

    /// What was collected; a pause at the end is nothing to wait for.
    fn finish(mut self) -> Vec<SpeechPart> {
        self.end_text();
        while matches!(self.done.last(), Some(SpeechPart::Pause(_))) && self.done.len() > 1 {
            self.done.pop();
        }
        self.done
    }
}

/// The length of a `<break>`, by its `time` or its `strength`.
fn break_length(node: Node<'_, '_>) -> Duration {
    let time = node.attribute("time").map(str::trim).and_then(|time| {
        let (number, unit_ms) = match time.strip_suffix("ms") {
            Some(number) => (number, 1.0),
            None => (time.strip_suffix('s')?, 1000.0),
        };
        let ms = number.trim().parse::<f64>().ok()? * unit_ms;
        (ms >= 0.0).then(|| Duration::from_millis(ms.min(60_000.0) as u64).min(MAX_BREAK))
    });
    time.unwrap_or_else(|| {
        Duration::from_millis(match node.attribute("strength") {
            Some("none" | "x-weak") => 0,
            Some("weak") => 200,
            Some("strong") => 700,
            Some("x-strong") => 1000,
            _ => 400,
        })
    })
}
