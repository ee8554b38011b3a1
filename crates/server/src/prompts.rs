//! Makes the audio of prompts: built-in sounds, speech and audio files.
//!
//! Rendering runs on blocking threads, never on a media worker, and is bounded
//! in size, time and number at once. What was made is kept while there is room.

mod cache;
mod decode;
mod fetch;
mod speech;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use mixminus_audio::{Clip, Pcm, SampleRate, builtin, resample};
use mixminus_control::PromptContent;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use cache::{Cache, Made};
pub use speech::{BuiltInVoice, Speech, Utterance};

/// Largest audio file taken, which is Plivo's limit for `<Play>`.
pub const MAX_FILE_BYTES: usize = 10 * 1024 * 1024;
/// Longest clip made; what comes after is cut off, and the log says so.
pub const MAX_CLIP: Duration = Duration::from_mins(10);
/// Longest time one clip may take to make; ten minutes of MP3 take 0.3 s.
const MAX_RENDERING: Duration = Duration::from_secs(20);
/// Clips made at once. One core's worth leaves the others to the media workers.
const MAX_CONCURRENT: usize = 1;
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
    /// A decoder or the voice failed in a way it should not.
    #[error("decoder or voice failed")]
    Broken,
}

/// An audio file as it was fetched.
#[derive(Clone, Debug)]
pub struct AudioFile {
    /// Its content.
    pub bytes: Bytes,
    /// The media type it was sent with, which may be wrong.
    pub media_type: Option<String>,
}

/// Fetches audio files, within the deployer's rules for URLs.
pub trait FetchAudio: Send + Sync + 'static {
    /// The file at `url`, read up to [`MAX_FILE_BYTES`].
    ///
    /// # Errors
    ///
    /// [`PromptError::Fetch`] or [`PromptError::TooLarge`].
    fn fetch(&self, url: &str) -> impl Future<Output = Result<AudioFile, PromptError>> + Send;
}

/// Makes and keeps the audio of prompts.
#[derive(Debug)]
pub struct Prompts<F> {
    files: F,
    speech: Arc<dyn Speech>,
    cache: Mutex<Cache>,
    rendering: Semaphore,
}

impl<F: FetchAudio> Prompts<F> {
    /// Prompts whose files come from `files` and whose voice is `speech`.
    pub fn new(files: F, speech: Arc<dyn Speech>) -> Self {
        Self {
            files,
            speech,
            cache: Mutex::new(Cache::new(MAX_CACHED_BYTES)),
            rendering: Semaphore::new(MAX_CONCURRENT),
        }
    }

    /// The audio of `content`, at the lowest rate that holds all of it.
    ///
    /// Files are fetched anew each time, since they may change, and decoded
    /// only if the same content was not decoded before.
    ///
    /// # Errors
    ///
    /// [`PromptError`] when there is nothing to play.
    pub async fn render(&self, content: &PromptContent) -> Result<Arc<Clip>, PromptError> {
        let named = || Made::Named(content.clone());
        let sound: fn() -> Clip = match content {
            PromptContent::File(url) => {
                let file = self.files.fetch(url).await?;
                let made = Made::File(Sha256::digest(&file.bytes).into());
                return self.make(made, move |stop| decode::decode(&file, stop).map(Clip::new)).await;
            }
            PromptContent::Speech { text, voice, language } => {
                let utterance =
                    Utterance { text: text.clone(), voice: voice.clone(), language: language.clone() };
                let speech = Arc::clone(&self.speech);
                let work = move |stop: &CancellationToken| speech::speak(&*speech, &utterance, stop);
                return self.make(named(), move |stop| work(stop).map(Clip::new)).await;
            }
            PromptContent::Beep1 => builtin::beep_once,
            PromptContent::Beep2 => builtin::beep_twice,
            PromptContent::WaitMusic => builtin::wait_music,
            PromptContent::AgentHoldMusic => builtin::agent_hold_music,
            PromptContent::CustomerHoldMusic => builtin::customer_hold_music,
        };
        self.make(named(), move |_stop| Ok(sound())).await
    }

    /// The clip that is kept, or else what `work` makes.
    async fn make<W>(&self, made: Made, work: W) -> Result<Arc<Clip>, PromptError>
    where
        W: FnOnce(&CancellationToken) -> Result<Clip, PromptError> + Send + 'static,
    {
        if let Some(clip) = self.cached(&made) {
            return Ok(clip);
        }
        let _turn = self.rendering.acquire().await.expect("the semaphore is never closed");
        // Somebody else may have made it while this one waited for its turn.
        if let Some(clip) = self.cached(&made) {
            return Ok(clip);
        }
        let stop = CancellationToken::new();
        let _stop_when_left = stop.clone().drop_guard();
        let rendering = tokio::task::spawn_blocking(move || work(&stop));
        let clip = tokio::time::timeout(MAX_RENDERING, rendering).await.map_err(|_| PromptError::TooSlow)?;
        let clip = Arc::new(clip.map_err(|_| PromptError::Broken)??);
        if clip.duration().is_zero() {
            return Err(PromptError::Empty);
        }
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).keep(made, Arc::clone(&clip));
        Ok(clip)
    }

    fn cached(&self, made: &Made) -> Option<Arc<Clip>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).find(made)
    }
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
