//! What the effects of a switchboard have to add up to, whatever happens.

use std::collections::{BTreeMap, BTreeSet};

use mixminus_control::{
    CallCallback, CallEvent, CallId, CallRecord, CallState, CallbackEvent, ConferenceEvent, ConferenceId,
    ConferenceRecord, ConferenceState, DialStep, Effect, Handover, ParticipantId, ParticipantRecord,
    RecordingCallback, RecordingEvent, RecordingId, RecordingRecord, StreamId, StreamRecord, Timestamp,
};
use mixminus_mixer::{LegId, TapId};
use uuid::Uuid;

/// Everything that was written down and told so far.
#[derive(Default)]
pub struct Books {
    pub calls: BTreeMap<CallId, CallRecord>,
    pub conferences: BTreeMap<ConferenceId, ConferenceRecord>,
    pub participants: BTreeMap<ParticipantId, ParticipantRecord>,
    /// Legs that were hung up, refused or released.
    pub over: BTreeSet<LegId>,
    /// Legs whose far ends were told that their successors are called, and not how that ended.
    handing_over: BTreeSet<LegId>,
    /// Legs in whose places others are.
    pub succeeded: BTreeSet<LegId>,
    pub recordings: BTreeMap<RecordingId, RecordingRecord>,
    /// The recordings of taps that were not stopped.
    taps: BTreeMap<TapId, RecordingId>,
    begun: BTreeSet<RecordingId>,
    streams: BTreeMap<StreamId, StreamRecord>,
    told_of_recordings: BTreeMap<RecordingId, RecordingEvent>,
    told: BTreeMap<ConferenceId, Told>,
    told_of_calls: BTreeMap<CallId, Vec<CallCallback>>,
}

/// What the subscribers of one conference know.
#[derive(Default)]
struct Told {
    events: u64,
    /// The last event that each URL got.
    urls: BTreeMap<String, u64>,
    /// Whether somebody was told everything from the beginning.
    whole: bool,
    /// None before it is told to exist.
    state: Option<ConferenceState>,
    inside: BTreeMap<ParticipantId, Known>,
    left: BTreeSet<ParticipantId>,
    /// Who was asked and neither came nor stayed away yet.
    awaited: BTreeSet<CallId>,
    /// Requests whose outcome is not told yet.
    invitations: BTreeSet<Uuid>,
}

/// What is known of somebody inside.
struct Known {
    record: ParticipantRecord,
    talking: bool,
}

impl Books {
    pub fn enter(&mut self, effect: &Effect) {
        match effect {
            Effect::SaveCall(record) => self.save_call(record),
            Effect::SaveConference(record) => self.save_conference(record),
            Effect::SaveParticipant(record) => self.save_participant(record),
            Effect::SaveRecording(record) => self.save_recording(record),
            Effect::Record(start) => {
                assert!(self.begun.insert(start.recording.id), "begun twice: {start:?}");
                self.taps.insert(start.tap, start.recording.id);
            }
            Effect::StopTap(tap) => assert!(self.taps.remove(tap).is_some(), "{tap:?} is stopped twice"),
            Effect::SaveStream(record) => self.save_stream(record),
            Effect::Notify(event) => self.hear(event),
            Effect::NotifyOfRecording(event) => self.hear_of_recording(event),
            Effect::NotifyOfCall(event) => {
                hear_of_call(self.told_of_calls.entry(event.call.id).or_default(), event);
            }
            Effect::TellHandover(leg, news) => self.hear_of_handover(*leg, *news),
            Effect::HangUp(leg) | Effect::Refuse(leg, _) | Effect::Release(leg) => {
                assert!(self.over.insert(*leg), "{leg:?} is over twice");
            }
            _ => {}
        }
    }

    fn hear(&mut self, event: &CallbackEvent) {
        let id = event.conference.id;
        let was_used = self.participants.values().any(|one| one.conference == id);
        let told = self.told.entry(id).or_insert_with(|| Told {
            whole: event.conference.subscribers[0].groups.len() == 5
                && (event.event == ConferenceEvent::Initialized || !was_used),
            ..Told::default()
        });
        told.hear(event);
    }

