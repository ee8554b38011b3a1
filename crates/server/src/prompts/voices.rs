//! Which of the voices that documents name are installed.

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use mixminus_control::Prosody;

use crate::dialect::plain_voice;

/// What is spoken when nothing that was asked for is installed.
const DEFAULT_LANGUAGE: &str = "en-US";
/// What stands for how fast and how high a voice speaks, each in percent.
pub(super) const RATE: &str = "{rate}";
pub(super) const PITCH: &str = "{pitch}";
const WOMAN: &str = "WOMAN";
const MAN: &str = "MAN";
/// Missing voices that the log has told of; it tells of no others then.
const MAX_REPORTED: usize = 256;

/// A voice as an engine is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Voice {
    /// Its name.
    pub name: String,
    /// BCP 47 language tag.
    pub language: String,
    /// `male` or `female`.
    pub gender: &'static str,
    /// How it speaks.
    pub prosody: Prosody,
}

impl Voice {
    /// `template` with this voice in place of `{voice}`, `{language}`, `{gender}`, `{rate}` and `{pitch}`.
    pub fn fill(&self, template: &str) -> String {
        template
            .replace("{voice}", &self.name)
            .replace("{language}", &self.language)
            .replace("{gender}", self.gender)
            .replace(RATE, &self.prosody.rate_percent.to_string())
            .replace(PITCH, &self.prosody.pitch_percent.to_string())
    }
}

/// Why something is not spoken as it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No voice speaks the language.
    #[error("no voice is installed for the language {language:?}")]
    Language {
        /// As it was asked.
        language: String,
    },
    /// Others speak the language.
    #[error("the voice {voice:?} is not installed for {language:?}")]
    Voice {
        /// As it was asked.
        voice: String,
        /// As it was asked.
        language: String,
    },
}

/// Which voice of the engine speaks for one that documents name: `LANGUAGE/VOICE=NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledVoice {
    /// Any if absent.
    language: Option<String>,
    /// Any if absent.
    voice: Option<String>,
    name: String,
}

impl FromStr for InstalledVoice {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (asked, name) = text.split_once('=').ok_or(())?;
        let (language, voice) = asked.split_once('/').ok_or(())?;
        let one = |text: &str| (text != "*").then(|| text.to_owned());
        if voice.is_empty() || name.is_empty() || (language != "*" && !is_tag(language)) {
            return Err(());
        }
        Ok(Self { language: one(language), voice: one(voice), name: name.to_owned() })
    }
}

/// The voices of an engine.
#[derive(Debug)]
pub struct Voices {
    installed: Installed,
    reported: Mutex<HashSet<(String, String)>>,
}

#[derive(Debug)]
enum Installed {
    /// One that speaks English, for every name that is no certain person's.
    English,
    /// A woman and a man for each of Plivo's languages, which the engine finds by the language.
    All,
    /// These; the first is the default.
    Listed(Vec<InstalledVoice>),
}

impl Voices {
    /// One voice, which speaks English.
    pub fn english() -> Self {
        Self::new(Installed::English)
    }

    /// Those that are `listed`; all that Plivo has for `WOMAN` and `MAN` if none is.
    pub fn listed(listed: Vec<InstalledVoice>) -> Self {
        Self::new(if listed.is_empty() { Installed::All } else { Installed::Listed(listed) })
    }

    fn new(installed: Installed) -> Self {
        Self { installed, reported: Mutex::default() }
    }

    /// The voice that is asked for.
    ///
    /// # Errors
    ///
    /// [`Missing`] when it is not installed.
    pub fn find(&self, voice: &str, language: &str) -> Result<Voice, Missing> {
        match &self.installed {
            Installed::English => {
                let english = language.get(..2).is_some_and(|family| family.eq_ignore_ascii_case("en"));
                plain(voice, english.then_some(language), language)
            }
            Installed::All => {
                let known = plain_voice(WOMAN, language).map(|(_, language)| language);
                plain(voice, known, language)
            }
            Installed::Listed(listed) => find(listed, voice, language),
        }
    }

