//! Asking a caller for digits or words.

use std::collections::VecDeque;
use std::time::Duration;

use mixminus_mixer::PromptId;

use super::{Activity, Call, Next};
use crate::callback::Entry;
use crate::context::{Context, Due};
use crate::effect::{PromptContent, Prosody, Repeat, TimerId};
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
            Instruction::Speak { text, voice, language, repeat } => Some(Self::Play(
                PromptContent::Speech { text, voice, language, prosody: Prosody::default() },
                repeat,
            )),
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
    /// The time in which a digit has to come, or the caller has to talk.
    Digit(TimerId),
}

/// How much of the time of a try is left.
#[derive(Debug)]
enum Clock {
    /// All of it.
    Stopped,
    Running(TimerId),
    /// None.
    Over,
}

/// A question that was asked and is not answered yet.
#[derive(Debug)]
pub(super) struct Collecting {
    pub collect: Collect,
    /// What was recognised and told, of all tries.
    pub told: u64,
    tries_left: u32,
    digits: String,
    cues: VecDeque<Cue>,
    awaited: Option<Awaited>,
    clock: Clock,
}

impl Collecting {
    fn new(collect: Collect) -> Box<Self> {
        let tries_left = collect.tries;
        Box::new(Self {
            collect,
            told: 0,
            tries_left,
            digits: String::new(),
            cues: VecDeque::new(),
            awaited: None,
            clock: Clock::Stopped,
        })
    }

    /// Lets go of what it waits for.
    pub fn stop(mut self: Box<Self>, context: &mut Context) {
        self.await_nothing(context);
        self.stop_clock(context);
    }

    fn await_nothing(&mut self, context: &mut Context) {
        match self.awaited.take() {
            Some(Awaited::Prompt(prompt)) => context.stop_prompt(prompt),
            Some(Awaited::Pause(timer) | Awaited::Digit(timer)) => context.cancel(timer),
            None => {}
        }
    }

    fn stop_clock(&mut self, context: &mut Context) {
        if let Clock::Running(timer) = std::mem::replace(&mut self.clock, Clock::Stopped) {
            context.cancel(timer);
        }
    }

    fn start_clock(&mut self, due: Due, context: &mut Context) {
        if let (Clock::Stopped, Some(total)) = (&self.clock, self.collect.total_timeout) {
            self.clock = Clock::Running(context.wake(total, due));
        }
    }

    /// Whether there is time for another attempt at what was not understood.
    pub const fn has_time(&self) -> bool {
        !matches!(self.clock, Clock::Over)
    }

    /// Whether digits can answer it.
    pub const fn takes_digits(&self) -> bool {
        !self.collect.accepted.is_empty()
    }

    /// Whether it waits for the first digit or word, its prompts over.
    pub fn is_callers_turn(&self) -> bool {
        self.cues.is_empty() && !matches!(self.awaited, Some(Awaited::Prompt(_) | Awaited::Pause(_)))
    }

