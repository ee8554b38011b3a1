//! What a request says beside its path.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use mixminus_plivo::rest::Arguments;

use super::reply::ApiError;

/// Longest body taken; the longest an SDK sends is under 2 KiB.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Longest wait for a body.
const MAX_BODY_WAIT: Duration = Duration::from_secs(10);

/// The arguments of a request: in the query of a GET, otherwise in the body.
/// SDKs send bodies with DELETE, too, and empty ones in chunks.
///
/// # Errors
///
/// The body is too long, too slow, of another type or malformed.
pub async fn arguments(request: Request) -> Result<Arguments, ApiError> {
    if request.method() == Method::GET {
        return Ok(Arguments::from_form(request.uri().query().unwrap_or_default().as_bytes()));
    }
    let content_type = essence(request.headers());
    let body = tokio::time::timeout(MAX_BODY_WAIT, Bytes::from_request(request, &()))
        .await
        .map_err(|_| ApiError::too_slow())?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(MAX_BODY_BYTES),
            _ => ApiError::unreadable(),
        })?;
    let known = ["", "application/json", "application/x-www-form-urlencoded"];
    if !body.is_empty() && !known.contains(&content_type.as_str()) {
        return Err(ApiError::unsupported_media_type());
    }
    Ok(Arguments::from_body(Some(&content_type), &body)?)
}

/// The content type without its parameters, in lower case.
fn essence(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
