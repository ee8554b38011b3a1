//! Instants as Plivo writes them.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// Microseconds since the Unix epoch, written `2026-01-02 10:48:43+00:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00$")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads a filter value, `YYYY-MM-DD HH:MM[:SS[.ffffff]]` in UTC.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::strptime("%Y-%m-%d %H:%M:%S%.f", text)
            .or_else(|_| DateTime::strptime("%Y-%m-%d %H:%M", text))
            .and_then(|civil| civil.to_zoned(TimeZone::UTC))
            .ok()
            .map(|zoned| Self(zoned.timestamp().as_microsecond()))
    }

    /// `YYYY-MM-DD HH:MM:SS.ffffff`, the form of `SessionStart`.
    pub fn with_fraction(self) -> String {
        self.instant().strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
    }

    /// `YYYY-MM-DD HH:MM:SS`, the form of `sip_expires`.
    pub fn in_seconds(self) -> String {
        self.instant().strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The time from `earlier` to this instant in microseconds, zero if `earlier` is later.
    pub fn micros_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0).max(0) as u64
    }

    /// Whole seconds from `earlier` to this instant.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        self.micros_since(earlier) / 1_000_000
    }

    /// What lies outside the years -9999 to 9999 is brought to their edge.
    fn instant(self) -> jiff::Timestamp {
        let edge = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(edge)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.instant().strftime("%Y-%m-%d %H:%M:%S+00:00").fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn an_instant_is_written_with_a_space_and_an_offset() {
        let at = Timestamp::from_micros(1_767_350_923 * SECOND + 123_456);
        assert_eq!(at.to_string(), "2026-01-02 10:48:43+00:00");
        assert_eq!(at.with_fraction(), "2026-01-02 10:48:43.123456");
        assert_eq!(serde_json::to_string(&at).unwrap(), r#""2026-01-02 10:48:43+00:00""#);
    }

    #[test]
    fn filters_may_leave_out_fraction_and_seconds() {
        let midnight = 1_767_225_600 * SECOND;
        for (text, micros) in [
            ("2026-01-01 00:00", midnight),
            ("2026-01-01 00:00:05", midnight + 5 * SECOND),
            ("2026-01-01 00:00:05.25", midnight + 5 * SECOND + 250_000),
            ("2026-01-01 00:00:00.000001", midnight + 1),
        ] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in ["", "2026-01-01", "2026-01-01T00:00", "2026-02-30 00:00", "2026-01-01 00:00 x", "now"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_beyond_the_calendar_is_still_written() {
        assert!(Timestamp(i64::MAX).to_string().starts_with("9999-12-30"));
        assert!(Timestamp(i64::MIN).to_string().starts_with("-9999-01-02"));
    }
}
