//! Has a program recognise what callers say: audio on its standard input as it comes, JSON lines on its standard
//! output. `docs/speech.md` says how such a program is written.
//!
//! A process is started for each utterance. How many there are, how long they live and how much they say is bounded,
//! and one that fails takes nothing with it but what it should have recognised.

mod feed;

use std::process::ExitStatus;
use std::time::Duration;

use mixminus_control::{Heard, Likelihood, SpeechModel, SpeechTerms};
use mixminus_mixer::TapReader;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::program::program;
use feed::Feed;

/// Longest time a caller is listened to at a stretch: some prompts are long.
const MAX_LISTENING: Duration = Duration::from_mins(10);
/// Longest line that is read.
const MAX_LINE_BYTES: u64 = 64 * 1024;
/// Most lines that are read: 16 a second for the longest time.
const MAX_LINES: usize = 10_000;

/// Why speech is not recognised, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum RecogniserError {
    /// There is no recogniser.
    #[error("speech.recogniser is not set")]
    NotConfigured,
    /// No more processes may be started.
    #[error("as many callers are listened to as speech.max_recognisers allows")]
    Busy,
    /// The program cannot be started.
    #[error("the recogniser does not start: {0}")]
    Start(std::io::Error),
    /// What it says cannot be read.
    #[error("the recogniser's output: {0}")]
    Output(std::io::Error),
    /// What it says is not what it should.
    #[error("line {0} of the recogniser's output is none of those in docs/speech.md")]
    Line(usize),
    /// It ended in failure.
    #[error("the recogniser ended with {0}")]
    Exit(ExitStatus),
    /// It listened for longer than anybody may.
    #[error("nobody is listened to for more than {} s", MAX_LISTENING.as_secs())]
    TooLong,
    /// It did not come to an end when there was nothing more to hear.
    #[error("the recogniser was not done within {0:?} after the last word")]
    TooSlow(Duration),
}

/// Starts the program that recognises speech.
#[derive(Debug)]
pub struct Recogniser {
    /// The program and its arguments, with `{language}` and `{model}` in them; none, if there is no recogniser.
    words: Vec<String>,
    /// How long it may take for what is left when a caller has said all.
    rest: Duration,
    /// Processes that may be started.
    turns: Semaphore,
}

impl Recogniser {
    /// The recogniser that `config` names, or one that always fails.
    pub fn new(config: &config::Speech) -> Self {
        Self {
            words: config.recogniser.clone().unwrap_or_default(),
            rest: Duration::from_secs(config.recogniser_timeout_s.get().into()),
            turns: Semaphore::new(config.max_recognisers.get() as usize),
        }
    }

    /// Tells what is recognised of `audio`, until the program ends: soon after `end`, or when it likes to.
    ///
    /// # Errors
    ///
    /// [`RecogniserError`]; what was told before stays true.
    pub async fn recognise(
        &self,
        terms: &SpeechTerms,
        audio: TapReader,
        end: CancellationToken,
        tell: mpsc::Sender<Heard>,
    ) -> Result<(), RecogniserError> {
        let _turn = self.turns.try_acquire().map_err(|_| RecogniserError::Busy)?;
        let mut child = self.start(terms)?;
        let mut feed = Feed::new(audio, child.stdin.take().expect("it was asked for"));
        let bounds = async move {
            tokio::select! {
                // One that has heard enough may have closed its input.
                _ = feed.run() => {}
                () = end.cancelled() => {}
                () = tokio::time::sleep(MAX_LISTENING) => return RecogniserError::TooLong,
            }
            let finish = async {
                feed.finish().await.ok();
                std::future::pending::<()>().await;
            };
            tokio::time::timeout(self.rest, finish).await.ok();
            RecogniserError::TooSlow(self.rest)
        };
        tokio::select! {
            result = hear(&mut child, &tell) => result,
            error = bounds => Err(error),
        }
    }

    fn start(&self, terms: &SpeechTerms) -> Result<Child, RecogniserError> {
        if self.words.is_empty() {
            return Err(RecogniserError::NotConfigured);
        }
        let model = model(terms.model);
        let fill = |word: &str| word.replace("{language}", &terms.language).replace("{model}", model);
        let mut command = program(&self.words, fill);
        command
            .env("SPEECH_LANGUAGE", &terms.language)
            .env("SPEECH_MODEL", model)
            .env("SPEECH_HINTS", terms.hints.join(","))
            .env("SPEECH_PROFANITY_FILTER", terms.filters_profanity.to_string());
        command.spawn().map_err(RecogniserError::Start)
    }
}

const fn model(model: SpeechModel) -> &'static str {
    match model {
        SpeechModel::Any => "default",
        SpeechModel::Phrase => "command_and_search",
        SpeechModel::Conversation => "phone_call",
    }
}

/// Tells what the program says, to its end.
async fn hear(child: &mut Child, tell: &mpsc::Sender<Heard>) -> Result<(), RecogniserError> {
    let mut output = BufReader::new(child.stdout.take().expect("it was asked for"));
    let mut last = None;
    for number in 1..=MAX_LINES {
        let Some(line) = next_line(&mut output).await? else {
            let status = child.wait().await.map_err(RecogniserError::Output)?;
            return if status.success() { Ok(()) } else { Err(RecogniserError::Exit(status)) };
        };
        let heard = heard(&line).ok_or(RecogniserError::Line(number))?;
        // Some say the same again with each piece of audio.
        if last.as_ref() != Some(&heard) {
            last = Some(heard.clone());
            drop(tell.send(heard).await);
        }
    }
    Err(RecogniserError::Line(MAX_LINES + 1))
}

/// The next line, cut off where it is too long; none at the end.
async fn next_line(output: &mut BufReader<ChildStdout>) -> Result<Option<Vec<u8>>, RecogniserError> {
    let mut line = Vec::new();
    let read = output.take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await;
    Ok((read.map_err(RecogniserError::Output)? > 0).then_some(line))
}

/// A line of the program.
#[derive(Debug, Deserialize)]
struct Line {
    partial: Option<String>,
    stability: Option<f64>,
    #[serde(rename = "final")]
    last: Option<String>,
    confidence: Option<f64>,
}

fn heard(line: &[u8]) -> Option<Heard> {
    match serde_json::from_slice(line).ok()? {
        Line { partial: Some(text), last: None, stability, .. } => {
            Some(Heard::Partial { text, stability: Likelihood::new(stability.unwrap_or(0.0)) })
        }
        Line { partial: None, last: Some(text), confidence, .. } => {
            Some(Heard::Final { text, confidence: confidence.map(Likelihood::new) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
