//! WHIP (RFC 9725): browsers join by one HTTP request.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH, LOCATION,
    ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use mixminus_control::{Application, Document, Instruction};
use uuid::Uuid;

use super::{ApiState, Connected, now};
use crate::join_tokens::Pass;
use crate::whip::{Names, Newcomer, WhipError, names, our_ufrag};

/// Where sessions begin.
pub const PATH: &str = "/whip";
/// What an offer and its answer are.
const SDP: &str = "application/sdp";
/// What is said about them later (RFC 8840).
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// Longest wait for a body.
const MAX_BODY_WAIT: Duration = Duration::from_secs(10);

/// Why a request is not answered with what it asks for.
#[derive(Debug)]
struct Refused(StatusCode, &'static str, Option<(HeaderName, HeaderValue)>);

impl Refused {
    const fn new(status: StatusCode, text: &'static str) -> Self {
        Self(status, text, None)
    }

    fn unauthorized() -> Self {
        let header = (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"mixminus\""));
        Self(StatusCode::UNAUTHORIZED, "a join token is needed that was not used\n", Some(header))
    }

    fn later(wait: Duration, text: &'static str) -> Self {
        let header = (RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        Self(StatusCode::SERVICE_UNAVAILABLE, text, Some(header))
    }

    fn method(allowed: &'static str) -> Self {
        let header = (ALLOW, HeaderValue::from_static(allowed));
        Self(StatusCode::METHOD_NOT_ALLOWED, "not here\n", Some(header))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, text, header) = self;
        let mut response = (status, text).into_response();
        response.headers_mut().extend(header);
        response
    }
}

impl From<WhipError> for Refused {
    fn from(error: WhipError) -> Self {
        match error {
            WhipError::Unknown => Self::new(StatusCode::NOT_FOUND, "there is no such session\n"),
            WhipError::Refused { status: 488, .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "the offer has nothing in common with us\n")
            }
            WhipError::Refused { status: 404, .. } => {
                Self::new(StatusCode::NOT_FOUND, "there is no such conference\n")
            }
            WhipError::Refused { status: 503, retry_after } => {
                Self::later(retry_after.unwrap_or(Duration::from_secs(5)), "there is no room\n")
            }
            WhipError::Refused { .. } => Self::new(StatusCode::FORBIDDEN, "the call was refused\n"),
            WhipError::Unanswered => Self::later(Duration::from_secs(5), "nobody answers\n"),
        }
    }
}

/// Begins a session, in the conference that the path names or else the token.
pub async fn endpoint(State(state): State<ApiState>, request: Request) -> Response {
    open_to_pages(match *request.method() {
        Method::POST => open(&state, request).await.unwrap_or_else(IntoResponse::into_response),
        Method::OPTIONS => options("OPTIONS, POST"),
        _ => Refused::method("OPTIONS, POST").into_response(),
    })
}

/// Changes or ends a session.
pub async fn session(State(state): State<ApiState>, request: Request) -> Response {
    let id = request.uri().path().rsplit('/').next().and_then(|id| Uuid::try_parse(id).ok());
    let answered = match (request.method(), id) {
        (&Method::OPTIONS, _) => Ok(options("DELETE, OPTIONS, PATCH")),
        (&Method::PATCH, Some(id)) => change(&state, id, request).await,
        (&Method::DELETE, Some(id)) if state.whip.close(id).await => Ok(StatusCode::OK.into_response()),
        (&Method::PATCH | &Method::DELETE, _) => Err(WhipError::Unknown.into()),
        _ => Err(Refused::method("DELETE, OPTIONS, PATCH")),
    };
    open_to_pages(answered.unwrap_or_else(IntoResponse::into_response))
}

async fn open(state: &ApiState, request: Request) -> Result<Response, Refused> {
    let connected = request.extensions().get::<Connected>().copied();
    let source = connected.map_or(SocketAddr::from(([0; 4], 0)), |connected| connected.peer);
    let asked = asked(request.uri().path());
    let mut pass = match bearer(request.headers()) {
        Some(token) => Some(take(state, source, token)?),
        None if state.whip.trusts_loopback && is_local(source, request.headers()) => None,
        None => return Err(Refused::unauthorized()),
    };
    let outcome = enter(state, (source, asked), pass.as_ref(), request).await;
    if outcome.is_err()
        && let Some(pass) = pass.take()
    {
        state.whip.tokens.give_back(pass);
    }
    outcome
}

