use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use super::guard::Forbidden;

/// Why a customer's URL gave no answer. The texts name the host, never the
/// URL, whose path and query may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// It is no URL.
    #[error("not a valid URL: {0}")]
    InvalidUrl(#[from] url::ParseError),
    /// It is an URL of another kind.
    #[error("only http and https URLs are requested, not {0}")]
    Scheme(String),
    /// The host is, or has, an address that may not be reached.
    #[error("{host} is at {address}, which is not a public address (see urls.allow_private)")]
    Forbidden {
        /// As the URL names it.
        host: String,
        /// The address.
        address: IpAddr,
    },
    /// The host's name has no address.
    #[error("the name {host} cannot be resolved")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver said.
        source: reqwest::Error,
    },
    /// Nobody accepts a connection, or not a secure one.
    #[error("cannot connect to {host}: {}", root(source))]
    Unreachable {
        /// The host.
        host: String,
        /// What the system said.
        source: reqwest::Error,
    },
    /// The connection broke, or what came is no HTTP.
    #[error("{host} did not answer properly: {}", root(source))]
    Broken {
        /// The host.
        host: String,
        /// What was wrong.
        source: reqwest::Error,
    },
    /// Whoever answered does not know WebSockets.
    #[error("{host} did not accept a WebSocket as RFC 6455 asks")]
    NoWebSocket {
        /// The host.
        host: String,
    },
    /// The last byte did not come in time.
    #[error("{host} did not answer within {limit:?}")]
    Timeout {
        /// The host first asked.
        host: String,
        /// How long it had.
        limit: Duration,
    },
    /// One redirect led to the next.
    #[error("too many redirects, the last one to {host}")]
    TooManyRedirects {
        /// The host not asked any more.
        host: String,
    },
    /// The answer is not a success.
    #[error("{host} answered with status {status}")]
    Status {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is larger than is taken.
    #[error("{host} answered with more than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The host.
        host: String,
        /// How much is taken.
        limit_bytes: usize,
    },
}

impl WebError {
    /// Whether the same request can never succeed.
    pub const fn is_permanent(&self) -> bool {
        matches!(self, Self::InvalidUrl(_) | Self::Scheme(_))
    }

    /// What an `error` in the exchange with `host` means.
    pub(super) fn from_exchange(host: String, error: reqwest::Error) -> Self {
        let source = error.without_url();
        let forbidden = causes(&source).find_map(|cause| cause.downcast_ref::<Forbidden>());
        if let Some(Forbidden(address)) = forbidden {
            Self::Forbidden { host, address: *address }
        } else if source.is_dns() {
            Self::Unresolved { host, source }
        } else if source.is_connect() {
            Self::Unreachable { host, source }
        } else {
            Self::Broken { host, source }
        }
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

fn root(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
