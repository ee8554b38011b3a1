//! Recordings: they follow their calls, and outlive calls and conferences until they are whole.

use mixminus_mixer::LegId;

use super::Switchboard;
use crate::call::Call;
use crate::conference::Conference;
use crate::context::{Context, Owner};
use crate::input::{Recorded, RecordingFault};
use crate::record::RecordingId;

/// What ended before its recordings were whole, and has only those to tell of.
#[derive(Debug)]
pub(super) enum Ended {
    Call(Box<Call>),
    Conference(Box<Conference>),
}

impl Switchboard {
    /// Routes anew those whose recordings began or ended since they were routed.
    pub(super) fn follow_legs(&mut self) {
        for leg in self.context.take_retapped() {
            self.reroute(leg);
        }
    }

    fn reroute(&mut self, leg: LegId) {
        let Some(call) = self.legs.get(&leg).and_then(|id| self.calls.get(id)) else { return };
        if let Some((id, _)) = call.conferring() {
            self.conferences.get_mut(&id).into_iter().for_each(Conference::reroute);
            self.touched.push(id);
        } else if let Some(connection) = call.connection() {
            self.route_connection(connection);
        } else {
            call.route_private(&mut self.context);
        }
    }

    /// A recording's file is whole, or there will be none.
    pub(super) fn recording_ended(&mut self, id: RecordingId, result: Result<Recorded, RecordingFault>) {
        let Some(owner) = self.context.forget_recording(id) else { return };
        match (owner, self.finishing.get_mut(&owner)) {
            (_, Some(ended)) => {
                if !ended.recording_ended(id, result, &mut self.context) {
                    self.finishing.remove(&owner);
                }
            }
            (Owner::Call(call), None) => {
                self.drive(call, |call, context| call.recording_ended(id, result, context));
            }
            (Owner::Conference(conference), None) => {
                if let Some(live) = self.conferences.get_mut(&conference) {
                    live.recording_ended(id, result, &mut self.context);
                    self.touched.push(conference);
                }
            }
        }
    }
}

impl Ended {
    /// Tells of a recording that is over, and returns whether another one is not.
    fn recording_ended(
        &mut self,
        id: RecordingId,
        result: Result<Recorded, RecordingFault>,
        context: &mut Context,
    ) -> bool {
        match self {
            Self::Call(call) => {
                call.recording_ended(id, result, context);
                call.is_recorded()
            }
            Self::Conference(conference) => {
                conference.recording_ended(id, result, context);
                conference.save(context);
                conference.is_recorded()
            }
        }
    }
}
