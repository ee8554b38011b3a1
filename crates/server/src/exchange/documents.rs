//! Fetches what calls are to do.

use std::sync::Arc;

use mixminus_control::{Action, Document, Fetch, FetchError};
use mixminus_plivo::Tuning;

use crate::dialect::{self, Means};
use crate::signer::Signer;
use crate::tuned::{failure, tuned};
use crate::web::{Limits, WebClient, WebError, WebRequest, WebResponse};

/// Fetches documents, signed in the account's name.
#[derive(Debug)]
pub struct Documents {
    /// Sends the requests.
    pub web: WebClient,
    /// Signs them.
    pub signer: Arc<Signer>,
    /// What documents are carried out with.
    pub means: Means,
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
        dialect::document(&response.body, response.url.as_str(), &self.means)
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
            limits: tuned(Limits::DOCUMENT, tuning),
        };
        self.web.send(&request).await
    }
}
