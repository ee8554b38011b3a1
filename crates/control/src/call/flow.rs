//! What a call's documents make it do.

use std::time::Duration;

use mixminus_mixer::PromptId;

use super::{Activity, Call, Ending, Next};
use crate::callback::{CallEvent, Collected, Dialled, Entry};
use crate::context::{ConnectionId, Context, Due, Owner};
use crate::effect::{
    Effect, Fetch, FetchId, FetchPurpose, News, OutgoingMessage, PromptContent, Prosody, Repeat,
};
use crate::input::{FetchError, Refusal};
use crate::instruction::{Action, Collect, Dial, Document, Instruction, Report, TextMessage};
use crate::record::{
    ConferenceRecord, ExitCause, HangupCause, HangupSource, MessageId, ParticipantRecord, PlacementId,
};

/// Documents in a row that neither played nor waited: beyond this a call is
/// going in circles and would keep the application's server busy for ever.
const MAX_SILENT_DOCUMENTS: u32 = 20;

/// The document ran out.
const AT_THE_END: Ending = Ending::by(HangupSource::Document, HangupCause::EndOfInstructions);

impl Call {
    /// Asks for the document that tells what to do next.
    pub fn fetch(
        &mut self,
        purpose: FetchPurpose,
        action: Action,
        news: Option<News>,
        context: &mut Context,
    ) {
        let id = context.fetch();
        self.activity = Activity::Fetching(id, purpose);
        let fallback = self.urls.fallback.clone().filter(|_| purpose == FetchPurpose::Answer);
        let (call, introduction) = (self.record.clone(), self.introduction.clone());
        let fetch =
            Fetch { id, call, introduction, purpose, action, fallback, news, answerer: self.answerer };
        context.push(Effect::Fetch(Box::new(fetch)));
    }

    /// Replaces what is left of the document and runs.
    pub fn follow(&mut self, document: Document, context: &mut Context) -> Next {
        self.silent_documents += 1;
        self.before_answer = 0;
        self.instructions = document.instructions.into();
        self.run(context)
    }

    /// Takes up a document that was asked for, or gives up without one.
    pub fn fetched(
        &mut self,
        fetch: FetchId,
        result: Result<Document, FetchError>,
        context: &mut Context,
    ) -> Next {
        let purpose = match self.activity {
            Activity::Fetching(awaited, purpose) if awaited == fetch => purpose,
            _ => return Next::Idle,
        };
        let cause = match result {
            Ok(document) => return self.follow(document, context),
            Err(FetchError::Unreachable(_)) => HangupCause::Unreachable(purpose),
            Err(FetchError::Invalid(_)) => HangupCause::InvalidDocument(purpose),
        };
        self.end(Ending::by(HangupSource::Error, cause), context);
        Next::Idle
    }

    /// Carries out instructions until one takes time.
    pub fn run(&mut self, context: &mut Context) -> Next {
        self.activity = Activity::Deciding;
        while let Some(instruction) = self.instructions.pop_front() {
            self.early = self.before_answer > 0;
            self.before_answer = self.before_answer.saturating_sub(1);
            if let Some(next) = self.carry_out(instruction, context) {
                return next;
            }
        }
        self.end(AT_THE_END, context);
        Next::Idle
    }

