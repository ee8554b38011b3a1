//! What was told is read, from any number on, and what was given up is sent again.

use mixminus_control::HttpMethod;
use mixminus_store::{NewCallback, OrderKey};
use serde_json::json;

use super::*;

const FIRST: Uuid = Uuid::from_u128(1);

/// Three callbacks: delivered, given up, and one of a call that waits behind nothing.
async fn three() -> Api {
    let api = api().await;
    let store = &api.state.store;
    let room = OrderKey::Conference(ConferenceId(SUPPORT));
    let new = |id: u128, order| NewCallback {
        id: Uuid::from_u128(id),
        account: AccountId(ID.into()),
        order,
        sequence: id as u64,
        url: "http://customer.example/events".into(),
        method: HttpMethod::Post,
        params: vec![("EventName".into(), "MPCStart".into())],
        created_at: after(0),
    };
    let callbacks = vec![new(1, room), new(2, room), new(3, OrderKey::Call(CallId(CALL)))];
    store.commit(&Batch { callbacks, ..Batch::default() }).await.unwrap();
    store.callback_delivered(FIRST, after(1)).await.unwrap();
    store.callback_dead(Uuid::from_u128(2), after(2), "status 500").await.unwrap();
    api
}

fn sequences(list: &Value) -> Vec<u64> {
    let objects = list["objects"].as_array().unwrap();
    objects.iter().map(|object| object["sequence"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn callbacks_are_read_on_from_a_number_and_by_status() {
    let api = three().await;
    for (query, expected, next) in [
        ("", vec![1, 2, 3], "from=4&limit=20"),
        ("?from=2&limit=1", vec![2], "from=3&limit=1"),
        ("?status=dead", vec![2], "from=3&limit=20&status=dead"),
        ("?status=PENDING", vec![3], "from=4&limit=20&status=pending"),
        ("?from=9", vec![], "from=9&limit=20"),
    ] {
        let list = api.get(&format!("Callbacks/{query}")).await.json();
        assert_eq!(sequences(&list), expected, "{query}");
        assert_eq!(list["meta"]["next"], format!("/v1/Account/{ID}/Callbacks/?{next}"), "{query}");
    }
    for (query, name) in
        [("from=x", "from"), ("limit=0", "limit"), ("limit=201", "limit"), ("status=x", "status")]
    {
        let refused = api.get(&format!("Callbacks/?{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.error()), (400, format!("{name} parameter is invalid")));
    }
}

#[tokio::test]
async fn a_callback_says_all_that_is_known_of_it() {
    let api = three().await;
    let mut dead = api.get(&format!("Callbacks/{}/", Uuid::from_u128(2))).await.json();
    dead.as_object_mut().unwrap().remove("api_id").unwrap();
    let expected = json!({
        "callback_id": "00000000-0000-0000-0000-000000000002",
        "sequence": 2,
        "account": ID,
        "mpc_uuid": SUPPORT.to_string(),
        "call_uuid": null,
        "request_uuid": null,
        "url": "http://customer.example/events",
        "method": "POST",
        "parameters": { "EventName": "MPCStart" },
        "status": "dead",
        "attempts": 1,
        "last_error": "status 500",
        "creation_time": "2026-01-02 10:48:43+00:00",
        "next_attempt_time": null,
        "settled_time": "2026-01-02 10:48:45+00:00",
        "resource_uri": format!("/v1/Account/{ID}/Callbacks/00000000-0000-0000-0000-000000000002/"),
    });
    assert_eq!(dead, expected);
}

#[tokio::test]
async fn only_what_was_given_up_is_sent_again_and_the_outbox_is_told() {
    let api = three().await;
    let post = async |id: u128| api.send("POST", &format!("Callbacks/{}/", Uuid::from_u128(id)), "").await;
    assert_eq!(post(1).await.status, 409);
    assert_eq!(post(9).await.status, 404);
    assert_eq!(api.send("POST", "Callbacks/x/", "").await.error(), "callback not found");
    let again = post(2).await;
    assert_eq!((again.status.as_u16(), &again.json()["message"]), (202, &json!("callback queued")));
    tokio::time::timeout(std::time::Duration::from_secs(5), api.state.queued.notified()).await.unwrap();
    let pending = api.get("Callbacks/?status=pending").await.json();
    assert_eq!(sequences(&pending), [2, 3]);
}
