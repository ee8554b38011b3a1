//! Who is asking.

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::account::Credentials;
use crate::http::reply::ApiError;

/// Whether the request is by `account`.
///
/// # Errors
///
/// 401 without the account's credentials.
pub fn authenticate(headers: &HeaderMap, account: &Credentials) -> Result<(), ApiError> {
    let given = headers.get(AUTHORIZATION).and_then(|value| basic(value.as_bytes()));
    match given {
        Some((id, token)) if account.admit(&id, &token) => Ok(()),
        _ => Err(ApiError::unauthorized()),
    }
}

fn basic(header: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, encoded) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut id = STANDARD.decode(encoded.trim_ascii()).ok()?;
    let colon = id.iter().position(|byte| *byte == b':')?;
    let token = id.split_off(colon + 1);
    id.truncate(colon);
    Some((id, token))
}
