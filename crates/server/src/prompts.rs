//! Makes the audio of prompts: built-in sounds, speech, audio files, and
//! documents of these.
//!
//! Rendering runs on blocking threads or in another process, never on a media
//! worker, and is bounded in size, time and number at once. What was made is
//! kept while there is room. A prompt is made part by part, so that it is heard
//! before all of it is made.

mod cache;
mod command;
mod decode;
mod fetch;
mod parts;
mod sentences;
mod service;
mod sounds;
mod speech;
mod voices;

use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use mixminus_audio::{Clip, Pcm, SampleRate, builtin, resample};
use mixminus_control::{Action, HttpMethod, PromptContent};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::dialect;
use cache::{Cache, Made};
pub use fetch::AudioFiles;
use parts::Parts;
use sentences::pieces;
pub use sounds::Sound;
use sounds::{Answer, Answers, MAX_SOUNDS};
pub use speech::Speech;
use voices::Voice;
pub use voices::{InstalledVoice, Missing};

/// Largest audio file taken, which is Plivo's limit for `<Play>`.
pub const MAX_FILE_BYTES: usize = 10 * 1024 * 1024;
/// Longest audio of one prompt; what comes after is cut off, and the log says so.
pub const MAX_CLIP: Duration = Duration::from_mins(10);
/// Longest time one clip may take to make; ten minutes of MP3 take 0.3 s.
const MAX_RENDERING: Duration = Duration::from_secs(20);
/// Files decoded at once. One core's worth leaves the others to the media workers.
const MAX_CONCURRENT: usize = 1;
/// Of what pauses are made.
const PAUSE: Duration = Duration::from_secs(1);
/// Memory for clips that are kept: ten minutes of audio at 48 kHz, or an hour at 8 kHz.
const MAX_CACHED_BYTES: usize = 64 * 1024 * 1024;

/// Why there is no audio for a prompt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// The file could not be fetched.
    #[error("audio file cannot be fetched: {0}")]
    Fetch(String),
    /// The file is larger than is taken.
    #[error("audio file of {size_bytes} bytes, at most {MAX_FILE_BYTES} are taken")]
    TooLarge {
        /// Its size.
        size_bytes: usize,
    },
    /// The file is not in a known audio format.
    #[error("not a WAV or MP3 audio file: {0}")]
    NotAudio(String),
    /// The file's audio has a shape that is not taken.
    #[error("unsupported audio: {0}")]
    Unsupported(String),
    /// The prompt holds no sample.
    #[error("no audio in it")]
    Empty,
    /// Making the audio took too long.
    #[error("not made within {} s", MAX_RENDERING.as_secs())]
    TooSlow,
    /// The answer is neither an audio file nor a document of sounds.
    #[error("no sounds: {0}")]
    Document(String),
    /// What is configured to speak does not.
    #[error("the speech engine failed: {0}")]
    Engine(String),
    /// A decoder or the voice failed in a way it should not.
    #[error("decoder or voice failed")]
    Broken,
}

/// What was fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its content.
    pub bytes: Bytes,
    /// The media type it was sent with, which may be wrong.
    pub media_type: Option<String>,
    /// Where it came from in the end.
    pub url: String,
}

/// Fetches audio files and documents of sounds, within the deployer's rules
/// for URLs.
pub trait FetchAudio: Send + Sync + 'static {
    /// What is answered to `action`, read up to [`MAX_FILE_BYTES`].
    ///
    /// # Errors
    ///
    /// [`PromptError::Fetch`] or [`PromptError::TooLarge`].
    fn fetch(&self, action: &Action) -> impl Future<Output = Result<Fetched, PromptError>> + Send;
}

/// Makes and keeps the audio of prompts.
#[derive(Debug)]
pub struct Prompts<F> {
    files: F,
    speech: Arc<Speech>,
    cache: Mutex<Cache>,
    answers: Mutex<Answers>,
    decoding: Semaphore,
}

impl<F: FetchAudio> Prompts<F> {
    /// Prompts whose files come from `files` and which `speech` speaks.
    pub fn new(files: F, speech: Arc<Speech>) -> Self {
        Self {
            files,
            speech,
            cache: Mutex::new(Cache::new(MAX_CACHED_BYTES)),
            answers: Mutex::default(),
            decoding: Semaphore::new(MAX_CONCURRENT),
        }
    }

    /// Makes the audio of `content`, each part at the lowest rate that holds
    /// all of it, and hands the parts out in order. Of what has several parts,
    /// those that cannot be had are left out, and the log says so.
    ///
    /// Files are fetched anew each time, since they may change, and decoded
    /// only if the same content was not decoded before. What an application
    /// answers for sounds is asked for again after a minute.
    ///
    /// # Errors
    ///
    /// [`PromptError`] when there is nothing to play.
    pub async fn render(
        &self,
        content: &PromptContent,
        parts: mpsc::Sender<Arc<Clip>>,
    ) -> Result<(), PromptError> {
        let mut parts = Parts::new(parts);
        self.render_one(content, &mut parts).await
    }

