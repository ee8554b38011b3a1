//! The caller's turn to say something that is recorded.

use mixminus_mixer::PromptId;

use super::recording::Reason;
use super::{Activity, Call, Next};
use crate::callback::{CallEvent, ConferenceEvent, RecordReport};
use crate::context::{Context, Due};
use crate::effect::{FetchPurpose, News, PromptContent, Repeat, TimerId};
use crate::instruction::{Record, RecordSpan, Report, Turn};
use crate::record::RecordingId;

/// Where a turn is.
#[derive(Debug)]
enum Stage {
    /// The beep before it sounds.
    Beep(PromptId),
    /// It is recorded; the timer runs while nothing is said.
    Recorded(RecordingId, Option<TimerId>),
}

/// A turn that is not over.
#[derive(Debug)]
pub(super) struct Taking {
    record: Box<Record>,
    turn: Turn,
    stage: Stage,
}

impl Taking {
    pub fn recording(&self) -> Option<RecordingId> {
        match self.stage {
            Stage::Beep(_) => None,
            Stage::Recorded(recording, _) => Some(recording),
        }
    }

    pub fn beeps(&self, prompt: PromptId) -> bool {
        matches!(self.stage, Stage::Beep(beep) if beep == prompt)
    }

    pub fn awaits(&self, timer: TimerId) -> bool {
        matches!(self.stage, Stage::Recorded(_, Some(silence)) if silence == timer)
    }

    pub fn ends_with(&self, digit: char) -> bool {
        self.recording().is_some() && self.turn.finish_on == Some(digit)
    }

    /// Lets go of what it waits for.
    pub fn stop(&self, context: &mut Context) {
        match self.stage {
            Stage::Beep(prompt) => context.stop_prompt(prompt),
            Stage::Recorded(_, silence) => silence.into_iter().for_each(|timer| context.cancel(timer)),
        }
    }
}

impl Call {
    /// Records as the document says; what follows if the next instruction does not at once.
    pub(super) fn start_record(&mut self, record: Box<Record>, context: &mut Context) -> Option<Next> {
        match record.span {
            RecordSpan::Turn(turn) if turn.beep => {
                let beep = self.play(PromptContent::Beep1, Repeat::Times(1), context);
                self.activity = Activity::Recording(Taking { record, turn, stage: Stage::Beep(beep) });
                Some(Next::Idle)
            }
            RecordSpan::Turn(turn) => self.begin_turn(record, turn, context),
            RecordSpan::Session => {
                self.be_alone(None, context);
                let (report, told) = self.record_session(&record, context)?;
                self.redirect(FetchPurpose::Action, report.action, Some(News::Recorded(told)), context);
                Some(Next::Idle)
            }
            RecordSpan::Connection => {
                self.record_when_connected(record);
                None
            }
        }
    }

    fn begin_turn(&mut self, record: Box<Record>, turn: Turn, context: &mut Context) -> Option<Next> {
        self.silent_documents = 0;
        self.be_alone(None, context);
        let begun = self.record_for(Reason::Turn, &record.terms, record.longest, context)?;
        let silent = self.leg.is_none_or(|leg| !context.is_talking(leg));
        let due = Due::Step(self.record.id);
        let silence = silent.then(|| context.wake(turn.silence, due));
        self.activity =
            Activity::Recording(Taking { record, turn, stage: Stage::Recorded(begun.id, silence) });
        Some(Next::Idle)
    }

    /// The beep was heard.
    pub(super) fn turn_begins(&mut self, context: &mut Context) -> Next {
        let Activity::Recording(taking) = std::mem::replace(&mut self.activity, Activity::Deciding) else {
            return Next::Idle;
        };
        taking.stop(context);
        let begun = self.begin_turn(taking.record, taking.turn, context);
        begun.unwrap_or_else(|| self.run(context))
    }

    /// The far end began to talk or stopped: a silence that lasts ends its turn, what it says, or what
    /// waits for it.
    pub fn talks(&mut self, talking: bool, context: &mut Context) {
        let event = if talking { ConferenceEvent::TalkStarted } else { ConferenceEvent::TalkStopped };
        self.note(event, context);
        let due = Due::Step(self.record.id);
        if let Activity::Recording(Taking { turn, stage: Stage::Recorded(_, silence), .. }) =
            &mut self.activity
        {
            silence.take().into_iter().for_each(|timer| context.cancel(timer));
            *silence = (!talking).then(|| context.wake(turn.silence, due));
        }
        self.measure_silence(talking, context);
        self.listen_on(talking, context);
    }

    /// What is recorded of the turn that goes on.
    pub(super) fn turn(&self) -> Option<RecordingId> {
        match &self.activity {
            Activity::Recording(taking) => taking.recording(),
            _ => None,
        }
    }

    /// Ends the turn and goes on.
    pub(super) fn turn_over(&mut self, digit: Option<char>, context: &mut Context) -> Next {
        let Some((report, told)) = self.end_turn(digit, context) else { return Next::Idle };
        self.report(report, (CallEvent::RecordReported(told.clone()), News::Recorded(told)), context)
    }

    /// Ends the turn, if its recording was begun, and tells what came of it.
    pub(super) fn end_turn(
        &mut self,
        digit: Option<char>,
        context: &mut Context,
    ) -> Option<(Option<Report>, Box<RecordReport>)> {
        let id = self.turn()?;
        let Activity::Recording(taking) = std::mem::replace(&mut self.activity, Activity::Deciding) else {
            return None;
        };
        taking.stop(context);
        let recording = self.stop_recording(id, context)?;
        Some((taking.record.report, Box::new(RecordReport { recording, digit })))
    }
}
