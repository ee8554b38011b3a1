//! `Recording/`: what was recorded of calls and conferences.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::{RecordingId, RecordingRecord};
use mixminus_plivo::rest::{List, RecordingFilter, RecordingObject};
use mixminus_store::Page;
use uuid::Uuid;

use super::asked::Asked;
use super::reply::{self, ApiError, no_content};
use crate::dialect;

/// The newest first.
pub async fn list(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let filter = RecordingFilter::parse(asked.arguments)?;
    let page = Page { limit: filter.page.limit as u32, offset: filter.page.offset as u64 };
    let (records, total) = match dialect::recording_filter(&filter, asked.now()) {
        Some(wanted) => asked.state.store.recordings(&asked.account, &wanted, page).await?,
        None => (Vec::new(), 0),
    };
    let objects = records.iter().map(|record| object(asked, record)).collect();
    let path = asked.path("Recording");
    Ok(reply::json(StatusCode::OK, List::new(objects, filter.page, total as usize, &path, filter.given())))
}

/// One of them.
pub async fn get(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    Ok(reply::json(StatusCode::OK, object(asked, &find(asked, id).await?)))
}

/// Deletes it, once it is over.
pub async fn delete(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let record = find(asked, id).await?;
    if !record.state.is_over() {
        return Err(ApiError::conflict("the recording is going on; stop it first"));
    }
    asked.state.store.delete_recording(record.id).await?;
    Ok(no_content())
}

fn object(asked: &Asked<'_>, record: &RecordingRecord) -> RecordingObject {
    RecordingObject::new(&dialect::recording(record), dialect::instant(asked.now()))
}

async fn find(asked: &Asked<'_>, id: &str) -> Result<RecordingRecord, ApiError> {
    let absent = || ApiError::absent("recording");
    let id = RecordingId(Uuid::try_parse(id).map_err(|_| absent())?);
    asked.state.store.recording(&asked.account, id).await?.ok_or_else(absent)
}
