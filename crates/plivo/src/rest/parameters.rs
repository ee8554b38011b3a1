//! What a request may say, told by the very code that reads it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::{Arguments, RestError};

/// A parameter of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// JSON Schema of what clients should send; more is understood.
    pub schema: Value,
    /// Whether the request is refused without it.
    pub required: bool,
}

/// What `parse` asks for, in the order in which it asks: it is run on `given` and, as long as it misses
/// something, on examples of that, too. `given` has what it needs but does not call missing.
///
/// # Errors
///
/// That of `parse` if it refuses `given` or one of its own examples.
pub fn parameters<T>(
    given: &[(&str, &str)],
    parse: impl Fn(&Arguments) -> Result<T, RestError>,
) -> Result<Vec<Parameter>, RestError> {
    let notes = Notes(Some(Arc::default()));
    let mut values: Vec<_> = given.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect();
    let mut missed = Vec::new();
    loop {
        match parse(&Arguments::watched(values.clone(), notes.clone())) {
            Err(RestError::Missing(name)) if !missed.contains(&name) => {
                missed.push(name);
                values.push((name.to_owned(), notes.example(name)));
            }
            Err(error) => return Err(error),
            Ok(_) => return Ok(notes.parameters(&missed)),
        }
    }
}

/// What was asked for, if anybody wants to know.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(Option<Arc<Mutex<Noted>>>);

type Noted = Vec<(&'static str, Value)>;

impl Notes {
    pub fn add(&self, name: &'static str, schema: impl FnOnce() -> Value) {
        let Some(mut noted) = self.lock() else { return };
        if noted.iter().all(|(known, _)| *known != name) {
            noted.push((name, schema()));
        }
    }

    /// A value that the schema of `name` gives.
    fn example(&self, name: &str) -> Value {
        let noted = self.lock();
        let schema = noted.iter().flat_map(|noted| noted.iter()).find(|(known, _)| *known == name);
        let of = |key| schema.and_then(|(_, schema)| schema[key].get(0)).cloned();
        of("examples").or_else(|| of("enum")).unwrap_or_else(|| "x".into())
    }

    fn parameters(&self, missed: &[&str]) -> Vec<Parameter> {
        let noted = self.lock().map(|noted| noted.clone()).unwrap_or_default();
        let parameter = |(name, schema)| Parameter { name, schema, required: missed.contains(&name) };
        noted.into_iter().map(parameter).collect()
    }

    fn lock(&self) -> Option<MutexGuard<'_, Noted>> {
        self.0.as_ref().map(|noted| noted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PartialEq for Notes {
    /// Who watches makes no difference.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rest::{CallPlay, MakeCall, MpcFilter, NewEndpoint};

    #[test]
    fn a_reader_tells_what_it_reads_and_what_it_needs() {
        let read = parameters(&[], CallPlay::parse).unwrap();
        let told: Vec<_> = read.iter().map(|one| (one.name, one.required)).collect();
        assert_eq!(
            told,
            [("urls", true), ("length", false), ("legs", false), ("loop", false), ("mix", false)]
        );
        assert_eq!(read[1].schema, json!({"type": "integer", "minimum": 1, "maximum": 86_400}));
        assert_eq!(read[2].schema, json!({"type": "string", "enum": ["aleg", "bleg", "both"]}));
        assert_eq!(read[3].schema, json!({"type": "boolean"}));
    }

    #[test]
    fn several_parameters_may_be_required() {
        let required = |read: Vec<Parameter>| -> Vec<&str> {
            read.iter().filter(|one| one.required).map(|one| one.name).collect()
        };
        assert_eq!(required(parameters(&[], MakeCall::parse).unwrap()), ["from", "to", "answer_url"]);
        let endpoint = required(parameters(&[], NewEndpoint::parse).unwrap());
        assert_eq!(endpoint, ["username", "password", "alias"]);
    }

    #[test]
    fn a_filter_is_told_under_its_documented_name_only() {
        let names: Vec<_> = parameters(&[], MpcFilter::parse).unwrap().iter().map(|one| one.name).collect();
        assert!(names.contains(&"end_time__gt") && !names.contains(&"end_time_gt"), "{names:?}");
        assert_eq!(names[names.len() - 2..], ["limit", "offset"]);
    }

    #[test]
    fn what_a_reader_refuses_is_no_description() {
        assert_eq!(parameters(&[("legs", "x")], CallPlay::parse).map(drop).unwrap_err().status(), 400);
    }
}
