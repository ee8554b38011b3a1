//! What is on record, and what happens when nothing can be put there.

use std::sync::Arc;

use mixminus_sip::CallEnd;
use reqwest::Method;
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Executor};

use crate::{Running, eventually};

/// Makes every commit that writes a participant fail as on a full disk: SQLite rolls it back by itself.
const FULL: &str =
    "CREATE TRIGGER full BEFORE INSERT ON participants BEGIN SELECT RAISE(ROLLBACK, 'full'); END";

async fn peek(running: &Running) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(running.folder.path().join("mixminus.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_call_is_on_record() {
    let running = Running::start(&[]).await;
    for round in 0..10 {
        let room = format!("room{round}");
        let phone = running.call(&room).await;
        let inside = running.get(&format!("name_{room}/Participant/")).await;
        assert_eq!(inside["objects"].as_array().unwrap().len(), 1);
        phone.hang_up().await;
    }
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_is_written_when_the_disk_has_room_again() {
    let running = Arc::new(Running::start(&[]).await);
    let phone = running.call("sales").await;
    let member = running.get("name_sales/Participant/").await["objects"][0]["member_id"].clone();
    let member = format!("name_sales/Participant/{}/", member.as_str().unwrap());
    let mut outside = peek(&running).await;
    outside.execute(FULL).await.unwrap();

    let (asking, path) = (Arc::clone(&running), member.clone());
    let accepted = tokio::spawn(async move { asking.post(&path, json!({ "mute": true })).await });
    eventually("trouble is seen", async || running.readiness().await == (503, json!("storage"))).await;
    let (status, refused) = running.request(Method::POST, &member, Some(json!({ "hold": true }))).await;
    let text = "changes cannot be stored at the moment; nothing was changed";
    assert_eq!((status, &refused["error"]), (503, &json!(text)));
    let late = running.call("sales").await;
    assert_eq!(late.ended().await, CallEnd::Failed { status: 503, reason: None });
    assert!(!accepted.is_finished(), "it waits for its commit");

    outside.execute("DROP TRIGGER full").await.unwrap();
    assert_eq!(accepted.await.unwrap(), 202);
    let object = running.get(&member).await;
    assert_eq!((&object["mute"], &object["hold"]), (&json!(true), &json!(false)));
    assert_eq!(running.readiness().await, (200, json!("ready")));
    let another = running.call("sales").await;
    assert_eq!(running.get("name_sales/Participant/").await["objects"].as_array().unwrap().len(), 2);
    another.hang_up().await;
    phone.hang_up().await;
    outside.close().await.unwrap();
    Arc::into_inner(running).unwrap().service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_to_be_answered_in_trouble_is_answered_after_it() {
    let running = Running::start(&[]).await;
    let mut outside = peek(&running).await;
    outside.execute(FULL).await.unwrap();
    let heal = async {
        eventually("trouble is seen", async || running.readiness().await == (503, json!("storage"))).await;
        outside.execute("DROP TRIGGER full").await.unwrap();
    };
    let (phone, ()) = tokio::join!(running.call("sales"), heal);
    assert_eq!(running.get("name_sales/Participant/").await["objects"].as_array().unwrap().len(), 1);
    phone.hang_up().await;
    running.service.drain().await;
}
