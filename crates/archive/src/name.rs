//! Names of the files of a recording.

use std::fmt;

use mixminus_recording::Format;

/// A file of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileName {
    /// `main.wav`: what a listener wants.
    Main(Format),
    /// `track-3.wav`: one of those that the main file is made of.
    Track(u32),
    /// `sidecar.json`: who and what is heard when.
    Sidecar,
    /// `journal`: what becomes the sidecar at the end.
    Journal,
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Main(format) => write!(f, "main.{}", format.extension()),
            Self::Track(number) => write!(f, "track-{number}.wav"),
            Self::Sidecar => f.write_str("sidecar.json"),
            Self::Journal => f.write_str("journal"),
        }
    }
}

impl FileName {
    /// The file that is written exactly as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        let name = match text {
            "sidecar.json" => Self::Sidecar,
            "journal" => Self::Journal,
            _ => match text.split_once('.')? {
                ("main", extension) => Self::Main(Format::of_extension(extension)?),
                (track, "wav") => Self::Track(track.strip_prefix("track-")?.parse().ok()?),
                _ => return None,
            },
        };
        // `track-03.wav` and `track-+3.wav` would be second names of a file.
        (name.to_string() == text).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_name_is_read_as_it_is_written() {
        let mains = Format::ALL.map(FileName::Main);
        let others = [FileName::Track(0), FileName::Track(u32::MAX), FileName::Sidecar, FileName::Journal];
        for name in mains.into_iter().chain(others) {
            assert_eq!(FileName::parse(&name.to_string()), Some(name));
        }
    }

    proptest! {
        // Attack H6.
        #[test]
        fn nothing_else_is_a_name(text in r"(main|track-[0-9+]{0,3}|\.\.|/|\x00|%2e|\.|wav|mp3|．){1,6}") {
            if let Some(name) = FileName::parse(&text) {
                prop_assert_eq!(name.to_string(), text.clone());
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)));
                prop_assert!(!text.contains(".."));
            }
        }
    }
}