    async fn render_several(&self, contents: &[PromptContent], parts: &mut Parts) -> Result<(), PromptError> {
        for content in contents {
            if parts.is_full() {
                return Ok(());
            }
            if let Err(error) = self.render_one(content, parts).await {
                tracing::warn!(%error, "one of several prompts left out");
            }
        }
        parts.or_nothing()
    }

    async fn render_one(&self, content: &PromptContent, parts: &mut Parts) -> Result<(), PromptError> {
        let clip = match content {
            PromptContent::Several(contents) => return Box::pin(self.render_several(contents, parts)).await,
            PromptContent::Speech { text, voice, language, prosody } => {
                let voice = Voice { prosody: *prosody, ..self.speech.voice(voice, language) };
                return self.speak(text, voice, parts).await;
            }
            PromptContent::Pause(length) => {
                be_silent(*length, parts).await;
                return Ok(());
            }
            PromptContent::Sounds(action) => match self.answer(action).await? {
                Heard::Document(sounds) => return self.perform(&sounds, parts).await,
                Heard::Audio(clip) => clip,
            },
            PromptContent::File(url) => self.decode(self.files.fetch(&get(url)).await?).await?.1,
            PromptContent::Beep1 => self.built_in(content, builtin::beep_once).await?,
            PromptContent::Beep2 => self.built_in(content, builtin::beep_twice).await?,
            PromptContent::WaitMusic => self.built_in(content, builtin::wait_music).await?,
            PromptContent::AgentHoldMusic => self.built_in(content, builtin::agent_hold_music).await?,
            PromptContent::CustomerHoldMusic => self.built_in(content, builtin::customer_hold_music).await?,
            PromptContent::Ringback => self.built_in(content, builtin::ringback).await?,
        };
        parts.add(clip).await;
        Ok(())
    }

    async fn built_in(&self, content: &PromptContent, sound: fn() -> Clip) -> Result<Arc<Clip>, PromptError> {
        let work = on_a_thread(move |_stop| Ok(sound()));
        self.make(Made::Named(content.clone()), &self.decoding, work).await
    }

    /// Makes one sound after the other.
    async fn perform(&self, sounds: &[Sound], parts: &mut Parts) -> Result<(), PromptError> {
        if sounds.len() > MAX_SOUNDS {
            tracing::warn!(
                sounds = sounds.len(),
                "only the first {MAX_SOUNDS} sounds of a document are played"
            );
        }
        for sound in sounds.iter().take(MAX_SOUNDS) {
            for _ in 0..sound.times() {
                if parts.is_full() {
                    return Ok(());
                }
                if let Err(error) = self.sound(sound, parts).await {
                    tracing::warn!(%error, "sound left out");
                    break;
                }
            }
        }
        parts.or_nothing()
    }

    async fn sound(&self, sound: &Sound, parts: &mut Parts) -> Result<(), PromptError> {
        match sound {
            Sound::Speech(content, _) => return Box::pin(self.render_one(content, parts)).await,
            Sound::File(url, _) => match self.answer(&get(url)).await? {
                Heard::Audio(clip) => parts.add(clip).await,
                Heard::Document(_) => return Err(PromptError::Document("a document in a document".into())),
            },
            Sound::Pause(length) => be_silent(*length, parts).await,
        }
        Ok(())
    }

    /// Speaks piece by piece. What follows a piece that cannot be made is left out.
    async fn speak(&self, text: &str, voice: Voice, parts: &mut Parts) -> Result<(), PromptError> {
        let mut result = Err(PromptError::Empty);
        for text in pieces(text, self.speech.first_piece_chars()) {
            let made = Made::Spoken(text.to_owned(), voice.clone());
            let work = async { self.speech.say(text, &voice).await.map(Clip::new) };
            match self.make(made, self.speech.turns(), work).await {
                Ok(clip) => {
                    parts.add(clip).await;
                    result = Ok(());
                }
                // Nothing but punctuation, for example.
                Err(PromptError::Empty) => {}
                Err(error) if result.is_ok() => {
                    tracing::warn!(%error, "the rest of a text is left out");
                    break;
                }
                Err(error) => return Err(error),
            }
            if parts.is_full() {
                break;
            }
        }
        result
    }

