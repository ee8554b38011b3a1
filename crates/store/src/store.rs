use async_trait::async_trait;
use mixminus_control::{
    AccountId, CallId, CallRecord, CallState, ConferenceId, ConferenceRecord, ConferenceState, Direction,
    EndCause, HangupCause, HangupSource, ParticipantId, ParticipantRecord, RecordingId, RecordingRecord,
    Selector, StreamId, StreamRecord, Timestamp, TranscriptRecord,
};
use uuid::Uuid;

use crate::{
    CallbackFilter, CallbackRecord, Directory, Forget, NewCallback, Orphans, QueuedCallback, StoreError,
};

/// What is written together: all of it or nothing.
///
/// Records replace those with the same id, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Conferences that changed.
    pub conferences: Vec<ConferenceRecord>,
    /// Participants that changed; their conference and call are in this batch or an earlier one.
    pub participants: Vec<ParticipantRecord>,
    /// Calls that changed.
    pub calls: Vec<CallRecord>,
    /// Recordings that changed.
    pub recordings: Vec<RecordingRecord>,
    /// Transcripts that are asked for, of recordings in this batch or an earlier one; what is pending stays as it is.
    pub transcripts: Vec<TranscriptRecord>,
    /// Streams that changed.
    pub streams: Vec<StreamRecord>,
    /// Callbacks to queue.
    pub callbacks: Vec<NewCallback>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub const fn is_empty(&self) -> bool {
        self.conferences.is_empty()
            && self.participants.is_empty()
            && self.calls.is_empty()
            && self.recordings.is_empty()
            && self.transcripts.is_empty()
            && self.streams.is_empty()
            && self.callbacks.is_empty()
    }

    /// The latest instant that anything in it speaks of.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        let conferences =
            self.conferences.iter().flat_map(|row| [Some(row.created_at), row.started_at, row.ended_at]);
        let participants = self.participants.iter().flat_map(|row| [Some(row.joined_at), row.left_at]);
        let calls = self.calls.iter().flat_map(|row| [Some(row.created_at), row.answered_at, row.ended_at]);
        let recordings = self.recordings.iter().flat_map(|row| [Some(row.started_at), row.ended_at]);
        let transcripts = self.transcripts.iter().map(|row| Some(row.asked_at));
        let streams =
            self.streams.iter().flat_map(|row| [Some(row.created_at), row.started_at, row.ended_at]);
        let callbacks = self.callbacks.iter().map(|row| Some(row.created_at));
        conferences
            .chain(participants)
            .chain(calls)
            .chain(recordings)
            .chain(transcripts)
            .chain(streams)
            .chain(callbacks)
            .flatten()
            .max()
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Most rows; no more than [`Page::MAX_LIMIT`] are given.
    pub limit: u32,
    /// Rows to skip.
    pub offset: u64,
}

impl Page {
    /// Most rows that one page holds.
    pub const MAX_LIMIT: u32 = 1000;
}

/// Bounds of an instant; those absent do not bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// Later than this.
    pub gt: Option<Timestamp>,
    /// At this or later.
    pub gte: Option<Timestamp>,
    /// Earlier than this.
    pub lt: Option<Timestamp>,
    /// At this or earlier.
    pub lte: Option<Timestamp>,
}

/// Which conferences are wanted; what is absent does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConferenceFilter {
    /// Of this subaccount, or of the account itself, alone.
    pub subaccount: Option<AccountId>,
    /// With exactly this name.
    pub name: Option<String>,
    /// In this state.
    pub state: Option<ConferenceState>,
    /// Ended for this cause.
    pub end_cause: Option<EndCause>,
    /// Created within.
    pub created: TimeRange,
    /// Ended within; any bound leaves out those that have not ended.
    pub ended: TimeRange,
}

/// Bounds of a number of seconds; those absent do not bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecondsRange {
    /// More than this.
    pub gt: Option<u32>,
    /// This or more.
    pub gte: Option<u32>,
    /// Less than this.
    pub lt: Option<u32>,
    /// This or less.
    pub lte: Option<u32>,
}

