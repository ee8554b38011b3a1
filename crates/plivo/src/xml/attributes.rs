//! Typed reading of an element's attributes and text.

use std::fmt::Display;
use std::ops::RangeInclusive;

use roxmltree::Node;
use url::Url;

use super::error::shorten;
use super::{Target, XmlError, tree};
use crate::Method;
use crate::words::pick;

const HTTP: &[&str] = &["http", "https"];

/// An element whose attributes are read one by one. Names match in any letter
/// case, since the vendor's own SDKs differ in it; a blank value is no value.
pub(super) struct Attributes<'a, 'input> {
    node: Node<'a, 'input>,
    base: &'a Url,
}

impl<'a, 'input> Attributes<'a, 'input> {
    pub fn new(node: Node<'a, 'input>, base: &'a Url) -> Self {
        Self { node, base }
    }

    pub fn line(&self) -> u32 {
        tree::line(&self.node)
    }

    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.node
            .attributes()
            .find(|attribute| attribute.name().eq_ignore_ascii_case(name))
            .map(|attribute| attribute.value().trim())
            .filter(|value| !value.is_empty())
    }

    pub fn flag(&self, name: &'static str, default: bool) -> Result<bool, XmlError> {
        self.choice(name, &[("true", true), ("false", false)]).map(|value| value.unwrap_or(default))
    }

    pub fn method(&self, name: &'static str, default: Method) -> Result<Method, XmlError> {
        self.choice(name, &[("GET", Method::Get), ("POST", Method::Post)])
            .map(|value| value.unwrap_or(default))
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

    fn resolve(&self, text: &str, schemes: &[&str]) -> Option<String> {
        let url = self.base.join(text).ok()?;
        schemes.contains(&url.scheme()).then(|| url.into())
    }
}
