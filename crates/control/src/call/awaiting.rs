//! Waiting until the far end says nothing.

use std::time::Duration;

use super::{Activity, Call, Next};
use crate::context::{Context, Due};
use crate::effect::TimerId;

/// A wait that ends early, once the far end was silent for long enough.
#[derive(Debug)]
pub(super) struct Silence {
    least: Duration,
    longest: TimerId,
    /// Runs while the far end is silent.
    silent: Option<TimerId>,
}

impl Silence {
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
    pub(super) fn await_silence(&mut self, least: Duration, longest: Duration, context: &mut Context) {
        self.silent_documents = 0;
        self.be_alone(None, context);
        let due = Due::Step(self.record.id);
        let talks = self.leg.is_some_and(|leg| context.is_talking(leg));
        let silent = (!talks).then(|| context.wake(least, due));
        self.activity =
            Activity::AwaitingSilence(Silence { least, longest: context.wake(longest, due), silent });
    }

    /// The far end began to talk, or stopped.
    pub(super) fn measure_silence(&mut self, talking: bool, context: &mut Context) {
        let Activity::AwaitingSilence(silence) = &mut self.activity else { return };
        if talking {
            silence.silent.take().into_iter().for_each(|timer| context.cancel(timer));
        } else if silence.silent.is_none() {
            silence.silent = Some(context.wake(silence.least, Due::Step(self.record.id)));
        }
    }

    /// The far end was silent, or never will be.
    pub(super) fn silence_over(&mut self, context: &mut Context) -> Next {
        if let Activity::AwaitingSilence(silence) = std::mem::replace(&mut self.activity, Activity::Deciding)
        {
            silence.stop(context);
        }
        self.run(context)
    }
}
