//! When a leg's next packet is due, wherever the leg is.

use std::time::Duration;

use mixminus_audio::TICK;

/// Packets that a leg makes up for with silence after it was between bridges
/// or its worker was late: a move takes two, and a longer burst would not fit
/// a far end's jitter buffer.
pub(crate) const MAX_MADE_UP: u64 = 5;

/// What a leg missed before the current tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// Nothing.
    Nothing,
    /// So few packets that they are sent now, as silence.
    Packets(u64),
    /// So many ticks that only the RTP timestamp makes up for them.
    Ticks(u64),
}

/// Counts one packet a tick from the first one on, by the nominal times of
/// the ticks, so that workers with different phases do not stretch the stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timeline {
    due: Option<Duration>,
}

impl Timeline {
    /// One tick of the leg, nominally at `now`.
    pub(crate) fn tick(&mut self, now: Duration) -> Missed {
        let due = self.due.unwrap_or(now);
        let missed = (now.saturating_sub(due).as_nanos() / TICK.as_nanos()) as u64;
        self.due = Some(due + Duration::from_nanos(TICK.as_nanos() as u64 * (missed + 1)));
        match missed {
            0 => Missed::Nothing,
            1..=MAX_MADE_UP => Missed::Packets(missed),
            _ => Missed::Ticks(missed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn after(ticks_ms: &[u64]) -> Timeline {
        let mut timeline = Timeline::default();
        for tick in ticks_ms {
            assert_eq!(timeline.tick(ms(*tick)), Missed::Nothing);
        }
        timeline
    }

    #[test]
    fn regular_ticks_miss_nothing() {
        after(&[1000, 1020, 1040, 1060]);
    }

    #[test]
    fn a_move_between_phases_and_back_costs_one_packet_not_two() {
        let mut timeline = after(&[1000, 1030, 1050]);
        assert_eq!(timeline.tick(ms(1080)), Missed::Packets(1));
        assert_eq!(timeline.tick(ms(1100)), Missed::Nothing);
    }

    #[test]
    fn a_short_absence_is_made_up_for() {
        assert_eq!(after(&[1000]).tick(ms(1120)), Missed::Packets(5));
    }

    #[test]
    fn a_long_absence_is_skipped() {
        let mut timeline = after(&[1000]);
        assert_eq!(timeline.tick(ms(1140)), Missed::Ticks(6));
        assert_eq!(timeline.tick(ms(1160)), Missed::Nothing);
    }

    #[test]
    fn a_worker_that_is_behind_another_still_sends_one_packet_a_tick() {
        let mut timeline = after(&[1000, 1020, 990, 1010]);
        assert_eq!(timeline.tick(ms(1100)), Missed::Packets(1));
    }
}
