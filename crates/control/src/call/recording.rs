//! What is recorded of one call.

use std::time::Duration;

use mixminus_mixer::{SourceId, TapChannel, TapRoutes};

use super::{Call, Next};
use crate::callback::{CallEvent, ConferenceEvent, RecordReport};
use crate::command::CommandError;
use crate::context::{Context, Due, Owner};
use crate::effect::{RecordedParty, RecordingEntry, RecordingLayout, TimerId};
use crate::input::{Recorded, RecordingFault};
use crate::instruction::{Record, RecordingTerms, Report};
use crate::record::{CallRecord, RecordedFrom, RecordingId, RecordingRecord, RecordingTrack};
use crate::recording::{MAX_FINISHING, Recording};

/// Why a call is recorded; at any time once for each reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A request asked for it.
    Request,
    /// The document asked for what the caller says in its turn.
    Turn,
    /// The document asked for it, whatever follows.
    Session,
}

/// A recording of the call that is not over.
#[derive(Debug)]
struct CallRecording {
    recording: Recording,
    reason: Reason,
    longest: Option<TimerId>,
}

/// The recordings of one call that are not over.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    all: Vec<CallRecording>,
    /// To be begun when the call is connected to whom its document calls.
    awaiting_connection: Option<Box<Record>>,
}

impl Call {
    /// Records the call for `longest` at most, or leaves the recording there is as it is.
    ///
    /// # Errors
    ///
    /// [`CommandError`]: it is not answered, or too many of its recordings are not whole.
    pub fn start_recording(
        &mut self,
        terms: &RecordingTerms,
        longest: Duration,
        context: &mut Context,
    ) -> Result<RecordingRecord, CommandError> {
        if !self.is_answered() {
            return Err(CommandError::NotAnswered);
        }
        self.record_for(Reason::Request, terms, Some(longest), context).ok_or(CommandError::TooMany)
    }

    /// Records the call; none, if it cannot be.
    pub(super) fn record_for(
        &mut self,
        reason: Reason,
        terms: &RecordingTerms,
        longest: Option<Duration>,
        context: &mut Context,
    ) -> Option<RecordingRecord> {
        let all = &mut self.recordings.all;
        if let Some(known) = all.iter_mut().find(|one| one.reason == reason && one.recording.goes_on()) {
            known.recording.asked_again(terms, context);
            return Some(known.recording.record.clone());
        }
        let leg = self.leg.filter(|_| all.len() < MAX_FINISHING)?;
        let left = SourceId::Leg(leg);
        let layout = match terms.track {
            RecordingTrack::Channels => RecordingLayout::Stereo { left },
            RecordingTrack::Mix | RecordingTrack::Party => RecordingLayout::Mono,
        };
        let (id, owner) = (RecordingId(context.uuid()), Owner::Call(self.record.id));
        let (account, kind) = (self.record.account.clone(), (terms.format, terms.track));
        let record = RecordingRecord::begin(id, account, of(&self.record), kind, context.now);
        let recording = Recording::begin(record, terms, layout, owner, context);
        recording.meet(leg, party(&self.record), context);
        if context.is_talking(leg) {
            recording.note(RecordingEntry::Happened(leg, ConferenceEvent::TalkStarted), context);
        }
        let channels = match terms.track {
            RecordingTrack::Party => vec![TapChannel::Source(left)],
            RecordingTrack::Mix | RecordingTrack::Channels => {
                vec![TapChannel::Source(left), TapChannel::Heard(leg)]
            }
        };
        context.tap_leg(leg, TapRoutes { tap: recording.tap, channels, paused: false });
        let longest = longest.map(|longest| context.wake(longest, Due::RecordingEnd(self.record.id, id)));
        let record = recording.record.clone();
        self.recordings.all.push(CallRecording { recording, reason, longest });
        Some(record)
    }

    /// Records from now on, and says so. Returns what is to be said where the document goes on, if
    /// that is elsewhere.
    pub(super) fn record_session(
        &mut self,
        record: &Record,
        context: &mut Context,
    ) -> Option<(Report, Box<RecordReport>)> {
        let recording = self.record_for(Reason::Session, &record.terms, record.longest, context)?;
        let (report, told) = (record.report.clone()?, Box::new(RecordReport { recording, digit: None }));
        if report.follow {
            return Some((report, told));
        }
        self.tell_at(&report.action, CallEvent::RecordReported(told), context);
        None
    }

