//! Plivo's XML as sounds, where nothing but that is wanted.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mixminus_control::{FetchError, PromptContent, Prosody};
use mixminus_plivo::xml::{self, Limits, Manner, Prompt, SpeechPart};
use mixminus_plivo::{Gender, Voice};

use super::document::repeat;
use crate::prompts::Sound;

/// What is to be heard of `document`, which came from `url`, in order. Elements that make no sound are ignored.
///
/// # Errors
///
/// [`FetchError::Invalid`] with the parser's own words for the author.
pub fn sounds(document: &[u8], url: &str) -> Result<Vec<Sound>, FetchError> {
    let invalid = |error: &dyn std::fmt::Display| FetchError::Invalid(error.to_string());
    let base = url.parse().map_err(|error: url::ParseError| invalid(&error))?;
    let prompts = xml::parse_sounds(document, &base, &Limits::default()).map_err(|error| invalid(&error))?;
    Ok(prompts.into_iter().map(sound).collect())
}

fn sound(prompt: Prompt) -> Sound {
    match prompt {
        Prompt::Speak(speak) => {
            let times = repeat(speak.repeat);
            Sound::Speech(spoken(speak), times)
        }
        Prompt::Play(play) => Sound::File(play.url, repeat(play.repeat)),
        Prompt::Wait(wait) => Sound::Pause(Duration::from_secs(wait.length_seconds.into())),
    }
}

/// What is heard of a text and of its pauses.
pub(super) fn spoken(speak: xml::Speak) -> PromptContent {
    log_plain(&speak.plain);
    let xml::Speak { parts, voice, .. } = speak;
    let mut contents: Vec<_> = parts
        .into_iter()
        .map(|part| match part {
            SpeechPart::Text(text, Manner { language, rate_percent, pitch_percent, volume_db }) => {
                let prosody = Prosody { rate_percent, pitch_percent, volume_db };
                PromptContent::Speech { text, voice: voice.clone(), language, prosody }
            }
            SpeechPart::Pause(length) => PromptContent::Pause(length),
        })
        .collect();
    if contents.len() == 1 { contents.remove(0) } else { PromptContent::Several(contents) }
}

/// Says once of each element that no engine is told of it.
fn log_plain(elements: &BTreeSet<&'static str>) {
    static TOLD: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    for element in elements {
        if told.insert(element) {
            tracing::warn!(element, "no voice here says it another way; its text is spoken as any other");
        }
    }
}

/// Whether it is `WOMAN` or `MAN` who comes closest to `voice`, and in which of their languages.
pub fn plain_voice(voice: &str, language: &str) -> Option<(&'static str, &'static str)> {
    let Voice { language, gender, .. } = Voice::find(Some(voice), Some(language)).ok()?;
    let voice = match gender {
        Gender::Female => "WOMAN",
        Gender::Male => "MAN",
    };
    Some((voice, language))
}

#[cfg(test)]
mod tests {
    use mixminus_control::Repeat;

    use super::*;

    #[test]
    fn what_makes_no_sound_is_ignored_and_urls_are_resolved() {
        let document =
            b"<Response><Play loop='2'>b/c.wav</Play><Hangup/><Redirect>/x</Redirect><Wait length='3'/>\
            <Speak voice='MAN' language='de-DE'>Hallo</Speak><Unknown/></Response>";
        let said = PromptContent::Speech {
            text: "Hallo".into(),
            voice: "MAN".into(),
            language: "de-DE".into(),
            prosody: Prosody::default(),
        };
        assert_eq!(
            sounds(document, "http://music.example/a/wait.xml").unwrap(),
            [
                Sound::File("http://music.example/a/b/c.wav".into(), Repeat::Times(2)),
                Sound::Pause(Duration::from_secs(3)),
                Sound::Speech(said, Repeat::Times(1)),
            ]
        );
        let invalid_elsewhere = b"<Response><Hangup reason='x'/><Play>/a</Play></Response>";
        assert_eq!(sounds(invalid_elsewhere, "http://a/").unwrap().len(), 1);
        assert!(matches!(sounds(b"<Play>/a</Play>", "http://a/"), Err(FetchError::Invalid(_))));
    }
}
