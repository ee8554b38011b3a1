//! `<Dial>` with `<Number>` and `<User>`.

use std::fmt;
use std::time::Duration;

use super::attributes::Attributes;
use super::{Target, XmlError};
use crate::{Destination, Key, MAX_CALLER_NAME_CHARS, Method, SipHeaders, party};

/// The most parties that ring together.
pub const MAX_DIALLED: usize = 20;
/// The most digit patterns of one side.
pub const MAX_DIGIT_PATTERNS: usize = 50;

/// `<Dial>`: call others and connect the first to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dial {
    /// Told the outcome.
    pub action: Option<Target>,
    /// Whether the document goes on with what `action` answers.
    pub redirect: bool,
    /// How long it may ring.
    pub timeout: Option<Duration>,
    /// The longest the connection may last.
    pub time_limit: Duration,
    /// The caller id; absent, that of the call.
    pub caller_id: Option<String>,
    /// The caller's name.
    pub caller_name: Option<String>,
    /// Whether `*` ends the connection.
    pub hangup_on_star: bool,
    /// How the called parties are reached.
    pub call_type: CallType,
    /// Told what happens to the called parties.
    pub callback: Option<Target>,
    /// What a called party has to do before it is connected.
    pub confirm: Option<DialConfirm>,
    /// What is heard while it rings.
    pub dial_music: DialTone,
    /// Digits of the caller that are reported.
    pub digits_match: Vec<String>,
    /// Digits of the called party that are reported.
    pub digits_match_b_leg: Vec<String>,
    /// Custom headers of every call.
    pub sip_headers: SipHeaders,
    /// Whom to call, at least one; all ring together.
    pub parties: Vec<Dialled>,
}

/// How called parties are reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallType {
    /// By telephone.
    #[default]
    Voice,
    /// By WhatsApp.
    Whatsapp,
}

/// What a called party has to do before it is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialConfirm {
    /// Document played before.
    pub sound: String,
    /// The key; absent, any will do.
    pub key: Option<char>,
    /// How long to wait for it.
    pub timeout: Option<Duration>,
}

/// What is heard while it rings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DialTone {
    /// The service's own ringing.
    #[default]
    Ringing,
    /// `real`: what the called side sends.
    Real,
    /// A document of music.
    Url(String),
}

/// `<Number>` or `<User>`: one of those who are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialled {
    /// Who.
    pub to: Destination,
    /// Sent after the answer.
    pub send_digits: Vec<Key>,
    /// Whether they are sent with early media already.
    pub send_on_preanswer: bool,
    /// Custom headers of the call, with those of all.
    pub sip_headers: SipHeaders,
    /// What the called server is told if it asks.
    pub credentials: Option<SipCredentials>,
}

/// User name and password for another's SIP server.
#[derive(Clone, PartialEq, Eq)]
pub struct SipCredentials {
    /// The user name.
    pub username: String,
    /// The password; it is not printed.
    pub password: String,
}

impl fmt::Debug for SipCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SipCredentials({}, …)", self.username)
    }
}

pub(super) fn dial(attributes: &Attributes<'_, '_>) -> Result<Dial, XmlError> {
    let mut parties = Vec::new();
    for child in attributes.children() {
        match child.name() {
            "Number" => parties.push(number(&child)?),
            "User" => parties.push(user(&child)?),
            _ => child.refuse_nested("Dial")?,
        }
    }
    if parties.is_empty() || parties.len() > MAX_DIALLED {
        let accepted = format!("1 to {MAX_DIALLED} of <Number> and <User>");
        return Err(attributes.refuse_content(&attributes.own_content(), accepted));
    }
    let types = [("voice", CallType::Voice), ("whatsapp", CallType::Whatsapp)];
    let short = format!("at most {MAX_CALLER_NAME_CHARS} characters on one line");
    Ok(Dial {
        action: attributes.action()?,
        redirect: attributes.flag("redirect", true)?,
        timeout: attributes.seconds("timeout", 1..=3600)?,
        time_limit: attributes.seconds("timeLimit", 1..=86_400)?.unwrap_or(Duration::from_hours(4)),
        caller_id: attributes.read("callerId", "a number, a SIP URI or a word", party::caller_id)?,
        caller_name: attributes.read("callerName", short, party::caller_name)?,
        hangup_on_star: attributes.flag("hangupOnStar", false)?,
        call_type: attributes.choice("callType", &types)?.unwrap_or_default(),
        callback: attributes.target("callbackUrl", ("callbackMethod", Method::Post))?,
        confirm: confirm(attributes)?,
        dial_music: dial_music(attributes)?,
        digits_match: digit_patterns(attributes, "digitsMatch")?,
        digits_match_b_leg: digit_patterns(attributes, "digitsMatchBLeg")?,
        sip_headers: attributes.sip_headers()?,
        parties,
    })
}