    fn hear_of_handover(&mut self, leg: LegId, news: Handover) {
        let known = match news {
            Handover::Refused => true,
            Handover::Begun => self.handing_over.insert(leg),
            Handover::Ringing => self.handing_over.contains(&leg),
            Handover::Done => self.handing_over.remove(&leg) && self.succeeded.insert(leg),
            Handover::Failed(_) => self.handing_over.remove(&leg),
        };
        assert!(known && !self.over.contains(&leg), "{leg:?} is told {news:?}");
    }

    fn save_call(&mut self, record: &CallRecord) {
        in_order(&[Some(record.created_at), record.answered_at, record.ended_at]);
        let ended = record.ended_at.is_some();
        assert_eq!(ended, record.hangup_cause.is_some() && record.hangup_source.is_some());
        assert_eq!(ended, !record.is_live() && !record.is_queued());
        assert_eq!(record.state == CallState::Completed, ended && record.answered_at.is_some());
        assert!(record.state != CallState::InProgress || record.answered_at.is_some());
        if let Some(before) = self.calls.insert(record.id, record.clone()) {
            assert!(before.ended_at.is_none(), "changed after its end: {record:?}");
            let progress =
                |call: &CallRecord| (call.ended_at.is_some(), call.answered_at.is_some(), !call.is_queued());
            assert!(progress(&before) <= progress(record), "{before:?} became {record:?}");
            assert!(before.answered_at.is_none() || before.answered_at == record.answered_at);
        }
    }

    fn save_conference(&mut self, record: &ConferenceRecord) {
        in_order(&[Some(record.created_at), record.started_at, record.ended_at]);
        let ended = record.state == ConferenceState::Ended;
        assert_eq!(ended, record.ended_at.is_some() && record.end_cause.is_some());
        assert_eq!(ended, record.billed_seconds.is_some());
        assert!(record.state != ConferenceState::Active || record.started_at.is_some());
        if let Some(before) = self.conferences.insert(record.id, record.clone()) {
            let counted = ConferenceRecord { sequence: record.sequence, ..before.clone() };
            assert!(before.ended_at.is_none() || *record == counted, "changed after its end: {record:?}");
            assert!(before.started_at.is_none() || before.started_at == record.started_at);
            assert!(before.sequence <= record.sequence);
        }
    }

    fn save_participant(&mut self, record: &ParticipantRecord) {
        in_order(&[Some(record.joined_at), record.left_at]);
        assert_eq!(record.left_at.is_some(), record.exit_cause.is_some());
        match self.participants.insert(record.id, record.clone()) {
            None => assert!(record.left_at.is_none()),
            Some(before) => {
                assert!(before.left_at.is_none(), "changed after its exit: {record:?}");
                assert_eq!((before.joined_at, before.call), (record.joined_at, record.call));
                assert_eq!((before.conference, before.role), (record.conference, record.role));
            }
        }
    }

    fn save_stream(&mut self, record: &StreamRecord) {
        in_order(&[Some(record.created_at), record.started_at, record.ended_at]);
        let live = self.streams.values().filter(|one| one.call == record.call && one.ended_at.is_none());
        assert!(live.filter(|one| one.id != record.id).count() == 0 || record.ended_at.is_some());
        if let Some(before) = self.streams.insert(record.id, record.clone()) {
            assert!(before.ended_at.is_none(), "changed after its end: {record:?}");
        }
    }

    fn save_recording(&mut self, record: &RecordingRecord) {
        in_order(&[Some(record.started_at), record.ended_at]);
        assert_eq!(record.state.is_over(), record.ended_at.is_some());
        assert!(record.ended_at.is_none_or(|end| record.duration <= end.since(record.started_at)));
        if let Some(before) = self.recordings.insert(record.id, record.clone()) {
            assert!(!before.state.is_over(), "changed after its end: {record:?}");
            assert!(before.of == record.of && before.duration <= record.duration, "{record:?}");
        }
    }

