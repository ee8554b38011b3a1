//! One call to several places at once: the first to answer has it.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::call::{CallControl, CallEnd, CallEvent, Command, OutgoingCall};

/// Commands and events that may wait at a call.
const PER_CALL: usize = 16;

/// A call that is tried at several places.
pub(crate) struct Fork {
    branches: Vec<OutgoingCall>,
    /// Why branches failed, the best reason first kept.
    worst: Option<CallEnd>,
    rang: bool,
    commands: mpsc::Receiver<Command>,
    hang_up: CancellationToken,
    events: mpsc::Sender<CallEvent>,
}

impl Fork {
    /// Makes one call of `branches`, and the task that does so.
    pub(crate) fn join(
        branches: Vec<OutgoingCall>,
        hang_up: CancellationToken,
    ) -> Option<(OutgoingCall, Self)> {
        let (commands_sender, commands) = mpsc::channel(PER_CALL);
        let (sender, events) = mpsc::channel(PER_CALL);
        let traced = branches.iter().flat_map(|branch| branch.control.traced.iter().cloned()).collect();
        let id = branches.first()?.control.id();
        let control = CallControl::new(id, commands_sender, hang_up.clone(), traced);
        let fork = Self { branches, worst: None, rang: false, commands, hang_up, events: sender };
        Some((OutgoingCall { control, events }, fork))
    }

    /// Waits for the first answer, gives up the others, and stands between the winner and the application.
    pub(crate) async fn run(mut self) {
        while !self.branches.is_empty() {
            let event = tokio::select! {
                biased;
                () = self.hang_up.cancelled() => return self.give_up().await,
                command = self.commands.recv() => match command {
                    // Nothing else makes sense before there is an answer.
                    Some(_) => continue,
                    None => return self.give_up().await,
                },
                event = next(&mut self.branches) => event,
            };
            let forwarded = match event {
                (branch, CallEvent::Answered { sdp, headers }) => {
                    let winner = self.branches.swap_remove(branch);
                    self.branches.clear(); // whoever is dropped is hung up
                    let answered = CallEvent::Answered { sdp, headers };
                    if self.events.send(answered).await.is_ok() {
                        self.follow(winner).await;
                    }
                    return;
                }
                (branch, CallEvent::Ended(end)) => {
                    self.branches.swap_remove(branch);
                    self.lose(end);
                    continue;
                }
                (_, CallEvent::Ringing) if std::mem::replace(&mut self.rang, true) => continue,
                (_, event) => self.events.send(event).await,
            };
            if forwarded.is_err() {
                return;
            }
        }
        let end = self.worst.take().unwrap_or(CallEnd::Canceled);
        drop(self.events.send(CallEvent::Ended(end)).await);
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

    async fn give_up(mut self) {
        self.branches.clear();
        drop(self.events.send(CallEvent::Ended(CallEnd::Canceled)).await);
    }

    async fn follow(mut self, mut winner: OutgoingCall) {
        let mut over = false;
        loop {
            tokio::select! {
                biased;
                event = winner.events.recv() => match event {
                    Some(event) => {
                        if self.events.send(event).await.is_err() {
                            return;
                        }
                    }
                    None => return,
                },
                command = self.commands.recv(), if !over => match command {
                    Some(command) => winner.control.send(command),
                    None => over = true,
                },
                () = self.hang_up.cancelled(), if !over => over = true,
            }
            if over {
                winner.control.hang_up();
            }
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
fn rank(end: &CallEnd) -> u16 {
    match end {
        CallEnd::Failed { status: status @ 600.., .. } => status - 600,
        CallEnd::Failed { status: 486 | 480, .. } => 100,
        CallEnd::Failed { status: 408, .. } => 900,
        CallEnd::Failed { status, .. } => *status,
        CallEnd::HungUp | CallEnd::Canceled => 1000,
    }
}
