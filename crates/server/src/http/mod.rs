//! The HTTP port: the vendor's REST API, health and metrics.

mod account;
mod application;
mod asked;
mod auth;
mod body;
mod call;
mod callback;
mod console;
mod endpoint;
mod feed;
pub mod health;
mod join_token;
mod ladder;
mod later;
mod listen;
mod live;
pub mod metrics;
mod multi_party_call;
mod openapi;
mod range;
mod recording;
mod recording_file;
mod repeat;
mod reply;
mod route;
mod sip_socket;
mod stream;
mod subaccount;
#[cfg(test)]
mod tests;
mod trace;
mod transcription;
mod waveform;
mod whip;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use futures::FutureExt;
use mixminus_archive::Archive;
use mixminus_plivo::rest::AsyncCallback;
use mixminus_plivo::xml;
use mixminus_sip::{Attempts, Registrar, Trace};
use mixminus_store::Store;
use tokio::sync::{Notify, watch};

use crate::account::{Accounts, Caller};
use crate::exchange::handle::ExchangeHandle;
use crate::exchange::{Admission, Backlog, Clock};
use crate::live::Live;
use crate::prompts::Speech;
use crate::rate::RateLimits;
use crate::recording_place::RecordingPlace;
use crate::whip::Whip;

pub use health::Phase;
pub use listen::serve;
pub use metrics::{Exposition, Measured};
pub use sip_socket::{Connected, SipSockets};

use asked::Asked;
use repeat::{Question, Repeats};
use reply::ApiError;
use route::{Kind, Resource, Route};

/// What answers are made from.
#[derive(Clone)]
pub struct ApiState {
    /// Whose API it is.
    pub accounts: Arc<Accounts>,
    /// What a request to join a conference may ask for.
    pub document_limits: xml::Limits,
    /// Who can say what is to be said.
    pub speech: Arc<Speech>,
    /// Whether there is a transcriber.
    pub transcribes: bool,
    /// Whether only this machine can ask.
    pub local: bool,
    /// Where what is asked is read.
    pub store: Arc<dyn Store>,
    /// Where endpoints are.
    pub registrar: Registrar,
    /// What keeps recordings.
    pub archive: Arc<Archive>,
    /// Where they are fetched.
    pub place: RecordingPlace,
    /// What is going on.
    pub live: Arc<Live>,
    /// Where a phone can call a conference by its name; none if an application answers.
    pub dial: Option<SocketAddr>,
    /// Where what is to be done is sent.
    pub exchange: ExchangeHandle,
    /// What waits to be stored.
    pub backlog: Arc<Backlog>,
    /// Whether there is room for calls.
    pub admission: Admission,
    /// Where the service is in its life.
    pub phase: watch::Receiver<Phase>,
    /// How much may be asked.
    pub limits: Arc<ApiLimits>,
    /// What time it is.
    pub clock: Clock,
    /// To be told when a callback was queued.
    pub queued: Arc<Notify>,
    /// What was asked and answered lately.
    pub repeats: Arc<Repeats>,
    /// Browsers that come by one HTTP request.
    pub whip: Arc<Whip>,
    /// The SIP messages of calls.
    pub trace: Arc<Trace>,
    /// Answers by status.
    pub answers: Arc<Answers>,
    /// Whose numbers `/metrics` tells, beside those of the API.
    pub measured: Arc<[Box<dyn Measured>]>,
}

/// How much may be asked.
#[derive(Debug)]
pub struct ApiLimits {
    /// Requests by account.
    pub rates: RateLimits,
    /// Wrong passwords by address, here and at the SIP port.
    pub attempts: Arc<Attempts>,
    /// How many subaccounts there may be.
    pub max_subaccounts: usize,
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
    let document = Bytes::from(openapi::document(&state.document_limits).to_string());
    Router::new()
        .route("/", get(root))
        .route("/console/{file}", get(async |Path(file): Path<String>| console::file(&file)))
        .route("/sip", get(sip_socket::open))
        .route("/signalling", get(sip_socket::open))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(async move || openapi::answer(document)))
        .route("/docs", get(async || openapi::page()))
        .route(whip::PATH, any(whip::endpoint))
        .route("/whip/{*conference}", any(whip::endpoint))
        .route("/whip/session/{id}", any(whip::session))
        .route("/v1/{*path}", any(api))
        .fallback(async || ApiError::not_found())
        .method_not_allowed_fallback(async || ApiError::method_not_allowed("GET"))
        .layer(DefaultBodyLimit::max(body::MAX_BODY_BYTES))
        .with_state(state)
}

/// What this is, for a browser the console, or SIP: browsers' phones are given `wss://host:port` alone.
async fn root(request: Request) -> Response {
    if sip_socket::is_asked(&request) {
        sip_socket::open(request).await
    } else if console::is_asked(request.headers()) {
        console::page()
    } else {
        health::about().await.into_response()
    }
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
    let caller = match recording_file::signed(state, &request)? {
        Some(caller) => caller,
        None => auth::authenticate(&request, &state.accounts, &state.limits.attempts)?,
    };
    admit(state, &caller)?;
    let route = Route::parse(request.uri().path()).ok_or_else(ApiError::not_found)?;
    let account = state.accounts.acting(&caller, &route.auth_id).ok_or_else(ApiError::forbidden)?;
    let resource = route.resource.ok_or_else(ApiError::not_found)?;
    let methods = resource.methods();
    if !methods.contains(request.method()) {
        let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
        return Err(ApiError::method_not_allowed(&methods.join(", ")));
    }
    if let Resource::RecordingFile(id, file) = &resource {
        let (head, _) = request.into_parts();
        return recording_file::answer((state, &account), (&head.method, &head.headers), (id, file)).await;
    }
    let method = request.method().clone();
    let key = if method == Method::GET { None } else { repeat::key(request.headers())? };
    let path = request.uri().path().to_owned();
    let arguments = body::arguments(request).await?;
    let Some(key) = key else {
        let asked = Asked { state, account, method, arguments: &arguments };
        return carry_out(&asked, resource).await;
    };
    let question = Question { method, path, arguments };
    once(state, (account, key), question, resource).await
}

