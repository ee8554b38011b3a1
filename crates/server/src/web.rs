//! Requests to URLs that customers name: documents, callbacks, audio files.
//!
//! Nothing here trusts the URL or who answers. Addresses are checked on every
//! hop after they were resolved, and time, redirects and size are bounded.

mod error;
mod guard;
#[cfg(test)]
pub(crate) mod tests;
mod websocket;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mixminus_control::HttpMethod;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Method, StatusCode};
use tokio::time::timeout;
use url::Url;

pub use error::WebError;
pub use guard::Destinations;
use guard::Guard;
pub use websocket::WebSocket;

/// Redirects followed for one document or file.
const MAX_REDIRECTS: usize = 5;

/// Longest wait for a connection: a lost SYN is sent again twice in that time.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What one request may cost, redirects included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest time until the last byte.
    pub timeout: Duration,
    /// Largest answer; an answer's body is not read at all if absent.
    pub body_bytes: Option<usize>,
    /// Most redirects followed.
    pub redirects: usize,
}

impl Limits {
    /// For documents: Plivo's limits.
    pub const DOCUMENT: Self =
        Self { timeout: Duration::from_secs(15), body_bytes: Some(100 * 1024), redirects: MAX_REDIRECTS };

    /// For audio files: Plivo's size; twice a document's time, for a hundred times its size.
    pub const AUDIO: Self = Self {
        timeout: Duration::from_secs(30),
        body_bytes: Some(10 * 1024 * 1024),
        redirects: MAX_REDIRECTS,
    };

    /// For callbacks, where the status says all. One that was redirected would carry the signature of
    /// another URL, so a redirect acknowledges nothing.
    pub const CALLBACK: Self = Self { timeout: Duration::from_secs(15), body_bytes: None, redirects: 0 };
}

/// A request to a customer's URL.
#[derive(Clone, Debug)]
pub struct WebRequest<'a> {
    /// Parameters go into the query or into a form body by this.
    pub method: HttpMethod,
    /// Where to; a fragment is not sent.
    pub url: &'a str,
    /// Names and values, not encoded.
    pub params: &'a [(String, String)],
    /// Further headers, such as signatures; sent with every hop as they are,
    /// though they were made for the first URL.
    pub headers: &'a [(&'static str, String)],
    /// What it may cost.
    pub limits: Limits,
}

/// A successful answer.
#[derive(Clone, Debug)]
pub struct WebResponse {
    /// Where it came from in the end; relative URLs in it are resolved against this.
    pub url: Url,
    /// The media type it was sent with, which may be wrong.
    pub content_type: Option<String>,
    /// The body, empty if it was not to be read.
    pub body: Bytes,
}

/// A URL as it may be logged: without user, password and query.
pub fn loggable(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "no URL".to_owned() };
    url.set_query(None);
    url.set_fragment(None);
    // These fail only for URLs that have no host, and so nothing to hide there.
    url.set_username("").ok();
    url.set_password(None).ok();
    url.into()
}

/// Sends [`WebRequest`]s.
#[derive(Clone, Debug)]
pub struct WebClient {
    client: reqwest::Client,
    guard: Guard,
}

impl WebClient {
    /// A client that reaches `destinations` only.
    ///
    /// # Errors
    ///
    /// [`reqwest::Error`] if the system gives no resources for a client.
    pub fn new(destinations: Destinations) -> Result<Self, reqwest::Error> {
        Self::connecting_within(CONNECT_TIMEOUT, destinations)
    }

