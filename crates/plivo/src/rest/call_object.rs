//! Calls and their streams as replies show them.

use serde::Serialize;
use utoipa::ToSchema;

use super::path::absolute;
use crate::{Call, CallStatus, Timestamp, amount, billed_seconds};

/// The record of a call in a reply; every field is there every time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct CallObject {
    #[schema(required)]
    pub answer_time: Option<Timestamp>,
    pub bill_duration: u64,
    pub billed_duration: u64,
    pub call_direction: &'static str,
    pub call_duration: u64,
    pub call_state: &'static str,
    pub call_uuid: String,
    #[schema(required)]
    pub end_time: Option<Timestamp>,
    pub from_number: String,
    #[schema(required)]
    pub hangup_cause_code: Option<u16>,
    #[schema(required)]
    pub hangup_cause_name: Option<&'static str>,
    #[schema(required)]
    pub hangup_source: Option<&'static str>,
    pub initiation_time: Timestamp,
    #[schema(required)]
    pub parent_call_uuid: Option<String>,
    pub resource_uri: String,
    pub stir_verification: &'static str,
    pub to_number: String,
    pub total_amount: String,
    pub total_rate: String,
}

impl CallObject {
    /// The record of `call`, whose durations are whole seconds from the answer to the end.
    pub fn new(call: &Call) -> Self {
        let lasted = call.answered_at.zip(call.ended_at);
        let seconds = lasted.map_or(0, |(from, to)| to.seconds_since(from));
        let billed = lasted.map_or(0, |(from, to)| billed_seconds(from, to));
        let cause = call.hangup.map(|(cause, _)| cause);
        Self {
            answer_time: call.answered_at,
            bill_duration: seconds,
            billed_duration: billed,
            call_direction: call.direction.name(),
            call_duration: seconds,
            call_state: if lasted.is_some() { "ANSWER" } else { call.status.state() },
            call_uuid: call.uuid.clone(),
            end_time: call.ended_at,
            from_number: call.from.clone(),
            hangup_cause_code: cause.map(|cause| cause.code),
            hangup_cause_name: cause.map(|cause| cause.name),
            hangup_source: call.hangup.map(|(_, source)| source.name()),
            initiation_time: call.created_at,
            parent_call_uuid: call.parent_uuid.clone(),
            resource_uri: absolute(&["v1", "Account", &call.account, "Call", &call.uuid]),
            stir_verification: "Not Applicable",
            to_number: call.to.clone(),
            total_amount: amount(billed),
            total_rate: amount(60),
        }
    }
}

/// The ids of the calls that last, or that wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallIds {
    /// Their `call_uuid`.
    pub calls: Vec<String>,
}

/// A call that lasts, or waits, in a reply; every field is there every time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct LiveCallObject {
    pub call_status: &'static str,
    pub call_uuid: String,
    pub caller_name: String,
    pub direction: &'static str,
    pub from: String,
    pub request_uuid: String,
    pub session_start: String,
    pub to: String,
}

impl LiveCallObject {
    /// `call` while it lasts.
    pub fn live(call: &Call) -> Self {
        Self {
            call_status: call.status.name(),
            call_uuid: call.uuid.clone(),
            caller_name: call.caller_name.clone().unwrap_or_else(|| call.from.clone()),
            direction: call.direction.name(),
            from: call.from.clone(),
            request_uuid: call.request_uuid().to_owned(),
            session_start: call.created_at.with_fraction(),
            to: call.to.clone(),
        }
    }

    /// `call` while it waits to be made.
    pub fn queued(call: &Call) -> Self {
        Self { call_status: "queued", ..Self::live(call) }
    }
}

/// A stream of a call in a reply; every field is there every time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct StreamObject {
    pub call_uuid: String,
    #[schema(required)]
    pub end_time: Option<Timestamp>,
    pub service_url: String,
    #[schema(required)]
    pub start_time: Option<Timestamp>,
    pub status: &'static str,
    #[schema(required)]
    pub status_callback_url: Option<String>,
    pub stream_id: String,
}

