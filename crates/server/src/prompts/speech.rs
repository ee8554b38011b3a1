//! Speech, by one of several engines.

use std::sync::OnceLock;
use std::time::Duration;

use flite_rs::{Engine as Flite, Flow};
use mixminus_audio::Pcm;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::command::Program;
use super::sentences::MAX_PIECE_CHARS;
use super::service::Service;
use super::voices::{Missing, Voice, Voices};
use super::{Fetched, PromptError, at_best_rate, decode, max_samples, on_a_thread};
use crate::config::{self, SpeechEngine};
use crate::web::{Destinations, WebClient};

/// The first piece that an engine of unknown speed is given, in characters: 2.7 s of speech. One that needs a tenth of
/// the time makes it within 270 ms; a shorter one would be torn from its sentence.
const FIRST_PIECE_CHARS: usize = 40;

/// Speaks, with the voices that are installed.
#[derive(Debug)]
pub struct Speech {
    engine: Engine,
    voices: Voices,
    /// Sentences that are made at once.
    turns: Semaphore,
}

#[derive(Debug)]
enum Engine {
    /// Inside the program: American English.
    BuiltIn,
    Program(Program),
    Service(Service),
}

impl Speech {
    /// What speaks as `config` says.
    ///
    /// # Errors
    ///
    /// [`reqwest::Error`] if the system gives no resources for a client.
    pub fn new(config: &config::Speech) -> Result<Self, reqwest::Error> {
        let limit = Duration::from_secs(config.timeout_s.get().into());
        let engine = match (&config.engine, &config.command, &config.url) {
            (SpeechEngine::Command, Some(words), _) => {
                Engine::Program(Program { words: words.clone(), limit })
            }
            (SpeechEngine::Http, _, Some(url)) => {
                let web = WebClient::new(Destinations::Any)?;
                Engine::Service(Service { web, url: url.to_url(), limit })
            }
            _ => return Ok(Self::built_in()),
        };
        let voices = Voices::listed(config.voices.clone().unwrap_or_default());
        Ok(Self { engine, voices, turns: Semaphore::new(config.max_concurrent.get() as usize) })
    }

    /// The voice inside the program, which has one core's worth: the others are the media workers'.
    pub fn built_in() -> Self {
        Self { engine: Engine::BuiltIn, voices: Voices::english(), turns: Semaphore::new(1) }
    }

    /// Whether `voice` is installed for `language`.
    ///
    /// # Errors
    ///
    /// What is missing. In a document that is no error: the nearest voice speaks instead.
    pub fn available(&self, voice: &str, language: &str) -> Result<(), Missing> {
        self.voices.find(voice, language).map(drop)
    }

    /// The voice that speaks when these are asked for.
    pub(super) fn voice(&self, voice: &str, language: &str) -> Voice {
        self.voices.find_or_default(voice, language)
    }

    /// The most characters of the first piece of a text.
    pub(super) const fn first_piece_chars(&self) -> usize {
        match self.engine {
            Engine::BuiltIn => MAX_PIECE_CHARS,
            Engine::Program(_) | Engine::Service(_) => FIRST_PIECE_CHARS,
        }
    }

    /// Who may speak next.
    pub(super) const fn turns(&self) -> &Semaphore {
        &self.turns
    }

    /// `text`, spoken by `voice`.
    pub(super) async fn say(&self, text: &str, voice: &Voice) -> Result<Pcm, PromptError> {
        let bytes = match &self.engine {
            Engine::BuiltIn => {
                let text = text.to_owned();
                return on_a_thread(move |stop| built_in(&text, stop)).await;
            }
            Engine::Program(program) => program.say(text, voice).await?,
            Engine::Service(service) => service.say(text, voice).await?,
        };
        let file = Fetched { bytes, media_type: None, url: String::new() };
        on_a_thread(move |stop| decode::decode(&file, stop)).await
    }
}

/// The built-in voice. Reading it takes some 30 ms, so that waits for the
/// first sentence.
fn flite() -> &'static Flite {
    static ENGINE: OnceLock<Flite> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Flite::new();
        assert!(engine.select_voice("kal16"), "the voice is compiled in");
        engine
    })
}

/// What the built-in voice says, cut off at the longest clip allowed.
fn built_in(text: &str, stop: &CancellationToken) -> Result<Pcm, PromptError> {
    let hz = flite().sample_rate();
    let mut samples = Vec::new();
    flite().synthesize_streaming(text, |piece| {
        samples.extend_from_slice(piece);
        if samples.len() < max_samples(hz) && !stop.is_cancelled() { Flow::Continue } else { Flow::Stop }
    });
    if stop.is_cancelled() {
        return Err(PromptError::TooSlow);
    }
    samples.truncate(max_samples(hz));
    Ok(at_best_rate(samples, hz))
}
