//! How a URL's fragment tunes the request of it: `#ct=2000&rt=40000&tt=55000&rc=1&rp=ct,rt&er=nearest`.

use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A status from 400 to 499.
    ClientError,
    /// A status from 500 to 599.
    ServerError,
    /// No connection in time.
    Connecting,
    /// No answer in time.
    Reading,
    /// Anything else, which no fragment names.
    Other,
}

/// What a fragment asks for; what it does not say, or says wrongly, is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// Longest wait for a connection (`ct`, 100 to 10,000 ms).
    pub connect: Option<Duration>,
    /// Longest wait for the answer after that (`rt`, 100 to 40,000 ms).
    pub read: Option<Duration>,
    /// Longest time of all tries together (`tt`, 100 to 55,000 ms).
    pub total: Option<Duration>,
    /// Further tries after the first (`rc`, 0 to 5).
    pub retries: Option<u32>,
    /// What is worth a further try (`rp`); everything if empty.
    retry_on: Vec<Failure>,
}

impl Tuning {
    /// What the fragment of `url` asks for.
    pub fn of(url: &str) -> Self {
        let mut tuning = Self::default();
        let Ok(url) = Url::parse(url) else { return tuning };
        for (name, value) in url::form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes()) {
            match &*name {
                "ct" => tuning.connect = millis(&value, 100..=10_000),
                "rt" => tuning.read = millis(&value, 100..=40_000),
                "tt" => tuning.total = millis(&value, 100..=55_000),
                "rc" => tuning.retries = number(&value, 0..=5),
                "rp" => tuning.retry_on = value.split(',').flat_map(failures).copied().collect(),
                // `er` names a region of Plivo's network.
                _ => {}
            }
        }
        tuning
    }

    /// Whether a request that failed so is worth a further try.
    pub fn retries_after(&self, failure: Failure) -> bool {
        self.retry_on.is_empty() || self.retry_on.contains(&failure)
    }
}

fn number(text: &str, accepted: RangeInclusive<u32>) -> Option<u32> {
    text.parse().ok().filter(|number| accepted.contains(number))
}

fn millis(text: &str, accepted: RangeInclusive<u32>) -> Option<Duration> {
    number(text, accepted).map(|number| Duration::from_millis(number.into()))
}

fn failures(word: &str) -> &'static [Failure] {
    use Failure::{ClientError, Connecting, Other, Reading, ServerError};
    match word.trim() {
        "4xx" => &[ClientError],
        "5xx" => &[ServerError],
        "ct" => &[Connecting],
        "rt" => &[Reading],
        "all" => &[ClientError, ServerError, Connecting, Reading, Other],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_says_how_long_and_how_often() {
        let tuning = Tuning::of("https://h/x?a=b#ct=2000&rt=40000&tt=55000&rc=1&rp=ct,rt&er=nearest");
        assert_eq!(tuning.connect, Some(Duration::from_secs(2)));
        assert_eq!(tuning.read, Some(Duration::from_secs(40)));
        assert_eq!(tuning.total, Some(Duration::from_secs(55)));
        assert_eq!(tuning.retries, Some(1));
        assert!(tuning.retries_after(Failure::Connecting) && tuning.retries_after(Failure::Reading));
        assert!(!tuning.retries_after(Failure::ServerError));
    }

    #[test]
    fn what_it_does_not_say_or_may_not_say_is_left_to_us() {
        for url in ["https://h/x", "https://h/#ct=99&rt=40001&tt=x&rc=6&rp=", "https://h/#frag", "no url"] {
            assert_eq!(Tuning::of(url), Tuning::default(), "{url}");
        }
        assert!(Tuning::default().retries_after(Failure::Other));
    }
}
