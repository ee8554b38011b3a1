//! Key presses and their telephone events (RFC 4733).

use std::fmt;

/// One key of a telephone: 0 to 9, `*`, `#`, A to D.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

/// The keys in the order of their event codes.
const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// A character that is on no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not one of 0123456789*#ABCD")]
pub struct NotADigit(pub char);

impl Digit {
    /// The digit of a telephone event, if it is a key.
    pub const fn from_event(code: u8) -> Option<Self> {
        if (code as usize) < KEYS.len() { Some(Self(code)) } else { None }
    }

    /// Its telephone event.
    pub const fn event(self) -> u8 {
        self.0
    }

    /// Its character.
    pub const fn as_char(self) -> char {
        KEYS[self.0 as usize] as char
    }
}

impl TryFrom<char> for Digit {
    type Error = NotADigit;

    fn try_from(key: char) -> Result<Self, NotADigit> {
        let same = |candidate: &u8| char::from(*candidate) == key.to_ascii_uppercase();
        KEYS.iter().position(same).map(|code| Self(code as u8)).ok_or(NotADigit(key))
    }
}

impl From<Digit> for char {
    fn from(digit: Digit) -> Self {
        digit.as_char()
    }
}

impl fmt::Display for Digit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_char(formatter, self.as_char())
    }
}

/// The payload of a telephone event (RFC 4733, section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigitEvent {
    /// The key.
    pub digit: Digit,
    /// The key has been released.
    pub end: bool,
    /// How long it has been down, in timestamp units.
    pub duration: u16,
}

impl DigitEvent {
    /// Size of the payload.
    pub const BYTES: usize = 4;

    /// The level that generated events claim, in -dBm0.
    const VOLUME: u8 = 10;

    /// Reads the first event of a payload; `None` when there is none or it is no key.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let &[code, flags, high, low] = payload.first_chunk()?;
        let digit = Digit::from_event(code)?;
        Some(Self { digit, end: flags & 0x80 != 0, duration: u16::from_be_bytes([high, low]) })
    }

    /// Its payload.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let [high, low] = self.duration.to_be_bytes();
        [self.digit.event(), u8::from(self.end) << 7 | Self::VOLUME, high, low]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_event_and_its_character() {
        for (code, key) in (0..16).zip("0123456789*#ABCD".chars()) {
            let digit = Digit::try_from(key).unwrap();
            assert_eq!((digit.event(), digit.to_string()), (code, key.to_string()));
            assert_eq!(Digit::from_event(code), Some(digit));
        }
        assert_eq!(Digit::try_from('d'), Digit::try_from('D'));
        assert_eq!(Digit::try_from('E'), Err(NotADigit('E')));
        assert_eq!(Digit::from_event(16), None);
    }

    #[test]
    fn an_event_is_four_bytes() {
        let event = DigitEvent { digit: Digit(11), end: true, duration: 800 };
        assert_eq!(event.to_bytes(), [11, 0x8A, 0x03, 0x20]);
        assert_eq!(DigitEvent::parse(&[11, 0x8A, 0x03, 0x20]), Some(event));
    }

    #[test]
    fn short_payloads_and_other_events_are_no_digits() {
        assert_eq!(DigitEvent::parse(&[1, 0, 0]), None);
        assert_eq!(DigitEvent::parse(&[16, 0, 0, 160]), None);
    }
}
