//! The task that owns a call: one place where commands, the peer's requests and the stack's reports
//! meet, so that every race between them has an order.

use std::sync::Arc;
use std::time::Duration;

use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver, TerminatedReason};
use rsipstack::sip::{Header, Method, Response, StatusCode, Uri};
use rsipstack::transaction::key::TransactionRole;
use rsipstack::transaction::transaction::{Transaction, TransactionEventSender};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::agent::Agent;
use crate::alarm::{Alarm, Alarms};
use crate::call::{CallEnd, CallEvent, Command};
use crate::dialog::Dialog;
use crate::early::{Early, Outcome};
use crate::message;
use crate::places::Confirmed;
use crate::reliable::{Announced, Announcement};
use crate::timer::Session;
use crate::trace::{Outcome as Counted, Side};
use crate::transfer::Transfers;

/// How long a caller may ring. Three minutes is what RFC 3261 lets a proxy wait (timer C).
const MAX_UNANSWERED: Duration = Duration::from_mins(3);
/// No call is probed more often, whatever the configuration says.
const MIN_PROBE_INTERVAL: Duration = Duration::from_millis(10);

/// Where a call stands.
pub(crate) enum Stage {
    /// Incoming, no final response yet.
    Offered {
        /// Takes responses to the INVITE.
        invite: TransactionEventSender,
        /// The INVITE had no description: ours is the offer.
        we_offer: bool,
    },
    /// Incoming, our 200 waits for its ACK.
    Answered { we_offer: bool },
    /// Outgoing, no final response yet.
    Calling(Early),
    /// Both sides agree that there is a call.
    Up,
    /// The end was reported; transactions may still be under way.
    Over {
        /// We hung up before the ACK came; BYE has to wait for it (RFC 3261 section 15).
        bye_on_ack: bool,
    },
}

/// What a call task reads.
pub(crate) struct Inputs {
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) hang_up: CancellationToken,
    pub(crate) states: DialogStateReceiver,
    pub(crate) requests: mpsc::Receiver<Transaction>,
}

/// What a transaction in the background came to.
pub(crate) enum Progress {
    /// Nothing that the call does not know already.
    Done,
    /// What became of our INVITE.
    Outcome(Outcome),
    /// Our acceptance of an offer was acknowledged, with the peer's answer when the offer was ours.
    OfferSettled(Option<String>),
    /// It never was.
    OfferLost,
    /// The far end answered our probe, or did not.
    Probed(Option<u16>),
    /// The far end answered our refresh of the session, or did not.
    Refreshed(Option<Box<Response>>),
    /// The far end was told how its transfer goes.
    Told,
    /// What the far end answered to our REFER.
    Referred(u16),
}

pub(crate) struct CallTask {
    pub(crate) agent: Arc<Agent>,
    pub(crate) dialog: Dialog,
    pub(crate) contact: Uri,
    pub(crate) stage: Stage,
    /// The peer's re-INVITE or UPDATE that waits for our answer.
    pub(crate) offer: Option<Transaction>,
    /// Headers of our responses to the INVITE.
    pub(crate) labels: Vec<Header>,
    /// CSeq of the peer's newest request.
    pub(crate) newest: u32,
    pub(crate) announced: Announced,
    pub(crate) session: Session,
    pub(crate) alarms: Alarms,
    pub(crate) transfers: Transfers,
    /// Takes the dialog's name once both sides agree on it.
    pub(crate) confirmed: Confirmed,
    /// The application has hung up, and the far end is left to do so.
    pub(crate) leaving: bool,
    /// The far end is probed.
    watched: bool,
    /// A probe waits for its answer.
    probing: bool,
    /// Where events go until the end, with room kept for the last, so that it never waits.
    events: Option<(mpsc::Sender<CallEvent>, mpsc::OwnedPermit<CallEvent>)>,
    pub(crate) background: JoinSet<Progress>,
}

