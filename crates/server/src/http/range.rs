//! Which bytes of a file a request wants (RFC 9110, section 14).

use std::ops::Range;

use axum::http::HeaderMap;
use axum::http::header::{IF_RANGE, RANGE};

/// What of a file is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    All,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that it does not have.
    Nothing,
}

/// What a request with `headers` wants of a file of `len` bytes whose entity tag is `etag`.
///
/// A range of which nothing is understood is no range; of several none is, which 14.2 permits.
pub fn wanted(headers: &HeaderMap, len: u64, etag: &str) -> Wanted {
    let Some(range) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else { return Wanted::All };
    // A date, too, is another version's: nothing is told of when a file was changed.
    if headers.get(IF_RANGE).is_some_and(|version| version.as_bytes() != etag.as_bytes()) {
        return Wanted::All;
    }
    parse(range, len).unwrap_or(Wanted::All)
}

fn parse(range: &str, len: u64) -> Option<Wanted> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let range = match (first.is_empty(), last.is_empty()) {
        (true, _) => len.saturating_sub(number(last)?)..len,
        (false, true) => number(first)?..len,
        (false, false) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            first..len.min(last.saturating_add(1))
        }
    };
    Some(if range.is_empty() { Wanted::Nothing } else { Wanted::Part(range) })
}

/// Digits and nothing else; a number beyond all files is just that.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &str)], len: u64) -> Wanted {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (axum::http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        wanted(&headers, len, "\"tag\"")
    }

    #[test]
    fn one_range_is_taken_and_what_is_none_ignored() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=2-4", Wanted::Part(2..5)),
            ("Bytes = 2-4", Wanted::Part(2..5)),
            ("bytes=9-", Wanted::Part(9..10)),
            ("bytes=0-99", Wanted::Part(0..10)),
            ("bytes=3-18446744073709551616", Wanted::Part(3..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-99", Wanted::Part(0..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=18446744073709551616-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=4-2", Wanted::All),
            ("bytes=0-1,3-4", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("bytes=a-b", Wanted::All),
            ("bytes", Wanted::All),
            ("lines=0-1", Wanted::All),
        ] {
            assert_eq!(of(&[("range", range)], 10), expected, "{range}");
        }
        assert_eq!(of(&[("range", "bytes=0-")], 0), Wanted::Nothing);
        assert_eq!(of(&[], 10), Wanted::All);
    }

    #[test]
    fn a_range_of_another_version_is_ignored() {
        let range = ("range", "bytes=0-0");
        assert_eq!(of(&[range, ("if-range", "\"tag\"")], 10), Wanted::Part(0..1));
        for other in ["\"gat\"", "W/\"tag\"", "Fri, 02 Jan 2026 10:48:43 GMT"] {
            assert_eq!(of(&[range, ("if-range", other)], 10), Wanted::All, "{other}");
        }
    }
}
