//! Two calls that a document connected.

use mixminus_mixer::{BridgeId, SinkRoutes, SourceId};

use super::{DRAINED, Switchboard};
use crate::call::{Call, Ending};
use crate::callback::{CallEvent, ConnectionEnd, DialStep, Dialled, PressedDigits};
use crate::context::{ConnectionId, Due, Tapped};
use crate::digit_matcher::DigitMatcher;
use crate::effect::{PromptContent, TimerId};
use crate::instruction::{Action, Dial, DialTerms};
use crate::record::{CallId, CallRecord, HangupCause, HangupSource, Timestamp};

/// A call that was answered, connected to the one that it was placed for.
#[derive(Debug)]
pub(super) struct Connection {
    bridge: BridgeId,
    caller: CallId,
    callee: CallId,
    longest: TimerId,
    dial: Box<Dial>,
    caller_digits: DigitMatcher,
    callee_digits: DigitMatcher,
}

impl Connection {
    pub fn other(&self, call: CallId) -> CallId {
        if call == self.caller { self.callee } else { self.caller }
    }

    pub fn is_callers(&self, call: CallId) -> bool {
        call == self.caller
    }

    /// Takes a digit of `call`: what its document is to be told of, if that completes it.
    pub fn press(&mut self, call: CallId, digit: char, now: Timestamp) -> Option<(String, ConnectionEnd)> {
        let (matcher, by) = if self.is_callers(call) {
            (&mut self.caller_digits, ConnectionEnd::Caller)
        } else {
            (&mut self.callee_digits, ConnectionEnd::Callee)
        };
        Some((matcher.press(digit, now)?, by))
    }

    /// What is heard while somebody rings who is to be at one of its ends.
    pub fn music(&self) -> Option<PromptContent> {
        self.dial.terms.music.content()
    }

    /// Whose document placed `call`, and how; nobody's if that is the caller.
    pub fn placer_of(&self, call: CallId) -> Option<(CallId, Box<Dial>)> {
        (call == self.callee).then(|| (self.caller, self.dial.clone()))
    }

    /// How whoever is connected to `call` is connected to another: as its own document says, if it has one.
    pub fn dial_without(self, call: CallId) -> Box<Dial> {
        if self.is_callers(call) { unasked(&self.dial) } else { self.dial }
    }

    /// Puts `successor` into the place of `call`; it counts as the callee of the one who stays.
    pub fn give_end(&mut self, call: CallId, successor: CallId) {
        if self.is_callers(call) {
            self.dial = unasked(&self.dial);
            self.caller_digits = DigitMatcher::new(Vec::new());
        }
        (self.caller, self.callee) = (self.other(call), successor);
        self.callee_digits = DigitMatcher::new(self.dial.callee_digits.clone());
    }

    /// Whether `digit` of `call` ends it.
    pub fn ended_by(&self, call: CallId, digit: char) -> bool {
        digit == '*' && self.dial.end_on_star && call == self.caller
    }
}

/// A connection like that of `dial` which nobody's document asks for.
fn unasked(dial: &Dial) -> Box<Dial> {
    Box::new(Dial {
        destinations: Vec::new(),
        terms: DialTerms { music: dial.terms.music.clone(), ..DialTerms::default() },
        time_limit: dial.time_limit,
        end_on_star: false,
        report: None,
        callback: None,
        caller_digits: Vec::new(),
        callee_digits: Vec::new(),
    })
}

impl Switchboard {
    /// Connects a caller to the call that its document placed.
    pub(super) fn connect(&mut self, caller: CallId, callee: CallId) {
        let Some(dial) = self.calls.get_mut(&caller).and_then(|call| call.take_dial(&mut self.context))
        else {
            return self.end_call(callee, Ending::by(HangupSource::Service, HangupCause::Canceled));
        };
        let id = self.context.connection();
        let longest = self.context.wake(dial.time_limit, Due::ConnectionEnd(id));
        let bridge = self.context.bridge();
        let caller_digits = DigitMatcher::new(dial.caller_digits.clone());
        let callee_digits = DigitMatcher::new(dial.callee_digits.clone());
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
            let meanwhile = self.heard_meanwhile(id, sink.id()).filter(|_| sink.hears_others());
            let prompts = sink.overheard().into_iter().chain(meanwhile).map(SourceId::Prompt);
            let hears = voice.into_iter().chain(prompts).collect();
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
    pub(super) fn go_on_after_dial(&mut self, caller: CallId, dialled: Dialled) {
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
    pub(super) fn tell_of_end(&mut self, caller: CallId, dial: &Dial, callee: CallRecord) {
        if let (Some(callback), Some(call)) = (&dial.callback, self.calls.get_mut(&caller)) {
            let event = CallEvent::DialStep(DialStep::Ended, Box::new(callee));
            call.tell_at(callback, event, &mut self.context);
        }
    }

    /// Tells the caller's application of a step of the callee's call.
    pub(super) fn tell_caller(&mut self, caller: CallId, callee: CallId, step: DialStep) {
        let Some(callee) = self.calls.get(&callee).map(|call| call.record().clone()) else { return };
        self.tell_dial(caller, CallEvent::DialStep(step, Box::new(callee)));
    }

    pub(super) fn tell_dial(&mut self, caller: CallId, event: CallEvent) {
        let Some(callback) = self.dial_callback(caller) else { return };
        if let Some(call) = self.calls.get_mut(&caller) {
            call.tell_at(&callback, event, &mut self.context);
        }
    }

    /// Takes a digit of a call that is connected to another.
    pub(super) fn connected_digit(&mut self, id: ConnectionId, call: CallId, digit: char) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let pressed = connection.press(call, digit, self.context.now);
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
