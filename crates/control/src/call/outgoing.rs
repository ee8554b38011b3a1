//! A call that we place.

use std::time::Duration;

use mixminus_mixer::{LegId, PromptId};

use super::{Activity, Call, Next};
use crate::callback::CallEvent;
use crate::context::{Context, Due};
use crate::effect::{Effect, PlaceCall, PromptContent, Repeat, TimerId};
use crate::instruction::{CallUrls, Confirm, Destination, DialTerms, MachineDetection};
use crate::record::{CallRecord, CallState, HangupCause, PlacementId};

/// How long one digit takes to be sent, with the gap after it.
const DIGIT: Duration = Duration::from_millis(200);
/// The pauses that may be sent between digits.
const SHORT_PAUSE: Duration = Duration::from_millis(500);
const LONG_PAUSE: Duration = Duration::from_secs(1);

/// What is only known of a call that we place until it is connected.
#[derive(Debug)]
pub(super) struct Placed {
    placement: PlacementId,
    destination: Destination,
    confirm: Option<Confirm>,
    machine: Option<Box<MachineDetection>>,
    time_limit: Option<Duration>,
    /// Whether its far end can be heard.
    audible: bool,
    /// When it is to be dialled, then when it has rung long enough.
    timers: Vec<TimerId>,
}

impl Placed {
    pub fn stop(&self, context: &mut Context) {
        self.timers.iter().for_each(|timer| context.cancel(*timer));
    }
}

/// The key that a callee is asked for.
#[derive(Debug)]
pub(super) struct Confirming {
    confirm: Confirm,
    prompt: Option<PromptId>,
    timer: Option<TimerId>,
}

impl Confirming {
    /// Whether `digit` is the key.
    pub fn takes(&self, digit: char) -> bool {
        self.confirm.key.is_none_or(|key| key == digit)
    }

    pub fn awaits(&self, timer: TimerId) -> bool {
        self.timer == Some(timer)
    }

    pub fn stop(self, context: &mut Context) {
        if let Some(prompt) = self.prompt {
            context.stop_prompt(prompt);
        }
        if let Some(timer) = self.timer {
            context.cancel(timer);
        }
    }
}

impl Call {
    /// A call to `destination`, to be dialled at once or, after its delay, when [`Due::Dial`] comes.
    pub fn place(
        record: CallRecord,
        (destination, time_limit): (Destination, Option<Duration>),
        terms: &DialTerms,
        urls: CallUrls,
        context: &mut Context,
    ) -> Self {
        let delay = destination.delay;
        let later = (!delay.is_zero()).then(|| context.wake(delay, Due::Dial(record.id)));
        let timers = later.into_iter().collect();
        let placement = record.placement.expect("a call is placed by a placement");
        let mut call = Self::new(record, None, urls);
        call.save(context);
        call.activity = Activity::Placed;
        let (confirm, machine) = (terms.confirm.clone(), terms.machine.clone());
        call.placed =
            Some(Placed { placement, destination, confirm, machine, time_limit, audible: false, timers });
        call
    }

    /// Whether it is to be dialled later, not at once.
    pub fn waits_to_be_dialled(&self) -> bool {
        self.placed.as_ref().is_some_and(|placed| !placed.timers.is_empty())
    }

    /// The placement that this call belongs to until it is connected.
    pub fn placement(&self) -> Option<PlacementId> {
        self.placed.as_ref().map(|placed| placed.placement)
    }

    pub fn dial(&mut self, context: &mut Context) {
        let Some(placed) = &mut self.placed else { return };
        let due = Due::RingTimeout(self.record.id);
        placed.timers = vec![context.wake(placed.destination.ring_timeout, due)];
        let (headers, credentials) =
            (placed.destination.headers.clone(), placed.destination.credentials.take());
        context.push(Effect::Dial(Box::new(PlaceCall { call: self.record.clone(), headers, credentials })));
    }

    pub const fn dialled_as(&mut self, leg: LegId) {
        self.leg = Some(leg);
    }

    pub fn rings(&mut self, context: &mut Context) {
        if self.record.state == CallState::Queued {
            self.record.state = CallState::Ringing;
            self.rang = true;
            if let Some(placed) = &mut self.placed
                && let Some(limit) = placed.destination.ring_limit
            {
                placed.timers.push(context.wake(limit, Due::RingTimeout(self.record.id)));
            }
            self.save(context);
            self.tell(&CallEvent::Ringing, context);
        }
    }

    /// Takes notice that the far end, which has not answered, can be heard, and may hear digits.
    pub fn be_audible(&mut self, context: &mut Context) {
        let Some(placed) = &mut self.placed else { return };
        placed.audible = true;
        let early = Some(&mut placed.destination).filter(|destination| destination.digits_early);
        if let Some(digits) = early.and_then(|destination| destination.digits.take()) {
            // Only in a bridge is anything sent.
            self.seat_alone(None, context);
            self.send_digits(&digits, context);
        }
    }

    /// Its leg, if the far end can be heard and has not answered.
    pub fn audible(&self) -> Option<LegId> {
        let audible = !self.is_answered() && self.placed.as_ref().is_some_and(|placed| placed.audible);
        self.leg.filter(|_| audible)
    }

