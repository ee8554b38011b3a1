//! Finds out by its talkspurts whether a machine answered: machines greet at length.

use std::time::Duration;

use super::{Activity, Call, Ending, Next};
use crate::callback::{Answerer, CallEvent};
use crate::context::{Context, Due};
use crate::effect::TimerId;
use crate::instruction::MachineDetection;
use crate::record::{HangupCause, HangupSource, Timestamp};

/// How long after a talkspurt began, and after it ended, the media plane tells of it
/// (`mixminus_audio::Talking`). Whatever may still be told of the past is waited for.
const TOLD_AFTER_BEGIN: Duration = Duration::from_millis(80);
const TOLD_AFTER_END: Duration = Duration::from_millis(500);

/// What the far end does.
#[derive(Clone, Copy, Debug)]
enum Heard {
    /// It was silent since the answer.
    Nothing,
    /// It talks since then.
    Talk(Timestamp),
    /// It is silent since then.
    Pause(Timestamp),
}

/// Listens to a far end that answered.
#[derive(Debug)]
struct Detector {
    rules: MachineDetection,
    answered_at: Timestamp,
    heard: Heard,
    talkspurts: u32,
    /// How long those were that are over.
    spoken: Duration,
}

impl Detector {
    const fn new(rules: MachineDetection, answered_at: Timestamp) -> Self {
        Self { rules, answered_at, heard: Heard::Nothing, talkspurts: 0, spoken: Duration::ZERO }
    }

    /// Takes in what the media plane tells at `now`.
    fn hear(&mut self, talking: bool, now: Timestamp) {
        match (talking, self.heard) {
            (true, Heard::Nothing | Heard::Pause(_)) => {
                self.talkspurts += 1;
                self.heard = Heard::Talk(before(now, TOLD_AFTER_BEGIN).max(self.answered_at));
            }
            (false, Heard::Talk(since)) => {
                let end = before(now, TOLD_AFTER_END).max(since);
                self.spoken += end.since(since);
                self.heard = Heard::Pause(end);
            }
            _ => {}
        }
    }

    /// Who answered if nothing else is heard, and when that is certain.
    fn verdict(&self) -> (Timestamp, Answerer) {
        let rules = &self.rules;
        let by_sound = match self.heard {
            Heard::Nothing => {
                (self.answered_at + rules.initial_silence + TOLD_AFTER_BEGIN, Answerer::Unknown)
            }
            Heard::Talk(since) if self.talkspurts > rules.max_talkspurts => (since, Answerer::Machine),
            Heard::Talk(since) => {
                let most = rules.max_greeting.saturating_sub(self.spoken).min(rules.max_talkspurt);
                (since + most + TOLD_AFTER_END, Answerer::Machine)
            }
            Heard::Pause(since) => (since + rules.silence + TOLD_AFTER_BEGIN, Answerer::Person),
        };
        let given_up = self.answered_at + rules.time;
        if by_sound.0 <= given_up { by_sound } else { (given_up, Answerer::Unknown) }
    }
}

fn before(at: Timestamp, span: Duration) -> Timestamp {
    Timestamp::from_micros(at.as_micros() - span.as_micros() as i64)
}

/// A detection that is not over.
#[derive(Debug)]
pub(super) struct Detection {
    detector: Detector,
    timer: Option<TimerId>,
}

impl Detection {
    pub fn stop(&self, context: &mut Context) {
        if let Some(timer) = self.timer {
            context.cancel(timer);
        }
    }
}

impl Call {
    /// Begins to find out who answered. Without anybody to be told of it, the call waits for it.
    pub(super) fn look_for_machine(&mut self, rules: MachineDetection, context: &mut Context) -> Next {
        let waits = rules.callback.is_none();
        let detector = Detector::new(rules, context.now);
        self.detection = Some(Box::new(Detection { detector, timer: None }));
        let talks = self.leg.is_some_and(|leg| context.is_talking(leg));
        let next = if waits {
            self.activity = Activity::Detecting;
            Next::Idle
        } else {
            Next::Ready
        };
        let first = self.listen(Some(talks), context);
        debug_assert!(matches!(first, Next::Idle), "nothing is certain at once");
        next
    }

