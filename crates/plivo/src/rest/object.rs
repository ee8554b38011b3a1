//! MPCs and participants as replies show them.

use serde::Serialize;
use utoipa::ToSchema;

use super::{MpcPath, ParticipantUpdate};
use crate::{ExitCause, Mpc, MpcStatus, Participant, TerminationCause, Timestamp, amount};

/// A reply with the id of its request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reply<T> {
    /// UUID of the request.
    pub api_id: String,
    /// The rest of the reply.
    #[serde(flatten)]
    pub body: T,
}

/// An MPC in a reply; every field is there every time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct MpcObject {
    #[schema(required)]
    pub billed_amount: Option<String>,
    #[schema(required)]
    pub billed_duration: Option<u64>,
    pub creation_time: Timestamp,
    #[schema(required)]
    pub duration: Option<u64>,
    #[schema(required)]
    pub end_time: Option<Timestamp>,
    pub friendly_name: String,
    pub mpc_uuid: String,
    pub participants: String,
    #[schema(required)]
    pub recording: Option<&'static str>,
    pub resource_uri: String,
    #[schema(required)]
    pub start_time: Option<Timestamp>,
    pub status: &'static str,
    pub stay_alone: bool,
    #[schema(required)]
    pub sub_account: Option<String>,
    #[schema(required)]
    pub termination_cause: Option<&'static str>,
    #[schema(required)]
    pub termination_cause_code: Option<u32>,
}

impl MpcObject {
    /// `mpc` as found at `path`.
    pub fn new(mpc: &Mpc, path: &MpcPath) -> Self {
        Self {
            billed_amount: mpc.billed_seconds.map(amount),
            billed_duration: mpc.billed_seconds,
            creation_time: mpc.created_at,
            duration: mpc.duration_seconds(),
            end_time: mpc.ended_at,
            friendly_name: mpc.name.clone(),
            mpc_uuid: mpc.uuid.clone(),
            participants: path.participants(),
            recording: (mpc.status != MpcStatus::Ended).then(|| mpc.recording.name()),
            resource_uri: path.mpc(),
            start_time: mpc.started_at,
            status: mpc.status.name(),
            stay_alone: mpc.stay_alone,
            sub_account: mpc.sub_account.clone(),
            termination_cause: mpc.termination.map(TerminationCause::name),
            termination_cause_code: mpc.termination.map(TerminationCause::code),
        }
    }
}

/// A participant in a reply; every field is there every time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are Plivo's; its reference says what they hold")]
pub struct ParticipantObject {
    #[schema(required)]
    pub billed_amount: Option<String>,
    #[schema(required)]
    pub billed_duration: Option<u64>,
    pub call_uuid: String,
    #[schema(required)]
    pub coach_mode: Option<bool>,
    #[schema(required)]
    pub duration: Option<u64>,
    pub end_mpc_on_exit: bool,
    #[schema(required)]
    pub exit_cause: Option<&'static str>,
    #[schema(required)]
    pub exit_time: Option<Timestamp>,
    #[schema(required)]
    pub hold: Option<bool>,
    pub join_time: Timestamp,
    pub member_address: String,
    pub member_id: String,
    pub mpc_uuid: String,
    #[schema(required)]
    pub mute: Option<bool>,
    pub resource_uri: String,
    pub role: &'static str,
    pub start_mpc_on_enter: bool,
}

impl ParticipantObject {
    /// `participant` of the MPC at `path`.
    pub fn new(participant: &Participant, path: &MpcPath) -> Self {
        let inside = participant.left_at.is_none();
        let billed_seconds = participant.billed_seconds();
        Self {
            billed_amount: billed_seconds.map(amount),
            billed_duration: billed_seconds,
            call_uuid: participant.call_uuid.clone(),
            coach_mode: inside.then_some(participant.coach_mode),
            duration: participant.duration_seconds(),
            end_mpc_on_exit: participant.end_mpc_on_exit,
            exit_cause: participant.exit_cause.map(ExitCause::name),
            exit_time: participant.left_at,
            hold: inside.then_some(participant.hold),
            join_time: participant.joined_at,
            member_address: participant.address.clone(),
            member_id: participant.member_id.to_string(),
            mpc_uuid: participant.mpc_uuid.clone(),
            mute: inside.then_some(participant.mute),
            resource_uri: path.participant(participant.member_id),
            role: participant.role.name(),
            start_mpc_on_enter: participant.start_mpc_on_enter,
        }
    }
}

/// The reply to a participant update, one sentence for each thing changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the parameters of the update")]
pub struct UpdateReply {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mute: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hold: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub coach_mode: Option<String>,
}

