//! Playing and saying something to members of an MPC, or to the legs of a call.

use std::time::Duration;

use super::fields::required;
use super::{Arguments, RestError, schema};
use crate::xml::MAX_SPEECH_CHARS;
use crate::{LANGUAGES, POLLY, Voice};

/// The most files that one request may play.
pub const MAX_PLAY_URLS: usize = 20;

/// What members of an MPC are to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPlay {
    /// The audio file.
    pub url: String,
}

impl MemberPlay {
    /// Reads the body: `url`, or `urls` as the documentation has it.
    ///
    /// # Errors
    ///
    /// [`RestError`] if there is not exactly one URL.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        if let Some(url) = body.url("url")? {
            return Ok(Self { url });
        }
        let mut urls = body.urls("urls")?;
        let url = required("url", urls.pop())?;
        if urls.is_empty() { Ok(Self { url }) } else { Err(RestError::Parameter("urls")) }
    }
}

/// What is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speech {
    /// The text.
    pub text: String,
    /// In which voice and language.
    pub voice: Voice,
    /// Whether what is heard anyway goes on meanwhile.
    pub mix: bool,
}

impl Speech {
    /// Reads the body that makes members of an MPC hear a text. Its `type`
    /// parameter has no documented meaning and is not read.
    ///
    /// # Errors
    ///
    /// [`RestError`] if there is no text, too much of it, or no such voice.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        body.note("text", || schema::speech(MAX_SPEECH_CHARS));
        let text = required("text", body.text("text")?)?;
        if text.chars().count() > MAX_SPEECH_CHARS {
            return Err(RestError::Parameter("text"));
        }
        Ok(Self { text, voice: voice(body)?, mix: body.flag_or("mix", true)? })
    }
}

/// Who of a call hears it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Legs {
    /// The first leg.
    #[default]
    Aleg,
    /// The leg that was dialled from it.
    Bleg,
    /// Both.
    Both,
}

impl Legs {
    const WORDS: &[(&str, Self)] = &[("aleg", Self::Aleg), ("bleg", Self::Bleg), ("both", Self::Both)];

    pub(super) fn parse(body: &Arguments, name: &'static str) -> Result<Self, RestError> {
        Ok(body.choice(name, Self::WORDS)?.unwrap_or_default())
    }
}

/// What the legs of a call are to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPlay {
    /// The audio files, at least one.
    pub urls: Vec<String>,
    /// Stop after so long.
    pub length: Option<Duration>,
    /// Who hears it.
    pub legs: Legs,
    /// Whether it begins anew until it is stopped.
    pub repeat: bool,
    /// Whether the call's own audio goes on meanwhile.
    pub mix: bool,
}

impl CallPlay {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`RestError`] if there is no URL, or for the first wrong value.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        let urls = body.urls("urls")?;
        if urls.is_empty() {
            return Err(RestError::Missing("urls"));
        }
        if urls.len() > MAX_PLAY_URLS {
            return Err(RestError::Parameter("urls"));
        }
        Ok(Self {
            urls,
            length: body.seconds("length", 1..=86_400)?,
            legs: Legs::parse(body, "legs")?,
            repeat: body.flag_or("loop", false)?,
            mix: body.flag_or("mix", true)?,
        })
    }
}

/// What the legs of a call are to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSpeak {
    /// What is said.
    pub speech: Speech,
    /// Who hears it.
    pub legs: Legs,
    /// Whether it begins anew until it is stopped.
    pub repeat: bool,
}

impl CallSpeak {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// Those of [`Speech::parse`], and [`RestError`] for the first wrong value.
    pub fn parse(body: &Arguments) -> Result<Self, RestError> {
        Ok(Self {
            speech: Speech::parse(body)?,
            legs: Legs::parse(body, "legs")?,
            repeat: body.flag_or("loop", false)?,
        })
    }
}

fn voice(body: &Arguments) -> Result<Voice, RestError> {
    body.note("voice", || {
        let polly: Vec<_> = POLLY.iter().map(|(name, ..)| format!("Polly.{name}")).collect();
        schema::words(["WOMAN", "MAN"].into_iter().chain(polly.iter().map(String::as_str)))
    });
    body.note("language", || schema::words(LANGUAGES));
    let (voice, language) = (body.text("voice")?, body.text("language")?);
    Ok(Voice::find(voice.as_deref(), language.as_deref())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &str) -> Arguments {
        Arguments::from_body(None, json.as_bytes()).unwrap()
    }

    #[test]
    fn a_member_hears_one_file() {
        let url = MemberPlay { url: "http://h/a.mp3".into() };
        for json in [
            r#"{"participant_id": 355, "friendly_name": "room", "url": "http://h/a.mp3"}"#,
            r#"{"urls": "http://h/a.mp3"}"#,
            r#"{"urls": ["http://h/a.mp3"]}"#,
        ] {
            assert_eq!(MemberPlay::parse(&body(json)).as_ref(), Ok(&url), "{json}");
        }
        for (json, text) in [
            ("{}", "url is required (current value: None)"),
            (r#"{"urls": "http://h/a,http://h/b"}"#, "urls parameter is invalid"),
            (r#"{"url": "a.mp3"}"#, "url parameter is invalid"),
        ] {
            assert_eq!(MemberPlay::parse(&body(json)).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn a_text_is_said_as_go_asks_for_it() {
        let json = r#"{"text":"hi","voice":"WOMAN","language":"en-US","mix":false}"#;
        let voice = Voice::find(None, None).unwrap();
        assert_eq!(Speech::parse(&body(json)), Ok(Speech { text: "hi".into(), voice, mix: false }));
        let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(MAX_SPEECH_CHARS + 1));
        for (json, text) in [
            ("{}", "text is required (current value: None)"),
            (long.as_str(), "text parameter is invalid"),
            (
                r#"{"text":"x","voice":"ROBOT"}"#,
                "voice is unknown: ROBOT; accepted: WOMAN, MAN, or Polly. with one of its names",
            ),
        ] {
            assert_eq!(Speech::parse(&body(json)).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn legs_of_a_call_hear_several_files() {
        let json =
            r#"{"urls":"http://h/a,http://h/b","length":"30","legs":"both","loop":true,"mix":"false"}"#;
        let play = CallPlay {
            urls: vec!["http://h/a".into(), "http://h/b".into()],
            length: Some(Duration::from_secs(30)),
            legs: Legs::Both,
            repeat: true,
            mix: false,
        };
        assert_eq!(CallPlay::parse(&body(json)), Ok(play));
        assert_eq!(CallPlay::parse(&body("{}")), Err(RestError::Missing("urls")));
        let speak = CallSpeak::parse(&body(r#"{"text":"hi","legs":"bleg"}"#)).unwrap();
        assert_eq!((speak.legs, speak.repeat, speak.speech.mix), (Legs::Bleg, false, true));
    }
}
