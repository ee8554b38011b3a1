//! A call as the application sees it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mixminus_rtp::Digit;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::caller::Verification;
use crate::message::Masked;
use crate::places::Places;
use crate::transfer::Replaces;

/// A call that waits to be answered or refused.
///
/// Dropping the last [`CallControl`] of a call hangs it up.
pub struct IncomingCall {
    /// The caller, `sip:user@host`.
    pub from: String,
    /// The caller's display name.
    pub from_display: Option<String>,
    /// Whom the call is for: the request URI, `sip:user@host`.
    pub to: String,
    /// The user part of `to`, unescaped.
    pub user: String,
    /// The user name of the endpoint that calls, if it is one; it has shown that it knows its password.
    pub endpoint: Option<String>,
    /// The `X-PH-` headers, as sent.
    pub headers: Vec<(String, String)>,
    /// The user that diverted the call to us, the last one if there were several (`Diversion`).
    pub diverted_by: Option<String>,
    /// What is known of the caller's right to `from`; `None` if nobody says anything.
    pub verification: Option<Verification>,
    /// Where the request came from.
    pub source: SocketAddr,
    /// The caller's session description; without one the answer is to hold our offer, and the
    /// caller's answer comes as [`CallEvent::Answered`].
    pub offer: Option<String>,
    /// What can be done.
    pub control: CallControl,
    /// What happens. [`CallEvent::Ended`] is the last event, and always comes.
    pub events: mpsc::Receiver<CallEvent>,
}

impl fmt::Debug for IncomingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingCall")
            .field("from", &Masked(&self.from))
            .field("to", &Masked(&self.to))
            .field("source", &self.source)
            .field("call_id", &self.control.id())
            .finish_non_exhaustive()
    }
}

/// A call that we placed.
#[derive(Debug)]
pub struct OutgoingCall {
    /// What can be done.
    pub control: CallControl,
    /// What happens. [`CallEvent::Ended`] is the last event, and always comes.
    pub events: mpsc::Receiver<CallEvent>,
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEvent {
    /// The far end rings (180). Outgoing calls only, once at most.
    Ringing,
    /// The far end has something to hear before it answers, with or without [`CallEvent::Ringing`].
    /// Outgoing calls only. When a call is forked each branch may have its own: the newest counts.
    Progress {
        /// Its session description, an answer to our offer.
        sdp: String,
    },
    /// The far end's answer to our offer.
    Answered {
        /// Its session description. If the answer of an outgoing call has none, that of the
        /// [`CallEvent::Progress`] of the same branch stands.
        sdp: String,
        /// The `X-PH-` headers of the response that answered an outgoing call.
        headers: Vec<(String, String)>,
    },
    /// A key that was pressed, told by INFO. A peer that sends telephone events as well tells it twice.
    Digit(Digit),
    /// The far end proposes another session, to be accepted or refused.
    Offer {
        /// Its session description; `None` asks for our offer, to be given with
        /// [`CallControl::accept_offer`] and answered with [`CallEvent::Answered`].
        sdp: Option<String>,
    },
    /// The far end wants us to call somebody else in its place (REFER). Until it is accepted nothing
    /// happens; whether `target` may be called is for the application to decide.
    Transfer {
        /// Whom to call: `sip:user@host`.
        target: String,
        /// The call that the new one is to take the place of, at the target.
        replaces: Option<Replaces>,
    },
    /// What became of [`CallControl::refer`].
    Transferred {
        /// SIP status of the far end's own call, or with which it refused to place one.
        status: u16,
    },
    /// The call is over.
    Ended(CallEnd),
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// One of the two hung up.
    HungUp,
    /// The caller gave up before there was an answer.
    Canceled,
    /// It was refused, or failed on the way.
    Failed {
        /// SIP status; 408 when the far end fell silent or never spoke.
        status: u16,
        /// The `Reason` header of the refusal (RFC 3326), such as `Q.850;cause=17`, 256 characters
        /// at most.
        reason: Option<String>,
    },
}

impl CallEnd {
    pub(crate) const fn failed(status: u16) -> Self {
        Self::Failed { status, reason: None }
    }
}

/// Controls a call. Every method returns at once; what comes of it is an event.
/// On a call that has ended, or in a state in which it makes no sense, it does nothing.
#[derive(Clone)]
pub struct CallControl {
    id: Arc<str>,
    commands: mpsc::Sender<Command>,
    hang_up: CancellationToken,
    pub(crate) places: Places,
}

/// What the application asked of a call.
#[derive(Debug)]
pub(crate) enum Command {
    Ring,
    Progress(String),
    Answer(String),
    Label(Vec<(String, String)>),
    Refuse { status: u16, retry_after: Option<Duration> },
    AcceptOffer(String),
    RefuseOffer,
    Watch,
    Unwatch,
    AcceptTransfer,
    RefuseTransfer(u16),
    TellTransfer(u16),
    Refer(String, Option<Replaces>),
}

impl CallControl {
    pub(crate) fn new(
        id: &str,
        commands: mpsc::Sender<Command>,
        hang_up: CancellationToken,
        places: Places,
    ) -> Self {
        Self { id: id.into(), commands, hang_up, places }
    }