/// Carries out what has not been carried out under `name` before, also when nobody waits for it any more.
async fn once(
    state: &ApiState,
    name: repeat::Name,
    question: Question,
    resource: Resource,
) -> Result<Response, ApiError> {
    if let Some(answer) = state.repeats.begin(&name, question.clone(), now())? {
        return Ok(answer);
    }
    let state = state.clone();
    let carried_out = tokio::spawn(async move {
        let Question { method, arguments, .. } = question;
        let asked = Asked { state: &state, account: name.0.clone(), method, arguments: &arguments };
        let answer = survive(carry_out(&asked, resource)).await;
        state.repeats.end(&name, answer.unwrap_or_else(IntoResponse::into_response)).await
    });
    carried_out.await.map_err(|_| ApiError::internal())
}

async fn carry_out(asked: &Asked<'_>, resource: Resource) -> Result<Response, ApiError> {
    // What the first calls so is told of the recording's end; the second is never over.
    if matches!(resource, Resource::CallRecorded(_) | Resource::Live) {
        return carry_out_now(asked, resource).await;
    }
    match AsyncCallback::parse(asked.arguments)? {
        Some(callback) => Ok(later::answer(asked, resource, callback)),
        None => carry_out_now(asked, resource).await,
    }
}

async fn carry_out_now(asked: &Asked<'_>, resource: Resource) -> Result<Response, ApiError> {
    match resource {
        Resource::Account => match asked.method.as_str() {
            "GET" => account::get(asked).await,
            _ => account::change(asked).await,
        },
        Resource::List(kind) => list(asked, kind).await,
        Resource::One(kind, id) => one(asked, kind, &id).await,
        Resource::Calls
        | Resource::Call(_)
        | Resource::CallHears(..)
        | Resource::CallDigits(_)
        | Resource::CallRecorded(_)
        | Resource::Request(_) => call::answer(asked, resource).await,
        Resource::Live => feed::answer(asked).await,
        Resource::Transcription(id) => transcription::answer(asked, &id).await,
        Resource::Tracks(id) => recording::tracks(asked, &id).await,
        Resource::Waveform(id) => waveform::answer(asked, &id).await,
        Resource::JoinTokens => join_token::create(asked).await,
        Resource::CallTrace(call) => trace::answer(asked, &call).await,
        Resource::CallStreams(call) => stream::answer(asked, &call, None).await,
        Resource::CallStream(call, stream) => stream::answer(asked, &call, Some(&stream)).await,
        resource => multi_party_call::answer(asked, resource).await,
    }
}

async fn list(asked: &Asked<'_>, kind: Kind) -> Result<Response, ApiError> {
    match (kind, asked.method.as_str()) {
        (Kind::Callback, _) => callback::list(asked).await,
        (Kind::Subaccount, "GET") => subaccount::list(asked).await,
        (Kind::Subaccount, _) => subaccount::create(asked).await,
        (Kind::Application, "GET") => application::list(asked).await,
        (Kind::Application, _) => application::create(asked).await,
        (Kind::Endpoint, "GET") => endpoint::list(asked).await,
        (Kind::Endpoint, _) => endpoint::create(asked).await,
        (Kind::Recording, _) => recording::list(asked).await,
    }
}

async fn one(asked: &Asked<'_>, kind: Kind, id: &str) -> Result<Response, ApiError> {
    match (kind, asked.method.as_str()) {
        (Kind::Callback, "GET") => callback::get(asked, id).await,
        (Kind::Callback, _) => callback::requeue(asked, id).await,
        (Kind::Subaccount, "GET") => subaccount::get(asked, id).await,
        (Kind::Subaccount, "POST") => subaccount::change(asked, id).await,
        (Kind::Subaccount, _) => subaccount::delete(asked, id).await,
        (Kind::Application, "GET") => application::get(asked, id).await,
        (Kind::Application, "POST") => application::change(asked, id).await,
        (Kind::Application, _) => application::delete(asked, id).await,
        (Kind::Endpoint, "GET") => endpoint::get(asked, id).await,
        (Kind::Endpoint, "POST") => endpoint::change(asked, id).await,
        (Kind::Endpoint, _) => endpoint::delete(asked, id).await,
        (Kind::Recording, "GET") => recording::get(asked, id).await,
        (Kind::Recording, _) => recording::delete(asked, id).await,
    }
}

fn admit(state: &ApiState, caller: &Caller) -> Result<(), ApiError> {
    let account = match caller {
        Caller::Main => state.accounts.main_id(),
        Caller::Subaccount(id) => id,
    };
    state.limits.rates.admit(account, now()).map_err(ApiError::too_many_requests)
}

#[expect(clippy::disallowed_methods, reason = "the API is the edge where requests get their instant")]
fn now() -> Instant {
    Instant::now()
}
