//! How an incoming call is answered or refused.

use std::time::Duration;

use rsipstack::sip::{HeadersExt, StatusCode};
use rsipstack::transaction::transaction::TransactionEvent;
use tracing::debug;

use crate::alarm::Alarm;
use crate::message;
use crate::task::{CallTask, Stage, log};

impl CallTask {
    /// Answers the INVITE, once the caller has confirmed what it was told of the session before.
    pub(crate) fn answer(&mut self, sdp: String) {
        let &Stage::Offered { we_offer, .. } = &self.stage else { return };
        if self.announced.holds_answer() {
            self.announced.answer = Some(sdp);
            return;
        }
        self.alarms.clear(Alarm::Resend);
        self.alarms.clear(Alarm::Unconfirmed);
        let mut headers = vec![message::allow(), message::supported()];
        headers.extend(self.agree(&self.dialog.initial_request().headers));
        headers.extend(self.labels.iter().cloned());
        let body = if self.announced.superseded {
            None
        } else {
            headers.push(message::content_type());
            self.session.description.clone_from(&sdp);
            Some(sdp.into_bytes())
        };
        log("answer", self.dialog.accept(Some(headers), body));
        self.stage = Stage::Answered { we_offer };
    }

    /// Sends a final response other than 2xx to the INVITE.
    pub(crate) fn refuse(&self, status: u16, retry_after: Option<Duration>) {
        let Stage::Offered { invite, .. } = &self.stage else { return };
        let request = self.dialog.initial_request();
        let mut response = self.agent.stack.make_response(&request, StatusCode::from(status), None);
        if let Ok(to) = request.to_header() {
            let tag = self.dialog.id().local_tag;
            response.headers.unique_push(to.clone().with_tag(tag.into()).into());
        }
        if let Some(after) = retry_after {
            response.headers.push(message::retry_after(after.as_secs().max(1)));
        }
        // The stack's own refusal cannot carry headers. It comes second, finds the transaction
        // completed and only moves the dialog on.
        let sent = invite.send(TransactionEvent::Respond(response)).is_ok();
        log("refuse", self.dialog.reject(Some(StatusCode::from(status)), None));
        debug!(status, sent, "refused");
    }
}
