//! What is heard in a conference beside its music: sounds, plays, digits, and who talks.

use mixminus_mixer::{LegId, PromptId};

use super::{Conference, Participant};
use crate::callback::ConferenceEvent;
use crate::command::{CommandError, Members, PlayKind, Playback};
use crate::context::Context;
use crate::effect::Effect;
use crate::instruction::Sound;
use crate::policy;
use crate::record::ParticipantId;

impl Conference {
    /// Tells who began to talk and who stopped.
    pub(super) fn follow_voices(&mut self, context: &mut Context) {
        let waiting = self.is_waiting();
        let talks =
            |one: &Participant| policy::contributes(&one.party(waiting)) && context.is_talking(one.leg);
        let now: Vec<_> = self.participants.iter().map(|(id, one)| (*id, talks(one))).collect();
        for (id, talking) in now {
            self.set_talking(id, talking, context);
        }
        self.follow_active_speaker(context);
    }

    pub(super) fn set_talking(&mut self, id: ParticipantId, talking: bool, context: &mut Context) {
        let Some(participant) = self.participants.get_mut(&id) else { return };
        if std::mem::replace(&mut participant.talking, talking) != talking {
            let event = if talking { ConferenceEvent::TalkStarted } else { ConferenceEvent::TalkStopped };
            self.tell(event, Some(id), context);
        }
    }

    /// Plays something to `members` and nobody else.
    ///
    /// # Errors
    ///
    /// [`CommandError`]: one of them is not inside, or as much is played as may be.
    pub fn play(
        &mut self,
        playback: Playback,
        (members, kind, mixed): (Members, PlayKind, bool),
        context: &mut Context,
    ) -> Result<Vec<ParticipantId>, CommandError> {
        let ids = self.select(&members)?;
        let audience = ids.iter().map(|id| self.participants[id].leg).collect();
        self.sounds.play(playback, audience, (members, kind, mixed), context)?;
        self.reroute = true;
        Ok(ids)
    }

    pub fn stop_playing(&mut self, members: &Members, kind: PlayKind, context: &mut Context) {
        self.sounds.stop_playing(members, kind, context);
        self.reroute = true;
    }

    /// The sounds that tell the others of these departures, each once.
    pub(super) fn exit_sounds(&self, ids: &[ParticipantId]) -> Vec<Sound> {
        let mut sounds: Vec<Sound> = Vec::new();
        for leaver in ids.iter().filter_map(|id| self.participants.get(id)) {
            let party = leaver.party(self.is_waiting());
            if policy::announced(&party) && !sounds.contains(&leaver.exit_sound) {
                sounds.push(leaver.exit_sound.clone());
            }
        }
        sounds
    }

    pub(super) fn play_to_all(&mut self, sound: &Sound, context: &mut Context) {
        let listeners = self.parties().into_iter().filter(|(_, party)| policy::hears_conference(party));
        let audience = listeners.map(|(leg, _)| leg).collect();
        self.reroute |= self.sounds.announce(sound, audience, context);
    }

    pub fn announcement_ended(&mut self, prompt: PromptId, context: &mut Context) {
        self.reroute |= self.sounds.ended(prompt, context);
    }

    pub fn digit(&mut self, id: ParticipantId, digit: char, context: &mut Context) {
        self.tell(ConferenceEvent::Digit(digit), Some(id), context);
        self.match_digit(id, digit, context);
        if self.participants.get(&id).is_some_and(|sender| sender.relay_digits) {
            let legs = self.listeners_of(id);
            if !legs.is_empty() {
                context.push(Effect::SendDigits { legs, digits: digit.into() });
            }
        }
    }

    /// The legs of those who hear `id`.
    pub(super) fn listeners_of(&self, id: ParticipantId) -> Vec<LegId> {
        let parties = self.parties();
        let Some((_, source)) = parties.iter().find(|(_, party)| party.id == id) else { return Vec::new() };
        let listeners = parties.iter().filter(|(_, sink)| policy::audible(source, sink));
        listeners.map(|(leg, _)| *leg).collect()
    }
}
