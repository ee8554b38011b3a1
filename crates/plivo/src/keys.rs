//! Digits to be sent, with pauses between them.

use std::time::Duration;

/// The most digits and pauses in one text.
pub const MAX_KEYS: usize = 255;

/// One step of sending digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Press `0` to `9`, `*` or `#`.
    Press(char),
    /// Wait: half a second for `w`, one for `W`.
    Pause(Duration),
}

impl Key {
    /// Reads `0-9 * # w W`, at most [`MAX_KEYS`] of them; none if `text` has anything else.
    pub fn sequence(text: &str) -> Option<Vec<Self>> {
        let keys: Option<Vec<_>> = text.chars().map(Self::of).collect();
        keys.filter(|keys| !keys.is_empty() && keys.len() <= MAX_KEYS)
    }

    fn of(letter: char) -> Option<Self> {
        match letter {
            '0'..='9' | '*' | '#' => Some(Self::Press(letter)),
            'w' => Some(Self::Pause(Duration::from_millis(500))),
            'W' => Some(Self::Pause(Duration::from_secs(1))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_w_pauses_for_half_a_second_and_a_capital_one_for_a_second() {
        let pause = |ms| Key::Pause(Duration::from_millis(ms));
        let keys = [Key::Press('1'), pause(500), pause(1000), Key::Press('#')];
        assert_eq!(Key::sequence("1wW#"), Some(keys.into()));
    }

    #[test]
    fn what_no_phone_has_is_refused() {
        for text in ["", "1 2", "a", "1\r\n", &"1".repeat(MAX_KEYS + 1)] {
            assert_eq!(Key::sequence(text), None, "{text:?}");
        }
    }
}
