//! Streams as the exchange sees them.

use std::sync::Arc;

use mixminus_control::{Input, OpenStream, StreamId, StreamNews};
use tokio::sync::mpsc;

use super::{Exchange, Occurrence, report};
use crate::streams::MAX_QUEUED_DIGITS;

/// What a stream tells that the exchange has not taken.
const MAX_QUEUED_NEWS: usize = 16;

impl Exchange {
    pub(super) fn open_stream(&mut self, open: OpenStream) {
        let (call, stream) = (open.record.call, open.record.id);
        let (digits, to_tell) = mpsc::channel(MAX_QUEUED_DIGITS);
        let (news, mut told) = mpsc::channel(MAX_QUEUED_NEWS);
        let (streams, occurred) = (Arc::clone(&self.equipment.streams), self.occurred.clone());
        tokio::spawn(async move {
            let pass_on = async {
                while let Some(news) = told.recv().await {
                    let input = Input::Stream { call, stream, news };
                    report(&occurred, Occurrence::Input(Box::new(input))).await;
                }
            };
            tokio::join!(streams.run(open, to_tell, news), pass_on);
        });
        self.streams.insert(stream, digits);
    }

    pub(super) fn stream_digit(&self, stream: StreamId, digit: char) {
        let told = self.streams.get(&stream).map(|digits| digits.try_send(digit));
        if let Some(Err(error)) = told {
            tracing::warn!(%stream, %error, "a digit was not streamed");
        }
    }

    /// Forgets a stream that ended by itself.
    pub(super) fn note_stream(&mut self, input: &Input) {
        if let Input::Stream { stream, news: StreamNews::Ended(_), .. } = input {
            self.streams.remove(stream);
        }
    }
}
