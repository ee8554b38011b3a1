//! One call: its leg, its document, and what it is doing.

mod awaiting;
mod collect;
mod flow;
mod listening;
mod machine;
mod outgoing;
mod recording;
mod stream;
mod turn;

use std::collections::VecDeque;

use mixminus_mixer::{BridgeId, LegId, PromptId, SinkRoutes, SourceId};

use crate::callback::{Answerer, CallCallback, CallEvent};
use crate::command::{PlayKind, Playback};
use crate::context::{ConnectionId, Context, Owner, Tapped};
use crate::effect::{Effect, FetchId, FetchPurpose, TimerId};
use crate::input::{Introduction, LegEnd, Refusal};
use crate::instruction::{Action, CallUrls, ConferenceRequest, Dial, Instruction, StreamTerms};
use crate::record::{
    CallId, CallRecord, CallState, ConferenceId, Direction, HangupCause, HangupSource, ParticipantId,
    PlacementId, StreamId,
};
use awaiting::Awaiting;
use collect::Collecting;
use listening::Listening;
use outgoing::Confirming;
use recording::Recordings;
pub(crate) use stream::StreamedBy;
use turn::Taking;

/// What a call is doing.
#[derive(Debug)]
enum Activity {
    /// Placed and not answered.
    Placed,
    /// Between two instructions.
    Deciding,
    /// Waiting for a document.
    Fetching(FetchId, FetchPurpose),
    /// Hearing a prompt.
    Prompting(PromptId),
    /// In an instruction that takes its time.
    Waiting(TimerId),
    /// Waiting for the far end to be silent, or to beep.
    Awaiting(Awaiting),
    /// Being asked for digits or words.
    Collecting(Box<Collecting>),
    /// Saying something that is recorded.
    Recording(Taking),
    /// Waiting for the end of its stream.
    Streaming(StreamId),
    /// Being asked for the key that lets it take part.
    Confirming(Confirming),
    /// Doing nothing before it is certain who answered.
    Detecting,
    /// In a conference.
    Conferring(ConferenceId, ParticipantId),
    /// Waiting for whom its document called.
    Dialling(PlacementId, Option<PromptId>, Box<Dial>),
    /// Connected to another call.
    Connected(ConnectionId),
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
    /// Call others for it.
    Dial(Box<Dial>),
    /// It was called, and is ready for what it was called for.
    Ready,
    /// End it, wherever it is.
    End(Ending),
}

/// Why and by whom a call ends, and what its leg is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    /// The far end, or its network, is gone.
    Leg(LegEnd),
    /// Somebody else is in its place, as its far end wanted.
    Succeeded,
    /// We refuse or hang up.
    Ours(HangupCause, HangupSource, Refusal),
}

impl Ending {
    /// Ends a call that we do not have to refuse in a particular way.
    pub const fn by(source: HangupSource, cause: HangupCause) -> Self {
        Self::Ours(cause, source, Refusal::NotAvailable)
    }
}

/// What a call hears when it is alone in a bridge.
#[derive(Debug)]
struct Private {
    bridge: BridgeId,
    prompt: Option<PromptId>,
    /// Who is called for it and heard in the prompt's place; it hears nothing itself.
    callee: Option<LegId>,
}

/// Something that a request lets a call hear.
#[derive(Debug)]
struct Overlay {
    prompt: PromptId,
    kind: PlayKind,
    mixed: bool,
}

#[derive(Debug)]
pub(crate) struct Call {
    record: CallRecord,
    leg: Option<LegId>,
    introduction: Introduction,
    urls: CallUrls,
    private: Option<Private>,
    overlay: Option<Overlay>,
    /// Only while it is being asked.
    listening: Option<Listening>,
    activity: Activity,
    instructions: VecDeque<Instruction>,
    /// So many of the instructions are to be carried out before the answer.
    before_answer: usize,
    /// Whether that at hand is one of them.
    early: bool,
    silent_documents: u32,
    scheduled_hangup: Option<TimerId>,
    unsent_digits: VecDeque<char>,
    next_digits: Option<TimerId>,
    placed: Option<outgoing::Placed>,
    recordings: Recordings,
    detection: Option<Box<machine::Detection>>,
    answerer: Option<Answerer>,
    stream: Option<stream::Stream>,
    rang: bool,
    /// Whether a request, not a document, brought it into its conference.
    invited: bool,
    events: u64,
}

