//! The deadlines of a worker's ticks.

use std::time::Duration;

use mixminus_audio::TICK;

/// Ticks that a late worker runs back to back. More would send far ends a
/// burst that they cannot use; fewer would lose audio in a hiccup that their
/// jitter buffers bridge.
pub(crate) const MAX_CATCH_UP: u64 = 5;

/// Absolute deadlines one tick apart: however late a tick begins, the next is
/// due when it would have been.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cadence {
    phase: Duration,
    deadline: Duration,
}

impl Cadence {
    /// Deadlines at `phase`, less than a tick, past the whole ticks of the clock.
    pub(crate) fn new(phase: Duration) -> Self {
        Self { phase, deadline: Duration::ZERO }
    }

    /// Begins anew with the first deadline after `now`.
    pub(crate) fn restart(&mut self, now: Duration) {
        let [now, phase, tick] = [now, self.phase, TICK].map(|time| time.as_nanos() as u64);
        let since_deadline = (now + tick - phase) % tick;
        self.deadline = Duration::from_nanos(now - since_deadline + tick);
    }

    /// When the next tick is due.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The number of the next tick: whole ticks of the clock, so that workers agree whatever their phases.
    pub(crate) fn number(&self) -> u64 {
        (self.deadline.as_nanos() / TICK.as_nanos()) as u64
    }

    /// Goes on to the tick after the one that ended at `now`. Returns how many
    /// ticks are given up because it is too late to catch up.
    pub(crate) fn advance(&mut self, now: Duration) -> u64 {
        self.deadline += TICK;
        let behind = (now.saturating_sub(self.deadline).as_nanos() / TICK.as_nanos()) as u64;
        if behind <= MAX_CATCH_UP {
            return 0;
        }
        self.deadline += Duration::from_nanos(behind * TICK.as_nanos() as u64);
        behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn cadence(phase_ms: u64, now_ms: u64) -> Cadence {
        let mut cadence = Cadence::new(ms(phase_ms));
        cadence.restart(ms(now_ms));
        cadence
    }

    #[test]
    fn deadlines_keep_their_phase() {
        assert_eq!(cadence(0, 1000).deadline(), ms(1020));
        assert_eq!(cadence(0, 1019).deadline(), ms(1020));
        assert_eq!(cadence(10, 1000).deadline(), ms(1010));
        assert_eq!(cadence(10, 1010).deadline(), ms(1030));
    }

    #[test]
    fn ticks_are_numbered_alike_at_all_phases_and_those_given_up_are_skipped() {
        let numbers = [0, 10].map(|phase| {
            let mut cadence = cadence(phase, 995);
            let first = cadence.number();
            cadence.advance(ms(1175));
            (first, cadence.number())
        });
        assert_eq!(numbers, [(50, 58), (50, 58)]);
    }

    #[test]
    fn a_late_tick_does_not_delay_the_next() {
        let mut cadence = cadence(0, 1000);
        assert_eq!(cadence.advance(ms(1039)), 0);
        assert_eq!(cadence.deadline(), ms(1040));
    }

    #[test]
    fn up_to_five_missed_ticks_are_caught_up() {
        let mut cadence = cadence(0, 1000);
        assert_eq!(cadence.advance(ms(1159)), 0);
        assert_eq!(cadence.deadline(), ms(1040));
    }

    #[test]
    fn after_more_the_cadence_goes_on_from_now() {
        let mut cadence = cadence(0, 1000);
        assert_eq!(cadence.advance(ms(1165)), 6);
        assert_eq!(cadence.deadline(), ms(1160));
    }
}
