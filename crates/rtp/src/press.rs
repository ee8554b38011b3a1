//! Generates the telephone events of one key press.

use std::time::Duration;

use mixminus_audio::TICK;
use mixminus_codec::ClockRate;

use crate::{Digit, DigitEvent};

/// How often the end of a press is sent, against loss (RFC 4733, section 2.5.1.4).
const ENDS: u32 = 3;

/// A key that is down for some ticks. The sender takes one event from it each tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    digit: Digit,
    ticks: u32,
    sent: u32,
    /// Timestamp of the present segment, and the ticks before it.
    timestamp: u32,
    ticks_before: u32,
}

impl Press {
    /// A key pressed for `duration`, rounded up to whole ticks, at most eight seconds.
    pub fn new(digit: Digit, duration: Duration) -> Self {
        let ticks = duration.as_millis().div_ceil(TICK.as_millis()).clamp(1, 400);
        Self { digit, ticks: ticks as u32, sent: 0, timestamp: 0, ticks_before: 0 }
    }

    /// Whether all of it has been sent.
    pub fn is_over(&self) -> bool {
        self.sent == self.ticks + ENDS - 1
    }

    /// The timestamp, marker and event to send in the tick that begins at `now`; `None` when it is over.
    ///
    /// A press that outlasts the 16 bits of a duration goes on in another segment, which begins where the one
    /// before ends and has no marker (RFC 4733, section 2.5.1.3).
    pub(crate) fn step(&mut self, now: u32, clock: ClockRate) -> Option<(u32, bool, DigitEvent)> {
        if self.is_over() {
            return None;
        }
        let marker = self.sent == 0;
        let tick_units = clock.frame_units();
        if marker {
            self.timestamp = now;
        }
        self.sent += 1;
        let segment_ticks = u32::from(u16::MAX) / tick_units;
        if self.sent.min(self.ticks) - self.ticks_before > segment_ticks {
            self.ticks_before += segment_ticks;
            self.timestamp = self.timestamp.wrapping_add(segment_ticks * tick_units);
        }
        let duration = (self.sent.min(self.ticks) - self.ticks_before) * tick_units;
        let end = self.sent >= self.ticks;
        Some((self.timestamp, marker, DigitEvent { digit: self.digit, end, duration: duration as u16 }))
    }
}