    pub(super) fn record_when_connected(&mut self, mut record: Box<Record>) {
        if let Some(report) = &mut record.report {
            report.follow = false;
        }
        self.recordings.awaiting_connection = Some(record);
    }

    pub(super) fn record_connection(&mut self, context: &mut Context) {
        if let Some(record) = self.recordings.awaiting_connection.take() {
            self.record_session(&record, context);
        }
    }

    /// Keeps what its far end does beside its recordings.
    pub fn note(&self, event: ConferenceEvent, context: &mut Context) {
        let Some(leg) = self.leg else { return };
        for one in self.recordings.all.iter().filter(|one| one.recording.goes_on()) {
            one.recording.note(RecordingEntry::Happened(leg, event), context);
        }
    }

    /// Ends the recording, or all of them, by request.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotRecording`] if there is none.
    pub fn stop_recordings(
        &mut self,
        which: Option<RecordingId>,
        context: &mut Context,
    ) -> Result<Next, CommandError> {
        let going_on = self.recordings.all.iter().filter(|one| one.recording.goes_on());
        let ids =
            going_on.map(|one| one.recording.record.id).filter(|id| which.is_none_or(|which| which == *id));
        let ids: Vec<_> = ids.collect();
        if ids.is_empty() {
            return Err(CommandError::NotRecording);
        }
        let turn = self.turn().filter(|turn| ids.contains(turn));
        for id in ids {
            self.stop_recording(id, context);
        }
        Ok(turn.map_or(Next::Idle, |_| self.turn_over(None, context)))
    }

    /// Ends all of them, and begins none that was to begin later.
    pub(super) fn stop_all_recordings(&mut self, context: &mut Context) {
        self.recordings.awaiting_connection = None;
        // There may be none, and nothing goes on after a call's end.
        drop(self.stop_recordings(None, context));
    }

    /// The recording lasted as long as it may.
    pub fn recording_time_over(&mut self, id: RecordingId, context: &mut Context) -> Next {
        self.stop_recordings(Some(id), context).unwrap_or(Next::Idle)
    }

    /// Ends a recording and returns what it will be.
    pub(super) fn stop_recording(
        &mut self,
        id: RecordingId,
        context: &mut Context,
    ) -> Option<RecordingRecord> {
        let one = self.recordings.all.iter_mut().find(|one| one.recording.record.id == id)?;
        if let Some(timer) = one.longest.take() {
            context.cancel(timer);
        }
        if let Some(leg) = self.leg {
            context.untap_leg(leg, one.recording.tap);
        }
        one.recording.stop(context);
        Some(one.recording.forecast())
    }

    /// A recording is over, whole or not, stopped or not.
    pub fn recording_ended(
        &mut self,
        id: RecordingId,
        result: Result<Recorded, RecordingFault>,
        context: &mut Context,
    ) -> Next {
        self.stop_recording(id, context);
        let is_turn = self.turn() == Some(id);
        let next = if is_turn { self.turn_over(None, context) } else { Next::Idle };
        if let Some(at) = self.recordings.all.iter().position(|one| one.recording.record.id == id) {
            let mut recording = self.recordings.all.remove(at).recording;
            recording.conclude(result, context);
            if let Some(action) = recording.record.told.clone() {
                self.tell_at(&action, CallEvent::Recorded(Box::new(recording.record)), context);
            }
        }
        next
    }

    /// Whether a recording of it is not over.
    pub fn is_recorded(&self) -> bool {
        !self.recordings.all.is_empty()
    }
}

fn of(call: &CallRecord) -> RecordedFrom {
    let (from, to) = (call.from.clone(), call.to.clone());
    RecordedFrom { conference: None, participant: None, call: Some(call.id), from, to }
}

fn party(call: &CallRecord) -> RecordedParty {
    RecordedParty {
        call: call.id,
        participant: None,
        address: call.far_end().to_owned(),
        role: None,
        muted: false,
        held: false,
        coaching: false,
    }
}
