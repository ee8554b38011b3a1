//! Who is called, and whose number and name are shown.

use std::fmt;

/// The most digits of a number (E.164).
pub const MAX_NUMBER_DIGITS: usize = 15;
/// The longest SIP URI.
pub const MAX_SIP_URI_BYTES: usize = 255;
/// The longest name shown to the called party.
pub const MAX_CALLER_NAME_CHARS: usize = 50;

/// Who is called.
#[derive(Clone, PartialEq, Eq)]
pub enum Destination {
    /// Digits, after a plus or not.
    Number(String),
    /// `sip:` or `sips:` and the rest of the URI.
    Sip(String),
}

impl Destination {
    /// Reads a number or a SIP URI; none if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if (1..=MAX_NUMBER_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self::Number(text.to_owned()));
        }
        is_sip_uri(text).then(|| Self::Sip(text.to_owned()))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Number(text) | Self::Sip(text) => text,
        }
    }
}

/// Truncated: it identifies a person.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.as_str().chars().take(6).collect();
        write!(f, "{shown}…")
    }
}

/// Whether `text` may stand on a request line: nothing that ends a token or a
/// line, plain or percent-encoded, and no `?`, after which a URI brings headers.
fn is_sip_uri(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("sip:").or_else(|| lower.strip_prefix("sips:")) else {
        return false;
    };
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    text.len() <= MAX_SIP_URI_BYTES
        && !host.is_empty()
        && !rest.starts_with('@')
        && !rest
            .chars()
            .any(|letter| letter.is_control() || letter.is_whitespace() || "<>\"?,".contains(letter))
        && !["%0d", "%0a", "%00"].iter().any(|escape| rest.contains(escape))
}

/// The caller id in `text`: a number, a SIP URI, or a word such as an endpoint's name.
pub(crate) fn caller_id(text: &str) -> Option<String> {
    let is_word =
        text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_.@".contains(&byte));
    (is_word || Destination::parse(text).is_some()).then(|| text.to_owned())
}

/// The name in `text`, at most [`MAX_CALLER_NAME_CHARS`] without control characters.
pub(crate) fn caller_name(text: &str) -> Option<String> {
    let fits = text.chars().count() <= MAX_CALLER_NAME_CHARS && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sip_uris_may_be_called() {
        for text in ["1", "+14157654321", "918888888888"] {
            assert_eq!(Destination::parse(text), Some(Destination::Number(text.into())));
        }
        for text in ["sip:bob@phone.example", "SIPS:bob@h:5061;transport=tls", "sip:127.0.0.1"] {
            assert_eq!(Destination::parse(text), Some(Destination::Sip(text.into())));
        }
    }

    #[test]
    fn nothing_else_may_be_called() {
        let long = format!("sip:{}@h", "b".repeat(MAX_SIP_URI_BYTES));
        for text in [
            "",
            "+",
            "1234567890123456",
            "12 34",
            "tel:12",
            "bob",
            "sip:",
            "sip:@h",
            "sip:bob@",
            "sip:b b@h",
            "sip:b@h\r\nVia: x",
            "sip:b@h?Replaces=x",
            "sip:b%0D%0Ax@h",
            "<sip:b@h>",
            "sip:a@h,sip:b@h",
            &long,
        ] {
            assert_eq!(Destination::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_caller_has_an_id_of_its_own_kind_and_a_short_name() {
        for id in ["+14151234567", "sip:ann@h", "ann_1234", "Acme"] {
            assert_eq!(caller_id(id).as_deref(), Some(id));
        }
        for id in ["a b", "a\r\nb", "<a>", "\"a\""] {
            assert_eq!(caller_id(id), None, "{id:?}");
        }
        assert_eq!(caller_name("Ann \"A\" é").as_deref(), Some("Ann \"A\" é"));
        for name in ["a\nb", "\u{0}", &"é".repeat(51)] {
            assert_eq!(caller_name(name), None, "{name:?}");
        }
        assert!(caller_name(&"é".repeat(50)).is_some());
    }

    #[test]
    fn whoever_is_called_is_not_logged_whole() {
        assert_eq!(format!("{:?}", Destination::Number("+14157654321".into())), "+14157…");
    }
}
