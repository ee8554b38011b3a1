//! Applications, endpoints and recordings, as SDKs make, read, change and delete them.

use std::time::Duration;

use mixminus_control::{
    RecordedFrom, RecordingFormat, RecordingId, RecordingRecord, RecordingState, RecordingTrack,
};
use mixminus_sip::{Binding, Flow};
use serde_json::json;

use super::*;
use crate::dialect;

async fn made(api: &Api, path: &str, body: &Value) -> Value {
    let answer = api.send("POST", path, body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

async fn application(api: &Api, body: Value) -> String {
    let made = made(api, "Application/", &body).await;
    assert_eq!(made["message"], "created");
    made["app_id"].as_str().unwrap().to_owned()
}

/// What there is under `path`, without the id of the request.
async fn shown(api: &Api, path: &str) -> Value {
    let answer = api.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut object = answer.json();
    object.as_object_mut().unwrap().remove("api_id").unwrap();
    object
}

#[tokio::test]
async fn an_application_is_made_shown_changed_and_deleted() {
    let api = api().await;
    let id = application(&api, json!({ "app_name": "sales", "answer_url": "http://h/a" })).await;
    assert!(id.len() == 17 && id.bytes().all(|byte| byte.is_ascii_digit()));
    let path = format!("Application/{id}/");
    let expected = json!({
        "answer_method": "POST", "answer_url": "http://h/a", "app_id": id, "app_name": "sales",
        "default_app": false, "default_endpoint_app": false, "enabled": true, "fallback_answer_url": "",
        "fallback_method": "POST", "hangup_method": "POST", "hangup_url": "", "log_incoming_messages": true,
        "message_method": "POST", "message_url": "", "public_uri": false,
        "resource_uri": format!("/v1/Account/{ID}/Application/{id}/"),
        "sip_uri": format!("sip:{id}@app.plivo.com"), "sub_account": null,
    });
    assert_eq!(shown(&api, &path).await, expected);

    let change = json!({ "hangup_url": "http://h/h", "hangup_method": "get", "answer_method": "GET" });
    let changed = api.send("POST", &path, change.to_string()).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["message"]), (202, &json!("changed")));
    let after = shown(&api, &path).await;
    for (key, value) in [
        ("answer_url", "http://h/a"),
        ("answer_method", "GET"),
        ("hangup_url", "http://h/h"),
        ("hangup_method", "GET"),
    ] {
        assert_eq!(after[key], value, "{key}");
    }
    assert_eq!(api.send("DELETE", &path, "").await.status, 204);
    assert_eq!(api.get(&path).await.error(), "application not found");
}

