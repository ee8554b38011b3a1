//! A program that transcribes: a recording's file on its standard input, text on its standard output.

use std::io;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use futures::TryStreamExt;
use mixminus_archive::{ArchiveError, Stored};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin};
use tokio::time::timeout;

use crate::config;
use crate::program::program;

/// Longest transcript: eight hours of talk have less.
const MAX_TEXT_BYTES: usize = 512 << 10;

/// Why there is no transcript.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// There is no transcriber.
    #[error("speech.transcriber is not set")]
    NotConfigured,
    /// The recording failed, or was deleted.
    #[error("the recording has no file")]
    NoFile,
    /// What keeps the recording does not answer.
    #[error("the recording cannot be read: {0}")]
    Unreadable(ArchiveError),
    /// The program cannot be started.
    #[error("the transcriber does not start: {0}")]
    Start(io::Error),
    /// What it says cannot be read.
    #[error("the transcriber's output: {0}")]
    Output(io::Error),
    /// What it says is no text.
    #[error("the transcriber's output is not UTF-8")]
    NotText,
    /// It says too much.
    #[error("the transcriber's output is longer than {MAX_TEXT_BYTES} bytes")]
    TooLong,
    /// It ended in failure.
    #[error("the transcriber ended with {0}")]
    Exit(ExitStatus),
    /// It did not come to an end.
    #[error("the transcriber was not done within {0:?}")]
    TooSlow(Duration),
}

impl TranscriptError {
    /// What whoever asked is told.
    pub const fn told(&self) -> &'static str {
        match self {
            Self::NotConfigured => "there is no transcriber",
            Self::NoFile => "the recording has no file",
            Self::Unreadable(_) => "the recording cannot be read",
            Self::TooSlow(_) => "the transcription took too long",
            Self::Start(_) | Self::Output(_) | Self::NotText | Self::TooLong | Self::Exit(_) => {
                "the transcriber failed"
            }
        }
    }
}

/// Starts the program that transcribes.
#[derive(Clone, Debug)]
pub struct Transcriber {
    /// The program and its arguments, with `{format}` and `{channels}` in them; none, if there is no transcriber.
    words: Vec<String>,
    /// How long it may take.
    limit: Duration,
    at_once: usize,
}

impl Transcriber {
    /// The transcriber that `config` names, or one that always fails.
    pub fn new(config: &config::Speech) -> Self {
        Self {
            words: config.transcriber.clone().unwrap_or_default(),
            limit: Duration::from_secs(config.transcriber_timeout_s.get().into()),
            at_once: config.max_transcribers.get() as usize,
        }
    }

    /// How many recordings it is given at once.
    pub const fn at_once(&self) -> usize {
        self.at_once
    }

    /// What is said in `audio`, a file of that format with so many channels.
    ///
    /// # Errors
    ///
    /// [`TranscriptError`].
    pub async fn transcribe(
        &self,
        audio: Stored,
        (format, channels): (&str, &str),
    ) -> Result<String, TranscriptError> {
        if self.words.is_empty() {
            return Err(TranscriptError::NotConfigured);
        }
        let fill = |word: &str| word.replace("{format}", format).replace("{channels}", channels);
        let child = program(&self.words, fill).spawn().map_err(TranscriptError::Start)?;
        let done = timeout(self.limit, converse(child, audio)).await;
        done.map_err(|_| TranscriptError::TooSlow(self.limit))?
    }
}

/// Gives the program the audio and hears it out, at the same time: it may say something before it has heard all.
async fn converse(mut child: Child, audio: Stored) -> Result<String, TranscriptError> {
    let input = child.stdin.take().expect("it was asked for");
    let output = child.stdout.take().expect("it was asked for");
    let mut said = Vec::new();
    let mut output = output.take(MAX_TEXT_BYTES as u64 + 1);
    let hear = async {
        let len = output.read_to_end(&mut said).await.map_err(TranscriptError::Output)?;
        if len > MAX_TEXT_BYTES { Err(TranscriptError::TooLong) } else { Ok(()) }
    };
    tokio::try_join!(give(input, audio), hear)?;
    let status = child.wait().await.map_err(TranscriptError::Output)?;
    if !status.success() {
        return Err(TranscriptError::Exit(status));
    }
    let text = String::from_utf8(said).map_err(|_| TranscriptError::NotText)?;
    Ok(text.trim().to_owned())
}

/// Hands on what there is of `audio`. A program that has heard enough may have closed its input.
async fn give(mut input: ChildStdin, audio: Stored) -> Result<(), TranscriptError> {
    let all = 0..audio.len();
    let mut parts = pin!(audio.stream(all));
    while let Some(part) = parts.try_next().await.map_err(TranscriptError::Unreadable)? {
        if input.write_all(&part).await.is_err() {
            break;
        }
    }
    Ok(())
}
