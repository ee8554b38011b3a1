//! What a leg costs its worker.

use std::time::Duration;

/// What one leg may use of a tick of 20 ms. Decoding the costliest Opus takes a
/// tenth of this, taking in a packet a thousandth.
const BUDGET: Duration = Duration::from_millis(2);

/// Every so many ticks one is measured: reading the clock twice at each would
/// cost a hundredth of a leg.
const SAMPLING_TICKS: u8 = 8;

/// Measured ticks in a row over the budget that are not the machine's fault: a
/// second.
const TOLERATED: u8 = 6;

/// Finds the leg that would make everybody else's ticks late.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    ticks: u8,
    spent: Duration,
    over: u8,
}

impl Meter {
    /// A meter whose ticks are those of few others, for another `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self { ticks: (seed % u64::from(SAMPLING_TICKS)) as u8, ..Self::default() }
    }

    /// Whether this tick is measured.
    pub(crate) fn measures(&self) -> bool {
        self.ticks == 0
    }

    /// Adds what a part of this tick took.
    pub(crate) fn spend(&mut self, time: Duration) {
        self.spent += time;
    }

    /// Ends the tick. Returns whether the leg has cost too much for too long.
    pub(crate) fn end_tick(&mut self) -> bool {
        if self.measures() {
            self.over = if self.spent > BUDGET { self.over.saturating_add(1) } else { 0 };
            self.spent = Duration::ZERO;
        }
        self.ticks = (self.ticks + 1) % SAMPLING_TICKS;
        self.over >= TOLERATED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many ticks it is too much, with so much spent in each.
    fn ticks_of(spent_us: impl Fn(u32) -> u64) -> Option<u32> {
        let mut meter = Meter::new(0);
        (1..1_000).find(|tick| {
            if meter.measures() {
                meter.spend(Duration::from_micros(spent_us(*tick)));
            }
            meter.end_tick()
        })
    }

    #[test]
    fn a_leg_that_keeps_costing_too_much_is_found_within_a_second() {
        assert_eq!(ticks_of(|_| 2_001), Some(41));
    }

    #[test]
    fn a_leg_within_its_budget_or_above_it_at_times_is_not() {
        assert_eq!(ticks_of(|_| 2_000), None);
        assert_eq!(ticks_of(|tick| if tick % 32 == 1 { 0 } else { 50_000 }), None);
    }
}
