//! A request that is sent again is carried out once (attack H12).

use super::*;

async fn post(api: &Api, key: &str, path: &str, body: &str) -> Answer {
    let request = request("POST", path).header("Idempotency-Key", key);
    api.request(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn applications(api: &Api) -> u64 {
    api.get("Application/").await.json()["meta"]["total_count"].as_u64().unwrap()
}

#[tokio::test]
async fn what_is_asked_three_times_under_one_key_is_done_once() {
    let api = api().await;
    let first = post(&api, "k1", "Application/", r#"{"app_name":"a"}"#).await;
    assert_eq!(first.status, 201);
    for _ in 0..2 {
        let again = post(&api, "k1", "Application/", r#"{"app_name":"a"}"#).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(again.headers[CONTENT_TYPE], "application/json");
    }
    assert_eq!(applications(&api).await, 1);
    let other = post(&api, "k1", "Application/", r#"{"app_name":"b"}"#).await;
    assert_eq!((other.status.as_u16(), applications(&api).await), (422, 1));
    other.error();
    assert_eq!(post(&api, "k2", "Application/", r#"{"app_name":"b"}"#).await.status, 201);
}

#[tokio::test]
async fn a_key_is_the_accounts_own_and_a_wrong_one_is_named() {
    let api = api().await;
    let sub = api.send("POST", "Subaccount/", r#"{"name":"sales","enabled":true}"#).await.json();
    let (id, token) = (sub["auth_id"].as_str().unwrap(), sub["auth_token"].as_str().unwrap());
    assert_eq!(post(&api, "k1", "Application/", r#"{"app_name":"a"}"#).await.status, 201);
    let theirs = Request::post(format!("/v1/Account/{id}/Application/"))
        .header(AUTHORIZATION, basic(id, token))
        .header(CONTENT_TYPE, "application/json")
        .header("Idempotency-Key", "k1");
    let theirs = api.request(theirs.body(Body::from(r#"{"app_name":"a"}"#)).unwrap()).await;
    assert_eq!((theirs.status.as_u16(), applications(&api).await), (201, 2));
    let long = post(&api, &"x".repeat(256), "Application/", "{}").await;
    assert_eq!((long.status.as_u16(), long.error().as_str()), (400, "Idempotency-Key header is invalid"));
}

#[tokio::test]
async fn a_5xx_changes_nothing_so_that_it_can_be_sent_again() {
    let mut api = api().await;
    let (commands, _) = mpsc::channel(1);
    let working = api.router.clone();
    api.router = router(ApiState { exchange: ExchangeHandle::new(commands), ..api.state.clone() });
    let path = "MultiPartyCall/name_support/";
    assert_eq!(post(&api, "k1", path, r#"{"status":"active"}"#).await.status, 503);
    assert!(api.commands().is_empty());
    api.router = working;
    for _ in 0..2 {
        assert_eq!(post(&api, "k1", path, r#"{"status":"active"}"#).await.status, 204);
    }
    assert_eq!(api.commands().len(), 1);
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_what_it_asked_for() {
    let api = api().await;
    let asking = post(&api, "k1", "MultiPartyCall/name_support/", r#"{"status":"active"}"#);
    let gone = tokio::time::timeout(std::time::Duration::ZERO, asking).await;
    drop(gone);
    let again = async {
        loop {
            let answer = post(&api, "k1", "MultiPartyCall/name_support/", r#"{"status":"active"}"#).await;
            if answer.status != 409 {
                return answer.status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let status = tokio::time::timeout(std::time::Duration::from_secs(5), again).await.unwrap();
    assert_eq!((status.as_u16(), api.commands().len()), (204, 1));
}
