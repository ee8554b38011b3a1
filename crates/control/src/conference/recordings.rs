//! What is recorded of a conference, and who is told of it.

use std::collections::BTreeSet;

use mixminus_mixer::{LegId, SinkRoutes, SourceId, TapChannel, TapRoutes};

use super::{Conference, Participant};
use crate::callback::{ConferenceEvent, RecordingCallback, RecordingEvent};
use crate::command::{CommandError, RecordChange, RecordScope};
use crate::context::{Context, Owner, Tapped};
use crate::effect::{Effect, RecordedParty, RecordingEntry, RecordingLayout};
use crate::input::{Recorded, RecordingFault};
use crate::instruction::{EventGroup, RecordingTerms, Sound};
use crate::policy::{self, Party};
use crate::record::{
    ConferenceKind, ConferenceRecord, RecordedFrom, RecordingId, RecordingRecord, RecordingState,
    RecordingTrack,
};
use crate::recording::{MAX_FINISHING, Recording};

/// A recording of the conference that is not over.
#[derive(Debug)]
struct ConferenceRecording {
    recording: Recording,
    scope: RecordScope,
}

/// The recordings of one conference that are not over.
#[derive(Debug, Default)]
pub(super) struct Recordings(Vec<ConferenceRecording>);

impl Recordings {
    /// The state of the recording of all; none if there is no such recording.
    pub fn of_all(&self) -> Option<RecordingState> {
        self.find(RecordScope::All).map(|one| one.record.state)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn going_on(&self) -> impl Iterator<Item = &ConferenceRecording> {
        self.0.iter().filter(|one| one.recording.goes_on())
    }

    fn find(&self, scope: RecordScope) -> Option<&Recording> {
        self.going_on().find(|one| one.scope == scope).map(|one| &one.recording)
    }

    fn find_mut(&mut self, scope: RecordScope) -> Option<&mut Recording> {
        let found = self.0.iter_mut().find(|one| one.scope == scope && one.recording.goes_on());
        found.map(|one| &mut one.recording)
    }

    /// Ends the recording of `scope` if there is one.
    pub fn stop(&mut self, scope: RecordScope, context: &mut Context) {
        if let Some(recording) = self.find_mut(scope) {
            recording.stop(context);
        }
    }

    /// Ends all of them.
    pub fn stop_all(&mut self, context: &mut Context) {
        self.0.iter_mut().for_each(|one| one.recording.stop(context));
    }

    /// Keeps what happened to `inside` beside the recordings that it is in.
    pub fn note(&self, inside: &Participant, event: ConferenceEvent, context: &mut Context) {
        if matches!(event.group(), EventGroup::Conference | EventGroup::AddParticipant) {
            return;
        }
        for ConferenceRecording { recording, scope } in self.going_on() {
            let is_secret = recording.is_paused() && matches!(event, ConferenceEvent::Digit(_));
            if is_secret || ![RecordScope::All, RecordScope::One(inside.record.id)].contains(scope) {
                continue;
            }
            match event {
                ConferenceEvent::Joined => recording.meet(inside.leg, inside.recorded(), context),
                event => recording.note(RecordingEntry::Happened(inside.leg, event), context),
            }
        }
    }
}

impl Recording {
    /// Tells of `event`, numbered among the conference's other events.
    fn tell(&self, event: RecordingEvent, conference: &mut ConferenceRecord, context: &mut Context) {
        let untold = conference.kind == ConferenceKind::Plain && event != RecordingEvent::Completed;
        let Some(action) = self.record.told.as_ref().filter(|_| !untold) else { return };
        conference.sequence += 1;
        context.push(Effect::NotifyOfRecording(Box::new(RecordingCallback {
            url: action.url.clone(),
            method: action.method,
            event,
            at: context.now,
            sequence: conference.sequence,
            conference: conference.id,
            kind: conference.kind,
            recording: self.record.clone(),
        })));
    }

