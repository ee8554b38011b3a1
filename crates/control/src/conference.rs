//! One conference: who is inside, in which state, and what follows from it.

mod audio;
mod invitations;
mod own;
mod participant;
mod recordings;
mod sounds;

use std::collections::BTreeMap;
use std::time::Duration;

use mixminus_mixer::{BridgeId, LegId, SinkRoutes, SourceId};

use crate::callback::{ConferenceEvent, ParticipantEvent, Subject};
use crate::command::{CommandError, Members, ParticipantChange, RecordScope};
use crate::context::{Context, Due};
use crate::effect::{Effect, TimerId};
use crate::instruction::{AutomaticRecording, ConferenceRequest, Report, StatusCallback};
use crate::policy::{self, CoachVoice, Party, Role};
use crate::record::{
    AccountId, CallId, CallRecord, ConferenceId, ConferenceKind, ConferenceRecord, ConferenceState, EndCause,
    ExitCause, ParticipantId, ParticipantRecord,
};
use own::Own;
use participant::{Participant, keep};
use recordings::Recordings;
use sounds::Sounds;

/// Most URLs to which one conference reports.
const MAX_SUBSCRIBERS: usize = 20;

/// A call on its way into a conference.
pub(crate) struct Joiner {
    pub call: CallRecord,
    pub leg: LegId,
}

/// A call that was taken out of a conference and goes on with its flow.
#[derive(Debug)]
pub(crate) struct Departure {
    pub call: CallId,
    pub on_exit: Option<Report>,
    pub participant: ParticipantRecord,
}

#[expect(clippy::struct_excessive_bools, reason = "each is an independent attribute of a conference")]
#[derive(Debug)]
pub(crate) struct Conference {
    record: ConferenceRecord,
    saved: Option<ConferenceRecord>,
    bridge: BridgeId,
    participants: BTreeMap<ParticipantId, Participant>,
    max_participants: usize,
    longest: TimerId,
    sounds: Sounds,
    recordings: Recordings,
    /// What is recorded without a request for it, once there are enough.
    automatic: Option<AutomaticRecording>,
    coach_voice: CoachVoice,
    wait_for_agent: bool,
    last_left: Option<Subject>,
    active_speaker: Option<ParticipantId>,
    billed_seconds: u64,
    /// Whether its subscribers know that it exists.
    introduced: bool,
    /// Whether its bridge was ever used.
    bridged: bool,
    reroute: bool,
}

impl Conference {
    pub fn create(account: AccountId, request: &ConferenceRequest, context: &mut Context) -> Self {
        let id = ConferenceId(context.uuid());
        let record = ConferenceRecord {
            id,
            account,
            kind: request.kind,
            name: request.name.clone(),
            state: ConferenceState::Initialized,
            stay_alone: request.stay_alone,
            created_at: context.now,
            started_at: None,
            ended_at: None,
            end_cause: None,
            billed_seconds: None,
            recording: None,
            sequence: 0,
            subscribers: Vec::new(),
        };
        Self {
            record,
            saved: None,
            bridge: context.bridge(),
            participants: BTreeMap::new(),
            max_participants: request.max_participants,
            longest: context.wake(request.max_duration, Due::ConferenceEnd(id)),
            sounds: Sounds::new(id, request),
            recordings: Recordings::default(),
            automatic: None,
            coach_voice: CoachVoice::default(),
            wait_for_agent: request.wait_for_agent,
            last_left: None,
            active_speaker: None,
            billed_seconds: 0,
            introduced: false,
            bridged: false,
            reroute: false,
        }
    }

    pub const fn record(&self) -> &ConferenceRecord {
        &self.record
    }

    pub const fn bridge(&self) -> BridgeId {
        self.bridge
    }

    pub fn has_ended(&self) -> bool {
        self.record.state == ConferenceState::Ended
    }

    pub fn is_full(&self) -> bool {
        self.participants.len() >= self.max_participants
    }

