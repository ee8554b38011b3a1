//! Has a program transcribe recordings that are over. `docs/speech.md` says how such a program is written.
//!
//! What is to be transcribed waits in the store, and is there until what became of it is, so that the end of the process
//! costs nothing but time. Whoever asked is told by the outbox.

mod program;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mixminus_archive::{Archive, ArchiveError, FileName};
use mixminus_control::{
    Action, RecordingId, RecordingRecord, RecordingState, RecordingTrack, TranscriptRecord, TranscriptState,
};
use mixminus_store::{NewCallback, OrderKey, Store, StoreError};
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::dialect;
use crate::outbox::Now;
use crate::recording_place::file_format;
pub use program::{Transcriber, TranscriptError};

/// How often is looked for what is to be transcribed: a file is whole for that long at most before it is.
const PAUSE: Duration = Duration::from_secs(1);
/// How long to wait for a store or a disk that does not answer.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(30);
/// How long a recording may be out of reach before there will be no transcript.
const PATIENCE: Duration = Duration::from_hours(24);
/// How often an outcome is tried to be written before the recording is transcribed anew.
const MAX_WRITES: usize = 600;

/// Makes the transcripts that are asked for.
#[derive(Clone)]
pub struct Transcripts {
    /// Where they are asked for, and kept.
    pub store: Arc<dyn Store>,
    /// Where recordings are kept.
    pub archive: Arc<Archive>,
    /// What makes them.
    pub transcriber: Transcriber,
    /// Now.
    pub now: Now,
    /// To be told when a callback was queued.
    pub queued: Arc<Notify>,
}

impl fmt::Debug for Transcripts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcripts").field("transcriber", &self.transcriber).finish_non_exhaustive()
    }
}

/// The recordings that are being transcribed.
#[derive(Debug, Default)]
struct Active {
    tasks: JoinSet<()>,
    recordings: HashMap<Id, RecordingId>,
}

impl Active {
    /// Waits until one of them is done.
    async fn finished(&mut self) {
        let task = match self.tasks.join_next_with_id().await {
            Some(Ok((task, ()))) => task,
            Some(Err(error)) => {
                tracing::error!(%error, "a transcription broke off");
                error.id()
            }
            None => return,
        };
        self.recordings.remove(&task);
    }
}

impl Transcripts {
    /// Makes transcripts until `stop`; what is not done then is left for the next start.
    pub async fn run(self, stop: CancellationToken) {
        let mut active = Active::default();
        loop {
            if let Err(error) = self.start(&mut active).await {
                tracing::error!(%error, "what is to be transcribed cannot be read");
            }
            tokio::select! {
                () = active.finished(), if !active.recordings.is_empty() => {}
                () = sleep(PAUSE) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Starts what waits, as far as there is room.
    async fn start(&self, active: &mut Active) -> Result<(), StoreError> {
        let most = self.transcriber.at_once();
        let has_room = |active: &Active| active.recordings.len() < most;
        if !has_room(active) {
            return Ok(());
        }
        // Those under way are among them.
        let wanted = most + active.recordings.len();
        for (recording, asked) in self.store.pending_transcripts(wanted as u32).await? {
            if has_room(active) && active.recordings.values().all(|id| *id != recording.id) {
                let id = recording.id;
                let task = active.tasks.spawn(self.clone().make(recording, asked)).id();
                active.recordings.insert(task, id);
            }
        }
        Ok(())
    }

    async fn make(self, recording: RecordingRecord, asked: TranscriptRecord) {
        let state = match self.transcribe(&recording).await {
            Ok(text) => TranscriptState::Completed { text },
            Err(error) => {
                tracing::warn!(recording = %recording.id, %error, "not transcribed");
                let waited = (self.now)().since(asked.asked_at);
                if matches!(error, TranscriptError::Unreadable(_)) && waited < PATIENCE {
                    return sleep(UNREADABLE_PAUSE).await;
                }
                TranscriptState::Failed { error: error.told().to_owned() }
            }
        };
        self.end(&recording, TranscriptRecord { state, ..asked }).await;
    }

    async fn transcribe(&self, recording: &RecordingRecord) -> Result<String, TranscriptError> {
        if recording.state != RecordingState::Completed {
            return Err(TranscriptError::NoFile);
        }
        let format = file_format(recording.format);
        let opened = self.archive.open(recording.id.0, FileName::Main(format)).await;
        let audio = opened.map_err(|error| match error {
            ArchiveError::NotFound => TranscriptError::NoFile,
            error => TranscriptError::Unreadable(error),
        })?;
        let channels = if recording.track == RecordingTrack::Channels { "2" } else { "1" };
        self.transcriber.transcribe(audio, (format.extension(), channels)).await
    }

    /// Writes what became of it, and queues what whoever asked is told of that.
    async fn end(&self, recording: &RecordingRecord, ended: TranscriptRecord) {
        let callback = ended.told.as_ref().map(|action| self.callback(recording, &ended, action));
        for _ in 0..MAX_WRITES {
            match self.store.end_transcript(&ended, callback.as_ref()).await {
                Ok(true) => return self.queued.notify_one(),
                Ok(false) => return tracing::info!(recording = %recording.id, "its transcript was deleted"),
                Err(error) => {
                    tracing::error!(recording = %recording.id, %error, "a transcript is not written");
                }
            }
            sleep(PAUSE).await;
        }
    }

    fn callback(
        &self,
        recording: &RecordingRecord,
        ended: &TranscriptRecord,
        Action { url, method }: &Action,
    ) -> NewCallback {
        let text = match &ended.state {
            TranscriptState::Completed { text } => Ok(text.as_str()),
            TranscriptState::Failed { error } => Err(error.as_str()),
            TranscriptState::Pending => Err(""),
        };
        NewCallback {
            id: Uuid::new_v4(),
            account: recording.account.clone(),
            order: OrderKey::Request(recording.id.0),
            sequence: ended.asked_at.as_micros() as u64,
            url: url.clone(),
            method: *method,
            params: dialect::transcript_parameters(recording, text),
            created_at: (self.now)(),
        }
    }
}
