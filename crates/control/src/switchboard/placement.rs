//! Calls that we place, and what becomes of them when one is answered.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use mixminus_mixer::LegId;

use super::Switchboard;
use crate::call::{Call, Ending, Next};
use crate::callback::{DialStep, Dialled};
use crate::context::Due;
use crate::effect::{Effect, FetchPurpose, Handover, TimerId};
use crate::input::DialError;
use crate::instruction::{Action, CallUrls, ConferenceRequest, Destination, DialMusic, DialTerms};
use crate::record::{
    AccountId, CallId, CallRecord, CallState, ConferenceId, Direction, HangupCause, HangupSource,
    PlacementId, Timestamp,
};

/// What a call is placed for.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// To follow a document of its own.
    Answer(Action),
    /// To take part in a conference, whoever of them answers first.
    Conference(ConferenceId, Box<ConferenceRequest>, DialMusic),
    /// To be connected to a call, whoever of them answers first.
    Connect(CallId),
    /// To be in the place of a call.
    Succeed(CallId),
}

/// Calls placed by one request, as long as none of them is what it was placed for.
#[derive(Debug)]
pub(super) struct Placement {
    pub calls: Vec<CallId>,
    pub account: AccountId,
    pub goal: Goal,
    /// The one that is heard though it is not answered.
    pub heard: Option<CallId>,
}

/// Who places calls, and how.
pub(super) struct Order {
    pub account: AccountId,
    pub parent: Option<CallId>,
    pub destinations: Vec<Destination>,
    pub terms: DialTerms,
    pub urls: CallUrls,
    pub time_limit: Option<Duration>,
    pub goal: Goal,
}

impl Switchboard {
    /// Places calls as `order` says; there is room for them.
    pub(super) fn place(&mut self, order: Order) -> PlacementId {
        let ids: Vec<_> = order.destinations.iter().map(|_| CallId(self.context.uuid())).collect();
        let id = PlacementId(if let [only] = ids[..] { only.0 } else { self.context.uuid() });
        for (call, destination) in ids.iter().zip(order.destinations) {
            let record = CallRecord {
                id: *call,
                account: order.account.clone(),
                direction: Direction::Outbound,
                from: order.terms.from.clone(),
                to: destination.address.clone(),
                caller_name: order.terms.caller_name.clone(),
                placement: Some(id),
                parent: order.parent,
                state: CallState::Queued,
                created_at: self.context.now,
                answered_at: None,
                ended_at: None,
                hangup_cause: None,
                hangup_source: None,
                on_end: Vec::new(),
            };
            let (terms, urls) = (&order.terms, order.urls.clone());
            let placed = Call::place(record, (destination, order.time_limit), terms, urls, &mut self.context);
            self.calls.insert(*call, placed);
        }
        let at_once = |id: &CallId| self.calls.get(id).is_some_and(|call| !call.waits_to_be_dialled());
        let at_once: Vec<_> = ids.iter().copied().filter(at_once).collect();
        let (account, goal) = (order.account, order.goal);
        self.placements.insert(id, Placement { calls: ids, account, goal, heard: None });
        for call in at_once {
            self.dial(call);
        }
        id
    }

    /// Dials when the account may, in the order in which this is asked.
    pub(super) fn dial(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let account = call.record().account.clone();
        self.dialling.entry(account).or_default().waiting.push_back(id);
        self.dial_more();
    }

    /// Dials what may be dialled by now, and comes back for the rest.
    pub(super) fn dial_more(&mut self) {
        let (now, pause) = (self.context.now, Duration::from_secs(1) / self.limits.max_dials_per_s);
        for dialling in self.dialling.values_mut() {
            while now >= dialling.next
                && let Some(id) = dialling.waiting.pop_front()
            {
                if dialling.dialled.len() >= self.limits.max_placed {
                    dialling.too_many.push(id);
                } else if let Some(call) = self.calls.get_mut(&id) {
                    call.dial(&mut self.context);
                    dialling.dialled.insert(id);
                    dialling.next = now + pause;
                }
            }
            dialling.wake.take_if(|(at, _)| *at <= now);
            let waits = !dialling.waiting.is_empty() || !dialling.too_many.is_empty();
            if waits && dialling.wake.is_none() {
                let timer = self.context.wake(dialling.next.since(now), Due::DialMore);
                dialling.wake = Some((dialling.next, timer));
            }
        }
    }

