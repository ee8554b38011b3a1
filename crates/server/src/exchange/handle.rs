//! How the HTTP API reaches the exchange.

use mixminus_control::{AccountId, Command, CommandError, Outcome};
use tokio::sync::{mpsc, oneshot};

/// A command on its way to the exchange, and where its answer goes.
#[derive(Debug)]
pub struct CommandRequest {
    /// Who asks.
    pub account: AccountId,
    /// What is asked.
    pub command: Command,
    /// Answered once everything the command changed is written.
    pub reply: oneshot::Sender<Result<Outcome, ExchangeError>>,
}

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The command was refused; nothing was changed.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// What it would change could not be stored; nothing was changed.
    #[error("changes cannot be stored")]
    Storage,
    /// The exchange has stopped.
    #[error("the service is stopping")]
    Stopped,
}

/// Sends commands to the exchange.
#[derive(Clone, Debug)]
pub struct ExchangeHandle {
    commands: mpsc::Sender<CommandRequest>,
}

impl ExchangeHandle {
    /// A handle to the exchange that reads from the other end of `commands`.
    pub const fn new(commands: mpsc::Sender<CommandRequest>) -> Self {
        Self { commands }
    }

    /// Carries out `command` and waits until what it changed is written.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Refused`] and [`ExchangeError::Storage`] when nothing was changed,
    /// [`ExchangeError::Stopped`] when the service is going down.
    pub async fn command(&self, account: AccountId, command: Command) -> Result<Outcome, ExchangeError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(CommandRequest { account, command, reply })
            .await
            .map_err(|_| ExchangeError::Stopped)?;
        answer.await.map_err(|_| ExchangeError::Stopped)?
    }
}