    fn hear_of_recording(&mut self, event: &RecordingCallback) {
        let told = self.told.entry(event.conference).or_default();
        told.events += 1;
        assert_eq!(event.sequence, told.events, "a gap before {event:?}");
        let before = self.told_of_recordings.insert(event.recording.id, event.event);
        let follows = match event.event {
            RecordingEvent::Initiated => before.is_none(),
            RecordingEvent::Paused => {
                matches!(before, Some(RecordingEvent::Initiated | RecordingEvent::Resumed))
            }
            RecordingEvent::Resumed => before == Some(RecordingEvent::Paused),
            RecordingEvent::Completed | RecordingEvent::Failed => {
                before.is_some_and(|before| !is_over(before))
            }
        };
        let in_time = is_over(event.event) || told.state != Some(ConferenceState::Ended);
        assert!(follows && in_time, "{event:?} after {before:?}");
    }

    /// That what is recorded is there, once.
    fn balance_recordings(&self) {
        for one in self.streams.values().filter(|one| one.ended_at.is_none()) {
            assert!(self.calls[&one.call].ended_at.is_none(), "{one:?} has no call");
        }
        let mut recorded = BTreeMap::new();
        for one in self.recordings.values() {
            let goes_on = self.taps.values().any(|id| *id == one.id);
            assert!(self.begun.contains(&one.id) && !(goes_on && one.state.is_over()), "{one:?}");
            let Some((conference, _)) = &one.of.conference else {
                let call = &self.calls[&one.of.call.unwrap()];
                in_order(&[call.answered_at, Some(one.started_at), one.ended_at, call.ended_at]);
                assert!(!goes_on || call.ended_at.is_none(), "recorded after its end: {call:?}");
                continue;
            };
            let conference = &self.conferences[conference];
            in_order(&[Some(conference.created_at), Some(one.started_at), one.ended_at, conference.ended_at]);
            let member = one.of.participant.map(|id| &self.participants[&id]);
            if let Some(member) = member {
                in_order(&[Some(member.joined_at), Some(one.started_at), one.ended_at, member.left_at]);
            }
            if goes_on {
                assert!(
                    conference.ended_at.is_none() && member.is_none_or(|member| member.left_at.is_none())
                );
                let known = recorded.insert((conference.id, one.of.participant), one.state);
                assert!(known.is_none(), "recorded twice: {one:?}");
            }
        }
        for one in self.conferences.values() {
            assert_eq!(one.recording, recorded.get(&(one.id, None)).copied(), "{one:?}");
        }
    }

    /// Those inside `conference`.
    pub fn inside(&self, conference: ConferenceId) -> Vec<ParticipantId> {
        let inside =
            self.participants.values().filter(|one| one.conference == conference && one.left_at.is_none());
        inside.map(|one| one.id).collect()
    }

    /// As whom a call takes part in a conference.
    pub fn participant(&self, call: CallId) -> Option<&ParticipantRecord> {
        let mut inside = self.participants.values().filter(|one| one.call == call && one.left_at.is_none());
        let only = inside.next();
        assert!(inside.next().is_none(), "{call:?} takes part twice");
        only
    }

    /// That the rows agree with one another and with what was told.
    pub fn balance(&self) {
        self.balance_recordings();
        for record in self.conferences.values() {
            let told = self.told.get(&record.id).map_or(0, |told| told.events);
            assert_eq!(record.sequence, told, "not as many events as the row of {record:?} says");
            let members: Vec<_> =
                self.participants.values().filter(|one| one.conference == record.id).collect();
            for one in &members {
                in_order(&[Some(record.created_at), Some(one.joined_at), one.left_at, record.ended_at]);
                assert!(
                    record.ended_at.is_none() || one.left_at.is_some(),
                    "{one:?} is in an ended conference"
                );
                assert!(
                    one.left_at.is_some() || self.calls[&one.call].ended_at.is_none(),
                    "{one:?} has no call"
                );
            }
            let minutes = |one: &&ParticipantRecord| {
                one.left_at.unwrap().since(one.joined_at).as_micros().div_ceil(60_000_000)
            };
            let billed = || members.iter().map(minutes).sum::<u128>() as u64 * 60;
            assert!(record.billed_seconds.is_none_or(|seconds| seconds == billed()), "{record:?}");
        }
        for (id, told) in &self.told {
            if told.state == Some(ConferenceState::Ended) {
                assert!(told.invitations.is_empty() && told.awaited.is_empty(), "open invitations in {id:?}");
            }
        }
    }

