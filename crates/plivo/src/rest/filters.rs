//! What lists are filtered by.

use serde_json::Value;

use super::{Arguments, RestError, schema};
use crate::Timestamp;

/// Bounds of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds<T> {
    /// More, or later, than this.
    pub gt: Option<T>,
    /// Not less, or before this.
    pub gte: Option<T>,
    /// Less, or before this.
    pub lt: Option<T>,
    /// Not more, or later, than this.
    pub lte: Option<T>,
}

/// Bounds of an instant.
pub type TimeRange = Bounds<Timestamp>;

impl<T> Default for Bounds<T> {
    fn default() -> Self {
        Self { gt: None, gte: None, lt: None, lte: None }
    }
}

/// The names of a value's bounds, each followed by the one under which an SDK
/// sends it by mistake.
pub(super) struct BoundNames {
    pub equal: [&'static str; 1],
    pub gt: [&'static str; 2],
    pub gte: [&'static str; 2],
    pub lt: [&'static str; 2],
    pub lte: [&'static str; 2],
}

macro_rules! bounds {
    ($name:literal) => {
        $crate::rest::filters::BoundNames {
            equal: [$name],
            gt: [concat!($name, "__gt"), concat!($name, "_gt")],
            gte: [concat!($name, "__gte"), concat!($name, "_gte")],
            lt: [concat!($name, "__lt"), concat!($name, "_lt")],
            lte: [concat!($name, "__lte"), concat!($name, "_lte")],
        }
    };
}
pub(super) use bounds;

/// Filters as they were given, for the links to the neighbouring pages.
pub type Given = Vec<(&'static str, String)>;

/// Reads filters and keeps those that were given.
pub(super) struct Filters<'a> {
    query: &'a Arguments,
    given: Given,
}

impl<'a> Filters<'a> {
    pub fn new(query: &'a Arguments) -> Self {
        Self { query, given: Vec::new() }
    }

    pub fn given(self) -> Given {
        self.given
    }

    /// A line of text; `names` are the filter's name and others that are understood.
    pub fn read<T>(
        &mut self,
        names: &[&'static str],
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, RestError> {
        self.read_as(schema::line, names, read)
    }

    /// What `schema` says.
    pub fn read_as<T>(
        &mut self,
        schema: impl FnOnce() -> Value,
        names: &[&'static str],
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, RestError> {
        self.query.note(names[0], schema);
        for &name in names {
            if let Some(text) = self.query.unnoted_text(name)? {
                let value = read(&text).ok_or(RestError::Parameter(name))?;
                self.given.push((names[0], text));
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    pub fn bounds<T>(
        &mut self,
        schema: fn() -> Value,
        names: &BoundNames,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Bounds<T>, RestError> {
        Ok(Bounds {
            gt: self.read_as(schema, &names.gt, &read)?,
            gte: self.read_as(schema, &names.gte, &read)?,
            lt: self.read_as(schema, &names.lt, &read)?,
            lte: self.read_as(schema, &names.lte, &read)?,
        })
    }

    /// Bounds, or one value for the lowest and the highest.
    pub fn bounds_or_equal<T: Copy>(
        &mut self,
        schema: fn() -> Value,
        names: &BoundNames,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Bounds<T>, RestError> {
        let equal = self.read_as(schema, &names.equal, &read)?;
        let bounds = self.bounds(schema, names, read)?;
        Ok(Bounds { gte: equal.or(bounds.gte), lte: equal.or(bounds.lte), ..bounds })
    }
}

/// `SA` and 18 capital letters or digits.
pub(super) fn sub_account(text: &str) -> Option<String> {
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (text.len() == 20 && text.starts_with("SA") && text.bytes().all(capital)).then(|| text.to_owned())
}
