//! What the resources answer and what they have the exchange do.

use mixminus_control::{ConferenceChange, Members};
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_conference_is_shown_the_way_it_was_asked_for() {
    let api = api().await;
    let by_name = api.get("MultiPartyCall/name_support/").await.json();
    assert_eq!(by_name["mpc_uuid"], SUPPORT.to_string());
    let uri = format!("/v1/Account/{ID}/MultiPartyCall/name_support/");
    assert_eq!(by_name["resource_uri"], uri);
    assert_eq!(by_name["participants"], format!("{uri}Participant/"));
    let by_uuid = api.get(&format!("MultiPartyCall/uuid_{SUPPORT}/")).await.json();
    assert_eq!(by_uuid["resource_uri"], format!("/v1/Account/{ID}/MultiPartyCall/uuid_{SUPPORT}/"));
    assert_ne!(by_name["api_id"], by_uuid["api_id"]);
}

#[tokio::test]
async fn a_name_finds_the_live_conference_and_an_id_also_the_ended() {
    let api = api().await;
    let ended = api.get(&format!("MultiPartyCall/uuid_{ENDED}/")).await.json();
    assert_eq!((&ended["status"], &ended["termination_cause_code"]), (&json!("Ended"), &json!(1010)));
    assert_eq!(api.send("DELETE", "MultiPartyCall/name_support/", "").await.status, 204);
    assert_eq!(api.get("MultiPartyCall/name_support/").await.status, 404);
    assert_eq!(api.get(&format!("MultiPartyCall/uuid_{SUPPORT}/")).await.json()["status"], "Ended");
}

#[tokio::test]
async fn a_list_is_filtered_and_newest_first() {
    let api = api().await;
    let uuids = async |query: &str| {
        let list = api.get(&format!("MultiPartyCall/?{query}")).await.json();
        let objects = list["objects"].as_array().unwrap().clone();
        let uuid = |object: &Value| object["mpc_uuid"].as_str().unwrap().parse::<Uuid>().unwrap();
        objects.iter().map(uuid).collect::<Vec<Uuid>>()
    };
    assert_eq!(uuids("").await, [SUPPORT, ENDED]);
    assert_eq!(uuids("status=ENDED").await, [ENDED]);
    assert_eq!(uuids("creation_time_gt=2026-01-02%2010:00").await, [SUPPORT]);
    assert_eq!(uuids("friendly_name=support&limit=1&offset=1").await, [ENDED]);
    assert_eq!(uuids("termination_cause_code=1010").await, [ENDED]);
    for none in ["friendly_name=x", "sub_account=SAXXXXXXXXXXXXXXXXXX", "termination_cause_code=1"] {
        assert!(uuids(none).await.is_empty(), "{none}");
    }
}

#[tokio::test]
async fn participants_are_those_inside_by_name_and_all_by_id() {
    let api = api().await;
    let ids = async |path: &str| {
        let list = api.get(path).await.json();
        let objects = list["objects"].as_array().unwrap().clone();
        objects.iter().map(|object| object["member_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("MultiPartyCall/name_support/Participant/").await, ["9", "8"]);
    let path = format!("MultiPartyCall/uuid_{SUPPORT}/Participant/");
    assert_eq!(ids(&path).await, ["9", "8", "7"]);
    assert_eq!(ids(&format!("{path}?call_uuid={CALL}&limit=1&offset=2")).await, ["7"]);
    assert_eq!(ids(&format!("{path}?call_uuid=abc")).await, [""; 0]);
}

#[tokio::test]
async fn who_left_is_found_by_the_conferences_id_only() {
    let api = api().await;
    assert_eq!(api.get("MultiPartyCall/name_support/Participant/7/").await.error(), "member 7 not found");
    let left = api.get(&format!("MultiPartyCall/uuid_{SUPPORT}/Participant/7/")).await.json();
    assert_eq!((&left["mute"], &left["duration"]), (&json!(null), &json!(5)));
    assert_eq!(api.get(&format!("MultiPartyCall/uuid_{ENDED}/Participant/8/")).await.status, 404);
}

#[tokio::test]
async fn an_update_is_answered_once_it_can_be_read() {
    let api = api().await;
    let path = format!("MultiPartyCall/uuid_{SUPPORT}/Participant");
    let answer = api.send("POST", &format!("{path}/all/"), r#"{"hold": true}"#).await;
    assert_eq!(answer.status, 202);
    let mut body = answer.json();
    assert!(body["api_id"].take().is_string());
    assert_eq!(body, json!({ "api_id": null, "hold": "MPC: support hold/unhold member(s) succeeded" }));
    assert_eq!(api.get(&format!("{path}/8/")).await.json()["hold"], true);
}

#[tokio::test]
async fn a_form_will_do_instead_of_json() {
    let api = api().await;
    let request = Request::post(format!("/v1/Account/{ID}/MultiPartyCall/name_support/"))
        .header(AUTHORIZATION, basic(ID, TOKEN))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
        .body("status=active".into());
    assert_eq!(api.request(request.unwrap()).await.status, 204);
}

#[tokio::test]
async fn a_list_of_members_is_kicked_together_or_not_at_all() {
    let api = api().await;
    let answer = api.send("DELETE", "MultiPartyCall/name_support/Participant/8,5/", "").await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (404, "member 5 not found"));
    assert_eq!(api.send("DELETE", "MultiPartyCall/name_support/Participant/8,9/", "").await.status, 204);
    let kick = ConferenceChange::Kick(Members::Listed(vec![ParticipantId(8), ParticipantId(9)]));
    let expected = Command::Conference(Selector::Name("support".into()), kick);
    assert_eq!(api.commands().last(), Some(&expected));
    let list = api.get("MultiPartyCall/name_support/Participant/").await.json();
    assert_eq!(list["objects"], json!([]));
}

#[tokio::test]
async fn an_answer_may_be_asked_for_later() {
    let api = api().await;
    let answer = api.get("MultiPartyCall/name_support/?callback_url=http%3A%2F%2Fh%2Flater").await;
    let (status, reply) = (answer.status.as_u16(), answer.json());
    assert_eq!((status, &reply["message"]), (202, &json!("async api spawned")));
    let refused = api.get("MultiPartyCall/name_nobody/?callback_url=http%3A%2F%2Fh%2Flater").await;
    assert_eq!(refused.status, 202);
    let now = api.state.clock.now() + std::time::Duration::from_secs(1);
    let mut told = Vec::new();
    for _ in 0..100 {
        told = api.state.store.pending_callbacks(now, 10).await.unwrap();
        if told.len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let said = |id: &serde_json::Value, key: &str| {
        let of = |one: &&mixminus_store::QueuedCallback| {
            one.callback.params.iter().any(|(name, value)| name == "api_id" && *value == *id)
        };
        let params = &told.iter().find(of).unwrap().callback.params;
        params.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    };
    assert_eq!(said(&reply["api_id"], "friendly_name").as_deref(), Some("support"));
    assert_eq!(said(&reply["api_id"], "status_code").as_deref(), Some("200"));
    assert_eq!(said(&refused.json()["api_id"], "error").as_deref(), Some("MPC not found"));
}

#[tokio::test]
async fn what_no_installed_voice_can_say_is_refused() {
    let api = api().await;
    let path = "MultiPartyCall/name_support/Member/8/Speak/";
    let french = api.send("POST", path, r#"{"text":"Bonjour","language":"fr-FR"}"#).await;
    assert_eq!(french.status, 400);
    assert!(french.error().contains("fr-FR"), "{}", french.error());
    assert_eq!(api.send("POST", path, r#"{"text":"Hello","language":"en-GB"}"#).await.status, 202);
}
