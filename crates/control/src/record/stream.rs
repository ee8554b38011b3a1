use uuid::Uuid;

use super::{AccountId, CallId, Timestamp};

uuid_id! {
    /// A stream, unique across nodes and for good.
    StreamId
}

/// Where a stream is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// Its WebSocket is not open yet.
    Connecting,
    /// Audio goes over it.
    Streaming,
    /// Over as somebody wanted, or with its call.
    Stopped,
    /// Over because its WebSocket could not be opened, or broke.
    Dropped,
}

/// A stream as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// Its id.
    pub id: StreamId,
    /// The owning account or subaccount.
    pub account: AccountId,
    /// The call whose audio it carries.
    pub call: CallId,
    /// The WebSocket.
    pub url: String,
    /// Who is told of it.
    pub callback_url: Option<String>,
    /// Where it is in its life.
    pub state: StreamState,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its WebSocket was open.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}