    /// What follows from an instruction; nothing if the next one does at once.
    fn carry_out(&mut self, instruction: Instruction, context: &mut Context) -> Option<Next> {
        match instruction {
            Instruction::HangUp { after: Some(after), .. } => {
                self.schedule_hangup(after, context);
                return None;
            }
            Instruction::HangUp { refusal, after: None } => self.end_by_document(refusal, context),
            Instruction::Redirect(action) => self.redirect(FetchPurpose::Redirect, action, None, context),
            Instruction::Record(record) => return self.start_record(record, context),
            Instruction::Speak { text, voice, language, repeat } => {
                self.prompt(
                    PromptContent::Speech { text, voice, language, prosody: Prosody::default() },
                    repeat,
                    context,
                );
            }
            Instruction::Play { url, repeat } => self.prompt(PromptContent::File(url), repeat, context),
            Instruction::PlaySeveral { contents, repeat } => {
                self.prompt(PromptContent::Several(contents), repeat, context);
            }
            Instruction::Wait { length } => self.wait(length, context),
            Instruction::Await(terms) => self.await_early_end(&terms, context),
            Instruction::Collect(collect) => return Some(self.collect(*collect, context)),
            Instruction::SendDigits { digits, at_once } => {
                self.silent_documents = 0;
                self.be_alone(None, context);
                let takes = self.send_digits(&digits, context);
                if at_once {
                    return None;
                }
                self.wait(takes, context);
            }
            Instruction::BeforeAnswer(instructions) => {
                self.before_answer = instructions.len();
                for instruction in instructions.into_iter().rev() {
                    self.instructions.push_front(instruction);
                }
                return None;
            }
            Instruction::SendMessage(message) => {
                self.send_message(&message, context);
                return None;
            }
            Instruction::Stream { terms, waits } => return self.stream_as_told(&terms, waits, context),
            Instruction::Conference(request) => return Some(Next::Join(request)),
            Instruction::Dial(dial) => return Some(Next::Dial(dial)),
        }
        Some(Next::Idle)
    }

    fn send_message(&self, message: &TextMessage, context: &mut Context) {
        for to in &message.to {
            let id = MessageId(context.uuid());
            context.push(Effect::SendMessage(Box::new(OutgoingMessage {
                id,
                account: self.record.account.clone(),
                from: message.from.clone(),
                to: to.clone(),
                text: message.text.clone(),
                kind: message.kind.clone(),
                report: message.report.clone(),
                at: context.now,
            })));
        }
    }

    /// Gives up a conference that has no room; an unanswered call is to come back later.
    pub fn shed(&mut self, context: &mut Context) -> Next {
        if self.is_answered() {
            return self.run(context);
        }
        let cause = HangupCause::ConcurrencyLimit;
        self.end(Ending::Ours(cause, HangupSource::Service, Refusal::Unavailable), context);
        Next::Idle
    }

    fn end_by_document(&mut self, refusal: Option<Refusal>, context: &mut Context) {
        let cause = match refusal {
            _ if self.is_answered() => HangupCause::Normal,
            Some(Refusal::Busy) => HangupCause::Busy,
            _ => HangupCause::Rejected,
        };
        let refusal = refusal.unwrap_or(Refusal::Declined);
        self.end(Ending::Ours(cause, HangupSource::Document, refusal), context);
    }

    /// Goes on with another document, unless the call is going in circles.
    pub(super) fn redirect(
        &mut self,
        purpose: FetchPurpose,
        action: Action,
        news: Option<News>,
        context: &mut Context,
    ) {
        if self.silent_documents < MAX_SILENT_DOCUMENTS {
            self.fetch(purpose, action, news, context);
        } else {
            let cause = HangupCause::InvalidDocument(purpose);
            self.end(Ending::by(HangupSource::Error, cause), context);
        }
    }

    /// Does what a request tells it instead of what its document told.
    pub fn transfer(&mut self, action: Action, context: &mut Context) {
        self.invited = false;
        self.close_documents_stream(context);
        self.instructions.clear();
        self.be_alone(None, context);
        self.fetch(FetchPurpose::Transfer, action, None, context);
    }

    fn prompt(&mut self, content: PromptContent, repeat: Repeat, context: &mut Context) {
        self.activity = Activity::Prompting(self.play(content, repeat, context));
    }

    /// Lets the call hear a prompt, alone.
    pub(super) fn play(&mut self, content: PromptContent, repeat: Repeat, context: &mut Context) -> PromptId {
        self.silent_documents = 0;
        let prompt = context.play(Owner::Call(self.record.id), content, repeat);
        self.be_alone(Some(prompt), context);
        prompt
    }

    fn wait(&mut self, length: Duration, context: &mut Context) {
        self.silent_documents = 0;
        self.be_alone(None, context);
        self.activity = Activity::Waiting(context.wake(length, Due::Step(self.record.id)));
    }

    pub(super) fn schedule_hangup(&mut self, after: Duration, context: &mut Context) {
        if let Some(earlier) = self.scheduled_hangup.take() {
            context.cancel(earlier);
        }
        self.scheduled_hangup = Some(context.wake(after, Due::HangUp(self.record.id)));
    }

