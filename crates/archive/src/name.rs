//! Names of the files of a recording.

use std::fmt;

/// What a file of audio is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Extension {
    /// PCM.
    Wav,
    /// MPEG-1 layer III.
    Mp3,
    /// Opus in Ogg.
    Ogg,
    /// FLAC.
    Flac,
}

impl Extension {
    const ALL: [Self; 4] = [Self::Wav, Self::Mp3, Self::Ogg, Self::Flac];

    /// As it stands after the dot.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Ogg => "ogg",
            Self::Flac => "flac",
        }
    }

    /// The extension that is written as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.as_str() == text)
    }

    /// The media type (RFC 3003, RFC 5334, RFC 9639; for WAV the one that browsers play).
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Mp3 => "audio/mpeg",
            Self::Ogg => "audio/ogg",
            Self::Flac => "audio/flac",
        }
    }
}

/// A file of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileName {
    /// `main.wav`: what a listener wants.
    Main(Extension),
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
            Self::Main(extension) => write!(f, "main.{}", extension.as_str()),
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
                ("main", extension) => Self::Main(Extension::parse(extension)?),
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
        let mains = Extension::ALL.map(FileName::Main);
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
