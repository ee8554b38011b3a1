//! Parameters of a request, wherever they came in, read leniently.

use serde_json::{Number, Value, json};
use url::form_urlencoded;

use super::RestError;
use super::parameters::Notes;

/// Below it, a number that is kept as a float is exact.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Parameters by name; unknown ones are never asked for, and `null`, `""` and
/// absence are one thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    values: Vec<(String, Value)>,
    notes: Notes,
}

impl Arguments {
    /// Reads a query string, or a form body.
    pub fn from_form(form: &[u8]) -> Self {
        let values = form_urlencoded::parse(form)
            .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
            .collect();
        Self { values, notes: Notes::default() }
    }

    /// Reads a body: a JSON object, a form if `content_type` says so, or nothing.
    ///
    /// # Errors
    ///
    /// [`RestError::Body`] if it is something else.
    pub fn from_body(content_type: Option<&str>, body: &[u8]) -> Result<Self, RestError> {
        let body = body.trim_ascii();
        // Command-line clients send JSON under the form type, too.
        let is_form = content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if body.is_empty() {
            return Ok(Self::default());
        }
        if is_form && !body.starts_with(b"{") {
            return Ok(Self::from_form(body));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => {
                Ok(Self { values: object.into_iter().collect(), notes: Notes::default() })
            }
            _ => Err(RestError::Body),
        }
    }

    /// `values` whose reader is watched by `notes`.
    pub(super) fn watched(values: Vec<(String, Value)>, notes: Notes) -> Self {
        Self { values, notes }
    }

    /// Notes, for the [document of the API](super::parameters()), that `name` is asked for and what it may
    /// be. What is noted first stays: a reader says it before it asks for the mere text.
    pub fn note(&self, name: &'static str, schema: impl FnOnce() -> Value) {
        self.notes.add(name, schema);
    }

    /// The value of `name` as text; a list of one counts as its item.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, RestError> {
        self.note(name, || json!({ "type": "string" }));
        self.unnoted_text(name)
    }

    /// The same under a name that is understood but not documented.
    pub(super) fn unnoted_text(&self, name: &'static str) -> Result<Option<String>, RestError> {
        match self.value(name).map(sole) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Some(Value::Bool(flag)) => Ok(Some(flag.to_string())),
            Some(Value::Number(number)) => Ok(Some(number_text(number))),
            Some(_) => Err(RestError::Parameter(name)),
        }
    }

    /// The values of `name` as texts: those of a list, or the only one.
    pub(super) fn texts(&self, name: &'static str) -> Result<Vec<String>, RestError> {
        self.note(name, || json!({ "type": "string" }));
        match self.value(name) {
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or(RestError::Parameter(name)))
                .collect(),
            _ => Ok(self.text(name)?.into_iter().collect()),
        }
    }

    /// The value of `name` as whatever `read` makes of its text.
    ///
    /// # Errors
    ///
    /// [`RestError::Parameter`] if it is no scalar, or `read` makes nothing of it.
    pub fn read<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, RestError> {
        self.text(name)?.map(|text| read(&text).ok_or(RestError::Parameter(name))).transpose()
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The value of `name` as a boolean, in JSON or in words of any letter case.
    ///
    /// # Errors
    ///
    /// [`RestError::Parameter`] if it is something else.
    pub fn flag(&self, name: &'static str) -> Result<Option<bool>, RestError> {
        self.note(name, || json!({ "type": "boolean" }));
        self.read(name, |text| text.to_ascii_lowercase().parse().ok())
    }
}

/// A whole number as one, also where a client wrote `7.0`.
fn number_text(number: &Number) -> String {
    let whole = number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() < MAX_EXACT);
    whole.map_or_else(|| number.to_string(), |value| (value as i64).to_string())
}

fn sole(value: &Value) -> &Value {
    match value {
        Value::Array(items) if items.len() == 1 => &items[0],
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(body: &str) -> Arguments {
        Arguments::from_body(Some("application/json"), body.as_bytes()).unwrap()
    }

    #[test]
    fn scalars_come_as_themselves_as_text_and_as_a_list_of_one() {
        let arguments = json(r#"{"a": true, "b": "FALSE", "c": ["true"], "d": 7, "e": " 7 ", "f": 7.0}"#);
        let flags = ["a", "b", "c"].map(|name| arguments.flag(name).unwrap().unwrap());
        assert_eq!(flags, [true, false, true]);
        let numbers = ["d", "e", "f"].map(|name| arguments.read(name, |text| text.parse().ok()).unwrap());
        assert_eq!(numbers, [Some(7); 3]);
    }

    #[test]
    fn null_and_blank_are_absent() {
        let arguments = json(r#"{"a": null, "b": "", "c": [null]}"#);
        for name in ["a", "b", "c", "d"] {
            assert_eq!(arguments.flag(name), Ok(None));
        }
    }

    #[test]
    fn what_is_no_scalar_is_refused_by_name() {
        let arguments = json(r#"{"a": {}, "b": ["true", "false"], "c": "yes"}"#);
        for name in ["a", "b", "c"] {
            assert_eq!(arguments.flag(name), Err(RestError::Parameter(name)));
        }
    }

    #[test]
    fn a_body_is_an_object_a_form_or_nothing() {
        let form = Some("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(Arguments::from_body(None, b" \n"), Ok(Arguments::default()));
        assert_eq!(Arguments::from_body(form, b"{\"a\": 1}\n"), Ok(json(r#"{"a": 1}"#)));
        assert_eq!(Arguments::from_body(form, b"a=x+y").unwrap().text("a"), Ok(Some("x y".into())));
        for body in ["[]", "{", "a=1", "\u{0}"] {
            assert_eq!(Arguments::from_body(None, body.as_bytes()), Err(RestError::Body));
        }
    }
}