impl CallTask {
    /// A task for `dialog` that reports to `events`, a channel of its own.
    pub(crate) fn new(
        agent: Arc<Agent>,
        dialog: Dialog,
        contact: Uri,
        stage: Stage,
        events: mpsc::Sender<CallEvent>,
    ) -> Self {
        let end = events.clone().try_reserve_owned().expect("a new channel has room");
        let newest = message::cseq(&dialog.initial_request());
        let newest = if matches!(stage, Stage::Calling(_)) { 0 } else { newest };
        let (events, background) = (Some((events, end)), JoinSet::new());
        Self {
            agent,
            dialog,
            contact,
            stage,
            offer: None,
            labels: vec![],
            newest,
            announced: Announced::default(),
            session: Session::default(),
            alarms: Alarms::default(),
            transfers: Transfers::default(),
            confirmed: Confirmed::default(),
            leaving: false,
            watched: false,
            probing: false,
            events,
            background,
        }
    }

    /// Drives the transaction of an incoming INVITE.
    pub(crate) fn serve(&mut self, mut invite: Transaction) {
        let mut dialog = (*self.dialog).clone();
        self.background.spawn(async move {
            match dialog.handle(&mut invite).await {
                Ok(()) => drain(&mut invite).await,
                Err(error) => debug!(%error, "an INVITE ended early"),
            }
            Progress::Done
        });
    }

    /// Adds a future to wait for before the call is forgotten.
    pub(crate) fn follow(&mut self, future: impl Future<Output = Progress> + Send + 'static) {
        self.background.spawn(future);
    }

    /// Runs until the call is over and nothing of it is under way.
    pub(crate) async fn run(mut self, mut inputs: Inputs) {
        let unanswered = tokio::time::sleep(MAX_UNANSWERED);
        tokio::pin!(unanswered);
        let mut probes = tokio::time::interval(self.agent.probe_interval.max(MIN_PROBE_INTERVAL));
        probes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        probes.reset(); // the first tick would be at once
        loop {
            let over = matches!(self.stage, Stage::Over { .. });
            if over && self.background.is_empty() {
                // A transaction reports to the dialog before it ends: there may be a BYE to send.
                let Ok(state) = inputs.states.try_recv() else { break };
                self.state(state);
                continue;
            }
            let early = matches!(self.stage, Stage::Offered { .. } | Stage::Calling(_));
            tokio::select! {
                // An answer that was given before the hang-up is sent before it.
                biased;
                command = inputs.commands.recv(), if !over && !self.leaving => match command {
                    Some(command) => self.command(command).await,
                    None => self.hang_up(),
                },
                () = inputs.hang_up.cancelled(), if !over && !self.leaving => self.hang_up(),
                Some(state) = inputs.states.recv() => self.state(state),
                Some(request) = inputs.requests.recv() => self.request(request).await,
                Some(ended) = self.background.join_next() => {
                    self.progress(ended.unwrap_or(Progress::Done));
                }
                () = &mut unanswered, if early => self.unanswered(),
                _ = probes.tick(), if !over => self.probe(),
                alarm = self.alarms.next(), if !over => self.alarm(alarm),
            }
        }
        self.agent.layer.remove_dialog(&self.dialog.id());
    }

    fn alarm(&mut self, alarm: Alarm) {
        match alarm {
            Alarm::Refresh => self.refresh(),
            Alarm::Expired => self.lost(StatusCode::RequestTimeout.code()),
            Alarm::Resend => self.resend(),
            Alarm::Unconfirmed => self.unconfirmed(),
            Alarm::NoFarewell => self.hang_up(),
        }
    }

