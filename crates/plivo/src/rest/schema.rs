//! JSON Schemas of parameters: what clients should send, and are understood by; more is understood.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::fields::MAX_LINE_CHARS;
use crate::party::MAX_CALLER_NAME_CHARS;
use crate::{EventGroup, MAX_KEYS, MAX_URL_BYTES};

/// A line of text without control characters, and not blank.
pub fn line() -> Value {
    line_of(MAX_LINE_CHARS)
}

/// The name of who calls.
pub fn caller_name() -> Value {
    line_of(MAX_CALLER_NAME_CHARS)
}

fn line_of(max_chars: usize) -> Value {
    let pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\x00-\x20\x7F-\xA0][^\x00-\x1F\x7F-\x9F]*$";
    json!({ "type": "string", "maxLength": max_chars, "pattern": pattern })
}

/// What is to be said.
pub fn speech(max_chars: usize) -> Value {
    let mut schema = matching(r"[^\x00-\x20\x7F-\xA0]", "What is said, not blank.", "Hello");
    schema["maxLength"] = max_chars.into();
    schema
}

/// A password of so many characters.
pub fn password(chars: RangeInclusive<u32>) -> Value {
    let pattern = r"^[^\x00-\x20\x7F-\xA0]([^\x00-\x1F\x7F-\x9F]*[^\x00-\x20\x7F-\xA0])?$";
    let mut schema = json!({ "type": "string", "pattern": pattern });
    schema["minLength"] = (*chars.start()).into();
    schema["maxLength"] = (*chars.end()).into();
    schema["examples"] = json!(["change-me"]);
    schema
}

/// One of `words`.
pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    json!({ "type": "string", "enum": words.into_iter().collect::<Vec<_>>() })
}

/// A whole number, not negative.
pub fn whole() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": u16::MAX })
}

/// A filter's instant.
pub fn instant() -> Value {
    const DATE: &str = "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])";
    const TIME: &str = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?";
    matching(&format!("^{DATE} {TIME}$"), "`YYYY-MM-DD HH:MM[:SS[.ffffff]]` in UTC.", "2026-01-02 10:48:43")
}

/// A subaccount's id.
pub fn sub_account() -> Value {
    matching("^SA[A-Z0-9]{18}$", "The id of a subaccount.", "SAXXXXXXXXXXXXXXXXXX")
}

/// A URL of one of two schemes, the second with TLS.
pub fn url(scheme: &str) -> Value {
    let (pattern, example) = (format!("^{scheme}s?://"), format!("{scheme}s://app.example/x"));
    let mut schema = matching(&pattern, "An absolute URL.", &example);
    schema["format"] = "uri".into();
    schema["maxLength"] = MAX_URL_BYTES.into();
    schema
}

/// One URL or several.
pub fn urls() -> Value {
    let pattern = r"^https?://[^\s,]+(,https?://[^\s,]+)*$";
    matching(pattern, "One URL, or several with commas between.", "https://app.example/x.mp3")
}

/// One of `words`, or a URL.
pub fn words_or_url(words: &[&str]) -> Value {
    json!({ "type": "string", "anyOf": [{ "enum": words }, url("http")], "examples": words })
}

/// Who calls.
pub fn caller_id() -> Value {
    matching("^[A-Za-z0-9+_.@-]{1,64}$", "A number, or a name of an endpoint.", "14155550100")
}

/// Who is called.
pub fn destinations() -> Value {
    let one = r"(\+?[0-9]{1,15}|sips?:[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+(:[0-9]+)?)";
    let says = "Numbers and SIP URIs, with `<` between where several may be called.";
    matching(&format!("^{one}(<{one})*$"), says, "sip:bob@localhost")
}

/// Custom headers.
pub fn sip_headers() -> Value {
    let one = "[A-Za-z0-9_-]{1,64}=[^,=\\x00-\\x1F\\x7F-\\x9F]{0,512}";
    matching(&format!("^{one}(,{one}){{0,31}}$"), "`key=value`, with commas between.", "Team=sales")
}

/// Keys to be pressed.
pub fn keys() -> Value {
    let says = "`0-9*#`; `w` and `W` wait half a second and a second.";
    matching(&format!("^[0-9*#wW]{{1,{MAX_KEYS}}}$"), says, "1w2#")
}

/// Seconds for each destination.
pub fn seconds_each() -> Value {
    let says = "Seconds; one number for each destination with `<` between, the last for those that follow.";
    matching("^[1-9][0-9]{0,2}(<[1-9][0-9]{0,2})*$", says, "45")
}

/// Groups of events.
pub fn event_groups() -> Value {
    let one = EventGroup::NAMES.join("|");
    matching(&format!("^({one})(,({one}))*$"), "Groups of events, with commas between.", EventGroup::NAMES[0])
}

/// What matches `pattern`.
pub fn matching(pattern: &str, says: &str, example: &str) -> Value {
    json!({ "type": "string", "pattern": pattern, "description": says, "examples": [example] })
}