fn number(attributes: &Attributes<'_, '_>) -> Result<Dialled, XmlError> {
    let text = attributes.own_content();
    // People write numbers with blanks and hyphens.
    let plain: String = text.chars().filter(|letter| !" -().".contains(*letter)).collect();
    match Destination::parse(&plain) {
        Some(to @ Destination::Number(_)) => dialled(attributes, to, None),
        _ => Err(attributes.refuse_content(&text, "a number of at most 15 digits")),
    }
}

fn user(attributes: &Attributes<'_, '_>) -> Result<Dialled, XmlError> {
    let text = attributes.own_content();
    let Some(to @ Destination::Sip(_)) = Destination::parse(&text) else {
        return Err(attributes.refuse_content(&text, "a SIP URI"));
    };
    let username = attributes.one_line("sipAuthUsername")?;
    let password = attributes.one_line("sipAuthPassword")?;
    let credentials = match (username, password) {
        (None, None) => None,
        (Some(username), Some(password)) if (8..=128).contains(&password.chars().count()) => {
            Some(SipCredentials { username, password })
        }
        _ => {
            return Err(XmlError::Attribute {
                line: attributes.line(),
                element: "User".to_owned(),
                attribute: "sipAuthPassword",
                value: "…".to_owned(),
                accepted: "8 to 128 characters, together with sipAuthUsername".to_owned(),
            });
        }
    };
    dialled(attributes, to, credentials)
}

fn dialled(
    attributes: &Attributes<'_, '_>,
    to: Destination,
    credentials: Option<SipCredentials>,
) -> Result<Dialled, XmlError> {
    attributes.choice("sendDigitsMode", &[("rfc2833", ())])?;
    Ok(Dialled {
        to,
        send_digits: attributes.keys("sendDigits")?,
        send_on_preanswer: attributes.flag("sendOnPreanswer", false)?,
        sip_headers: attributes.sip_headers()?,
        credentials,
    })
}

fn confirm(attributes: &Attributes<'_, '_>) -> Result<Option<DialConfirm>, XmlError> {
    let is_key = |text: &str| text.len() == 1 && "0123456789*#".contains(text);
    let key = attributes
        .read("confirmKey", "one of 0-9 * #", |text| text.chars().next().filter(|_| is_key(text)))?;
    let timeout = attributes.seconds("confirmTimeout", 1..=3600)?;
    Ok(attributes.url("confirmSound")?.map(|sound| DialConfirm { sound, key, timeout }))
}

fn dial_music(attributes: &Attributes<'_, '_>) -> Result<DialTone, XmlError> {
    match attributes.text("dialMusic") {
        None => Ok(DialTone::Ringing),
        Some(text) if text.eq_ignore_ascii_case("real") => Ok(DialTone::Real),
        Some(_) => Ok(attributes.url("dialMusic")?.map_or(DialTone::Ringing, DialTone::Url)),
    }
}

pub(super) fn digit_patterns(
    attributes: &Attributes<'_, '_>,
    name: &'static str,
) -> Result<Vec<String>, XmlError> {
    let accepted = format!("at most {MAX_DIGIT_PATTERNS} patterns of 0-9 * # with commas between");
    let patterns = attributes.read(name, accepted, |text| {
        let patterns: Vec<_> = text.split(',').map(|pattern| pattern.trim().to_owned()).collect();
        let is_pattern = |pattern: &String| {
            (1..=24).contains(&pattern.len()) && pattern.chars().all(|key| "0123456789*#".contains(key))
        };
        (patterns.len() <= MAX_DIGIT_PATTERNS && patterns.iter().all(is_pattern)).then_some(patterns)
    })?;
    Ok(patterns.unwrap_or_default())
}