    /// The voice that is asked for, or else the one that comes closest, or another of its language, or the default. The
    /// log tells once of each that is missing.
    pub fn find_or_default(&self, voice: &str, language: &str) -> Voice {
        self.find(voice, language).unwrap_or_else(|missing| {
            let plain = plain_voice(voice, language).unwrap_or((WOMAN, language));
            let candidates = [plain, (WOMAN, plain.1), (MAN, plain.1), (WOMAN, language)];
            let mut instead = candidates.into_iter().filter_map(|(voice, language)| self.find(voice, language).ok());
            let instead = instead.next().unwrap_or_else(|| self.default_voice());
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            if reported.len() < MAX_REPORTED && reported.insert((voice.to_owned(), language.to_owned())) {
                tracing::warn!(%missing, instead = instead.name, language = instead.language, "another voice speaks");
            }
            instead
        })
    }

    fn default_voice(&self) -> Voice {
        let (name, language, voice) = match &self.installed {
            Installed::Listed(listed) => {
                let InstalledVoice { language, voice, name } = &listed[0];
                (&**name, language.as_deref(), voice.as_deref())
            }
            Installed::English | Installed::All => (WOMAN, None, None),
        };
        let language = language.unwrap_or(DEFAULT_LANGUAGE);
        named(name, language, gender(voice.unwrap_or(WOMAN)))
    }
}

/// `WOMAN` or `MAN` of a language that is `known`.
fn plain(voice: &str, known: Option<&str>, language: &str) -> Result<Voice, Missing> {
    let known = known.ok_or_else(|| Missing::Language { language: language.to_owned() })?;
    let name = [WOMAN, MAN].into_iter().find(|name| name.eq_ignore_ascii_case(voice));
    let name = name.ok_or_else(|| missing(voice, language))?;
    Ok(named(name, known, gender(name)))
}

/// The first of those `listed` that fits. What it is asked by ends up in the engine's command line: a language is a tag.
fn find(listed: &[InstalledVoice], voice: &str, language: &str) -> Result<Voice, Missing> {
    let fits = |asked: &Option<String>, with: &str| {
        asked.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(with))
    };
    let mut of_language =
        listed.iter().filter(|own| is_tag(language) && fits(&own.language, language)).peekable();
    if of_language.peek().is_none() {
        return Err(Missing::Language { language: language.to_owned() });
    }
    let found = of_language.find(|own| fits(&own.voice, voice)).ok_or_else(|| missing(voice, language))?;
    let language = found.language.as_deref().unwrap_or(language);
    Ok(named(&found.name, language, gender(voice)))
}

fn named(name: &str, language: &str, gender: &'static str) -> Voice {
    Voice { name: name.to_owned(), language: language.to_owned(), gender, prosody: Prosody::default() }
}

fn missing(voice: &str, language: &str) -> Missing {
    Missing::Voice { voice: voice.to_owned(), language: language.to_owned() }
}

fn gender(voice: &str) -> &'static str {
    if plain_voice(voice, DEFAULT_LANGUAGE).is_some_and(|(plain, _)| plain == MAN) {
        "male"
    } else {
        "female"
    }
}

