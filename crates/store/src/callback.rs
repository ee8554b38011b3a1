use std::fmt;

use mixminus_control::{AccountId, CallId, ConferenceId, HttpMethod, Timestamp};
use uuid::Uuid;

/// What a callback tells of. Callbacks with the same key to one URL are
/// delivered one after the other, others beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderKey {
    /// A conference and who is in it.
    Conference(ConferenceId),
    /// A call.
    Call(CallId),
    /// An API request that is answered later, what became of a text message, or the transcript of a recording.
    Request(Uuid),
    /// A text message itself, to be sent.
    Message(Uuid),
}

impl OrderKey {
    /// The key that [`Display`](fmt::Display) wrote as `text`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        let id = Uuid::try_parse(id).ok()?;
        match kind {
            "conference" => Some(Self::Conference(ConferenceId(id))),
            "call" => Some(Self::Call(CallId(id))),
            "request" => Some(Self::Request(id)),
            "message" => Some(Self::Message(id)),
            _ => None,
        }
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conference(id) => write!(f, "conference:{id}"),
            Self::Call(id) => write!(f, "call:{id}"),
            Self::Request(id) => write!(f, "request:{id}"),
            Self::Message(id) => write!(f, "message:{id}"),
        }
    }
}

/// A callback to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCallback {
    /// Its id; committing the same id again changes nothing.
    pub id: Uuid,
    /// The account that signs it.
    pub account: AccountId,
    /// What it tells of, and is in order with.
    pub order: OrderKey,
    /// Its place in that order.
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
    /// How often delivery was tried in vain since it was queued.
    pub attempts: u32,
    /// When it was queued: the event's instant, or that of a later request to
    /// deliver it after all.
    pub queued_at: Timestamp,
}

/// What has become of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackState {
    /// Delivery is still tried.
    Pending,
    /// The receiver acknowledged it.
    Delivered,
    /// It was given up.
    Dead,
}

/// A callback as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackRecord {
    /// Its place among all callbacks of all accounts; grows with time.
    pub position: u64,
    /// The callback.
    pub callback: NewCallback,
    /// What has become of it.
    pub state: CallbackState,
    /// How often delivery was tried in vain since it was queued.
    pub attempts: u32,
    /// What was wrong the last time.
    pub last_error: Option<String>,
    /// When it is tried again; none while others go before it or once it is settled.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was delivered or given up.
    pub settled_at: Option<Timestamp>,
}

/// Which callbacks are wanted; what is absent does not filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallbackFilter {
    /// At this position or later.
    pub from: u64,
    /// In this state.
    pub state: Option<CallbackState>,
}

/// Up to which instant of their settlement callbacks are forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forget {
    /// Those delivered earlier than this.
    pub delivered_before: Timestamp,
    /// Those given up earlier than this.
    pub dead_before: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let id = Uuid::from_u128(7);
        for key in [
            OrderKey::Conference(ConferenceId(id)),
            OrderKey::Call(CallId(id)),
            OrderKey::Request(id),
            OrderKey::Message(id),
        ] {
            assert_eq!(OrderKey::parse(&key.to_string()), Some(key));
        }
        for unknown in ["", "call", "call:x", "leg:00000000-0000-0000-0000-000000000007"] {
            assert_eq!(OrderKey::parse(unknown), None);
        }
    }
}