#[tokio::test]
async fn applications_are_listed_newest_first_and_by_name_and_one_is_the_default() {
    let api = api().await;
    let first = application(&api, json!({ "app_name": "a", "default_endpoint_app": true })).await;
    let second = application(&api, json!({ "app_name": "b", "default_endpoint_app": true })).await;
    let list = api.get("Application/").await.json();
    let rows: Vec<_> = list["objects"].as_array().unwrap().iter().collect();
    assert_eq!([&rows[0]["app_id"], &rows[1]["app_id"]], [&json!(second), &json!(first)]);
    assert_eq!(list["meta"]["total_count"], 2);
    assert_eq!([&rows[0]["default_endpoint_app"], &rows[1]["default_endpoint_app"]], [true, false]);
    let by_name = api.get("Application/?app_name=a&limit=1").await.json();
    assert_eq!(
        (&by_name["objects"][0]["app_id"], &by_name["meta"]["total_count"]),
        (&json!(first), &json!(1))
    );
    let again = api.send("POST", "Application/", r#"{"app_name":"a"}"#).await;
    assert_eq!(
        (again.status.as_u16(), again.error().as_str()),
        (400, "app_name is taken by another application")
    );
}

#[tokio::test]
async fn an_endpoint_is_made_shown_changed_and_deleted_and_its_password_is_nowhere() {
    let api = api().await;
    let default = application(&api, json!({ "app_name": "a", "default_endpoint_app": true })).await;
    let body = json!({ "username": "bob", "password": "secret-of-bob", "alias": "Bob" });
    let made = made(&api, "Endpoint/", &body).await;
    let (id, username) = (made["endpoint_id"].as_str().unwrap(), made["username"].as_str().unwrap());
    assert!(id.len() == 14 && username.len() == 15 && username.starts_with("bob"));
    let path = format!("Endpoint/{id}/");
    let expected = json!({
        "alias": "Bob", "application": format!("/v1/Account/{ID}/Application/{default}/"), "endpoint_id": id,
        "resource_uri": format!("/v1/Account/{ID}/Endpoint/{id}/"), "sip_registered": "false",
        "sip_uri": format!("sip:{username}@phone.plivo.com"), "sub_account": null, "username": username,
    });
    assert_eq!(shown(&api, &path).await, expected);
    let before = api.state.store.endpoint_by_username(username).await.unwrap().unwrap();
    assert!(!format!("{before:?}").contains("secret"));

    let changed = api.send("POST", &path, r#"{"password":"another-secret","alias":"Robert"}"#).await;
    assert_eq!(changed.status, 202);
    let after = api.state.store.endpoint_by_username(username).await.unwrap().unwrap();
    assert_ne!(after.digests, before.digests);
    assert_eq!((after.alias.as_str(), after.application), ("Robert", before.application));
    assert_eq!(api.get("Endpoint/").await.json()["objects"][0]["alias"], "Robert");
    let wrong = api.send("POST", &path, r#"{"app_id":"1"}"#).await;
    assert_eq!((wrong.status.as_u16(), wrong.error().as_str()), (400, "app_id parameter is invalid"));
    assert_eq!(api.send("DELETE", &path, "").await.status, 204);
    assert_eq!(api.get(&path).await.error(), "endpoint not found");
}

/// A contact that lasts so long.
fn binding(seconds: u64) -> Binding {
    Binding {
        contact: format!("sip:bob@192.0.2.7:{seconds}"),
        preference: 1000,
        path: vec![],
        flow: Flow::udp(([192, 0, 2, 7], 5060).into()),
        user_agent: "phone".into(),
        instance: None,
        call_id: "c".into(),
        sequence: 1,
        expires_at: Binding::ending_in(Duration::from_secs(seconds)),
    }
}

#[tokio::test]
async fn an_endpoint_tells_where_it_is_until_it_is_nowhere() {
    let api = api().await;
    let body = json!({ "username": "bob", "password": "secret-of-bob", "alias": "Bob" });
    let made = made(&api, "Endpoint/", &body).await;
    let username = made["username"].as_str().unwrap();
    let path = format!("Endpoint/{}/", made["endpoint_id"].as_str().unwrap());
    let register = |seconds| api.state.registrar.restore(username, vec![binding(seconds)]);
    let before = api.state.clock.now() + Duration::from_mins(10);
    register(600);
    let shown = shown(&api, &path).await;
    assert_eq!(shown["sip_registered"], "true");
    assert_eq!(shown["sip_contact"], "sip:bob@192.0.2.7:600");
    assert_eq!(shown["sip_user_agent"], "phone");
    let after = api.state.clock.now() + Duration::from_mins(10);
    let expires = shown["sip_expires"].as_str().unwrap();
    let [earliest, latest] = [before, after].map(|at| dialect::instant(at).in_seconds());
    assert!(earliest.as_str() <= expires && expires <= latest.as_str(), "{expires}");

    assert_eq!(api.send("POST", &path, r#"{"password":"another-secret"}"#).await.status, 202);
    assert_eq!(api.get(&path).await.json()["sip_registered"], "false", "a new password");
    register(600);
    assert_eq!(api.send("DELETE", &path, "").await.status, 204);
    assert!(!api.state.registrar.is_registered(username));
}

#[tokio::test]
async fn an_applications_endpoints_go_move_or_stay_with_its_deletion() {
    for (deletion, expected) in
        [("{}", None), (r#"{"cascade":false}"#, Some(None)), ("moved", Some(Some(())))]
    {
        let api = api().await;
        let (one, other) = (
            application(&api, json!({ "app_name": "one" })).await,
            application(&api, json!({ "app_name": "other" })).await,
        );
        let body = json!({ "username": "bob", "password": "secret", "alias": "Bob", "app_id": one });
        let id = made(&api, "Endpoint/", &body).await["endpoint_id"].as_str().unwrap().to_owned();
        let deletion = deletion.replace("moved", &format!(r#"{{"new_endpoint_application":"{other}"}}"#));
        let username =
            api.get(&format!("Endpoint/{id}/")).await.json()["username"].as_str().unwrap().to_owned();
        api.state.registrar.restore(&username, vec![binding(600)]);
        let path = format!("Application/{one}/");
        let same = json!({ "new_endpoint_application": one }).to_string();
        assert_eq!(api.send("DELETE", &path, same).await.status, 400);
        assert_eq!(api.send("DELETE", &path, deletion.clone()).await.status, 204);
        assert_eq!(api.state.registrar.is_registered(&username), expected.is_some(), "{deletion}");
        let endpoint = api.get(&format!("Endpoint/{id}/")).await;
        let moved = format!("/v1/Account/{ID}/Application/{other}/");
        match expected {
            None => assert_eq!(endpoint.status, 404, "{deletion}"),
            Some(None) => assert_eq!(endpoint.json()["application"], Value::Null, "{deletion}"),
            Some(Some(())) => assert_eq!(endpoint.json()["application"], moved, "{deletion}"),
        }
    }
}

fn recording(id: u128, started: i64) -> RecordingRecord {
    RecordingRecord {
        id: RecordingId(Uuid::from_u128(id)),
        account: AccountId(ID.into()),
        of: RecordedFrom {
            conference: Some((ConferenceId(SUPPORT), "support".into())),
            participant: None,
            call: None,
            from: String::new(),
            to: String::new(),
        },
        state: RecordingState::Completed,
        format: RecordingFormat::Mp3,
        track: RecordingTrack::Mix,
        started_at: after(started),
        ended_at: Some(after(started + 61)),
        duration: Duration::from_secs(61),
        size_bytes: 9,
        url: "http://h/r.mp3".into(),
        told: None,
        transcript: None,
    }
}

#[tokio::test]
async fn recordings_are_listed_by_every_filter_shown_and_deleted() {
    let api = api().await;
    let going_on = RecordingRecord { state: RecordingState::Recording, ended_at: None, ..recording(2, 100) };
    let of_call = RecordedFrom {
        conference: None,
        participant: None,
        call: Some(CallId(CALL)),
        from: "ann".into(),
        to: "bob".into(),
    };
    let of_call = RecordingRecord { of: of_call, ..recording(3, 200) };
    let recordings = vec![recording(1, 0), going_on, of_call];
    api.state.store.commit(&Batch { recordings, ..Batch::default() }).await.unwrap();
    let ids = async |query: &str| {
        let list = api.get(&format!("Recording/?{query}")).await.json();
        let objects = list["objects"].as_array().unwrap();
        let last = |object: &Value| object["recording_id"].as_str().unwrap().chars().last().unwrap();
        objects.iter().map(last).collect::<String>()
    };
    for (query, expected) in [
        ("", "321"),
        ("limit=1&offset=1", "2"),
        (&format!("mpc_uuid={SUPPORT}"), "21"),
        ("mpc_name=support", "21"),
        (&format!("call_uuid={CALL}"), "3"),
        ("call_uuid=x", ""),
        ("from_number=ann", "3"),
        ("to_number=nobody", ""),
        ("add_time__gte=2026-01-02+10:50:23", "32"),
        ("add_time__lt=2026-01-02+10:50:23", "1"),
        ("subaccount=SATEST00000000000000", ""),
        ("recording_storage_duration__gt=100000", ""),
        ("recording_storage_duration__gte=0", "321"),
    ] {
        assert_eq!(ids(query).await, expected, "{query}");
    }
    let path = |id: u128| format!("Recording/{}/", Uuid::from_u128(id));
    let one = api.get(&path(1)).await.json();
    assert_eq!((&one["mpc_name"], &one["recording_duration_ms"]), (&json!("support"), &json!("61000.00000")));
    assert_eq!(api.send("DELETE", &path(2), "").await.status, 409);
    assert_eq!(api.send("DELETE", &path(1), "").await.status, 204);
    assert_eq!(api.get(&path(1)).await.error(), "recording not found");
    assert_eq!(ids("").await, "32");
}

#[tokio::test]
async fn a_subaccount_neither_sees_nor_changes_what_others_set_up() {
    let api = api().await;
    let sub = made(&api, "Subaccount/", &json!({ "name": "sales", "enabled": true })).await;
    let (sub, token) = (sub["auth_id"].as_str().unwrap(), sub["auth_token"].as_str().unwrap());
    let by_sub = async |method: &str, path: &str, body: &str| {
        let request = Request::builder().method(method).uri(format!("/v1/Account/{sub}/{path}"));
        let request =
            request.header(AUTHORIZATION, basic(sub, token)).header(CONTENT_TYPE, "application/json");
        api.request(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let app = application(&api, json!({ "app_name": "main's" })).await;
    let endpoint = json!({ "username": "bob", "password": "secret", "alias": "Bob" });
    let endpoint = made(&api, "Endpoint/", &endpoint).await["endpoint_id"].as_str().unwrap().to_owned();
    api.state.store.commit(&Batch { recordings: vec![recording(1, 0)], ..Batch::default() }).await.unwrap();
    let recorded = Uuid::from_u128(1);
    for path in
        [format!("Application/{app}/"), format!("Endpoint/{endpoint}/"), format!("Recording/{recorded}/")]
    {
        for method in ["GET", "POST", "DELETE"] {
            let status = by_sub(method, &path, "{}").await.status.as_u16();
            assert!(status == 404 || status == 405, "{method} {path}: {status}");
        }
        assert_eq!(api.get(&path).await.status, 200);
        let kind = path.split('/').next().unwrap();
        assert_eq!(by_sub("GET", &format!("{kind}/"), "").await.json()["objects"], json!([]));
    }
    let theirs = json!({ "username": "eve", "password": "secret", "alias": "Eve", "app_id": app });
    assert_eq!(by_sub("POST", "Endpoint/", &theirs.to_string()).await.status, 400);
    let foreign = json!({ "app_name": "x", "subaccount": "SAOTHER0000000000000" });
    assert_eq!(by_sub("POST", "Application/", &foreign.to_string()).await.status, 400);

    let own = by_sub("POST", "Application/", r#"{"app_name":"sub's"}"#).await.json();
    let own = own["app_id"].as_str().unwrap();
    let seen = shown(&api, &format!("Application/{own}/")).await;
    assert_eq!(seen["sub_account"], sub, "the main account sees it");
    let listed = api.get(&format!("Application/?subaccount={sub}")).await.json();
    assert_eq!(listed["meta"]["total_count"], 1);
    assert_eq!(api.send("DELETE", &format!("Subaccount/{sub}/"), "").await.status, 204);
    assert_eq!(shown(&api, &format!("Application/{own}/")).await["sub_account"], Value::Null, "inherited");
}