    /// The SIP Call-ID; a name of its own while the call is tried at one place after the other.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether this is the call that `replaces` names, by its tags as well; only one that is answered has those.
    pub fn is_named_by(&self, replaces: &Replaces) -> bool {
        self.places.dialogs().iter().any(|dialog| replaces.names(dialog))
    }

    /// Puts these headers into all responses that tell of ringing, of media or of the answer from now on.
    /// Their names are to begin with `X-`; others are left out, and so is what has control characters.
    pub fn label(&self, headers: Vec<(String, String)>) {
        self.send(Command::Label(headers));
    }

    /// Gives the call's messages the name by which [`Trace::of`](crate::Trace::of) has them; several calls
    /// of one name are shown together.
    pub fn trace_as(&self, name: &str) {
        self.places.name(name);
    }

    /// Tells the caller that the callee rings.
    pub fn ring(&self) {
        self.send(Command::Ring);
    }

    /// Lets the caller hear us before the answer (183), by the answer to its offer; [`Self::answer`]
    /// has to repeat it. Does nothing for a caller without an offer.
    ///
    /// A caller that can confirms it (RFC 3262), and until then the answer waits; one that should and
    /// does not for 64 times the `round_trip` is refused with 504.
    pub fn progress(&self, sdp: String) {
        self.send(Command::Progress(sdp));
    }

    /// Answers an incoming call: with the answer to its offer, or with our offer if it had none.
    pub fn answer(&self, sdp: String) {
        self.send(Command::Answer(sdp));
    }

    /// Refuses an incoming call with a final status (300 to 699; anything else counts as 500).
    pub fn refuse(&self, status: u16, retry_after: Option<Duration>) {
        self.send(Command::Refuse { status, retry_after });
    }

    /// Ends the call: declines it, cancels it or says goodbye, whichever its state asks for. A far end
    /// that was told that its transfer succeeded has 3 s to say goodbye itself.
    pub fn hang_up(&self) {
        self.hang_up.cancel();
    }

    /// Answers a [`CallEvent::Offer`].
    pub fn accept_offer(&self, sdp: String) {
        self.send(Command::AcceptOffer(sdp));
    }

    /// Refuses a [`CallEvent::Offer`]; the session stays as it was.
    pub fn refuse_offer(&self) {
        self.send(Command::RefuseOffer);
    }

    /// Says that a [`CallEvent::Transfer`] is under way; [`Self::tell_transfer`] has to follow.
    pub fn accept_transfer(&self) {
        self.send(Command::AcceptTransfer);
    }

    /// Refuses a [`CallEvent::Transfer`] with a final status (300 to 699; anything else counts as 500).
    pub fn refuse_transfer(&self, status: u16) {
        self.send(Command::RefuseTransfer(status));
    }

    /// Tells the far end how the call goes that it asked for, by SIP status; a final one (from 200 on)
    /// is the last.
    pub fn tell_transfer(&self, status: u16) {
        self.send(Command::TellTransfer(status));
    }

    /// Asks the far end to call `target` (`sip:user@host`) in our place; [`CallEvent::Transferred`]
    /// tells what came of it. This call goes on until somebody hangs up.
    pub fn refer(&self, target: String) {
        self.send(Command::Refer(target, None));
    }

    /// The same in the place of another call, which is answered: the far end is to call `target` and take our
    /// place in `other`. Does nothing before the answer.
    pub fn refer_into(&self, other: &Self, target: String) {
        if let Some(dialog) = other.places.dialogs().first() {
            self.send(Command::Refer(target, Some(Replaces::of(dialog))));
        }
    }

    /// From now on asks the far end, every `probe_interval`, whether it still knows the call. For
    /// calls on hold: their media cannot tell.
    pub fn watch(&self) {
        self.send(Command::Watch);
    }

    /// Asks no more.
    pub fn unwatch(&self) {
        self.send(Command::Unwatch);
    }

    pub(crate) fn send(&self, command: Command) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.commands.try_send(command) {
            warn!(call_id = %self.id, "too many commands at once; hanging up");
            self.hang_up();
        }
    }
}

impl fmt::Debug for CallControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallControl").field(&self.id).finish()
    }
}
