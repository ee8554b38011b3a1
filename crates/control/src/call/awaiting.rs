//! Waiting until the far end says nothing, or its answering machine beeps.

use std::time::Duration;

use mixminus_mixer::{TapId, TapRoutes};

use super::{Activity, Call, Next, listening};
use crate::context::{Context, Due};
use crate::effect::{Listened, TimerId};
use crate::instruction::Await;

/// A wait that ends early, at what it awaits.
#[derive(Debug)]
pub(super) struct Awaiting {
    /// How long the far end has to be silent, if that ends it.
    silence: Option<Duration>,
    longest: TimerId,
    /// Runs while the far end is silent.
    silent: Option<TimerId>,
    /// By what a beep is listened for.
    tap: Option<TapId>,
}

impl Awaiting {
    pub fn awaits(&self, timer: TimerId) -> bool {
        self.longest == timer || self.silent == Some(timer)
    }

    fn measure(&mut self, talking: bool, due: Due, context: &mut Context) {
        if talking {
            self.silent.take().into_iter().for_each(|timer| context.cancel(timer));
        } else if self.silent.is_none() {
            self.silent = self.silence.map(|least| context.wake(least, due));
        }
    }
}

impl Call {
    pub(super) fn await_early_end(&mut self, terms: &Await, context: &mut Context) {
        self.silent_documents = 0;
        self.be_alone(None, context);
        let (call, due) = (self.record.id, Due::Step(self.record.id));
        let mut awaiting = Awaiting {
            silence: terms.silence,
            longest: context.wake(terms.longest, due),
            silent: None,
            tap: terms.beep.map(|beep| context.listen(call, Listened::Beep(beep))),
        };
        awaiting.measure(self.leg.is_some_and(|leg| context.is_talking(leg)), due, context);
        let listens = awaiting.tap.is_some();
        self.activity = Activity::Awaiting(awaiting);
        if listens {
            self.route_private(context);
        }
    }

    /// The far end began to talk, or stopped.
    pub(super) fn measure_silence(&mut self, talking: bool, context: &mut Context) {
        if let Activity::Awaiting(awaiting) = &mut self.activity {
            awaiting.measure(talking, Due::Step(self.record.id), context);
        }
    }

    /// What carries what a beep is listened for in.
    pub(super) fn beep_routes(&self) -> Option<TapRoutes> {
        match &self.activity {
            Activity::Awaiting(Awaiting { tap: Some(tap), .. }) => {
                self.leg.map(|leg| listening::said_by(leg, *tap))
            }
            _ => None,
        }
    }

    /// There was a beep.
    pub(super) fn beep_heard(&mut self, context: &mut Context) -> Next {
        if matches!(self.activity, Activity::Awaiting(_)) { self.await_no_more(context) } else { Next::Idle }
    }

    /// What was awaited came, or never will.
    pub(super) fn await_no_more(&mut self, context: &mut Context) -> Next {
        self.stop_awaiting(context);
        self.run(context)
    }

    /// Lets go of what is awaited, if anything is.
    pub(super) fn stop_awaiting(&mut self, context: &mut Context) {
        let awaiting = match std::mem::replace(&mut self.activity, Activity::Deciding) {
            Activity::Awaiting(awaiting) => awaiting,
            other => return self.activity = other,
        };
        for timer in [Some(awaiting.longest), awaiting.silent].into_iter().flatten() {
            context.cancel(timer);
        }
        if let Some(tap) = awaiting.tap {
            self.route_private(context);
            context.stop_listening(tap);
        }
    }
}
