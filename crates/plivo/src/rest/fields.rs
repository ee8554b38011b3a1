//! Typed reading of a request's parameters.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::json;
use url::Url;

use super::{Arguments, RestError, schema};
use crate::join::{MAX_URL_BYTES, Sound, Target};
use crate::words::pick;
use crate::{Destination, Key, Method, SipHeaders, party, sip_headers};

/// The longest name, alias or other line of text.
pub const MAX_LINE_CHARS: usize = 255;

/// The most characters of the client's own text in an error.
const QUOTED_CHARS: usize = 80;

impl Arguments {
    pub(super) fn flag_or(&self, name: &'static str, default: bool) -> Result<bool, RestError> {
        Ok(self.flag(name)?.unwrap_or(default))
    }

    /// One line without control characters.
    pub(super) fn line(&self, name: &'static str) -> Result<Option<String>, RestError> {
        self.note(name, schema::line);
        self.read(name, line)
    }

    /// One of `choices` in any letter case.
    pub(super) fn choice<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, RestError> {
        self.note(name, || schema::words(choices.iter().map(|(word, _)| *word)));
        let Some(value) = self.text(name)? else { return Ok(None) };
        let accepted = || choices.iter().map(|(word, _)| format!("'{word}'")).collect::<Vec<_>>().join(", ");
        pick(&value, choices).map(Some).ok_or_else(|| RestError::Choice {
            name,
            accepted: accepted(),
            value: quoted(&value),
        })
    }

    pub(super) fn method(&self, name: &'static str, default: Method) -> Result<Method, RestError> {
        Ok(self.choice(name, Method::WORDS)?.unwrap_or(default))
    }

    pub(super) fn number(
        &self,
        name: &'static str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, RestError> {
        self.note(name, || json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() }));
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let (min, max, value) = (*range.start(), *range.end(), quoted(&text));
                Err(RestError::Range { name, min, max, value })
            }
        }
    }

    pub(super) fn seconds(
        &self,
        name: &'static str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<Duration>, RestError> {
        Ok(self.number(name, range)?.map(|seconds| Duration::from_secs(seconds.into())))
    }

    pub(super) fn milliseconds(
        &self,
        name: &'static str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<Duration>, RestError> {
        Ok(self.number(name, range)?.map(|ms| Duration::from_millis(ms.into())))
    }

    /// An absolute URL, http or https.
    pub(super) fn url(&self, name: &'static str) -> Result<Option<String>, RestError> {
        self.note(name, || schema::url("http"));
        self.read(name, |text| url_of(text, &["http", "https"]))
    }

    /// An absolute URL, ws or wss.
    pub(super) fn websocket_url(&self, name: &'static str) -> Result<Option<String>, RestError> {
        self.note(name, || schema::url("ws"));
        self.read(name, |text| url_of(text, &["ws", "wss"]))
    }

    /// One URL or several: a list, or a text with commas between.
    pub(super) fn urls(&self, name: &'static str) -> Result<Vec<String>, RestError> {
        self.note(name, schema::urls);
        let mut urls = Vec::new();
        for text in self.texts(name)? {
            for part in split_urls(&text) {
                urls.push(url_of(&part, &["http", "https"]).ok_or(RestError::Parameter(name))?);
            }
        }
        Ok(urls)
    }

    /// The URL called `name` with the method called `method_name`.
    pub(super) fn target(
        &self,
        name: &'static str,
        (method_name, default): (&'static str, Method),
    ) -> Result<Option<Target>, RestError> {
        let method = self.method(method_name, default)?;
        Ok(self.url(name)?.map(|url| Target { url, method }))
    }

    pub(super) fn sound(
        &self,
        name: &'static str,
        method_name: &'static str,
    ) -> Result<Option<Sound>, RestError> {
        let method = self.method(method_name, Method::Get)?;
        self.note(name, || schema::words_or_url(&["none", "beep:1", "beep:2"]));
        self.read(name, |text| match text.to_ascii_lowercase().as_str() {
            "none" => Some(Sound::None),
            "beep:1" => Some(Sound::Beep1),
            "beep:2" => Some(Sound::Beep2),
            _ => url_of(text, &["http", "https"]).map(|url| Sound::Url(Target { url, method })),
        })
    }

    pub(super) fn caller_id(&self) -> Result<Option<String>, RestError> {
        self.note("from", schema::caller_id);
        self.read("from", party::caller_id)
    }

    pub(super) fn caller_name(&self) -> Result<Option<String>, RestError> {
        self.note("caller_name", schema::caller_name);
        let Some(name) = self.text("caller_name")? else { return Ok(None) };
        party::caller_name(&name).map(Some).ok_or_else(|| RestError::SdkRange {
            name: "len(caller_name)",
            min: 1,
            max: party::MAX_CALLER_NAME_CHARS as u32,
            value: quoted(&name),
        })
    }

    /// One destination or several with `<` between.
    pub(super) fn destinations(&self, name: &'static str) -> Result<Vec<Destination>, RestError> {
        self.note(name, schema::destinations);
        let Some(text) = self.text(name)? else { return Ok(Vec::new()) };
        text.split('<')
            .map(|part| Destination::parse(part.trim()).ok_or(RestError::Parameter(name)))
            .collect()
    }

    pub(super) fn sip_headers(&self) -> Result<SipHeaders, RestError> {
        self.note("sip_headers", schema::sip_headers);
        Ok(self.read("sip_headers", sip_headers::parse)?.unwrap_or_default())
    }

    pub(super) fn keys(&self, name: &'static str) -> Result<Vec<Key>, RestError> {
        self.note(name, schema::keys);
        Ok(self.read(name, Key::sequence)?.unwrap_or_default())
    }
}

