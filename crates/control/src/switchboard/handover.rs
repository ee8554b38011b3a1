//! Far ends that hand their place in a conversation over to somebody else.

use std::time::Duration;

use mixminus_mixer::{LegId, PromptId};

use super::Switchboard;
use super::placement::{Goal, Order};
use crate::call::{Call, Ending};
use crate::callback::DialStep;
use crate::conference::Joiner;
use crate::context::{ConnectionId, Owner};
use crate::effect::{Effect, Handover, Repeat};
use crate::input::Successor;
use crate::instruction::{CallUrls, Destination, Dial, DialTerms};
use crate::record::{
    CallId, CallRecord, ConferenceId, HangupCause, HangupSource, ParticipantId, PlacementId,
};

/// How long a successor may ring. Whoever hands over waits that long to hear that nobody answers; a
/// person who has to find the phone should not be given up before.
const RING_TIMEOUT: Duration = Duration::from_secs(45);

/// Where a call is heard by others, so that somebody else can be in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Seat(ConferenceId, ParticipantId),
    /// And who is at the other end.
    End(ConnectionId, CallId),
}

/// A successor that is called.
#[derive(Debug)]
pub(super) struct Pending {
    placement: PlacementId,
    place: Place,
    /// What the other end of a connection hears meanwhile.
    music: Option<PromptId>,
}

impl Switchboard {
    /// Gives the place of a leg's far end to another party, as that far end asks.
    pub(super) fn hand_over(&mut self, leg: LegId, to: Successor) {
        let Some(id) = self.legs.get(&leg).copied() else { return };
        let begun = match to {
            Successor::Called(address) => self.call_successor(id, address),
            Successor::PartyOf(other) => {
                let other = self.legs.get(&other).copied();
                other.and_then(|other| self.join_parties(id, other))
            }
        };
        if begun.is_none() {
            self.context.push(Effect::TellHandover(leg, Handover::Refused));
        }
    }

    /// Calls whoever is to succeed `id`, which stays until that is answered.
    fn call_successor(&mut self, id: CallId, address: String) -> Option<()> {
        let place = self.place_of(id)?;
        let call = self.calls.get(&id).filter(|call| !call.is_spoken_for())?;
        let crowded = self.draining || self.calls.len() >= self.limits.max_calls;
        if crowded || self.handovers.values().any(|one| concerns(one.place, place)) {
            return None;
        }
        let account = call.record().account.clone();
        self.tell_handover(id, Handover::Begun);
        let (parent, music) = match place {
            Place::Seat(..) => (None, None),
            Place::End(connection, stays) => (Some(stays), self.play_meanwhile(connection, stays)),
        };
        let from = self.calls.get(&parent.unwrap_or(id))?.record().far_end().to_owned();
        let destination = Destination { address, ring_timeout: RING_TIMEOUT, ..Destination::default() };
        let placement = self.place(Order {
            account,
            parent,
            destinations: vec![destination],
            terms: DialTerms { from, ..DialTerms::default() },
            urls: CallUrls::default(),
            time_limit: None,
            goal: Goal::Succeed(id),
        });
        self.handovers.insert(id, Pending { placement, place, music });
        if let Place::End(connection, _) = place {
            self.route_connection(connection);
        }
        Some(())
    }

    fn play_meanwhile(&mut self, connection: ConnectionId, stays: CallId) -> Option<PromptId> {
        let content = self.connections.get(&connection)?.music()?;
        Some(self.context.play(Owner::Call(stays), content, Repeat::Forever))
    }

    /// What `sink` hears beside the other end of its connection, while that one's successor is called.
    pub(super) fn heard_meanwhile(&self, connection: ConnectionId, sink: CallId) -> Option<PromptId> {
        let place = Place::End(connection, sink);
        self.handovers.values().find(|one| one.place == place).and_then(|one| one.music)
    }

    /// The successor answered: it has the place from now on.
    pub(super) fn succeed(&mut self, by: CallId, successor: CallId) {
        self.end_handover(by);
        self.tell_handover(by, Handover::Done);
        self.take_place(by, successor);
    }

    /// The successor's call ended before it had the place.
    pub(super) fn nobody_succeeds(&mut self, by: CallId, successor: &CallRecord) {
        if self.end_handover(by) {
            let cause = successor.hangup_cause.unwrap_or(HangupCause::InternalError);
            self.tell_handover(by, Handover::Failed(cause));
        }
    }

    /// Gives up successors of those who are not where they were when they handed over.
    pub(super) fn check_handovers(&mut self) {
        let left = self.handovers.iter().filter(|(by, one)| self.place_of(**by) != Some(one.place));
        for placement in left.map(|(_, one)| one.placement).collect::<Vec<_>>() {
            self.give_up(placement, Ending::by(HangupSource::Caller, HangupCause::Canceled));
        }
    }