    /// Listens on: to what the media plane has just told, or only to time.
    pub fn listen(&mut self, talking: Option<bool>, context: &mut Context) -> Next {
        let Some(mut detection) = self.detection.take() else { return Next::Idle };
        detection.stop(context);
        let detector = &mut detection.detector;
        // What is certain by now does not change any more.
        if let Some(talking) = talking.filter(|_| detector.verdict().0 > context.now) {
            detector.hear(talking, context.now);
        }
        let (at, answerer) = detector.verdict();
        if at > context.now {
            detection.timer = Some(context.wake(at.since(context.now), Due::Answerer(self.record.id)));
            self.detection = Some(detection);
            return Next::Idle;
        }
        self.is_answered_by(answerer, &detection.detector.rules, context)
    }

    fn is_answered_by(
        &mut self,
        answerer: Answerer,
        rules: &MachineDetection,
        context: &mut Context,
    ) -> Next {
        self.answerer = Some(answerer);
        if let Some(action) = &rules.callback {
            self.tell_at(action, CallEvent::AnsweredBy { ends_machines: rules.hang_up }, context);
        }
        if rules.hang_up && answerer == Answerer::Machine {
            return Next::End(Ending::by(HangupSource::Service, HangupCause::Machine));
        }
        if matches!(self.activity, Activity::Detecting) { Next::Ready } else { Next::Idle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn rules() -> MachineDetection {
        MachineDetection {
            hang_up: false,
            callback: None,
            time: ms(5000),
            initial_silence: ms(4500),
            max_greeting: ms(1500),
            max_talkspurt: ms(5000),
            max_talkspurts: 3,
            silence: ms(800),
        }
    }

    /// What is found of a greeting, whose talkspurts begin and end so many milliseconds after the answer, and when.
    fn found(rules: MachineDetection, greeting: &[(u64, u64)]) -> (Answerer, u64) {
        let answered = Timestamp::from_micros(7_000_000);
        let mut detector = Detector::new(rules, answered);
        let told = greeting.iter().flat_map(|(from, to)| {
            [(answered + ms(*from) + TOLD_AFTER_BEGIN, true), (answered + ms(*to) + TOLD_AFTER_END, false)]
        });
        for (at, talking) in told {
            if detector.verdict().0 <= at {
                break;
            }
            detector.hear(talking, at);
        }
        let (at, answerer) = detector.verdict();
        (answerer, at.since(answered).as_millis() as u64)
    }

    #[test]
    fn people_greet_shortly_and_machines_at_length() {
        use Answerer::{Machine, Person, Unknown};
        for (greeting, expected) in [
            // Nobody says anything.
            (&[][..], (Unknown, 4580)),
            // Hello?
            (&[(700, 1100)][..], (Person, 1980)),
            // Hello. Ann Lee speaking.
            (&[(500, 900), (1450, 2400)], (Person, 3280)),
            // As long as a person may greet, and a little longer.
            (&[(1000, 2499)], (Person, 3379)),
            (&[(1000, 2501)], (Machine, 3000)),
            // You have reached the mailbox of …
            (&[(400, 4800)], (Machine, 2400)),
            // The pause is within the greeting, and speech alone counts.
            (&[(200, 1000), (1600, 2200), (2800, 3500)], (Machine, 3400)),
            // Four short sentences.
            (&[(100, 300), (900, 1100), (1700, 1900), (2500, 2700)], (Machine, 2500)),
            // It talks when the time is over.
            (&[(4000, 4900)], (Unknown, 5000)),
            (&[(4300, 4700)], (Unknown, 5000)),
        ] {
            assert_eq!(found(rules(), greeting), expected, "{greeting:?}");
        }
    }

    #[test]
    fn every_rule_can_be_changed() {
        use Answerer::{Machine, Person, Unknown};
        let plain = rules;
        for (rules, greeting, expected) in [
            (MachineDetection { time: ms(2000), ..plain() }, &[(400, 3000)][..], (Unknown, 2000)),
            (MachineDetection { initial_silence: ms(2000), ..plain() }, &[(2500, 3000)], (Unknown, 2080)),
            (MachineDetection { max_greeting: ms(3000), ..plain() }, &[(0, 2900)], (Person, 3780)),
            (
                MachineDetection { max_greeting: ms(3000), max_talkspurt: ms(1000), ..plain() },
                &[(0, 1200)],
                (Machine, 1500),
            ),
            (MachineDetection { max_talkspurts: 1, ..plain() }, &[(0, 200), (800, 900)], (Machine, 800)),
            (MachineDetection { silence: ms(500), ..plain() }, &[(0, 200), (800, 900)], (Person, 780)),
        ] {
            assert_eq!(found(rules.clone(), greeting), expected, "{rules:?} {greeting:?}");
        }
    }
}