    /// Keeps nothing, or goes on; saves the row and tells of it.
    fn turn(&mut self, event: RecordingEvent, conference: &mut ConferenceRecord, context: &mut Context) {
        let (state, entry) = match event {
            RecordingEvent::Paused => (RecordingState::Paused, RecordingEntry::Paused),
            _ => (RecordingState::Recording, RecordingEntry::Resumed),
        };
        self.record.state = state;
        context.push(Effect::SaveRecording(self.record.clone()));
        self.note(entry, context);
        self.tell(event, conference, context);
    }
}

impl Participant {
    fn recorded(&self) -> RecordedParty {
        RecordedParty {
            call: self.call.id,
            participant: Some(self.record.id),
            address: self.record.address.clone(),
            role: Some(self.record.role),
            muted: self.record.muted,
            held: self.record.held,
            coaching: self.record.coaching,
        }
    }
}

impl Conference {
    /// Begins what is to be recorded when there are enough inside.
    pub(super) fn record_automatically(&mut self, context: &mut Context) {
        let Some(automatic) = self.automatic.clone() else { return };
        if self.participants.len() < automatic.min_participants {
            return;
        }
        if self.recordings.of_all().is_none() {
            self.begin_recording(RecordScope::All, &automatic.terms, context);
            if let Some(sound) = automatic.start_sound {
                self.play_to_all(&Sound::Url(sound), context);
            }
        }
        if automatic.participants_too {
            let terms = RecordingTerms { track: RecordingTrack::Party, ..automatic.terms };
            let inside: Vec<_> = self.participants.keys().copied().collect();
            for id in inside.into_iter().map(RecordScope::One) {
                if self.recordings.find(id).is_none() {
                    self.begin_recording(id, &terms, context);
                }
            }
        }
    }

    fn begin_recording(
        &mut self,
        scope: RecordScope,
        terms: &RecordingTerms,
        context: &mut Context,
    ) -> RecordingRecord {
        let (whose, track) = match scope {
            RecordScope::All => (None, RecordingTrack::Mix),
            RecordScope::One(id) => (self.participants.get(&id), terms.track),
        };
        let layout = match whose {
            Some(one) if track == RecordingTrack::Channels => {
                RecordingLayout::Stereo { left: SourceId::Leg(one.leg) }
            }
            _ => RecordingLayout::Mono,
        };
        let of = RecordedFrom {
            conference: Some((self.record.id, self.record.name.clone())),
            participant: whose.map(|one| one.record.id),
            call: whose.map(|one| one.call.id),
            from: whose.map(|one| one.call.from.clone()).unwrap_or_default(),
            to: whose.map(|one| one.call.to.clone()).unwrap_or_default(),
        };
        let (id, kind, owner) =
            (RecordingId(context.uuid()), (terms.format, track), Owner::Conference(self.record.id));
        let record = RecordingRecord::begin(id, self.record.account.clone(), of, kind, context.now);
        let recording = Recording::begin(record, terms, layout, owner, context);
        for one in
            self.participants.values().filter(|one| whose.is_none_or(|it| it.record.id == one.record.id))
        {
            recording.meet(one.leg, one.recorded(), context);
            if one.talking {
                recording.note(RecordingEntry::Happened(one.leg, ConferenceEvent::TalkStarted), context);
            }
        }
        recording.tell(RecordingEvent::Initiated, &mut self.record, context);
        let record = recording.record.clone();
        self.recordings.0.push(ConferenceRecording { recording, scope });
        self.reroute = true;
        record
    }

    /// Records, whatever was asked before; a recording that goes on is left as it is.
    ///
    /// # Errors
    ///
    /// [`CommandError`]: the participant is not inside, or too many recordings are not whole.
    pub fn start_recording(
        &mut self,
        scope: RecordScope,
        terms: &RecordingTerms,
        context: &mut Context,
    ) -> Result<RecordingRecord, CommandError> {
        match scope {
            RecordScope::One(id) if !self.participants.contains_key(&id) => {
                return Err(CommandError::ParticipantNotFound(id));
            }
            _ => {}
        }
        if let Some(known) = self.recordings.find_mut(scope) {
            known.asked_again(terms, context);
            return Ok(known.record.clone());
        }
        let finishing = self.recordings.0.iter().filter(|one| !one.recording.goes_on());
        if finishing.count() >= MAX_FINISHING {
            return Err(CommandError::TooMany);
        }
        Ok(self.begin_recording(scope, terms, context))
    }