    fn is_waiting(&self) -> bool {
        self.record.state == ConferenceState::Initialized
    }

    pub fn join(
        &mut self,
        joiner: Joiner,
        request: ConferenceRequest,
        context: &mut Context,
    ) -> ParticipantId {
        let id = context.participant_id();
        let record = ParticipantRecord {
            id,
            conference: self.record.id,
            call: joiner.call.id,
            address: joiner.call.far_end().to_owned(),
            role: request.role,
            coaching: request.coach && request.role == Role::Supervisor,
            muted: request.mute,
            held: request.hold,
            start_on_enter: request.start_on_enter,
            end_on_exit: request.end_on_exit,
            joined_at: context.now,
            left_at: None,
            exit_cause: None,
        };
        keep(self.record.kind, &record, context);
        let participant = Participant {
            record,
            call: joiner.call,
            leg: joiner.leg,
            talking: false,
            stay_alone: request.stay_alone,
            relay_digits: request.relay_digits,
            exit_sound: request.exit_sound,
            own: request.own_callback.map(Own::new),
            leave_on_star: request.leave_on_star,
            on_exit: request.on_exit,
            max_wait: request.max_wait,
            wait: None,
        };
        self.participants.insert(id, participant);
        self.subscribe(request.status_callback);
        self.introduce(Some(id), context);
        if request.start_on_enter && (request.role.is_agent() || !self.wait_for_agent) {
            self.start(Some(id), context);
        }
        self.limit_wait(id, request.max_wait, context);
        self.tell(ConferenceEvent::Joined, Some(id), context);
        self.tell_own(id, ParticipantEvent::Joined, context);
        if policy::announced(&self.participants[&id].party(self.is_waiting())) {
            self.play_to_all(&request.enter_sound, context);
        }
        if request.coach_voice == CoachVoice::LeftOut {
            self.coach_voice = CoachVoice::LeftOut;
        }
        // What a later participant asks for does not replace what an earlier one did.
        if self.automatic.is_none() {
            self.automatic = request.recording;
        }
        self.record_automatically(context);
        self.reroute = true;
        id
    }

    /// Puts another call into a participant's place, as all that it is; nothing else follows from that.
    pub fn hand_over(
        &mut self,
        from: ParticipantId,
        to: Joiner,
        context: &mut Context,
    ) -> Option<ParticipantId> {
        let sounds = self.exit_sounds(&[from]);
        let id = context.participant_id();
        let participant = self.participants.get(&from)?.succeeded_by(id, to, context.now);
        let most = participant.max_wait;
        keep(self.record.kind, &participant.record, context);
        self.participants.insert(id, participant);
        self.limit_wait(id, most, context);
        self.tell(ConferenceEvent::Joined, Some(id), context);
        self.tell_own(id, ParticipantEvent::Joined, context);
        self.remove(from, ExitCause::CallTransferred, context);
        for sound in &sounds {
            self.play_to_all(sound, context);
        }
        self.record_automatically(context);
        Some(id)
    }

    /// Says that it exists, once.
    fn introduce(&mut self, by: Option<ParticipantId>, context: &mut Context) {
        if !std::mem::replace(&mut self.introduced, true) {
            self.tell(ConferenceEvent::Initialized, by, context);
        }
    }

    /// Moves from initialized to active, because of `by` if anybody.
    pub fn start(&mut self, by: Option<ParticipantId>, context: &mut Context) {
        if self.is_waiting() {
            self.introduce(by, context);
            self.record.state = ConferenceState::Active;
            self.record.started_at = Some(context.now);
            self.reroute = true;
            self.participants
                .values_mut()
                .filter_map(|one| one.wait.take())
                .for_each(|timer| context.cancel(timer));
            self.tell(ConferenceEvent::Started, by, context);
        }
    }

