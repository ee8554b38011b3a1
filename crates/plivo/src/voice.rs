//! Voices and languages of speech, from what is asked to what an engine is told.

/// Languages of `WOMAN` and `MAN`.
pub const LANGUAGES: [&str; 16] = [
    "da-DK", "de-DE", "en-AU", "en-GB", "en-US", "es-ES", "es-US", "fr-CA", "fr-FR", "it-IT", "nl-NL",
    "pl-PL", "pt-BR", "pt-PT", "ru-RU", "sv-SE",
];

/// The language if none is asked for.
pub const DEFAULT_LANGUAGE: &str = "en-US";

/// The voices that are asked for as `Polly.` with a name, and what they sound like.
#[rustfmt::skip]
pub const POLLY: &[(&str, &str, Gender)] = {
    use Gender::{Female, Male};
    &[
        ("Aditi", "en-IN", Female), ("Amy", "en-GB", Female), ("Astrid", "sv-SE", Female),
        ("Bianca", "it-IT", Female), ("Brian", "en-GB", Male), ("Camila", "pt-BR", Female),
        ("Carla", "it-IT", Female), ("Carmen", "ro-RO", Female), ("Celine", "fr-FR", Female),
        ("Chantal", "fr-CA", Female), ("Conchita", "es-ES", Female), ("Cristiano", "pt-PT", Male),
        ("Dora", "is-IS", Female), ("Emma", "en-GB", Female), ("Enrique", "es-ES", Male),
        ("Ewa", "pl-PL", Female), ("Filiz", "tr-TR", Female), ("Geraint", "en-GB-WLS", Male),
        ("Giorgio", "it-IT", Male), ("Gwyneth", "cy-GB", Female), ("Hans", "de-DE", Male),
        ("Ines", "pt-PT", Female), ("Ivy", "en-US", Female), ("Jacek", "pl-PL", Male),
        ("Jan", "pl-PL", Male), ("Joanna", "en-US", Female), ("Joey", "en-US", Male),
        ("Justin", "en-US", Male), ("Karl", "is-IS", Male), ("Kendra", "en-US", Female),
        ("Kevin", "en-US", Male), ("Kimberly", "en-US", Female), ("Lea", "fr-FR", Female),
        ("Liv", "nb-NO", Female), ("Lotte", "nl-NL", Female), ("Lucia", "es-ES", Female),
        ("Lupe", "es-US", Female), ("Mads", "da-DK", Male), ("Maja", "pl-PL", Female),
        ("Marlene", "de-DE", Female), ("Mathieu", "fr-FR", Male), ("Matthew", "en-US", Male),
        ("Maxim", "ru-RU", Male), ("Mia", "es-MX", Female), ("Miguel", "es-US", Male),
        ("Mizuki", "ja-JP", Female), ("Naja", "da-DK", Female), ("Nicole", "en-AU", Female),
        ("Olivia", "en-AU", Female), ("Penelope", "es-US", Female), ("Raveena", "en-IN", Female),
        ("Ricardo", "pt-BR", Male), ("Ruben", "nl-NL", Male), ("Russell", "en-AU", Male),
        ("Salli", "en-US", Female), ("Seoyeon", "ko-KR", Female), ("Takumi", "ja-JP", Male),
        ("Tatyana", "ru-RU", Female), ("Vicki", "de-DE", Female), ("Vitoria", "pt-BR", Female),
        ("Zeina", "arb", Female), ("Zhiyu", "cmn-CN", Female),
    ]
};

/// Whose voice it sounds like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    /// `WOMAN`, and many of Polly's.
    Female,
    /// `MAN`, and the others of Polly's.
    Male,
}

/// A voice as an engine is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voice {
    /// Language tag.
    pub language: &'static str,
    /// Whose voice it sounds like.
    pub gender: Gender,
    /// The name of one of Polly's voices, without `Polly.`.
    pub polly: Option<&'static str>,
}

/// Why there is no such voice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoiceError {
    /// Nobody is called so.
    #[error("voice is unknown: {0}; accepted: WOMAN, MAN, or Polly. with one of its names")]
    Voice(String),
    /// `WOMAN` and `MAN` do not speak it.
    #[error("language is unknown: {0}; accepted: {list}", list = LANGUAGES.join(", "))]
    Language(String),
}

impl Voice {
    /// The voice that is asked for by `voice` (`WOMAN` if absent) and
    /// `language` (`en-US` if absent), both in any letter case. One of Polly's
    /// speaks its own language whatever is asked.
    ///
    /// # Errors
    ///
    /// [`VoiceError`] if there is none.
    pub fn find(voice: Option<&str>, language: Option<&str>) -> Result<Self, VoiceError> {
        let voice = voice.unwrap_or("WOMAN");
        if let Some(name) = voice.split_once('.').filter(|(kind, _)| kind.eq_ignore_ascii_case("Polly")) {
            return polly(name.1).ok_or_else(|| VoiceError::Voice(short(voice)));
        }
        let gender = crate::words::pick(voice, &[("WOMAN", Gender::Female), ("MAN", Gender::Male)])
            .ok_or_else(|| VoiceError::Voice(short(voice)))?;
        let asked = language.unwrap_or(DEFAULT_LANGUAGE);
        let language = LANGUAGES.into_iter().find(|known| known.eq_ignore_ascii_case(asked));
        let language = language.ok_or_else(|| VoiceError::Language(short(asked)))?;
        Ok(Self { language, gender, polly: None })
    }
}

fn polly(name: &str) -> Option<Voice> {
    let plain: String = name.chars().map(without_accent).collect();
    let known = POLLY.iter().find(|(known, ..)| known.eq_ignore_ascii_case(&plain));
    known.map(|&(name, language, gender)| Voice { language, gender, polly: Some(name) })
}

/// Polly's own documentation spells `Céline`, `Vitória` and others with accents.
const fn without_accent(letter: char) -> char {
    match letter {
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' => 'o',
        other => other,
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_woman_speaks_american_unless_asked_otherwise() {
        let voice = |language, gender| Ok(Voice { language, gender, polly: None });
        assert_eq!(Voice::find(None, None), voice("en-US", Gender::Female));
        assert_eq!(Voice::find(Some("man"), Some("FR-ca")), voice("fr-CA", Gender::Male));
        for language in LANGUAGES {
            assert_eq!(Voice::find(None, Some(language)), voice(language, Gender::Female));
        }
    }

    #[test]
    fn pollys_voices_speak_their_own_language() {
        let mathieu = Voice { language: "fr-FR", gender: Gender::Male, polly: Some("Mathieu") };
        assert_eq!(Voice::find(Some("polly.MATHIEU"), Some("en-US")), Ok(mathieu));
        assert_eq!(Voice::find(Some("Polly.Céline"), None).unwrap().polly, Some("Celine"));
        assert!(POLLY.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn who_is_not_there_is_named() {
        for (voice, language, text) in [
            ("ROBOT", None, "voice is unknown: ROBOT; accepted: WOMAN, MAN, or Polly. with one of its names"),
            (
                "Polly.",
                None,
                "voice is unknown: Polly.; accepted: WOMAN, MAN, or Polly. with one of its names",
            ),
            (
                "MAN",
                Some("tlh"),
                "language is unknown: tlh; accepted: da-DK, de-DE, en-AU, en-GB, en-US, es-ES, es-US, fr-CA, \
                 fr-FR, it-IT, nl-NL, pl-PL, pt-BR, pt-PT, ru-RU, sv-SE",
            ),
        ] {
            assert_eq!(Voice::find(Some(voice), language).unwrap_err().to_string(), text);
        }
    }
}
