//! The text of `config/mixminus.toml`.

use std::fmt::Write;

use super::{Key, SECTIONS};

const HEAD: &str = "\
# Configuration of mixminus: every key, commented out with its default.
# This file is what `mixminus config` prints.
#
# Use it with `mixminus serve --config FILE`. Every key can also be set in the
# environment, which wins, as MIXMINUS__SECTION__KEY with lists comma separated:
# MIXMINUS__HTTP__LISTEN=127.0.0.1:8080
";

/// A configuration file with every key, commented out with its default.
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        if !section.name.is_empty() {
            text.push('\n');
            push_comment(&mut text, section.doc);
            // A table with a label is one more of its kind, if only for its heading.
            let heading = match section.label {
                None => format!("[{}]", section.name),
                Some(label) => format!("#[{}.{label}]", section.name),
            };
            writeln!(text, "{heading}").expect("a String takes everything");
        }
        for key in section.keys {
            push_key(&mut text, key);
        }
    }
    text
}

fn push_key(text: &mut String, key: &Key) {
    text.push('\n');
    push_comment(text, key.doc);
    let accepts = (key.accepts)();
    writeln!(text, "# Accepted: {accepts}.").expect("a String takes everything");
    if key.optional {
        text.push_str("# Not set by default; for example:\n");
    }
    writeln!(text, "#{} = {}", key.name, key.default).expect("a String takes everything");
}

fn push_comment(text: &mut String, lines: &[&str]) {
    for line in lines {
        writeln!(text, "#{line}").expect("a String takes everything");
    }
}
