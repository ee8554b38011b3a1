//! A stream while its WebSocket is open.

use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use mixminus_audio::{SampleRate, TICK};
use mixminus_control::{OpenStream, StreamNews, StreamState};
use mixminus_media::Media;
use mixminus_mixer::TapReader;
use mixminus_plivo::stream::{Message, Order, Writer};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message as Frame};

use super::Streams;
use super::ears::Ears;
use super::voice::Voice;
use crate::dialect;
use crate::exchange::Clock;
use crate::web::WebSocket;

/// Messages that the far end has not taken: four seconds of one track.
const MAX_QUEUED: usize = 256;

/// As many of them are not for audio, which would rather be left out than what is told once.
const RESERVED: usize = 56;

/// How often it is told that audio is left out, in ticks: every ten seconds.
const DEGRADED_EVERY_TICKS: u64 = 500;

/// How often the far end is asked for a sign of life, and after how long without one it is given up, in ticks.
const PING_EVERY_TICKS: u64 = 1_000;
const SILENT_FOR_TICKS: u64 = 3_000;

/// How long one message may take to be written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a WebSocket may take to be closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// One stream's state.
#[derive(Debug)]
pub(super) struct Conversation<'a> {
    open: &'a OpenStream,
    media: &'a Media,
    clock: Clock,
    reader: TapReader,
    ears: Ears,
    voice: Voice,
    writer: Writer,
    queue: mpsc::Sender<Frame>,
    queued: Option<mpsc::Receiver<Frame>>,
    /// When the first tick came, in milliseconds since 1970.
    began_ms: Option<i64>,
    /// The last tick of the tap, and the rate of its bridge.
    at: Option<(u64, SampleRate)>,
    counts: Counts,
}

/// What is counted, in wake-ups of a tick each.
#[derive(Debug, Default)]
struct Counts {
    ticks: u64,
    heard_at: u64,
    left_out: u64,
    told_at: Option<u64>,
}

impl<'a> Conversation<'a> {
    pub fn new(open: &'a OpenStream, streams: &'a Streams, reader: TapReader) -> Self {
        let (queue, queued) = mpsc::channel(MAX_QUEUED);
        let headers = open.terms.headers.clone().unwrap_or_default();
        Self {
            open,
            media: &streams.media,
            clock: streams.clock,
            reader,
            ears: Ears::new(open),
            voice: Voice::default(),
            writer: Writer::new(open.record.id.to_string(), headers),
            queue,
            queued: Some(queued),
            began_ms: None,
            at: None,
            counts: Counts::default(),
        }
    }

    /// Talks until either side ends it; how, unless it was `digits`, which is us.
    pub async fn hold(
        mut self,
        socket: WebSocket,
        digits: &mut mpsc::Receiver<char>,
        news: &mpsc::Sender<StreamNews>,
    ) -> Option<StreamState> {
        let (sink, mut source) = socket.split();
        let queued = self.queued.take().expect("a conversation is held once");
        let sending = send(sink, queued);
        tokio::pin!(sending);
        let end = tokio::select! {
            end = self.talk(&mut source, digits, news) => end,
            () = &mut sending => return Some(StreamState::Dropped),
        };
        // The end of the queue is the end of the WebSocket.
        drop(self);
        timeout(FAREWELL, sending).await.ok();
        end
    }

