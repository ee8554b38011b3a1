//! What a peer proposes during a call: re-INVITE and UPDATE.

use rsipstack::sip::{Header, Method, Request, SipMessage, StatusCode};
use rsipstack::transaction::transaction::Transaction;

use crate::call::CallEvent;
use crate::message;
use crate::task::{CallTask, Progress, Stage, drain, log};

/// When a peer may repeat an offer that came too early, in seconds.
const RETRY_SECONDS: u64 = 1;

impl CallTask {
    /// Takes a re-INVITE or UPDATE to the application, one at a time.
    pub(crate) async fn consider(&mut self, mut request: Transaction) {
        let is_invite = request.original.method == Method::Invite;
        if let Err((status, headers)) = self.agent.timer.answer(&request.original.headers) {
            return self.agent.answer(&request, status, headers).await;
        }
        match message::description(&request.original) {
            Err(status) => self.agent.answer(&request, status, vec![message::accept()]).await,
            Ok(None) if !is_invite => {
                let headers = self.acceptance(&request.original);
                self.agent.answer(&request, StatusCode::OK, headers).await;
            }
            // Both sides propose at once (RFC 3261 section 14.2, RFC 3311 section 5.2).
            Ok(_) if self.session.refreshing == Some(Method::Invite) => {
                self.agent.answer(&request, StatusCode::RequestPending, vec![]).await;
            }
            // A peer may offer as soon as it has sent or received the ACK, which can be before the
            // stack told us of it: `connected` reports the offer then.
            Ok(sdp) if self.offer.is_none() && self.may_propose() => {
                if is_invite {
                    log("try", request.send_trying().await);
                }
                self.offer = Some(request);
                match &mut self.stage {
                    Stage::Calling(early) => {
                        early.proposed(&self.dialog.id().remote_tag, sdp.as_deref().unwrap_or_default());
                        self.report(CallEvent::Offer { sdp });
                    }
                    Stage::Up | Stage::Offered { .. } => self.report(CallEvent::Offer { sdp }),
                    Stage::Answered { .. } | Stage::Over { .. } => {}
                }
            }
            // Our own offer has no answer yet.
            Ok(_) if matches!(self.stage, Stage::Calling(_)) => {
                self.agent.answer(&request, StatusCode::RequestPending, vec![]).await;
            }
            Ok(_) => {
                let headers = vec![message::retry_after(RETRY_SECONDS)];
                self.agent.answer(&request, StatusCode::ServerInternalError, headers).await;
            }
        }
    }

    /// Whether there is a session that the peer can propose to change.
    fn may_propose(&self) -> bool {
        match &self.stage {
            Stage::Up | Stage::Answered { .. } => true,
            Stage::Offered { .. } => self.announced.agreed,
            Stage::Calling(early) => early.is_settled(&self.dialog.id().remote_tag),
            Stage::Over { .. } => false,
        }
    }

    pub(crate) async fn accept_offer(&mut self, sdp: String) {
        let Some(mut offer) = self.offer.take() else { return };
        let we_offer = offer.original.body.is_empty();
        let mut headers = self.acceptance(&offer.original);
        headers.push(message::content_type());
        self.session.description.clone_from(&sdp);
        self.announced.superseded |= matches!(self.stage, Stage::Offered { .. });
        log("accept", offer.reply_with(StatusCode::OK, headers, Some(sdp.into_bytes())).await);
        if offer.original.method == Method::Invite {
            self.background.spawn(async move {
                let mut settled = Progress::OfferLost;
                while let Some(received) = offer.receive().await {
                    if let SipMessage::Request(ack) = received
                        && ack.method == Method::Ack
                    {
                        let answer = message::description(&ack).ok().flatten().filter(|_| we_offer);
                        settled = Progress::OfferSettled(answer);
                    }
                }
                settled
            });
        }
    }

    /// Headers of the 2xx to a request that refreshes the session and may say where the peer is now.
    fn acceptance(&mut self, request: &Request) -> Vec<Header> {
        self.dialog.retarget(request);
        let mut headers = vec![self.contact_header(), message::allow(), message::supported()];
        if !matches!(self.stage, Stage::Offered { .. } | Stage::Calling(_)) {
            headers.extend(self.agree(&request.headers));
        }
        headers
    }

    pub(crate) fn refuse_offer(&mut self, mut offer: Transaction, status: StatusCode) {
        self.background.spawn(async move {
            let replied = offer.reply(status).await;
            if replied.is_ok() && offer.original.method == Method::Invite {
                drain(&mut offer).await;
            }
            log("refuse offer", replied);
            Progress::Done
        });
    }

    fn contact_header(&self) -> Header {
        rsipstack::sip::typed::Contact::from(self.contact.clone()).into()
    }
}
