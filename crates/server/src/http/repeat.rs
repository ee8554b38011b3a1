//! Requests that are sent again because their answer was lost.
//!
//! SDKs send a request again after a 5xx, and say nothing by which that could be told from a
//! second request of the same kind. Therefore a 5xx is only given when nothing was changed, and
//! then sending it again is right. A client that also wants to be safe from lost connections and
//! from proxies names its request in an `Idempotency-Key` header: the first answer below 500 to
//! that key is given again, and nothing is done twice. A request with a key is carried out to its
//! end though the client be gone. Answers are kept for an hour and not across a restart.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use mixminus_control::AccountId;
use mixminus_plivo::rest::Arguments;

use super::reply::ApiError;

const HEADER: &str = "idempotency-key";
/// Longest key.
const MAX_KEY_BYTES: usize = 255;
/// How long an answer is kept.
const KEEP: Duration = Duration::from_hours(1);
/// Answers kept; beyond, the oldest is forgotten. With 2 kB each that is 20 MB.
const MAX_ANSWERS: usize = 10_000;
/// Longest answer kept; a POST or DELETE has a short one.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// One request of one account, by the name that its client gave it.
pub type Name = (AccountId, String);

/// What is asked under a name, which must be the same each time.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is to be done.
    pub method: Method,
    /// Where.
    pub path: String,
    /// With what.
    pub arguments: Arguments,
}

/// What was asked and answered lately.
#[derive(Debug, Default)]
pub struct Repeats(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_name: HashMap<Name, Entry>,
    /// The oldest first; one that is not in `by_name` since then is gone.
    by_age: VecDeque<(Name, Instant)>,
}

#[derive(Debug)]
struct Entry {
    since: Instant,
    question: Question,
    /// None while it is carried out.
    answer: Option<Answer>,
}

#[derive(Clone, Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// The key in `headers`, if there is one.
///
/// # Errors
///
/// 400 for a key that is none.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=MAX_KEY_BYTES).contains(&key.len()));
    key.map(|key| Some(key.to_owned())).ok_or_else(|| ApiError::bad("Idempotency-Key header is invalid"))
}

impl Repeats {
    /// The answer that was given to `name` before; none if it is to be carried out now.
    ///
    /// # Errors
    ///
    /// 409 while it is carried out, 422 if the name was given to another request.
    pub fn begin(&self, name: &Name, question: Question, now: Instant) -> Result<Option<Response>, ApiError> {
        let mut kept = self.lock();
        kept.forget(now);
        match kept.by_name.get(name) {
            None => {
                kept.by_age.push_back((name.clone(), now));
                kept.by_name.insert(name.clone(), Entry { since: now, question, answer: None });
                Ok(None)
            }
            Some(entry) if entry.question != question => Err(ApiError::another_request()),
            Some(Entry { answer: Some(answer), .. }) => Ok(Some(answer.clone().response())),
            Some(_) => Err(ApiError::conflict("this request is being carried out")),
        }
    }

    /// Keeps `response` for those who ask again; with a 5xx nothing was done, so they may.
    pub async fn end(&self, name: &Name, response: Response) -> Response {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, MAX_ANSWER_BYTES).await.unwrap_or_default();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        let mut kept = self.lock();
        if answer.status.is_server_error() {
            kept.by_name.remove(name);
        } else if let Some(entry) = kept.by_name.get_mut(name) {
            entry.answer = Some(answer.clone());
        }
        drop(kept);
        answer.response()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn forget(&mut self, now: Instant) {
        while let Some((_, since)) = self.by_age.front() {
            if now < *since + KEEP && self.by_age.len() < MAX_ANSWERS {
                return;
            }
            let (name, since) = self.by_age.pop_front().expect("there is a first one");
            if self.by_name.get(&name).is_some_and(|entry| entry.since == since) {
                self.by_name.remove(&name);
            }
        }
    }
}

impl Answer {
    fn response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn now() -> Instant {
        Instant::now()
    }

    fn name(key: usize) -> Name {
        (AccountId("MA1".into()), key.to_string())
    }

    fn question() -> Question {
        Question { method: Method::POST, path: "/x".into(), arguments: Arguments::default() }
    }

    async fn answered(repeats: &Repeats, key: usize, status: StatusCode, at: Instant) {
        assert!(repeats.begin(&name(key), question(), at).unwrap().is_none());
        let mut response = Response::new(Body::from("once"));
        *response.status_mut() = status;
        repeats.end(&name(key), response).await;
    }

    #[tokio::test]
    async fn an_answer_is_given_again_for_an_hour() {
        let (repeats, start) = (Repeats::default(), now());
        answered(&repeats, 1, StatusCode::CREATED, start).await;
        let again = repeats.begin(&name(1), question(), start + Duration::from_mins(59)).unwrap().unwrap();
        assert_eq!(again.status(), 201);
        assert_eq!(to_bytes(again.into_body(), 9).await.unwrap(), "once");
        assert!(repeats.begin(&name(1), question(), start + KEEP).unwrap().is_none());
    }

    #[tokio::test]
    async fn after_a_5xx_it_is_carried_out_again_and_kept_from_then_on() {
        let (repeats, start) = (Repeats::default(), now());
        answered(&repeats, 1, StatusCode::SERVICE_UNAVAILABLE, start).await;
        answered(&repeats, 1, StatusCode::CREATED, start + Duration::from_mins(30)).await;
        let later = start + Duration::from_mins(70);
        assert!(repeats.begin(&name(1), question(), later).unwrap().is_some());
    }

    #[tokio::test]
    async fn no_more_answers_are_kept_than_fit() {
        let (repeats, start) = (Repeats::default(), now());
        for key in 0..=MAX_ANSWERS {
            answered(&repeats, key, StatusCode::CREATED, start).await;
        }
        assert!(repeats.lock().by_name.len() <= MAX_ANSWERS);
        assert!(repeats.begin(&name(MAX_ANSWERS), question(), start).unwrap().is_some());
        assert!(repeats.begin(&name(0), question(), start).unwrap().is_none(), "the oldest was forgotten");
    }
}