    /// That everything that began was ended, once, and told.
    pub fn close(&self, with_hangup_url: &BTreeSet<CallId>) {
        self.balance();
        assert!(self.calls.values().all(|call| call.ended_at.is_some()), "a call is left");
        assert!(self.conferences.values().all(|one| one.ended_at.is_some()), "a conference is left");
        assert!(self.recordings.values().all(|one| one.state.is_over()), "a recording is left");
        assert!(self.taps.is_empty(), "a tap is left");
        for (id, told) in self.told.iter().filter(|(_, told)| told.whole) {
            assert!(told.state.is_none_or(|state| state == ConferenceState::Ended), "{id:?}");
            assert!(told.invitations.is_empty() && told.awaited.is_empty(), "open invitations in {id:?}");
            let members = self.participants.values().filter(|one| one.conference == *id);
            assert_eq!(
                members.map(|one| one.id).collect::<BTreeSet<_>>(),
                told.left,
                "each left once, as told"
            );
        }
        for call in with_hangup_url {
            let told = self.told_of_calls.get(call).into_iter().flatten();
            let ends = told.filter(|told| told.event == CallEvent::Ended && told.url.ends_with("hangup"));
            assert_eq!(ends.count(), 1, "{call:?}");
        }
    }
}

impl Told {
    fn hear(&mut self, told: &CallbackEvent) {
        let last = self.urls.insert(told.url.clone(), told.sequence).unwrap_or(0);
        assert!(last < told.sequence, "{} was told the same twice: {told:?}", told.url);
        if told.sequence == self.events {
            return;
        }
        self.events += 1;
        assert_eq!(told.sequence, self.events, "a gap before {told:?}");
        if self.whole {
            self.follow(told);
        }
    }

    fn follow(&mut self, told: &CallbackEvent) {
        assert!(self.state != Some(ConferenceState::Ended), "after the end: {told:?}");
        match told.event {
            ConferenceEvent::Initialized => {
                assert!(self.state.replace(ConferenceState::Initialized).is_none(), "{told:?}");
            }
            ConferenceEvent::Started => {
                let before = self.state.replace(ConferenceState::Active);
                assert_eq!(before, Some(ConferenceState::Initialized), "{told:?}");
            }
            ConferenceEvent::Ended => {
                let before = self.state.replace(ConferenceState::Ended);
                assert!(before.is_some() && self.inside.is_empty(), "{told:?}");
            }
            ConferenceEvent::Invited => self.invited(told),
            ConferenceEvent::InvitationEnded { joined } => self.invitation_ended(told, joined),
            event => self.follow_participant(event, told),
        }
    }

    fn invited(&mut self, told: &CallbackEvent) {
        let call = &told.subject.as_ref().unwrap().call;
        let placed = call.placement.filter(|_| call.is_queued());
        self.invitations.insert(placed.map_or(call.id.0, |placement| placement.0));
        assert!(self.awaited.insert(call.id), "awaited twice: {told:?}");
    }

    fn invitation_ended(&mut self, told: &CallbackEvent, joined: bool) {
        let subject = told.subject.as_ref().unwrap();
        let placement = subject.call.placement.map(|placement| placement.0);
        let known = self.invitations.remove(&subject.call.id.0)
            || placement.is_some_and(|placement| self.invitations.remove(&placement));
        assert!(known, "nobody was invited: {told:?}");
        if joined {
            self.awaited.remove(&subject.call.id);
        }
        let inside = subject.participant.as_ref().is_some_and(|one| self.inside.contains_key(&one.id));
        assert_eq!(inside, joined, "{told:?}");
    }