/// Which calls are wanted; what is absent or empty does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Of this subaccount, or of the account itself, alone.
    pub subaccount: Option<AccountId>,
    /// In one of these states.
    pub states: Vec<CallState>,
    /// Set up by that side.
    pub direction: Option<Direction>,
    /// From this party.
    pub from: Option<String>,
    /// To one of these parties.
    pub to: Vec<String>,
    /// Placed by the document of this call.
    pub parent: Option<CallId>,
    /// Ended for one of these causes.
    pub causes: Vec<HangupCause>,
    /// Ended by that side.
    pub source: Option<HangupSource>,
    /// Whole seconds from the answer to the end; any bound leaves out those without either.
    pub seconds: SecondsRange,
    /// Arrived or placed within.
    pub created: TimeRange,
    /// Answered within; any bound leaves out those that were not.
    pub answered: TimeRange,
    /// Ended within; any bound leaves out those that have not ended.
    pub ended: TimeRange,
}

/// Which recordings are wanted; what is absent does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Of this subaccount, or of the account itself, alone.
    pub subaccount: Option<AccountId>,
    /// Of a call from exactly this party.
    pub from: Option<String>,
    /// Of a call to exactly this party.
    pub to: Option<String>,
    /// Of this call.
    pub call: Option<CallId>,
    /// Of this conference.
    pub conference: Option<ConferenceId>,
    /// Of conferences with exactly this name.
    pub conference_name: Option<String>,
    /// Begun within.
    pub started: TimeRange,
}

/// How much is kept; what is absent does not limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingLimits {
    /// Nothing that ended before.
    pub ended_before: Option<Timestamp>,
    /// No more bytes than this, of which the younger recordings have the first claim.
    pub max_total_bytes: Option<u64>,
}

/// Which participants of a conference are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParticipantFilter {
    /// Only those of this call.
    pub call: Option<CallId>,
    /// Only those still inside.
    pub live_only: bool,
}

/// A database for records and the callback outbox.
///
/// An account reaches what is its own or of one of its subaccounts. Every method fails with a [`StoreError`] and then has changed nothing.
#[async_trait]
pub trait Store: Directory {
    /// Writes `batch` so that it survives the loss of power.
    async fn commit(&self, batch: &Batch) -> Result<(), StoreError>;

    /// A page of the account's conferences, newest first, and how many match in all.
    async fn conferences(
        &self,
        account: &AccountId,
        filter: &ConferenceFilter,
        page: Page,
    ) -> Result<(Vec<ConferenceRecord>, u64), StoreError>;

    /// A conference: by id live or ended, by name live and the account's very own only.
    async fn conference(
        &self,
        account: &AccountId,
        selector: &Selector,
    ) -> Result<Option<ConferenceRecord>, StoreError>;

    /// The newest [`Page::MAX_LIMIT`] matching participants, newest first.
    async fn participants(
        &self,
        conference: ConferenceId,
        filter: &ParticipantFilter,
    ) -> Result<Vec<ParticipantRecord>, StoreError>;

    /// One participant of one conference, inside or not.
    async fn participant(
        &self,
        conference: ConferenceId,
        id: ParticipantId,
    ) -> Result<Option<ParticipantRecord>, StoreError>;

    /// One call of whichever account.
    async fn call(&self, id: CallId) -> Result<Option<CallRecord>, StoreError>;

    /// A page of the account's calls, newest first, and how many match in all.
    async fn calls(
        &self,
        account: &AccountId,
        filter: &CallFilter,
        page: Page,
    ) -> Result<(Vec<CallRecord>, u64), StoreError>;

    /// The names of the conferences that `calls` are in at present.
    async fn conference_names(&self, calls: &[CallId]) -> Result<Vec<(CallId, String)>, StoreError>;

    /// A page of the account's recordings, newest first, and how many match in all.
    async fn recordings(
        &self,
        account: &AccountId,
        filter: &RecordingFilter,
        page: Page,
    ) -> Result<(Vec<RecordingRecord>, u64), StoreError>;

