//! Calls that are signalled otherwise than by SIP, and are calls like all others from there on.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::call::{CallControl, CallEnd, CallEvent, Command, IncomingCall};
use crate::places::Places;

/// Commands and events that may wait.
const PER_CALL: usize = 16;

/// Who calls, and what for.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Names the call in logs.
    pub id: String,
    /// The caller.
    pub from: String,
    /// Whom the call is for.
    pub user: String,
    /// Where it came from.
    pub source: SocketAddr,
    /// Its session description.
    pub offer: String,
}

/// What the application wants of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The call is answered with this session description.
    Answer(String),
    /// It is refused.
    Refuse {
        /// As SIP would say it.
        status: u16,
        /// When it is worth another try.
        retry_after: Option<Duration>,
    },
    /// What was proposed during the call is answered with this session description.
    AcceptOffer(String),
    /// The session stays as it was.
    RefuseOffer,
    /// The call ends.
    HangUp,
}

/// A call as those see it who signal it. Dropped without [`Self::end`], the call has failed.
#[derive(Debug)]
pub struct ForeignCall {
    commands: mpsc::Receiver<Command>,
    hang_up: CancellationToken,
    events: mpsc::Sender<CallEvent>,
}

impl ForeignCall {
    /// A call, and what the application is to be shown of it.
    pub fn new(caller: Caller) -> (Self, IncomingCall) {
        let Caller { id, from, user, source, offer } = caller;
        let (sender, commands) = mpsc::channel(PER_CALL);
        let (reports, events) = mpsc::channel(PER_CALL);
        let hang_up = CancellationToken::new();
        let control = CallControl::new(&id, sender, hang_up.clone(), Places::default());
        let shown = IncomingCall {
            from,
            from_display: None,
            to: user.clone(),
            user,
            endpoint: None,
            headers: Vec::new(),
            diverted_by: None,
            verification: None,
            source,
            offer: Some(offer),
            control,
            events,
        };
        (Self { commands, hang_up, events: reports }, shown)
    }

    /// The next thing that the application wants. What tells a phone to ring has no meaning here.
    pub async fn wish(&mut self) -> Wish {
        loop {
            // What was wanted before the end comes first.
            let command = tokio::select! {
                biased;
                command = self.commands.recv() => command,
                () = self.hang_up.cancelled() => None,
            };
            return match command {
                None => Wish::HangUp,
                Some(Command::Answer(sdp)) => Wish::Answer(sdp),
                Some(Command::Refuse { status, retry_after }) => Wish::Refuse { status, retry_after },
                Some(Command::AcceptOffer(sdp)) => Wish::AcceptOffer(sdp),
                Some(Command::RefuseOffer) => Wish::RefuseOffer,
                Some(_) => continue,
            };
        }
    }

    /// Proposes another session, which is a wish afterwards.
    pub async fn offer(&self, sdp: String) {
        // Who is gone wants the call to end, which is the next wish.
        self.events.send(CallEvent::Offer { sdp: Some(sdp) }).await.ok();
    }

    /// Says how the call ended.
    pub async fn end(self, end: CallEnd) {
        self.events.send(CallEvent::Ended(end)).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> (ForeignCall, IncomingCall) {
        ForeignCall::new(Caller {
            id: "1".into(),
            from: "ann".into(),
            user: "sales".into(),
            source: ([192, 0, 2, 1], 4000).into(),
            offer: "v=0".into(),
        })
    }

    #[tokio::test]
    async fn what_the_application_wants_is_told_in_order_and_its_end_last() {
        let (mut call, shown) = call();
        assert_eq!((shown.user.as_str(), shown.offer.as_deref()), ("sales", Some("v=0")));
        shown.control.ring();
        shown.control.answer("answer".into());
        shown.control.hang_up();
        assert_eq!(call.wish().await, Wish::Answer("answer".into()));
        assert_eq!(call.wish().await, Wish::HangUp);
    }

    #[tokio::test]
    async fn what_is_proposed_is_seen_and_so_is_the_end() {
        let (mut call, mut shown) = call();
        call.offer("again".into()).await;
        assert_eq!(shown.events.recv().await, Some(CallEvent::Offer { sdp: Some("again".into()) }));
        shown.control.accept_offer("agreed".into());
        assert_eq!(call.wish().await, Wish::AcceptOffer("agreed".into()));
        call.end(CallEnd::HungUp).await;
        assert_eq!(shown.events.recv().await, Some(CallEvent::Ended(CallEnd::HungUp)));
        assert_eq!(shown.events.recv().await, None);
    }
}