    async fn command(&mut self, command: Command) {
        match (command, &self.stage) {
            (Command::Label(headers), _) => self.labels = message::labels(headers),
            (Command::Ring, _) => self.announce(Announcement::Ringing),
            (Command::Progress(sdp), Stage::Offered { we_offer: false, .. }) => {
                self.announce(Announcement::Session(sdp));
            }
            (Command::Answer(sdp), _) => self.answer(sdp),
            (Command::Refuse { status, retry_after }, Stage::Offered { .. }) => {
                let status = if (300..700).contains(&status) { status } else { 500 };
                self.refuse(status, retry_after);
                self.ended(CallEnd::failed(status));
            }
            (Command::Watch, _) => self.watched = true,
            (Command::Unwatch, _) => self.watched = false,
            (Command::AcceptOffer(sdp), _) => self.accept_offer(sdp).await,
            (Command::RefuseOffer, _) => {
                if let Some(offer) = self.offer.take() {
                    self.refuse_offer(offer, StatusCode::NotAcceptableHere);
                }
            }
            (Command::AcceptTransfer, _) => self.accept_transfer().await,
            (Command::RefuseTransfer(status), _) => self.refuse_transfer(status),
            (Command::TellTransfer(status), _) => self.tell_transfer(status),
            (Command::Refer(target, replaces), _) => self.refer(&target, replaces.as_ref()),
            _ => debug!("a command out of season"),
        }
    }

    pub(crate) fn hang_up(&mut self) {
        match self.stage {
            Stage::Offered { .. } => self.refuse(StatusCode::Decline.code(), None),
            Stage::Calling(_) => {
                self.cancel();
                return self.ended(CallEnd::Canceled);
            }
            Stage::Answered { .. } => {
                self.ended(CallEnd::HungUp);
                self.stage = Stage::Over { bye_on_ack: true };
            }
            Stage::Up if self.transfers.succeeded => return self.await_farewell(),
            Stage::Up => self.bye(),
            Stage::Over { .. } => {}
        }
        self.ended(CallEnd::HungUp);
    }

    pub(crate) fn bye(&mut self) {
        let dialog = self.dialog.clone();
        self.background.spawn(async move {
            log("bye", dialog.bye().await);
            Progress::Done
        });
    }

    /// Asks the far end whether it still knows the call.
    fn probe(&mut self) {
        if !self.watched || self.probing || !matches!(self.stage, Stage::Up) {
            return;
        }
        self.probing = true;
        let dialog = self.dialog.clone();
        self.background.spawn(async move {
            let answer = dialog.request(Method::Options, Some(vec![message::accept()]), None).await;
            Progress::Probed(answer.ok().flatten().map(|response| response.status_code.code()))
        });
    }

    fn state(&mut self, state: DialogState) {
        match (state, &self.stage) {
            (DialogState::Trying(_), Stage::Calling(early)) => early.heard.cancel(),
            (DialogState::Early(_, response), Stage::Calling(_)) => self.provisional(&response),
            // The outcome, which tells more, is about to come.
            (
                DialogState::Terminated(
                    _,
                    TerminatedReason::UasOther(_)
                    | TerminatedReason::ProxyAuthRequired
                    // There is no way to the callee.
                    | TerminatedReason::UacCancel,
                ),
                Stage::Calling(_),
            ) => {}
            (DialogState::Confirmed(..), &Stage::Answered { we_offer }) => {
                let ack = self.dialog.last_remote_ack().filter(|_| we_offer);
                let answer = ack.and_then(|ack| message::description(&ack).ok().flatten());
                let unanswered = we_offer && answer.is_none();
                self.connected(answer.map(|sdp| CallEvent::Answered { sdp, headers: vec![] }));
                if unanswered {
                    self.hang_up();
                }
            }
            (DialogState::Confirmed(..), Stage::Over { bye_on_ack: true }) => {
                self.stage = Stage::Over { bye_on_ack: false };
                self.bye();
            }
            (DialogState::Terminated(_, reason), _) => {
                if matches!(reason, TerminatedReason::UacBye) {
                    // BYE instead of CANCEL: the INVITE is still owed its final response.
                    self.refuse(StatusCode::RequestTerminated.code(), None);
                }
                self.ended(end(&reason));
            }
            _ => {}
        }
    }

