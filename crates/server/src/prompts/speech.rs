//! Speech, by one of several engines.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flite_rs::language::Language;
use flite_rs::pipeline::analyse;
use flite_rs::text::sentences;
use flite_rs::voice::synthesise_streaming;
use flite_rs::{Flow, KAL16_VOICE_DATA, Voice as Flite};
use mixminus_audio::Pcm;
use mixminus_control::Prosody;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::command::Program;
use super::sentences::MAX_PIECE_CHARS;
use super::service::Service;
use super::voices::{Missing, PITCH, RATE, Voice, Voices};
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
    /// Whether the log has said that the engine is told neither of a rate nor of a pitch.
    said_untold: AtomicBool,
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
        let turns = Semaphore::new(config.max_concurrent.get() as usize);
        Ok(Self { engine, voices, turns, said_untold: AtomicBool::new(false) })
    }

    /// The voice inside the program, which has one core's worth: the others are the media workers'.
    pub fn built_in() -> Self {
        let (engine, voices, turns) = (Engine::BuiltIn, Voices::english(), Semaphore::new(1));
        Self { engine, voices, turns, said_untold: AtomicBool::new(false) }
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
        let mut pcm = self.speak(text, voice).await?;
        amplify(&mut pcm.samples, voice.prosody.volume_db);
        Ok(pcm)
    }

    async fn speak(&self, text: &str, voice: &Voice) -> Result<Pcm, PromptError> {
        self.say_untold(voice.prosody);
        let bytes = match &self.engine {
            Engine::BuiltIn => {
                let (text, prosody) = (text.to_owned(), voice.prosody);
                return on_a_thread(move |stop| built_in(&text, prosody, stop)).await;
            }
            Engine::Program(program) => program.say(text, voice).await?,
            Engine::Service(service) => service.say(text, voice).await?,
        };
        let file = Fetched { bytes, media_type: None, url: String::new() };
        on_a_thread(move |stop| decode::decode(&file, stop)).await
    }

    /// Says once if the engine is not told how fast or how high it is to speak.
    fn say_untold(&self, prosody: Prosody) {
        let takes = |placeholder| match &self.engine {
            Engine::BuiltIn => true,
            Engine::Program(program) => program.words.iter().any(|word| word.contains(placeholder)),
            Engine::Service(service) => {
                service.url.query_pairs().any(|(_, value)| value.contains(placeholder))
            }
        };
        let untold =
            (prosody.rate_percent != 100 && !takes(RATE)) || (prosody.pitch_percent != 100 && !takes(PITCH));
        if untold && !self.said_untold.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "{RATE} or {PITCH} is not in what starts the speech engine: SSML's changes nothing"
            );
        }
    }
}

/// Makes `samples` so much louder, or as loud as they can be.
fn amplify(samples: &mut [i16], louder_db: i8) {
    if louder_db == 0 {
        return;
    }
    let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
    let gain = 10.0_f32.powf(f32::from(louder_db) / 20.0).min(f32::from(i16::MAX) / f32::from(peak.max(1)));
    for sample in samples {
        *sample = (f32::from(*sample) * gain) as i16;
    }
}

/// The built-in voice. Reading it takes some 30 ms, so that waits for the
/// first sentence.
fn flite() -> &'static (Arc<Language>, Flite) {
    static ENGINE: OnceLock<(Arc<Language>, Flite)> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let voice = Flite::parse(KAL16_VOICE_DATA).expect("the voice is compiled in");
        (flite_rs::Engine::new().language(), voice)
    })
}

/// What the built-in voice says, cut off at the longest clip allowed.
fn built_in(text: &str, prosody: Prosody, stop: &CancellationToken) -> Result<Pcm, PromptError> {
    let (language, voice) = flite();
    let (hz, mut params) = (voice.sample_rate, voice.params());
    params.duration_stretch *= 100.0 / f32::from(prosody.rate_percent);
    params.f0_shift *= f32::from(prosody.pitch_percent) / 100.0;
    let mut samples = Vec::new();
    let is_enough = |samples: &Vec<i16>| samples.len() >= max_samples(hz) || stop.is_cancelled();
    for sentence in sentences(text) {
        let utterance = analyse(language, &sentence, &params);
        synthesise_streaming(voice, &utterance, &params, &mut |piece| {
            samples.extend_from_slice(piece);
            if is_enough(&samples) { Flow::Stop } else { Flow::Continue }
        });
        if is_enough(&samples) {
            break;
        }
    }
    if stop.is_cancelled() {
        return Err(PromptError::TooSlow);
    }
    samples.truncate(max_samples(hz));
    Ok(at_best_rate(samples, hz))
}