impl UpdateReply {
    /// That `update` was done to members of the MPC called `name`.
    pub fn new(name: &str, update: ParticipantUpdate) -> Self {
        let done =
            |changed: Option<bool>, what: &str| changed.map(|_| format!("MPC: {name} {what} succeeded"));
        Self {
            mute: done(update.mute, "mute/unmute member(s)"),
            hold: done(update.hold, "hold/unhold member(s)"),
            coach_mode: done(update.coach_mode, "coach_mode enable/disable"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;
    use crate::rest::MpcSegment;
    use crate::{RecordingState, Role};

    fn after(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_767_350_923 + seconds) * 1_000_000)
    }

    fn path(mpc: MpcSegment) -> MpcPath {
        MpcPath { account: "MA1".into(), mpc }
    }

    fn live() -> Mpc {
        Mpc {
            uuid: "u-1".into(),
            name: "support".into(),
            sub_account: None,
            status: MpcStatus::Active,
            recording: RecordingState::NotRecording,
            stay_alone: false,
            created_at: after(0),
            started_at: Some(after(0)),
            ended_at: None,
            termination: None,
            billed_seconds: None,
        }
    }

    fn inside() -> Participant {
        Participant {
            member_id: 355,
            mpc_uuid: "u-1".into(),
            call_uuid: "c-1".into(),
            address: "sip:ann@h".into(),
            role: Role::Agent,
            coach_mode: false,
            mute: true,
            hold: false,
            start_mpc_on_enter: true,
            end_mpc_on_exit: false,
            joined_at: after(0),
            left_at: None,
            exit_cause: None,
        }
    }

    #[test]
    fn a_live_mpc_fetched_by_name_has_the_documented_shape() {
        let body = MpcObject::new(&live(), &path(MpcSegment::Name("support".into())));
        let reply = Reply { api_id: "r-1".into(), body };
        assert_eq!(
            to_value(reply).unwrap(),
            json!({
                "api_id": "r-1",
                "billed_amount": null,
                "billed_duration": null,
                "creation_time": "2026-01-02 10:48:43+00:00",
                "duration": null,
                "end_time": null,
                "friendly_name": "support",
                "mpc_uuid": "u-1",
                "participants": "/v1/Account/MA1/MultiPartyCall/name_support/Participant/",
                "recording": "not-recording",
                "resource_uri": "/v1/Account/MA1/MultiPartyCall/name_support/",
                "start_time": "2026-01-02 10:48:43+00:00",
                "status": "Active",
                "stay_alone": false,
                "sub_account": null,
                "termination_cause": null,
                "termination_cause_code": null,
            })
        );
    }

    #[test]
    fn a_live_mpc_tells_whether_it_is_recorded() {
        let path = path(MpcSegment::Name("support".into()));
        for (recording, name) in
            [(RecordingState::Recording, "recording"), (RecordingState::Paused, "paused")]
        {
            let mpc = Mpc { recording, ..live() };
            assert_eq!(MpcObject::new(&mpc, &path).recording, Some(name));
        }
    }

    #[test]
    fn an_ended_mpc_tells_cause_and_cost() {
        let ended = Mpc {
            status: MpcStatus::Ended,
            started_at: None,
            ended_at: Some(after(11)),
            termination: Some(TerminationCause::StayAloneNotPermitted),
            billed_seconds: Some(120),
            ..live()
        };
        let object = to_value(MpcObject::new(&ended, &path(MpcSegment::Uuid("u-1".into())))).unwrap();
        for (key, value) in [
            ("billed_amount", json!("0.01000")),
            ("billed_duration", json!(120)),
            ("duration", json!(11)),
            ("end_time", json!("2026-01-02 10:48:54+00:00")),
            ("recording", json!(null)),
            ("participants", json!("/v1/Account/MA1/MultiPartyCall/uuid_u-1/Participant/")),
            ("start_time", json!(null)),
            ("status", json!("Ended")),
            ("termination_cause", json!("Stay Alone Not Permitted")),
            ("termination_cause_code", json!(1010)),
        ] {
            assert_eq!(object[key], value, "{key}");
        }
    }

    #[test]
    fn a_participant_inside_has_the_documented_shape() {
        let object = ParticipantObject::new(&inside(), &path(MpcSegment::Name("support".into())));
        assert_eq!(
            to_value(object).unwrap(),
            json!({
                "billed_amount": null,
                "billed_duration": null,
                "call_uuid": "c-1",
                "coach_mode": false,
                "duration": null,
                "end_mpc_on_exit": false,
                "exit_cause": null,
                "exit_time": null,
                "hold": false,
                "join_time": "2026-01-02 10:48:43+00:00",
                "member_address": "sip:ann@h",
                "member_id": "355",
                "mpc_uuid": "u-1",
                "mute": true,
                "resource_uri": "/v1/Account/MA1/MultiPartyCall/name_support/Participant/355/",
                "role": "agent",
                "start_mpc_on_enter": true,
            })
        );
    }

    #[test]
    fn a_participant_who_left_is_neither_muted_nor_unmuted() {
        let left = Participant { left_at: Some(after(61)), exit_cause: Some(ExitCause::Kicked), ..inside() };
        let object = ParticipantObject::new(&left, &path(MpcSegment::Uuid("u-1".into())));
        let object = to_value(object).unwrap();
        for (key, value) in [
            ("billed_amount", json!("0.01000")),
            ("billed_duration", json!(120)),
            ("coach_mode", json!(null)),
            ("duration", json!(61)),
            ("exit_cause", json!("Kicked Out of Multiparty Call")),
            ("exit_time", json!("2026-01-02 10:49:44+00:00")),
            ("hold", json!(null)),
            ("mute", json!(null)),
        ] {
            assert_eq!(object[key], value, "{key}");
        }
    }

    #[test]
    fn an_update_is_answered_for_what_it_changed() {
        let update = ParticipantUpdate {
            mute: Some(false),
            hold: None,
            coach_mode: Some(true),
            ..ParticipantUpdate::default()
        };
        assert_eq!(
            to_value(UpdateReply::new("room", update)).unwrap(),
            json!({
                "mute": "MPC: room mute/unmute member(s) succeeded",
                "coach_mode": "MPC: room coach_mode enable/disable succeeded",
            })
        );
    }
}