    /// Ends calls beyond what accounts may have placed, some time after they were asked for: whoever
    /// asked is told of them first.
    pub(super) fn end_too_many(&mut self) {
        let too_many = self.dialling.values_mut().flat_map(|dialling| std::mem::take(&mut dialling.too_many));
        for id in too_many.collect::<Vec<_>>() {
            self.end_call(id, Ending::by(HangupSource::Service, HangupCause::ConcurrencyLimit));
        }
    }

    /// Takes a call of `account` that ended out of those that were dialled or wait for it.
    pub(super) fn dial_no_more(&mut self, id: CallId, account: &AccountId) {
        let Some(dialling) = self.dialling.get_mut(account) else { return };
        if !dialling.dialled.remove(&id) {
            dialling.waiting.retain(|waiting| *waiting != id);
            dialling.too_many.retain(|waiting| *waiting != id);
        }
        if dialling.waiting.is_empty()
            && dialling.too_many.is_empty()
            && let Some((_, timer)) = dialling.wake.take()
        {
            self.context.cancel(timer);
        }
    }

    pub(super) fn dialled(&mut self, id: CallId, leg: LegId) {
        match self.calls.get_mut(&id) {
            Some(call) => {
                call.dialled_as(leg);
                self.legs.insert(leg, id);
            }
            // It ended while it was dialled.
            None => self.context.push(Effect::HangUp(leg)),
        }
    }

    pub(super) fn not_dialled(&mut self, id: CallId, reason: DialError) {
        let cause = match reason {
            DialError::InvalidAddress => HangupCause::InvalidAddress,
            DialError::Barred => HangupCause::Barred,
            DialError::NotRegistered => HangupCause::NotRegistered,
            DialError::NoRoom => HangupCause::ConcurrencyLimit,
        };
        self.end_call(id, Ending::by(HangupSource::Service, cause));
    }

    pub(super) fn ringing(&mut self, leg: LegId) {
        let Some(call) = self.legs.get(&leg).and_then(|id| self.calls.get_mut(id)) else { return };
        call.rings(&mut self.context);
        let Some(id) = call.placement() else { return };
        match self.placements.get(&id).map(|placement| &placement.goal) {
            Some(Goal::Conference(conference, request, music)) => {
                if let Some(inside) = self.conferences.get_mut(conference) {
                    inside.ring(id, request, music, &mut self.context);
                    self.touched.push(*conference);
                }
            }
            Some(&Goal::Succeed(by)) => self.tell_handover(by, Handover::Ringing),
            _ => {}
        }
    }