    /// Goes on after an instruction with an outcome.
    pub(super) fn report(
        &mut self,
        report: Option<Report>,
        (event, news): (CallEvent, News),
        context: &mut Context,
    ) -> Next {
        match report {
            Some(Report { action, follow: true }) => {
                self.fetch(FetchPurpose::Action, action, Some(news), context);
                Next::Idle
            }
            Some(Report { action, follow: false }) => {
                self.tell_at(&action, event, context);
                self.run(context)
            }
            None => self.run(context),
        }
    }

    pub(super) fn collected(&mut self, collect: Collect, entry: Entry, context: &mut Context) -> Next {
        let collected = Collected { entry, kind: collect.kind };
        let told = (CallEvent::Collected(collected.clone()), News::Collected(collected));
        self.report(collect.report, told, context)
    }

    /// Waits for whom its document calls.
    pub fn dialling(&mut self, placement: PlacementId, dial: Box<Dial>, context: &mut Context) {
        self.silent_documents = 0;
        let prompt = dial.terms.music.content().map(|content| self.play(content, Repeat::Forever, context));
        if prompt.is_none() {
            self.be_alone(None, context);
        }
        self.activity = Activity::Dialling(placement, prompt, dial);
    }

    /// The placement whose calls it waits for.
    pub const fn dials(&self) -> Option<PlacementId> {
        match self.activity {
            Activity::Dialling(placement, ..) => Some(placement),
            _ => None,
        }
    }

    /// What it waits for whom its document called with.
    pub const fn dial_request(&self) -> Option<&Dial> {
        match &self.activity {
            Activity::Dialling(_, _, dial) => Some(dial),
            _ => None,
        }
    }

    /// Ends the wait for whom its document called.
    pub fn take_dial(&mut self, context: &mut Context) -> Option<Box<Dial>> {
        match std::mem::replace(&mut self.activity, Activity::Deciding) {
            Activity::Dialling(_, prompt, dial) => {
                if let Some(prompt) = prompt {
                    context.stop_prompt(prompt);
                }
                if self.private.as_ref().is_some_and(|private| private.callee.is_some()) {
                    self.hear_callee(None, context);
                }
                Some(dial)
            }
            other => {
                self.activity = other;
                None
            }
        }
    }

    /// The connection's bridge takes the leg over.
    pub fn be_connected(&mut self, connection: ConnectionId, context: &mut Context) {
        self.activity = Activity::Connected(connection);
        self.leave_private(context);
        self.record_connection(context);
    }

    /// Is alone again, with nothing to do.
    pub fn be_parted(&mut self, context: &mut Context) {
        if !self.has_ended() {
            self.activity = Activity::Deciding;
            self.be_alone(None, context);
        }
    }

    /// Goes on after whom its document called.
    pub fn after_dial(&mut self, report: Option<Report>, dialled: Dialled, context: &mut Context) -> Next {
        self.be_alone(None, context);
        let dialled = Box::new(dialled);
        self.report(report, (CallEvent::Dialled(dialled.clone()), News::Dialled(dialled)), context)
    }

    /// Goes on after a conference, or hangs up with nothing left to do.
    pub fn left(
        &mut self,
        on_exit: Option<Report>,
        left: Box<(ConferenceRecord, ParticipantRecord)>,
        context: &mut Context,
    ) -> Next {
        self.activity = Activity::Deciding;
        self.close_participants_stream(context);
        self.be_alone(None, context);
        let invited = std::mem::take(&mut self.invited);
        match (on_exit, left.1.exit_cause) {
            (Some(report), _) => {
                return self.report(Some(report), (CallEvent::Left(left.clone()), News::Left(left)), context);
            }
            (None, Some(ExitCause::Kicked)) if invited => {
                self.end(Ending::by(HangupSource::ApiRequest, HangupCause::Kicked), context);
            }
            (None, _) if invited => {
                self.end(Ending::by(HangupSource::ApiRequest, HangupCause::ConferenceEnded), context);
            }
            (None, _) => return self.run(context),
        }
        Next::Idle
    }
}
