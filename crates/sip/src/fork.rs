//! One call to several places at once: the first to answer has it.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::call::{CallControl, CallEnd, CallEvent, Command, OutgoingCall};
use crate::places::Places;

/// Commands and events that may wait at a call.
const PER_CALL: usize = 16;

/// What stands between the calls that one call was made of and the application, which knows of one.
pub(crate) struct Between {
    places: Places,
    commands: mpsc::Receiver<Command>,
    hang_up: CancellationToken,
    events: mpsc::Sender<CallEvent>,
}

impl Between {
    /// The call that the application knows, by the name of `id`.
    pub(crate) fn new(id: &str, hang_up: CancellationToken) -> (OutgoingCall, Self) {
        let (commands_sender, commands) = mpsc::channel(PER_CALL);
        let (sender, events) = mpsc::channel(PER_CALL);
        let places = Places::default();
        let control = CallControl::new(id, commands_sender, hang_up.clone(), places.clone());
        let between = Self { places, commands, hang_up, events: sender };
        (OutgoingCall { control, events }, between)
    }

    /// Has the messages of `branch` shown with those of the others.
    pub(crate) fn show(&self, branch: &OutgoingCall) {
        self.places.add(&branch.control.places);
    }

    /// Waits until nobody wants the call any more. Nothing but that makes sense before there is an answer.
    pub(crate) async fn given_up(&mut self) {
        let hang_up = self.hang_up.clone();
        tokio::select! {
            () = hang_up.cancelled() => {}
            () = async { while self.commands.recv().await.is_some() {} } => {}
        }
    }

    /// Whether the application was there to be told.
    pub(crate) async fn tell(&self, event: CallEvent) -> bool {
        self.events.send(event).await.is_ok()
    }

    /// Tells the end.
    pub(crate) async fn end(&self, end: CallEnd) {
        self.tell(CallEvent::Ended(end)).await;
    }

    /// Stands between the call that was answered and the application to its end.
    pub(crate) async fn follow(&mut self, mut winner: OutgoingCall) {
        let mut over = false;
        loop {
            tokio::select! {
                biased;
                event = winner.events.recv() => match event {
                    Some(event) => {
                        if !self.tell(event).await {
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
