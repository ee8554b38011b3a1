//! When who makes which sound.

use std::ops::Range;
use std::time::Duration;

use mixminus_audio::TICK;

use crate::click::CLICK_FRAMES;

/// Ticks until jitter buffers are filled and everything is warm.
const SETTLE_TICKS: u32 = 75;
/// So long everybody sounds a tone: enough for all windows of an ear.
const TONE_TICKS: u32 = 80;
/// All rooms talk, and what the server uses is measured, for this share of the rest.
const TALK_SHARE: (u32, u32) = (2, 5);
const MIN_TALK_TICKS: u32 = 40;
/// Silence between a room's talk and its first click.
const PAUSE_TICKS: u32 = 25;
/// Ticks from one click to the next.
const CLICK_PERIOD_TICKS: u32 = 8;
/// After the last click, until the talk goes on.
const LINGER_TICKS: u32 = 25;
/// A room has at least so many clicks.
const MIN_CLICKS: u32 = 6;
/// When a caller stalls amid them, so many: for two seconds before and after.
const MIN_CLICKS_AROUND_STALL: u32 = 26;
/// Rooms click in so many shifts: while one clicks, at least two others talk.
const MAX_SHIFTS: u32 = 3;

/// What a timeline has to have room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) seconds: u32,
    pub(crate) rooms: u32,
    /// How long one caller in each room stalls amid the clicks.
    pub(crate) stall: Duration,
}

/// The parts of a rehearsal, in ticks from its start: everybody's tone, then everybody talks, then in each
/// room a pause and clicks, shift by shift, while the rooms whose shift it is not go on talking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    hush: u32,
    shifts: u32,
    shift: u32,
    stall: u32,
    end: u32,
}

/// What those who talk do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Each sounds its tone, so that it is known who hears whom.
    Tones,
    /// All talk at once.
    Talk,
    /// All are silent but for clicks.
    Quiet,
}

/// A click that is being said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clicking {
    /// Number of the click in its room, from 0.
    pub(crate) click: u32,
    /// Number of its frame, from 0.
    pub(crate) frame: u32,
}

impl Course {
    /// Seconds that it needs.
    pub(crate) fn shortest(self) -> u32 {
        (SETTLE_TICKS + TONE_TICKS + MIN_TALK_TICKS + self.shortest_shift()).div_ceil(50)
    }

    fn shortest_shift(self) -> u32 {
        let stall = self.stall_ticks();
        let clicks = if stall > 0 { MIN_CLICKS_AROUND_STALL } else { MIN_CLICKS };
        PAUSE_TICKS + clicks * CLICK_PERIOD_TICKS + stall + LINGER_TICKS
    }

    fn stall_ticks(self) -> u32 {
        self.stall.as_millis().div_ceil(TICK.as_millis()) as u32
    }
}

impl Timeline {
    /// A timeline of a course with as many seconds as it needs.
    pub(crate) fn new(course: Course) -> Self {
        let end = course.seconds * 50;
        let talk = SETTLE_TICKS + TONE_TICKS;
        let (part, whole) = TALK_SHARE;
        let hush = (talk + (end - talk) * part / whole).min(end - course.shortest_shift());
        let shifts = ((end - hush) / course.shortest_shift()).clamp(1, MAX_SHIFTS.min(course.rooms));
        Self { hush, shifts, shift: (end - hush) / shifts, stall: course.stall_ticks(), end }
    }

    pub(crate) fn duration(self) -> Duration {
        TICK * self.end
    }

    /// While all tones sound and everything has settled.
    pub(crate) fn tones() -> Range<Duration> {
        TICK * SETTLE_TICKS..TICK * (SETTLE_TICKS + TONE_TICKS)
    }

    /// While all rooms talk.
    pub(crate) fn talk(self) -> Range<Duration> {
        Self::tones().end..TICK * self.hush
    }

    /// While packets are counted.
    pub(crate) fn counted(self) -> Range<Duration> {
        TICK * SETTLE_TICKS..self.duration()
    }

    /// While clicks can be heard in a room: from amid the pause, for an onset comes after quiet, until the
    /// last may have arrived.
    pub(crate) fn clicks(self, room: u32) -> Range<Duration> {
        TICK * (self.first_click(room) - PAUSE_TICKS / 2)..TICK * (self.shift_of(room) + self.shift)
    }

