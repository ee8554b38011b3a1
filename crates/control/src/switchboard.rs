//! The control plane as one state machine.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mixminus_mixer::{BridgeId, LegId, PromptId};
use rand::rngs::StdRng;

use crate::application::built_in;
use crate::call::{Activity, Call, Ending, Next};
use crate::command::{Command, CommandError, Selector};
use crate::conference::{Conference, Departure, Joiner};
use crate::context::{Context, Due, PromptOwner};
use crate::effect::{Application, Arrival, Effect, FetchPurpose, Input, Refusal, RequestId, TimerId};
use crate::instruction::ConferenceRequest;
use crate::record::{
    AccountId, CallId, CallRecord, CallState, ConferenceId, ConferenceRecord, Direction, EndCause, ExitCause,
    HangupCause, HangupSource, ParticipantId, Timestamp,
};

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
}

/// Every call and conference of a node.
///
/// ```
/// use mixminus_control::{Effect, Input, Limits, ParticipantId, Switchboard, Timestamp};
/// use rand::{SeedableRng, rngs::StdRng};
///
/// let limits = Limits { max_calls: 100, max_conferences: 10, max_participants: 10 };
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
            touched: Vec::new(),
            crowded: BTreeSet::new(),
            draining: false,
        }
    }

    /// Live calls.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Live conferences.
    pub fn conferences(&self) -> usize {
        self.conferences.len()
    }

    /// Takes in what happened and returns what is to be done, in order.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        debug_assert!(now >= self.context.now, "time ran backwards");
        self.context.now = now;
        let reply = match input {
            Input::Command { request, command } => Some((request, self.command(command))),
            input => {
                self.occurrence(input);
                None
            }
        };
        self.settle();
        let mut effects = self.context.take_effects();
        effects.extend(reply.map(|(request, result): (RequestId, _)| Effect::Reply(request, result)));
        effects
    }

    fn occurrence(&mut self, input: Input) {
        match input {
            Input::CallArrived(arrival) => self.arrive(arrival),
            Input::LegEnded { leg, end } => {
                if let Some(call) = self.legs.get(&leg).copied() {
                    self.end_call(call, Ending::Leg(end));
                }
            }
            Input::Fetched { call, purpose, result } => {
                self.drive(call, |call, context| call.fetched(purpose, result, context));
            }
            Input::PromptEnded { prompt } => self.prompt_ended(prompt),
            Input::Talking { leg, talking } => self.talking(leg, talking),
            Input::Digit { leg, digit } => self.digit(leg, digit),
            Input::Timer(timer) => self.timer(timer),
            Input::Crowded(bridges) => self.crowded = bridges,
            Input::Drain => self.drain(),
            Input::Command { .. } => unreachable!("commands have an answer and are handled apart"),
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        let Arrival { leg, account, from, to, user, application, headers } = arrival;
        let id = CallId(self.context.uuid());
        let record = CallRecord {
            id,
            account,
            direction: Direction::Inbound,
            from,
            to,
            state: CallState::Ringing,
            created_at: self.context.now,
            answered_at: None,
            ended_at: None,
            hangup_cause: None,
            hangup_source: None,
        };
        let full = self.calls.len() >= self.limits.max_calls;
        self.calls.insert(id, Call::arrive(record, leg, headers, &mut self.context));
        self.legs.insert(leg, id);
        if full || self.draining {
            let cause = if full { HangupCause::ConcurrencyLimit } else { HangupCause::InternalError };
            return self.end_call(id, Ending::Ours(cause, HangupSource::Service, Refusal::Unavailable));
        }
        match application {
            Application::BuiltIn => {
                let document = built_in(&user, self.limits.max_participants);
                self.drive(id, |call, context| call.follow(document, context));
            }
            Application::Url(action) => self.drive(id, |call, context| {
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
        let mut next = step(call, &mut self.context);
        while let Next::Join(request) = next {
            next = self.join(id, *request);
        }
        if self.calls.get(&id).is_some_and(Call::has_ended) {
            self.forget(id);
        }
    }

    fn join(&mut self, call: CallId, request: ConferenceRequest) -> Next {
        let call = self.calls.get_mut(&call).expect("only live calls are driven");
        let account = &call.record().account;
        let id = match find(&self.conferences, account, &Selector::Name(request.name.clone())) {
            Some(id) => id,
            None if self.conferences.len() >= self.limits.max_conferences => {
                return call.run(&mut self.context);
            }
            None => {
                let created = Conference::create(account.clone(), &request, &mut self.context);
                let id = created.record().id;
                self.conferences.insert(id, created);
                id
            }
        };
        let conference = self.conferences.get_mut(&id).expect("found or created above");
        if conference.is_full() {
            return call.run(&mut self.context);
        }
        if self.crowded.contains(&conference.bridge()) {
            return call.shed(&mut self.context);
        }
        call.answer(&mut self.context);
        let joiner = Joiner { call: call.record().clone(), leg: call.leg() };
        let participant = conference.join(joiner, request, &mut self.context);
        call.joined(id, participant, &mut self.context);
        self.touched.push(id);
        Next::Idle
    }

    fn end_call(&mut self, id: CallId, ending: Ending) {
        let Some(call) = self.calls.get(&id) else { return };
        if let Activity::Conferring(conference, participant) = call.activity() {
            self.leave(conference, &[participant], ExitCause::CallHangup);
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.end(ending, &mut self.context);
        }
        self.forget(id);
    }

    fn forget(&mut self, id: CallId) {
        if let Some(call) = self.calls.remove(&id) {
            debug_assert_eq!(call.id(), id);
            self.legs.remove(&call.leg());
            self.context.set_talking(call.leg(), false);
        }
    }

    fn leave(&mut self, id: ConferenceId, participants: &[ParticipantId], cause: ExitCause) {
        let Some(conference) = self.conferences.get_mut(&id) else {
            return;
        };
        let departures = conference.leave(participants, cause, &mut self.context);
        self.depart(id, departures);
    }

    fn end_conference(&mut self, id: ConferenceId, cause: EndCause) {
        let Some(conference) = self.conferences.get_mut(&id) else {
            return;
        };
        let departures = conference.end(cause, &mut self.context);
        self.depart(id, departures);
    }

    /// Lets those who left a conference go on with their flow.
    fn depart(&mut self, id: ConferenceId, departures: Vec<Departure>) {
        self.touched.push(id);
        let Some(record) = self.conferences.get(&id).map(|one| one.record().clone()) else {
            return;
        };
        for departure in departures {
            if departure.participant.exit_cause != Some(ExitCause::CallHangup) {
                self.go_on(&record, departure);
            }
        }
    }

    fn go_on(&mut self, conference: &ConferenceRecord, departure: Departure) {
        if self.draining {
            return self.end_call(departure.call, DRAINED);
        }
        let left = Box::new((conference.clone(), departure.participant));
        self.drive(departure.call, |call, context| call.left(departure.on_exit, left, context));
    }

    fn prompt_ended(&mut self, prompt: PromptId) {
        match self.context.prompt_owner(prompt) {
            Some(PromptOwner::Call(call)) => {
                self.drive(call, |call, context| call.prompt_ended(prompt, context));
            }
            Some(PromptOwner::Conference(id)) => {
                if let Some(conference) = self.conferences.get_mut(&id) {
                    conference.announcement_ended(prompt, &mut self.context);
                    self.touched.push(id);
                }
            }
            None => {}
        }
    }

    fn talking(&mut self, leg: LegId, talking: bool) {
        let Some(call) = self.legs.get(&leg).and_then(|id| self.calls.get(id)) else {
            return;
        };
        self.context.set_talking(leg, talking);
        if let Activity::Conferring(id, _) = call.activity() {
            self.touched.push(id);
        }
    }

    fn digit(&mut self, leg: LegId, digit: char) {
        let Some(call) = self.legs.get(&leg).and_then(|id| self.calls.get(id)) else {
            return;
        };
        if let Activity::Conferring(id, participant) = call.activity()
            && let Some(conference) = self.conferences.get_mut(&id)
        {
            conference.digit(participant, digit, &mut self.context);
            self.touched.push(id);
        }
    }

    fn timer(&mut self, timer: TimerId) {
        match self.context.expire(timer) {
            Some(Due::Wait(call)) => self.drive(call, Call::wait_over),
            Some(Due::HangUp(call)) => self.end_call(
                call,
                Ending::Ours(HangupCause::Scheduled, HangupSource::Document, Refusal::Declined),
            ),
            Some(Due::ConferenceEnd(conference)) => self.end_conference(conference, EndCause::MaxDuration),
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

    fn command(&mut self, command: Command) -> Result<(), CommandError> {
        match command {
            Command::StartConference { account, conference } => {
                let id = self.find(&account, &conference)?;
                if let Some(conference) = self.conferences.get_mut(&id) {
                    conference.start(None, &mut self.context);
                }
                self.touched.push(id);
            }
            Command::EndConference { account, conference } => {
                let id = self.find(&account, &conference)?;
                self.end_conference(id, EndCause::ApiRequest);
            }
            Command::UpdateParticipants { account, conference, members, change } => {
                let id = self.find(&account, &conference)?;
                if let Some(conference) = self.conferences.get_mut(&id) {
                    let members = conference.select(&members)?;
                    conference.update(&members, change, &mut self.context);
                }
                self.touched.push(id);
            }
            Command::Kick { account, conference, members } => {
                let id = self.find(&account, &conference)?;
                let members = self.conferences[&id].select(&members)?;
                self.leave(id, &members, ExitCause::Kicked);
            }
        }
        Ok(())
    }

    fn find(&self, account: &AccountId, selector: &Selector) -> Result<ConferenceId, CommandError> {
        find(&self.conferences, account, selector).ok_or(CommandError::ConferenceNotFound)
    }

    /// Brings every touched conference's bridge and row up to date, once.
    fn settle(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            let Some(conference) = self.conferences.get_mut(&id) else {
                continue;
            };
            conference.settle(&mut self.context);
            if conference.has_ended() {
                self.conferences.remove(&id);
            }
        }
    }
}

/// The account's live conference that `selector` names.
fn find(
    conferences: &BTreeMap<ConferenceId, Conference>,
    account: &AccountId,
    selector: &Selector,
) -> Option<ConferenceId> {
    let live = conferences.values().filter(|one| !one.has_ended()).map(Conference::record);
    let mut owned = live.filter(|one| one.account == *account);
    let found = match selector {
        Selector::Id(id) => owned.find(|one| one.id == *id),
        Selector::Name(name) => owned.find(|one| one.name == *name),
    };
    found.map(|one| one.id)
}
