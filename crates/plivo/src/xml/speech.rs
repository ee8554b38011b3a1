//! `<Speak>` and what of its SSML a speech engine is told.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use roxmltree::Node;

use super::attributes::{Attributes, is_tag};
use super::{Repeat, XmlError, say_as, verbs};

/// The longest text that one `<Speak>` may say.
pub const MAX_SPEECH_CHARS: usize = 3000;

/// The longest pause that a `<break>` may make.
const MAX_BREAK: Duration = Duration::from_secs(10);
const SENTENCE_PAUSE: Duration = Duration::from_millis(400);
const PARAGRAPH_PAUSE: Duration = Duration::from_millis(700);

/// Elements of SSML that ask for another way of saying a text.
const PLAIN: [&str; 2] = ["phoneme", "w"];

/// The namespace of `xml:lang`.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// As much slower, faster, lower and higher than usual as a text may be said, in percent.
const RATES: RangeInclusive<i32> = 20..=200;
const PITCHES: RangeInclusive<i32> = 50..=200;

/// As much softer or louder, in decibels; the least is silence.
const VOLUMES: RangeInclusive<i32> = -96..=12;

/// `<Speak>`: say a text.
///
/// Of SSML, `break`, `p` and `s` become pauses, `sub` its alias, and `say-as`
/// other words where they make it clear. `prosody`, `emphasis` and `lang` are a
/// [`Manner`]. Of `phoneme` and `w` the text is said.
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
    Text(String, Manner),
    /// Be silent.
    Pause(Duration),
}

/// How a text is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Its language tag.
    pub language: String,
    /// How fast, in percent of the usual.
    pub rate_percent: u16,
    /// How high, in percent of the usual.
    pub pitch_percent: u16,
    /// How much louder than usual, in decibels.
    pub volume_db: i8,
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
    let mut parts = Parts::new(language);
    parts.add_children(attributes.node());
    let plain = std::mem::take(&mut parts.plain);
    let parts = parts.finish();
    let texts = parts.iter().filter_map(|part| match part {
        SpeechPart::Text(text, _) => Some(text.as_str()),
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

/// Parts as they are collected; a text grows until a pause or another manner ends it.
struct Parts {
    done: Vec<SpeechPart>,
    text: String,
    manner: Manner,
    plain: BTreeSet<&'static str>,
}

impl Parts {
    fn new(language: &str) -> Self {
        let language = language.to_owned();
        let manner = Manner { language, rate_percent: 100, pitch_percent: 100, volume_db: 0 };
        Self { done: Vec::new(), text: String::new(), manner, plain: BTreeSet::new() }
    }

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
            "say-as" => self.add_as(node),
            "prosody" => {
                if node.attributes().any(|one| !["rate", "pitch", "volume"].contains(&one.name())) {
                    self.plain.insert("prosody");
                }
                self.add_in(node, prosody(node, &self.manner));
            }
            "emphasis" => self.add_in(node, emphasis(node, &self.manner)),
            "lang" => match node.attribute((XML, "lang")).filter(|tag| is_tag(tag)) {
                Some(tag) => self.add_in(node, Manner { language: tag.to_owned(), ..self.manner.clone() }),
                None => self.add_plain(node, "lang"),
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

    /// Says the text in that manner.
    fn add_in(&mut self, node: Node<'_, '_>, manner: Manner) {
        self.end_text();
        let before = std::mem::replace(&mut self.manner, manner);
        self.add_children(node);
        self.end_text();
        self.manner = before;
    }

    fn add_as(&mut self, node: Node<'_, '_>) {
        let kind = node.attribute("interpret-as").unwrap_or_default();
        if matches!(kind, "characters" | "spell-out" | "digits" | "telephone") {
            return self.spell(node);
        }
        let texts = node.descendants().filter(Node::is_text).filter_map(|node| node.text());
        let text = texts.collect::<String>();
        let english = self.manner.language.get(..2).is_some_and(|family| family.eq_ignore_ascii_case("en"));
        let said = english.then(|| say_as::say(kind, node.attribute("format"), text.trim())).flatten();
        match said {
            Some(said) => self.text.push_str(&said),
            None => self.add_plain(node, "say-as"),
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
            self.done.push(SpeechPart::Text(text, self.manner.clone()));
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

/// What of `known` a `<prosody>` changes, within what it is in.
fn prosody(node: Node<'_, '_>, known: &Manner) -> Manner {
    let rates = [("x-slow", 50), ("slow", 75), ("fast", 150), ("x-fast", 200)];
    let pitches = [("x-low", 70), ("low", 85), ("high", 115), ("x-high", 130)];
    let volumes = [("silent", -96), ("x-soft", -12), ("soft", -6), ("loud", 6), ("x-loud", 12)];
    let rate = node.attribute("rate").and_then(|text| value(text, "%", &rates)).unwrap_or(100);
    let pitch = node.attribute("pitch").and_then(|text| value(text, "%", &pitches)).unwrap_or(100);
    let volume = node.attribute("volume").and_then(|text| value(text, "dB", &volumes)).unwrap_or(0);
    known.changed(rate, pitch, volume)
}

/// Louder and slower the more emphasis there is.
fn emphasis(node: Node<'_, '_>, known: &Manner) -> Manner {
    match node.attribute("level") {
        Some("strong") => known.changed(80, 100, 6),
        Some("none") => known.clone(),
        Some("reduced") => known.changed(110, 100, -3),
        _ => known.changed(90, 100, 3),
    }
}

impl Manner {
    fn changed(&self, rate_percent: i32, pitch_percent: i32, louder_db: i32) -> Self {
        let share = |known: u16, percent: i32, range: RangeInclusive<i32>| {
            (i32::from(known) * percent / 100).clamp(*range.start(), *range.end()) as u16
        };
        let volume = i32::from(self.volume_db) + louder_db;
        Self {
            language: self.language.clone(),
            rate_percent: share(self.rate_percent, rate_percent, RATES),
            pitch_percent: share(self.pitch_percent, pitch_percent, PITCHES),
            volume_db: volume.clamp(*VOLUMES.start(), *VOLUMES.end()) as i8,
        }
    }
}

/// One of `words`, or a number of `unit`; percents with a sign are what is added to all.
fn value(text: &str, unit: &str, words: &[(&str, i32)]) -> Option<i32> {
    let text = text.trim();
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*value);
    }
    let number: f32 = text.strip_suffix(unit)?.trim().parse().ok()?;
    let base = if unit == "%" && text.starts_with(['+', '-']) { 100.0 } else { 0.0 };
    Some((base + number).clamp(-1000.0, 1000.0) as i32)
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
