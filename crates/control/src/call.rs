//! One call: its leg, its document, and what it is doing.

use std::collections::VecDeque;
use std::time::Duration;

use mixminus_mixer::{BridgeId, LegId, PromptId};

use crate::context::{Context, Due, PromptOwner};
use crate::effect::{
    Effect, Fetch, FetchError, FetchPurpose, LegEnd, PromptContent, Refusal, Repeat, TimerId,
};
use crate::instruction::{Action, ConferenceRequest, Document, Instruction};
use crate::record::{
    CallId, CallRecord, CallState, ConferenceId, ConferenceRecord, HangupCause, HangupSource, ParticipantId,
    ParticipantRecord,
};

/// Documents in a row that neither played nor waited: beyond this a call is
/// going in circles and would keep the application's server busy for ever.
const MAX_SILENT_DOCUMENTS: u32 = 20;

/// What a call is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Between two instructions.
    Deciding,
    /// Waiting for a document.
    Fetching(FetchPurpose),
    /// Hearing a prompt.
    Prompting(PromptId),
    /// In a wait instruction.
    Waiting(TimerId),
    /// In a conference.
    Conferring(ConferenceId, ParticipantId),
    /// Over.
    Ended,
}

/// What the switchboard has to do for a call that ran as far as it can alone.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing until an input comes.
    Idle,
    /// Bring it into a conference.
    Join(Box<ConferenceRequest>),
}

/// Why and by whom a call ends, and what its leg is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    /// The far end, or its network, is gone.
    Leg(LegEnd),
    /// We refuse or hang up.
    Ours(HangupCause, HangupSource, Refusal),
}

#[derive(Debug)]
pub(crate) struct Call {
    record: CallRecord,
    leg: LegId,
    headers: Vec<(String, String)>,
    private_bridge: Option<BridgeId>,
    activity: Activity,
    instructions: VecDeque<Instruction>,
    silent_documents: u32,
    scheduled_hangup: Option<TimerId>,
}

impl Call {
    pub fn arrive(
        record: CallRecord,
        leg: LegId,
        headers: Vec<(String, String)>,
        context: &mut Context,
    ) -> Self {
        context.push(Effect::SaveCall(record.clone()));
        context.push(Effect::Ring(leg));
        Self {
            record,
            leg,
            headers,
            private_bridge: None,
            activity: Activity::Deciding,
            instructions: VecDeque::new(),
            silent_documents: 0,
            scheduled_hangup: None,
        }
    }

    pub const fn record(&self) -> &CallRecord {
        &self.record
    }

    pub const fn leg(&self) -> LegId {
        self.leg
    }

    pub const fn activity(&self) -> Activity {
        self.activity
    }

    const fn is_answered(&self) -> bool {
        self.record.answered_at.is_some()
    }

    pub fn fetch(
        &mut self,
        purpose: FetchPurpose,
        action: Action,
        left: Option<Box<(ConferenceRecord, ParticipantRecord)>>,
        context: &mut Context,
    ) {
        self.activity = Activity::Fetching(purpose);
        let (call, headers) = (self.record.clone(), self.headers.clone());
        context.push(Effect::Fetch(Box::new(Fetch { call, headers, purpose, action, left })));
    }

    /// Replaces what is left of the document and runs.
    pub fn follow(&mut self, document: Document, context: &mut Context) -> Next {
        self.silent_documents += 1;
        self.instructions = document.instructions.into();
        self.run(context)
    }

    /// Takes up a document that was asked for, or gives up without one.
    pub fn fetched(
        &mut self,
        purpose: FetchPurpose,
        result: Result<Document, FetchError>,
        context: &mut Context,
    ) -> Next {
        if self.activity != Activity::Fetching(purpose) {
            return Next::Idle;
        }
        let cause = match result {
            Ok(document) => return self.follow(document, context),
            Err(FetchError::Unreachable(_)) => HangupCause::Unreachable(purpose),
            Err(FetchError::Invalid(_)) => HangupCause::InvalidDocument(purpose),
        };
        self.end(Ending::Ours(cause, HangupSource::Error, Refusal::NotAvailable), context);
        Next::Idle
    }

    pub fn prompt_ended(&mut self, prompt: PromptId, context: &mut Context) -> Next {
        if self.activity != Activity::Prompting(prompt) {
            return Next::Idle;
        }
        context.stop_prompt(prompt);
        self.run(context)
    }

    pub fn wait_over(&mut self, context: &mut Context) -> Next {
        self.run(context)
    }

