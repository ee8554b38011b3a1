//! Subaccounts, and who sees and changes whose objects (attacks H7 and H11).

use axum::http::header::RETRY_AFTER;
use mixminus_control::HttpMethod;
use mixminus_store::{NewCallback, OrderKey, SubaccountRecord, Token};
use serde_json::json;

use super::*;

const SUB: &str = "SATEST00000000000000";
const OTHER: &str = "SAOTHER0000000000000";
const SUB_TOKEN: &str = "sub-token-sub-token-sub-token-sub-token!";
/// The conference `private` of [`SUB`].
const PRIVATE: Uuid = Uuid::from_u128(0x4444_4444_4444_4444_8444_4444_4444_4444);

/// An API with the subaccounts [`SUB`] and [`OTHER`]; the first has a conference and a callback.
async fn family() -> Api {
    let api = api().await;
    for (id, token) in [(SUB, SUB_TOKEN), (OTHER, "other-token-other-token-other-token-other")] {
        let subaccount = SubaccountRecord {
            id: AccountId(id.into()),
            main: AccountId(ID.into()),
            name: id.to_lowercase(),
            token: Token(token.into()),
            enabled: true,
            created_at: after(0),
            modified_at: None,
        };
        api.state.store.save_subaccount(&subaccount).await.unwrap();
        api.state.accounts.put(subaccount);
    }
    let conference = ConferenceRecord {
        id: ConferenceId(PRIVATE),
        account: AccountId(SUB.into()),
        name: "private".into(),
        created_at: after(1),
        ..records().conferences[1].clone()
    };
    let callback = NewCallback {
        id: PRIVATE,
        account: AccountId(SUB.into()),
        order: OrderKey::Conference(ConferenceId(PRIVATE)),
        sequence: 1,
        url: "http://customer.example/".into(),
        method: HttpMethod::Post,
        params: Vec::new(),
        created_at: after(1),
    };
    let mut inside = participant(20, PRIVATE, Role::Agent);
    inside.joined_at = after(1);
    let batch = Batch {
        conferences: vec![conference],
        participants: vec![inside],
        callbacks: vec![callback],
        ..Batch::default()
    };
    api.state.store.commit(&batch).await.unwrap();
    api
}

async fn by(api: &Api, (id, token): (&str, &str), method: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, basic(id, token))
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()));
    api.request(request.unwrap()).await
}

#[tokio::test]
async fn no_route_shows_or_changes_anothers_objects() {
    let api = family().await;
    let conference = format!("MultiPartyCall/uuid_{SUPPORT}/");
    let routes = [
        ("GET", conference.clone()),
        ("POST", conference.clone()),
        ("DELETE", conference.clone()),
        ("GET", "MultiPartyCall/name_support/".to_owned()),
        ("DELETE", "MultiPartyCall/name_support/".to_owned()),
        ("GET", format!("{conference}Participant/")),
        ("GET", format!("{conference}Participant/8/")),
        ("POST", format!("{conference}Participant/8/")),
        ("POST", format!("{conference}Participant/all/")),
        ("DELETE", format!("{conference}Participant/8/")),
        ("DELETE", format!("{conference}Participant/all/")),
        ("GET", format!("MultiPartyCall/uuid_{PRIVATE}/Participant/8/")),
        ("DELETE", format!("MultiPartyCall/uuid_{PRIVATE}/Participant/8/")),
    ];
    let before = api.get(&conference).await.json()["status"].clone();
    for (method, path) in &routes {
        let own = format!("/v1/Account/{SUB}/{path}");
        let body = r#"{"status":"active","mute":true}"#;
        let hidden = by(&api, (SUB, SUB_TOKEN), method, &own, body).await;
        assert_eq!(hidden.status, 404, "{method} {path}: {}", hidden.text);
        let others = format!("/v1/Account/{ID}/{path}");
        let refused = by(&api, (SUB, SUB_TOKEN), method, &others, body).await;
        assert_eq!(refused.status, 403, "{method} {path}");
    }
    assert_eq!(api.get(&conference).await.json()["status"], before);
    assert_eq!(api.get("MultiPartyCall/name_support/Participant/").await.json()["objects"][0]["mute"], false);
}

#[tokio::test]
async fn a_trace_is_of_a_call_that_the_caller_reaches() {
    let api = family().await;
    let path = |account: &str, query: &str| format!("/v1/Account/{account}/Call/{CALL}/Trace/{query}");
    let main = by(&api, (ID, TOKEN), "GET", &path(ID, ""), "").await;
    assert_eq!(
        (main.status.as_u16(), &*main.error()),
        (404, "trace not found"),
        "it is reached, and has none"
    );
    let hidden = by(&api, (SUB, SUB_TOKEN), "GET", &path(SUB, ""), "").await;
    assert_eq!((hidden.status.as_u16(), &*hidden.error()), (404, "call not found"));
    assert_eq!(by(&api, (SUB, SUB_TOKEN), "GET", &path(ID, ""), "").await.status, 403);
    let wrong = by(&api, (ID, TOKEN), "GET", &path(ID, "?format=xml"), "").await;
    assert_eq!((wrong.status.as_u16(), &*wrong.error()), (400, "format parameter is invalid"));
}

