//! Calls' audio over customers' WebSockets, one task a stream.
//!
//! Nothing here is waited for by media: a stream reads its tap and feeds its voice when it gets to it. What the
//! far end does not take in time is left out and told.

mod conversation;
mod ears;
mod line;
#[cfg(test)]
mod tests;
mod voice;

use std::sync::Arc;
use std::time::Duration;

use mixminus_control::{OpenStream, StreamNews, StreamState};
use mixminus_media::Media;
use mixminus_mixer::TapCapacity;
use mixminus_plivo::stream::{MAX_MESSAGE_BYTES, signed_request};
use tokio::sync::mpsc;

use crate::exchange::Clock;
use crate::signer::Signer;
use crate::web::{WebClient, WebError, WebSocket, loggable};
use conversation::Conversation;

/// How often a WebSocket is tried to be opened before it is given up.
const TRIES: usize = 3;

/// The pause between two tries.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Digits that a stream has not told yet.
pub const MAX_QUEUED_DIGITS: usize = 64;

/// What streams are made with.
#[derive(Debug)]
pub struct Streams {
    web: WebClient,
    signer: Arc<Signer>,
    media: Media,
    clock: Clock,
}

impl Streams {
    /// Streams between `media` and what `web` opens, in whose name `signer` proves, stamped by `clock`.
    pub fn new(web: &WebClient, signer: &Arc<Signer>, media: &Media, clock: Clock) -> Self {
        Self { web: web.clone(), signer: Arc::clone(signer), media: media.clone(), clock }
    }

    /// Opens the stream and lets it go on until its WebSocket or `digits` end; what becomes of it is `news`.
    pub async fn run(
        &self,
        open: OpenStream,
        mut digits: mpsc::Receiver<char>,
        news: mpsc::Sender<StreamNews>,
    ) {
        let opened = tokio::select! {
            opened = self.connect(&open) => opened,
            () = closed(&mut digits) => return,
        };
        let end = match opened {
            Ok(socket) => {
                tell(&news, StreamNews::Connected).await;
                self.converse(&open, socket, (&mut digits, &news)).await
            }
            Err(error) => {
                let (id, url) = (open.record.id, loggable(&open.terms.url));
                tracing::warn!(stream = %id, call = %open.record.call, url, %error, "no WebSocket");
                Some(StreamState::Dropped)
            }
        };
        if let Some(state) = end {
            tell(&news, StreamNews::Ended(state)).await;
        }
    }

    async fn connect(&self, open: &OpenStream) -> Result<WebSocket, WebError> {
        let url = &open.terms.url;
        let mut tries_left = TRIES;
        loop {
            tries_left -= 1;
            let headers = self.signer.sign(&open.record.account, &signed_request(url));
            match self.web.open_websocket(url, &headers, MAX_MESSAGE_BYTES).await {
                Err(error) if tries_left > 0 && !error.is_permanent() => {
                    tracing::info!(stream = %open.record.id, %error, tries_left, "the WebSocket is tried again");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                result => return result,
            }
        }
    }

    /// Returns how the stream ended, unless the control plane ended it.
    async fn converse(
        &self,
        open: &OpenStream,
        socket: WebSocket,
        (digits, news): (&mut mpsc::Receiver<char>, &mpsc::Sender<StreamNews>),
    ) -> Option<StreamState> {
        let reader = self.media.open_tap(open.tap, TapCapacity::of(2));
        if let Some(voice) = open.voice {
            self.media.begin_live(voice);
        }
        let end = Conversation::new(open, self, reader).hold(socket, digits, news).await;
        self.media.close_tap(open.tap);
        if let Some(voice) = open.voice {
            self.media.stop_prompt(voice);
        }
        end
    }
}

/// Waits until nobody tells the stream anything any more.
async fn closed(digits: &mut mpsc::Receiver<char>) {
    while digits.recv().await.is_some() {}
}

/// Tells the exchange; after its end nobody needs to know.
async fn tell(news: &mpsc::Sender<StreamNews>, one: StreamNews) {
    drop(news.send(one).await);
}
