//! `Callbacks/`: what the account's servers were told, are to be told, and were not told.
//!
//! This resource is not Plivo's. `sequence` grows over all callbacks of the account, so a server
//! that was down reads on from the last one it knows: `Callbacks/?from=SEQUENCE`.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::HttpMethod;
use mixminus_plivo::Timestamp;
use mixminus_plivo::rest::{Arguments, Message, RestError};
use mixminus_store::{CallbackFilter, CallbackRecord, CallbackState, OrderKey};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::asked::{Asked, path};
use super::reply::{self, ApiError};
use crate::dialect;

/// Callbacks on a page, unless asked otherwise and at most.
const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 200;

/// A callback in a reply; every field is there every time.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallbackObject<'a> {
    callback_id: String,
    sequence: u64,
    account: &'a str,
    #[schema(required)]
    mpc_uuid: Option<String>,
    #[schema(required)]
    call_uuid: Option<String>,
    #[schema(required)]
    request_uuid: Option<String>,
    url: &'a str,
    method: &'static str,
    parameters: BTreeMap<&'a str, &'a str>,
    status: &'static str,
    attempts: u32,
    #[schema(required)]
    last_error: Option<&'a str>,
    creation_time: Timestamp,
    #[schema(required)]
    next_attempt_time: Option<Timestamp>,
    #[schema(required)]
    settled_time: Option<Timestamp>,
    resource_uri: String,
}

impl<'a> CallbackObject<'a> {
    fn new(record: &'a CallbackRecord) -> Self {
        let callback = &record.callback;
        let (mut mpc_uuid, mut call_uuid, mut request_uuid) = (None, None, None);
        match callback.order {
            OrderKey::Conference(id) => mpc_uuid = Some(id.to_string()),
            OrderKey::Call(id) => call_uuid = Some(id.to_string()),
            OrderKey::Request(id) => request_uuid = Some(id.to_string()),
            // Its parameters name it.
            OrderKey::Message(_) => {}
        }
        Self {
            callback_id: callback.id.to_string(),
            sequence: record.position,
            account: &callback.account.0,
            mpc_uuid,
            call_uuid,
            request_uuid,
            url: &callback.url,
            method: match callback.method {
                HttpMethod::Get => "GET",
                HttpMethod::Post => "POST",
            },
            parameters: callback.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            status: word(record.state),
            attempts: record.attempts,
            last_error: record.last_error.as_deref(),
            creation_time: dialect::instant(callback.created_at),
            next_attempt_time: record.next_attempt_at.map(dialect::instant),
            settled_time: record.settled_at.map(dialect::instant),
            resource_uri: path(&callback.account, &format!("Callbacks/{}", callback.id)),
        }
    }
}

const fn word(state: CallbackState) -> &'static str {
    match state {
        CallbackState::Pending => "pending",
        CallbackState::Delivered => "delivered",
        CallbackState::Dead => "dead",
    }
}

/// A page of callbacks.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallbackList<'a> {
    meta: CallbackMeta,
    objects: Vec<CallbackObject<'a>>,
}

/// What a page says of the list around it.
#[derive(Debug, Serialize, ToSchema)]
struct CallbackMeta {
    from: u64,
    limit: u32,
    /// Where the next page is, or will be.
    next: String,
}

/// Which callbacks are asked for.
#[derive(Debug)]
pub struct CallbackQuery {
    from: u64,
    limit: u32,
    state: Option<CallbackState>,
}

impl CallbackQuery {
    /// Reads the query.
    ///
    /// # Errors
    ///
    /// [`RestError`] for the first parameter with a wrong value.
    pub fn parse(query: &Arguments) -> Result<Self, RestError> {
        const STATES: [CallbackState; 3] =
            [CallbackState::Pending, CallbackState::Delivered, CallbackState::Dead];
        query.note("from", || json!({ "type": "integer", "minimum": 0, "default": 0 }));
        query.note(
            "limit",
            || json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT }),
        );
        query.note("status", || json!({ "type": "string", "enum": STATES.map(word) }));
        let limit =
            query.read("limit", |text| text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)))?;
        Ok(Self {
            from: query.read("from", |text| text.parse().ok())?.unwrap_or(0),
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            state: query.read("status", |text| {
                STATES.into_iter().find(|state| word(*state).eq_ignore_ascii_case(text))
            })?,
        })
    }
}

/// A page from a sequence number on; `next` is where to go on, also when nothing is there yet.
pub async fn list(asked: &Asked<'_>) -> Result<Response, ApiError> {
    let CallbackQuery { from, limit, state } = CallbackQuery::parse(asked.arguments)?;
    let filter = CallbackFilter { from, state };
    let records = asked.state.store.callbacks(&asked.account, filter, limit).await?;
    let next = records.last().map_or(from, |last| last.position + 1);
    let status = state.map(|state| format!("&status={}", word(state))).unwrap_or_default();
    let next = format!("{}?from={next}&limit={limit}{status}", asked.path("Callbacks"));
    let objects = records.iter().map(CallbackObject::new).collect();
    let meta = CallbackMeta { from, limit, next };
    Ok(reply::json(StatusCode::OK, CallbackList { meta, objects }))
}

/// One callback.
pub async fn get(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    Ok(reply::json(StatusCode::OK, CallbackObject::new(&find(asked, id).await?)))
}

/// Sends one that was given up again.
pub async fn requeue(asked: &Asked<'_>, id: &str) -> Result<Response, ApiError> {
    let record = find(asked, id).await?;
    if !asked.state.store.requeue_callback(record.callback.id, asked.now()).await? {
        return Err(ApiError::conflict("only a callback that was given up can be queued again"));
    }
    asked.state.queued.notify_one();
    Ok(reply::json(StatusCode::ACCEPTED, Message { message: "callback queued" }))
}

async fn find(asked: &Asked<'_>, id: &str) -> Result<CallbackRecord, ApiError> {
    let absent = || ApiError::absent("callback");
    let id = Uuid::try_parse(id).map_err(|_| absent())?;
    asked.state.store.callback(&asked.account, id).await?.ok_or_else(absent)
}
