//! The control plane as one state machine.

mod commands;
mod conferences;
mod connection;
mod early;
mod handover;
mod placement;
mod recordings;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mixminus_mixer::{BridgeId, LegId, PromptId};
use rand::rngs::StdRng;

use crate::application::built_in;
use crate::call::{Call, Ending, Next};
use crate::callback::{CallEvent, ConferenceEvent, DialStep, Dialled};
use crate::command::Selector;
use crate::conference::Conference;
use crate::context::{ConnectionId, Context, Due, Owner};
use crate::effect::{Effect, FetchPurpose, RequestId, TimerId};
use crate::input::{Application, Arrival, Input, LegEnd, Refusal};
use crate::instruction::{CallUrls, Dial};
use crate::record::{
    AccountId, CallId, CallRecord, CallState, ConferenceId, ConferenceKind, Direction, EndCause, ExitCause,
    HangupCause, HangupSource, ParticipantId, PlacementId, Timestamp,
};
use connection::Connection;
use handover::Pending;
use placement::{Dialling, Goal, Order, Placement};
use recordings::Ended;

/// How a drain ends calls.
const DRAINED: Ending = Ending::Ours(HangupCause::Normal, HangupSource::Service, Refusal::Unavailable);

/// How much is accepted at once; what is beyond is refused whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Live calls; beyond, a call is refused with 503.
    pub max_calls: usize,
    /// Live conferences; beyond, a document that would create one goes on with its next instruction.
    pub max_conferences: usize,
    /// Participants of a conference of the built-in application.
    pub max_participants: usize,
    /// Calls that each account may place in a second; what is beyond waits.
    pub max_dials_per_s: u32,
    /// Live calls that each account may have placed; one more ends as [`HangupCause::ConcurrencyLimit`].
    pub max_placed: usize,
}

/// Every call and conference of a node.
///
/// ```
/// use mixminus_control::{Effect, Input, Limits, ParticipantId, Switchboard, Timestamp};
/// use rand::{SeedableRng, rngs::StdRng};
///
/// let limits = Limits {
///     max_calls: 100,
///     max_conferences: 10,
///     max_participants: 10,
///     max_dials_per_s: 10,
///     max_placed: 50,
/// };
/// let mut switchboard = Switchboard::new(limits, ParticipantId(1), StdRng::seed_from_u64(7));
/// let effects = switchboard.handle(Input::Drain, Timestamp::from_micros(0));
/// assert!(effects.is_empty());
/// ```
#[derive(Debug)]
pub struct Switchboard {
    limits: Limits,
    context: Context,
    calls: HashMap<CallId, Call>,
    legs: HashMap<LegId, CallId>,
    // Ordered, so that the same inputs give the same effects in the same order.
    conferences: BTreeMap<ConferenceId, Conference>,
    placements: BTreeMap<PlacementId, Placement>,
    connections: BTreeMap<ConnectionId, Connection>,
    /// The calls whose far ends hand their places over.
    handovers: BTreeMap<CallId, Pending>,
    dialling: BTreeMap<AccountId, Dialling>,
    /// What ended before its recordings were whole.
    finishing: BTreeMap<Owner, Ended>,
    touched: Vec<ConferenceId>,
    crowded: BTreeSet<BridgeId>,
    draining: bool,
}

impl Switchboard {
    /// An empty switchboard whose next participant gets the id `next_participant`.
    pub fn new(limits: Limits, next_participant: ParticipantId, random: StdRng) -> Self {
        Self {
            limits,
            context: Context::new(random, next_participant),
            calls: HashMap::new(),
            legs: HashMap::new(),
            conferences: BTreeMap::new(),
            placements: BTreeMap::new(),
            connections: BTreeMap::new(),
            handovers: BTreeMap::new(),
            dialling: BTreeMap::new(),
            finishing: BTreeMap::new(),
            touched: Vec::new(),
            crowded: BTreeSet::new(),
            draining: false,
        }
    }

    /// Live calls.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// The live call of a leg.
    pub fn call_of(&self, leg: LegId) -> Option<CallId> {
        self.legs.get(&leg).copied()
    }

    /// The leg of a live call, if it has one.
    pub fn leg_of(&self, call: CallId) -> Option<LegId> {
        self.calls.get(&call).and_then(Call::leg)
    }

