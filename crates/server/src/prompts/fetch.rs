//! Audio files and documents of sounds from the web.

use std::time::Duration;

use mixminus_control::Action;

use super::{FetchAudio, Fetched, PromptError};
use crate::web::{Destinations, Limits, WebClient, WebError, WebRequest, WebResponse};

/// Longest wait for a connection: Plivo's, of whoever serves sounds. A lost SYN is sent again once in that time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Fetches sounds, and each a second time if need be.
#[derive(Clone, Debug)]
pub struct AudioFiles(WebClient);

impl AudioFiles {
    /// Files at `destinations` only.
    ///
    /// # Errors
    ///
    /// [`reqwest::Error`] if the system gives no resources for a client.
    pub fn new(destinations: Destinations) -> Result<Self, reqwest::Error> {
        WebClient::connecting_within(CONNECT_TIMEOUT, destinations).map(Self)
    }

    async fn ask(&self, Action { url, method }: &Action) -> Result<WebResponse, WebError> {
        let request = WebRequest { method: *method, url, params: &[], headers: &[], limits: Limits::AUDIO };
        self.0.send(&request).await
    }
}

impl FetchAudio for AudioFiles {
    async fn fetch(&self, action: &Action) -> Result<Fetched, PromptError> {
        let answered = match self.ask(action).await {
            Err(error) if may_pass(&error) => {
                tracing::debug!(%error, "a sound is asked for once more");
                self.ask(action).await
            }
            answered => answered,
        };
        let response = answered.map_err(|error| PromptError::Fetch(error.to_string()))?;
        Ok(Fetched { bytes: response.body, media_type: response.content_type, url: response.url.into() })
    }
}

/// Whether another try may do better.
const fn may_pass(error: &WebError) -> bool {
    !matches!(
        error,
        WebError::InvalidUrl(_)
            | WebError::Scheme(_)
            | WebError::Forbidden { .. }
            | WebError::TooManyRedirects { .. }
            | WebError::BodyTooLarge { .. }
    )
}