#[tokio::test]
async fn live_calls_are_listed_with_details_to_who_reaches_them() {
    let support = api().await.get("Call/?status=live&details=true").await.json();
    assert_eq!(support["objects"][0]["mpc_name"], "support");
    let api = family().await;
    let list = async |id: &str, token: &str, query: &str| {
        let path = format!("/v1/Account/{id}/Call/?{query}details=true");
        by(&api, (id, token), "GET", &path, "").await
    };
    let all = list(ID, TOKEN, "status=live&").await.json();
    let uuid = CALL.to_string();
    let call = all["objects"].as_array().unwrap().iter().find(|call| call["call_uuid"] == uuid).unwrap();
    assert_eq!((&call["from"], &call["call_status"]), (&"sip:ann@127.0.0.1".into(), &"in-progress".into()));
    assert!(call["duration_s"].as_u64().unwrap() >= 3600);
    assert!(!list(SUB, SUB_TOKEN, "status=live&").await.text.contains(&uuid));
    assert!(list(ID, TOKEN, "").await.json()["objects"].as_array().unwrap().is_empty(), "no call has ended");
}

#[tokio::test]
async fn lists_hold_the_callers_own_objects_and_for_the_main_account_its_subaccounts() {
    let api = family().await;
    let names = async |credentials, path: &str| {
        let list = by(&api, credentials, "GET", path, "").await.json();
        let objects = list["objects"].as_array().unwrap();
        let names = objects.iter().map(|object| object["friendly_name"].as_str().unwrap().to_owned());
        assert_eq!(list["meta"]["count"], objects.len());
        names.collect::<Vec<_>>()
    };
    let main = |query: &str| format!("/v1/Account/{ID}/MultiPartyCall/{query}");
    assert_eq!(names((ID, TOKEN), &main("")).await, ["private", "support", "support"]);
    assert_eq!(names((ID, TOKEN), &main(&format!("?sub_account={SUB}"))).await, ["private"]);
    assert_eq!(names((ID, TOKEN), &main(&format!("?sub_account={OTHER}"))).await, [""; 0]);
    let sub = format!("/v1/Account/{SUB}/MultiPartyCall/");
    assert_eq!(names((SUB, SUB_TOKEN), &sub).await, ["private"]);
    assert_eq!(names((ID, TOKEN), &sub).await, ["private"], "the main account in the subaccount's place");
    let by_uuid = api.get(&format!("MultiPartyCall/uuid_{PRIVATE}/")).await.json();
    assert_eq!(by_uuid["sub_account"], SUB);
    assert_eq!(api.get("MultiPartyCall/name_private/").await.status, 404, "names are each account's own");
}

#[tokio::test]
async fn what_is_live_of_a_subaccount_is_changed_in_its_name() {
    let api = family().await;
    let call = CallRecord { id: CallId(PRIVATE), account: AccountId(SUB.into()), ..call() };
    api.state.store.commit(&Batch { calls: vec![call], ..Batch::default() }).await.unwrap();
    let shown = api.get(&format!("Call/{PRIVATE}/?status=live")).await.json();
    assert_eq!(shown["call_uuid"], PRIVATE.to_string());
    for (of, account) in [(PRIVATE, SUB), (CALL, ID)] {
        for path in [format!("Call/{of}/"), format!("Request/{of}/")] {
            api.send("DELETE", &path, "").await;
            assert_eq!(api.commands.lock().unwrap().last().unwrap().0.0, account, "{path}");
        }
    }
    assert_eq!(api.send("DELETE", &format!("MultiPartyCall/uuid_{PRIVATE}/"), "").await.status, 204);
    assert_eq!(api.commands.lock().unwrap().last().unwrap().0.0, SUB);
    let others = format!("/v1/Account/{OTHER}/Call/{PRIVATE}/");
    let other = (OTHER, "other-token-other-token-other-token-other");
    assert_eq!(by(&api, other, "GET", &others, "").await.status, 404);
    by(&api, other, "DELETE", &others, "").await;
    assert_eq!(api.commands.lock().unwrap().last().unwrap().0.0, OTHER, "which has no such call");
}

#[tokio::test]
async fn callbacks_of_another_subaccount_are_not_found() {
    let api = family().await;
    let one = |account: &str| format!("/v1/Account/{account}/Callbacks/{PRIVATE}/");
    assert_eq!(by(&api, (SUB, SUB_TOKEN), "GET", &one(SUB), "").await.status, 200);
    assert_eq!(by(&api, (ID, TOKEN), "GET", &one(ID), "").await.status, 200);
    let other = (OTHER, "other-token-other-token-other-token-other");
    assert_eq!(by(&api, other, "GET", &one(OTHER), "").await.status, 404);
    assert_eq!(by(&api, other, "POST", &one(OTHER), "").await.status, 404);
    let list = by(&api, other, "GET", &format!("/v1/Account/{OTHER}/Callbacks/"), "").await.json();
    assert_eq!(list["objects"], json!([]));
}

