//! Listening to what a caller says.
//!
//! A recogniser hears the caller from the first prompt on. Its first word ends the prompts; a cough does not. When the
//! caller has been silent for long enough, the recogniser is asked for the rest. If there was no word in all that, it
//! begins anew, within the time of the try.

use std::time::Duration;

use mixminus_mixer::{LegId, SourceId, TapChannel, TapId, TapRoutes};

use super::collect::Collecting;
use super::{Activity, Call, Next};
use crate::callback::{CallEvent, Entry, Understood};
use crate::context::{Context, Due};
use crate::effect::{Effect, Listened, TimerId};
use crate::input::{Heard, Likelihood};
use crate::instruction::SpeechTerms;
use crate::record::Timestamp;

/// How much silence ends what is said where the document leaves that to us. A shorter one cuts off who thinks between
/// words, a longer one lets everybody wait.
const SILENCE: Duration = Duration::from_secs(1);
/// The least time between two reports of what is recognised meanwhile; each is kept until it is delivered.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);

/// What was understood of a caller since it was listened to.
#[derive(Debug)]
pub(super) struct Listening {
    tap: TapId,
    /// How much silence is the end of it.
    end_timeout: Duration,
    /// Whether what the recogniser takes for the end is the end.
    ends_by_itself: bool,
    /// What was recognised for good.
    text: String,
    confidence: Option<Likelihood>,
    /// Whether there was any word, for good or not.
    has_words: bool,
    /// The wait for the end of a silence.
    silence: Option<TimerId>,
    /// Whether no more is said to the recogniser.
    has_ended: bool,
    reported_at: Option<Timestamp>,
}

impl Listening {
    /// What its tap carries in the bridge that `leg` is alone in.
    pub fn routes(&self, leg: LegId) -> TapRoutes {
        said_by(leg, self.tap)
    }

    fn add(&mut self, text: &str, confidence: Option<Likelihood>) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.confidence = self.confidence.into_iter().chain(confidence).min();
    }
}

/// What `tap` carries that listens to `leg` alone.
pub(super) fn said_by(leg: LegId, tap: TapId) -> TapRoutes {
    TapRoutes { tap, channels: vec![TapChannel::Source(SourceId::Leg(leg))], paused: false }
}

impl Call {
    /// Has what the caller says recognised from now on.
    pub(super) fn begin_listening(&mut self, terms: &SpeechTerms, context: &mut Context) {
        self.listening = Some(Listening {
            tap: context.listen(self.record.id, Listened::Speech(terms.clone())),
            end_timeout: terms.end_timeout.unwrap_or(SILENCE),
            ends_by_itself: terms.end_timeout.is_none(),
            text: String::new(),
            confidence: None,
            has_words: false,
            silence: None,
            has_ended: false,
            reported_at: None,
        });
        self.route_private(context);
    }

    pub(super) fn stop_listening(&mut self, context: &mut Context) {
        if let Some(Listening { tap, silence, .. }) = self.listening.take() {
            if let Some(timer) = silence {
                context.cancel(timer);
            }
            self.route_private(context);
            context.stop_listening(tap);
        }
    }

    /// Whether there was a word.
    pub(super) fn has_heard(&self) -> bool {
        self.listening.as_ref().is_some_and(|listening| listening.has_words)
    }

    /// Whether the caller is saying something, or has said something that is not recognised yet.
    pub(super) fn is_speaking(&self, context: &Context) -> bool {
        let talks = self.leg.is_some_and(|leg| context.is_talking(leg));
        let said = |one: &Listening| one.has_words || one.has_ended || one.silence.is_some();
        self.listening.as_ref().is_some_and(|listening| talks || said(listening))
    }

    /// The caller begins to talk or stops.
    pub(super) fn listen_on(&mut self, talking: bool, context: &mut Context) {
        if self.listening.as_ref().is_none_or(|listening| listening.has_ended) {
            return;
        }
        if let (true, Activity::Collecting(collecting)) = (talking, &mut self.activity) {
            collecting.be_patient(context);
        }
        self.await_end(context);
    }

    /// Waits anew for enough silence, unless the caller talks.
    fn await_end(&mut self, context: &mut Context) {
        let talks = self.leg.is_some_and(|leg| context.is_talking(leg));
        let Some(listening) = &mut self.listening else { return };
        if let Some(timer) = listening.silence.take() {
            context.cancel(timer);
        }
        if !talks && !listening.has_ended {
            listening.silence = Some(context.wake(listening.end_timeout, Due::Step(self.record.id)));
        }
    }

