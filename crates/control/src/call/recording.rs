//! What is recorded of one call.

use std::time::Duration;

use super::Call;
use crate::callback::CallEvent;
use crate::command::CommandError;
use crate::context::{Context, Due};
use crate::effect::{Effect, TimerId};
use crate::instruction::{Action, RecordingTerms};
use crate::record::{RecordedFrom, RecordingId, RecordingRecord, RecordingState};

/// A recording that is not over.
#[derive(Debug)]
pub(super) struct Recording {
    record: RecordingRecord,
    callback: Option<Action>,
    longest: TimerId,
}

impl Call {
    /// Records the call for `longest` at most, or leaves the recording there is as it is.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAnswered`].
    pub fn start_recording(
        &mut self,
        terms: &RecordingTerms,
        longest: Duration,
        context: &mut Context,
    ) -> Result<RecordingRecord, CommandError> {
        if !self.is_answered() {
            return Err(CommandError::NotAnswered);
        }
        if let Some(recording) = &self.recording {
            return Ok(recording.record.clone());
        }
        let call = &self.record;
        let of = RecordedFrom {
            conference: None,
            participant: None,
            call: Some(call.id),
            from: call.from.clone(),
            to: call.to.clone(),
        };
        let (id, kind) = (RecordingId(context.uuid()), (terms.format, terms.track));
        let record = RecordingRecord::begin(id, call.account.clone(), of, kind, context.now);
        context.push(Effect::SaveRecording(record.clone()));
        let longest = context.wake(longest, Due::RecordingEnd(call.id));
        self.recording =
            Some(Recording { record: record.clone(), callback: terms.callback.clone(), longest });
        Ok(record)
    }

    /// Ends the recording.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotRecording`] if there is none.
    pub fn stop_recording(&mut self, context: &mut Context) -> Result<(), CommandError> {
        let Recording { mut record, callback, longest } =
            self.recording.take().ok_or(CommandError::NotRecording)?;
        context.cancel(longest);
        record.state = RecordingState::Completed;
        record.ended_at = Some(context.now);
        record.duration = context.now.since(record.started_at);
        context.push(Effect::SaveRecording(record.clone()));
        if let Some(action) = callback {
            self.tell_at(&action, CallEvent::Recorded(Box::new(record)), context);
        }
        Ok(())
    }
}
