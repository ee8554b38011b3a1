//! Audio files and documents of sounds from the web.

use mixminus_control::Action;

use super::{FetchAudio, Fetched, PromptError};
use crate::web::{Limits, WebClient, WebRequest};

impl FetchAudio for WebClient {
    async fn fetch(&self, action: &Action) -> Result<Fetched, PromptError> {
        let Action { url, method } = action;
        let request = WebRequest { method: *method, url, params: &[], headers: &[], limits: Limits::AUDIO };
        let response = self.send(&request).await.map_err(|error| PromptError::Fetch(error.to_string()))?;
        Ok(Fetched { bytes: response.body, media_type: response.content_type, url: response.url.into() })
    }
}
