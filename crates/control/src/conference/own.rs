//! What a participant asked to be told of itself.

use super::Conference;
use crate::callback::{ParticipantCallback, ParticipantEvent};
use crate::context::Context;
use crate::digit_matcher::DigitMatcher;
use crate::effect::Effect;
use crate::instruction::{Action, OwnCallback};
use crate::record::ParticipantId;

/// Where a participant's own part is reported, and what of it.
#[derive(Clone, Debug)]
pub(super) struct Own {
    action: Action,
    digits: DigitMatcher,
    tells_active_speaker: bool,
}

impl Own {
    pub fn new(callback: OwnCallback) -> Self {
        let OwnCallback { action, digits, tells_active_speaker } = callback;
        Self { action, digits: DigitMatcher::new(digits), tells_active_speaker }
    }
}

impl Conference {
    /// Whether that participant leaves by `digit`.
    pub fn is_left_by(&self, id: ParticipantId, digit: char) -> bool {
        digit == '*' && self.participants.get(&id).is_some_and(|inside| inside.leave_on_star)
    }

    /// Tells a participant's own URL of `event`, if it has one.
    pub(super) fn tell_own(&mut self, id: ParticipantId, event: ParticipantEvent, context: &mut Context) {
        let Some(participant) = self.participants.get(&id) else { return };
        let Some(Own { action, .. }) = &participant.own else { return };
        self.record.sequence += 1;
        context.push(Effect::NotifyOfParticipant(Box::new(ParticipantCallback {
            url: action.url.clone(),
            method: action.method,
            event,
            at: context.now,
            sequence: self.record.sequence,
            conference: self.record.clone(),
            participant: participant.record.clone(),
        })));
    }

    pub(super) fn match_digit(&mut self, id: ParticipantId, digit: char, context: &mut Context) {
        let own = self.participants.get_mut(&id).and_then(|inside| inside.own.as_mut());
        if let Some(digits) = own.and_then(|own| own.digits.press(digit, context.now)) {
            self.tell_own(id, ParticipantEvent::Digits(digits), context);
        }
    }

    /// Whoever talks alone is the active speaker, and remains it until somebody else does.
    pub(super) fn follow_active_speaker(&mut self, context: &mut Context) {
        let mut talkers = self.participants.iter().filter(|(_, one)| one.talking);
        let (Some((&id, speaker)), None) = (talkers.next(), talkers.next()) else { return };
        let tells = speaker.own.as_ref().is_some_and(|own| own.tells_active_speaker);
        if self.active_speaker.replace(id) != Some(id) && tells {
            self.tell_own(id, ParticipantEvent::BecameActiveSpeaker, context);
        }
    }
}
