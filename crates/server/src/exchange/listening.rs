//! Callers who are listened to.

use std::sync::Arc;

use mixminus_control::{Heard, Input, Listen};
use mixminus_mixer::{TapCapacity, TapId};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::{Exchange, Occurrence, report};

/// One caller who is listened to.
#[derive(Debug)]
pub(super) struct Listening {
    recognising: AbortHandle,
    /// Cancelled when the caller has said all.
    end: CancellationToken,
}

impl Exchange {
    /// Has what comes by a tap recognised; the end of that is told as well, unless it is stopped.
    pub(super) fn listen(&mut self, listen: Listen) {
        let Listen { tap, call, terms } = listen;
        let audio = self.equipment.media.open_tap(tap, TapCapacity::of(1));
        let (recogniser, occurred) = (Arc::clone(&self.equipment.recogniser), self.occurred.clone());
        let end = CancellationToken::new();
        let ended = end.clone();
        let recognising = tokio::spawn(async move {
            let (tell, mut told) = mpsc::channel(1);
            let pass_on = async {
                while let Some(heard) = told.recv().await {
                    report(&occurred, input(tap, heard)).await;
                }
            };
            let (result, ()) = tokio::join!(recogniser.recognise(&terms, audio, ended, tell), pass_on);
            let last = match result {
                Ok(()) => Heard::End,
                Err(error) => {
                    tracing::warn!(%call, language = terms.language, %error, "speech is not recognised");
                    Heard::Failed
                }
            };
            report(&occurred, input(tap, last)).await;
        });
        self.listening.insert(tap, Listening { recognising: recognising.abort_handle(), end });
    }

    /// The caller has said all.
    pub(super) fn end_listening(&self, tap: TapId) {
        if let Some(listening) = self.listening.get(&tap) {
            listening.end.cancel();
        }
    }

    /// Nobody waits for what is recognised any more.
    pub(super) fn stop_listening(&mut self, tap: TapId) {
        if let Some(listening) = self.listening.remove(&tap) {
            listening.recognising.abort();
        }
        self.equipment.media.close_tap(tap);
    }
}

fn input(tap: TapId, heard: Heard) -> Occurrence {
    Occurrence::Input(Box::new(Input::Heard { tap, heard }))
}