    pub(super) fn callee_answered(&mut self, leg: LegId) {
        let Some(id) = self.legs.get(&leg).copied() else { return };
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.is_answered()) else { return };
        let next = call.callee_answered(&mut self.context);
        let placement = call.placement().and_then(|placement| self.placements.get(&placement));
        if let Some(Placement { goal: Goal::Connect(caller), .. }) = placement {
            self.tell_caller(*caller, id, DialStep::Answered);
        }
        if let (Next::Idle, Some(placement)) = (&next, self.calls.get(&id).and_then(Call::placement)) {
            // It is to press a key first.
            self.hear_callee(placement);
        }
        self.follow_up(id, next);
    }

    /// Begins what an answered call was placed for; the others of its placement are given up.
    pub(super) fn ready(&mut self, id: CallId) {
        let Some(placement) = self.calls.get(&id).and_then(Call::placement) else { return };
        let Some(Placement { goal, .. }) = self.placements.get(&placement) else { return };
        let goal = goal.clone();
        self.stop_ringing(placement, &goal);
        self.withdraw(id);
        match goal {
            Goal::Answer(action) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.fetch(FetchPurpose::Answer, action, None, &mut self.context);
                }
            }
            Goal::Conference(conference, request, _) => {
                self.lose(placement);
                self.join_invited(id, conference, *request);
            }
            Goal::Connect(caller) => {
                self.lose(placement);
                self.connect(caller, id);
            }
            Goal::Succeed(by) => self.succeed(by, id),
        }
    }

    /// Takes a call out of its placement, which is forgotten with its last call.
    pub(super) fn withdraw(&mut self, id: CallId) -> Option<(PlacementId, Goal, bool)> {
        let call = self.calls.get_mut(&id)?;
        let placement = call.placement()?;
        call.leave_placement(&mut self.context);
        let placed = self.placements.get_mut(&placement)?;
        placed.calls.retain(|one| *one != id);
        let (goal, was_last) = (placed.goal.clone(), placed.calls.is_empty());
        if was_last {
            self.placements.remove(&placement);
        }
        Some((placement, goal, was_last))
    }

    /// Gives up the calls of a placement that another one has won.
    fn lose(&mut self, placement: PlacementId) {
        let Some(lost) = self.placements.remove(&placement) else { return };
        for call in lost.calls {
            if let Goal::Conference(conference, request, _) = &lost.goal {
                self.tell_of_absence(call, *conference, request);
            }
            if let Some(call) = self.calls.get_mut(&call) {
                call.leave_placement(&mut self.context);
            }
            self.end_call(call, Ending::by(HangupSource::Service, HangupCause::LostRace));
        }
    }

    /// Gives up all calls of a placement.
    pub(super) fn give_up(&mut self, placement: PlacementId, ending: Ending) {
        let calls = self.placements.get(&placement).map(|one| one.calls.clone());
        for call in calls.into_iter().flatten() {
            self.end_call(call, ending);
        }
    }

    /// The placements for a conference that ended.
    pub(super) fn placements_for(&self, id: ConferenceId) -> Vec<PlacementId> {
        let meant =
            |one: &Placement| matches!(one.goal, Goal::Conference(conference, ..) if conference == id);
        self.placements.iter().filter(|(_, one)| meant(one)).map(|(id, _)| *id).collect()
    }

    /// What follows when a call that was placed ended before it was what it was placed for.
    pub(super) fn placed_call_ended(
        &mut self,
        dialled: Dialled,
        (placement, goal, was_last): (PlacementId, Goal, bool),
    ) {
        let record = &dialled.callee;
        match goal {
            Goal::Conference(conference, ref request, _) => {
                if let Some(inside) = self.conferences.get_mut(&conference) {
                    inside.stayed_away(record, request.role, &mut self.context);
                    if was_last {
                        inside.invitation_ended(record, request.role, false, &mut self.context);
                    }
                    self.touched.push(conference);
                }
                if was_last {
                    self.stop_ringing(placement, &goal);
                    self.end_if_deserted(conference);
                }
            }
            Goal::Connect(caller) if was_last => {
                self.go_on_after_dial(caller, dialled);
            }
            Goal::Succeed(by) => self.nobody_succeeds(by, record),
            Goal::Answer(_) | Goal::Connect(_) => {}
        }
    }

    fn tell_of_absence(&mut self, call: CallId, conference: ConferenceId, request: &ConferenceRequest) {
        if let (Some(call), Some(inside)) = (self.calls.get(&call), self.conferences.get_mut(&conference)) {
            inside.stayed_away(call.record(), request.role, &mut self.context);
        }
    }

    fn stop_ringing(&mut self, placement: PlacementId, goal: &Goal) {
        if let Goal::Conference(conference, ..) = goal
            && let Some(inside) = self.conferences.get_mut(conference)
        {
            inside.stop_ringing(placement, &mut self.context);
            self.touched.push(*conference);
        }
    }
}

/// What an account has to dial, and when it may.
#[derive(Debug, Default)]
pub(super) struct Dialling {
    waiting: VecDeque<CallId>,
    /// What it asked for beyond what it may.
    too_many: Vec<CallId>,
    /// What it dialled and has not ended.
    dialled: HashSet<CallId>,
    /// When it may dial again.
    next: Timestamp,
    /// When that is looked at.
    wake: Option<(Timestamp, TimerId)>,
}
