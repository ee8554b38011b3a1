//! What is said of an action that was begun or done.

use serde::Serialize;
use utoipa::ToSchema;

/// A reply that says one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Message {
    /// What was done.
    pub message: &'static str,
}

impl Message {
    /// The answer comes later, to the URL that was asked for.
    pub const ASYNC_SPAWNED: Self = Self { message: "async api spawned" };
    /// An application, endpoint, account or sub-account is changed.
    pub const CHANGED: Self = Self { message: "changed" };
    /// A call's legs go on elsewhere; Plivo's spelling.
    pub const CALL_TRANSFERRED: Self = Self { message: "call transfered" };
    /// A call's legs hear a file.
    pub const PLAY_STARTED: Self = Self { message: "play started" };
    /// A call's legs hear a text.
    pub const SPEAK_STARTED: Self = Self { message: "speak started" };
    /// A call's leg gets digits.
    pub const DIGITS_SENT: Self = Self { message: "digits sent" };
}

/// The reply to an add-participant request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct AddParticipantReply {
    pub calls: Vec<AddedCall>,
    pub message: &'static str,
    pub request_uuid: String,
}

/// A call that an add-participant request makes or takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct AddedCall {
    pub to: String,
    pub from: String,
    pub call_uuid: String,
}

impl AddParticipantReply {
    /// That `calls` are being added. `request_uuid` is for several; that of
    /// only one is its own uuid.
    pub fn new(calls: Vec<AddedCall>, request_uuid: String) -> Self {
        let request_uuid = match &calls[..] {
            [only] => only.call_uuid.clone(),
            _ => request_uuid,
        };
        Self { calls, message: "add participant action initiated", request_uuid }
    }
}

/// The reply to a request to record an MPC or a participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct MpcRecordReply {
    pub message: String,
    pub recording_id: String,
    pub recording_url: String,
}

impl MpcRecordReply {
    /// That the MPC called `name` is recorded.
    pub fn mpc(name: &str, recording_id: String, recording_url: String) -> Self {
        Self { message: format!("MPC: {name} record started"), recording_id, recording_url }
    }

    /// That a participant of the MPC called `name` is recorded.
    pub fn participant(name: &str, recording_id: String, recording_url: String) -> Self {
        Self { message: format!("MPC: {name} participant record started"), recording_id, recording_url }
    }
}

/// The reply to a request that members of an MPC hear something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct MemberReply {
    pub message: &'static str,
    pub mpc_member_id: Vec<String>,
    pub mpc_name: String,
}

impl MemberReply {
    /// That `members` of the MPC called `name` hear a file.
    pub fn play(name: &str, members: &[u64]) -> Self {
        Self::new("play queued into MPC", name, members)
    }

    /// That `members` of the MPC called `name` hear a text.
    pub fn speak(name: &str, members: &[u64]) -> Self {
        Self::new("speak queued into MPC", name, members)
    }

    fn new(message: &'static str, name: &str, members: &[u64]) -> Self {
        let mpc_member_id = members.iter().map(u64::to_string).collect();
        Self { message, mpc_member_id, mpc_name: name.to_owned() }
    }
}

/// The reply to a request for calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct CallFired {
    pub message: &'static str,
    pub request_uuid: RequestUuid,
}

/// One call's uuid as a text, those of several as a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the type's own documentation says it")]
pub enum RequestUuid {
    One(String),
    Several(Vec<String>),
}

impl CallFired {
    /// That the calls with `uuids` are being made.
    pub fn new(mut uuids: Vec<String>) -> Self {
        let request_uuid = match uuids.pop() {
            Some(only) if uuids.is_empty() => RequestUuid::One(only),
            last => {
                uuids.extend(last);
                RequestUuid::Several(uuids)
            }
        };
        Self { message: "call fired", request_uuid }
    }
}

/// The reply to a request to record a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct CallRecordReply {
    pub message: &'static str,
    pub recording_id: String,
    pub url: String,
}

impl CallRecordReply {
    /// That the call is recorded.
    pub fn new(recording_id: String, url: String) -> Self {
        Self { message: "call recording started", recording_id, url }
    }
}

/// The reply to a request to stream a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct StreamReply {
    pub message: &'static str,
    pub stream_id: String,
}

impl StreamReply {
    /// That the call is streamed.
    pub fn new(stream_id: String) -> Self {
        Self { message: "audio streaming started", stream_id }
    }
}

/// The reply to a request for an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct ApplicationCreated {
    pub app_id: String,
    pub message: &'static str,
}