    /// Lets a participant wait no longer than it may.
    fn limit_wait(&mut self, id: ParticipantId, most: Option<Duration>, context: &mut Context) {
        let (waiting, conference) = (self.is_waiting(), self.record.id);
        if let (Some(participant), Some(most), true) = (self.participants.get_mut(&id), most, waiting) {
            participant.wait = Some(context.wake(most, Due::WaitEnd(conference, id)));
        }
    }

    /// Takes participants out, and whoever has to follow.
    ///
    /// All who left are returned. Ids that are not inside are passed over.
    pub fn leave(
        &mut self,
        ids: &[ParticipantId],
        cause: ExitCause,
        context: &mut Context,
    ) -> Vec<Departure> {
        let sounds = self.exit_sounds(ids);
        let mut departures: Vec<_> = ids.iter().filter_map(|id| self.remove(*id, cause, context)).collect();
        let end = match self.participants.values().next() {
            _ if departures.is_empty() => return departures,
            None => Some(EndCause::NoParticipants),
            Some(_) if departures.iter().any(|left| left.participant.end_on_exit) => {
                Some(EndCause::NoParticipants)
            }
            Some(last) if self.participants.len() == 1 && !last.stay_alone => {
                Some(EndCause::AloneNotPermitted)
            }
            Some(_) => None,
        };
        match end {
            Some(end) => departures.extend(self.end(end, context)),
            None => sounds.iter().for_each(|sound| self.play_to_all(sound, context)),
        }
        departures
    }

    /// Takes everybody out and ends.
    pub fn end(&mut self, cause: EndCause, context: &mut Context) -> Vec<Departure> {
        if self.has_ended() {
            return Vec::new();
        }
        let ids: Vec<_> = self.participants.keys().copied().collect();
        let departures =
            ids.into_iter().filter_map(|id| self.remove(id, ExitCause::ConferenceEnded, context)).collect();
        self.record.state = ConferenceState::Ended;
        self.record.ended_at = Some(context.now);
        self.record.end_cause = Some(cause);
        self.record.billed_seconds = Some(self.billed_seconds);
        self.recordings.stop_all(context);
        context.cancel(self.longest);
        self.sounds.stop(context);
        departures
    }

    fn remove(&mut self, id: ParticipantId, cause: ExitCause, context: &mut Context) -> Option<Departure> {
        self.set_talking(id, false, context);
        let participant = self.participants.get_mut(&id)?;
        participant.record.left_at = Some(context.now);
        participant.record.exit_cause = Some(cause);
        self.billed_seconds += participant.record.billed_seconds();
        keep(self.record.kind, &participant.record, context);
        self.tell(ConferenceEvent::Left, Some(id), context);
        self.tell_own(id, ParticipantEvent::Left, context);
        self.recordings.stop(RecordScope::One(id), context);
        let participant = self.participants.remove(&id)?;
        if let Some(timer) = participant.wait {
            context.cancel(timer);
        }
        self.reroute = true;
        self.last_left = Some(participant.subject());
        Some(Departure {
            call: participant.call.id,
            on_exit: participant.on_exit,
            participant: participant.record,
        })
    }

    /// # Errors
    ///
    /// [`CommandError::ParticipantNotFound`] if one of `members` is not inside.
    pub fn select(&self, members: &Members) -> Result<Vec<ParticipantId>, CommandError> {
        match members {
            Members::All => Ok(self.participants.keys().copied().collect()),
            Members::Listed(ids) => match ids.iter().find(|id| !self.participants.contains_key(id)) {
                Some(unknown) => Err(CommandError::ParticipantNotFound(*unknown)),
                None => Ok(ids.clone()),
            },
        }
    }