    /// A client that reaches `destinations` only, and waits no longer than that for a connection.
    ///
    /// # Errors
    ///
    /// [`reqwest::Error`] if the system gives no resources for a client.
    pub fn connecting_within(
        connect_timeout: Duration,
        destinations: Destinations,
    ) -> Result<Self, reqwest::Error> {
        // Fails only if a provider is installed already, which then is used.
        rustls::crypto::ring::default_provider().install_default().ok();
        let guard = Guard::new(destinations);
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("mixminus/", env!("CARGO_PKG_VERSION")))
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(connect_timeout)
                .dns_resolver(guard.clone())
        };
        let client = builder().build().or_else(|error| {
            tracing::warn!(%error, "no usable root certificates: https URLs will not be reachable");
            builder().tls_certs_only([]).build()
        })?;
        Ok(Self { client, guard })
    }

    /// Sends `request`, follows redirects and reads the answer.
    ///
    /// # Errors
    ///
    /// [`WebError`] for everything but a 2xx answer within the limits.
    pub async fn send(&self, request: &WebRequest<'_>) -> Result<WebResponse, WebError> {
        let hop = Hop::first(request)?;
        let limit = request.limits.timeout;
        let host = host(&hop.url);
        timeout(limit, self.follow(hop, request)).await.unwrap_or(Err(WebError::Timeout { host, limit }))
    }

    /// Sends `text` to the deployer's own `url` and reads the answer, without redirects.
    ///
    /// # Errors
    ///
    /// [`WebError`] for everything but a 2xx answer within the limits.
    pub async fn post_text(&self, url: Url, text: String, limits: Limits) -> Result<WebResponse, WebError> {
        let (host, limit) = (host(&url), limits.timeout);
        let exchange = async {
            self.guard.check(&url)?;
            let request = self.client.post(url.clone()).header(CONTENT_TYPE, "text/plain; charset=utf-8");
            let response = request.body(text).send().await;
            let response = response.map_err(|error| WebError::from_exchange(self::host(&url), error))?;
            read(response, url, limits.body_bytes).await
        };
        timeout(limit, exchange).await.unwrap_or(Err(WebError::Timeout { host, limit }))
    }

    async fn follow(&self, mut hop: Hop, request: &WebRequest<'_>) -> Result<WebResponse, WebError> {
        let may_follow = request.limits.redirects > 0;
        for _ in 0..=request.limits.redirects {
            let response = self.ask(&hop, request.headers).await?;
            let leads_on = may_follow && is_redirect(response.status());
            let location = response.headers().get(LOCATION).filter(|_| leads_on);
            match location {
                Some(location) => hop = hop.next(response.status(), location.as_bytes())?,
                None => return read(response, hop.url, request.limits.body_bytes).await,
            }
        }
        Err(WebError::TooManyRedirects { host: host(&hop.url) })
    }

    async fn ask(
        &self,
        hop: &Hop,
        headers: &[(&'static str, String)],
    ) -> Result<reqwest::Response, WebError> {
        self.guard.check(&hop.url)?;
        let method = match hop.form {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut request = self.client.request(method, hop.url.clone());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if let Some(form) = &hop.form {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone());
        }
        request.send().await.map_err(|error| WebError::from_exchange(host(&hop.url), error))
    }
}

/// One request of a chain of redirects.
struct Hop {
    url: Url,
    /// The body of a POST; a GET has none.
    form: Option<String>,
}

impl Hop {
    fn first(request: &WebRequest<'_>) -> Result<Self, WebError> {
        let mut url = Url::parse(request.url)?;
        url.set_fragment(None);
        let form = match request.method {
            HttpMethod::Post => Some(
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(request.params).finish(),
            ),
            HttpMethod::Get => None,
        };
        if form.is_none() && !request.params.is_empty() {
            url.query_pairs_mut().extend_pairs(request.params);
        }
        Ok(Self { url, form })
    }

    /// Where `location` leads. The method stays and with it the parameters, or what
    /// was to be told would be lost; only 303 says that it has been taken.
    fn next(self, status: StatusCode, location: &[u8]) -> Result<Self, WebError> {
        let mut url = self.url.join(&String::from_utf8_lossy(location))?;
        url.set_fragment(None);
        let sees_other = status == StatusCode::SEE_OTHER;
        Ok(Self { url, form: self.form.filter(|_| !sees_other) })
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

async fn read(
    mut response: reqwest::Response,
    url: Url,
    body_bytes: Option<usize>,
) -> Result<WebResponse, WebError> {
    let host = host(&url);
    if !response.status().is_success() {
        return Err(WebError::Status { host, status: response.status().as_u16() });
    }
    let content_type =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = BytesMut::new();
    if let Some(limit_bytes) = body_bytes {
        while let Some(chunk) =
            response.chunk().await.map_err(|error| WebError::from_exchange(host.clone(), error))?
        {
            if body.len() + chunk.len() > limit_bytes {
                return Err(WebError::BodyTooLarge { host, limit_bytes });
            }
            body.extend_from_slice(&chunk);
        }
    }
    Ok(WebResponse { url, content_type, body: body.freeze() })
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}