impl CallStatus {
    /// `call_state` of a call that was not answered.
    const fn state(self) -> &'static str {
        match self {
            Self::Ringing => "RINGING",
            Self::InProgress | Self::Completed => "ANSWER",
            Self::Busy => "BUSY",
            Self::Failed => "FAILED",
            Self::Timeout => "TIMEOUT",
            Self::NoAnswer => "NO_ANSWER",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;
    use crate::{Direction, HangupCause, HangupSource};

    fn after(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_767_350_923 + seconds) * 1_000_000)
    }

    fn call() -> Call {
        Call {
            uuid: "c-1".into(),
            account: "MA1".into(),
            from: "1".into(),
            to: "sip:b@h".into(),
            direction: Direction::Outbound,
            status: CallStatus::InProgress,
            created_at: Timestamp::from_micros(1_767_350_923_123_456),
            answered_at: Some(after(1)),
            ended_at: None,
            hangup: None,
            caller_name: Some("Ann".into()),
            request_uuid: None,
            parent_uuid: None,
            forwarded_from: None,
            stir_verification: None,
        }
    }

    #[test]
    fn a_call_that_ended_has_the_documented_shape() {
        let ended = Call {
            status: CallStatus::Completed,
            ended_at: Some(after(62)),
            hangup: Some((HangupCause::NORMAL, HangupSource::Caller)),
            ..call()
        };
        assert_eq!(
            to_value(CallObject::new(&ended)).unwrap(),
            json!({
                "answer_time": "2026-01-02 10:48:44+00:00",
                "bill_duration": 61,
                "billed_duration": 120,
                "call_direction": "outbound",
                "call_duration": 61,
                "call_state": "ANSWER",
                "call_uuid": "c-1",
                "end_time": "2026-01-02 10:49:45+00:00",
                "from_number": "1",
                "hangup_cause_code": 4000,
                "hangup_cause_name": "Normal Hangup",
                "hangup_source": "Caller",
                "initiation_time": "2026-01-02 10:48:43+00:00",
                "parent_call_uuid": null,
                "resource_uri": "/v1/Account/MA1/Call/c-1/",
                "stir_verification": "Not Applicable",
                "to_number": "sip:b@h",
                "total_amount": "0.01000",
                "total_rate": "0.00500",
            })
        );
    }

    #[test]
    fn a_call_that_was_not_answered_lasted_no_time() {
        let busy = Call {
            status: CallStatus::Busy,
            answered_at: None,
            ended_at: Some(after(30)),
            hangup: Some((HangupCause::BUSY, HangupSource::CallRecipient)),
            ..call()
        };
        let object = CallObject::new(&busy);
        assert_eq!(
            (object.call_duration, object.total_amount.as_str(), object.call_state),
            (0, "0.00000", "BUSY")
        );
    }

    #[test]
    fn a_live_call_has_the_documented_shape() {
        let live = json!({
            "call_status": "in-progress",
            "call_uuid": "c-1",
            "caller_name": "Ann",
            "direction": "outbound",
            "from": "1",
            "request_uuid": "c-1",
            "session_start": "2026-01-02 10:48:43.123456",
            "to": "sip:b@h",
        });
        assert_eq!(to_value(LiveCallObject::live(&call())).unwrap(), live);
        assert_eq!(LiveCallObject::queued(&call()).call_status, "queued");
        assert_eq!(to_value(CallIds { calls: vec!["c-1".into()] }).unwrap(), json!({"calls": ["c-1"]}));
        assert_eq!(to_value(CallIds::default()).unwrap(), json!({"calls": []}));
    }

    #[test]
    fn a_stream_has_the_documented_shape() {
        let stream = StreamObject {
            call_uuid: "c-1".into(),
            end_time: None,
            service_url: "wss://h/s".into(),
            start_time: Some(after(0)),
            status: "initiated",
            status_callback_url: None,
            stream_id: "s-1".into(),
        };
        assert_eq!(
            to_value(stream).unwrap(),
            json!({
                "call_uuid": "c-1",
                "end_time": null,
                "service_url": "wss://h/s",
                "start_time": "2026-01-02 10:48:43+00:00",
                "status": "initiated",
                "status_callback_url": null,
                "stream_id": "s-1",
            })
        );
    }
}