    /// Waits for as long as the caller likes, within the time of the try.
    pub fn be_patient(&mut self, context: &mut Context) {
        if matches!(self.awaited, Some(Awaited::Digit(_))) {
            self.await_nothing(context);
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
        self.ask(Collecting::new(collect), None, context)
    }

    fn ask(&mut self, mut collecting: Box<Collecting>, wrong: Option<Action>, context: &mut Context) -> Next {
        collecting.ask(wrong);
        if let Some(terms) = &collecting.collect.speech {
            self.begin_listening(terms, context);
        }
        self.cue(collecting, context)
    }

    /// Plays the next cue, or waits for the caller after the last one.
    fn cue(&mut self, mut collecting: Box<Collecting>, context: &mut Context) -> Next {
        let due = Due::Step(self.record.id);
        match collecting.cues.pop_front() {
            Some(Cue::Play(content, repeat)) => {
                collecting.awaited = Some(Awaited::Prompt(self.play(content, repeat, context)));
            }
            Some(Cue::Pause(length)) => {
                self.be_alone(None, context);
                collecting.awaited = Some(Awaited::Pause(context.wake(length, due)));
            }
            None => {
                self.silent_documents = 0;
                self.be_alone(None, context);
                collecting.start_clock(due, context);
                self.await_entry(&mut collecting, context);
            }
        }
        self.go_on_collecting(collecting)
    }

    /// Waits for the caller to begin, if it is its turn and it has not begun.
    pub(super) fn await_entry(&self, collecting: &mut Collecting, context: &mut Context) {
        if collecting.is_callers_turn() && collecting.awaited.is_none() && !self.is_speaking(context) {
            let timer = context.wake(collecting.collect.first_timeout, Due::Step(self.record.id));
            collecting.awaited = Some(Awaited::Digit(timer));
        }
    }

    pub(super) fn go_on_collecting(&mut self, collecting: Box<Collecting>) -> Next {
        self.activity = Activity::Collecting(collecting);
        Next::Idle
    }

    /// Takes the question out of the call if that is what it does.
    pub(super) fn take_collecting(
        &mut self,
        is: impl FnOnce(&Collecting) -> bool,
    ) -> Option<Box<Collecting>> {
        match std::mem::replace(&mut self.activity, Activity::Deciding) {
            Activity::Collecting(collecting) if is(&collecting) => Some(collecting),
            other => {
                self.activity = other;
                None
            }
        }
    }

    pub(super) fn collect_prompt_ended(&mut self, prompt: PromptId, context: &mut Context) -> Next {
        let ended =
            |asked: &Collecting| matches!(asked.awaited, Some(Awaited::Prompt(playing)) if playing == prompt);
        let Some(mut collecting) = self.take_collecting(ended) else { return Next::Idle };
        collecting.await_nothing(context);
        self.cue(collecting, context)
    }

    pub(super) fn collect_time_over(&mut self, timer: TimerId, context: &mut Context) -> Next {
        if self.fell_silent(timer, context) {
            return Next::Idle;
        }
        let Some(mut collecting) = self.take_collecting(|_| true) else { return Next::Idle };
        match (&collecting.clock, &collecting.awaited) {
            (Clock::Running(running), _) if *running == timer => {
                collecting.clock = Clock::Over;
                self.collect_overdue(collecting, context)
            }
            (_, Some(Awaited::Pause(waiting))) if *waiting == timer => {
                collecting.awaited = None;
                self.cue(collecting, context)
            }
            (_, Some(Awaited::Digit(waiting))) if *waiting == timer => {
                collecting.awaited = None;
                self.collect_overdue(collecting, context)
            }
            _ => self.go_on_collecting(collecting),
        }
    }

    /// Takes what there is when the caller took too long.
    fn collect_overdue(&mut self, mut collecting: Box<Collecting>, context: &mut Context) -> Next {
        if !collecting.digits.is_empty() {
            let digits = std::mem::take(&mut collecting.digits);
            return self.collect_done(collecting, Entry::Digits(digits), context);
        }
        if self.hear_out(context) {
            return self.go_on_collecting(collecting);
        }
        self.ask_again(collecting, None, context)
    }

    /// The caller begins: nothing is played to it any more.
    pub(super) fn let_enter(&mut self, collecting: &mut Collecting, context: &mut Context) {
        collecting.await_nothing(context);
        collecting.cues.clear();
        collecting.start_clock(Due::Step(self.record.id), context);
        self.be_alone(None, context);
    }

    pub(super) fn collect_digit(&mut self, digit: char, context: &mut Context) -> Next {
        if self.has_heard() {
            return Next::Idle;
        }
        let Some(mut collecting) = self.take_collecting(Collecting::takes_digits) else { return Next::Idle };
        self.stop_listening(context);
        self.let_enter(&mut collecting, context);
        let collect = &collecting.collect;
        if collect.finish_on != Some(digit) {
            if !collect.accepted.contains(digit) {
                let sound = collect.refusal_sound.clone();
                return self.ask_again(collecting, sound, context);
            }
            let (most, next) = (collect.max_digits, collect.next_timeout);
            collecting.digits.push(digit);
            if collecting.digits.len() < most {
                collecting.awaited = Some(Awaited::Digit(context.wake(next, Due::Step(self.record.id))));
                return self.go_on_collecting(collecting);
            }
        }
        let digits = std::mem::take(&mut collecting.digits);
        self.collect_done(collecting, Entry::Digits(digits), context)
    }

    pub(super) fn ask_again(
        &mut self,
        mut collecting: Box<Collecting>,
        wrong: Option<Action>,
        context: &mut Context,
    ) -> Next {
        if collecting.tries_left == 0 {
            return self.collect_nothing(collecting, context);
        }
        self.stop_listening(context);
        collecting.await_nothing(context);
        collecting.stop_clock(context);
        self.ask(collecting, wrong, context)
    }

    /// Goes on without an answer.
    pub(super) fn collect_nothing(&mut self, collecting: Box<Collecting>, context: &mut Context) -> Next {
        self.stop_listening(context);
        collecting.stop(context);
        self.run(context)
    }

    pub(super) fn collect_done(
        &mut self,
        collecting: Box<Collecting>,
        entry: Entry,
        context: &mut Context,
    ) -> Next {
        self.stop_listening(context);
        let collect = collecting.collect.clone();
        collecting.stop(context);
        self.collected(collect, entry, context)
    }
}
