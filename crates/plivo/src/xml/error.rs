//! Why a document is refused.

use super::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS};

/// Why a document is refused; the text is for its author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Nothing came.
    #[error("the document is empty")]
    Empty,
    /// It is too long.
    #[error("the document has {bytes} bytes, at most {limit} are accepted")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest accepted.
        limit: usize,
    },
    /// It is in another encoding.
    #[error("the document is not UTF-8")]
    Encoding,
    /// It is no XML, or has a DTD.
    #[error("the document is not well-formed: {0}")]
    Malformed(#[from] roxmltree::Error),
    /// It is nested too deeply.
    #[error("line {line}: elements are nested deeper than {MAX_DEPTH}")]
    TooDeep {
        /// Where.
        line: u32,
    },
    /// It has too many elements.
    #[error("line {line}: more than {MAX_ELEMENTS} elements")]
    TooManyElements {
        /// Where.
        line: u32,
    },
    /// It has too many attributes.
    #[error("more than {MAX_ATTRIBUTES} equals signs, so possibly attributes")]
    TooManyAttributes,
    /// The root is something else.
    #[error("the root element is <{0}>, accepted: <Response>")]
    Root(String),
    /// An attribute has a value it may not have, or is missing.
    #[error("line {line}: <{element}> {attribute}=\"{value}\", accepted: {accepted}")]
    Attribute {
        /// Where the element begins.
        line: u32,
        /// The element.
        element: String,
        /// The attribute.
        attribute: &'static str,
        /// What it says; empty if it is missing.
        value: String,
        /// What it may say.
        accepted: String,
    },
    /// An element stands where it may not.
    #[error("line {line}: <{element}> may not stand in <{parent}>")]
    Nested {
        /// Where the element begins.
        line: u32,
        /// The element.
        element: String,
        /// What it stands in.
        parent: String,
    },
    /// The text of an element is not what it may be.
    #[error("line {line}: <{element}> contains \"{value}\", accepted: {accepted}")]
    Content {
        /// Where the element begins.
        line: u32,
        /// The element.
        element: String,
        /// What it contains.
        value: String,
        /// What it may contain.
        accepted: String,
    },
}

/// The most characters of the author's own text in an error.
const QUOTED_CHARS: usize = 80;

/// `text`, cut to a length that fits a log line.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
