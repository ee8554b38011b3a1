//! Audio files from the web.

use mixminus_control::HttpMethod;

use super::{AudioFile, FetchAudio, PromptError};
use crate::web::{Limits, WebClient, WebRequest};

impl FetchAudio for WebClient {
    async fn fetch(&self, url: &str) -> Result<AudioFile, PromptError> {
        let request =
            WebRequest { method: HttpMethod::Get, url, params: &[], headers: &[], limits: Limits::AUDIO };
        let response = self.send(&request).await.map_err(|error| PromptError::Fetch(error.to_string()))?;
        Ok(AudioFile { bytes: response.body, media_type: response.content_type })
    }
}