    async fn talk(
        &mut self,
        source: &mut SplitStream<WebSocket>,
        digits: &mut mpsc::Receiver<char>,
        news: &mpsc::Sender<StreamNews>,
    ) -> Option<StreamState> {
        self.say_start();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if let Some(end) = self.tick(news) {
                        return Some(end);
                    }
                }
                frame = source.next() => match self.take(frame, news).await {
                    Some(end) => return Some(end),
                    None => self.counts.heard_at = self.counts.ticks,
                },
                digit = digits.recv() => {
                    let timestamp_ms = self.clock.now().as_micros() / 1_000;
                    self.say(&Message::Digit { digit: digit?, timestamp_ms });
                }
            }
        }
    }

    fn say_start(&mut self) {
        let OpenStream { record, terms, .. } = self.open;
        let call = record.call.to_string();
        let (track, format) = (dialect::audio_track(terms), dialect::plivo_format(terms.format));
        self.say(&Message::Start { call_uuid: &call, account_id: &record.account.0, track, format });
    }

    fn say(&mut self, message: &Message<'_>) {
        // Nobody reads: what matters is told by the end of the WebSocket.
        self.queue.try_send(Frame::text(self.writer.write(message))).ok();
    }

    /// Sends what was said since, and what is to be heard next.
    fn tick(&mut self, news: &mpsc::Sender<StreamNews>) -> Option<StreamState> {
        self.counts.ticks += 1;
        let Self { reader, ears, writer, queue, began_ms, clock, at, counts, .. } = self;
        reader.read(&mut |tick| {
            *at = Some((tick.tick, tick.rate));
            let began_ms = *began_ms.get_or_insert_with(|| clock.now().as_micros() / 1_000);
            ears.hear(tick, &mut |chunk| {
                if queue.capacity() <= RESERVED {
                    counts.left_out += 1;
                    return;
                }
                let timestamp_ms = began_ms + (chunk.ticks * TICK.as_millis() as u64) as i64;
                let (track, chunk, payload) = (chunk.track, chunk.number, &*chunk.payload);
                let text = writer.write(&Message::Media { track, timestamp_ms, chunk, payload });
                queue.try_send(Frame::text(text)).ok();
            });
        });
        self.feed();
        self.watch(news)
    }

    /// Lets the far end hear what it is time for, and says which checkpoints are reached.
    fn feed(&mut self) {
        let (Some(prompt), Some((now, bridge))) = (self.open.voice, self.at) else { return };
        while let Some(part) = self.voice.feed(now, bridge) {
            self.media.append(prompt, part);
        }
        while let Some(name) = self.voice.reached(now) {
            self.say(&Message::Played(&name));
        }
    }

    /// Looks after the far end: tells what it did not take, and asks whether it lives.
    fn watch(&mut self, news: &mpsc::Sender<StreamNews>) -> Option<StreamState> {
        let counts = &mut self.counts;
        let may_tell = counts.told_at.is_none_or(|at| counts.ticks - at >= DEGRADED_EVERY_TICKS);
        if counts.left_out > 0 && may_tell {
            tracing::warn!(stream = %self.open.record.id, frames = counts.left_out, "the WebSocket is too slow");
            (counts.left_out, counts.told_at) = (0, Some(counts.ticks));
            // There is room, or it was told just now.
            news.try_send(StreamNews::Degraded).ok();
        }
        if counts.ticks.is_multiple_of(PING_EVERY_TICKS) {
            self.queue.try_send(Frame::Ping(bytes::Bytes::new())).ok();
        }
        (counts.ticks - counts.heard_at > SILENT_FOR_TICKS).then_some(StreamState::Dropped)
    }

    /// Takes in what the far end sent; returns how it ended, if it did.
    async fn take(
        &mut self,
        frame: Option<Result<Frame, tungstenite::Error>>,
        news: &mpsc::Sender<StreamNews>,
    ) -> Option<StreamState> {
        match frame {
            Some(Ok(Frame::Text(text))) => self.obey(&text, news).await,
            Some(Ok(Frame::Close(close))) => {
                let is_normal = close.is_some_and(|close| close.code == CloseCode::Normal);
                Some(if is_normal { StreamState::Stopped } else { StreamState::Dropped })
            }
            Some(Ok(_)) => None,
            Some(Err(error)) => {
                tracing::warn!(stream = %self.open.record.id, %error, "the WebSocket broke");
                Some(StreamState::Dropped)
            }
            None => Some(StreamState::Dropped),
        }
    }

    async fn obey(&mut self, text: &str, news: &mpsc::Sender<StreamNews>) -> Option<StreamState> {
        let stream = self.open.record.id;
        let order = match Order::parse(text) {
            Ok(order) => order,
            Err(error) => {
                tracing::warn!(%stream, %error, "a message of the WebSocket was left out");
                return None;
            }
        };
        let Some(prompt) = self.open.voice else {
            tracing::warn!(%stream, "the stream is not bidirectional: what its WebSocket asks for is left out");
            return None;
        };
        let taken = match order {
            Order::Play { format, payload } => self.voice.play(dialect::stream_format(format), &payload),
            Order::Checkpoint(name) => self.voice.checkpoint(name),
            Order::Clear => {
                // Without a tick nothing was fed, and there is no rate to fade at.
                let at = self.at.unwrap_or((0, SampleRate::Hz8000));
                let fade = self.voice.clear(at);
                if let Some(part) = fade {
                    self.media.append(prompt, part);
                }
                self.say(&Message::Cleared);
                Ok(())
            }
            Order::SendDigits(keys) => {
                super::tell(news, StreamNews::Digits(dialect::digits(&keys))).await;
                Ok(())
            }
        };
        if let Err(error) = taken {
            tracing::warn!(%stream, %error, "closed: its WebSocket sends faster than it is heard");
            return Some(StreamState::Dropped);
        }
        self.feed();
        None
    }
}

/// Writes what is queued, then closes; returns early when the far end takes nothing any more.
async fn send(mut sink: SplitSink<WebSocket, Frame>, mut queued: mpsc::Receiver<Frame>) {
    while let Some(frame) = queued.recv().await {
        if !matches!(timeout(WRITE_TIMEOUT, sink.send(frame)).await, Ok(Ok(()))) {
            return;
        }
    }
    sink.close().await.ok();
}
