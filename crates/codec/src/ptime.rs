//! Packetisation time.

use std::time::Duration;

use mixminus_audio::TICK;

/// Audio in one packet that we send: 10 to 60 ms in steps of 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ptime(u8);

impl Ptime {
    /// The shortest, half a frame.
    pub const MIN: Self = Self(10);
    /// The longest, three frames.
    pub const MAX: Self = Self(60);

    /// The one with `ms`, if that is 10, 20, 30, 40, 50 or 60.
    pub const fn new(ms: u32) -> Option<Self> {
        if ms.is_multiple_of(10) && ms >= Self::MIN.ms() && ms <= Self::MAX.ms() {
            Some(Self(ms as u8))
        } else {
            None
        }
    }

    /// The longest that is not above `ms`, or the shortest.
    pub const fn at_most(ms: u32) -> Self {
        match Self::new(ms - ms % 10) {
            Some(ptime) => ptime,
            None if ms < Self::MIN.ms() => Self::MIN,
            None => Self::MAX,
        }
    }

    /// Milliseconds.
    pub const fn ms(self) -> u32 {
        self.0 as u32
    }

    /// The same as a duration.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0 as u64)
    }
}

impl Default for Ptime {
    /// One frame.
    fn default() -> Self {
        Self(TICK.as_millis() as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_ten_from_ten_to_sixty_milliseconds_are_packetisation_times() {
        let valid: Vec<u32> = (0..=200).filter(|&ms| Ptime::new(ms).is_some()).collect();
        assert_eq!(valid, [10, 20, 30, 40, 50, 60]);
    }

    #[test]
    fn any_wish_is_rounded_to_one_that_is_not_longer_if_there_is_one() {
        let given = [0, 5, 10, 19, 20, 59, 60, 61, u32::MAX];
        assert_eq!(given.map(|ms| Ptime::at_most(ms).ms()), [10, 10, 10, 10, 20, 50, 60, 60, 60]);
    }

    #[test]
    fn the_default_is_one_frame() {
        assert_eq!(Ptime::default().duration(), TICK);
    }
}