    /// Lets the other end of a connection wait for the successor of `id`, which hangs up before that
    /// answered. Returns who waits.
    pub(super) fn leave_to_successor(&mut self, id: CallId) -> Option<CallId> {
        let (&Pending { placement, place, .. }, current) = (self.handovers.get(&id)?, self.place_of(id));
        let Place::End(connection, waits) = place else { return None };
        if current != Some(place) {
            return None;
        }
        self.placements.get_mut(&placement)?.goal = Goal::Connect(waits);
        self.end_handover(id);
        let dial = self.part(connection, id)?.dial_without(id);
        self.calls.get_mut(&waits)?.dialling(placement, dial, &mut self.context);
        self.hear_callee(placement);
        Some(waits)
    }

    /// Joins the other parties of two calls of one far end, which leaves both.
    fn join_parties(&mut self, id: CallId, other: CallId) -> Option<()> {
        let account = |id| self.calls.get(&id).map(|call| &call.record().account);
        if account(id)? != account(other)? || [id, other].iter().any(|id| self.is_spoken_for(*id)) {
            return None;
        }
        // Of two conversations that one goes on which is a conference, or follows a caller's document.
        let (kept, left) = match (self.place_of(id)?, self.place_of(other)?) {
            (Place::Seat(..), Place::Seat(..)) => return None,
            (Place::End(one, _), Place::End(another, _)) if one == another => return None,
            (Place::End(..), Place::Seat(..)) => (other, id),
            (Place::End(one, _), Place::End(another, _))
                if self.connections[&one].is_callers(id) && !self.connections[&another].is_callers(other) =>
            {
                (other, id)
            }
            _ => (id, other),
        };
        let Place::End(connection, moves) = self.place_of(left)? else { return None };
        self.tell_handover(id, Handover::Begun);
        self.tell_handover(id, Handover::Done);
        let parted = self.part(connection, left)?;
        self.take_place(kept, moves);
        self.end_succeeded(left, parted.placer_of(left));
        Some(())
    }

    /// Brings `successor`, which is alone, to where `by` is, whose call ends.
    fn take_place(&mut self, by: CallId, successor: CallId) {
        match self.place_of(by) {
            Some(Place::Seat(conference, participant)) => {
                self.take_seat((by, conference, participant), successor);
            }
            Some(Place::End(connection, stays)) => self.take_end((by, connection, stays), successor),
            None => self.end_call(successor, Ending::by(HangupSource::Service, HangupCause::Canceled)),
        }
    }

    fn take_seat(&mut self, (by, id, participant): (CallId, ConferenceId, ParticipantId), successor: CallId) {
        let (Some(call), Some(inside)) = (self.calls.get_mut(&successor), self.conferences.get_mut(&id))
        else {
            return;
        };
        let Some(leg) = call.leg() else { return };
        let joiner = Joiner { call: call.record().clone(), leg };
        let Some(participant) = inside.hand_over(participant, joiner, &mut self.context) else { return };
        call.be_invited();
        call.joined((id, participant), None, &mut self.context);
        self.touched.push(id);
        self.end_succeeded(by, None);
    }

    fn take_end(&mut self, (by, id, stays): (CallId, ConnectionId, CallId), successor: CallId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let placer = connection.placer_of(by);
        connection.give_end(by, successor);
        if let Some(call) = self.calls.get_mut(&successor) {
            call.be_connected(id, &mut self.context);
        }
        self.end_succeeded(by, placer);
        self.route_connection(id);
        for step in [DialStep::Answered, DialStep::Connected] {
            self.tell_caller(stays, successor, step);
        }
    }

    /// Ends a call in whose place somebody else is, and tells the caller whose document had placed it.
    fn end_succeeded(&mut self, id: CallId, placer: Option<(CallId, Box<Dial>)>) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.end(Ending::Succeeded, &mut self.context);
        }
        let record = self.bury(id);
        if let (Some((caller, dial)), Some(record)) = (placer, record) {
            self.tell_of_end(caller, &dial, record);
        }
    }

    /// Forgets that a successor of `by` is called. Returns whether one was.
    fn end_handover(&mut self, by: CallId) -> bool {
        let Some(pending) = self.handovers.remove(&by) else { return false };
        if let (Some(prompt), Place::End(connection, _)) = (pending.music, pending.place) {
            self.context.stop_prompt(prompt);
            self.route_connection(connection);
        }
        true
    }

    /// Tells whoever hands its place over how that goes.
    pub(super) fn tell_handover(&mut self, by: CallId, news: Handover) {
        if let Some(leg) = self.calls.get(&by).filter(|call| !call.has_ended()).and_then(Call::leg) {
            self.context.push(Effect::TellHandover(leg, news));
        }
    }

    fn is_spoken_for(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(Call::is_spoken_for)
    }

    fn place_of(&self, id: CallId) -> Option<Place> {
        let call = self.calls.get(&id)?;
        if let Some((conference, participant)) = call.conferring() {
            return Some(Place::Seat(conference, participant));
        }
        let connection = call.connection()?;
        Some(Place::End(connection, self.connections.get(&connection)?.other(id)))
    }
}

/// Whether two handovers would be of one place, or of both ends of one connection.
fn concerns(one: Place, other: Place) -> bool {
    match (one, other) {
        (Place::End(one, _), Place::End(other, _)) => one == other,
        _ => one == other,
    }
}
