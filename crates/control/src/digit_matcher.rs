//! Sequences of digits that somebody waits for.

use std::time::Duration;

use crate::record::Timestamp;

/// A longer pause between two digits begins a new sequence: they are not meant as one.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Recognises patterns in what one party presses.
#[derive(Clone, Debug)]
pub(crate) struct DigitMatcher {
    patterns: Vec<String>,
    /// The last digits, no more than the longest pattern has.
    pressed: String,
    pressed_at: Timestamp,
}

impl DigitMatcher {
    pub const fn new(patterns: Vec<String>) -> Self {
        Self { patterns, pressed: String::new(), pressed_at: Timestamp::from_micros(0) }
    }

    /// The longest pattern that `digit`, which must be ASCII, completes. Its digits count for no other, but for one that begins with it.
    pub fn press(&mut self, digit: char, now: Timestamp) -> Option<String> {
        if now.since(self.pressed_at) > MAX_PAUSE {
            self.pressed.clear();
        }
        self.pressed_at = now;
        if self.pressed.len() == self.patterns.iter().map(String::len).max()? {
            self.pressed.remove(0);
        }
        self.pressed.push(digit);
        let complete = self.patterns.iter().filter(|pattern| self.pressed.ends_with(pattern.as_str()));
        let matched = complete.max_by_key(|pattern| pattern.len()).cloned()?;
        let goes_on = |pattern: &String| pattern.len() > matched.len() && pattern.starts_with(&matched);
        self.pressed.clear();
        if self.patterns.iter().any(goes_on) {
            self.pressed.clone_from(&matched);
        }
        Some(matched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is matched when these are pressed, one each second and after `_` a long pause.
    fn matched(patterns: &[&str], pressed: &str) -> Vec<String> {
        let mut matcher = DigitMatcher::new(patterns.iter().map(|&pattern| pattern.to_owned()).collect());
        let mut now = Timestamp::from_micros(1);
        let mut found = Vec::new();
        for digit in pressed.chars() {
            if digit == '_' {
                now = now + MAX_PAUSE;
                continue;
            }
            now = now + Duration::from_secs(1);
            found.extend(matcher.press(digit, now));
        }
        found
    }

    #[test]
    fn patterns_are_found_wherever_they_begin_and_digits_count_once() {
        for (patterns, pressed, found) in [
            (&["123"][..], "9123", &["123"][..]),
            (&["123"], "12_3", &[]),
            (&["123"], "12_123", &["123"]),
            (&["11"], "111", &["11"]),
            (&["11"], "1111", &["11", "11"]),
            (&["1", "12"], "12", &["1", "12"]),
            (&["2", "12"], "122", &["12", "2"]),
            (&["*#"], "*#", &["*#"]),
            (&[], "1", &[]),
        ] {
            assert_eq!(matched(patterns, pressed), found, "{pressed} for {patterns:?}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut matcher = DigitMatcher::new(vec!["123".into()]);
        for _ in 0..100 {
            assert_eq!(matcher.press('1', Timestamp::from_micros(1)), None);
        }
        assert_eq!(matcher.pressed, "111");
    }
}
