//! Recordings that go on.

use std::collections::HashMap;

use mixminus_control::{Input, Recorded, RecordingId, StartRecording, Timestamp};
use mixminus_mixer::TapId;

/// The recordings that are not told to be over, by their taps.
#[derive(Debug, Default)]
pub(super) struct Recordings(HashMap<TapId, (RecordingId, Timestamp)>);

impl Recordings {
    pub fn begin(&mut self, start: &StartRecording) {
        self.0.insert(start.tap, (start.recording.id, start.recording.started_at));
    }

    /// What is to be told when `tap` carries nothing more, at `now`.
    pub fn end(&mut self, tap: TapId, now: Timestamp) -> Option<Input> {
        let (recording, started_at) = self.0.remove(&tap)?;
        let recorded = Recorded { duration: now.since(started_at), size_bytes: 0 };
        Some(Input::RecordingEnded { recording, result: Ok(recorded) })
    }
}
