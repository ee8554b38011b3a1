//! A call's audio over a WebSocket, while the call does whatever it does.

use mixminus_mixer::{SourceId, TapChannel, TapRoutes};

use super::{Activity, Call, Next};
use crate::callback::{CallEvent, StreamEvent};
use crate::command::CommandError;
use crate::context::{Context, Due};
use crate::effect::{Effect, OpenStream, TimerId};
use crate::input::StreamNews;
use crate::instruction::{Action, StreamTerms, StreamTrack};
use crate::record::{StreamId, StreamRecord, StreamState};

/// Who asked for a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamedBy {
    /// The call's document; the stream ends when a request takes the call out of it.
    Document,
    /// A request.
    Request,
    /// The conference that the call is in; the stream ends when the call leaves it.
    Conference,
}

/// A stream that is not over.
#[derive(Debug)]
pub(super) struct Stream {
    record: StreamRecord,
    terms: StreamTerms,
    by: StreamedBy,
    longest: Option<TimerId>,
}

impl Call {
    /// The stream that the call has.
    pub fn stream(&self) -> Option<StreamId> {
        self.stream.as_ref().map(|stream| stream.record.id)
    }

    /// Begins a stream; its WebSocket is opened then.
    ///
    /// # Errors
    ///
    /// [`CommandError`]: the call is not answered, or it has a stream.
    pub fn start_stream(
        &mut self,
        terms: StreamTerms,
        by: StreamedBy,
        context: &mut Context,
    ) -> Result<StreamRecord, CommandError> {
        let Some(leg) = self.leg.filter(|_| self.is_answered()) else {
            return Err(CommandError::NotAnswered);
        };
        if self.stream.is_some() {
            return Err(CommandError::AlreadyStreamed);
        }
        let record = self.new_stream(&terms, context);
        let (tap, voice) = (context.tap(), terms.audience.map(|audience| (context.voice(), audience)));
        let said = || TapChannel::Source(SourceId::Leg(leg));
        let channels = match terms.track {
            StreamTrack::Said => vec![said()],
            StreamTrack::Heard => vec![TapChannel::Heard(leg)],
            StreamTrack::Both => vec![said(), TapChannel::Heard(leg)],
        };
        context.stream_leg(leg, TapRoutes { tap, channels, paused: false }, voice);
        context.push(Effect::SaveStream(record.clone()));
        let voice = voice.map(|(voice, _)| voice);
        let open = OpenStream { record: record.clone(), terms: terms.clone(), leg, tap, voice };
        context.push(Effect::OpenStream(Box::new(open)));
        self.stream = Some(Stream { record: record.clone(), terms, by, longest: None });
        Ok(record)
    }

    fn new_stream(&self, terms: &StreamTerms, context: &mut Context) -> StreamRecord {
        StreamRecord {
            id: StreamId(context.uuid()),
            account: self.record.account.clone(),
            call: self.record.id,
            url: terms.url.clone(),
            callback_url: terms.callback.as_ref().map(|callback| callback.url.clone()),
            state: StreamState::Connecting,
            created_at: context.now,
            started_at: None,
            ended_at: None,
        }
    }

    /// Streams as the document says, and waits for the stream's end if it `waits`.
    pub(super) fn stream_as_told(
        &mut self,
        terms: &StreamTerms,
        waits: bool,
        context: &mut Context,
    ) -> Option<Next> {
        self.be_alone(None, context);
        let stream = self.try_stream(terms, StreamedBy::Document, context).filter(|_| waits)?;
        self.silent_documents = 0;
        self.activity = Activity::Streaming(stream);
        Some(Next::Idle)
    }

    /// Begins a stream; one that cannot be begun is told as one that was dropped.
    pub(super) fn try_stream(
        &mut self,
        terms: &StreamTerms,
        by: StreamedBy,
        context: &mut Context,
    ) -> Option<StreamId> {
        if let Ok(record) = self.start_stream(terms.clone(), by, context) {
            return Some(record.id);
        }
        let mut record = self.new_stream(terms, context);
        (record.state, record.ended_at) = (StreamState::Dropped, Some(context.now));
        self.tell_of_stream(StreamEvent::Dropped, record, terms.callback.as_ref(), context);
        None
    }

