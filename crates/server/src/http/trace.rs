//! `Call/{uuid}/Trace/`: the SIP messages of a call.
//!
//! This resource is not Plivo's.

use std::time::Instant;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use mixminus_plivo::rest::{Arguments, RestError};
use mixminus_sip::{TracedMessage, Way};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::asked::Asked;
use super::ladder;
use super::reply::{self, ApiError};
use crate::dialect;

/// What this side is called.
const US: &str = "mixminus";

/// The messages of a call in a reply.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceObject {
    call_uuid: String,
    /// Messages that are missing because there were too many.
    left_out: u64,
    messages: Vec<MessageObject>,
}

/// A SIP message in a reply.
#[derive(Debug, Serialize, ToSchema)]
struct MessageObject {
    /// When it passed, in UTC.
    at: String,
    /// Milliseconds since the first message, by a clock that is never set.
    offset_ms: f64,
    /// `received` or `sent`.
    direction: &'static str,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    transport: String,
    /// `host:port`, or `mixminus`.
    from: String,
    /// `host:port`, or `mixminus`.
    to: String,
    /// The first line.
    summary: String,
    /// The whole message; secrets read `***`.
    message: String,
    /// How often it passed again.
    retransmissions: u32,
}

/// How a trace is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Every message.
    Json,
    /// A ladder diagram.
    Text,
}

impl Format {
    /// Reads the query.
    ///
    /// # Errors
    ///
    /// [`RestError`] if there is no such format.
    pub fn parse(query: &Arguments) -> Result<Self, RestError> {
        query.note("format", || json!({ "type": "string", "enum": ["json", "text"], "default": "json" }));
        let format = query.read("format", |text| match text {
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            _ => None,
        })?;
        Ok(format.unwrap_or(Self::Json))
    }
}

/// The messages of `call`, as long as they are kept.
pub async fn answer(asked: &Asked<'_>, call: &str) -> Result<Response, ApiError> {
    let format = Format::parse(asked.arguments)?;
    let uuid = asked.find_call(call).await?.id.to_string();
    let trace = asked.state.trace.of(&uuid).ok_or_else(|| ApiError::absent("trace"))?;
    let began = trace.messages.first().map(|message| message.at);
    let at = |instant: Instant| dialect::instant(asked.state.clock.at(instant)).with_fraction();
    if format == Format::Text {
        let title = format!("Call {uuid}, from {} UTC on", began.map(at).unwrap_or_default());
        let text = ladder::draw(&title, &trace);
        return Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response());
    }
    let messages = trace.messages.into_iter().map(|message| {
        let offset = message.at.duration_since(began.unwrap_or(message.at));
        let at = at(message.at);
        MessageObject::new(message, at, offset.as_secs_f64() * 1000.0)
    });
    let object = TraceObject { messages: messages.collect(), call_uuid: uuid, left_out: trace.left_out };
    Ok(reply::json(StatusCode::OK, object))
}

impl MessageObject {
    fn new(message: TracedMessage, at: String, offset_ms: f64) -> Self {
        let summary = message.summary().to_owned();
        let TracedMessage { way, transport, peer, retransmissions, text, .. } = message;
        let (from, to) = match way {
            Way::Received => (peer, US.to_owned()),
            Way::Sent => (US.to_owned(), peer),
        };
        let direction = way.name();
        Self { at, offset_ms, direction, transport, from, to, summary, message: text, retransmissions }
    }
}
