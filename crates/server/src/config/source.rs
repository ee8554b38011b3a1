//! Where values come from, and what is said about wrong ones.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::Value;

use super::{SECTIONS, Section, Setting};

/// Variables that belong to this service begin with this.
const PREFIX: &str = "MIXMINUS__";

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In this file.
    File(PathBuf),
    /// In this variable of the environment.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(variable) => write!(f, "environment {variable}"),
        }
    }
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("--config {}: {source}; accepted: a readable TOML file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("--config {}: accepted: TOML; {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// There is no such key.
    #[error("unknown key {key} ({origin}); accepted: {accepted}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it was written.
        origin: Origin,
        /// Keys that exist in its place.
        accepted: String,
    },
    /// The value is not one that the key takes.
    #[error("{key} = {value} ({origin}); accepted: {accepted}")]
    Value {
        /// The key.
        key: String,
        /// The value, unless it is secret.
        value: String,
        /// Where it was written.
        origin: Origin,
        /// What the key takes.
        accepted: String,
    },
    /// Another key's value asks for this one.
    #[error("{key} is left out, which {by} needs; accepted: {accepted}")]
    Needed {
        /// The key.
        key: String,
        /// The other key.
        by: &'static str,
        /// What the key takes.
        accepted: String,
    },
}

impl ConfigError {
    pub(super) fn needed(key: &str, by: &'static str, accepted: String) -> Self {
        Self::Needed { key: key.to_owned(), by, accepted }
    }
}

/// What was written, by key, the later source in place of the earlier.
#[derive(Debug, Default)]
pub(super) struct Layers(BTreeMap<String, (String, Origin)>);

impl Layers {
    pub(super) fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
        let table: toml::Table = text
            .parse()
            .map_err(|source| ConfigError::Syntax { path: path.into(), source: Box::new(source) })?;
        let origin = Origin::File(path.into());
        self.add_table("", table, &origin)
    }

    /// Adds what `table` holds, and the tables in it, under `name`.
    fn add_table(&mut self, name: &str, table: toml::Table, origin: &Origin) -> Result<(), ConfigError> {
        for (key, value) in table {
            let key = if name.is_empty() { key } else { format!("{name}.{key}") };
            match value {
                Value::Table(table) => self.add_table(&key, table, origin)?,
                value => self.add(key, text_of(&value), origin.clone())?,
            }
        }
        Ok(())
    }

    pub(super) fn add_environment(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        for (variable, value) in variables {
            let variable = variable.to_string_lossy().into_owned();
            let Some(key) = variable.strip_prefix(PREFIX) else { continue };
            let key = key.to_ascii_lowercase().replace("__", ".");
            let origin = Origin::Environment(variable);
            match value.into_string() {
                Ok(text) => self.add(key, text, origin)?,
                Err(value) => {
                    let value = value.to_string_lossy().into_owned();
                    return Err(ConfigError::Value { key, value, origin, accepted: "UTF-8 text".into() });
                }
            }
        }
        Ok(())
    }

    /// The value of `key`, or the TOML literal `default`.
    pub(super) fn value<T: Setting>(&self, key: &str, default: &str) -> Result<T, ConfigError> {
        let Some((text, origin)) = self.0.get(key) else {
            return Ok(T::left_out()
                .unwrap_or_else(|| T::parse(&literal(default)).expect("a test parses every default")));
        };
        T::parse(text).ok_or_else(|| ConfigError::Value {
            key: key.into(),
            value: if T::SECRET { "(not shown)".into() } else { format!("{text:?}") },
            origin: origin.clone(),
            accepted: T::accepts(),
        })
    }

    /// What `read` makes of each table under `name`, by label.
    pub(super) fn tables<T>(
        &self,
        name: &str,
        read: impl Fn(&Self, &str) -> Result<T, ConfigError>,
    ) -> Result<BTreeMap<String, T>, ConfigError> {
        let labels = self.0.keys().filter_map(|key| {
            let (label, _) = key.strip_prefix(name)?.strip_prefix('.')?.split_once('.')?;
            Some(label)
        });
        let labels: BTreeSet<_> = labels.collect();
        labels
            .into_iter()
            .map(|label| Ok((label.to_owned(), read(self, &format!("{name}.{label}"))?)))
            .collect()
    }

    fn add(&mut self, key: String, text: String, origin: Origin) -> Result<(), ConfigError> {
        let (section, name) = key.split_once('.').unwrap_or(("", &key));
        let known = SECTIONS.iter().find(|known| known.name == section);
        let name = match (known.and_then(|known| known.label), name.split_once('.')) {
            (Some(_), Some((label, name))) if is_label(label) => name,
            (Some(_), _) => "",
            (None, _) => name,
        };
        if known.is_some_and(|known| known.keys.iter().any(|key| key.name == name)) {
            self.0.insert(key, (text, origin));
            return Ok(());
        }
        let accepted = match known {
            Some(known) if !section.is_empty() => known.keys.iter().map(|key| key.name.to_owned()).collect(),
            _ => all_keys(),
        };
        Err(ConfigError::UnknownKey { key, origin, accepted: accepted.join(", ") })
    }
}

/// The text of a TOML literal.
pub(super) fn literal(toml: &str) -> String {
    let table: toml::Table = format!("value = {toml}").parse().expect("defaults are TOML literals");
    text_of(&table["value"])
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Whether a table may be called so: what both TOML and the environment can write.
fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    (1..=32).contains(&text.len()) && text.bytes().all(plain)
}

fn all_keys() -> Vec<String> {
    let full = |section: &Section, key: &str| match (section.name, section.label) {
        ("", _) => key.to_owned(),
        (name, None) => format!("{name}.{key}"),
        (name, Some(label)) => format!("{name}.{label}.{key}"),
    };
    let sections = SECTIONS.iter();
    sections.flat_map(|section| section.keys.iter().map(|key| full(section, key.name))).collect()
}