#[tokio::test]
async fn a_subaccount_lives_from_its_making_to_its_deletion() {
    let api = api().await;
    let made = api.send("POST", "Subaccount/", r#"{"name":"sales","enabled":true}"#).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["message"], "created");
    let (id, token) = (made["auth_id"].as_str().unwrap(), made["auth_token"].as_str().unwrap());
    assert!(id.len() == 20 && id.starts_with("SA") && token.len() == 40);
    let own = format!("/v1/Account/{id}/MultiPartyCall/");
    assert_eq!(by(&api, (id, token), "GET", &own, "").await.status, 200);

    let path = format!("Subaccount/{id}/");
    let mut shown = api.get(&path).await.json();
    let object = shown.as_object_mut().unwrap();
    assert!(object.remove("api_id").is_some());
    assert!(object.remove("created").unwrap().as_str().unwrap().ends_with("+00:00"));
    let expected = json!({
        "account": format!("/v1/Account/{ID}/"),
        "auth_id": id,
        "auth_token": token,
        "enabled": true,
        "modified": null,
        "name": "sales",
        "resource_uri": format!("/v1/Account/{ID}/Subaccount/{id}/"),
    });
    assert_eq!(shown, expected);
    assert_eq!(api.get("Subaccount/").await.json()["objects"][0]["auth_id"], id);

    let changed = api.send("POST", &path, r#"{"name":"support","enabled":false}"#).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["message"]), (202, &json!("changed")));
    assert_eq!(by(&api, (id, token), "GET", &own, "").await.status, 401);
    assert_eq!(api.get(&path).await.json()["name"], "support");

    assert_eq!(api.send("DELETE", &path, "").await.status, 204);
    assert_eq!(api.get(&path).await.status, 404);
    assert_eq!(api.get("Subaccount/").await.json()["objects"], json!([]));
}

#[tokio::test]
async fn subaccounts_are_the_main_accounts_business_and_not_without_end() {
    let api = family().await;
    for path in ["Subaccount/".to_owned(), format!("Subaccount/{SUB}/"), format!("Subaccount/{OTHER}/")] {
        let path = format!("/v1/Account/{SUB}/{path}");
        assert_eq!(by(&api, (SUB, SUB_TOKEN), "GET", &path, "").await.status, 403);
    }
    assert_eq!(api.send("POST", "Subaccount/", r#"{"name":"one too many"}"#).await.status, 400);
    assert_eq!(api.send("POST", "Subaccount/", "{}").await.error(), "name is required (current value: None)");
}

#[tokio::test]
async fn an_account_says_whose_it_is() {
    let api = family().await;
    let changed = api.send("POST", "", r#"{"name":"Ann","city":"Zürich"}"#).await;
    assert_eq!(changed.status, 202);
    assert_eq!(api.send("POST", "", "{}").await.status, 400);
    let mut shown = api.get("").await.json();
    shown.as_object_mut().unwrap().remove("api_id").unwrap();
    let expected = json!({
        "account_type": "standard",
        "address": "",
        "auth_id": ID,
        "auto_recharge": false,
        "billing_mode": "prepaid",
        "cash_credits": "0.00000",
        "city": "Zürich",
        "name": "Ann",
        "resource_uri": format!("/v1/Account/{ID}/"),
        "state": "",
        "timezone": "UTC",
    });
    assert_eq!(shown, expected);
    let sub = by(&api, (SUB, SUB_TOKEN), "GET", &format!("/v1/Account/{SUB}/"), "").await.json();
    assert_eq!((&sub["name"], &sub["auth_id"]), (&json!(SUB.to_lowercase()), &json!(SUB)));
}

#[tokio::test]
async fn a_subaccount_that_asks_too_much_uses_up_its_own_requests() {
    let api = family().await;
    let path = format!("/v1/Account/{SUB}/");
    for _ in 0..LIMIT {
        assert_eq!(by(&api, (SUB, SUB_TOKEN), "GET", &path, "").await.status, 200);
    }
    let refused = by(&api, (SUB, SUB_TOKEN), "GET", &path, "").await;
    assert_eq!((refused.status.as_u16(), &refused.headers[RETRY_AFTER]), (429, &"5".parse().unwrap()));
    assert_eq!(api.get("").await.status, 200);
}

#[tokio::test]
async fn who_guesses_passwords_is_not_listened_to_for_a_while() {
    let api = family().await;
    let path = format!("/v1/Account/{ID}/");
    let from = async |peer: [u8; 4], token: &str| {
        let mut request = Request::get(&path).header(AUTHORIZATION, basic(ID, token)).body(Body::empty());
        request.as_mut().unwrap().extensions_mut().insert(auth::Peer(peer.into()));
        api.request(request.unwrap()).await
    };
    for guess in 0..WRONG_PASSWORDS {
        assert_eq!(from([192, 0, 2, 1], &format!("guess{guess}")).await.status, 401);
    }
    let right = from([192, 0, 2, 1], TOKEN).await;
    assert_eq!((right.status.as_u16(), &right.headers[RETRY_AFTER]), (429, &"60".parse().unwrap()));
    right.error();
    assert_eq!(from([192, 0, 2, 2], TOKEN).await.status, 200);
}