/// Brings in who has a pass, or needs none.
async fn enter(
    state: &ApiState,
    (source, asked): (SocketAddr, Option<String>),
    pass: Option<&Pass>,
    request: Request,
) -> Result<Response, Refused> {
    let (application, from, user) = match (pass, asked) {
        (Some(pass), asked) if asked.as_ref().is_none_or(|name| *name == pass.join.request.name) => {
            let instructions = vec![Instruction::Conference(Box::new(pass.join.request.clone()))];
            let document = Box::new(Document { url: None, instructions });
            (Application::Document(document), pass.join.name.clone(), pass.join.request.name.clone())
        }
        (Some(_), _) => {
            return Err(Refused::new(StatusCode::FORBIDDEN, "the token is for another conference\n"));
        }
        (None, Some(name)) => (Application::BuiltIn, "browser".to_owned(), name),
        (None, None) => return Err(Refused::new(StatusCode::NOT_FOUND, "which conference?\n")),
    };
    let account = pass.map_or_else(|| state.accounts.main_id().clone(), |pass| pass.join.account.clone());
    let offer = text(request, SDP).await?;
    let newcomer = Newcomer { account, application, from, user, source, offer };
    let session = state.whip.open(newcomer).await?;
    let headers = [
        (CONTENT_TYPE, SDP.to_owned()),
        (LOCATION, format!("{PATH}/session/{}", session.id)),
        (ETAG, format!("\"{}\"", our_ufrag(&session.answer))),
        (HeaderName::from_static("accept-patch"), FRAGMENT.to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, session.answer).into_response())
}

/// Takes candidates, which say nothing to us, and restarts.
async fn change(state: &ApiState, id: Uuid, request: Request) -> Result<Response, Refused> {
    let tag = state.whip.tag(id).ok_or(WhipError::Unknown)?;
    let matches = request.headers().get(IF_MATCH).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let fragment = text(request, FRAGMENT).await?;
    let matches = matches.ok_or(Refused::new(StatusCode::PRECONDITION_REQUIRED, "If-Match is missing\n"))?;
    let restarts = matches.trim_matches('"') == "*";
    if !restarts && matches.trim_matches('"') != tag {
        return Err(Refused::new(StatusCode::PRECONDITION_FAILED, "the session has another ETag by now\n"));
    }
    match names(&fragment).filter(|_| restarts) {
        Some(names) => restart(state, id, names).await,
        None if restarts => Err(Refused::new(StatusCode::BAD_REQUEST, "a restart has other names\n")),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

async fn restart(state: &ApiState, id: Uuid, names: Names) -> Result<Response, Refused> {
    let answer = state.whip.restart(id, names).await?;
    let wanted = ["a=ice-", "a=group:", "m=", "a=mid:", "a=candidate:", "a=end-of-candidates"];
    let lines = answer.lines().filter(|line| wanted.iter().any(|wanted| line.starts_with(wanted)));
    let fragment = lines.collect::<Vec<_>>().join("\r\n") + "\r\n";
    let tag = format!("\"{}\"", our_ufrag(&answer));
    Ok((StatusCode::OK, [(CONTENT_TYPE, FRAGMENT.to_owned()), (ETAG, tag)], fragment).into_response())
}

/// Takes the token that is shown; an address that shows too many wrong ones has to wait.
fn take(state: &ApiState, source: SocketAddr, token: &str) -> Result<Pass, Refused> {
    let (attempts, now) = (&state.limits.attempts, now());
    if let Some(wait) = attempts.wait(source.ip(), now) {
        let header = (RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        return Err(Refused(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens\n", Some(header)));
    }
    state.whip.tokens.take(token, now).ok_or_else(|| {
        attempts.count(source.ip(), now);
        Refused::unauthorized()
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether somebody on this machine asks, and no page from elsewhere that is shown there.
fn is_local(source: SocketAddr, headers: &HeaderMap) -> bool {
    let is_ours = headers.get(ORIGIN).is_none_or(|origin| {
        let page = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        let host = page.as_ref().and_then(Uri::host).map(|host| host.trim_matches(['[', ']']));
        host.is_some_and(|host| host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()))
    });
    source.ip().is_loopback() && is_ours
}

/// The conference that a path names.
fn asked(path: &str) -> Option<String> {
    let name = path.strip_prefix(PATH)?.trim_matches('/');
    let name = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
    (!name.is_empty()).then(|| name.into_owned())
}

/// The body, if it is of that type.
async fn text(request: Request, wanted: &str) -> Result<String, Refused> {
    let given = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(wanted) {
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is of another type\n"));
    }
    let unreadable = Refused::new(StatusCode::BAD_REQUEST, "the body cannot be read\n");
    let body = match tokio::time::timeout(MAX_BODY_WAIT, Bytes::from_request(request, &())).await {
        Err(_) => return Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "the body took too long\n")),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long\n"));
        }
        Ok(Err(_)) => return Err(unreadable),
        Ok(Ok(body)) => body,
    };
    String::from_utf8(body.into()).map_err(|_| unreadable)
}

fn options(allowed: &'static str) -> Response {
    let headers = [
        (ALLOW, allowed),
        (ACCESS_CONTROL_ALLOW_METHODS, allowed),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match"),
        (HeaderName::from_static("accept-post"), SDP),
        (HeaderName::from_static("accept-patch"), FRAGMENT),
        (ACCEPT, SDP),
    ];
    (StatusCode::NO_CONTENT, headers, Body::empty()).into_response()
}

/// Lets pages from anywhere read the response: who may come says the token, which no page has by itself.
fn open_to_pages(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("Accept-Patch, ETag, Link, Location, Retry-After");
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    response
}