impl ApplicationCreated {
    /// That the application is there.
    pub fn new(app_id: String) -> Self {
        Self { app_id, message: "created" }
    }
}

/// The reply to a request for an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct EndpointCreated {
    pub alias: String,
    pub endpoint_id: String,
    pub message: &'static str,
    pub username: String,
}

impl EndpointCreated {
    /// That the endpoint is there under `username`, its suffix included.
    pub fn new(endpoint_id: String, alias: String, username: String) -> Self {
        Self { alias, endpoint_id, message: "created", username }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;
    use crate::rest::Reply;

    fn added(to: &str, call_uuid: &str) -> AddedCall {
        AddedCall { to: to.into(), from: "918888888888".into(), call_uuid: call_uuid.into() }
    }

    #[test]
    fn an_added_participant_has_the_documented_shape() {
        let body = AddParticipantReply::new(vec![added("sip:bob@h", "c-1")], "r-9".into());
        assert_eq!(
            to_value(Reply { api_id: "a-1".into(), body }).unwrap(),
            json!({
                "api_id": "a-1",
                "calls": [{"to": "sip:bob@h", "from": "918888888888", "call_uuid": "c-1"}],
                "message": "add participant action initiated",
                "request_uuid": "c-1",
            })
        );
        let several = AddParticipantReply::new(vec![added("1", "c-1"), added("2", "c-2")], "r-9".into());
        assert_eq!((several.request_uuid.as_str(), several.calls.len()), ("r-9", 2));
    }

    #[test]
    fn recordings_say_what_is_recorded() {
        let (id, url) = ("r-1".to_owned(), "https://h/r-1.mp3".to_owned());
        let mpc = MpcRecordReply::mpc("room", id.clone(), url.clone());
        assert_eq!(
            to_value(mpc).unwrap(),
            json!({"message": "MPC: room record started", "recording_id": "r-1", "recording_url": "https://h/r-1.mp3"})
        );
        let participant = MpcRecordReply::participant("room", id.clone(), url.clone());
        assert_eq!(participant.message, "MPC: room participant record started");
        assert_eq!(
            to_value(CallRecordReply::new(id, url)).unwrap(),
            json!({"message": "call recording started", "recording_id": "r-1", "url": "https://h/r-1.mp3"})
        );
    }

    #[test]
    fn members_are_told_in_camel_case() {
        assert_eq!(
            to_value(MemberReply::play("MyMPC", &[48])).unwrap(),
            json!({"message": "play queued into MPC", "mpcMemberId": ["48"], "mpcName": "MyMPC"})
        );
        assert_eq!(MemberReply::speak("MyMPC", &[]).message, "speak queued into MPC");
    }

    #[test]
    fn one_call_is_named_by_a_text_and_several_by_a_list() {
        let fired = |uuids: &[&str]| {
            to_value(CallFired::new(uuids.iter().map(ToString::to_string).collect())).unwrap()
        };
        assert_eq!(fired(&["c-1"]), json!({"message": "call fired", "request_uuid": "c-1"}));
        assert_eq!(fired(&["c-1", "c-2"]), json!({"message": "call fired", "request_uuid": ["c-1", "c-2"]}));
    }

    #[test]
    fn what_is_made_is_told_with_its_id() {
        assert_eq!(
            to_value(ApplicationCreated::new("20468599130939380".into())).unwrap(),
            json!({"app_id": "20468599130939380", "message": "created"})
        );
        assert_eq!(
            to_value(EndpointCreated::new("37371860103666".into(), "z".into(), "zumba131031145958".into()))
                .unwrap(),
            json!({
                "alias": "z",
                "endpoint_id": "37371860103666",
                "message": "created",
                "username": "zumba131031145958",
            })
        );
        assert_eq!(
            to_value(StreamReply::new("s-1".into())).unwrap(),
            json!({"message": "audio streaming started", "stream_id": "s-1"})
        );
    }

    #[test]
    fn short_messages_are_spelled_as_plivo_spells_them() {
        let messages = [
            Message::ASYNC_SPAWNED,
            Message::CHANGED,
            Message::CALL_TRANSFERRED,
            Message::PLAY_STARTED,
            Message::SPEAK_STARTED,
            Message::DIGITS_SENT,
        ];
        assert_eq!(
            to_value(messages.map(|message| message.message)).unwrap(),
            json!([
                "async api spawned",
                "changed",
                "call transfered",
                "play started",
                "speak started",
                "digits sent"
            ])
        );
    }
}
