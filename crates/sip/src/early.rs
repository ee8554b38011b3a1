//! An outgoing call before its answer, and how it comes out.

use std::collections::VecDeque;

use rsipstack::sip::{HeadersExt as _, Response, StatusCode};

use tokio_util::sync::CancellationToken;

use crate::call::{CallEnd, CallEvent};
use crate::dialog::MAX_BRANCHES;
use crate::message;
use crate::task::{CallTask, Progress, Stage, log};
use crate::timer;

/// The final response to our INVITE, or the status that stands for it.
pub(crate) type Outcome = Result<Box<Response>, u16>;

/// What the far ends have said so far.
#[derive(Default)]
pub(crate) struct Early {
    /// Cancelled once anything was heard.
    pub(crate) heard: CancellationToken,
    rang: bool,
    /// Who spoke, the newest last.
    branches: VecDeque<Branch>,
    /// A 422 was followed.
    retried: bool,
}

/// One far end of a call that may have been forked.
#[derive(Default)]
struct Branch {
    tag: String,
    sdp: Option<String>,
    /// Number of its newest reliable response.
    number: Option<u32>,
    /// Its description was in a reliable response: nothing in later responses replaces it.
    settled: bool,
}

impl Early {
    /// What a provisional response tells that is new; `None` if it is out of order or repeated
    /// (RFC 3262 section 4).
    fn hear(&mut self, response: &Response) -> Option<Vec<CallEvent>> {
        let tag = message::response_tag(response);
        let was_newest = self.branches.back().is_some_and(|branch| branch.tag == tag);
        let known = self.branches.iter().position(|branch| branch.tag == tag);
        let known = known.and_then(|index| self.branches.remove(index));
        let mut branch = known.unwrap_or_else(|| Branch { tag, ..Branch::default() });
        let number = response.rseq_value();
        let in_order = match (number, branch.number) {
            (Some(number), Some(last)) => number == last.wrapping_add(1),
            _ => true,
        };
        let mut events = Vec::new();
        if in_order {
            branch.number = number.or(branch.number);
            if response.status_code == StatusCode::Ringing && !self.rang {
                self.rang = true;
                events.push(CallEvent::Ringing);
            }
            let media = matches!(response.status_code, StatusCode::Ringing | StatusCode::SessionProgress);
            if let Some(sdp) = message::answer(response).filter(|_| media && !branch.settled) {
                branch.settled = number.is_some();
                if !was_newest || branch.sdp.as_ref() != Some(&sdp) {
                    events.push(CallEvent::Progress { sdp: sdp.clone() });
                }
                branch.sdp = Some(sdp);
            }
        }
        self.branches.push_back(branch);
        if self.branches.len() > MAX_BRANCHES {
            self.branches.pop_front();
        }
        in_order.then_some(events)
    }

    /// The peer's description for an answer of its: what was settled before stands.
    fn answered(&self, response: &Response) -> Option<String> {
        let tag = message::response_tag(response);
        let branch = self.branches.iter().find(|branch| branch.tag == tag);
        let early = || branch.and_then(|branch| branch.sdp.clone());
        match message::answer(response) {
            Some(sdp) if !branch.is_some_and(|branch| branch.settled) => Some(sdp),
            _ => early(),
        }
    }

    /// Whether a far end may propose another session before it answers.
    pub(crate) fn is_settled(&self, tag: &str) -> bool {
        self.branches.iter().any(|branch| branch.tag == tag && branch.settled)
    }

    /// A far end proposed another session.
    pub(crate) fn proposed(&mut self, tag: &str, sdp: &str) {
        if let Some(branch) = self.branches.iter_mut().find(|branch| branch.tag == tag) {
            branch.sdp = Some(sdp.to_owned());
        }
    }

    /// Whether a far end has said anything.
    pub(crate) fn knows(&self, tag: &str) -> bool {
        self.branches.iter().any(|branch| branch.tag == tag)
    }
}

impl CallTask {
    pub(crate) fn provisional(&mut self, response: &Response) {
        let Stage::Calling(early) = &mut self.stage else { return };
        early.heard.cancel();
        let Some(events) = early.hear(response) else { return };
        if let Some(number) = response.rseq_value() {
            self.acknowledge(response, number);
        }
        for event in events {
            self.report(event);
        }
    }

    pub(crate) fn outcome(&mut self, outcome: Outcome) {
        let Stage::Calling(early) = &self.stage else {
            // The answer came before our CANCEL could be sent.
            if self.dialog.state().is_confirmed() {
                self.bye();
            }
            return;
        };
        if outcome.is_ok() {
            early.heard.cancel();
        }
        match outcome {
            Ok(answer) if answer.status_code == StatusCode::OK => {
                let sdp = early.answered(&answer).unwrap_or_default();
                let headers = message::application_headers(&answer.headers);
                self.connected(Some(CallEvent::Answered { sdp, headers }));
                self.agreed(&answer.headers);
            }
            Ok(refusal) if self.retries(&refusal) => {}
            Ok(refusal) => {
                let (status, reason) = (refusal.status_code.code(), message::reason(&refusal.headers));
                self.ended(CallEnd::Failed { status, reason });
            }
            Err(status) => self.ended(CallEnd::failed(status)),
        }
    }

    /// Calls again, with the longer session that a 422 asks for (RFC 4028 section 7.3). Once.
    fn retries(&mut self, refusal: &Response) -> bool {
        let limits = self.agent.timer;
        let Stage::Calling(early) = &mut self.stage else { return false };
        let longer = timer::longer(limits.expires, refusal).filter(|_| !early.retried);
        let Some((_, headers)) = longer else { return false };
        early.retried = true;
        let Ok((dialog, invite)) = self.dialog.again(headers) else { return false };
        self.dialog = dialog.clone();
        self.follow(async move { Progress::Outcome(dialog.place(invite).await) });
        true
    }

    /// Takes back our INVITE. The stack waits for a provisional response before it sends CANCEL, and
    /// ends the call that an answer on the way makes nevertheless (RFC 3261 sections 9.1 and 15).
    pub(crate) fn cancel(&mut self) {
        let dialog = self.dialog.clone();
        self.background.spawn(async move {
            log("cancel", dialog.cancel().await);
            Progress::Done
        });
    }

    /// Gives up waiting for an answer.
    pub(crate) fn unanswered(&mut self) {
        if matches!(self.stage, Stage::Calling(_)) {
            self.cancel();
            self.ended(CallEnd::failed(StatusCode::RequestTimeout.code()));
        } else {
            self.hang_up();
        }
    }
}
