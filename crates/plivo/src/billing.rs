//! What Plivo would charge, so that clients which add it up find numbers.

use crate::Timestamp;

/// Plivo's sample rate for a participant's minute, in hundred-thousandths of a US dollar.
pub const RATE_PER_MINUTE: u64 = 500;

const MICROS_PER_MINUTE: u64 = 60_000_000;

/// Seconds billed for the time from `start` to `end`: every minute begun counts whole.
pub fn billed_seconds(start: Timestamp, end: Timestamp) -> u64 {
    end.micros_since(start).div_ceil(MICROS_PER_MINUTE) * 60
}

/// What `billed_seconds` cost, in US dollars with five decimals.
pub fn amount(billed_seconds: u64) -> String {
    let cost = billed_seconds / 60 * RATE_PER_MINUTE;
    format!("{}.{:05}", cost / 100_000, cost % 100_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn billed(micros: i64) -> u64 {
        billed_seconds(Timestamp::from_micros(7), Timestamp::from_micros(7 + micros))
    }

    #[test]
    fn a_minute_begun_is_a_minute_billed() {
        assert_eq!(
            [billed(0), billed(1), billed(60_000_000), billed(60_000_001), billed(-1)],
            [0, 60, 60, 120, 0]
        );
    }

    #[test]
    fn an_amount_has_five_decimals() {
        assert_eq!(
            [amount(0), amount(60), amount(600), amount(12_000_060)],
            ["0.00000", "0.00500", "0.05000", "1000.00500"]
        );
    }
}
