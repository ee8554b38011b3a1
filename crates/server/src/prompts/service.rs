//! A service that speaks: text in a request, an audio file in the answer.

use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::PromptError;
use super::voices::Voice;
use crate::web::{Limits, WebClient};

/// Where the service is. The deployer named it, so it may be anywhere, this machine included.
#[derive(Debug)]
pub struct Service {
    /// May go to any address.
    pub web: WebClient,
    /// With what a [`Voice`] fills in in the values of its query.
    pub url: Url,
    /// When it is given up.
    pub limit: Duration,
}

impl Service {
    /// What the service makes of `text`.
    ///
    /// # Errors
    ///
    /// [`PromptError::Engine`] when it fails.
    pub async fn say(&self, text: &str, voice: &Voice) -> Result<Bytes, PromptError> {
        let limits = Limits { timeout: self.limit, ..Limits::AUDIO };
        let answer = self.web.post_text(self.url_for(voice), text.to_owned(), limits).await;
        answer.map(|answer| answer.body).map_err(|error| PromptError::Engine(error.to_string()))
    }

    fn url_for(&self, voice: &Voice) -> Url {
        let mut url = self.url.clone();
        if url.query().is_some() {
            let pairs = self.url.query_pairs().map(|(name, value)| (name, voice.fill(&value)));
            url.query_pairs_mut().clear().extend_pairs(pairs);
        }
        url
    }
}
