use mixminus_control::{AccountId, ConferenceId, HttpMethod, Timestamp};
use uuid::Uuid;

/// A callback to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCallback {
    /// Its id; committing the same id again changes nothing.
    pub id: Uuid,
    /// The account that signs it.
    pub account: AccountId,
    /// The conference it tells of. Callbacks of one conference to one URL are
    /// delivered one after the other.
    pub conference: ConferenceId,
    /// Its place among those.
    pub sequence: u64,
    /// Where it goes.
    pub url: String,
    /// How it is requested.
    pub method: HttpMethod,
    /// Names and values.
    pub params: Vec<(String, String)>,
    /// When the event happened.
    pub created_at: Timestamp,
}

/// A callback that waits for delivery, first of its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedCallback {
    /// The callback.
    pub callback: NewCallback,
    /// How often delivery was tried in vain.
    pub attempts: u32,
}