    /// The bridge of a live conference.
    pub fn bridge_of(&self, conference: ConferenceId) -> Option<BridgeId> {
        self.conferences.get(&conference).map(Conference::bridge)
    }

    /// Live conferences.
    pub fn conferences(&self) -> usize {
        self.conferences.len()
    }

    /// Recordings that are not over: [`Input::RecordingEnded`] comes for each.
    pub fn recordings(&self) -> usize {
        self.context.recordings()
    }

    /// Takes in what happened and returns what is to be done, in order.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        debug_assert!(now >= self.context.now, "time ran backwards");
        self.context.now = now;
        let reply = match input {
            Input::Command { request, account, command } => Some((request, self.command(&account, command))),
            input => {
                self.occurrence(input);
                None
            }
        };
        self.check_handovers();
        self.follow_legs();
        self.settle();
        let mut effects = self.context.take_effects();
        effects.extend(reply.map(|(request, result): (RequestId, _)| Effect::Reply(request, result)));
        effects
    }

    fn occurrence(&mut self, input: Input) {
        match input {
            Input::CallArrived(arrival) => self.arrive(arrival),
            Input::LegEnded { leg, end } => self.leg_ended(leg, end),
            Input::Dialled { call, leg } => self.dialled(call, leg),
            Input::NotDialled { call, reason } => self.not_dialled(call, reason),
            Input::LegRinging { leg } => self.ringing(leg),
            Input::LegAudible { leg } => self.audible(leg),
            Input::LegAnswered { leg } => self.callee_answered(leg),
            Input::HandOver { leg, to } => self.hand_over(leg, to),
            Input::Fetched { call, fetch, result } => {
                self.drive(call, |call, context| call.fetched(fetch, result, context));
            }
            Input::PromptEnded { prompt } => self.prompt_ended(prompt),
            Input::RecordingEnded { recording, result } => self.recording_ended(recording, result),
            Input::Stream { call, stream, news } => {
                self.drive(call, |call, context| call.stream_news(stream, news, context));
            }
            Input::Talking { leg, talking } => self.talking(leg, talking),
            Input::Heard { tap, heard } => {
                if let Some(call) = self.context.heard_by(tap) {
                    self.drive(call, |call, context| call.hear(heard, context));
                }
            }
            Input::Digit { leg, digit } => self.digit(leg, digit),
            Input::Timer(timer) => self.timer(timer),
            Input::Crowded(bridges) => self.crowded = bridges,
            Input::Drain => self.drain(),
            Input::Command { .. } => unreachable!("commands have an answer and are handled apart"),
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        let Arrival { leg, account, from, to, user, application, introduction } = arrival;
        let id = CallId(self.context.uuid());
        let record = CallRecord {
            id,
            account,
            direction: Direction::Inbound,
            from,
            to,
            caller_name: None,
            placement: None,
            parent: None,
            state: CallState::Ringing,
            created_at: self.context.now,
            answered_at: None,
            ended_at: None,
            hangup_cause: None,
            hangup_source: None,
            on_end: Vec::new(),
        };
        let full = self.calls.len() >= self.limits.max_calls;
        let (answer, urls) = match application {
            Application::BuiltIn => (Ok(built_in(&user, self.limits.max_participants)), CallUrls::default()),
            Application::Document(document) => (Ok(*document), CallUrls::default()),
            Application::Url { answer, urls } => (Err(answer), urls),
        };
        self.calls.insert(id, Call::arrive(record, leg, introduction, urls, &mut self.context));
        self.legs.insert(leg, id);
        if full || self.draining {
            let cause = if full { HangupCause::ConcurrencyLimit } else { HangupCause::InternalError };
            return self.end_call(id, Ending::Ours(cause, HangupSource::Service, Refusal::Unavailable));
        }
        match answer {
            Ok(document) => self.drive(id, |call, context| call.follow(document, context)),
            Err(action) => self.drive(id, |call, context| {
                call.fetch(FetchPurpose::Answer, action, None, context);
                Next::Idle
            }),
        }
    }

    /// Lets a call take a step, and brings it into as many conferences as its
    /// document names without one taking it.
    fn drive(&mut self, id: CallId, step: impl FnOnce(&mut Call, &mut Context) -> Next) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let next = step(call, &mut self.context);
        self.follow_up(id, next);
    }

    fn follow_up(&mut self, id: CallId, mut next: Next) {
        loop {
            next = match next {
                Next::Idle => break,
                Next::Join(request) => self.join(id, *request),
                Next::Dial(dial) => self.dial_for(id, dial),
                Next::Ready => {
                    self.ready(id);
                    break;
                }
                Next::End(ending) => return self.end_call(id, ending),
            };
        }
        if self.calls.get(&id).is_some_and(Call::has_ended) {
            self.bury(id);
        }
    }

    /// Calls those whom a call's document names.
    fn dial_for(&mut self, id: CallId, dial: Box<Dial>) -> Next {
        let Some(call) = self.calls.get(&id) else { return Next::Idle };
        let (account, from) = (call.record().account.clone(), call.record().from.clone());
        if self.calls.len() + dial.destinations.len() > self.limits.max_calls || dial.destinations.is_empty()
        {
            return self.calls.get_mut(&id).map_or(Next::Idle, |call| call.run(&mut self.context));
        }
        let mut terms = dial.terms.clone();
        if terms.from.is_empty() {
            terms.from = from;
        }
        let placement = self.place(Order {
            account,
            parent: Some(id),
            destinations: dial.destinations.clone(),
            urls: CallUrls::default(),
            terms,
            time_limit: None,
            goal: Goal::Connect(id),
        });
        if let Some(call) = self.calls.get_mut(&id) {
            call.dialling(placement, dial, &mut self.context);
        }
        Next::Idle
    }

    fn leg_ended(&mut self, leg: LegId, end: LegEnd) {
        let Some(id) = self.legs.get(&leg).copied() else { return };
        // Who has not answered owes us no sound.
        let owes = self.calls.get(&id).is_some_and(|call| call.is_answered() || call.placement().is_none());
        if owes || end != LegEnd::MediaTimeout {
            self.end_call(id, Ending::Leg(end));
        }
    }

    fn end_call(&mut self, id: CallId, ending: Ending) {
        let hung_up = matches!(ending, Ending::Leg(LegEnd::HungUp));
        let waits = if hung_up { self.leave_to_successor(id) } else { None };
        let connection = self.detach(id, ExitCause::CallHangup);
        let is_callers = connection.as_ref().is_some_and(|one| one.is_callers(id));
        if let Some(connection) = connection.as_ref().filter(|_| is_callers) {
            // First, as nothing is told of a call after its own end.
            self.end_other(connection, id, Ending::by(HangupSource::Caller, HangupCause::Normal));
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.end(ending, &mut self.context);
        let record = self.bury(id);
        let Some(record) = record else { return };
        if let Some(waits) = waits {
            self.tell_dial(waits, CallEvent::DialStep(DialStep::Ended, Box::new(record)));
        } else if let Some(connection) = connection.filter(|_| !is_callers) {
            self.after_callee(&connection, record);
        }
    }

    /// Forgets a call that ended; what it was placed for goes on without it.
    fn bury(&mut self, id: CallId) -> Option<CallRecord> {
        let call = self.calls.get(&id)?;
        let (record, rang) = (call.record().clone(), call.rang());
        let placed = self.withdraw(id);
        self.forget(id);
        if let Some(placed) = placed {
            self.hear_callee(placed.0);
            self.placed_call_ended(Dialled { callee: record.clone(), rang }, placed);
        }
        Some(record)
    }

    /// Takes a call out of what it shares with others.
    fn detach(&mut self, id: CallId, cause: ExitCause) -> Option<Connection> {
        let call = self.calls.get(&id)?;
        if let Some((conference, participant)) = call.conferring() {
            self.leave(conference, &[participant], cause);
        } else if let Some(placement) = call.dials() {
            self.calls.get_mut(&id).and_then(|call| call.take_dial(&mut self.context));
            self.give_up(placement, Ending::by(HangupSource::Caller, HangupCause::Canceled));
        } else if let Some(connection) = call.connection() {
            return self.part(connection, id);
        }
        None
    }

    fn forget(&mut self, id: CallId) {
        if let Some(call) = self.calls.remove(&id) {
            debug_assert_eq!(call.id(), id);
            if let Some(leg) = call.leg() {
                self.legs.remove(&leg);
                self.context.set_talking(leg, false);
            }
            self.dial_no_more(id, &call.record().account);
            if call.is_recorded() {
                self.finishing.insert(Owner::Call(id), Ended::Call(Box::new(call)));
            }
        }
    }

    fn prompt_ended(&mut self, prompt: PromptId) {
        match self.context.prompt_owner(prompt) {
            Some(Owner::Call(call)) => {
                self.drive(call, |call, context| call.prompt_ended(prompt, context));
                if let Some(connection) = self.calls.get(&call).and_then(Call::connection) {
                    self.route_connection(connection);
                }
            }
            Some(Owner::Conference(id)) => {
                if let Some(conference) = self.conferences.get_mut(&id) {
                    conference.announcement_ended(prompt, &mut self.context);
                    self.touched.push(id);
                }
            }
            None => {}
        }
    }

    fn talking(&mut self, leg: LegId, talking: bool) {
        let Some(call) = self.legs.get(&leg).and_then(|id| self.calls.get_mut(id)) else {
            return;
        };
        self.context.set_talking(leg, talking);
        call.talks(talking, &mut self.context);
        if let Some((id, _)) = call.conferring() {
            self.touched.push(id);
        }
        let id = call.id();
        self.drive(id, |call, context| call.listen(Some(talking), context));
    }

    fn digit(&mut self, leg: LegId, digit: char) {
        let Some(call) = self.legs.get(&leg).and_then(|id| self.calls.get(id)) else {
            return;
        };
        call.note(ConferenceEvent::Digit(digit), &mut self.context);
        let id = call.id();
        if let Some(stream) = call.stream() {
            self.context.push(Effect::StreamDigit { stream, digit });
        }
        if let Some((conference, participant)) = call.conferring() {
            let Some(inside) = self.conferences.get_mut(&conference) else { return };
            if inside.is_left_by(participant, digit) {
                return self.leave(conference, &[participant], ExitCause::Kicked);
            }
            inside.digit(participant, digit, &mut self.context);
            self.touched.push(conference);
        } else if let Some(connection) = call.connection() {
            self.connected_digit(connection, id, digit);
        } else {
            self.drive(id, |call, context| call.digit(digit, context));
        }
    }

    fn timer(&mut self, timer: TimerId) {
        match self.context.expire(timer) {
            Some(Due::Step(call)) => self.drive(call, |call, context| call.step_over(timer, context)),
            Some(Due::Dial(call)) => self.dial(call),
            Some(Due::DialMore) => {
                self.end_too_many();
                self.dial_more();
            }
            Some(Due::Answerer(call)) => self.drive(call, |call, context| call.listen(None, context)),
            Some(Due::RingTimeout(call)) => {
                self.end_call(call, Ending::by(HangupSource::Service, HangupCause::RingTimeout));
            }
            Some(Due::Digits(call)) => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.send_more_digits(&mut self.context);
                }
            }
            Some(Due::HangUp(call)) => self.end_call(
                call,
                Ending::Ours(HangupCause::Scheduled, HangupSource::Document, Refusal::Declined),
            ),
            Some(Due::PromptEnd(prompt)) => self.prompt_ended(prompt),
            Some(Due::RecordingEnd(call, recording)) => {
                self.drive(call, |call, context| call.recording_time_over(recording, context));
            }
            Some(Due::StreamEnd(call, stream)) => {
                self.drive(call, |call, context| {
                    call.stop_stream(Some(stream), context).unwrap_or(Next::Idle)
                });
            }
            Some(Due::ConnectionEnd(connection)) => self.end_connection(connection, HangupSource::Service),
            Some(Due::ConferenceEnd(conference)) => self.end_conference(conference, EndCause::MaxDuration),
            Some(Due::WaitEnd(conference, participant)) => {
                self.leave(conference, &[participant], ExitCause::Kicked);
            }
            None => {}
        }
    }

    fn drain(&mut self) {
        self.draining = true;
        let mut calls: Vec<_> = self.calls.keys().copied().collect();
        calls.sort_unstable();
        for call in calls {
            self.end_call(call, DRAINED);
        }
    }
}

/// The account's live conference of that kind that `selector` names.
fn find(
    conferences: &BTreeMap<ConferenceId, Conference>,
    account: &AccountId,
    (selector, kind): (&Selector, ConferenceKind),
) -> Option<ConferenceId> {
    let live = conferences.values().filter(|one| !one.has_ended()).map(Conference::record);
    let mut owned = live.filter(|one| one.account == *account && one.kind == kind);
    let found = match selector {
        Selector::Id(id) => owned.find(|one| one.id == *id),
        Selector::Name(name) => owned.find(|one| one.name == *name),
    };
    found.map(|one| one.id)
}
