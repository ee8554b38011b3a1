//! Requests as the fragments of their URLs tune them.

use mixminus_plivo::{Failure, Tuning};

use crate::web::{CONNECT_TIMEOUT, Limits, WebError};

/// `limits` with the time that `tuning` gives one try: the wait for a connection and that for an answer together.
pub fn tuned(limits: Limits, tuning: &Tuning) -> Limits {
    let timeout = match (tuning.connect, tuning.read) {
        (None, None) => limits.timeout,
        (connect, read) => connect.unwrap_or(CONNECT_TIMEOUT) + read.unwrap_or(limits.timeout),
    };
    Limits { timeout, ..limits }
}

/// What a fragment calls `error`.
pub const fn failure(error: &WebError) -> Failure {
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
        let timeout =
            |fragment: &str| tuned(Limits::DOCUMENT, &Tuning::of(&format!("http://h/x#{fragment}"))).timeout;
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
