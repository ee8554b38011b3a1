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
    timestamp: u32,
}

impl Press {
    /// A key pressed for `duration`, rounded up to whole ticks, at most eight seconds.
    pub fn new(digit: Digit, duration: Duration) -> Self {
        let ticks = duration.as_millis().div_ceil(TICK.as_millis()).clamp(1, 400);
        Self { digit, ticks: ticks as u32, sent: 0, timestamp: 0 }
    }

    /// The timestamp, marker and event to send in the tick that begins at `now`; `None` when it is over.
    pub(crate) fn step(&mut self, now: u32, clock: ClockRate) -> Option<(u32, bool, DigitEvent)> {
        if self.sent == self.ticks + ENDS - 1 {
            return None;
        }
        let marker = self.sent == 0;
        if marker {
            self.timestamp = now;
        }
        self.sent += 1;
        let units = self.sent.min(self.ticks) * clock.frame_units();
        let duration = u16::try_from(units).unwrap_or(u16::MAX);
        Some((
            self.timestamp,
            marker,
            DigitEvent { digit: self.digit, end: self.sent >= self.ticks, duration },
        ))
    }
}
