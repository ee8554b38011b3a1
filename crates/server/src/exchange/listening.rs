//! Callers who are listened to.

use std::sync::Arc;

use mixminus_control::{Beep, Heard, Input, Listen, Listened};
use mixminus_mixer::{TapCapacity, TapId, TapReader};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::{Exchange, Occurrence, report};
use crate::beep_ear::BeepEar;

/// One caller who is listened to.
#[derive(Debug)]
pub(super) struct Listening {
    recognising: AbortHandle,
    /// Cancelled when the caller has said all.
    end: CancellationToken,
}

impl Exchange {
    /// Has something listened for in what comes by a tap; the end of words is told as well, unless it is stopped.
    pub(super) fn listen(&mut self, listen: Listen) {
        let Listen { tap, call, to } = listen;
        let audio = self.equipment.media.open_tap(tap, TapCapacity::of(1));
        let terms = match to {
            Listened::Speech(terms) => terms,
            Listened::Beep(beep) => return self.listen_for_beep(tap, audio, &beep),
        };
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

    /// Tells of the first beep.
    fn listen_for_beep(&mut self, tap: TapId, audio: TapReader, beep: &Beep) {
        let (ear, occurred) = (BeepEar::new(beep), self.occurred.clone());
        let listening = tokio::spawn(async move {
            ear.hear_out(audio).await;
            report(&occurred, input(tap, Heard::Beep)).await;
        });
        let (recognising, end) = (listening.abort_handle(), CancellationToken::new());
        self.listening.insert(tap, Listening { recognising, end });
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
