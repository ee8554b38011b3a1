//! What stands between the calls that one call was made of and the application.

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