    /// Carries out instructions until one takes time.
    pub fn run(&mut self, context: &mut Context) -> Next {
        self.activity = Activity::Deciding;
        while let Some(instruction) = self.instructions.pop_front() {
            match instruction {
                Instruction::HangUp { after: Some(after), .. } => self.schedule_hangup(after, context),
                Instruction::HangUp { refusal, after: None } => {
                    self.end_by_document(refusal, context);
                    return Next::Idle;
                }
                Instruction::Redirect(action) => {
                    self.redirect(action, context);
                    return Next::Idle;
                }
                Instruction::Speak { text, voice, language, repeat } => {
                    self.prompt(PromptContent::Speech { text, voice, language }, repeat, context);
                    return Next::Idle;
                }
                Instruction::Play { url, repeat } => {
                    self.prompt(PromptContent::File(url), repeat, context);
                    return Next::Idle;
                }
                Instruction::Wait { length } => {
                    self.silent_documents = 0;
                    self.be_alone(None, context);
                    self.activity = Activity::Waiting(context.wake(length, Due::Wait(self.record.id)));
                    return Next::Idle;
                }
                Instruction::Conference(request) => {
                    self.silent_documents = 0;
                    return Next::Join(request);
                }
            }
        }
        let ending =
            Ending::Ours(HangupCause::EndOfInstructions, HangupSource::Document, Refusal::NotAvailable);
        self.end(ending, context);
        Next::Idle
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

    fn redirect(&mut self, action: Action, context: &mut Context) {
        if self.silent_documents < MAX_SILENT_DOCUMENTS {
            self.fetch(FetchPurpose::Redirect, action, None, context);
        } else {
            let cause = HangupCause::InvalidDocument(FetchPurpose::Redirect);
            self.end(Ending::Ours(cause, HangupSource::Error, Refusal::NotAvailable), context);
        }
    }

    fn prompt(&mut self, content: PromptContent, repeat: Repeat, context: &mut Context) {
        self.silent_documents = 0;
        let prompt = context.play(PromptOwner::Call(self.record.id), content, repeat);
        self.be_alone(Some(prompt), context);
        self.activity = Activity::Prompting(prompt);
    }

    fn schedule_hangup(&mut self, after: Duration, context: &mut Context) {
        if let Some(earlier) = self.scheduled_hangup.take() {
            context.cancel(earlier);
        }
        self.scheduled_hangup = Some(context.wake(after, Due::HangUp(self.record.id)));
    }

    /// Answers if that is still to be done.
    pub fn answer(&mut self, context: &mut Context) {
        if !self.is_answered() {
            self.record.answered_at = Some(context.now);
            self.record.state = CallState::InProgress;
            context.push(Effect::Answer(self.leg));
            context.push(Effect::SaveCall(self.record.clone()));
        }
    }

    /// Answers if need be and is alone in its bridge, hearing `prompt`.
    fn be_alone(&mut self, prompt: Option<PromptId>, context: &mut Context) {
        self.answer(context);
        let bridge = *self.private_bridge.get_or_insert_with(|| context.bridge());
        context.install_private(bridge, self.leg, prompt);
    }

    /// The conference's bridge takes the leg over.
    pub fn joined(&mut self, conference: ConferenceId, participant: ParticipantId, context: &mut Context) {
        self.activity = Activity::Conferring(conference, participant);
        if let Some(bridge) = self.private_bridge.take() {
            context.close_bridge(bridge);
        }
    }

    /// Goes on after a conference, or hangs up with nothing left to do.
    pub fn left(
        &mut self,
        on_exit: Option<Action>,
        left: Box<(ConferenceRecord, ParticipantRecord)>,
        context: &mut Context,
    ) -> Next {
        self.be_alone(None, context);
        match on_exit {
            Some(action) => {
                self.fetch(FetchPurpose::Exit, action, Some(left), context);
                Next::Idle
            }
            None => self.run(context),
        }
    }

    /// Ends the call and releases what it holds. A call inside a conference
    /// has to be taken out of it as well.
    pub fn end(&mut self, ending: Ending, context: &mut Context) {
        match self.activity {
            Activity::Prompting(prompt) => context.stop_prompt(prompt),
            Activity::Waiting(timer) => context.cancel(timer),
            Activity::Ended => return,
            Activity::Deciding | Activity::Fetching(_) | Activity::Conferring(..) => {}
        }
        if let Some(timer) = self.scheduled_hangup.take() {
            context.cancel(timer);
        }
        self.activity = Activity::Ended;
        let (cause, source, effect) = self.outcome(ending);
        self.record.state = match cause {
            _ if self.is_answered() => CallState::Completed,
            HangupCause::Canceled => CallState::Canceled,
            HangupCause::Busy => CallState::Busy,
            _ => CallState::Failed,
        };
        self.record.ended_at = Some(context.now);
        self.record.hangup_cause = Some(cause);
        self.record.hangup_source = Some(source);
        context.push(effect);
        context.push(Effect::SaveCall(self.record.clone()));
        if let Some(bridge) = self.private_bridge.take() {
            context.close_bridge(bridge);
        }
    }

    fn outcome(&self, ending: Ending) -> (HangupCause, HangupSource, Effect) {
        match ending {
            Ending::Leg(LegEnd::HungUp) => {
                (HangupCause::Normal, HangupSource::Caller, Effect::Release(self.leg))
            }
            Ending::Leg(LegEnd::Canceled) => {
                (HangupCause::Canceled, HangupSource::Caller, Effect::Release(self.leg))
            }
            Ending::Leg(LegEnd::Failed) => {
                (HangupCause::NetworkError, HangupSource::Error, Effect::Release(self.leg))
            }
            Ending::Leg(LegEnd::MediaTimeout) => {
                (HangupCause::MediaTimeout, HangupSource::Error, Effect::HangUp(self.leg))
            }
            Ending::Leg(LegEnd::Evicted) => {
                (HangupCause::InternalError, HangupSource::Service, Effect::HangUp(self.leg))
            }
            Ending::Ours(cause, source, _) if self.is_answered() => (cause, source, Effect::HangUp(self.leg)),
            Ending::Ours(cause, source, refusal) => (cause, source, Effect::Refuse(self.leg, refusal)),
        }
    }

    /// Whether the call is over and may be forgotten.
    pub fn has_ended(&self) -> bool {
        self.activity == Activity::Ended
    }

    /// Identifies the call.
    pub const fn id(&self) -> CallId {
        self.record.id
    }
}
