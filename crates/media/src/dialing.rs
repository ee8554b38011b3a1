//! Digits on their way to a far end.

use std::collections::VecDeque;
use std::time::Duration;

use mixminus_audio::MAX_FRAME_SAMPLES;
use mixminus_audio::dtmf::TonePress;
use mixminus_codec::Encoder;
use mixminus_rtp::{Digit, LegMedia, Press};

/// Digits of one leg that may wait to be sent; further ones are dropped.
pub const MAX_DIGITS_WAITING: usize = 64;

/// How long a key is down: what every receiver takes (40 ms by ITU-T Q.24) and a
/// lost packet does not spoil.
const PRESS: Duration = Duration::from_millis(100);

/// Ticks between two presses: 100 ms.
const GAP_TICKS: u8 = 5;

/// Presses one key after the other: by telephone events when the far end takes
/// them (RFC 4733), as tones otherwise.
#[derive(Debug)]
pub(crate) struct Dialing {
    waiting: VecDeque<Digit>,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Event(Press),
    Tone(TonePress),
    /// None is down, for so many ticks more.
    Up(u8),
}

/// What a tick is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialed {
    /// Anything else.
    Nothing,
    /// A packet of this size.
    Packet(usize),
    /// A payload of this size, to be sent instead of what is heard.
    Payload(usize),
}

impl Dialing {
    /// Nothing to press.
    pub(crate) fn new() -> Self {
        Self { waiting: VecDeque::with_capacity(MAX_DIGITS_WAITING), key: Key::Up(0) }
    }

    /// Presses `digits` after those that wait, as far as there is room.
    pub(crate) fn add(&mut self, digits: &[Digit]) {
        let room = MAX_DIGITS_WAITING - self.waiting.len();
        self.waiting.extend(digits.iter().take(room));
    }

    /// Releases the key that is down: what it was pressed in is not sent any more.
    pub(crate) fn interrupt(&mut self) {
        if !matches!(self.key, Key::Up(_)) {
            self.key = Key::Up(GAP_TICKS);
        }
    }

    /// Writes what is due in this tick to the start of `out`. Without `tones`,
    /// digits are telephone events.
    pub(crate) fn tick(
        &mut self,
        media: &mut LegMedia,
        mut tones: Option<&mut Encoder>,
        out: &mut [u8],
    ) -> Dialed {
        if let Key::Up(0) = self.key
            && let Some(digit) = self.waiting.pop_front()
        {
            self.key = press(digit, media, tones.as_deref_mut());
        }
        match &mut self.key {
            Key::Up(ticks) => *ticks = ticks.saturating_sub(1),
            Key::Event(press) => match media.press(press, out) {
                Some(size_bytes) => return Dialed::Packet(size_bytes),
                None => self.key = Key::Up(GAP_TICKS),
            },
            Key::Tone(press) => {
                let mut frame = [0; MAX_FRAME_SAMPLES];
                let frame = &mut frame[..media.parameters().format().sample_rate().frame_samples()];
                if !press.fill(frame) {
                    self.key = Key::Up(GAP_TICKS);
                }
                return tones.map_or(Dialed::Nothing, |tones| Dialed::Payload(tones.encode(frame, out)));
            }
        }
        Dialed::Nothing
    }
}

fn press(digit: Digit, media: &LegMedia, tones: Option<&mut Encoder>) -> Key {
    let tone = tones.and_then(|tones| {
        // The far end's decoder has heard another encoder meanwhile; a fresh one is
        // nearer to what it expects than one that goes on where the last key ended.
        tones.reset();
        TonePress::new(media.parameters().format().sample_rate(), digit.into(), PRESS)
    });
    tone.map_or_else(|| Key::Event(Press::new(digit, PRESS)), Key::Tone)
}

#[cfg(test)]
mod tests {
    use mixminus_codec::Format;
    use mixminus_rtp::{MAX_PACKET_BYTES, MediaParameters, SenderIdentity};

    use super::*;

    const IDENTITY: SenderIdentity = SenderIdentity { ssrc: 1, sequence: 1, timestamp: 0 };

    fn digits(keys: &str) -> Vec<Digit> {
        keys.chars().map(|key| Digit::try_from(key).unwrap()).collect()
    }

    /// What `ticks` are used for.
    fn dialed(dialing: &mut Dialing, parameters: MediaParameters, ticks: usize) -> String {
        let mut media = LegMedia::new(parameters, IDENTITY);
        let mut tones = Encoder::new(parameters.encoding);
        let mut tick = || {
            let tones = parameters.digit_payload_type.is_none().then_some(&mut tones);
            match dialing.tick(&mut media, tones, &mut [0; MAX_PACKET_BYTES]) {
                Dialed::Nothing => '.',
                Dialed::Packet(16) => 'e',
                Dialed::Payload(160) => 't',
                other => panic!("{other:?}"),
            }
        };
        (0..ticks).map(|_| tick()).collect()
    }

    #[test]
    fn keys_are_pressed_for_100_ms_and_100_ms_apart() {
        let with_events =
            MediaParameters { digit_payload_type: Some(101), ..MediaParameters::of(Format::Pcmu) };
        let mut dialing = Dialing::new();
        dialing.add(&digits("1#"));
        // The end of an event is sent three times.
        assert_eq!(dialed(&mut dialing, with_events, 25), "eeeeeee......eeeeeee.....");
        dialing.add(&digits("12"));
        assert_eq!(dialed(&mut dialing, MediaParameters::of(Format::G722), 20), ".ttttt.....ttttt....");
    }

    #[test]
    fn what_interrupts_a_press_does_not_interrupt_what_waits() {
        let mut dialing = Dialing::new();
        dialing.add(&digits("12"));
        let parameters = MediaParameters::of(Format::Pcma);
        assert_eq!(dialed(&mut dialing, parameters, 2), "tt");
        dialing.interrupt();
        assert_eq!(dialed(&mut dialing, parameters, 12), ".....ttttt..");
        dialing.interrupt();
        assert_eq!(dialed(&mut dialing, parameters, 2), "..");
    }

    #[test]
    fn no_more_digits_wait_than_may() {
        let mut dialing = Dialing::new();
        for _ in 0..3 {
            dialing.add(&digits(&"5".repeat(30)));
        }
        assert_eq!(dialing.waiting.len(), MAX_DIGITS_WAITING);
    }
}
