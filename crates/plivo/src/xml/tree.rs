//! From untrusted bytes to a tree of bounded size.

use roxmltree::{Document, Node, ParsingOptions};

use super::{Limits, XmlError};

/// The deepest nesting accepted, the root being 1.
pub const MAX_DEPTH: usize = 16;
/// The most elements accepted.
pub const MAX_ELEMENTS: usize = 100;
/// The most attributes accepted in all. The parser compares each attribute of
/// an element with all before it, so 100 KB of them would cost seconds. They
/// are counted by their equals signs, of which speech and URLs have few.
pub const MAX_ATTRIBUTES: usize = 3000;

/// Elements, texts and comments; bounds memory while the tree is built.
const MAX_NODES: u32 = 2000;

/// The text of a document that is worth parsing.
pub(super) fn admit<'a>(document: &'a [u8], limits: &Limits) -> Result<&'a str, XmlError> {
    if document.len() > limits.document_bytes {
        return Err(XmlError::TooLarge { bytes: document.len(), limit: limits.document_bytes });
    }
    let text = str::from_utf8(document).map_err(|_| XmlError::Encoding)?;
    if text.trim().is_empty() {
        return Err(XmlError::Empty);
    }
    if text.bytes().filter(|byte| *byte == b'=').count() > MAX_ATTRIBUTES {
        return Err(XmlError::TooManyAttributes);
    }
    // Frameworks leave blank lines before the declaration, which XML forbids.
    Ok(text.trim_start())
}

/// The tree of `text`, within the limits on depth and elements.
pub(super) fn build(text: &str) -> Result<Document<'_>, XmlError> {
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let tree = Document::parse_with_options(text, options)?;
    for (index, node) in tree.descendants().filter(Node::is_element).enumerate() {
        if index == MAX_ELEMENTS {
            return Err(XmlError::TooManyElements { line: line(&node) });
        }
        // The root node above the root element takes the place of the element itself.
        if node.ancestors().count() - 1 > MAX_DEPTH {
            return Err(XmlError::TooDeep { line: line(&node) });
        }
    }
    Ok(tree)
}

/// The line on which `node` begins, from 1.
pub(super) fn line(node: &Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}
