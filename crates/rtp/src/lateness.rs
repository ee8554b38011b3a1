//! How late packets have been.

/// Ticks in each part of the memory.
const PART_TICKS: u32 = 25;

/// Parts of the memory: four seconds in all. A longer memory keeps delay that a rare late packet needs, a
/// shorter one gives delay back sooner.
const PARTS: usize = 8;

/// How long what follows a stall may take to come, in ticks.
const SETTLING_TICKS: u32 = 10;

/// The least and the most lateness of the packets of some time, in samples from an origin that stays the
/// same as long as the stream goes on.
#[derive(Clone, Copy, Debug)]
struct Range {
    least: i64,
    most: i64,
}

/// The range of lateness in the last seconds.
#[derive(Clone, Debug)]
pub(crate) struct Lateness {
    parts: [Range; PARTS],
    all: Range,
    current: usize,
    ticks: u32,
    settling: Settling,
}

/// After a stall: what was sent during it is late because of that, and the first packet that was not tells how
/// late packets are.
#[derive(Clone, Copy, Debug, Default)]
struct Settling {
    ticks_left: u32,
    spread: i64,
}

impl Range {
    const EMPTY: Self = Self { least: i64::MAX, most: i64::MIN };

    fn and(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }
}

impl Lateness {
    /// Nothing has come.
    pub(crate) const fn new() -> Self {
        let settling = Settling { ticks_left: 0, spread: 0 };
        Self { parts: [Range::EMPTY; PARTS], all: Range::EMPTY, current: 0, ticks: 0, settling }
    }

    /// A packet came so late.
    pub(crate) fn note(&mut self, lateness: i64) {
        let settling = self.settling;
        if settling.ticks_left > 0 && lateness < self.all.least {
            self.restart(lateness, settling.spread);
            self.settling = settling;
        }
        let noted = Range { least: lateness, most: lateness };
        self.parts[self.current] = self.parts[self.current].and(noted);
        self.all = self.all.and(noted);
    }

    /// Forgets everything but that packets have been from `least` to `spread` more than that late.
    pub(crate) fn restart(&mut self, least: i64, spread: i64) {
        *self = Self::new();
        self.note(least);
        self.note(least + spread);
    }

    /// Forgets, because of a stall, everything but the spread, up to `max_spread`, of what came before; of what
    /// comes after it the least lateness counts.
    pub(crate) fn settle(&mut self, least: i64, max_spread: i64) {
        let spread = self.spread().min(max_spread);
        self.restart(least, spread);
        self.settling = Settling { ticks_left: SETTLING_TICKS, spread };
    }

    /// A tick passes.
    pub(crate) fn tick(&mut self) {
        self.settling.ticks_left = self.settling.ticks_left.saturating_sub(1);
        self.ticks += 1;
        if self.ticks == PART_TICKS {
            self.ticks = 0;
            self.current = (self.current + 1) % PARTS;
            self.parts[self.current] = Range::EMPTY;
            self.all = self.parts.into_iter().fold(Range::EMPTY, Range::and);
        }
    }

    /// How late the latest packet was, if any came.
    pub(crate) fn most(&self) -> Option<i64> {
        (self.all.most != i64::MIN).then_some(self.all.most)
    }

    /// How much later the latest packet was than the earliest.
    pub(crate) fn spread(&self) -> i64 {
        self.most().map_or(0, |most| most - self.all.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_packet_is_remembered_for_all_parts() {
        let mut lateness = Lateness::new();
        lateness.note(100);
        lateness.note(900);
        assert_eq!((lateness.most(), lateness.spread()), (Some(900), 800));
        (0..PART_TICKS).for_each(|_| lateness.tick());
        lateness.note(200);
        (0..PART_TICKS * (PARTS as u32 - 1) - 1).for_each(|_| lateness.tick());
        assert_eq!(lateness.spread(), 800);
        lateness.tick();
        assert_eq!((lateness.most(), lateness.spread()), (Some(200), 0));
        (0..PART_TICKS).for_each(|_| lateness.tick());
        assert_eq!((lateness.most(), lateness.spread()), (None, 0));
    }

    #[test]
    fn a_restart_forgets_all_but_what_it_is_told() {
        let mut lateness = Lateness::new();
        lateness.note(5_000);
        lateness.restart(-50, 80);
        assert_eq!((lateness.most(), lateness.spread()), (Some(30), 80));
    }

    #[test]
    fn after_a_stall_the_first_packet_that_was_not_stalled_counts() {
        let mut lateness = Lateness::new();
        lateness.note(100);
        lateness.note(140);
        lateness.settle(3_000, 1_600);
        lateness.note(1_500);
        lateness.note(100);
        assert_eq!((lateness.most(), lateness.spread()), (Some(140), 40));
        lateness.note(200);
        (0..SETTLING_TICKS).for_each(|_| lateness.tick());
        lateness.note(50);
        assert_eq!((lateness.most(), lateness.spread()), (Some(200), 150));
    }
}
