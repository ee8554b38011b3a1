//! `Recording/`: what was recorded of calls and conferences.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_archive::FileName;
use mixminus_control::{AccountId, RecordingId, RecordingRecord, RecordingState};
use mixminus_plivo::rest::{List, RecordingFilter, RecordingObject};
use mixminus_store::Page;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ApiState;
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
    Ok(reply::json(StatusCode::OK, object(asked, &find(asked.state, &asked.account, id).await?)))
}

/// Deletes it and its audio, once it is over.
pub async fn delete(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let record = find(asked.state, &asked.account, id).await?;
    if !record.state.is_over() {
        return Err(ApiError::conflict("the recording is going on; stop it first"));
    }
    // The record goes last: as long as it is there, this can be tried again.
    asked.state.archive.delete(record.id.0).await?;
    asked.state.store.delete_recording(record.id).await?;
    Ok(no_content())
}

/// The tracks of a recording that are kept beside the whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrackList {
    objects: Vec<TrackObject>,
}

/// A track; the sidecar says whose it is.
#[derive(Debug, Serialize, ToSchema)]
struct TrackObject {
    number: u32,
    size_bytes: u64,
    /// Where its audio is.
    resource_uri: String,
}

/// The tracks that are kept.
pub async fn tracks(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let record = over(asked.state, &asked.account, id).await?;
    let below = asked.path(&format!("Recording/{}/Track", record.id));
    let files = asked.state.archive.files(record.id.0).await?;
    let objects = files.into_iter().filter_map(|(name, size_bytes)| match name {
        FileName::Track(number) => {
            Some(TrackObject { number, size_bytes, resource_uri: format!("{below}{number}.wav") })
        }
        _ => None,
    });
    Ok(reply::json(StatusCode::OK, TrackList { objects: objects.collect() }))
}

fn object(asked: &Asked<'_>, record: &RecordingRecord) -> RecordingObject {
    let mut told = record.clone();
    asked.state.place.locate(&mut told);
    RecordingObject::new(&dialect::recording(&told), dialect::instant(asked.now()))
}

/// The recording of this id that `account` reaches.
pub async fn find(state: &ApiState, account: &AccountId, id: &str) -> Result<RecordingRecord, ApiError> {
    let absent = || ApiError::absent("recording");
    let id = RecordingId(Uuid::try_parse(id).map_err(|_| absent())?);
    state.store.recording(account, id).await?.ok_or_else(absent)
}

/// The same, if its files are whole.
pub async fn over(state: &ApiState, account: &AccountId, id: &str) -> Result<RecordingRecord, ApiError> {
    let record = find(state, account, id).await?;
    if record.state == RecordingState::Completed { Ok(record) } else { Err(absent()) }
}

/// 404: the recording has no such file, or not yet.
pub fn absent() -> ApiError {
    ApiError::absent("file")
}
