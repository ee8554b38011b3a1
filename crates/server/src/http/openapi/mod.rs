//! `/openapi.json`, the API in OpenAPI 3.1, and `/docs`, a page to try it.
//!
//! Replies are described by the types that are sent, requests by the code that reads them; `table` has one
//! line for each operation.

mod operation;
mod page;
mod table;

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use mixminus_plivo::rest::ErrorBody;
use mixminus_plivo::xml::Limits;
use serde_json::{Map, Value, json};

use operation::{closed, part};

pub use page::page;

/// What the statuses that mean no success say, on any path.
const REFUSALS: [(u16, &str); 12] = [
    (
        400,
        "A parameter or the body is not as it has to be, or something stands in the way; the text says what.",
    ),
    (401, "There are no credentials, or wrong ones."),
    (403, "The credentials give no access to this account, or not to this of it."),
    (404, "The account has nothing of this name."),
    (408, "The body took too long to arrive."),
    (409, "It is not in a state for this."),
    (413, "The body is too long."),
    (415, "The body is neither JSON nor a form."),
    (416, "There are no such bytes; `Content-Range` says how many there are."),
    (429, "Too many requests or wrong passwords, or no room for more calls; wait as `Retry-After` says."),
    (500, "A fault of the service; nothing was changed."),
    (503, "The service cannot do it at the moment; nothing was changed. Wait as `Retry-After` says."),
];

const ABOUT: &str = "Multiparty calls, in the words of Plivo's API. Every path is taken with and without \
                     a slash at its end. Bodies are JSON or forms with the same names; unknown ones are \
                     ignored, and `null`, empty and absent are one thing.";

/// The document, for a service with these limits.
pub fn document(limits: &Limits) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for operation in table::operations(limits) {
        let path = paths.entry(operation.full_path()).or_insert_with(|| json!({}));
        path[operation.method.to_lowercase()] = operation.describe();
        schemas.extend(operation.schemas());
    }
    let mut parts = Vec::new();
    let error = closed(part::<ErrorBody>(&mut parts));
    schemas.extend(operation::values(parts));
    schemas.extend([operation::envelope()]);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "mixminus",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "basic": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "basic": { "type": "http", "scheme": "basic", "description": "The auth id and the auth token." }
            },
            "schemas": schemas,
            "responses": REFUSALS
                .map(|(status, says)| (status.to_string(), refusal(status, says, &error)))
                .into_iter()
                .collect::<Map<_, _>>(),
        },
    })
}

fn refusal(status: u16, says: &str, body: &Value) -> Value {
    let mut refusal = json!({ "description": says, "content": { "application/json": { "schema": body } } });
    let header = match status {
        401 => Some(("WWW-Authenticate", "string")),
        416 => Some(("Content-Range", "string")),
        429 | 503 => Some(("Retry-After", "integer")),
        _ => None,
    };
    if let Some((name, kind)) = header {
        refusal["headers"] = json!({ name: { "required": true, "schema": { "type": kind } } });
    }
    refusal
}

/// Answers with the document.
pub fn answer(document: Bytes) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], document).into_response()
}
