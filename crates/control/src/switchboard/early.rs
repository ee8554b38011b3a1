//! Callees who are heard before they answer, by those who would hear ringing.

use mixminus_mixer::LegId;

use super::Switchboard;
use super::placement::Goal;
use crate::call::Call;
use crate::instruction::DialMusic;
use crate::policy;
use crate::record::PlacementId;

impl Switchboard {
    /// The far end of a call that we placed can be heard before it answers.
    pub(super) fn audible(&mut self, leg: LegId) {
        self.ringing(leg);
        let call = self.legs.get(&leg).and_then(|id| self.calls.get_mut(id));
        let Some(call) = call.filter(|call| !call.is_answered()) else { return };
        call.be_audible(&mut self.context);
        if let Some(placement) = call.placement() {
            self.hear_callee(placement);
        }
    }

    /// Lets those who wait for a placement hear the first of its calls that can be heard until that
    /// is answered or over, then another one, or ringing again.
    pub(super) fn hear_callee(&mut self, id: PlacementId) {
        let Some(placement) = self.placements.get(&id).filter(|one| self.are_heard(&one.goal)) else {
            return;
        };
        let audible = |call| self.calls.get(&call).and_then(Call::audible);
        let mut calls = placement.heard.into_iter().chain(placement.calls.iter().copied());
        let next = calls.find_map(|call| Some((call, audible(call)?)));
        let heard = next.map(|(call, _)| call);
        if heard == placement.heard {
            return;
        }
        let (goal, leg) = (placement.goal.clone(), next.map(|(_, leg)| leg));
        match goal {
            Goal::Conference(conference, ..) => {
                if let Some(inside) = self.conferences.get_mut(&conference) {
                    inside.hear_callee(id, leg);
                    self.touched.push(conference);
                }
            }
            Goal::Connect(caller) => {
                if let Some(caller) = self.calls.get_mut(&caller) {
                    caller.hear_callee(leg, &mut self.context);
                }
            }
            Goal::Answer(_) | Goal::Succeed(_) => {}
        }
        if let Some(call) = heard.and_then(|call| self.calls.get_mut(&call)) {
            call.leave_private(&mut self.context);
        }
        if let Some(placement) = self.placements.get_mut(&id) {
            placement.heard = heard;
        }
    }

    /// Whether those who wait want to hear the callees, and may know that there are any.
    fn are_heard(&self, goal: &Goal) -> bool {
        match goal {
            Goal::Conference(_, request, music) => {
                *music == DialMusic::Callee && policy::announced_as(request.role, request.coach)
            }
            Goal::Connect(caller) => {
                let dial = self.calls.get(caller).and_then(Call::dial_request);
                dial.is_some_and(|dial| dial.terms.music == DialMusic::Callee)
            }
            Goal::Answer(_) | Goal::Succeed(_) => false,
        }
    }
}