impl Call {
    fn new(mut record: CallRecord, leg: Option<LegId>, urls: CallUrls) -> Self {
        record.on_end = urls.told(urls.hangup.as_ref());
        Self {
            record,
            leg,
            introduction: Introduction::default(),
            urls,
            private: None,
            overlay: None,
            listening: None,
            activity: Activity::Deciding,
            instructions: VecDeque::new(),
            before_answer: 0,
            early: false,
            silent_documents: 0,
            scheduled_hangup: None,
            unsent_digits: VecDeque::new(),
            next_digits: None,
            placed: None,
            recordings: Recordings::default(),
            detection: None,
            answerer: None,
            stream: None,
            rang: false,
            invited: false,
            events: 0,
        }
    }

    /// A call that somebody made to us.
    pub fn arrive(
        record: CallRecord,
        leg: LegId,
        introduction: Introduction,
        urls: CallUrls,
        context: &mut Context,
    ) -> Self {
        let call = Self { introduction, ..Self::new(record, Some(leg), urls) };
        call.save(context);
        context.push(Effect::Ring(leg));
        call
    }

    pub const fn record(&self) -> &CallRecord {
        &self.record
    }

    pub const fn id(&self) -> CallId {
        self.record.id
    }

    pub const fn leg(&self) -> Option<LegId> {
        self.leg
    }

    pub const fn is_answered(&self) -> bool {
        self.record.answered_at.is_some()
    }

    /// Whether the call is over and may be forgotten.
    pub const fn has_ended(&self) -> bool {
        matches!(self.activity, Activity::Ended)
    }

    /// The conference it is in, and as whom.
    pub const fn conferring(&self) -> Option<(ConferenceId, ParticipantId)> {
        match self.activity {
            Activity::Conferring(conference, participant) => Some((conference, participant)),
            _ => None,
        }
    }

    pub const fn connection(&self) -> Option<ConnectionId> {
        match self.activity {
            Activity::Connected(connection) => Some(connection),
            _ => None,
        }
    }

    /// Says that a request, not its document, brings the call into a conference.
    pub fn be_invited(&mut self) {
        self.invited = true;
        self.instructions.clear();
    }

    fn save(&self, context: &mut Context) {
        context.push(Effect::SaveCall(self.record.clone()));
    }

    /// Tells those who asked of what happened.
    fn tell(&mut self, event: &CallEvent, context: &mut Context) {
        let urls = &self.urls;
        let told = match event {
            CallEvent::Ringing => urls.told(urls.ring.as_ref()),
            CallEvent::Ended => self.record.on_end.clone(),
            _ => urls.told(None),
        };
        for action in told {
            self.tell_at(&action, event.clone(), context);
        }
    }

    /// Tells one URL of what happened.
    pub fn tell_at(&mut self, action: &Action, event: CallEvent, context: &mut Context) {
        self.events += 1;
        context.push(Effect::NotifyOfCall(Box::new(CallCallback {
            url: action.url.clone(),
            method: action.method,
            event,
            at: context.now,
            sequence: self.events,
            call: self.record.clone(),
            introduction: self.introduction.clone(),
            answerer: self.answerer,
        })));
    }

    /// Answers if that is still to be done.
    pub fn answer(&mut self, context: &mut Context) {
        if let (false, Some(leg)) = (self.is_answered(), self.leg) {
            context.push(Effect::Answer(leg));
            self.be_answered(context);
        }
    }

    fn be_answered(&mut self, context: &mut Context) {
        self.record.answered_at = Some(context.now);
        self.record.state = CallState::InProgress;
        self.save(context);
        self.tell(&CallEvent::Answered, context);
    }

    /// Answers if need be and is alone in its bridge, hearing `prompt`.
    fn be_alone(&mut self, prompt: Option<PromptId>, context: &mut Context) {
        match self.leg {
            Some(leg) if self.early && !self.is_answered() => context.push(Effect::Progress(leg)),
            _ => self.answer(context),
        }
        self.seat_alone(prompt, context);
    }

    /// Is alone in its bridge, hearing `prompt`.
    fn seat_alone(&mut self, prompt: Option<PromptId>, context: &mut Context) {
        let known = self.private.take();
        if known.as_ref().is_some_and(|private| private.prompt == prompt && private.callee.is_none()) {
            self.private = known;
            return;
        }
        let bridge = known.map_or_else(|| context.bridge(), |private| private.bridge);
        self.private = Some(Private { bridge, prompt, callee: None });
        self.route_private(context);
    }

