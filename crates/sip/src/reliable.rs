//! Provisional responses that are confirmed (RFC 3262): ours to callers, and those to our calls.

use std::time::Duration;

use rand::RngExt as _;
use rsipstack::sip::{CSeq, Header, HeadersExt, Method, Request, Response, StatusCode};
use rsipstack::transaction::transaction::Transaction;

use crate::alarm::Alarm;
use crate::call::CallEnd;
use crate::dialog::Question;
use crate::message;
use crate::task::{CallTask, Progress, Stage, log};

/// The option tag.
pub(crate) const RELIABLE: &str = "100rel";
/// First numbers are drawn from below this, so that none overflows.
const FIRST_NUMBERS: u32 = 1 << 30;

/// What a caller is told before the answer.
#[derive(Clone)]
pub(crate) enum Announcement {
    /// We ring.
    Ringing,
    /// It can hear us; our description.
    Session(String),
}

/// What a caller was told before the answer, one thing at a time.
#[derive(Default)]
pub(crate) struct Announced {
    /// Number of the newest reliable response; 0 before the first.
    number: u32,
    /// It was not confirmed yet.
    unconfirmed: Option<Announcement>,
    resend_after: Duration,
    /// What is told after it.
    next: Option<Announcement>,
    /// The answer waits until the description before it is confirmed.
    pub(crate) answer: Option<String>,
    /// A description was confirmed: from then on the peer may propose another.
    pub(crate) agreed: bool,
    /// It did, and the answer does not describe the session any more.
    pub(crate) superseded: bool,
}

impl Announced {
    /// Whether the answer has to wait (RFC 3262 section 3).
    pub(crate) const fn holds_answer(&self) -> bool {
        matches!(self.unconfirmed, Some(Announcement::Session(_)))
    }
}

impl CallTask {
    /// Tells the caller, now or once it has confirmed what it was told before.
    pub(crate) fn announce(&mut self, told: Announcement) {
        let &Stage::Offered { we_offer, .. } = &self.stage else { return };
        if self.announced.unconfirmed.is_some() {
            self.announced.next = Some(told);
            return;
        }
        let headers = self.dialog.initial_request().headers;
        let required = message::required(&headers).any(|tag| tag.eq_ignore_ascii_case(RELIABLE));
        let can = || matches!(told, Announcement::Session(_)) && message::supports(&headers, RELIABLE);
        if !required && !can() {
            return self.send_provisional(told, None);
        }
        if we_offer {
            return; // the first such response would have to carry our offer
        }
        if self.announced.number == 0 {
            self.announced.number = rand::make_rng::<rand::rngs::StdRng>().random_range(1..FIRST_NUMBERS);
        } else {
            self.announced.number += 1;
        }
        self.announced.resend_after = self.agent.stack.option.t1;
        self.announced.unconfirmed = Some(told);
        self.alarms.set(Alarm::Unconfirmed, self.agent.stack.option.t1x64);
        self.resend();
    }

    /// Sends what is not confirmed, and sets the time for it to be sent again.
    pub(crate) fn resend(&mut self) {
        let Announced { number, unconfirmed: Some(told), resend_after, .. } = &mut self.announced else {
            return;
        };
        let (number, told, after) = (*number, told.clone(), *resend_after);
        *resend_after *= 2;
        self.alarms.set(Alarm::Resend, after);
        self.send_provisional(told, Some(number));
    }

    fn send_provisional(&self, told: Announcement, number: Option<u32>) {
        let mut headers = vec![message::allow()];
        headers.extend(self.labels.iter().cloned());
        let sdp = match told {
            Announcement::Ringing => None,
            Announcement::Session(sdp) => Some(sdp),
        };
        if sdp.is_some() {
            headers.push(message::content_type());
        }
        if let Some(number) = number {
            headers.extend([Header::Require(RELIABLE.into()), Header::RSeq(number.to_string().into())]);
        }
        log("announce", self.dialog.ringing(Some(headers), sdp.map(String::into_bytes)));
    }

    /// The caller never confirmed.
    pub(crate) fn unconfirmed(&mut self) {
        let status = StatusCode::ServerTimeOut.code();
        self.refuse(status, None);
        self.ended(CallEnd::failed(status));
    }

    /// Answers a PRACK, and goes on with what waited for it. One with an offer is considered then.
    pub(crate) async fn confirm(&mut self, request: Transaction) {
        let number = self.announced.number;
        let confirms =
            number > 0 && confirmed(&request.original, &self.dialog.initial_request()) == Some(number);
        if !confirms {
            return self.agent.answer(&request, StatusCode::CallTransactionDoesNotExist, vec![]).await;
        }
        if let Some(told) = self.announced.unconfirmed.take() {
            self.alarms.clear(Alarm::Resend);
            self.alarms.clear(Alarm::Unconfirmed);
            self.announced.agreed |= matches!(told, Announcement::Session(_));
        }
        if request.original.body.is_empty() {
            self.agent.answer(&request, StatusCode::OK, vec![]).await;
        } else {
            self.consider(request).await;
        }
        if let Some(sdp) = self.announced.answer.take() {
            self.answer(sdp);
        } else if let Some(next) = self.announced.next.take() {
            self.announce(next);
        }
    }

    /// Confirms a provisional response to our INVITE to the branch that sent it.
    pub(crate) fn acknowledge(&mut self, response: &Response, number: u32) {
        let Ok(invite) = response.cseq_header().and_then(CSeq::seq) else { return };
        let (dialog, response) = (self.dialog.clone(), response.clone());
        let confirmation = Header::RAck(format!("{number} {invite} INVITE").into());
        self.follow(async move {
            let question = Question::of_branch(Method::PRack, &response);
            dialog.ask(Question { headers: vec![confirmation], ..question }).await;
            Progress::Done
        });
    }
}

/// Which response to `invite` a PRACK confirms.
fn confirmed(prack: &Request, invite: &Request) -> Option<u32> {
    let (number, sequence, method) = prack.rack_value()?;
    (sequence == message::cseq(invite) && method == Method::Invite).then_some(number)
}
