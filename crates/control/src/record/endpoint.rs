use std::fmt;

use super::{AccountId, ApplicationId, Timestamp};

/// A SIP account for a phone: unique within the installation, decimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(pub String);

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a password leaves behind: enough to check a digest (RFC 8760, HA1),
/// in hexadecimal. Whoever has it can register, so it prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordDigests {
    /// MD5 of `user:realm:password`.
    pub md5: String,
    /// SHA-256 of the same.
    pub sha256: String,
}

impl fmt::Debug for PasswordDigests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A SIP account as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRecord {
    /// Its id.
    pub id: EndpointId,
    /// The owning account or subaccount.
    pub account: AccountId,
    /// The user part of its SIP address; unique within the installation.
    pub username: String,
    /// A name for people.
    pub alias: String,
    /// Who checks its registration.
    pub digests: PasswordDigests,
    /// What its calls are answered by.
    pub application: Option<ApplicationId>,
    /// When it was made.
    pub created_at: Timestamp,
}
