//! Typed reading of an element's attributes and text.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use roxmltree::Node;
use url::Url;

use super::error::shorten;
use super::{ELEMENTS, Target, XmlError, tree};
use crate::words::pick;
use crate::{Key, MAX_KEYS, Method, SipHeaders, sip_headers};

const HTTP: &[&str] = &["http", "https"];

/// The longest value that is one line of text.
const MAX_LINE_CHARS: usize = 255;

/// An element whose attributes are read one by one; a blank value is no value.
pub(super) struct Attributes<'a, 'input> {
    node: Node<'a, 'input>,
    base: &'a Url,
    case: Case,
}

/// How names of attributes match.
#[derive(Clone, Copy)]
enum Case {
    Exact,
    Any,
}

impl<'a, 'input> Attributes<'a, 'input> {
    pub fn new(node: Node<'a, 'input>, base: &'a Url) -> Self {
        Self { node, base, case: Case::Exact }
    }

    /// Names match in any letter case, for the element in which the vendor's
    /// own SDKs differ.
    pub fn in_any_case(&self) -> Self {
        Self { case: Case::Any, ..*self }
    }

    pub fn node(&self) -> Node<'a, 'input> {
        self.node
    }

    /// The elements directly inside.
    pub fn children(&self) -> impl Iterator<Item = Attributes<'a, 'input>> {
        let (base, case) = (self.base, self.case);
        self.node.children().filter(Node::is_element).map(move |node| Attributes { node, base, case })
    }

