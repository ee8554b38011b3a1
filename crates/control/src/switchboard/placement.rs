//! Calls that we place, and what becomes of them when one is answered.

use std::collections::VecDeque;
use std::time::Duration;

use mixminus_mixer::{BridgeId, LegId, SinkRoutes, SourceId};

use super::{DRAINED, Switchboard};
use crate::call::{Call, Ending, Next};
use crate::callback::{CallEvent, ConnectionEnd, DialStep, Dialled, PressedDigits};
use crate::context::{ConnectionId, Due, Tapped};
use crate::effect::{Effect, FetchPurpose, TimerId};
use crate::input::DialError;
use crate::instruction::{Action, CallUrls, ConferenceRequest, Destination, Dial, DialMusic, DialTerms};
use crate::matcher::Matcher;
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

/// A call that was answered, connected to the one that it was placed for.
#[derive(Debug)]
pub(super) struct Connection {
    bridge: BridgeId,
    caller: CallId,
    callee: CallId,
    longest: TimerId,
    dial: Box<Dial>,
    caller_digits: Matcher,
    callee_digits: Matcher,
}

impl Connection {
    pub fn other(&self, call: CallId) -> CallId {
        if call == self.caller { self.callee } else { self.caller }
    }

    pub fn is_callers(&self, call: CallId) -> bool {
        call == self.caller
    }

    /// Takes a digit of `call`: what its document is to be told of, if that completes it.
    pub fn press(&mut self, call: CallId, digit: char) -> Option<(String, ConnectionEnd)> {
        let (matcher, by) = if self.is_callers(call) {
            (&mut self.caller_digits, ConnectionEnd::Caller)
        } else {
            (&mut self.callee_digits, ConnectionEnd::Callee)
        };
        Some((matcher.press(digit)?, by))
    }