    pub fn update(&mut self, ids: &[ParticipantId], change: ParticipantChange, context: &mut Context) {
        let waiting = self.is_waiting();
        for id in ids {
            let Some(participant) = self.participants.get_mut(id) else {
                continue;
            };
            let news = participant.apply(change);
            if news.is_empty() {
                continue;
            }
            let silenced = !policy::contributes(&participant.party(waiting));
            keep(self.record.kind, &participant.record, context);
            if silenced {
                self.set_talking(*id, false, context);
            }
            for event in news {
                self.tell(event, Some(*id), context);
            }
            self.reroute = true;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }

    /// Brings the bridge and the row up to date, once for all that changed.
    pub fn settle(&mut self, context: &mut Context) {
        if self.has_ended() {
            // Not before those called to join it were given up, of which is told as well.
            if self.introduced {
                self.tell(ConferenceEvent::Ended, None, context);
            }
            if self.bridged {
                context.close_bridge(self.bridge);
            }
        } else if std::mem::take(&mut self.reroute) && (self.bridged || self.has_legs()) {
            self.bridged = true;
            let parties = self.parties();
            self.sounds.choose_music(parties.iter().map(|(_, party)| party), context);
            let routes = self.routes(&parties);
            context.install(self.bridge, &routes, self.tapped(&parties, &routes));
        }
        self.follow_voices(context);
        self.record.recording = self.recordings.of_all();
        self.save(context);
    }

    /// Routes its bridge anew when all is settled.
    pub const fn reroute(&mut self) {
        self.reroute = true;
    }

    /// Writes the row if it changed.
    pub fn save(&mut self, context: &mut Context) {
        if self.record.kind == ConferenceKind::Supervised && self.saved.as_ref() != Some(&self.record) {
            context.push(Effect::SaveConference(self.record.clone()));
            self.saved = Some(self.record.clone());
        }
    }

    /// Whether anybody is inside, or heard on the way.
    fn has_legs(&self) -> bool {
        !self.is_empty() || self.sounds.callees().next().is_some()
    }

    fn parties(&self) -> Vec<(LegId, Party)> {
        let waiting = self.is_waiting();
        self.participants.values().map(|one| (one.leg, one.party(waiting))).collect()
    }

    fn routes(&self, parties: &[(LegId, Party)]) -> Vec<SinkRoutes> {
        let hears = |leg: LegId, sink: &Party| {
            let room = self.sounds.leaves_room(leg);
            let voices = parties.iter().filter(|(_, source)| room && policy::audible(source, sink));
            let callees = self.sounds.callees_heard_by(leg, sink);
            let voices = voices.map(|(leg, _)| *leg).chain(callees).map(SourceId::Leg);
            voices.chain(self.sounds.heard_by(leg, sink).map(SourceId::Prompt)).collect()
        };
        let inside = parties.iter().map(|(leg, sink)| SinkRoutes { leg: *leg, hears: hears(*leg, sink) });
        inside.chain(self.sounds.callees().map(|leg| SinkRoutes { leg, hears: Vec::new() })).collect()
    }

    /// Reports to the URL from now on; one URL gets every event once.
    fn subscribe(&mut self, callback: Option<StatusCallback>) {
        let Some(callback) = callback else { return };
        let subscribers = &mut self.record.subscribers;
        let room = subscribers.len() < MAX_SUBSCRIBERS;
        match subscribers.iter_mut().find(|known| known.action == callback.action) {
            Some(known) => known.groups.extend(callback.groups),
            None if room => subscribers.push(callback),
            None => {}
        }
    }

    fn tell(&mut self, event: ConferenceEvent, id: Option<ParticipantId>, context: &mut Context) {
        let subject = match id.and_then(|id| self.participants.get(&id)) {
            Some(inside) => Some(inside.subject()),
            // Whoever left last is why it ended.
            None => self.last_left.clone().filter(|_| event == ConferenceEvent::Ended),
        };
        if let Some(inside) = id.and_then(|id| self.participants.get(&id)) {
            self.recordings.note(inside, event, context);
        }
        self.tell_of(event, subject.as_ref(), context);
    }

    fn tell_of(&mut self, event: ConferenceEvent, subject: Option<&Subject>, context: &mut Context) {
        for told in self.record.tell(event, context.now, subject) {
            context.push(Effect::Notify(Box::new(told)));
        }
    }
}
