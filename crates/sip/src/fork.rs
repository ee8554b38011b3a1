//! One call to several places at once: the first to answer has it.

use tokio_util::sync::CancellationToken;

use crate::between::Between;
use crate::call::{CallEnd, CallEvent, OutgoingCall};

/// A call that is tried at several places.
pub(crate) struct Fork {
    branches: Vec<OutgoingCall>,
    /// Why branches failed, the best reason first kept.
    worst: Option<CallEnd>,
    rang: bool,
    between: Between,
}

impl Fork {
    /// Makes one call of `branches`, and the task that does so.
    pub(crate) fn join(
        branches: Vec<OutgoingCall>,
        hang_up: CancellationToken,
    ) -> Option<(OutgoingCall, Self)> {
        let (call, between) = Between::new(branches.first()?.control.id(), hang_up);
        for branch in &branches {
            between.show(branch);
        }
        Some((call, Self { branches, worst: None, rang: false, between }))
    }

    /// Waits for the first answer, gives up the others, and stands between the winner and the application.
    pub(crate) async fn run(mut self) {
        while !self.branches.is_empty() {
            let event = tokio::select! {
                biased;
                () = self.between.given_up() => {
                    self.branches.clear(); // whoever is dropped is hung up
                    return self.between.end(CallEnd::Canceled).await;
                }
                event = next(&mut self.branches) => event,
            };
            let told = match event {
                (branch, CallEvent::Answered { sdp, headers }) => {
                    let winner = self.branches.swap_remove(branch);
                    self.branches.clear();
                    if self.between.tell(CallEvent::Answered { sdp, headers }).await {
                        self.between.follow(winner).await;
                    }
                    return;
                }
                (branch, CallEvent::Ended(end)) => {
                    self.branches.swap_remove(branch);
                    self.lose(end);
                    continue;
                }
                (_, CallEvent::Ringing) if std::mem::replace(&mut self.rang, true) => continue,
                (_, event) => self.between.tell(event).await,
            };
            if !told {
                return;
            }
        }
        self.between.end(self.worst.take().unwrap_or(CallEnd::Canceled)).await;
    }

    /// Notes why a branch failed. What was decided for all places (6xx) ends the others, and a busy phone
    /// says more than one that is away.
    fn lose(&mut self, end: CallEnd) {
        if matches!(end, CallEnd::Failed { status: 600.., .. }) {
            for branch in &self.branches {
                branch.control.hang_up();
            }
        }
        if self.worst.as_ref().is_none_or(|known| rank(&end) < rank(known)) {
            self.worst = Some(end);
        }
    }
}

/// The next event of any branch.
async fn next(branches: &mut [OutgoingCall]) -> (usize, CallEvent) {
    std::future::poll_fn(|context| {
        for (index, branch) in branches.iter_mut().enumerate() {
            if let std::task::Poll::Ready(event) = branch.events.poll_recv(context) {
                let ended = CallEvent::Ended(CallEnd::Canceled); // a branch without a last word
                return std::task::Poll::Ready((index, event.unwrap_or(ended)));
            }
        }
        std::task::Poll::Pending
    })
    .await
}

/// The lower, the better a reason says why nobody answered (RFC 3261 section 16.7).
pub(crate) fn rank(end: &CallEnd) -> u16 {
    match end {
        CallEnd::Failed { status: status @ 600.., .. } => status - 600,
        CallEnd::Failed { status: 486 | 480, .. } => 100,
        CallEnd::Failed { status: 408, .. } => 900,
        CallEnd::Failed { status, .. } => *status,
        CallEnd::HungUp | CallEnd::Canceled => 1000,
    }
}
