//! What is recorded of a conference, and who is told of it.

use super::Conference;
use crate::callback::{RecordingCallback, RecordingEvent};
use crate::command::{CommandError, RecordChange, RecordScope};
use crate::context::Context;
use crate::effect::Effect;
use crate::instruction::{Action, RecordingTerms, Sound};
use crate::record::{
    CallRecord, ConferenceKind, ConferenceRecord, RecordedFrom, RecordingId, RecordingRecord, RecordingState,
    RecordingTrack, Timestamp,
};

/// A recording that is not over.
#[derive(Debug)]
struct Recording {
    record: RecordingRecord,
    scope: RecordScope,
    callback: Option<Action>,
    /// When it began or went on, while it does.
    running_since: Option<Timestamp>,
}

/// The recordings of one conference that are not over.
#[derive(Debug, Default)]
pub(super) struct Recordings(Vec<Recording>);

impl Recordings {
    /// The state of the recording of all; none if there is no such recording.
    pub fn of_all(&self) -> Option<RecordingState> {
        self.0.iter().find(|one| one.scope == RecordScope::All).map(|one| one.record.state)
    }

    fn find(&mut self, scope: RecordScope) -> Option<&mut Recording> {
        self.0.iter_mut().find(|one| one.scope == scope)
    }

    /// Begins the recording of `scope`, or leaves the one there is as it is.
    pub fn start(
        &mut self,
        scope: RecordScope,
        terms: &RecordingTerms,
        (conference, call): (&mut ConferenceRecord, Option<&CallRecord>),
        context: &mut Context,
    ) -> RecordingRecord {
        if let Some(known) = self.find(scope) {
            return known.record.clone();
        }
        let (participant, track) = match scope {
            RecordScope::All => (None, RecordingTrack::Mix),
            RecordScope::One(id) => (Some(id), terms.track),
        };
        let of = RecordedFrom {
            conference: Some((conference.id, conference.name.clone())),
            participant,
            call: call.map(|call| call.id),
            from: call.map(|call| call.from.clone()).unwrap_or_default(),
            to: call.map(|call| call.to.clone()).unwrap_or_default(),
        };
        let (id, kind) = (RecordingId(context.uuid()), (terms.format, track));
        let record = RecordingRecord::begin(id, conference.account.clone(), of, kind, context.now);
        let mut recording = Recording {
            record: record.clone(),
            scope,
            callback: terms.callback.clone(),
            running_since: Some(context.now),
        };
        recording.tell(RecordingEvent::Initiated, conference, context);
        self.0.push(recording);
        record
    }

    /// Pauses, resumes or stops the recording of `scope`.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotRecording`] if there is none.
    pub fn change(
        &mut self,
        scope: RecordScope,
        change: RecordChange,
        conference: &mut ConferenceRecord,
        context: &mut Context,
    ) -> Result<(), CommandError> {
        let recording = self.find(scope).ok_or(CommandError::NotRecording)?;
        match (change, recording.record.state) {
            (RecordChange::Pause, RecordingState::Recording) => {
                recording.halt(RecordingState::Paused, context);
                recording.tell(RecordingEvent::Paused, conference, context);
            }
            (RecordChange::Resume, RecordingState::Paused) => {
                recording.record.state = RecordingState::Recording;
                recording.running_since = Some(context.now);
                recording.tell(RecordingEvent::Resumed, conference, context);
            }
            (RecordChange::Stop, _) => self.stop(scope, conference, context),
            _ => {}
        }
        Ok(())
    }

    /// Ends the recording of `scope` if there is one.
    pub fn stop(&mut self, scope: RecordScope, conference: &mut ConferenceRecord, context: &mut Context) {
        let Some(index) = self.0.iter().position(|one| one.scope == scope) else { return };
        let mut recording = self.0.remove(index);
        recording.halt(RecordingState::Completed, context);
        recording.record.ended_at = Some(context.now);
        recording.tell(RecordingEvent::Completed, conference, context);
    }

    /// Ends all of them.
    pub fn stop_all(&mut self, conference: &mut ConferenceRecord, context: &mut Context) {
        while let Some(scope) = self.0.last().map(|one| one.scope) {
            self.stop(scope, conference, context);
        }
    }
}

impl Recording {
    /// Counts what was recorded until now.
    fn halt(&mut self, state: RecordingState, context: &Context) {
        self.record.state = state;
        if let Some(since) = self.running_since.take() {
            self.record.duration += context.now.since(since);
        }
    }

    /// Saves the row and tells of `event`, numbered among the conference's other events.
    fn tell(&mut self, event: RecordingEvent, conference: &mut ConferenceRecord, context: &mut Context) {
        context.push(Effect::SaveRecording(self.record.clone()));
        let untold = conference.kind == ConferenceKind::Plain && event != RecordingEvent::Completed;
        let Some(action) = self.callback.as_ref().filter(|_| !untold) else { return };
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
}

impl Conference {
    /// Begins what is to be recorded when there are enough inside.
    pub(super) fn record_automatically(&mut self, context: &mut Context) {
        let Some(automatic) = self.automatic.clone() else { return };
        if self.participants.len() < automatic.min_participants {
            return;
        }
        if self.recordings.of_all().is_none() {
            self.recordings.start(RecordScope::All, &automatic.terms, (&mut self.record, None), context);
            if let Some(sound) = automatic.start_sound {
                self.play_to_all(&Sound::Url(sound), context);
            }
        }
        if automatic.participants_too {
            for inside in self.participants.values() {
                let (scope, whose) =
                    (RecordScope::One(inside.record.id), (&mut self.record, Some(&inside.call)));
                let terms = RecordingTerms { track: RecordingTrack::Party, ..automatic.terms.clone() };
                self.recordings.start(scope, &terms, whose, context);
            }
        }
    }

    /// Records, whatever was asked before.
    ///
    /// # Errors
    ///
    /// [`CommandError::ParticipantNotFound`] if the participant is not inside.
    pub fn start_recording(
        &mut self,
        scope: RecordScope,
        terms: &RecordingTerms,
        context: &mut Context,
    ) -> Result<RecordingRecord, CommandError> {
        let call = match scope {
            RecordScope::All => None,
            RecordScope::One(id) => {
                let inside = self.participants.get(&id).ok_or(CommandError::ParticipantNotFound(id))?;
                Some(&inside.call)
            }
        };
        Ok(self.recordings.start(scope, terms, (&mut self.record, call), context))
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
        self.recordings.change(scope, change, &mut self.record, context)?;
        if (scope, change) == (RecordScope::All, RecordChange::Stop) {
            // It was stopped by request and does not begin again by itself.
            let sound = self.automatic.take().and_then(|automatic| automatic.stop_sound);
            if let Some(sound) = sound {
                self.play_to_all(&Sound::Url(sound), context);
            }
        }
        Ok(())
    }
}
