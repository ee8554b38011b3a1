//! Where values come from, and what is said about wrong ones.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::Value;

use super::{SECTIONS, Setting};

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
        key: &'static str,
        /// The other key.
        by: &'static str,
        /// What the key takes.
        accepted: String,
    },
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
        for (name, value) in table {
            match value {
                Value::Table(section) => {
                    for (key, value) in section {
                        self.add(format!("{name}.{key}"), text_of(&value), origin.clone())?;
                    }
                }
                value => self.add(name, text_of(&value), origin.clone())?,
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

    fn add(&mut self, key: String, text: String, origin: Origin) -> Result<(), ConfigError> {
        let (section, name) = key.split_once('.').unwrap_or(("", &key));
        let known = SECTIONS.iter().find(|known| known.name == section);
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

fn all_keys() -> Vec<String> {
    let full = |section: &str, key: &str| match section {
        "" => key.to_owned(),
        _ => format!("{section}.{key}"),
    };
    let sections = SECTIONS.iter();
    sections.flat_map(|section| section.keys.iter().map(|key| full(section.name, key.name))).collect()
}
