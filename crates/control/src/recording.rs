//! One recording, of a conference or of a call, from its beginning until its file is whole.

use mixminus_mixer::{LegId, TapId};

use crate::context::{Context, Owner};
use crate::effect::{Effect, RecordedParty, RecordingEntry, RecordingLayout, StartRecording};
use crate::input::{Recorded, RecordingFault};
use crate::instruction::RecordingTerms;
use crate::record::{RecordingRecord, RecordingState, Timestamp};

/// Recordings of one conference or call that were stopped and are not whole: beyond, none is begun by
/// request. Files are whole within moments; without a bound, a client that starts and stops could have
/// any number of them while a disk is slow.
pub(crate) const MAX_FINISHING: usize = 20;

/// A recording that is not over.
#[derive(Debug)]
pub(crate) struct Recording {
    pub record: RecordingRecord,
    pub tap: TapId,
    /// When its tap was to carry nothing more.
    stopped_at: Option<Timestamp>,
}

impl Recording {
    /// Begins `record`; `owner` has plans name its tap.
    pub fn begin(
        mut record: RecordingRecord,
        terms: &RecordingTerms,
        layout: RecordingLayout,
        owner: Owner,
        context: &mut Context,
    ) -> Self {
        record.told.clone_from(&terms.callback);
        record.transcript.clone_from(&terms.transcript);
        let tap = context.record(record.id, owner);
        context.push(Effect::SaveRecording(record.clone()));
        let (recording, keeps_tracks) = (record.clone(), terms.keeps_tracks);
        context.push(Effect::Record(Box::new(StartRecording { recording, tap, layout, keeps_tracks })));
        Self { record, tap, stopped_at: None }
    }

    /// A second request for what goes on: it is transcribed if either asked for that, and whoever asked first is told.
    pub fn asked_again(&mut self, terms: &RecordingTerms, context: &mut Context) {
        if self.record.transcript.is_none() && terms.transcript.is_some() {
            self.record.transcript.clone_from(&terms.transcript);
            context.push(Effect::SaveRecording(self.record.clone()));
        }
    }

    /// Whether plans name its tap.
    pub const fn goes_on(&self) -> bool {
        self.stopped_at.is_none()
    }

    pub fn is_paused(&self) -> bool {
        self.record.state == RecordingState::Paused
    }

    /// Notes who is there.
    pub fn meet(&self, leg: LegId, party: RecordedParty, context: &mut Context) {
        self.note(RecordingEntry::Present(leg, Box::new(party)), context);
    }

    pub fn note(&self, entry: RecordingEntry, context: &mut Context) {
        let (recording, at) = (self.record.id, context.now);
        context.push(Effect::NoteRecording { recording, at, entry });
    }

    /// Has no plan name its tap any more; what was recorded is all there is.
    pub fn stop(&mut self, context: &mut Context) {
        if self.goes_on() {
            self.stopped_at = Some(context.now);
            context.stop_tap(self.tap);
        }
    }

    /// What it will be once its file is whole, as far as is known when it was stopped.
    pub fn forecast(&self) -> RecordingRecord {
        let ended_at = self.stopped_at;
        let duration = ended_at.map(|end| end.since(self.record.started_at)).unwrap_or_default();
        RecordingRecord { ended_at, duration, ..self.record.clone() }
    }

    /// It is over, as `result` says; stops what was not stopped.
    pub fn conclude(&mut self, result: Result<Recorded, RecordingFault>, context: &mut Context) {
        self.stop(context);
        let (state, recorded) = match result {
            Ok(recorded) => (RecordingState::Completed, recorded),
            Err(_) => (RecordingState::Failed, Recorded::default()),
        };
        self.record.state = state;
        self.record.ended_at = self.stopped_at;
        self.record.duration = recorded.duration;
        self.record.size_bytes = recorded.size_bytes;
        context.push(Effect::SaveRecording(self.record.clone()));
    }
}
