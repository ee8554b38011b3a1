//! `Call/?status=live&details=true`: the calls of now, with what somebody in charge wants to see of each.
//!
//! The parameter is not Plivo's.

use std::collections::HashMap;

use axum::http::StatusCode;
use axum::response::Response;
use mixminus_control::{CallId, CallRecord, Timestamp};
use mixminus_plivo::rest::{Arguments, CallFilter, CallList, CallView, List, RestError};
use mixminus_store::Page;
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Asked;
use super::reply::{ApiError, json};
use crate::dialect;

/// A live call in a reply; every field is there every time.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveCall {
    call_uuid: String,
    from: String,
    to: String,
    direction: &'static str,
    call_status: &'static str,
    /// When it arrived or was placed, in UTC.
    session_start: String,
    /// Seconds since it was answered.
    #[schema(required)]
    duration_s: Option<u64>,
    /// The MPC that it is in.
    #[schema(required)]
    mpc_name: Option<String>,
}

impl LiveCall {
    fn new(record: &CallRecord, conferences: &HashMap<CallId, String>, now: Timestamp) -> Self {
        let call = dialect::call(record);
        let answered_at = record.answered_at.map(dialect::instant);
        Self {
            direction: call.direction.name(),
            call_status: call.status.name(),
            session_start: call.created_at.with_fraction(),
            duration_s: answered_at.map(|at| dialect::instant(now).seconds_since(at)),
            mpc_name: conferences.get(&record.id).cloned(),
            call_uuid: call.uuid,
            from: call.from,
            to: call.to,
        }
    }
}

/// Reads the query of a list of calls, and whether details of live ones are wanted.
///
/// # Errors
///
/// [`RestError`] for the first parameter with a wrong value.
pub fn parse(query: &Arguments) -> Result<(CallList, bool), RestError> {
    Ok((CallList::parse(query)?, query.flag("details")?.unwrap_or(false)))
}

/// A page of the live calls that `filter` is for, the newest first.
pub async fn list(asked: &Asked<'_>, filter: &CallFilter) -> Result<Response, ApiError> {
    let page = Page { limit: filter.page.limit as u32, offset: filter.page.offset as u64 };
    let (records, count) = match dialect::call_filter(filter, CallView::Live) {
        Some(wanted) => asked.state.store.calls(&asked.account, &wanted, page).await?,
        None => (Vec::new(), 0),
    };
    let ids: Vec<_> = records.iter().map(|record| record.id).collect();
    let conferences = asked.state.store.conference_names(&ids).await?.into_iter().collect();
    let now = asked.now();
    let objects = records.iter().map(|record| LiveCall::new(record, &conferences, now)).collect();
    let own = [("status", "live".to_owned()), ("details", "true".to_owned())];
    let (path, filters) = (asked.path("Call"), [filter.given(), &own].concat());
    Ok(json(StatusCode::OK, List::new(objects, filter.page, count as usize, &path, &filters)))
}