    /// What an application answers, or has answered lately.
    async fn answer(&self, action: &Action) -> Result<Heard, PromptError> {
        if let Some(heard) = self.remembered(action) {
            return Ok(heard);
        }
        let fetched = self.files.fetch(action).await?;
        let (answer, heard) = if is_document(&fetched.bytes) {
            let sounds = dialect::sounds(&fetched.bytes, &fetched.url);
            let sounds: Arc<[Sound]> =
                sounds.map_err(|error| PromptError::Document(error.to_string()))?.into();
            (Answer::Document(Arc::clone(&sounds)), Heard::Document(sounds))
        } else {
            let (sha256, clip) = self.decode(fetched).await?;
            (Answer::File(sha256), Heard::Audio(clip))
        };
        lock(&self.answers).keep(action.clone(), answer, now());
        Ok(heard)
    }

    fn remembered(&self, action: &Action) -> Option<Heard> {
        let answer = lock(&self.answers).find(action, now())?;
        match answer {
            Answer::File(sha256) => self.cached(&Made::File(sha256)).map(Heard::Audio),
            Answer::Document(sounds) => Some(Heard::Document(sounds)),
        }
    }

    async fn decode(&self, file: Fetched) -> Result<([u8; 32], Arc<Clip>), PromptError> {
        let sha256 = Sha256::digest(&file.bytes).into();
        let work = on_a_thread(move |stop| decode::decode(&file, stop).map(Clip::new));
        let clip = self.make(Made::File(sha256), &self.decoding, work).await?;
        Ok((sha256, clip))
    }

    /// The clip that is kept, or else what `work` makes when it has its turn.
    async fn make(
        &self,
        made: Made,
        turns: &Semaphore,
        work: impl Future<Output = Result<Clip, PromptError>>,
    ) -> Result<Arc<Clip>, PromptError> {
        if let Some(clip) = self.cached(&made) {
            return Ok(clip);
        }
        let _turn = turns.acquire().await.expect("the semaphore is never closed");
        // Somebody else may have made it while this one waited for its turn.
        if let Some(clip) = self.cached(&made) {
            return Ok(clip);
        }
        let clip = Arc::new(work.await?);
        if clip.duration().is_zero() {
            return Err(PromptError::Empty);
        }
        lock(&self.cache).keep(made, Arc::clone(&clip));
        Ok(clip)
    }

    fn cached(&self, made: &Made) -> Option<Arc<Clip>> {
        lock(&self.cache).find(made)
    }
}

/// What an application answered, ready to be heard.
enum Heard {
    Audio(Arc<Clip>),
    Document(Arc<[Sound]>),
}

/// What `work` makes on a thread that may block, within [`MAX_RENDERING`]. It is told to stop when that is over, or when
/// nobody waits any more.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce(&CancellationToken) -> Result<T, PromptError> + Send + 'static,
) -> Result<T, PromptError> {
    let stop = CancellationToken::new();
    let _stop_when_left = stop.clone().drop_guard();
    let rendering = tokio::task::spawn_blocking(move || work(&stop));
    let made = tokio::time::timeout(MAX_RENDERING, rendering).await.map_err(|_| PromptError::TooSlow)?;
    made.map_err(|_| PromptError::Broken)?
}

/// Whether these are a document and no audio file, whatever they were sent as.
fn is_document(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).starts_with(b"<")
}

/// Adds so much silence, in whole milliseconds; each second of it is the same clip.
async fn be_silent(length: Duration, parts: &mut Parts) {
    static SECOND: OnceLock<Arc<Clip>> = OnceLock::new();
    let mut left = length;
    while left >= PAUSE && !parts.is_full() {
        parts.add(Arc::clone(SECOND.get_or_init(|| Arc::new(silence(PAUSE))))).await;
        left -= PAUSE;
    }
    if left.as_millis() > 0 && !parts.is_full() {
        parts.add(Arc::new(silence(left))).await;
    }
}

fn silence(length: Duration) -> Clip {
    let rate = SampleRate::Hz8000;
    let samples = vec![0; length.as_millis() as usize * rate.hz() as usize / 1000];
    Clip::new(Pcm { rate, samples })
}

fn get(url: &str) -> Action {
    Action { url: url.to_owned(), method: HttpMethod::Get }
}

fn lock<T>(kept: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "how old an answer is, nobody outside can tell")]
fn now() -> Instant {
    Instant::now()
}

/// The most samples a clip at `hz` samples a second may have.
fn max_samples(hz: u32) -> usize {
    MAX_CLIP.as_secs() as usize * hz as usize
}

/// What `samples` are, of which there were `hz` a second, at the lowest rate that holds all of it.
fn at_best_rate(samples: Vec<i16>, hz: u32) -> Pcm {
    let enough = SampleRate::ALL.into_iter().find(|rate| rate.hz() >= hz);
    let rate = enough.unwrap_or(SampleRate::Hz48000);
    let samples = if hz == rate.hz() { samples } else { resample(&samples, hz, rate) };
    Pcm { rate, samples }
}

#[cfg(test)]
mod tests;
