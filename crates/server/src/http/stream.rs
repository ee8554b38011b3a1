//! `Call/{uuid}/Stream/`: a call's audio over WebSockets.

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::{CallChange, Outcome, StreamId, StreamRecord};
use mixminus_plivo::rest::{List, RestError, StartStream, StreamReply};

use super::asked::Asked;
use super::reply::{ApiError, json, no_content};
use crate::dialect;

const NOT_FOUND: RestError = RestError::NotFound("stream");

/// Carries out what is asked of the streams of `call`, or of one of them.
pub async fn answer(asked: &Asked<'_>, call: &str, stream: Option<&str>) -> Result<Response, ApiError> {
    match (asked.method.as_str(), stream) {
        ("GET", None) => asked.streams(call).await,
        ("GET", Some(id)) => Ok(json(StatusCode::OK, dialect::stream(&asked.stream(call, id).await?))),
        ("POST", _) => {
            let change = dialect::start_stream(StartStream::parse(asked.arguments)?);
            let Outcome::Streamed(stream) = asked.change_call(call, change).await? else {
                return Err(ApiError::internal());
            };
            Ok(json(StatusCode::ACCEPTED, StreamReply::new(stream.id.to_string())))
        }
        (_, id) => {
            let id = id.map(stream_id).transpose()?;
            asked.change_call(call, CallChange::StopStream(id)).await?;
            Ok(no_content())
        }
    }
}

fn stream_id(id: &str) -> Result<StreamId, ApiError> {
    Ok(id.parse().map(StreamId).map_err(|_| NOT_FOUND)?)
}

impl Asked<'_> {
    /// The streams that the call had, the newest first.
    async fn streams(&self, call: &str) -> Result<Response, ApiError> {
        let (page, _) = self.page()?;
        let call = self.find_call(call).await?;
        let records = self.state.store.streams(&self.account, call.id).await?;
        let shown = records.iter().skip(page.offset).take(page.limit).map(dialect::stream).collect();
        let path = self.path(&format!("Call/{}/Stream", call.id));
        Ok(json(StatusCode::OK, List::new(shown, page, records.len(), &path, &[])))
    }

    async fn stream(&self, call: &str, id: &str) -> Result<StreamRecord, ApiError> {
        let call = self.find_call(call).await?;
        let record = self.state.store.stream(&self.account, stream_id(id)?).await?;
        Ok(record.filter(|record| record.call == call.id).ok_or(NOT_FOUND)?)
    }
}