    /// Lets it hear whom it calls in the place of its prompt, or its prompt again.
    pub fn hear_callee(&mut self, callee: Option<LegId>, context: &mut Context) {
        if let Some(private) = &mut self.private {
            private.callee = callee;
            self.route_private(context);
        }
    }

    /// Routes the call's own bridge anew, if it is in that.
    pub fn route_private(&self, context: &mut Context) {
        let (Some(private), Some(leg)) = (&self.private, self.leg) else { return };
        let callee = private.callee.map(SourceId::Leg);
        let own = callee.or(private.prompt.map(SourceId::Prompt)).filter(|_| self.hears_others());
        let hears = own.into_iter().chain(self.overheard().map(SourceId::Prompt)).collect();
        let callee = private.callee.map(|leg| SinkRoutes { leg, hears: Vec::new() });
        let routes: Vec<_> = [SinkRoutes { leg, hears }].into_iter().chain(callee).collect();
        let words = self.listening.iter().map(|listening| listening.routes(leg));
        let taps = words.chain(self.beep_routes()).collect();
        context.install(private.bridge, &routes, Tapped { taps, ..Tapped::default() });
    }

    /// Another bridge took the leg over.
    pub fn leave_private(&mut self, context: &mut Context) {
        if let Some(private) = self.private.take() {
            context.close_bridge(private.bridge);
        }
    }

    /// The conference's bridge takes the leg over, and `stream` takes part as the call.
    pub fn joined(
        &mut self,
        (conference, participant): (ConferenceId, ParticipantId),
        stream: Option<&StreamTerms>,
        context: &mut Context,
    ) {
        self.activity = Activity::Conferring(conference, participant);
        self.silent_documents = 0;
        self.stop_overlay(None, context);
        self.leave_private(context);
        if let Some(terms) = stream {
            self.try_stream(terms, StreamedBy::Conference, context);
        }
    }

    /// Lets the call hear something that a request asks for, until it ends.
    ///
    /// Whoever routes the call's leg asks for [`Call::overheard`] then.
    pub fn overlay(&mut self, playback: Playback, kind: PlayKind, mixed: bool, context: &mut Context) {
        self.stop_overlay(None, context);
        let prompt = context.play_back(Owner::Call(self.record.id), playback);
        self.overlay = Some(Overlay { prompt, kind, mixed });
        self.route_private(context);
    }

    /// Ends what a request lets the call hear, if it is of `kind`.
    pub fn stop_overlay(&mut self, kind: Option<PlayKind>, context: &mut Context) {
        if let Some(overlay) = self.overlay.take_if(|one| kind.is_none_or(|kind| one.kind == kind)) {
            context.stop_prompt(overlay.prompt);
            self.route_private(context);
        }
    }

    /// What the call hears by request.
    pub fn overheard(&self) -> Option<PromptId> {
        self.overlay.as_ref().map(|overlay| overlay.prompt)
    }

    /// Whether what it hears by request leaves room for anything else.
    pub fn hears_others(&self) -> bool {
        self.overlay.as_ref().is_none_or(|overlay| overlay.mixed)
    }

    pub fn prompt_ended(&mut self, prompt: PromptId, context: &mut Context) -> Next {
        if self.overheard() == Some(prompt) {
            self.stop_overlay(None, context);
            return Next::Idle;
        }
        match &mut self.activity {
            Activity::Prompting(playing) if *playing == prompt => {
                context.stop_prompt(prompt);
                self.run(context)
            }
            Activity::Collecting(_) => self.collect_prompt_ended(prompt, context),
            Activity::Recording(taking) if taking.beeps(prompt) => self.turn_begins(context),
            Activity::Confirming(_) => self.confirm_prompt_ended(prompt, context),
            _ => Next::Idle,
        }
    }

    /// The time of what the call does is up.
    pub fn step_over(&mut self, timer: TimerId, context: &mut Context) -> Next {
        match &self.activity {
            Activity::Waiting(waiting) if *waiting == timer => self.run(context),
            Activity::Awaiting(awaiting) if awaiting.awaits(timer) => self.await_no_more(context),
            Activity::Collecting(_) => self.collect_time_over(timer, context),
            Activity::Recording(taking) if taking.awaits(timer) => self.turn_over(None, context),
            Activity::Confirming(confirming) if confirming.awaits(timer) => {
                self.end(Ending::by(HangupSource::Service, HangupCause::NotConfirmed), context);
                Next::Idle
            }
            _ => Next::Idle,
        }
    }

