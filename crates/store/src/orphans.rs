//! Closes on paper what a dead process left open.

use std::collections::HashMap;

use mixminus_control::{
    Action, CallCallback, CallEvent, CallId, CallRecord, CallState, CallbackEvent, ConferenceEvent,
    ConferenceRecord, ConferenceState, EndCause, ExitCause, HangupCause, HangupSource, ParticipantRecord,
    RecordingRecord, RecordingState, Subject, Timestamp,
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
    /// The recordings, failed.
    pub recordings: Vec<RecordingRecord>,
    /// The ends to be told to the subscribers, in order.
    pub events: Vec<CallbackEvent>,
    /// The ends of calls to be told to who asked for that, in order; the calls' headers are not known.
    pub call_events: Vec<CallCallback>,
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
    /// Closes `conferences`, `calls` and `recordings` at `at`.
    pub(crate) fn close(
        conferences: Vec<LiveConference>,
        calls: Vec<LiveCall>,
        recordings: Vec<RecordingRecord>,
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
        let failed =
            |recording| RecordingRecord { state: RecordingState::Failed, ended_at: Some(at), ..recording };
        let recordings = recordings.into_iter().map(failed).collect();
        Self { calls, recordings, call_events, ..closed }
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
        headers: Vec::new(),
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
