//! Watches what somebody presses for patterns.

/// Finds patterns in digits as they come.
#[derive(Debug)]
pub(crate) struct Matcher {
    patterns: Vec<String>,
    /// The last digits, no more than the longest pattern has.
    pressed: String,
}

impl Matcher {
    pub const fn new(patterns: Vec<String>) -> Self {
        Self { patterns, pressed: String::new() }
    }

    /// The longest pattern that ends with `digit`, which must be ASCII.
    ///
    /// Its digits count once, unless a longer pattern may come of them.
    pub fn press(&mut self, digit: char) -> Option<String> {
        let longest = self.patterns.iter().map(String::len).max()?;
        if self.pressed.len() == longest {
            self.pressed.remove(0);
        }
        self.pressed.push(digit);
        let ends = self.patterns.iter().filter(|pattern| self.pressed.ends_with(pattern.as_str()));
        let found = ends.max_by_key(|pattern| pattern.len())?.clone();
        if !self.patterns.iter().any(|pattern| pattern.len() > found.len() && pattern.starts_with(&found)) {
            self.pressed.clear();
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_found_wherever_they_end() {
        for (patterns, pressed, found) in [
            (&[][..], "12", &[][..]),
            (&["12"], "3121", &["12"]),
            (&["11"], "1111", &["11", "11"]),
            (&["1", "12"], "1212", &["1", "12", "1", "12"]),
            (&["12", "2"], "12", &["12"]),
            (&["*9", "#"], "1*9#", &["*9", "#"]),
        ] {
            let mut matcher = Matcher::new(patterns.iter().map(|pattern| (*pattern).to_owned()).collect());
            let all: Vec<_> = pressed.chars().filter_map(|digit| matcher.press(digit)).collect();
            assert_eq!(all, found, "{patterns:?} in {pressed}");
        }
    }
}
