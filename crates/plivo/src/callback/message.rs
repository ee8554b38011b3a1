//! What became of a text message, for the callback URL of its `<Message>`.

use super::{Parameters, parameters};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Plivo's and say it")]
pub enum MessageStatus {
    Queued,
    Sent,
    Failed,
}

/// A text message and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct MessageReport<'a> {
    /// Its uuid.
    pub uuid: &'a str,
    /// Who sends it.
    pub from: &'a str,
    /// Who gets it.
    pub to: &'a str,
    /// What became of it.
    pub status: MessageStatus,
}

impl MessageReport<'_> {
    /// The parameters of the callback. A message that failed did so for reasons that only the log knows: 900.
    pub fn parameters(&self) -> Parameters {
        let (status, error) = match self.status {
            MessageStatus::Queued => ("queued", ""),
            MessageStatus::Sent => ("sent", ""),
            MessageStatus::Failed => ("failed", "900"),
        };
        parameters([
            ("MessageUUID", self.uuid.to_owned()),
            ("From", self.from.to_owned()),
            ("To", self.to.to_owned()),
            ("Status", status.to_owned()),
            ("ErrorCode", error.to_owned()),
        ])
    }
}
