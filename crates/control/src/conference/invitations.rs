//! Who is called to take part, as a conference tells it.

use mixminus_mixer::LegId;

use super::{Conference, Participant};
use crate::callback::{ConferenceEvent, Subject};
use crate::context::Context;
use crate::instruction::{ConferenceRequest, DialMusic};
use crate::policy::{self, Role};
use crate::record::{CallRecord, PlacementId};

impl Conference {
    /// Says that `call` was asked to take part as `request` says.
    pub fn invite(&mut self, call: &CallRecord, request: &ConferenceRequest, context: &mut Context) {
        self.subscribe(request.status_callback.clone());
        self.tell_of_call(ConferenceEvent::Invited, call, request.role, context);
    }

    /// Says that `call`, which was asked, never came.
    pub fn stayed_away(&mut self, call: &CallRecord, role: Role, context: &mut Context) {
        self.tell_of_call(ConferenceEvent::Left, call, role, context);
    }

    /// Says how the invitation to which `call` belongs went.
    pub fn invitation_ended(&mut self, call: &CallRecord, role: Role, joined: bool, context: &mut Context) {
        let inside = self.participants.values().find(|one| one.call.id == call.id).map(Participant::subject);
        let absent = || Subject { call: call.clone(), role, participant: None };
        let subject = inside.unwrap_or_else(absent);
        self.tell_of(ConferenceEvent::InvitationEnded { joined }, Some(&subject), context);
    }

    fn tell_of_call(&mut self, event: ConferenceEvent, call: &CallRecord, role: Role, context: &mut Context) {
        self.tell_of(event, Some(&Subject { call: call.clone(), role, participant: None }), context);
    }

    /// Lets those inside hear that whoever comes as `request` says is being called.
    pub fn ring(
        &mut self,
        placement: PlacementId,
        request: &ConferenceRequest,
        music: &DialMusic,
        context: &mut Context,
    ) {
        if policy::announced_as(request.role, request.coach) {
            self.sounds.ring(placement, music, context);
            self.reroute = true;
        }
    }

    /// Lets those who hear ringing hear the callee on the leg instead, or ringing again.
    pub fn hear_callee(&mut self, placement: PlacementId, callee: Option<LegId>) {
        self.sounds.hear_callee(placement, callee);
        self.reroute = true;
    }

    pub fn stop_ringing(&mut self, placement: PlacementId, context: &mut Context) {
        self.reroute |= self.sounds.stop_ringing(placement, context);
    }
}
