//! What a peer proposes during a call: re-INVITE and UPDATE.

use rsipstack::sip::{Header, Method, SipMessage, StatusCode};
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
        match message::description(&request.original) {
            Err(status) => self.agent.answer(&request, status, vec![message::accept()]).await,
            Ok(None) if !is_invite => {
                self.agent.answer(&request, StatusCode::OK, vec![self.contact_header()]).await;
            }
            // A peer may offer as soon as it has sent or received the ACK, which can be before the
            // stack told us of it: `connected` reports the offer then.
            Ok(sdp) if self.offer.is_none() && self.is_answered() => {
                if is_invite {
                    log("try", request.send_trying().await);
                }
                self.offer = Some(request);
                if matches!(self.stage, Stage::Up) {
                    self.report(CallEvent::Offer { sdp });
                }
            }
            Ok(_) => {
                let headers = vec![message::retry_after(RETRY_SECONDS)];
                self.agent.answer(&request, StatusCode::ServerInternalError, headers).await;
            }
        }
    }

    fn is_answered(&self) -> bool {
        !matches!(self.stage, Stage::Offered { .. } | Stage::Over { .. })
    }

    pub(crate) async fn accept_offer(&mut self, sdp: String) {
        let Some(mut offer) = self.offer.take() else { return };
        let we_offer = offer.original.body.is_empty();
        let headers = vec![self.contact_header(), message::allow(), message::content_type()];
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
