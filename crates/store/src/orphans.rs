//! Closes on paper what a dead process left open.

use std::collections::HashMap;

use mixminus_control::{
    CallId, CallRecord, CallState, CallbackEvent, ConferenceEvent, ConferenceRecord, ConferenceState,
    EndCause, EventGroup, ExitCause, HangupCause, HangupSource, HttpMethod, ParticipantRecord, Timestamp,
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
    /// The ends to be told to those who were told the beginnings, in order.
    pub events: Vec<CallbackEvent>,
}

/// Somebody who was told of events of one group.
pub(crate) struct Subscriber {
    pub url: String,
    pub method: HttpMethod,
    pub group: EventGroup,
}

/// A conference that was live, with everybody who ever took part.
pub(crate) struct LiveConference {
    pub record: ConferenceRecord,
    pub participants: Vec<ParticipantRecord>,
    pub subscribers: Vec<Subscriber>,
}

impl Orphans {
    /// Closes `calls` and `conferences` at `at`.
    pub(crate) fn close(conferences: Vec<LiveConference>, calls: Vec<CallRecord>, at: Timestamp) -> Self {
        let calls: Vec<_> = calls.into_iter().map(|call| ended_call(call, at)).collect();
        let by_id: HashMap<_, _> = calls.iter().map(|call| (call.id, call)).collect();
        let mut closed = Self::default();
        for conference in conferences {
            closed.end_conference(conference, &by_id, at);
        }
        Self { calls, ..closed }
    }

    fn end_conference(
        &mut self,
        conference: LiveConference,
        calls: &HashMap<CallId, &CallRecord>,
        at: Timestamp,
    ) {
        let LiveConference { record, mut participants, subscribers } = conference;
        let mut closing = Closing { record, subscribers, at, events: Vec::new() };
        let mut last_left = None;
        for participant in participants.iter_mut().filter(|one| one.left_at.is_none()) {
            participant.left_at = Some(at);
            participant.exit_cause = Some(ExitCause::CallHangup);
            self.participants.push(participant.clone());
            last_left = calls.get(&participant.call).map(|call| (participant.clone(), (*call).clone()));
            closing.tell(ConferenceEvent::Left, last_left.as_ref());
        }
        closing.record.state = ConferenceState::Ended;
        closing.record.ended_at = Some(at);
        closing.record.end_cause = Some(EndCause::NoParticipants);
        closing.record.billed_seconds =
            Some(participants.iter().map(ParticipantRecord::billed_seconds).sum());
        closing.tell(ConferenceEvent::Ended, last_left.as_ref());
        self.conferences.push(closing.record);
        self.events.append(&mut closing.events);
    }
}

/// Closes one conference, telling the end of what its subscribers know began.
struct Closing {
    record: ConferenceRecord,
    subscribers: Vec<Subscriber>,
    at: Timestamp,
    events: Vec<CallbackEvent>,
}

impl Closing {
    /// Numbers go on where they stopped; an event that nobody is told has none.
    fn tell(&mut self, event: ConferenceEvent, participant: Option<&(ParticipantRecord, CallRecord)>) {
        let told: Vec<_> = self.subscribers.iter().filter(|one| one.group == event.group()).collect();
        if told.is_empty() {
            return;
        }
        self.record.sequence += 1;
        let record = &self.record;
        self.events.extend(told.into_iter().map(|one| CallbackEvent {
            url: one.url.clone(),
            method: one.method,
            event,
            at: self.at,
            sequence: record.sequence,
            conference: record.clone(),
            participant: participant.cloned(),
        }));
    }
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
