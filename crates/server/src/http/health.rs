//! Whether the service lives, takes calls, and what it is.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::metrics::{Exposition, Measured};
use super::reply::ApiError;
use super::{ApiState, auth};
use crate::account::Caller;

/// Where the service is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not everything listens yet.
    Starting,
    /// Calls are taken.
    Ready,
    /// No more calls are taken; those there are come to their end.
    Draining,
}

/// What a probe says.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    status: &'static str,
}

/// What this is and where to go.
#[derive(Debug, Serialize, ToSchema)]
pub struct About {
    service: &'static str,
    version: &'static str,
    api: &'static str,
    docs: &'static str,
    openapi: &'static str,
    health: &'static str,
    readiness: &'static str,
    metrics: &'static str,
}

/// `/healthz`: 200 as long as there is somebody to answer.
pub async fn live() -> Json<Status> {
    Json(Status { status: "live" })
}

/// `/readyz`: 200 while calls are taken and can be put on record, otherwise 503. A service without room for
/// more calls goes on with those that it has.
pub async fn ready(State(state): State<ApiState>) -> (StatusCode, Json<Status>) {
    let (status, word) = match *state.phase.borrow() {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        Phase::Ready if !state.backlog.keeps_up() => (StatusCode::SERVICE_UNAVAILABLE, "storage"),
        Phase::Ready if !state.admission.has_room() => (StatusCode::SERVICE_UNAVAILABLE, "overload"),
        Phase::Ready => (StatusCode::OK, "ready"),
        Phase::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
    };
    (status, Json(Status { status: word }))
}

/// `/`: says what this is and where to go.
pub async fn about() -> Json<About> {
    Json(About {
        service: "mixminus",
        version: env!("CARGO_PKG_VERSION"),
        api: "/v1/Account/{auth_id}/MultiPartyCall/",
        docs: "/docs",
        openapi: "/openapi.json",
        health: "/healthz",
        readiness: "/readyz",
        metrics: "/metrics",
    })
}

/// `/metrics`: numbers for Prometheus; for the main account only, unless nobody but this machine can ask.
///
/// # Errors
///
/// 401 without credentials, 403 with a subaccount's.
pub async fn metrics(
    State(state): State<ApiState>,
    request: Request,
) -> Result<([(HeaderName, &'static str); 1], String), ApiError> {
    if !state.local {
        let caller = auth::authenticate(&request, &state.accounts, &state.limits.attempts)?;
        if caller != Caller::Main {
            return Err(ApiError::forbidden());
        }
    }
    let mut out = Exposition::default();
    let ready =
        *state.phase.borrow() == Phase::Ready && state.backlog.keeps_up() && state.admission.has_room();
    out.gauge("ready", "Whether calls are taken.", u64::from(ready));
    state.answers.measure(&mut out);
    for measured in state.measured.iter() {
        measured.measure(&mut out);
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], out.into_text()))
}

/// A phase that can be moved, and the view of it that [`ApiState`] takes.
pub fn phases() -> (watch::Sender<Phase>, watch::Receiver<Phase>) {
    watch::channel(Phase::Starting)
}
