//! `/` for browsers: the console, which is files that are part of this program and asks nobody but its API.

use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};

use super::reply::ApiError;

/// Nothing comes from elsewhere, nothing in a page's text runs or is laid out, and no other page holds this one.
/// Pictures and audio that credentials were needed for are `blob:`.
const POLICY: &str = "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! files {
    ($($name:literal $media_type:expr;)*) => {
        [$(($name, $media_type, include_str!(concat!("console/", $name)))),*]
    };
}

/// Name, media type and text of each file.
const FILES: [(&str, &str, &str); 16] = files! {
    "index.html" HTML;
    "console.css" "text/css; charset=utf-8";
    "icon.svg" "image/svg+xml";
    "api.js" SCRIPT;
    "app.js" SCRIPT;
    "callbacks.js" SCRIPT;
    "calls.js" SCRIPT;
    "conference.js" SCRIPT;
    "conferences.js" SCRIPT;
    "dom.js" SCRIPT;
    "feed.js" SCRIPT;
    "grid.js" SCRIPT;
    "invite.js" SCRIPT;
    "participant.js" SCRIPT;
    "qr.js" SCRIPT;
    "recordings.js" SCRIPT;
};

/// Whether whoever asks wants to look at a page, and not at an object.
pub fn is_asked(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| kind.trim_start().starts_with("text/html"))
}

/// The page.
pub fn page() -> Response {
    file("index.html").into_response()
}

/// A file of the console.
///
/// # Errors
///
/// 404 if there is none of this name.
pub fn file(name: &str) -> Result<Response, ApiError> {
    let (_, media_type, text) =
        FILES.into_iter().find(|(known, ..)| *known == name).ok_or_else(ApiError::not_found)?;
    let headers: [(HeaderName, &str); 7] = [
        (CONTENT_TYPE, media_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
        (VARY, "accept"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    Ok((headers, text).into_response())
}
