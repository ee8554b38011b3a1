use std::fmt;

use super::{AccountId, Timestamp};
use crate::Action;

/// A registered application: unique within the installation, decimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationId(pub String);

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a customer's server wants to be asked and told, under a name.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent attribute of an application")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationRecord {
    /// Its id.
    pub id: ApplicationId,
    /// The owning account or subaccount.
    pub account: AccountId,
    /// Its name, one of a kind within the account.
    pub name: String,
    /// Asked what to do with a call.
    pub answer: Option<Action>,
    /// Asked when the answer URL fails.
    pub fallback: Option<Action>,
    /// Told of the end of a call.
    pub hangup: Option<Action>,
    /// Told of text messages.
    pub message: Option<Action>,
    /// Whether new numbers get it; true for one of the account's at most.
    pub default_for_numbers: bool,
    /// Whether new endpoints get it; true for one of the account's at most.
    pub default_for_endpoints: bool,
    /// Whether anybody may call it by its SIP address.
    pub public: bool,
    /// Whether incoming text messages are kept.
    pub logs_messages: bool,
    /// When it was made.
    pub created_at: Timestamp,
}
