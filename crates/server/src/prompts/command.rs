//! A program that speaks: text on its standard input, a WAV file on its standard output.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::time::timeout;

use super::voices::Voice;
use super::{MAX_FILE_BYTES, PromptError};
use crate::program::program;

/// How to start the program.
#[derive(Debug)]
pub struct Program {
    /// The program and its arguments, with what a [`Voice`] fills in in them.
    pub words: Vec<String>,
    /// When it is ended.
    pub limit: Duration,
}

impl Program {
    /// What the program makes of `text`.
    ///
    /// # Errors
    ///
    /// [`PromptError::Engine`] when it fails, [`PromptError::TooSlow`] when it does not come to an end.
    pub async fn say(&self, text: &str, voice: &Voice) -> Result<Bytes, PromptError> {
        let child = program(&self.words, |word| voice.fill(word))
            .spawn()
            .map_err(|error| PromptError::Engine(error.to_string()))?;
        timeout(self.limit, converse(child, text)).await.map_err(|_| PromptError::TooSlow)?
    }
}

/// Tells the program the text and hears it out, at the same time: it may speak before it has read all.
async fn converse(mut child: Child, text: &str) -> Result<Bytes, PromptError> {
    let mut input = child.stdin.take().expect("it was asked for");
    let output = child.stdout.take().expect("it was asked for");
    let tell = async move {
        // One that has heard enough may have closed its input.
        input.write_all(text.as_bytes()).await.ok();
        input.shutdown().await.ok();
    };
    let mut wav = Vec::new();
    let mut output = output.take(MAX_FILE_BYTES as u64 + 1);
    let ((), heard) = tokio::join!(tell, output.read_to_end(&mut wav));
    drop(output);
    heard.map_err(|error| PromptError::Engine(error.to_string()))?;
    let status = child.wait().await.map_err(|error| PromptError::Engine(error.to_string()))?;
    if !status.success() && wav.len() <= MAX_FILE_BYTES {
        return Err(PromptError::Engine(format!("the program ended with {status}")));
    }
    Ok(wav.into())
}
