//! An outgoing call before its answer, and how it comes out.

use std::collections::VecDeque;

use rsipstack::sip::{Response, StatusCode};

use crate::call::{CallEnd, CallEvent};
use crate::message;
use crate::task::{CallTask, Progress, Stage, log};

/// Branches of a forked call whose early media are remembered.
const MAX_BRANCHES: usize = 8;

/// The final response to our INVITE, or the status that stands for it.
pub(crate) type Outcome = Result<Box<Response>, u16>;

/// What the far ends have said so far.
#[derive(Default)]
pub(crate) struct Early {
    rang: bool,
    /// To tag and session description of the branches that sent one, the newest last.
    branches: VecDeque<(String, String)>,
}

impl Early {
    /// What a provisional response tells that is new.
    fn hear(&mut self, response: &Response) -> Vec<CallEvent> {
        let mut events = Vec::new();
        if response.status_code == StatusCode::Ringing && !self.rang {
            self.rang = true;
            events.push(CallEvent::Ringing);
        }
        let media = matches!(response.status_code, StatusCode::Ringing | StatusCode::SessionProgress);
        if let Some(sdp) = message::answer(response).filter(|_| media) {
            let branch = (message::response_tag(response), sdp.clone());
            if self.branches.back() != Some(&branch) {
                self.branches.retain(|(tag, _)| *tag != branch.0);
                self.branches.push_back(branch);
                if self.branches.len() > MAX_BRANCHES {
                    self.branches.pop_front();
                }
                events.push(CallEvent::Progress { sdp });
            }
        }
        events
    }

    /// The early session description of the branch that sent `response`.
    fn of_branch(&self, response: &Response) -> Option<String> {
        let tag = message::response_tag(response);
        self.branches.iter().find(|(branch, _)| *branch == tag).map(|(_, sdp)| sdp.clone())
    }
}

impl CallTask {
    pub(crate) fn provisional(&mut self, response: &Response) {
        let Stage::Calling(early) = &mut self.stage else { return };
        for event in early.hear(response) {
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
        match outcome {
            Ok(answer) if answer.status_code == StatusCode::OK => {
                let sdp = message::answer(&answer).or_else(|| early.of_branch(&answer));
                let headers = message::application_headers(&answer.headers);
                self.connected(Some(CallEvent::Answered { sdp: sdp.unwrap_or_default(), headers }));
            }
            Ok(refusal) => {
                let (status, reason) = (refusal.status_code.code(), message::reason(&refusal.headers));
                self.ended(CallEnd::Failed { status, reason });
            }
            Err(status) => self.ended(CallEnd::failed(status)),
        }
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
