//! Closes on paper what a dead process left open.

use std::collections::HashMap;
use std::time::Duration;

use mixminus_control::{
    Action, CallCallback, CallEvent, CallId, CallRecord, CallState, CallbackEvent, ConferenceEvent,
    ConferenceRecord, ConferenceState, EndCause, ExitCause, HangupCause, HangupSource, Introduction,
    ParticipantRecord, RecordingCallback, RecordingEvent, RecordingRecord, RecordingState, StreamRecord,
    StreamState, Subject, Timestamp,
};

/// What was live when the process died, as it is after being closed at the
/// last instant at which the process is known to have lived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orphans {
    /// The conferences, ended.
    pub conferences: Vec<ConferenceRecord>,
    /// The participants, left.
    pub participants: Vec<ParticipantRecord>,
    /// The calls, ended.
    pub calls: Vec<CallRecord>,
    /// The recordings that are over, as far as [`end_recording`](Self::end_recording) was told.
    pub recordings: Vec<RecordingRecord>,
    /// The recordings whose files have to be looked at.
    pub open_recordings: Vec<OpenRecording>,
    /// Their ends to be told, in order.
    pub recording_events: Vec<RecordingCallback>,
    /// The streams, dropped.
    pub streams: Vec<StreamRecord>,
    /// The ends to be told to the subscribers, in order.
    pub events: Vec<CallbackEvent>,
    /// The ends of calls to be told to who asked for that, in order; the calls' headers are not known.
    pub call_events: Vec<CallCallback>,
}

/// A recording that was not over, and what it is of, which is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRecording {
    /// The recording.
    pub record: RecordingRecord,
    /// What it is of, if that is known; with the number of the last event told of it.
    pub(crate) of: Option<(Recorded, u64)>,
    /// When that ended at the latest.
    pub(crate) at: Timestamp,
}

/// What a recording is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    Conference(ConferenceRecord),
    Call(CallRecord),
}

/// A call that was live, and the number of the last event told of it.
pub(crate) struct LiveCall {
    pub record: CallRecord,
    pub told: u64,
}

/// A conference that was live, with everybody who ever took part.
pub(crate) struct LiveConference {
    pub record: ConferenceRecord,
    pub participants: Vec<ParticipantRecord>,
}

impl Orphans {
    /// Closes `conferences` and `calls` at `at`.
    pub(crate) fn close(
        conferences: Vec<LiveConference>,
        calls: Vec<LiveCall>,
        open_recordings: Vec<OpenRecording>,
        at: Timestamp,
    ) -> Self {
        let (mut call_events, mut ended) = (Vec::new(), Vec::with_capacity(calls.len()));
        for LiveCall { record, told } in calls {
            let call = ended_call(record, at);
            call_events.extend(ends(&call, told, at));
            ended.push(call);
        }
        let calls = ended;
        let by_id: HashMap<_, _> = calls.iter().map(|call| (call.id, call)).collect();
        let mut closed = Self::default();
        for conference in conferences {
            closed.end_conference(conference, &by_id, at);
        }
        Self { calls, open_recordings, call_events, ..closed }
    }

    /// Ends a recording: whole, and so long and large, or failed. Who is told of it is told.
    pub fn end_recording(&mut self, open: OpenRecording, whole: Option<(Duration, u64)>) {
        let OpenRecording { mut record, of, at } = open;
        record.state = if whole.is_some() { RecordingState::Completed } else { RecordingState::Failed };
        (record.duration, record.size_bytes) = whole.unwrap_or_default();
        record.ended_at = Some(whole.map_or(at, |(duration, _)| record.started_at + duration));
        if let (Some(action), Some((of, last))) = (record.told.clone(), of) {
            self.tell_of_recording(&record, &action, (of, last), at);
        }
        self.recordings.push(record);
    }

    fn tell_of_recording(
        &mut self,
        recording: &RecordingRecord,
        action: &Action,
        (of, last): (Recorded, u64),
        at: Timestamp,
    ) {
        let (url, method) = (action.url.clone(), action.method);
        match of {
            Recorded::Conference(conference) => {
                let event = match recording.state {
                    RecordingState::Completed => RecordingEvent::Completed,
                    _ => RecordingEvent::Failed,
                };
                let told = self.events.iter().map(|told| (told.conference.id, told.sequence));
                let told =
                    told.chain(self.recording_events.iter().map(|told| (told.conference, told.sequence)));
                let last = told
                    .filter(|(id, _)| *id == conference.id)
                    .map(|(_, number)| number)
                    .fold(last, u64::max);
                self.recording_events.push(RecordingCallback {
                    url,
                    method,
                    event,
                    at,
                    sequence: last + 1,
                    conference: conference.id,
                    kind: conference.kind,
                    recording: recording.clone(),
                });
            }
            Recorded::Call(call) => {
                let ended = self.calls.iter().find(|ended| ended.id == call.id).cloned();
                let told = self.call_events.iter().filter(|told| told.call.id == call.id);
                let last = told.map(|told| told.sequence).fold(last, u64::max);
                self.call_events.push(CallCallback {
                    url,
                    method,
                    event: CallEvent::Recorded(Box::new(recording.clone())),
                    at,
                    sequence: last + 1,
                    call: ended.unwrap_or(call),
                    introduction: Introduction::default(),
                    answerer: None,
                });
            }
        }
    }

    /// Closes `streams` at `at`, too.
    pub(crate) fn close_streams(&mut self, streams: Vec<StreamRecord>, at: Timestamp) {
        let dropped = |stream| StreamRecord { state: StreamState::Dropped, ended_at: Some(at), ..stream };
        self.streams = streams.into_iter().map(dropped).collect();
    }

    fn end_conference(
        &mut self,
        conference: LiveConference,
        calls: &HashMap<CallId, &CallRecord>,
        at: Timestamp,
    ) {
        let LiveConference { mut record, mut participants } = conference;
        let mut last_left = None;
        for participant in participants.iter_mut().filter(|one| one.left_at.is_none()) {
            participant.left_at = Some(at);
            participant.exit_cause = Some(ExitCause::CallHangup);
            self.participants.push(participant.clone());
            last_left = calls.get(&participant.call).map(|call| Subject {
                call: (*call).clone(),
                role: participant.role,
                participant: Some(participant.clone()),
            });
            self.events.extend(record.tell(ConferenceEvent::Left, at, last_left.as_ref()));
        }
        record.state = ConferenceState::Ended;
        record.recording = None;
        record.ended_at = Some(at);
        record.end_cause = Some(EndCause::NoParticipants);
        record.billed_seconds = Some(participants.iter().map(ParticipantRecord::billed_seconds).sum());
        self.events.extend(record.tell(ConferenceEvent::Ended, at, last_left.as_ref()));
        self.conferences.push(record);
    }
}

/// The end of `call` for each who is told of it, after `told` other events.
fn ends(call: &CallRecord, told: u64, at: Timestamp) -> Vec<CallCallback> {
    let end = |(sequence, action): (u64, &Action)| CallCallback {
        url: action.url.clone(),
        method: action.method,
        event: CallEvent::Ended,
        at,
        sequence,
        call: call.clone(),
        introduction: Introduction::default(),
        answerer: None,
    };
    (told + 1..).zip(&call.on_end).map(end).collect()
}

fn ended_call(call: CallRecord, at: Timestamp) -> CallRecord {
    CallRecord {
        state: if call.answered_at.is_some() { CallState::Completed } else { CallState::Failed },
        ended_at: Some(at),
        hangup_cause: Some(HangupCause::InternalError),
        hangup_source: Some(HangupSource::Error),
        ..call
    }
}