    fn follow_participant(&mut self, event: ConferenceEvent, told: &CallbackEvent) {
        let subject = told.subject.as_ref().unwrap();
        let Some(now) = &subject.participant else {
            assert!(event == ConferenceEvent::Left && self.awaited.remove(&subject.call.id), "{told:?}");
            return;
        };
        if event == ConferenceEvent::Joined {
            assert!(self.state.is_some() && !self.left.contains(&now.id), "{told:?}");
            self.awaited.remove(&now.call);
            let before = self.inside.insert(now.id, Known { record: now.clone(), talking: false });
            assert!(before.is_none(), "joined twice: {told:?}");
            return;
        }
        if event == ConferenceEvent::Left {
            let known = self.inside.remove(&now.id);
            assert!(known.is_some_and(|known| !known.talking), "left twice, or talking: {told:?}");
            self.left.insert(now.id);
            return;
        }
        let known = self.inside.get_mut(&now.id).expect("it is inside");
        let is_news = match event {
            ConferenceEvent::Muted | ConferenceEvent::Unmuted => {
                flips(&mut known.record.muted, event == ConferenceEvent::Muted)
            }
            ConferenceEvent::Held | ConferenceEvent::Resumed => {
                flips(&mut known.record.held, event == ConferenceEvent::Held)
            }
            ConferenceEvent::CoachStarted | ConferenceEvent::CoachStopped => {
                flips(&mut known.record.coaching, event == ConferenceEvent::CoachStarted)
            }
            ConferenceEvent::TalkStarted | ConferenceEvent::TalkStopped => {
                flips(&mut known.talking, event == ConferenceEvent::TalkStarted)
            }
            _ => true,
        };
        assert!(is_news, "told twice: {told:?}");
    }
}

const fn is_over(event: RecordingEvent) -> bool {
    matches!(event, RecordingEvent::Completed | RecordingEvent::Failed)
}

fn flips(known: &mut bool, to: bool) -> bool {
    std::mem::replace(known, to) != to
}

fn hear_of_call(told: &mut Vec<CallCallback>, event: &CallCallback) {
    assert_eq!(event.sequence, told.len() as u64 + 1, "{event:?}");
    let over = told.iter().any(|earlier| earlier.event == CallEvent::Ended);
    let may = matches!(event.event, CallEvent::Ended | CallEvent::Recorded(_));
    assert!(!over || may, "after the end: {event:?}");
    let step = |event: &CallCallback| match &event.event {
        CallEvent::Ringing => Some((0, event.call.id)),
        CallEvent::Answered => Some((1, event.call.id)),
        CallEvent::Ended => Some((2, event.call.id)),
        CallEvent::DialStep(DialStep::Answered, callee) => Some((3, callee.id)),
        CallEvent::DialStep(DialStep::Connected, callee) => Some((4, callee.id)),
        CallEvent::DialStep(DialStep::Ended, callee) => Some((5, callee.id)),
        CallEvent::Collected(_)
        | CallEvent::AnsweredBy { .. }
        | CallEvent::Dialled(_)
        | CallEvent::Left(_)
        | CallEvent::Pressed(_)
        | CallEvent::RecordReported(_)
        | CallEvent::Recorded(_)
        | CallEvent::Streamed(..)
        | CallEvent::Understood(_) => None,
    };
    if let Some(this) = step(event) {
        for earlier in told.iter().filter(|earlier| earlier.url == event.url).filter_map(step) {
            assert!(earlier.1 != this.1 || earlier.0 < this.0, "again, or too late: {event:?}");
        }
    }
    told.push(event.clone());
}

/// That what happened of `times` happened in that order.
fn in_order(times: &[Option<Timestamp>]) {
    let known: Vec<_> = times.iter().flatten().collect();
    assert!(known.is_sorted(), "{times:?}");
}
