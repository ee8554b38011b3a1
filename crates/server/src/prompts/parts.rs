//! The parts of a prompt on their way to be heard.

use std::sync::Arc;
use std::time::Duration;

use mixminus_audio::Clip;
use mixminus_mixer::MAX_PARTS;
use tokio::sync::mpsc;

use super::{MAX_CLIP, PromptError};

/// Hands out parts in order, as many as one prompt may have.
#[derive(Debug)]
pub struct Parts {
    to: mpsc::Sender<Arc<Clip>>,
    count: usize,
    left: Duration,
    full: bool,
}

impl Parts {
    /// None yet, to be handed out by `to`.
    pub const fn new(to: mpsc::Sender<Arc<Clip>>) -> Self {
        Self { to, count: 0, left: MAX_CLIP, full: false }
    }

    /// Hands out `part`, unless it is too much.
    pub async fn add(&mut self, part: Arc<Clip>) {
        if self.count == MAX_PARTS || part.duration() > self.left {
            tracing::warn!(parts = self.count, "prompt cut off before {} s", MAX_CLIP.as_secs());
            self.full = true;
            return;
        }
        self.count += 1;
        self.left -= part.duration();
        self.full |= self.to.send(part).await.is_err();
    }

    /// Whether more would be too much, or nobody hears it.
    pub fn is_full(&self) -> bool {
        self.full || self.to.is_closed()
    }

    /// Whether there is anything to hear after all that was to be made.
    ///
    /// # Errors
    ///
    /// [`PromptError::Empty`] if there is not.
    pub const fn or_nothing(&self) -> Result<(), PromptError> {
        if self.count == 0 { Err(PromptError::Empty) } else { Ok(()) }
    }
}
