//! What has just happened, numbered.

use std::collections::VecDeque;

use mixminus_control::{
    AccountId, ConferenceEvent, ConferenceRecord, ConferenceState, ParticipantRecord, RecordingState,
    Timestamp,
};

/// What is remembered: some minutes of a busy service, about 300 kB.
const MAX_HAPPENINGS: usize = 1024;

/// What happened in a conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Something of which subscribers are told as well.
    Event(ConferenceEvent),
    /// Everybody is recorded from now on, or no longer, or not for the moment.
    Recording(Option<RecordingState>),
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// Its number in this process, growing by one.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// Whose conference it was in.
    pub account: AccountId,
    /// The conference and its name.
    pub conference: (mixminus_control::ConferenceId, String),
    /// Whom it concerns.
    pub participant: Option<ParticipantRecord>,
}

/// What was asked for is no longer remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what happened meanwhile is forgotten")]
pub struct Missed;

/// The last happenings.
#[derive(Debug, Default)]
pub(super) struct Tape {
    last: VecDeque<Happening>,
    sequence: u64,
}

impl Tape {
    pub(super) fn add(
        &mut self,
        at: Timestamp,
        what: What,
        conference: &ConferenceRecord,
        participant: Option<&ParticipantRecord>,
    ) {
        self.sequence += 1;
        if self.last.len() == MAX_HAPPENINGS {
            self.last.pop_front();
        }
        self.last.push_back(Happening {
            sequence: self.sequence,
            at,
            what,
            account: conference.account.clone(),
            conference: (conference.id, conference.name.clone()),
            participant: participant.cloned(),
        });
    }

    pub(super) fn after(
        &self,
        sequence: u64,
        reaches: impl Fn(&AccountId) -> bool,
    ) -> Result<(Vec<Happening>, u64), Missed> {
        let first = self.last.front().map_or(self.sequence + 1, |first| first.sequence);
        if sequence + 1 < first {
            return Err(Missed);
        }
        let new = self.last.iter().skip((sequence + 1 - first) as usize);
        Ok((new.filter(|one| reaches(&one.account)).cloned().collect(), self.sequence))
    }

    pub(super) fn all(&self, reaches: impl Fn(&AccountId) -> bool) -> (Vec<Happening>, u64) {
        (self.last.iter().filter(|one| reaches(&one.account)).cloned().collect(), self.sequence)
    }
}

/// What made `now` of a conference that was `before`.
pub(super) fn of_conference(before: Option<&ConferenceRecord>, now: &ConferenceRecord) -> Vec<What> {
    let (state, recording) = before.map_or((None, None), |before| (Some(before.state), before.recording));
    let reached = |wanted| state != Some(wanted) && now.state == wanted;
    let mut what = Vec::new();
    if before.is_none() {
        what.push(What::Event(ConferenceEvent::Initialized));
    }
    if reached(ConferenceState::Active) {
        what.push(What::Event(ConferenceEvent::Started));
    }
    if recording != now.recording {
        what.push(What::Recording(now.recording));
    }
    if reached(ConferenceState::Ended) {
        what.push(What::Event(ConferenceEvent::Ended));
    }
    what
}

/// What made `now` of a participant who was `before`.
pub(super) fn of_participant(before: Option<&ParticipantRecord>, now: &ParticipantRecord) -> Vec<What> {
    use ConferenceEvent::{CoachStarted, CoachStopped, Held, Joined, Left, Muted, Resumed, Unmuted};
    let mut what = Vec::new();
    let Some(before) = before else { return vec![What::Event(Joined)] };
    for (before, now, on, off) in [
        (before.muted, now.muted, Muted, Unmuted),
        (before.held, now.held, Held, Resumed),
        (before.coaching, now.coaching, CoachStarted, CoachStopped),
    ] {
        if before != now {
            what.push(What::Event(if now { on } else { off }));
        }
    }
    if before.left_at.is_none() && now.left_at.is_some() {
        what.push(What::Event(Left));
    }
    what
}