    /// One recording.
    async fn recording(
        &self,
        account: &AccountId,
        id: RecordingId,
    ) -> Result<Option<RecordingRecord>, StoreError>;

    /// The first `limit` recordings, of whichever account and the oldest first, that are over and beyond `limits`.
    async fn recordings_beyond(
        &self,
        limits: RecordingLimits,
        limit: u32,
    ) -> Result<Vec<RecordingRecord>, StoreError>;

    /// Deletes what is known of a recording, its transcript too.
    async fn delete_recording(&self, id: RecordingId) -> Result<(), StoreError>;

    /// The first `limit` transcripts that are to be made, of whichever account, and of what: the first asked for first.
    async fn pending_transcripts(
        &self,
        limit: u32,
    ) -> Result<Vec<(RecordingRecord, TranscriptRecord)>, StoreError>;

    /// The transcript of one recording.
    async fn transcript(&self, id: RecordingId) -> Result<Option<TranscriptRecord>, StoreError>;

    /// Writes what became of a transcript and queues `callback` with it, unless it is not pending any more; whether it
    /// was.
    async fn end_transcript(
        &self,
        transcript: &TranscriptRecord,
        callback: Option<&NewCallback>,
    ) -> Result<bool, StoreError>;

    /// Deletes the transcript of a recording, made or not.
    async fn delete_transcript(&self, id: RecordingId) -> Result<(), StoreError>;

    /// The newest [`Page::MAX_LIMIT`] streams of a call, newest first.
    async fn streams(&self, account: &AccountId, call: CallId) -> Result<Vec<StreamRecord>, StoreError>;

    /// One stream.
    async fn stream(&self, account: &AccountId, id: StreamId) -> Result<Option<StreamRecord>, StoreError>;

    /// An id greater than that of every participant ever written.
    async fn next_participant_id(&self) -> Result<ParticipantId, StoreError>;

    /// Notes that the process lives at `now`.
    async fn heartbeat(&self, now: Timestamp) -> Result<(), StoreError>;

    /// What was live when the process died, closed; nothing is written yet.
    ///
    /// To be asked before the first heartbeat and committed before anything else.
    async fn orphans(&self) -> Result<Orphans, StoreError>;

    /// The first of each queue that is due at `now`: those never tried before
    /// those tried in vain, then the longest due first.
    async fn pending_callbacks(&self, now: Timestamp, limit: u32) -> Result<Vec<QueuedCallback>, StoreError>;

    /// When, after `now`, the next callback comes due.
    async fn next_callback_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// Takes the callback, acknowledged at `at`, out of its queue; the next one is due at once.
    async fn callback_delivered(&self, id: Uuid, at: Timestamp) -> Result<(), StoreError>;

    /// Keeps the callback first of its queue, due again at `next_attempt_at`.
    async fn callback_failed(
        &self,
        id: Uuid,
        next_attempt_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError>;

    /// Gives the callback up at `at`; the next one is due at once.
    async fn callback_dead(&self, id: Uuid, at: Timestamp, error: &str) -> Result<(), StoreError>;

    /// Queues a callback that was given up again, as if new at `at`; whether it was one.
    async fn requeue_callback(&self, id: Uuid, at: Timestamp) -> Result<bool, StoreError>;

    /// Deletes what was settled long ago; how many there were.
    async fn forget_callbacks(&self, forget: Forget) -> Result<u64, StoreError>;

    /// The account's first `limit` matching callbacks, [`Page::MAX_LIMIT`] at most, by position.
    async fn callbacks(
        &self,
        account: &AccountId,
        filter: CallbackFilter,
        limit: u32,
    ) -> Result<Vec<CallbackRecord>, StoreError>;

    /// One callback of the account, settled or not.
    async fn callback(&self, account: &AccountId, id: Uuid) -> Result<Option<CallbackRecord>, StoreError>;
}