    /// Ends the stream, if it is `id` where one is named.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotStreamed`] if the call has not that stream.
    pub fn stop_stream(&mut self, id: Option<StreamId>, context: &mut Context) -> Result<Next, CommandError> {
        let known = self.stream().filter(|known| id.is_none_or(|id| id == *known));
        if known.is_none() && id.is_some() {
            return Err(CommandError::NotStreamed);
        }
        Ok(self.close_stream(context))
    }

    /// Ends the stream if there is one, and goes on if the call waits for that.
    pub(super) fn close_stream(&mut self, context: &mut Context) -> Next {
        if let Some(id) = self.stream() {
            context.push(Effect::CloseStream(id));
        }
        self.end_stream(StreamState::Stopped, context)
    }

    /// Ends the stream by which somebody took part in a conference as this call.
    pub(super) fn close_participants_stream(&mut self, context: &mut Context) {
        if self.is_spoken_for() {
            self.close_stream(context);
        }
    }

    /// Whether somebody else takes part in a conference as this call.
    pub fn is_spoken_for(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.by == StreamedBy::Conference)
    }

    /// Ends what no request asked for: one takes the call out of what it does.
    pub(super) fn close_documents_stream(&mut self, context: &mut Context) {
        if self.stream.as_ref().is_some_and(|stream| stream.by != StreamedBy::Request) {
            if matches!(self.activity, Activity::Streaming(_)) {
                self.activity = Activity::Deciding;
            }
            self.close_stream(context);
        }
    }

    /// Takes in what became of the stream `id`.
    pub fn stream_news(&mut self, id: StreamId, news: StreamNews, context: &mut Context) -> Next {
        let call = self.record.id;
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.record.id == id) else {
            return Next::Idle;
        };
        let (event, record) = match news {
            StreamNews::Ended(state) => return self.end_stream(state, context),
            StreamNews::Digits(digits) => {
                self.send_digits(&digits, context);
                return Next::Idle;
            }
            StreamNews::Connected if stream.longest.is_some() => return Next::Idle,
            StreamNews::Connected => {
                stream.record.state = StreamState::Streaming;
                stream.record.started_at = Some(context.now);
                stream.longest = Some(context.wake(stream.terms.longest, Due::StreamEnd(call, id)));
                (StreamEvent::Started, stream.record.clone())
            }
            StreamNews::Degraded => (StreamEvent::Degraded, stream.record.clone()),
        };
        let callback = stream.terms.callback.clone();
        self.tell_of_stream(event, record, callback.as_ref(), context);
        Next::Idle
    }

    fn end_stream(&mut self, state: StreamState, context: &mut Context) -> Next {
        let Some(Stream { mut record, terms, longest, .. }) = self.stream.take() else {
            return Next::Idle;
        };
        if let Some(timer) = longest {
            context.cancel(timer);
        }
        if let Some(leg) = self.leg {
            context.unstream_leg(leg);
        }
        (record.state, record.ended_at) = (state, Some(context.now));
        let event = match state {
            StreamState::Dropped => StreamEvent::Dropped,
            _ => StreamEvent::Stopped,
        };
        let id = record.id;
        self.tell_of_stream(event, record, terms.callback.as_ref(), context);
        match self.activity {
            Activity::Streaming(awaited) if awaited == id => self.run(context),
            _ => Next::Idle,
        }
    }

    /// Writes the row and tells who asked to be told.
    fn tell_of_stream(
        &mut self,
        event: StreamEvent,
        record: StreamRecord,
        callback: Option<&Action>,
        context: &mut Context,
    ) {
        context.push(Effect::SaveStream(record.clone()));
        if let Some(callback) = callback {
            self.tell_at(callback, CallEvent::Streamed(event, Box::new(record)), context);
        }
    }
}
