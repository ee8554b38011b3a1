//! Waiting until the far end says nothing.

use std::time::Duration;

use super::{Activity, Call, Next};
use crate::context::{Context, Due};
use crate::effect::TimerId;

/// A wait that ends early, once the far end was silent for long enough.
#[derive(Debug)]
pub(super) struct Listening {
    silence: Duration,
    longest: TimerId,
    /// Runs while the far end is silent.
    silent: Option<TimerId>,
}

impl Listening {
    pub fn awaits(&self, timer: TimerId) -> bool {
        self.longest == timer || self.silent == Some(timer)
    }

    /// Lets go of what it waits for.
    pub fn stop(self, context: &mut Context) {
        for timer in [Some(self.longest), self.silent].into_iter().flatten() {
            context.cancel(timer);
        }
    }
}

impl Call {
    pub(super) fn await_silence(&mut self, silence: Duration, longest: Duration, context: &mut Context) {
        self.silent_documents = 0;
        self.be_alone(None, context);
        let due = Due::Step(self.record.id);
        let talks = self.leg.is_some_and(|leg| context.is_talking(leg));
        let silent = (!talks).then(|| context.wake(silence, due));
        self.activity =
            Activity::Listening(Listening { silence, longest: context.wake(longest, due), silent });
    }

    /// The far end began to talk, or stopped.
    pub(super) fn measure_silence(&mut self, talking: bool, context: &mut Context) {
        let Activity::Listening(listening) = &mut self.activity else { return };
        if talking {
            listening.silent.take().into_iter().for_each(|timer| context.cancel(timer));
        } else if listening.silent.is_none() {
            listening.silent = Some(context.wake(listening.silence, Due::Step(self.record.id)));
        }
    }

    /// The far end was silent, or never will be.
    pub(super) fn listened(&mut self, context: &mut Context) -> Next {
        self.interrupt(context);
        self.run(context)
    }
}
