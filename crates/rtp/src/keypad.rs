//! Key presses from the telephone events that arrive (RFC 4733).

use std::time::Duration;

use crate::{Digit, DigitEvent, Header, Order};

/// A key without a word for this long is up, even if its end was lost. Longer than two repeats at the
/// usual 50 ms, so that audio of the tone does not slip in between.
const SILENT_KEY: Duration = Duration::from_millis(120);

/// A press longer than its 16-bit duration goes on in a new event that begins where this one stops.
const FULL_SEGMENT: u16 = u16::MAX - 4_000;

/// What is known of the latest press.
#[derive(Clone, Copy, Debug)]
struct Pressed {
    digit: Digit,
    timestamp: u32,
    duration: u16,
    down: bool,
    heard_at: Duration,
}

/// Tells presses apart by their timestamp, whatever was lost, repeated or reordered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keypad {
    latest: Option<Pressed>,
}

impl Keypad {
    /// Takes the event of a packet; returns whether it is a press that was not known.
    pub(crate) fn take(&mut self, now: Duration, header: Header, event: DigitEvent, order: Order) -> bool {
        let DigitEvent { digit, end, duration } = event;
        let pressed = Pressed { digit, timestamp: header.timestamp, duration, down: !end, heard_at: now };
        let Some(latest) = &mut self.latest else {
            self.latest = Some(pressed);
            return true;
        };
        let since = header.timestamp.wrapping_sub(latest.timestamp) as i32;
        if since == 0 {
            latest.duration = latest.duration.max(duration);
            latest.down &= !end;
            latest.heard_at = now;
            return false;
        }
        if order == Order::Overtaken && since < 0 {
            return false;
        }
        let continues = !header.marker
            && digit == latest.digit
            && latest.down
            && latest.duration >= FULL_SEGMENT
            && since == i32::from(latest.duration);
        *latest = pressed;
        !continues
    }

    /// Whether audio of `timestamp` is the tone of a key that is down.
    pub(crate) fn sounds(&self, now: Duration, timestamp: u32) -> bool {
        self.latest.is_some_and(|latest| {
            latest.down
                && now.saturating_sub(latest.heard_at) < SILENT_KEY
                && timestamp.wrapping_sub(latest.timestamp) as i32 >= 0
        })
    }
}
