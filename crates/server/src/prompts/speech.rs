//! Speech synthesis behind one trait.

use std::fmt;
use std::sync::OnceLock;

use flite_rs::{Engine, Flow};
use mixminus_audio::Pcm;
use tokio_util::sync::CancellationToken;

use super::{PromptError, at_best_rate, max_samples};

/// A sentence to be spoken.
#[derive(Clone, Debug)]
pub struct Utterance {
    /// What is said.
    pub text: String,
    /// Voice name as the document gave it.
    pub voice: String,
    /// BCP 47 language tag.
    pub language: String,
}

/// Something that speaks.
pub trait Speech: fmt::Debug + Send + Sync {
    /// The samples a second of what it speaks.
    fn sample_rate_hz(&self) -> u32;

    /// Speaks `utterance` piece by piece into `hear`, and stops once that
    /// returns false. Called on a blocking thread.
    fn speak(&self, utterance: &Utterance, hear: &mut dyn FnMut(&[i16]) -> bool);
}

/// What `speech` says, cut off at the longest clip allowed.
pub fn speak(
    speech: &dyn Speech,
    utterance: &Utterance,
    stop: &CancellationToken,
) -> Result<Pcm, PromptError> {
    let hz = speech.sample_rate_hz();
    let mut samples = Vec::new();
    speech.speak(utterance, &mut |piece| {
        samples.extend_from_slice(piece);
        samples.len() < max_samples(hz) && !stop.is_cancelled()
    });
    if stop.is_cancelled() {
        return Err(PromptError::TooSlow);
    }
    samples.truncate(max_samples(hz));
    Ok(at_best_rate(samples, hz))
}

/// The voice inside the program: American English, for every voice name and
/// every language asked of it.
#[derive(Clone, Copy, Debug)]
pub struct BuiltInVoice;

/// The built-in voice. Reading it takes some 30 ms, so that waits for the
/// first sentence.
fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Engine::new();
        assert!(engine.select_voice("kal16"), "the voice is compiled in");
        engine
    })
}

impl Speech for BuiltInVoice {
    fn sample_rate_hz(&self) -> u32 {
        engine().sample_rate()
    }

    fn speak(&self, utterance: &Utterance, hear: &mut dyn FnMut(&[i16]) -> bool) {
        if !utterance.language.to_ascii_lowercase().starts_with("en") {
            tracing::warn!(language = utterance.language, "the built-in voice speaks English only");
        }
        engine().synthesize_streaming(
            &utterance.text,
            |piece| {
                if hear(piece) { Flow::Continue } else { Flow::Stop }
            },
        );
    }
}