    /// Whether `timer` says that the caller has been silent for long enough. The rest is awaited then.
    pub(super) fn fell_silent(&mut self, timer: TimerId, context: &mut Context) -> bool {
        let silent = self.listening.as_ref().is_some_and(|listening| listening.silence == Some(timer));
        silent && self.hear_out(context)
    }

    /// Has the rest recognised of what was said; `false` if nothing was.
    pub(super) fn hear_out(&mut self, context: &mut Context) -> bool {
        if !self.is_speaking(context) {
            return false;
        }
        let Some(listening) = &mut self.listening else { return false };
        if let Some(timer) = listening.silence.take() {
            context.cancel(timer);
        }
        if !std::mem::replace(&mut listening.has_ended, true) {
            context.push(Effect::EndListening(listening.tap));
        }
        true
    }

    /// Takes in what was recognised.
    pub fn hear(&mut self, heard: Heard, context: &mut Context) -> Next {
        if heard == Heard::Beep {
            return self.beep_heard(context);
        }
        let Some(collecting) = self.take_collecting(|_| true) else { return Next::Idle };
        match heard {
            Heard::Partial { text, stability } => self.hear_partly((text, stability), collecting, context),
            Heard::Final { text, confidence } => self.hear_finally((text, confidence), collecting, context),
            Heard::End => self.hear_end(true, collecting, context),
            Heard::Beep | Heard::Failed => self.hear_end(false, collecting, context),
        }
    }

    fn hear_partly(
        &mut self,
        (text, stability): (String, Likelihood),
        mut collecting: Box<Collecting>,
        context: &mut Context,
    ) -> Next {
        if !text.trim().is_empty() {
            self.hear_word(&mut collecting, context);
            self.report_understood((text, stability), &mut collecting, context);
        }
        self.go_on_collecting(collecting)
    }

    fn hear_finally(
        &mut self,
        (text, confidence): (String, Option<Likelihood>),
        mut collecting: Box<Collecting>,
        context: &mut Context,
    ) -> Next {
        let text = text.trim();
        if text.is_empty() {
            return self.go_on_collecting(collecting);
        }
        self.hear_word(&mut collecting, context);
        let complete = self.listening.as_mut().is_some_and(|listening| {
            listening.add(text, confidence);
            listening.ends_by_itself && !listening.has_ended
        });
        if complete { self.understood(collecting, context) } else { self.go_on_collecting(collecting) }
    }

    /// Notes that there was a word: the caller speaks, whether it is loud enough to be talking or not.
    fn hear_word(&mut self, collecting: &mut Collecting, context: &mut Context) {
        self.let_enter(collecting, context);
        if let Some(listening) = &mut self.listening {
            listening.has_words = true;
        }
        self.await_end(context);
    }

    /// The recogniser is done, or failed.
    fn hear_end(&mut self, worked: bool, mut collecting: Box<Collecting>, context: &mut Context) -> Next {
        let Some(listening) = &self.listening else { return self.go_on_collecting(collecting) };
        if !listening.text.is_empty() {
            return self.understood(collecting, context);
        }
        // One that ends before it is told to would do so again and again.
        let again = worked && listening.has_ended;
        self.stop_listening(context);
        if !collecting.has_time() {
            return self.ask_again(collecting, None, context);
        }
        match &collecting.collect.speech {
            Some(terms) if again => self.begin_listening(terms, context),
            _ if !collecting.takes_digits() => return self.collect_nothing(collecting, context),
            _ => {}
        }
        self.await_entry(&mut collecting, context);
        self.go_on_collecting(collecting)
    }

    fn understood(&mut self, collecting: Box<Collecting>, context: &mut Context) -> Next {
        let Some(listening) = &mut self.listening else { return self.go_on_collecting(collecting) };
        let (text, confidence) = (std::mem::take(&mut listening.text), listening.confidence);
        self.collect_done(collecting, Entry::Speech { text, confidence }, context)
    }

    fn report_understood(
        &mut self,
        (unstable, stability): (String, Likelihood),
        collecting: &mut Collecting,
        context: &mut Context,
    ) {
        let action = collecting.collect.speech.as_ref().and_then(|terms| terms.interim.clone());
        let (Some(listening), Some(action)) = (&mut self.listening, action) else { return };
        if listening.reported_at.is_some_and(|at| context.now.since(at) < REPORT_INTERVAL) {
            return;
        }
        listening.reported_at = Some(context.now);
        collecting.told += 1;
        let stable = listening.text.clone();
        let understood = Understood { stable, unstable, stability, sequence: collecting.told };
        self.tell_at(&action, CallEvent::Understood(understood), context);
    }
}