/// The value of `name`, which has to be there.
pub(super) fn required<T>(name: &'static str, value: Option<T>) -> Result<T, RestError> {
    value.ok_or(RestError::Missing(name))
}

/// `text`, cut to a length that fits an error.
pub(super) fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_CHARS).collect()
}

/// `text` if it is one line of bounded length.
pub(super) fn line(text: &str) -> Option<String> {
    let fits = text.chars().count() <= MAX_LINE_CHARS && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

fn url_of(text: &str, schemes: &[&str]) -> Option<String> {
    // The parser would remove tabs and line ends; here they are a mistake or an attack.
    let sound = text.len() <= MAX_URL_BYTES && !text.chars().any(char::is_control);
    let url = Url::parse(text).ok().filter(|_| sound)?;
    schemes.contains(&url.scheme()).then(|| url.into())
}

/// The URLs in `text`; a comma inside of one stays there.
fn split_urls(text: &str) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    for part in text.split(',') {
        match urls.last_mut() {
            Some(last) if !part.trim_start().to_ascii_lowercase().starts_with("http") => {
                last.push(',');
                last.push_str(part);
            }
            _ => urls.push(part.trim().to_owned()),
        }
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Arguments {
        Arguments::from_form(text.as_bytes())
    }

    #[test]
    fn a_url_is_absolute_short_and_on_one_line() {
        let read = |text: &str| url_of(text, &["http", "https"]);
        assert_eq!(read("HTTP://Host/a b").as_deref(), Some("http://host/a%20b"));
        let long = format!("http://h/{}", "x".repeat(MAX_URL_BYTES));
        for text in ["/a", "ftp://h/a", "http://", "javascript:x", "http://h/\r\na", "http://h\t/a", &long] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn urls_come_as_a_list_and_with_commas_between() {
        let list =
            Arguments::from_body(None, br#"{"urls": ["http://h/a,b", "https://h/c, http://h/d"]}"#).unwrap();
        assert_eq!(list.urls("urls").unwrap(), ["http://h/a,b", "https://h/c", "http://h/d"]);
        assert_eq!(form("").urls("urls"), Ok(Vec::new()));
        assert_eq!(form("urls=http://h/a,,file:///x").urls("urls").unwrap(), ["http://h/a,,file:///x"]);
        assert_eq!(form("urls=x,http://h/").urls("urls"), Err(RestError::Parameter("urls")));
    }

    #[test]
    fn refusals_tell_what_is_accepted() {
        for (error, text) in [
            (
                form("m=PUT").method("m", Method::Get).unwrap_err(),
                "m should be in ('GET', 'POST') (actual value: PUT)",
            ),
            (form("n=0").number("n", 1..=5).unwrap_err(), "1 <= n <= 5 (actual value: 0)"),
            (form("n=-1").number("n", 1..=5).unwrap_err(), "1 <= n <= 5 (actual value: -1)"),
            (required::<()>("n", None).unwrap_err(), "n is required (current value: None)"),
        ] {
            assert_eq!((error.status(), error.to_string().as_str()), (400, text));
        }
        let long = form(&format!("m={}", "x".repeat(1000))).method("m", Method::Get).unwrap_err();
        assert!(long.to_string().len() < 150);
    }
}