fn is_tag(language: &str) -> bool {
    let mut characters = language.bytes();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|other| other.is_ascii_alphanumeric() || other == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(voices: &[&str]) -> Voices {
        Voices::listed(voices.iter().map(|voice| voice.parse().unwrap()).collect())
    }

    fn name(voices: &Voices, voice: &str, language: &str) -> Result<String, String> {
        voices.find(voice, language).map(|found| found.name).map_err(|missing| missing.to_string())
    }

    #[test]
    fn the_built_in_voice_speaks_english_only_and_is_nobody_in_particular() {
        let voices = Voices::english();
        assert_eq!(name(&voices, "man", "en-GB").unwrap(), "MAN");
        assert_eq!(
            name(&voices, "WOMAN", "de-DE").unwrap_err(),
            "no voice is installed for the language \"de-DE\""
        );
        let joanna = name(&voices, "Polly.Joanna", "en-US").unwrap_err();
        assert_eq!(joanna, "the voice \"Polly.Joanna\" is not installed for \"en-US\"");
        let instead = voices.find_or_default("Polly.Vicki", "de-DE");
        assert_eq!((&*instead.name, &*instead.language), ("WOMAN", "en-US"));
    }

    #[test]
    fn an_engine_without_a_list_speaks_every_language_of_plivo() {
        let voices = Voices::listed(vec![]);
        for language in ["da-DK", "en-GB", "fr-CA", "pt-BR", "sv-SE"] {
            let voice = voices.find("MAN", &language.to_lowercase()).unwrap();
            assert_eq!((&*voice.language, voice.gender), (language, "male"));
        }
        for language in ["ja-JP", "", "-f/etc/passwd"] {
            assert_eq!(voices.find("MAN", language), Err(Missing::Language { language: language.into() }));
        }
    }

    #[test]
    fn the_first_voice_of_the_list_that_fits_speaks() {
        let voices = listed(&["en-US/WOMAN=amy", "en-US/*=joe", "de-DE/MAN=hans", "*/Polly.Any=any"]);
        assert_eq!(name(&voices, "woman", "en-us").unwrap(), "amy");
        assert_eq!(name(&voices, "Polly.Matthew", "en-US").unwrap(), "joe");
        assert_eq!(voices.find("Polly.Matthew", "en-US").unwrap().gender, "male");
        assert_eq!(name(&voices, "MAN", "de-DE").unwrap(), "hans");
        assert_eq!(voices.find("Polly.Any", "fr-FR").unwrap().language, "fr-FR");
        assert!(matches!(voices.find("WOMAN", "de-DE"), Err(Missing::Voice { .. })));
        assert!(matches!(voices.find("Polly.Any", "--help"), Err(Missing::Language { .. })));
        assert_eq!(voices.find_or_default("WOMAN", "de-DE").name, "hans");
        assert_eq!(voices.find_or_default("WOMAN", "it-IT").name, "amy");
    }

    #[test]
    fn a_person_who_is_missing_is_replaced_by_who_comes_closest() {
        let voices = Voices::listed(vec![]);
        for (person, gender, language) in [("Polly.Hans", "male", "de-DE"), ("Polly.Amy", "female", "en-GB")]
        {
            let instead = voices.find_or_default(person, "en-US");
            assert_eq!((instead.gender, &*instead.language), (gender, language));
        }
        let instead = voices.find_or_default("Polly.Mizuki", "ja-JP");
        assert_eq!((instead.gender, &*instead.language), ("female", "en-US"));
    }

    #[test]
    fn the_log_tells_once_of_what_is_missing() {
        let voices = Voices::english();
        for _ in 0..3 {
            voices.find_or_default("WOMAN", "de-DE");
            voices.find_or_default("MAN", "en-US");
        }
        assert_eq!(voices.reported.lock().unwrap().len(), 1);
        (0..1_000).for_each(|n| drop(voices.find_or_default(&n.to_string(), "de-DE")));
        assert_eq!(voices.reported.lock().unwrap().len(), MAX_REPORTED);
    }

    #[test]
    fn a_template_is_filled() {
        let voice = named("amy", "en-GB", "female");
        assert_eq!(voice.fill("{voice}-{language}/{gender} {x}"), "amy-en-GB/female {x}");
    }

    #[test]
    fn what_is_no_voice_is_refused() {
        for text in
            ["", "en-US=amy", "en-US/WOMAN", "en-US/WOMAN=", "/WOMAN=amy", "en US/WOMAN=amy", "en/=amy"]
        {
            assert!(text.parse::<InstalledVoice>().is_err(), "{text}");
        }
    }
}
