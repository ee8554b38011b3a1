//! The HTTP port: the vendor's REST API, health and metrics.

mod auth;
mod body;
pub mod health;
mod listen;
pub mod metrics;
mod multi_party_call;
mod rate;
mod reply;
mod route;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures::FutureExt;
use mixminus_store::Store;
use tokio::sync::watch;

use crate::account::Credentials;
use crate::exchange::handle::ExchangeHandle;
use crate::exchange::{Admission, Backlog};

pub use health::Phase;
pub use listen::serve;
pub use metrics::{Exposition, Measured};
pub use rate::RateLimit;

use reply::ApiError;
use route::Route;

/// What answers are made from.
#[derive(Clone)]
pub struct ApiState {
    /// Whose API it is.
    pub account: Arc<Credentials>,
    /// Whether only this machine can ask.
    pub local: bool,
    /// Where what is asked is read.
    pub store: Arc<dyn Store>,
    /// Where what is to be done is sent.
    pub exchange: ExchangeHandle,
    /// What waits to be stored.
    pub backlog: Arc<Backlog>,
    /// Whether there is room for calls.
    pub admission: Admission,
    /// Where the service is in its life.
    pub phase: watch::Receiver<Phase>,
    /// How much the account may ask.
    pub rate: Arc<Mutex<RateLimit>>,
    /// Answers by status.
    pub answers: Arc<Answers>,
    /// Whose numbers `/metrics` tells, beside those of the API.
    pub measured: Arc<[Box<dyn Measured>]>,
}

/// How many answers of each status the API gave.
#[derive(Debug, Default)]
pub struct Answers(Mutex<BTreeMap<u16, u64>>);

impl Answers {
    fn count(&self, status: StatusCode) {
        let mut by_status = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *by_status.entry(status.as_u16()).or_default() += 1;
    }
}

impl Measured for Answers {
    fn measure(&self, out: &mut Exposition) {
        let by_status = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        out.counters("api_requests_total", "API requests answered.", "status", by_status);
    }
}

/// Everything that the HTTP port answers.
pub fn router(state: ApiState) -> Router {
    Router::new()
        .route("/", get(health::about))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/v1/{*path}", any(api))
        .fallback(async || ApiError::not_found())
        .method_not_allowed_fallback(async || ApiError::method_not_allowed("GET"))
        .layer(DefaultBodyLimit::max(body::MAX_BODY_BYTES))
        .with_state(state)
}

/// Answers every request to the API; a panic costs this request only.
async fn api(State(state): State<ApiState>, request: Request) -> Response {
    let response = survive(answer(&state, request)).await.unwrap_or_else(IntoResponse::into_response);
    state.answers.count(response.status());
    response
}

async fn survive(answer: impl Future<Output = Result<Response, ApiError>>) -> Result<Response, ApiError> {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a request made its handler panic");
        Err(ApiError::internal())
    })
}

async fn answer(state: &ApiState, request: Request) -> Result<Response, ApiError> {
    auth::authenticate(request.headers(), &state.account)?;
    admit(&state.rate)?;
    let route = Route::parse(request.uri().path()).ok_or_else(ApiError::not_found)?;
    if route.auth_id != state.account.id.as_str() {
        return Err(ApiError::forbidden());
    }
    let resource = route.resource.ok_or_else(ApiError::not_found)?;
    let methods = resource.methods();
    if !methods.contains(request.method()) {
        let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
        return Err(ApiError::method_not_allowed(&methods.join(", ")));
    }
    let method = request.method().clone();
    let arguments = body::arguments(request).await?;
    multi_party_call::answer(state, &method, resource, &arguments).await
}

#[expect(clippy::disallowed_methods, reason = "the API is the edge where requests get their instant")]
fn admit(rate: &Mutex<RateLimit>) -> Result<(), ApiError> {
    let admitted = rate.lock().unwrap_or_else(PoisonError::into_inner).admit(Instant::now());
    admitted.map_err(|wait| ApiError::too_many_requests(wait.as_secs_f64().ceil() as u64))
}
