//! `<GetDigits>` and `<GetInput>`.

use std::time::Duration;

use super::attributes::Attributes;
use super::{Prompt, Target, XmlError, prompts};
use crate::Method;

/// The most phrases that hint at what is said.
pub const MAX_HINTS: usize = 500;
/// The longest phrase.
pub const MAX_HINT_CHARS: usize = 100;
/// The longest text of all phrases.
pub const MAX_HINTS_CHARS: usize = 10_000;

/// `<GetDigits>`: collect digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetDigits {
    /// Told the digits.
    pub action: Option<Target>,
    /// Whether the document goes on with what `action` answers.
    pub redirect: bool,
    /// The most digits.
    pub num_digits: u32,
    /// How long to wait for the first one.
    pub timeout: Duration,
    /// How long to wait for each that follows.
    pub digit_timeout: Duration,
    /// The key that ends it; it is none of the digits.
    pub finish_on_key: Option<char>,
    /// How often it is tried.
    pub tries: u32,
    /// Whether a beep follows the prompts.
    pub play_beep: bool,
    /// The digits that count.
    pub valid_digits: String,
    /// Played after others.
    pub invalid_digits_sound: Option<String>,
    /// Whether the digits may be logged.
    pub log: bool,
    /// Played until the first digit.
    pub prompts: Vec<Prompt>,
}

pub(super) fn get_digits(attributes: &Attributes<'_, '_>) -> Result<GetDigits, XmlError> {
    let all = "1234567890*#";
    let is_key = |letter: char| all.contains(letter);
    let valid = |text: &str| text.chars().all(is_key).then(|| text.to_owned());
    let timeout = |name, default| {
        attributes.seconds(name, 1..=3600).map(|timeout| timeout.unwrap_or(Duration::from_secs(default)))
    };
    Ok(GetDigits {
        action: attributes.action()?,
        redirect: attributes.flag("redirect", true)?,
        num_digits: attributes.number("numDigits", 1..=99)?.unwrap_or(99),
        timeout: timeout("timeout", 5)?,
        digit_timeout: timeout("digitTimeout", 2)?,
        finish_on_key: attributes.finish_on_key()?,
        tries: attributes.number("retries", 1..=100)?.unwrap_or(1),
        play_beep: attributes.flag("playBeep", false)?,
        valid_digits: attributes.read("validDigits", "some of 0-9 * #", valid)?.unwrap_or_else(|| all.into()),
        invalid_digits_sound: attributes.url("invalidDigitsSound")?,
        log: attributes.flag("log", true)?,
        prompts: prompts(attributes)?,
    })
}

/// `<GetInput>`: collect digits or what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetInput {
    /// Told the input.
    pub action: Target,
    /// Whether the document goes on with what `action` answers.
    pub redirect: bool,
    /// Whether digits count.
    pub dtmf: bool,
    /// Whether speech counts, and how it is recognised.
    pub speech: Option<SpeechInput>,
    /// The longest in all.
    pub execution_timeout: Duration,
    /// How long to wait for each digit that follows; absent, the service decides.
    pub digit_end_timeout: Option<Duration>,
    /// How long to wait for the first digit or word.
    pub start_input_timeout: Option<Duration>,
    /// How often it is tried.
    pub tries: u32,
    /// The most digits.
    pub num_digits: u32,
    /// The key that ends it; it is none of the digits.
    pub finish_on_key: Option<char>,
    /// Whether the input may be logged.
    pub log: bool,
    /// Played until the input begins.
    pub prompts: Vec<Prompt>,
}

/// How speech is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpeechInput {
    /// Language tag.
    pub language: String,
    /// What kind of speech it is.
    pub model: SpeechModel,
    /// Phrases that are likely.
    pub hints: Vec<String>,
    /// Whether swear words are left out.
    pub profanity_filter: bool,
    /// How much silence ends it; absent, the service decides.
    pub end_timeout: Option<Duration>,
    /// Told what is recognised meanwhile.
    pub interim_results: Option<Target>,
}

/// What kind of speech it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpeechModel {
    /// Any.
    #[default]
    Default,
    /// A few words.
    CommandAndSearch,
    /// A conversation by telephone.
    PhoneCall,
}

pub(super) fn get_input(attributes: &Attributes<'_, '_>) -> Result<GetInput, XmlError> {
    let action = attributes.action()?.ok_or_else(|| attributes.refuse("action", "a URL, http or https"))?;
    let types = [
        ("dtmf", (true, false)),
        ("speech", (false, true)),
        ("dtmf speech", (true, true)),
        ("speech dtmf", (true, true)),
    ];
    let (dtmf, has_speech) = attributes.choice("inputType", &types)?.unwrap_or((true, false));
    let speech = speech_input(attributes)?;
    Ok(GetInput {
        action,
        redirect: attributes.flag("redirect", true)?,
        dtmf,
        speech: has_speech.then_some(speech),
        execution_timeout: attributes.seconds("executionTimeout", 5..=60)?.unwrap_or(Duration::from_secs(15)),
        digit_end_timeout: end_timeout(attributes, "digitEndTimeout")?,
        start_input_timeout: attributes.seconds("startInputTimeout", 1..=60)?,
        tries: attributes.number("retries", 1..=100)?.unwrap_or(1),
        num_digits: attributes.number("numDigits", 1..=32)?.unwrap_or(32),
        finish_on_key: attributes.finish_on_key()?,
        log: attributes.flag("log", true)?,
        prompts: prompts(attributes)?,
    })
}

fn speech_input(attributes: &Attributes<'_, '_>) -> Result<SpeechInput, XmlError> {
    let models = [
        ("default", SpeechModel::Default),
        ("command_and_search", SpeechModel::CommandAndSearch),
        ("phone_call", SpeechModel::PhoneCall),
    ];
    let method = ("interimSpeechResultsCallbackMethod", Method::Post);
    let accepted =
        format!("at most {MAX_HINTS} phrases of at most {MAX_HINT_CHARS} characters with commas between");
    Ok(SpeechInput {
        language: attributes.language()?.unwrap_or("en-US").to_owned(),
        model: attributes.choice("speechModel", &models)?.unwrap_or_default(),
        hints: attributes.read("hints", accepted, hints)?.unwrap_or_default(),
        profanity_filter: attributes.flag("profanityFilter", false)?,
        end_timeout: end_timeout(attributes, "speechEndTimeout")?,
        interim_results: attributes.target("interimSpeechResultsCallback", method)?,
    })
}

/// `auto`, or 2 to 10 seconds.
fn end_timeout(attributes: &Attributes<'_, '_>, name: &'static str) -> Result<Option<Duration>, XmlError> {
    match attributes.text(name) {
        Some(text) if text.eq_ignore_ascii_case("auto") => Ok(None),
        _ => attributes.seconds(name, 2..=10),
    }
}

fn hints(text: &str) -> Option<Vec<String>> {
    let hints: Vec<_> =
        text.split(',').map(str::trim).filter(|hint| !hint.is_empty()).map(str::to_owned).collect();
    let fits = text.chars().count() <= MAX_HINTS_CHARS
        && hints.len() <= MAX_HINTS
        && hints.iter().all(|hint| hint.chars().count() <= MAX_HINT_CHARS);
    fits.then_some(hints)
}