    /// Whether `digit` of `call` ends it.
    pub fn ended_by(&self, call: CallId, digit: char) -> bool {
        digit == '*' && self.dial.end_on_star && call == self.caller
    }
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
                if let Some(call) = self.calls.get_mut(&id) {
                    call.dial(&mut self.context);
                    dialling.next = now + pause;
                }
            }
            dialling.wake.take_if(|(at, _)| *at <= now);
            if !dialling.waiting.is_empty() && dialling.wake.is_none() {
                let timer = self.context.wake(dialling.next.since(now), Due::DialMore);
                dialling.wake = Some((dialling.next, timer));
            }
        }
    }

    /// Takes a call that ended out of those that wait to be dialled.
    pub(super) fn dial_no_more(&mut self, id: CallId) {
        for dialling in self.dialling.values_mut() {
            dialling.waiting.retain(|waiting| *waiting != id);
            if dialling.waiting.is_empty()
                && let Some((_, timer)) = dialling.wake.take()
            {
                self.context.cancel(timer);
            }
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
            DialError::NoRoom => HangupCause::ConcurrencyLimit,
        };
        self.end_call(id, Ending::by(HangupSource::Service, cause));
    }

    pub(super) fn ringing(&mut self, leg: LegId) {
        let Some(call) = self.legs.get(&leg).and_then(|id| self.calls.get_mut(id)) else { return };
        call.rings(&mut self.context);
        let Some(id) = call.placement() else { return };
        if let Some(Placement { goal: Goal::Conference(conference, request, music), .. }) =
            self.placements.get(&id)
            && let Some(inside) = self.conferences.get_mut(conference)
        {
            inside.ring(id, request, music, &mut self.context);
            self.touched.push(*conference);
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

    /// Connects a caller to the call that its document placed.
    fn connect(&mut self, caller: CallId, callee: CallId) {
        let Some(dial) = self.calls.get_mut(&caller).and_then(|call| call.take_dial(&mut self.context))
        else {
            return self.end_call(callee, Ending::by(HangupSource::Service, HangupCause::Canceled));
        };
        let id = self.context.connection();
        let longest = self.context.wake(dial.time_limit, Due::ConnectionEnd(id));
        let bridge = self.context.bridge();
        let caller_digits = Matcher::new(dial.caller_digits.clone());
        let callee_digits = Matcher::new(dial.callee_digits.clone());
        let connection = Connection { bridge, caller, callee, longest, dial, caller_digits, callee_digits };
        self.connections.insert(id, connection);
        self.route_connection(id);
        for call in [caller, callee] {
            if let Some(call) = self.calls.get_mut(&call) {
                call.be_connected(id, &mut self.context);
            }
        }
        self.tell_caller(caller, callee, DialStep::Connected);
    }

    /// Lets the two ends of a connection hear each other, and what requests let them hear.
    pub(super) fn route_connection(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(&id) else { return };
        let ends = [connection.caller, connection.callee].map(|call| self.calls.get(&call));
        let [Some(caller), Some(callee)] = ends else { return };
        let routes = [(caller, callee), (callee, caller)].into_iter().filter_map(|(sink, source)| {
            let voice = source.leg().filter(|_| sink.hears_others()).map(SourceId::Leg);
            let hears = voice.into_iter().chain(sink.overheard().map(SourceId::Prompt)).collect();
            Some(SinkRoutes { leg: sink.leg()?, hears })
        });
        let routes: Vec<_> = routes.collect();
        self.context.install(connection.bridge, &routes, Tapped::default());
    }

    /// Parts two calls because of `by`, which goes elsewhere; the other one is alone then.
    pub(super) fn part(&mut self, id: ConnectionId, by: CallId) -> Option<Connection> {
        let connection = self.connections.remove(&id)?;
        self.context.cancel(connection.longest);
        if let Some(other) = self.calls.get_mut(&connection.other(by)) {
            other.be_parted(&mut self.context);
        }
        self.context.close_bridge(connection.bridge);
        Some(connection)
    }

    /// Ends a connection by ending the callee's call; the caller goes on.
    pub(super) fn end_connection(&mut self, id: ConnectionId, source: HangupSource) {
        if let Some(connection) = self.connections.get(&id) {
            let callee = connection.callee;
            self.end_call(callee, Ending::by(source, HangupCause::Normal));
        }
    }

    /// Ends the call that was connected to `by`; a caller is told of its callee's end.
    pub(super) fn end_other(&mut self, connection: &Connection, by: CallId, ending: Ending) {
        if by != connection.caller {
            return self.end_call(connection.caller, ending);
        }
        if let Some(callee) = self.calls.get_mut(&connection.callee) {
            callee.end(ending, &mut self.context);
        }
        if let Some(ended) = self.bury(connection.callee) {
            self.tell_of_end(by, &connection.dial, ended);
        }
    }

    /// Lets a caller go on whose callee's call ended.
    pub(super) fn after_callee(&mut self, connection: &Connection, callee: CallRecord) {
        self.go_on_with(connection.caller, &connection.dial, Dialled { callee, rang: true });
    }

    /// Nobody whom the caller's document called is left.
    fn go_on_after_dial(&mut self, caller: CallId, dialled: Dialled) {
        let dial = self.calls.get_mut(&caller).and_then(|call| call.take_dial(&mut self.context));
        if let Some(dial) = dial {
            self.go_on_with(caller, &dial, dialled);
        }
    }

    fn go_on_with(&mut self, caller: CallId, dial: &Dial, dialled: Dialled) {
        self.tell_of_end(caller, dial, dialled.callee.clone());
        if self.draining {
            return self.end_call(caller, DRAINED);
        }
        let report = dial.report.clone();
        self.drive(caller, |call, context| call.after_dial(report, dialled, context));
    }

    /// Tells the caller's application that a call which its document placed ended.
    fn tell_of_end(&mut self, caller: CallId, dial: &Dial, callee: CallRecord) {
        if let (Some(callback), Some(call)) = (&dial.callback, self.calls.get_mut(&caller)) {
            let event = CallEvent::DialStep(DialStep::Ended, Box::new(callee));
            call.tell_at(callback, event, &mut self.context);
        }
    }

    /// Tells the caller's application of a step of the callee's call.
    fn tell_caller(&mut self, caller: CallId, callee: CallId, step: DialStep) {
        let Some(callee) = self.calls.get(&callee).map(|call| call.record().clone()) else { return };
        self.tell_dial(caller, CallEvent::DialStep(step, Box::new(callee)));
    }

    fn tell_dial(&mut self, caller: CallId, event: CallEvent) {
        let Some(callback) = self.dial_callback(caller) else { return };
        if let Some(call) = self.calls.get_mut(&caller) {
            call.tell_at(&callback, event, &mut self.context);
        }
    }

    /// Takes a digit of a call that is connected to another.
    pub(super) fn connected_digit(&mut self, id: ConnectionId, call: CallId, digit: char) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let pressed = connection.press(call, digit);
        let (caller, callee, ends) = (connection.caller, connection.callee, connection.ended_by(call, digit));
        if let (Some((digits, by)), Some(callee)) = (pressed, self.calls.get(&callee).map(Call::record)) {
            let pressed = PressedDigits { digits, by, callee: callee.clone() };
            self.tell_dial(caller, CallEvent::Pressed(Box::new(pressed)));
        }
        if ends {
            self.end_connection(id, HangupSource::Caller);
        }
    }

    fn dial_callback(&self, caller: CallId) -> Option<Action> {
        let call = self.calls.get(&caller)?;
        let connected = call.connection().and_then(|id| self.connections.get(&id));
        connected.map(|one| &*one.dial).or_else(|| call.dial_request())?.callback.clone()
    }
}

/// What an account has to dial, and when it may.
#[derive(Debug, Default)]
pub(super) struct Dialling {
    waiting: VecDeque<CallId>,
    /// When it may dial again.
    next: Timestamp,
    /// When that is looked at.
    wake: Option<(Timestamp, TimerId)>,
}