    fn progress(&mut self, progress: Progress) {
        match (progress, &self.stage) {
            (Progress::Outcome(outcome), _) => self.outcome(outcome),
            (Progress::Told, _) => self.told(),
            (Progress::Referred(status), _) => self.referred(status),
            (Progress::Refreshed(response), _) => self.refreshed(response.as_deref()),
            (Progress::OfferSettled(Some(sdp)), Stage::Up) => {
                self.report(CallEvent::Answered { sdp, headers: vec![] });
            }
            (Progress::OfferLost, Stage::Up) => self.lost(StatusCode::RequestTimeout.code()),
            (Progress::Probed(answer), Stage::Up) => {
                self.probing = false;
                let status = answer.unwrap_or(StatusCode::RequestTimeout.code());
                // Any other answer, even a refusal of OPTIONS, comes from somebody in the call.
                if matches!(status, 408 | 481) {
                    self.lost(status);
                }
            }
            _ => {}
        }
    }

    /// The far end does not take part in the call any more; it is told all the same.
    pub(crate) fn lost(&mut self, status: u16) {
        self.bye();
        self.ended(CallEnd::failed(status));
    }

    /// Both sides agree that there is a call; the peer's answer, and what it asked for too early.
    pub(crate) fn connected(&mut self, answer: Option<CallEvent>) {
        self.stage = Stage::Up;
        self.confirmed.get_or_init(|| self.dialog.id());
        if let Some(answer) = answer {
            self.report(answer);
        }
        if let Some(offer) = &self.offer {
            let sdp = message::description(&offer.original).ok().flatten();
            self.report(CallEvent::Offer { sdp });
        }
    }

    pub(crate) fn report(&mut self, event: CallEvent) {
        let Some((events, _)) = &self.events else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) = events.try_send(event) {
            warn!("the application does not read the call's events; hanging up");
            self.hang_up();
        }
    }

    /// Reports the end, once.
    pub(crate) fn ended(&mut self, end: CallEnd) {
        for waiting in [self.offer.take(), self.transfers.asked.take()].into_iter().flatten() {
            self.refuse_offer(waiting, StatusCode::RequestTerminated);
        }
        if let Some((_, room)) = self.events.take() {
            info!(?end, "call ended");
            self.count(&end);
            room.send(CallEvent::Ended(end));
            self.stage = Stage::Over { bye_on_ack: false };
        }
    }

    fn count(&self, end: &CallEnd) {
        let side = match self.dialog.role() {
            TransactionRole::Server => Side::Incoming,
            TransactionRole::Client => Side::Outgoing,
        };
        let answered = matches!(self.stage, Stage::Up | Stage::Answered { .. });
        let outcome = match end {
            CallEnd::HungUp if answered => Counted::Completed,
            CallEnd::HungUp => Counted::Refused(6),
            CallEnd::Canceled => Counted::Canceled,
            CallEnd::Failed { .. } if answered => Counted::Lost,
            CallEnd::Failed { status, .. } => Counted::Refused(status / 100),
        };
        self.agent.trace.count(side, outcome);
    }
}

/// Lets a transaction retransmit and absorb until its own timers end it.
pub(crate) async fn drain(transaction: &mut Transaction) {
    while !transaction.is_terminated() && transaction.receive().await.is_some() {}
}

fn end(reason: &TerminatedReason) -> CallEnd {
    let status = match reason {
        TerminatedReason::UacBye | TerminatedReason::UasBye => return CallEnd::HungUp,
        TerminatedReason::UacCancel => return CallEnd::Canceled,
        TerminatedReason::Timeout => StatusCode::RequestTimeout.code(),
        TerminatedReason::UacBusy | TerminatedReason::UasBusy => StatusCode::BusyHere.code(),
        TerminatedReason::UasDecline => StatusCode::Decline.code(),
        TerminatedReason::ProxyAuthRequired => StatusCode::ProxyAuthenticationRequired.code(),
        TerminatedReason::ProxyError(status)
        | TerminatedReason::UacOther(status)
        | TerminatedReason::UasOther(status) => status.code(),
    };
    CallEnd::failed(status)
}

pub(crate) fn log(step: &'static str, result: rsipstack::Result<()>) {
    if let Err(error) = result {
        debug!(step, %error, "the SIP stack objects");
    }
}
