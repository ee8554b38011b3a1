//! `Live/`: what is going on, told as it happens, by server-sent events.
//!
//! This resource is not Plivo's. Each event's data is one JSON object; `docs/console.md` lists them.

mod reader;
mod told;

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream;
use mixminus_control::ConferenceId;
use mixminus_plivo::rest::{Arguments, RestError};
use serde_json::json;
use tokio::sync::mpsc;

use super::asked::Asked;
use super::health::Phase;
use super::reply::ApiError;
use reader::Reader;

/// Messages that wait for a reader; beyond, it is waited for.
const MAX_WAITING: usize = 2;

/// What is to be told.
#[derive(Clone, Copy, Debug, Default)]
pub struct FeedQuery {
    /// The MPC of which everything is told.
    conference: Option<ConferenceId>,
}

impl FeedQuery {
    /// Reads the query.
    ///
    /// # Errors
    ///
    /// [`RestError`] if `mpc_uuid` is no uuid.
    pub fn parse(query: &Arguments) -> Result<Self, RestError> {
        query.note("mpc_uuid", || json!({ "type": "string", "format": "uuid" }));
        let conference = query.read("mpc_uuid", |text| text.parse().ok().map(ConferenceId))?;
        Ok(Self { conference })
    }
}

/// The events, until the reader goes or is too slow.
pub async fn answer(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let FeedQuery { conference } = FeedQuery::parse(asked.arguments)?;
    if *asked.state.phase.borrow() == Phase::Draining {
        return Err(ApiError::stopping());
    }
    let place = asked.state.live.admit().ok_or_else(ApiError::no_place)?;
    let (text, told) = mpsc::channel(MAX_WAITING);
    let reader = Reader::new(asked.state.clone(), asked.account.clone(), conference);
    let reading = tokio::spawn(async move {
        let reason = reader.run(text).await;
        drop(place);
        reason
    });
    let events = stream::unfold(Some((told, reading)), |last| async {
        let (mut told, reading) = last?;
        if let Some(text) = told.recv().await {
            return Some((Ok::<_, Infallible>(text), Some((told, reading))));
        }
        let reason = reading.await.unwrap_or("internal error");
        Some((Ok(told::event("end", &json!({ "reason": reason }))), None))
    });
    let head = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((head, Body::from_stream(events)).into_response())
}
