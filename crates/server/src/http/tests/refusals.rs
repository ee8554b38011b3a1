//! Requests that are refused, each with the status and the text that say why.

use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};

use super::*;

async fn with_authorization(api: &Api, value: Option<&str>) -> Answer {
    let mut request = Request::get(format!("/v1/Account/{ID}/MultiPartyCall/"));
    if let Some(value) = value {
        request = request.header(AUTHORIZATION, value);
    }
    api.request(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn wrong_credentials_are_told_nothing_else() {
    let api = api().await;
    let wrong = [
        basic(ID, "x"),
        basic("MAOTHER0000000000000", TOKEN),
        basic("", ""),
        "Basic ?".into(),
        "Basi".into(),
    ];
    for value in wrong.iter().map(|value| Some(value.as_str())).chain([None, Some("Bearer x")]) {
        let answer = with_authorization(&api, value).await;
        assert_eq!(answer.status, 401, "{value:?}");
        assert_eq!(answer.headers[WWW_AUTHENTICATE], "Basic realm=\"mixminus\"");
        answer.error();
    }
    assert_eq!(with_authorization(&api, Some(&basic(ID, TOKEN))).await.status, 200);
}

#[tokio::test]
async fn another_accounts_path_is_forbidden_whether_it_exists_or_not() {
    let api = api().await;
    for path in ["/v1/Account/MAOTHER0000000000000/MultiPartyCall/", "/v1/Account/x/nothing/"] {
        let request = Request::get(path).header(AUTHORIZATION, basic(ID, TOKEN)).body(Body::empty());
        let answer = api.request(request.unwrap()).await;
        assert_eq!(answer.status, 403, "{path}");
        answer.error();
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(api.request(request).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn what_is_unknown_is_not_found() {
    let api = api().await;
    let ended = format!("MultiPartyCall/uuid_{ENDED}/");
    for (method, path, error) in [
        ("GET", "MultiPartyCall/name_nobody/", "MPC not found"),
        ("GET", "MultiPartyCall/uuid_1/", "MPC not found"),
        ("POST", "MultiPartyCall/name_nobody/", "MPC not found"),
        ("DELETE", ended.as_str(), "MPC not found"),
        ("POST", ended.as_str(), "MPC not found"),
        ("GET", "MultiPartyCall/name_nobody/Participant/", "MPC not found"),
        ("POST", "MultiPartyCall/name_support/Participant/7/", "member 7 not found"),
        ("DELETE", "MultiPartyCall/name_support/Participant/77/", "member 77 not found"),
        ("GET", "Number/", "there is nothing at this path"),
    ] {
        let answer = api.send(method, path, r#"{"status":"active","mute":true}"#).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (404, error), "{method} {path}");
    }
    let outside = api.request(Request::get("/nothing").body(Body::empty()).unwrap()).await;
    assert_eq!(outside.status, 404);
    outside.error();
}

#[tokio::test]
async fn a_wrong_parameter_is_named_and_nothing_is_done() {
    let api = api().await;
    for (method, path, body, error) in [
        ("POST", "name_support/", r#"{"status":"ended"}"#, "status parameter is invalid"),
        ("POST", "name_support/Participant/8/", "{}", "update at least one of coach_mode, mute or hold"),
        ("POST", "name_support/Participant/x/", r#"{"mute":true}"#, "member_id parameter is invalid"),
        ("POST", "name_support/Participant/8/", r#"{"mute":7}"#, "mute parameter is invalid"),
        ("GET", "?limit=21", "", "0 < limit <= 20 (actual value: 21)"),
        ("GET", "name_support/Participant/all/", "", "member_id parameter is invalid"),
    ] {
        let answer = api.send(method, &format!("MultiPartyCall/{path}"), body).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (400, error), "{method} {path}");
    }
    assert!(api.commands().is_empty());
}

#[tokio::test]
async fn a_malformed_body_is_refused() {
    let api = api().await;
    let deep = "[".repeat(50_000);
    for body in ["{", "[]", "\"active\"", "\u{0}", "{\"status\":", deep.as_str()] {
        let answer = api.send("POST", "MultiPartyCall/name_support/", body.to_owned()).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.error(), "request body is not a JSON object");
    }
}

#[tokio::test]
async fn ten_megabytes_are_too_many_however_they_are_announced() {
    let api = api().await;
    let body = vec![b' '; 10_000_000];
    let chunks: Vec<_> = body.chunks(100_000).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
    let just_too_many = vec![b' '; 64 * 1024 + 1];
    for body in [just_too_many.into(), body.into(), Body::from_stream(futures::stream::iter(chunks))] {
        let answer = api.send("POST", "MultiPartyCall/name_support/", body).await;
        assert_eq!(answer.status, 413);
        assert_eq!(answer.error(), "the body is longer than 65536 bytes");
    }
    let just_enough = format!("{}{}", r#"{"status":"active"}"#, " ".repeat(64 * 1024 - 19));
    assert_eq!(api.send("POST", "MultiPartyCall/name_support/", just_enough).await.status, 204);
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let api = api().await;
    let request = Request::post(format!("/v1/Account/{ID}/MultiPartyCall/name_support/"))
        .header(AUTHORIZATION, basic(ID, TOKEN))
        .header(CONTENT_TYPE, "text/xml")
        .body("<status>active</status>".into());
    let answer = api.request(request.unwrap()).await;
    assert_eq!(answer.status, 415);
    assert!(answer.error().contains("application/json"));
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let api = api().await;
    for (method, path, allowed) in [
        ("POST", "MultiPartyCall/", "GET"),
        ("PUT", "MultiPartyCall/name_support/", "GET, POST, DELETE"),
        ("DELETE", "MultiPartyCall/name_support/Participant/", "GET, POST"),
        ("PATCH", "MultiPartyCall/name_support/Participant/8/", "GET, POST, DELETE"),
    ] {
        let answer = api.send(method, path, "").await;
        assert_eq!((answer.status.as_u16(), answer.headers[ALLOW].to_str().unwrap()), (405, allowed));
        answer.error();
    }
    let health = api.request(Request::post("/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!((health.status.as_u16(), health.headers[ALLOW].to_str().unwrap()), (405, "GET"));
    health.error();
}

#[tokio::test]
async fn more_requests_than_allowed_wait_and_strangers_do_not_use_them_up() {
    let api = api().await;
    for _ in 0..=LIMIT {
        assert_eq!(with_authorization(&api, None).await.status, 401);
    }
    for _ in 0..LIMIT {
        assert_eq!(api.get("MultiPartyCall/name_nobody/").await.status, 404);
    }
    let answer = api.get("MultiPartyCall/").await;
    assert_eq!((answer.status.as_u16(), &answer.headers[RETRY_AFTER]), (429, &"5".parse().unwrap()));
    answer.error();
}

#[tokio::test]
async fn metrics_are_for_the_account_where_others_can_ask() {
    let mut api = api().await;
    api.router = router(ApiState { local: false, ..api.state.clone() });
    let stranger = Request::get("/metrics").body(Body::empty()).unwrap();
    assert_eq!(api.request(stranger).await.status, 401);
    let account =
        Request::get("/metrics").header(AUTHORIZATION, basic(ID, TOKEN)).body(Body::empty()).unwrap();
    assert_eq!(api.request(account).await.status, 200);
}

#[tokio::test]
async fn an_exchange_that_stopped_makes_the_api_unavailable() {
    let mut api = api().await;
    let (commands, _) = mpsc::channel(1);
    api.router = router(ApiState { exchange: ExchangeHandle::new(commands), ..api.state.clone() });
    let answer = api.send("DELETE", "MultiPartyCall/name_support/", "").await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (503, "the service is stopping"));
    assert_eq!(api.get("MultiPartyCall/name_support/").await.status, 200);
}
