//! Wall clock times as reports write them (RFC 3550, section 4).

use std::time::Duration;

/// From the start of 1900, where NTP begins, to that of 1970: 70 years, 17 of them leap years.
const UNIX_EPOCH: Duration = Duration::from_hours(24 * (70 * 365 + 17));

/// A wall clock time: seconds since 1900 in the upper half, their fraction in the lower one. It wraps in 2036.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// Its middle 32 bits, which count 65,536ths of a second.
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// Tells the wall clock time of a monotonic one. It does not follow later steps of the wall clock, so that
/// differences of its times are true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NtpClock {
    /// The time at which the monotonic clock was zero.
    origin: NtpTime,
}

impl NtpClock {
    /// A clock by which it is `since_1970` at the monotonic time `now`.
    pub fn new(now: Duration, since_1970: Duration) -> Self {
        let time = fixed_point(since_1970.saturating_add(UNIX_EPOCH));
        Self { origin: NtpTime(time.wrapping_sub(fixed_point(now))) }
    }

    /// The wall clock time at the monotonic time `now`.
    pub fn at(&self, now: Duration) -> NtpTime {
        NtpTime(self.origin.0.wrapping_add(fixed_point(now)))
    }
}

/// A duration in 65,536ths of a second, at most what 32 bits hold.
pub(super) fn to_short(duration: Duration) -> u32 {
    u32::try_from((duration.as_nanos() << 16) / 1_000_000_000).unwrap_or(u32::MAX)
}

/// The duration of so many 65,536ths of a second.
pub(super) fn from_short(short: u32) -> Duration {
    Duration::from_nanos((u64::from(short) * 1_000_000_000) >> 16)
}

/// A duration in 2^32nds of a second, without what exceeds 64 bits.
fn fixed_point(duration: Duration) -> u64 {
    ((duration.as_nanos() << 32) / 1_000_000_000) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_goes_on_from_where_it_was_set() {
        let clock = NtpClock::new(Duration::from_secs(100), Duration::from_secs(1));
        assert_eq!(clock.at(Duration::from_secs(100)), NtpTime(2_208_988_801 << 32));
        assert_eq!(clock.at(Duration::from_millis(101_500)), NtpTime((2_208_988_802 << 32) | 1 << 31));
        assert_eq!(
            clock.at(Duration::from_millis(101_500)).middle(),
            (2_208_988_802_u64 << 16) as u32 | 1 << 15
        );
    }

    #[test]
    fn a_clock_wraps_in_2036() {
        let clock = NtpClock::new(Duration::ZERO, Duration::from_secs((1 << 32) - 2_208_988_800 - 1));
        assert_eq!(clock.at(Duration::ZERO), NtpTime(0xFFFF_FFFF << 32));
        assert_eq!(clock.at(Duration::from_secs(2)), NtpTime(1 << 32));
    }

    #[test]
    fn short_durations_are_fractions_of_a_second() {
        assert_eq!(to_short(Duration::from_millis(5_250)), 0x0005_4000);
        assert_eq!(to_short(Duration::MAX), u32::MAX);
        assert_eq!(from_short(0x0005_4000), Duration::from_millis(5_250));
    }
}
