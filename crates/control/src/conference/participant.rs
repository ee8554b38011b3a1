//! One participant while inside.

use std::time::Duration;

use mixminus_mixer::LegId;

use super::Joiner;
use super::own::Own;
use crate::callback::{ConferenceEvent, Subject};
use crate::command::ParticipantChange;
use crate::context::Context;
use crate::effect::{Effect, TimerId};
use crate::instruction::{Report, Sound};
use crate::policy::{CoachTarget, Party, Role, Supervision};
use crate::record::{CallRecord, ConferenceKind, ParticipantId, ParticipantRecord, Timestamp};

/// A participant with what is only known of it while it is inside.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent attribute of a participant")]
#[derive(Debug)]
pub(super) struct Participant {
    pub record: ParticipantRecord,
    pub call: CallRecord,
    pub leg: LegId,
    /// As the subscribers know it.
    pub talking: bool,
    pub stay_alone: bool,
    pub relay_digits: bool,
    pub exit_sound: Sound,
    pub own: Option<Own>,
    pub leave_on_star: bool,
    pub on_exit: Option<Report>,
    pub max_wait: Option<Duration>,
    /// Ends its wait.
    pub wait: Option<TimerId>,
}

impl Participant {
    /// Another call as all that this one is.
    pub fn succeeded_by(&self, id: ParticipantId, joiner: Joiner, now: Timestamp) -> Self {
        let Joiner { call, leg } = joiner;
        let address = call.far_end().to_owned();
        let record = ParticipantRecord { id, call: call.id, address, joined_at: now, ..self.record.clone() };
        Self {
            record,
            call,
            leg,
            talking: false,
            stay_alone: self.stay_alone,
            relay_digits: self.relay_digits,
            exit_sound: self.exit_sound.clone(),
            own: self.own.clone(),
            leave_on_star: self.leave_on_star,
            on_exit: self.on_exit.clone(),
            max_wait: self.max_wait,
            wait: None,
        }
    }

    /// What is told of it.
    pub fn subject(&self) -> Subject {
        let (call, role) = (self.call.clone(), self.record.role);
        Subject { call, role, participant: Some(self.record.clone()) }
    }

    /// What the policy is asked about.
    pub fn party(&self, waiting: bool) -> Party {
        let supervision =
            if self.record.coaching { Supervision::Coach(CoachTarget::Agents) } else { Supervision::Barge };
        Party {
            id: self.record.id,
            role: self.record.role,
            supervision,
            muted: self.record.muted,
            held: self.record.held,
            waiting,
        }
    }

    /// Applies `change` and returns what of it was news.
    pub fn apply(&mut self, change: ParticipantChange) -> Vec<ConferenceEvent> {
        let mut news = Vec::new();
        let mut set = |field: &mut bool, value: Option<bool>, on, off| {
            if let Some(value) = value.filter(|value| *value != *field) {
                *field = value;
                news.push(if value { on } else { off });
            }
        };
        let coach = change.coach.filter(|_| self.record.role == Role::Supervisor);
        set(&mut self.record.muted, change.mute, ConferenceEvent::Muted, ConferenceEvent::Unmuted);
        set(&mut self.record.held, change.hold, ConferenceEvent::Held, ConferenceEvent::Resumed);
        set(&mut self.record.coaching, coach, ConferenceEvent::CoachStarted, ConferenceEvent::CoachStopped);
        news
    }
}

/// Writes a participant's row, if it has one.
pub(super) fn keep(kind: ConferenceKind, participant: &ParticipantRecord, context: &mut Context) {
    if kind == ConferenceKind::Supervised {
        context.push(Effect::SaveParticipant(participant.clone()));
    }
}