    pub fn digit(&mut self, digit: char, context: &mut Context) -> Next {
        match &self.activity {
            Activity::Collecting(_) => self.collect_digit(digit, context),
            Activity::Recording(taking) if taking.ends_with(digit) => self.turn_over(Some(digit), context),
            Activity::Confirming(confirming) if confirming.takes(digit) => self.confirmed(context),
            _ => Next::Idle,
        }
    }

    /// Lets go of what the call does, so that it can do something else.
    pub fn interrupt(&mut self, context: &mut Context) {
        self.stop_awaiting(context);
        match std::mem::replace(&mut self.activity, Activity::Deciding) {
            Activity::Prompting(prompt) | Activity::Dialling(_, Some(prompt), _) => {
                context.stop_prompt(prompt);
            }
            Activity::Waiting(timer) => context.cancel(timer),
            Activity::Collecting(collecting) => {
                collecting.stop(context);
                self.stop_listening(context);
            }
            Activity::Confirming(confirming) => confirming.stop(context),
            Activity::Recording(taking) => {
                taking.stop(context);
                if let Some(recording) = taking.recording() {
                    self.stop_recording(recording, context);
                }
            }
            _ => {}
        }
        self.close_documents_stream(context);
    }

    /// Ends the call and releases what it holds. A call inside a conference or
    /// a connection has to be taken out of it as well.
    pub fn end(&mut self, ending: Ending, context: &mut Context) {
        if self.has_ended() {
            return;
        }
        if let Some((Some(report), told)) = self.end_turn(None, context) {
            self.tell_at(&report.action, CallEvent::RecordReported(told), context);
        }
        self.interrupt(context);
        self.stop_overlay(None, context);
        for timer in [self.scheduled_hangup.take(), self.next_digits.take()].into_iter().flatten() {
            context.cancel(timer);
        }
        if let Some(detection) = self.detection.take() {
            detection.stop(context);
        }
        self.stop_all_recordings(context);
        self.close_stream(context);
        if let Some(placed) = &self.placed {
            placed.stop(context);
        }
        self.activity = Activity::Ended;
        let (cause, source, effect) = self.outcome(ending);
        self.record.state = if self.is_answered() { CallState::Completed } else { unanswered(cause) };
        self.record.ended_at = Some(context.now);
        self.record.hangup_cause = Some(cause);
        self.record.hangup_source = Some(source);
        if let Some(effect) = effect {
            context.push(effect);
        }
        self.save(context);
        self.leave_private(context);
        self.tell(&CallEvent::Ended, context);
    }

    fn outcome(&self, ending: Ending) -> (HangupCause, HangupSource, Option<Effect>) {
        let outbound = self.record.direction == Direction::Outbound;
        let far_end = if outbound { HangupSource::Callee } else { HangupSource::Caller };
        let release = self.leg.map(Effect::Release);
        let answered = self.is_answered() || outbound;
        let stop = |refusal| {
            self.leg.map(|leg| if answered { Effect::HangUp(leg) } else { Effect::Refuse(leg, refusal) })
        };
        match ending {
            Ending::Leg(LegEnd::HungUp) => (HangupCause::Normal, far_end, release),
            Ending::Leg(LegEnd::Canceled) => (HangupCause::Canceled, HangupSource::Caller, release),
            Ending::Leg(LegEnd::Failed { status }) if outbound && !self.is_answered() => {
                (outgoing::refused(status), HangupSource::Callee, release)
            }
            Ending::Leg(LegEnd::Failed { .. }) => (HangupCause::NetworkError, HangupSource::Error, release),
            Ending::Leg(LegEnd::MediaTimeout) => {
                (HangupCause::MediaTimeout, HangupSource::Error, stop(Refusal::Unavailable))
            }
            Ending::Leg(LegEnd::Evicted) => {
                (HangupCause::InternalError, HangupSource::Service, stop(Refusal::Unavailable))
            }
            Ending::Succeeded => (HangupCause::Normal, far_end, self.leg.map(Effect::HangUp)),
            Ending::Ours(cause, source, refusal) => (cause, source, stop(refusal)),
        }
    }
}

/// What a call was that ended so without an answer.
const fn unanswered(cause: HangupCause) -> CallState {
    match cause {
        HangupCause::Canceled | HangupCause::LostRace => CallState::Canceled,
        HangupCause::Busy | HangupCause::BusyEverywhere => CallState::Busy,
        HangupCause::NoAnswer | HangupCause::RingTimeout | HangupCause::RequestTimeout => CallState::NoAnswer,
        _ => CallState::Failed,
    }
}
