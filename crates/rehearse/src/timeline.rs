//! When who makes which sound.

use std::ops::Range;
use std::time::Duration;

use mixminus_audio::TICK;

/// Ticks until jitter buffers are filled and everything is warm.
const SETTLE_TICKS: u32 = 75;
/// Silence between the voices and the first click.
const PAUSE_TICKS: u32 = 25;
/// Ticks from one click to the next: longer than any delay worth measuring.
pub(crate) const CLICK_PERIOD_TICKS: u32 = 25;
/// Room for the pause and two clicks.
const MIN_CLICK_TICKS: u32 = PAUSE_TICKS + 3 * CLICK_PERIOD_TICKS;
/// A click begins at another place of its frame each time, and ends in the same frame.
const CLICK_OFFSETS: u32 = 120;
/// The shortest rehearsal that has time for everything.
pub(crate) const MIN_SECONDS: u32 = 5;
/// The shortest turn in which a speaker can be told from a pause.
const MIN_TURN_TICKS: u32 = 75;

/// The parts of a rehearsal, in ticks from its start: voices, a pause, clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    hush: u32,
    end: u32,
}

impl Timeline {
    pub(crate) fn new(seconds: u32) -> Self {
        let end = seconds * 50;
        let hush = SETTLE_TICKS + (end - SETTLE_TICKS) * 3 / 4;
        Self { hush: hush.min(end - MIN_CLICK_TICKS), end }
    }

    /// Seconds that `participants` need to speak one after the other.
    pub(crate) fn seconds_for_turns(participants: u32) -> u32 {
        let turns = participants * MIN_TURN_TICKS;
        let ticks = SETTLE_TICKS + (turns * 4).div_ceil(3).max(turns + MIN_CLICK_TICKS);
        ticks.div_ceil(50).max(MIN_SECONDS)
    }

    /// Number of ticks.
    pub(crate) fn ticks(self) -> u32 {
        self.end
    }

    pub(crate) fn duration(self) -> Duration {
        TICK * self.end
    }

    /// While voices sound and everything has settled.
    pub(crate) fn voices(self) -> Range<Duration> {
        TICK * SETTLE_TICKS..TICK * self.hush
    }

    /// How long that is.
    pub(crate) fn voiced_for(self) -> Duration {
        TICK * (self.hush - SETTLE_TICKS)
    }

    /// While packets are counted.
    pub(crate) fn counted(self) -> Range<Duration> {
        TICK * SETTLE_TICKS..self.duration()
    }

    /// While clicks sound, until the last may have arrived.
    pub(crate) fn clicks(self) -> Range<Duration> {
        TICK * (self.hush + PAUSE_TICKS)..self.duration()
    }

    /// Whether a tone sounds at `tick`; tones begin at once, so that the server can settle on them.
    pub(crate) fn is_voiced(self, tick: u32) -> bool {
        tick < self.hush
    }

    /// Whose turn it is at `tick`, of `participants` who speak one after the other.
    pub(crate) fn turn(self, tick: u32, participants: u32) -> Option<u32> {
        let since = tick.checked_sub(SETTLE_TICKS)?;
        let turn = since / ((self.hush - SETTLE_TICKS) / participants);
        (turn < participants && tick < self.hush).then_some(turn)
    }

    /// Where in the frame of `tick` a click begins, in samples.
    pub(crate) fn click(self, tick: u32) -> Option<usize> {
        let since = tick.checked_sub(self.hush + PAUSE_TICKS)?;
        let sounds = since.is_multiple_of(CLICK_PERIOD_TICKS) && tick + CLICK_PERIOD_TICKS <= self.end;
        sounds.then(|| (since / CLICK_PERIOD_TICKS * 37 % CLICK_OFFSETS) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices_end_before_clicks_begin_and_every_click_has_time_to_arrive() {
        for seconds in [MIN_SECONDS, 20, 3600] {
            let timeline = Timeline::new(seconds);
            let clicks: Vec<_> =
                (0..timeline.ticks()).filter(|tick| timeline.click(*tick).is_some()).collect();
            assert!(TICK * clicks[0] >= timeline.voices().end + TICK * PAUSE_TICKS);
            assert!(clicks[clicks.len() - 1] + CLICK_PERIOD_TICKS <= timeline.ticks());
            assert!(!timeline.is_voiced(clicks[0]));
        }
        assert_eq!(
            (0..1000).filter_map(|tick| Timeline::new(20).click(tick)).collect::<Vec<_>>(),
            [0, 37, 74, 111, 28, 65, 102, 19]
        );
    }

    #[test]
    fn everybody_gets_a_turn_of_at_least_a_second_and_a_half() {
        let participants = 7;
        let timeline = Timeline::new(Timeline::seconds_for_turns(participants));
        for participant in 0..participants {
            let ticks = (0..timeline.ticks())
                .filter(|tick| timeline.turn(*tick, participants) == Some(participant))
                .count();
            assert!(ticks >= 75, "{participant}: {ticks}");
        }
    }
}