    /// Takes the answer, and asks for the key if there is to be one.
    pub fn callee_answered(&mut self, context: &mut Context) -> Next {
        self.be_answered(context);
        let Some(placed) = &mut self.placed else { return Next::Idle };
        placed.timers.drain(..).for_each(|timer| context.cancel(timer));
        let (digits, confirm) = (placed.destination.digits.take(), placed.confirm.take());
        let machine = placed.machine.take();
        if let Some(limit) = placed.time_limit {
            self.schedule_hangup(limit, context);
        }
        self.be_alone(None, context);
        if let Some(digits) = digits {
            self.send_digits(&digits, context);
        }
        match (confirm, machine) {
            (Some(confirm), _) => self.confirm(confirm, context),
            (None, Some(rules)) => self.look_for_machine(*rules, context),
            (None, None) => Next::Ready,
        }
    }

    fn confirm(&mut self, confirm: Confirm, context: &mut Context) -> Next {
        let sound = confirm.sound.clone().map(PromptContent::Sounds);
        let prompt = sound.map(|content| self.play(content, Repeat::Times(1), context));
        let due = Due::Step(self.record.id);
        let timer = prompt.is_none().then(|| context.wake(confirm.timeout, due));
        self.activity = Activity::Confirming(Confirming { confirm, prompt, timer });
        Next::Idle
    }

    pub(super) fn confirm_prompt_ended(&mut self, ended: PromptId, context: &mut Context) -> Next {
        let call = self.record.id;
        if let Activity::Confirming(Confirming { confirm, prompt, timer }) = &mut self.activity
            && *prompt == Some(ended)
        {
            *prompt = None;
            *timer = Some(context.wake(confirm.timeout, Due::Step(call)));
            context.stop_prompt(ended);
            self.be_alone(None, context);
        }
        Next::Idle
    }

    pub(super) fn confirmed(&mut self, context: &mut Context) -> Next {
        self.interrupt(context);
        self.be_alone(None, context);
        Next::Ready
    }

    /// Whether its far end rang.
    pub const fn rang(&self) -> bool {
        self.rang
    }

    /// Says that what the call was placed for begins, or was begun by another.
    pub fn leave_placement(&mut self, context: &mut Context) {
        if let Some(placed) = self.placed.take() {
            placed.stop(context);
        }
    }

    /// Sends `digits`, with the pauses in them, and returns how long that takes.
    pub fn send_digits(&mut self, digits: &str, context: &mut Context) -> Duration {
        let idle = self.unsent_digits.is_empty();
        self.unsent_digits.extend(digits.chars());
        let takes = self.unsent_digits.iter().map(|digit| time_of(*digit)).sum();
        if idle {
            self.send_more_digits(context);
        }
        takes
    }

    /// Sends the digits up to the next pause, and what follows after it.
    pub fn send_more_digits(&mut self, context: &mut Context) {
        let Some(leg) = self.leg else { return };
        let mut run = String::new();
        let mut pause = Duration::ZERO;
        while let Some(digit) = self.unsent_digits.front().copied() {
            let is_pause = matches!(digit, 'w' | 'W');
            if !is_pause && !pause.is_zero() {
                break;
            }
            self.unsent_digits.pop_front();
            if is_pause {
                pause += time_of(digit);
            } else {
                run.push(digit);
            }
        }
        let takes: Duration = run.chars().map(time_of).sum();
        if !run.is_empty() {
            context.push(Effect::SendDigits { legs: vec![leg], digits: run });
        }
        if !self.unsent_digits.is_empty() {
            self.next_digits = Some(context.wake(takes + pause, Due::Digits(self.record.id)));
        }
    }
}

const fn time_of(digit: char) -> Duration {
    match digit {
        'w' => SHORT_PAUSE,
        'W' => LONG_PAUSE,
        _ => DIGIT,
    }
}

/// What a SIP status says of a call that was not answered (RFC 3261, section 21).
pub(super) const fn refused(status: u16) -> HangupCause {
    match status {
        486 => HangupCause::Busy,
        600 => HangupCause::BusyEverywhere,
        603 => HangupCause::Declined,
        604 => HangupCause::UnknownEverywhere,
        403 => HangupCause::Forbidden,
        404 | 410 => HangupCause::UnknownAddress,
        484 | 416 => HangupCause::InvalidAddress,
        408 => HangupCause::RequestTimeout,
        480 | 487 => HangupCause::NoAnswer,
        503 => HangupCause::FarEndCongested,
        500..=599 => HangupCause::FarEndFailed,
        _ => HangupCause::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_far_end_answers_is_why_the_call_failed() {
        for (status, cause) in [
            (486, HangupCause::Busy),
            (603, HangupCause::Declined),
            (404, HangupCause::UnknownAddress),
            (408, HangupCause::RequestTimeout),
            (480, HangupCause::NoAnswer),
            (488, HangupCause::Rejected),
            (500, HangupCause::FarEndFailed),
            (503, HangupCause::FarEndCongested),
        ] {
            assert_eq!(refused(status), cause, "{status}");
        }
    }
}
