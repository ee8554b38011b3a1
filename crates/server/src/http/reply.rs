//! Answers in the vendor's envelope: JSON with an `api_id`, errors too.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mixminus_archive::ArchiveError;
use mixminus_plivo::rest::{ErrorBody, Reply, RestError};
use serde::Serialize;
use uuid::Uuid;

/// An answer with `body` and the `api_id` that every answer carries.
pub fn json(status: StatusCode, body: impl Serialize) -> Response {
    json_as(api_id(), status, body)
}

/// The same under an `api_id` that is known.
pub fn json_as(api_id: String, status: StatusCode, body: impl Serialize) -> Response {
    whole(status, &Reply { api_id, body })
}

/// 204. It names a content type, without which the Ruby SDK takes it for a failure.
pub fn no_content() -> Response {
    with_body(StatusCode::NO_CONTENT, Body::empty())
}

/// The id of one answer.
pub fn api_id() -> String {
    Uuid::new_v4().to_string()
}

fn whole(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).expect("answers have string keys and finite numbers");
    with_body(status, text.into())
}

fn with_body(status: StatusCode, body: Body) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// Why a request is not answered with what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    text: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ApiError {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), header: None }
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.header = HeaderValue::from_str(value).ok().map(|value| (name, value));
        self
    }

    /// 400: the body cannot be read.
    pub fn unreadable() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "the body could not be read")
    }

    /// 401: the credentials are not those of any account.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "auth id and auth token are not those of an account")
            .with(WWW_AUTHENTICATE, "Basic realm=\"mixminus\"")
    }

    /// 403: the path is of another account, whether that exists or not.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "these credentials give no access to this account")
    }

    /// 404: the account has no such `what`.
    pub fn absent(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// 400: something stands in the way; `text` says what.
    pub fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// 409: the object is not in a state for this.
    pub fn conflict(text: &str) -> Self {
        Self::new(StatusCode::CONFLICT, text)
    }

    /// 416: there are no such bytes among the `len_bytes` that there are.
    pub fn no_such_range(len_bytes: u64) -> Self {
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "there are no such bytes")
            .with(CONTENT_RANGE, &format!("bytes */{len_bytes}"))
    }

    /// 403: the URL's signature says so, or is none of ours.
    pub fn unsigned(text: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, text)
    }

    /// 503: what keeps recordings cannot be reached.
    pub fn not_readable() -> Self {
        let text = "recordings cannot be read or deleted at the moment; nothing was changed";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text).with(RETRY_AFTER, "5")
    }

    /// 422: an `Idempotency-Key` names something else already.
    pub fn another_request() -> Self {
        let text = "this Idempotency-Key was given to another request";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, text)
    }

    /// 404: there is no such path.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing at this path")
    }

    /// 405: the path exists and does not take this method.
    pub fn method_not_allowed(allowed: &str) -> Self {
        let text = format!("this path does not take this method; it takes {allowed}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, text).with(ALLOW, allowed)
    }

    /// 408: the body did not come.
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")
    }

    /// 413: the body is too long.
    pub fn too_large(limit_bytes: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {limit_bytes} bytes"))
    }

    /// 415: the body is neither JSON nor a form.
    pub fn unsupported_media_type() -> Self {
        let text = "the body has to be application/json or application/x-www-form-urlencoded";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
    }

    /// 429: more requests than the account may send, or more wrong passwords than its address.
    pub fn too_many_requests(wait: Duration) -> Self {
        let retry_after_s = wait.as_secs_f64().ceil() as u64;
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests; wait as Retry-After says")
            .with(RETRY_AFTER, &retry_after_s.to_string())
    }

    /// 500: a fault of this service; nothing was changed.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    }

    /// 503: what is asked could not be stored; nothing was changed.
    pub fn storage() -> Self {
        let text = "changes cannot be stored at the moment; nothing was changed";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text).with(RETRY_AFTER, "5")
    }

    /// 503: as many look on as may.
    pub fn no_place() -> Self {
        let text = "too many are looking on";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text).with(RETRY_AFTER, "10")
    }

    /// 503: this service is stopping.
    pub fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the service is stopping").with(RETRY_AFTER, "5")
    }
}

impl From<RestError> for ApiError {
    fn from(error: RestError) -> Self {
        let status = StatusCode::from_u16(error.status()).expect("refusals have a status");
        Self::new(status, error.to_string())
    }
}

impl From<ArchiveError> for ApiError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::NotFound => Self::absent("file"),
            error => {
                tracing::error!(%error, "a recording was not read or deleted");
                Self::not_readable()
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = whole(self.status, &ErrorBody { api_id: api_id(), error: self.text });
        response.headers_mut().extend(self.header);
        response
    }
}
