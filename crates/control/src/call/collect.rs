//! Asking a caller for digits.

use std::collections::VecDeque;
use std::time::Duration;

use mixminus_mixer::PromptId;

use super::{Activity, Call, Next};
use crate::context::{Context, Due};
use crate::effect::{PromptContent, Repeat, TimerId};
use crate::instruction::{Action, Collect, Instruction};

/// Something the caller hears before its turn.
#[derive(Debug)]
enum Cue {
    Play(PromptContent, Repeat),
    Pause(Duration),
}

impl Cue {
    /// An instruction that is heard; no other can be a cue.
    fn of(instruction: &Instruction) -> Option<Self> {
        match instruction.clone() {
            Instruction::Speak { text, voice, language, repeat } => {
                Some(Self::Play(PromptContent::Speech { text, voice, language }, repeat))
            }
            Instruction::Play { url, repeat } => Some(Self::Play(PromptContent::File(url), repeat)),
            Instruction::PlaySeveral { contents, repeat } => {
                Some(Self::Play(PromptContent::Several(contents), repeat))
            }
            Instruction::Wait { length } => Some(Self::Pause(length)),
            _ => None,
        }
    }
}

/// What has to end before there is more to do.
#[derive(Debug)]
enum Awaited {
    Prompt(PromptId),
    Pause(TimerId),
    /// The time in which a digit has to come.
    Digit(TimerId),
}

/// A question that was asked and is not answered yet.
#[derive(Debug)]
pub(super) struct Collecting {
    collect: Collect,
    tries_left: u32,
    digits: String,
    cues: VecDeque<Cue>,
    awaited: Option<Awaited>,
}

impl Collecting {
    fn new(collect: Collect) -> Box<Self> {
        let tries_left = collect.tries;
        Box::new(Self { collect, tries_left, digits: String::new(), cues: VecDeque::new(), awaited: None })
    }

    /// Lets go of what it waits for.
    pub fn stop(mut self: Box<Self>, context: &mut Context) {
        self.await_nothing(context);
    }

    fn await_nothing(&mut self, context: &mut Context) {
        match self.awaited.take() {
            Some(Awaited::Prompt(prompt)) => context.stop_prompt(prompt),
            Some(Awaited::Pause(timer) | Awaited::Digit(timer)) => context.cancel(timer),
            None => {}
        }
    }

    /// Begins another try, after a sound that says what was wrong with the last one.
    fn ask(&mut self, wrong: Option<Action>) {
        self.tries_left = self.tries_left.saturating_sub(1);
        self.digits.clear();
        let wrong = wrong.map(|action| Cue::Play(PromptContent::Sounds(action), Repeat::Times(1)));
        let beep = self.collect.beep.then_some(Cue::Play(PromptContent::Beep1, Repeat::Times(1)));
        let prompts = self.collect.prompts.iter().filter_map(Cue::of);
        self.cues = wrong.into_iter().chain(prompts).chain(beep).collect();
    }
}

impl Call {
    pub(super) fn collect(&mut self, collect: Collect, context: &mut Context) -> Next {
        let mut collecting = Collecting::new(collect);
        collecting.ask(None);
        self.cue(collecting, context)
    }

    /// Plays the next cue, or waits for a digit after the last one.
    fn cue(&mut self, mut collecting: Box<Collecting>, context: &mut Context) -> Next {
        let due = Due::Step(self.record.id);
        let awaited = match collecting.cues.pop_front() {
            Some(Cue::Play(content, repeat)) => Awaited::Prompt(self.play(content, repeat, context)),
            Some(Cue::Pause(length)) => {
                self.be_alone(None, context);
                Awaited::Pause(context.wake(length, due))
            }
            None => {
                self.silent_documents = 0;
                self.be_alone(None, context);
                Awaited::Digit(context.wake(collecting.collect.first_timeout, due))
            }
        };
        collecting.awaited = Some(awaited);
        self.activity = Activity::Collecting(collecting);
        Next::Idle
    }

    /// Takes the question out of the call if that is what it does.
    fn take_collecting(&mut self, is: impl FnOnce(&Awaited) -> bool) -> Option<Box<Collecting>> {
        match std::mem::replace(&mut self.activity, Activity::Deciding) {
            Activity::Collecting(collecting) if collecting.awaited.as_ref().is_some_and(is) => {
                Some(collecting)
            }
            other => {
                self.activity = other;
                None
            }
        }
    }

    pub(super) fn collect_prompt_ended(&mut self, prompt: PromptId, context: &mut Context) -> Next {
        let ended = |awaited: &Awaited| matches!(awaited, Awaited::Prompt(playing) if *playing == prompt);
        let Some(mut collecting) = self.take_collecting(ended) else { return Next::Idle };
        collecting.await_nothing(context);
        self.cue(collecting, context)
    }

    pub(super) fn collect_time_over(&mut self, timer: TimerId, context: &mut Context) -> Next {
        let over = |awaited: &Awaited| matches!(awaited, Awaited::Pause(waiting) | Awaited::Digit(waiting) if *waiting == timer);
        let Some(mut collecting) = self.take_collecting(over) else { return Next::Idle };
        match collecting.awaited.take() {
            Some(Awaited::Pause(_)) => self.cue(collecting, context),
            _ if !collecting.digits.is_empty() => self.collect_done(collecting, context),
            _ => self.ask_again(collecting, None, context),
        }
    }

    pub(super) fn collect_digit(&mut self, digit: char, context: &mut Context) -> Next {
        let Some(mut collecting) = self.take_collecting(|_| true) else { return Next::Idle };
        collecting.await_nothing(context);
        collecting.cues.clear();
        self.be_alone(None, context);
        let collect = &collecting.collect;
        if collect.finish_on == Some(digit) {
            return self.collect_done(collecting, context);
        }
        if !collect.accepted.contains(digit) {
            let sound = collect.refusal_sound.clone();
            return self.ask_again(collecting, sound, context);
        }
        let (most, next) = (collect.max_digits, collect.next_timeout);
        collecting.digits.push(digit);
        if collecting.digits.len() >= most {
            return self.collect_done(collecting, context);
        }
        collecting.awaited = Some(Awaited::Digit(context.wake(next, Due::Step(self.record.id))));
        self.activity = Activity::Collecting(collecting);
        Next::Idle
    }

    fn ask_again(
        &mut self,
        mut collecting: Box<Collecting>,
        wrong: Option<Action>,
        context: &mut Context,
    ) -> Next {
        if collecting.tries_left == 0 {
            return self.run(context);
        }
        collecting.ask(wrong);
        self.cue(collecting, context)
    }

    fn collect_done(&mut self, collecting: Box<Collecting>, context: &mut Context) -> Next {
        let Collecting { collect, digits, .. } = *collecting;
        self.collected(collect, digits, context)
    }
}