    /// What a room does at `tick`. Tones begin at once, so that the server can settle on them.
    pub(crate) fn part(self, room: u32, tick: u32) -> Part {
        let quiet = self.shift_of(room);
        match tick {
            _ if tick < SETTLE_TICKS + TONE_TICKS => Part::Tones,
            _ if (quiet..quiet + self.shift).contains(&tick) => Part::Quiet,
            _ => Part::Talk,
        }
    }

    /// The click that is being said in a room. There is none while a caller stalls.
    pub(crate) fn click(self, room: u32, tick: u32) -> Option<Clicking> {
        let since = tick.checked_sub(self.first_click(room))?;
        let (click, frame) = (since / CLICK_PERIOD_TICKS, since % CLICK_PERIOD_TICKS);
        let said = click < self.clicks_in_shift() && frame < CLICK_FRAMES;
        let stalled = self.stall(room);
        let first = tick - frame;
        let held = first < stalled.end && first + CLICK_FRAMES > stalled.start;
        (said && (stalled.is_empty() || !held)).then_some(Clicking { click, frame })
    }

    /// When one caller of a room stalls, amid its clicks; empty when none does.
    pub(crate) fn stall(self, room: u32) -> Range<u32> {
        let start = self.first_click(room) + self.clicks_in_shift() / 2 * CLICK_PERIOD_TICKS;
        start..start + self.stall
    }

    fn clicks_in_shift(self) -> u32 {
        (self.shift - PAUSE_TICKS - LINGER_TICKS - self.stall) / CLICK_PERIOD_TICKS
    }

    fn shift_of(self, room: u32) -> u32 {
        self.hush + room % self.shifts * self.shift
    }

    fn first_click(self, room: u32) -> u32 {
        self.shift_of(room) + PAUSE_TICKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COURSE: Course = Course { seconds: 30, rooms: 10, stall: Duration::ZERO };

    fn clicks(timeline: Timeline, room: u32) -> Vec<u32> {
        let first = |tick: &u32| timeline.click(room, *tick).is_some_and(|clicking| clicking.frame == 0);
        (0..timeline.end).filter(first).collect()
    }

    #[test]
    fn a_room_is_quiet_before_and_while_it_clicks_and_every_click_has_time_to_arrive() {
        for seconds in [COURSE.shortest(), 20, 3600] {
            let timeline = Timeline::new(Course { seconds, ..COURSE });
            for room in 0..COURSE.rooms {
                let clicks = clicks(timeline, room);
                assert!(clicks.len() >= 6);
                let (first, last) = (clicks[0], clicks[clicks.len() - 1]);
                let heard = timeline.clicks(room);
                assert_eq!(heard.start, TICK * (first - PAUSE_TICKS / 2));
                let mut around = first - PAUSE_TICKS..last + LINGER_TICKS;
                assert!(around.all(|tick| timeline.part(room, tick) == Part::Quiet));
                assert!(heard.end >= TICK * (last + LINGER_TICKS) && heard.end <= timeline.duration());
                assert!(heard.start > timeline.talk().end);
            }
        }
    }

    #[test]
    fn all_sound_tones_then_all_talk_and_while_a_room_clicks_others_go_on() {
        let timeline = Timeline::new(COURSE);
        let parts = |tick| (0..COURSE.rooms).map(move |room| timeline.part(room, tick));
        let tick = |at: Duration| (at.as_millis() / 20) as u32;
        assert!((0..tick(Timeline::tones().end)).all(|tick| parts(tick).all(|part| part == Part::Tones)));
        let mut talk = tick(timeline.talk().start)..tick(timeline.talk().end);
        assert_eq!(talk.len(), 538);
        assert!(talk.all(|tick| parts(tick).all(|part| part == Part::Talk)));
        let quiet = |tick| parts(tick).filter(|part| *part == Part::Quiet).count();
        assert_eq!((0..timeline.end).map(quiet).max(), Some(4));
        assert_eq!(clicks(timeline, 0).len(), 27);
    }

    #[test]
    fn nobody_clicks_while_a_caller_stalls_and_half_of_the_clicks_are_on_either_side() {
        let timeline = Timeline::new(Course { stall: Duration::from_millis(290), ..COURSE });
        let stall = timeline.stall(0);
        assert_eq!(stall.len(), 15);
        let (before, after): (Vec<_>, Vec<_>) =
            clicks(timeline, 0).into_iter().partition(|click| *click < stall.start);
        assert!(before.iter().all(|click| click + CLICK_FRAMES <= stall.start));
        assert!(after.iter().all(|click| *click >= stall.end));
        assert_eq!((before.len(), after.len()), (21, 19));
    }
}