    /// Pauses, resumes or stops a recording.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotRecording`] if there is none.
    pub fn change_recording(
        &mut self,
        scope: RecordScope,
        change: RecordChange,
        context: &mut Context,
    ) -> Result<(), CommandError> {
        let recording = self.recordings.find_mut(scope).ok_or(CommandError::NotRecording)?;
        match (change, recording.record.state) {
            (RecordChange::Pause, RecordingState::Recording) => {
                recording.turn(RecordingEvent::Paused, &mut self.record, context);
            }
            (RecordChange::Resume, RecordingState::Paused) => {
                recording.turn(RecordingEvent::Resumed, &mut self.record, context);
            }
            (RecordChange::Stop, _) => recording.stop(context),
            _ => {}
        }
        self.reroute = true;
        if (scope, change) == (RecordScope::All, RecordChange::Stop) {
            // It was stopped by request and does not begin again by itself.
            let sound = self.automatic.take().and_then(|automatic| automatic.stop_sound);
            if let Some(sound) = sound {
                self.play_to_all(&Sound::Url(sound), context);
            }
        }
        Ok(())
    }

    /// A recording is over, whole or not, stopped or not.
    pub fn recording_ended(
        &mut self,
        id: RecordingId,
        result: Result<Recorded, RecordingFault>,
        context: &mut Context,
    ) {
        let Some(at) = self.recordings.0.iter().position(|one| one.recording.record.id == id) else { return };
        let mut recording = self.recordings.0.remove(at).recording;
        self.reroute |= recording.goes_on();
        recording.conclude(result, context);
        let event = if result.is_ok() { RecordingEvent::Completed } else { RecordingEvent::Failed };
        recording.tell(event, &mut self.record, context);
    }

    /// Whether a recording of it is not over.
    pub fn is_recorded(&self) -> bool {
        !self.recordings.is_empty()
    }

    /// What its recordings are of, when its parties hear what `routes` say, in the same order.
    pub(super) fn tapped(&self, parties: &[(LegId, Party)], routes: &[SinkRoutes]) -> Tapped {
        let silenced = parties.iter().filter(|(_, party)| !policy::contributes(party));
        let recorded = parties.iter().filter(|(_, party)| policy::recorded(party, self.coach_voice));
        let recorded: BTreeSet<_> = recorded.map(|(leg, _)| SourceId::Leg(*leg)).collect();
        let taps = self.recordings.going_on().map(|ConferenceRecording { recording, scope }| {
            let sources = match (scope, recording.record.track) {
                _ if recording.is_paused() => BTreeSet::new(),
                (RecordScope::All, _) => self.recorded_of_all(parties, recorded.clone()),
                (RecordScope::One(id), track) => {
                    let one = parties.iter().zip(routes).find(|((_, party), _)| party.id == *id);
                    one.map_or_else(BTreeSet::new, |one| said_and_heard(one, track, &recorded))
                }
            };
            let channels = sources.into_iter().map(TapChannel::Source).collect();
            TapRoutes { tap: recording.tap, channels, paused: recording.is_paused() }
        });
        Tapped { taps: taps.collect(), silenced: silenced.map(|(leg, _)| *leg).collect() }
    }

    /// Those who are recorded, and what is played.
    fn recorded_of_all(
        &self,
        parties: &[(LegId, Party)],
        mut sources: BTreeSet<SourceId>,
    ) -> BTreeSet<SourceId> {
        for (leg, sink) in parties.iter().filter(|(_, sink)| policy::recorded_of(sink)) {
            sources.extend(self.sounds.heard_by(*leg, sink).map(SourceId::Prompt));
        }
        sources
    }
}

/// What a participant says that may be recorded and, unless only that is asked for, what it hears
/// that may be.
fn said_and_heard(
    ((leg, party), routes): (&(LegId, Party), &SinkRoutes),
    track: RecordingTrack,
    recorded: &BTreeSet<SourceId>,
) -> BTreeSet<SourceId> {
    let hears = routes.hears.iter().filter(|source| match source {
        SourceId::Leg(_) => recorded.contains(source),
        SourceId::Prompt(_) => policy::recorded_of(party),
    });
    let hears = hears.filter(|_| track != RecordingTrack::Party);
    recorded.get(&SourceId::Leg(*leg)).into_iter().chain(hears).copied().collect()
}
