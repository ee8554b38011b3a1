//! Files of recordings: by credentials or a signed URL, whole or in parts.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use mixminus_archive::{FileName, Format};
use mixminus_control::AccountId;
use mixminus_plivo::rest::Arguments;

use super::ApiState;
use super::range::{Wanted, wanted};
use super::recording::{absent, over};
use super::reply::ApiError;
use super::route::{RecordingPart, Resource, Route};
use crate::account::Caller;
use crate::recording_place::{Signature, file_format};

/// Who asks by a signed URL, if `request` has one: whoever has it may fetch the one file that it names.
///
/// # Errors
///
/// 403 if it expired or was not signed here.
pub fn signed(state: &ApiState, request: &Request) -> Result<Option<Caller>, ApiError> {
    let path = request.uri().path();
    let names_file =
        |route: &Route| matches!(route.resource, Some(Resource::RecordingFile(_, RecordingPart::Main(_))));
    let Some(route) = Route::parse(path).filter(names_file) else { return Ok(None) };
    let query = Arguments::from_form(request.uri().query().unwrap_or_default().as_bytes());
    let given = |name| query.read(name, |text| Some(text.to_owned()));
    let (Some(expires), Some(signature)) = (given("expires")?, given("signature")?) else { return Ok(None) };
    match state.place.check(path, &expires, &signature) {
        Signature::Good => {}
        Signature::Expired => {
            return Err(ApiError::unsigned("this URL was good for some time, which is over"));
        }
        Signature::Forged => return Err(ApiError::unsigned("this URL was not signed here")),
    }
    let account = AccountId(route.auth_id);
    if account == *state.accounts.main_id() {
        return Ok(Some(Caller::Main));
    }
    let subaccount = state.accounts.subaccount(&account).filter(|subaccount| subaccount.enabled);
    subaccount.map(|_| Some(Caller::Subaccount(account))).ok_or_else(ApiError::forbidden)
}

/// Sends the file, or what the request wants of it.
pub async fn answer(
    (state, account): (&ApiState, &AccountId),
    (method, headers): (&Method, &HeaderMap),
    (id, part): (&str, &RecordingPart),
) -> Result<Response, ApiError> {
    let record = over(state, account, id).await?;
    let whole = file_format(record.format);
    let (name, media_type) = match part {
        RecordingPart::Main(extension) if extension == whole.extension() => {
            (FileName::Main(whole), whole.media_type())
        }
        RecordingPart::Track(number) => {
            let name = FileName::parse(&format!("track-{number}.wav")).ok_or_else(absent)?;
            (name, Format::Wav.media_type())
        }
        RecordingPart::Sidecar => (FileName::Sidecar, "application/json"),
        RecordingPart::Main(_) => return Err(absent()),
    };
    let stored = state.archive.open(record.id.0, name).await?;
    let len = stored.len();
    // What is over does not change, so that its name and length tell one version from another.
    let etag = format!("\"{}-{name}-{len}\"", record.id);
    let (status, range) = match wanted(headers, len, &etag) {
        Wanted::All => (StatusCode::OK, 0..len),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => return Err(ApiError::no_such_range(len)),
    };
    let fixed: [(HeaderName, &str); 4] = [
        (ACCEPT_RANGES, "bytes"),
        (CACHE_CONTROL, "private, no-cache"),
        (CONTENT_TYPE, media_type),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let own = [(CONTENT_LENGTH, (range.end - range.start).to_string()), (ETAG, etag)];
    let place = (status == StatusCode::PARTIAL_CONTENT)
        .then(|| [(CONTENT_RANGE, format!("bytes {}-{}/{len}", range.start, range.end - 1))]);
    let body = match *method {
        Method::HEAD => Body::empty(),
        _ => Body::from_stream(stored.stream(range)),
    };
    let mut response = (status, fixed, own, body).into_response();
    for (name, value) in place.into_iter().flatten() {
        response.headers_mut().extend(value.parse().ok().map(|value| (name, value)));
    }
    Ok(response)
}