    /// The element's name.
    pub fn name(&self) -> &'a str {
        self.node.tag_name().name()
    }

    pub fn line(&self) -> u32 {
        tree::line(&self.node)
    }

    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// The value of `name`, which may be blank.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        let is_named = |attribute: &roxmltree::Attribute<'_, '_>| match self.case {
            Case::Exact => attribute.name() == name,
            Case::Any => attribute.name().eq_ignore_ascii_case(name),
        };
        self.node.attributes().find(is_named).map(|attribute| attribute.value().trim())
    }

    /// The value of `name`, one line without control characters.
    pub fn one_line(&self, name: &'static str) -> Result<Option<String>, XmlError> {
        let accepted = format!("one line of at most {MAX_LINE_CHARS} characters");
        self.read(name, accepted, |text| {
            let fits = text.chars().count() <= MAX_LINE_CHARS && !text.chars().any(char::is_control);
            fits.then(|| text.to_owned())
        })
    }

    /// `language`, a tag.
    pub fn language(&self) -> Result<Option<&'a str>, XmlError> {
        let language = self.text("language");
        match language {
            Some(text) if !is_tag(text) => Err(self.refuse("language", "a language tag such as en-US")),
            _ => Ok(language),
        }
    }

    /// The value of `name` as whatever `read` makes of it.
    pub fn read<T>(
        &self,
        name: &'static str,
        accepted: impl Display,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, XmlError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.refuse(name, accepted))
    }

    pub fn seconds(
        &self,
        name: &'static str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<Duration>, XmlError> {
        Ok(self.number(name, range)?.map(|seconds| Duration::from_secs(seconds.into())))
    }

    pub fn keys(&self, name: &'static str) -> Result<Vec<Key>, XmlError> {
        let accepted = format!("at most {MAX_KEYS} of 0-9 * # w W");
        Ok(self.read(name, accepted, Key::sequence)?.unwrap_or_default())
    }

    pub fn sip_headers(&self) -> Result<SipHeaders, XmlError> {
        Ok(self.read("sipHeaders", "name=value with commas between", sip_headers::parse)?.unwrap_or_default())
    }

    /// The key that ends an input: absent, `#`; blank or `none`, no key does.
    pub fn finish_on_key(&self) -> Result<Option<char>, XmlError> {
        match self.raw("finishOnKey") {
            None => Ok(Some('#')),
            Some("" | "none") => Ok(None),
            Some(text) => {
                let mut letters = text.chars();
                match (letters.next(), letters.next()) {
                    (Some(key @ ('0'..='9' | '*' | '#')), None) => Ok(Some(key)),
                    _ => Err(self.refuse("finishOnKey", "one of 0-9 * #, or none")),
                }
            }
        }
    }

    /// Where an element goes on: `action` and `method`.
    pub fn action(&self) -> Result<Option<Target>, XmlError> {
        self.target("action", ("method", Method::Post))
    }

    pub fn flag(&self, name: &'static str, default: bool) -> Result<bool, XmlError> {
        self.choice(name, &[("true", true), ("false", false)]).map(|value| value.unwrap_or(default))
    }

    pub fn method(&self, name: &'static str, default: Method) -> Result<Method, XmlError> {
        self.choice(name, Method::WORDS).map(|value| value.unwrap_or(default))
    }

    pub fn choice<T: Copy>(&self, name: &'static str, choices: &[(&str, T)]) -> Result<Option<T>, XmlError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        let words = || choices.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        pick(value, choices).map(Some).ok_or_else(|| self.refuse(name, words()))
    }

    pub fn number(&self, name: &'static str, range: RangeInclusive<u32>) -> Result<Option<u32>, XmlError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        match value.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(self.refuse(name, format!("a whole number from {} to {}", range.start(), range.end()))),
        }
    }

    pub fn url(&self, name: &'static str) -> Result<Option<String>, XmlError> {
        self.url_of(name, HTTP)
    }

    /// The value of `name` as an absolute URL of one of `schemes`.
    pub fn url_of(&self, name: &'static str, schemes: &[&str]) -> Result<Option<String>, XmlError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        self.resolve(value, schemes)
            .map(Some)
            .ok_or_else(|| self.refuse(name, format!("a URL, {}", schemes.join(" or "))))
    }

    /// The URL called `name` with the method called `method_name`.
    pub fn target(
        &self,
        name: &'static str,
        (method_name, default): (&'static str, Method),
    ) -> Result<Option<Target>, XmlError> {
        let method = self.method(method_name, default)?;
        Ok(self.url(name)?.map(|url| Target { url, method }))
    }

    /// The text directly inside the element, without what its children contain.
    pub fn own_content(&self) -> String {
        let texts = self.node.children().filter(Node::is_text);
        texts.filter_map(|node| node.text()).collect::<String>().trim().to_owned()
    }

    /// All text inside the element.
    pub fn content(&self) -> String {
        let texts = self.node.descendants().filter(Node::is_text);
        texts.filter_map(|node| node.text()).collect::<String>().trim().to_owned()
    }

    /// The text inside the element as an absolute URL.
    pub fn content_url(&self) -> Result<String, XmlError> {
        let content = self.own_content();
        Some(content.as_str())
            .filter(|content| !content.is_empty())
            .and_then(|content| self.resolve(content, HTTP))
            .ok_or_else(|| self.refuse_content(&content, "a URL, http or https"))
    }

    pub fn resolve_http(&self, text: &str) -> Option<String> {
        self.resolve(text, HTTP)
    }

    pub fn refuse(&self, attribute: &'static str, accepted: impl Display) -> XmlError {
        XmlError::Attribute {
            line: self.line(),
            element: self.node.tag_name().name().to_owned(),
            attribute,
            value: shorten(self.text(attribute).unwrap_or_default()),
            accepted: accepted.to_string(),
        }
    }

    pub fn refuse_content(&self, content: &str, accepted: impl Display) -> XmlError {
        XmlError::Content {
            line: self.line(),
            element: self.node.tag_name().name().to_owned(),
            value: shorten(content),
            accepted: accepted.to_string(),
        }
    }

    /// Refuses an element that is known and may not stand in `parent`; others are ignored.
    pub fn refuse_nested(&self, parent: &str) -> Result<(), XmlError> {
        if !ELEMENTS.contains(&self.name()) {
            return Ok(());
        }
        Err(XmlError::Nested {
            line: self.line(),
            element: self.name().to_owned(),
            parent: parent.to_owned(),
        })
    }

    pub fn resolve(&self, text: &str, schemes: &[&str]) -> Option<String> {
        let url = self.base.join(text).ok()?;
        schemes.contains(&url.scheme()).then(|| url.into())
    }
}

/// Whether `text` has the form of a language tag.
pub(super) fn is_tag(text: &str) -> bool {
    text.len() <= 35
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
