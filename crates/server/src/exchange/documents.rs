//! Fetches what calls are to do.

use std::sync::Arc;

use mixminus_control::{Action, Document, Fetch, FetchError};
use mixminus_plivo::{Failure, Tuning, xml};

use crate::dialect;
use crate::signer::Signer;
use crate::web::{CONNECT_TIMEOUT, Limits, WebClient, WebError, WebRequest, WebResponse};

/// Fetches documents, signed in the account's name.
#[derive(Debug)]
pub struct Documents {
    /// Sends the requests.
    pub web: WebClient,
    /// Signs them.
    pub signer: Arc<Signer>,
    /// What a document may ask for.
    pub limits: xml::Limits,
}

impl Documents {
    /// The document that `fetch` asks for, from its fallback if its own URL fails.
    ///
    /// # Errors
    ///
    /// [`FetchError`]: it does not come, or it is not valid.
    pub async fn fetch(&self, fetch: &Fetch) -> Result<Document, FetchError> {
        let result = self.fetch_from(fetch, &fetch.action).await;
        match (&result, &fetch.fallback) {
            (Err(error), Some(fallback)) => {
                tracing::warn!(call = %fetch.call.id, %error, "asking the fallback URL");
                self.fetch_from(fetch, fallback).await
            }
            _ => result,
        }
    }

    /// Tries as long and as often as the fragment of the URL says.
    async fn fetch_from(&self, fetch: &Fetch, action: &Action) -> Result<Document, FetchError> {
        let tuning = Tuning::of(&action.url);
        let total = tuning.total.unwrap_or(Limits::DOCUMENT.timeout);
        let mut tries_left = tuning.retries.unwrap_or(0);
        let tries = async {
            loop {
                match self.ask(fetch, action, &tuning).await {
                    Err(error) if tries_left > 0 && tuning.retries_after(failure(&error)) => tries_left -= 1,
                    answered => return answered,
                }
            }
        };
        let answered = tokio::time::timeout(total, tries).await;
        let too_late = |_| FetchError::Unreachable(format!("no answer within {total:?}"));
        let response =
            answered.map_err(too_late)?.map_err(|error| FetchError::Unreachable(error.to_string()))?;
        dialect::document(&response.body, response.url.as_str(), &self.limits)
    }

    async fn ask(&self, fetch: &Fetch, action: &Action, tuning: &Tuning) -> Result<WebResponse, WebError> {
        let params = dialect::fetch_parameters(fetch);
        let asked = dialect::request(&action.url, action.method, params.clone());
        let headers = self.signer.sign(&fetch.call.account, &asked);
        let request = WebRequest {
            method: action.method,
            url: &action.url,
            params: &params,
            headers: &headers,
            limits: limits(tuning),
        };
        self.web.send(&request).await
    }
}

/// What one try may take: the wait for a connection and that for an answer together.
fn limits(tuning: &Tuning) -> Limits {
    let Limits { timeout, .. } = Limits::DOCUMENT;
    let tuned = match (tuning.connect, tuning.read) {
        (None, None) => timeout,
        (connect, read) => connect.unwrap_or(CONNECT_TIMEOUT) + read.unwrap_or(timeout),
    };
    Limits { timeout: tuned, ..Limits::DOCUMENT }
}

const fn failure(error: &WebError) -> Failure {
    match error {
        WebError::Status { status: 400..=499, .. } => Failure::ClientError,
        WebError::Status { status: 500..=599, .. } => Failure::ServerError,
        WebError::Unreachable { .. } => Failure::Connecting,
        WebError::Timeout { .. } => Failure::Reading,
        _ => Failure::Other,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_try_takes_as_long_as_the_fragment_says() {
        let timeout = |fragment: &str| limits(&Tuning::of(&format!("http://h/x#{fragment}"))).timeout;
        assert_eq!(timeout(""), Limits::DOCUMENT.timeout);
        assert_eq!(timeout("ct=500&rt=2000"), Duration::from_millis(2500));
        assert_eq!(timeout("rt=40000"), CONNECT_TIMEOUT + Duration::from_secs(40));
    }

    #[test]
    fn failures_are_what_a_fragment_calls_them() {
        let status = |status| failure(&WebError::Status { host: "h".into(), status });
        assert_eq!(
            (status(404), status(503), status(302)),
            (Failure::ClientError, Failure::ServerError, Failure::Other)
        );
        let late = WebError::Timeout { host: "h".into(), limit: Duration::ZERO };
        assert_eq!(failure(&late), Failure::Reading);
    }
}
