//! The twelve things that break naive servers, as far as they concern REST;
//! the eleventh is about signatures of callbacks.

use mixminus_control::{ConferenceChange, Members, ParticipantChange};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::*;

#[tokio::test]
async fn any_host_name_is_served() {
    let api = api().await;
    let request = request("GET", "MultiPartyCall/").header("Host", "api.plivo.com").body(Body::empty());
    assert_eq!(api.request(request.unwrap()).await.status, 200);
}

#[tokio::test]
async fn an_answer_without_content_names_its_type() {
    let api = api().await;
    for (method, path) in [
        ("POST", "MultiPartyCall/name_support/"),
        ("DELETE", "MultiPartyCall/name_support/Participant/8/"),
        ("DELETE", "MultiPartyCall/name_support/"),
    ] {
        let answer = api.send(method, path, r#"{"status":"active"}"#).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
        assert_eq!(answer.headers[CONTENT_TYPE], "application/json");
    }
}

#[tokio::test]
async fn a_start_may_send_its_status_as_a_list() {
    let api = api().await;
    let answer = api.send("POST", "MultiPartyCall/name_support/", r#"{"status": ["active"]}"#).await;
    assert_eq!(answer.status, 204);
    assert_eq!(api.get("MultiPartyCall/name_support/").await.json()["status"], "Active");
}

#[tokio::test]
async fn booleans_may_come_as_words_beside_real_ones() {
    let api = api().await;
    let body = r#"{"mute":true,"hold":"FALSE","coach_mode":"true"}"#;
    let answer = api.send("POST", "MultiPartyCall/name_support/Participant/9/", body).await;
    assert_eq!(answer.status, 202);
    let change = ParticipantChange { mute: Some(true), hold: Some(false), coach: Some(true) };
    let update = ConferenceChange::Update(Members::Listed(vec![ParticipantId(9)]), change);
    let expected = Command::Conference(Selector::Name("support".into()), update);
    assert_eq!(api.commands(), [expected]);
}

#[tokio::test]
async fn a_path_needs_no_slash_at_its_end() {
    let api = api().await;
    for path in [
        "MultiPartyCall",
        "MultiPartyCall/name_support",
        "MultiPartyCall/name_support/Participant",
        "MultiPartyCall/name_support/Participant/8",
    ] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
        assert_eq!(api.get(&format!("{path}/")).await.status, 200, "{path}/");
    }
}

#[tokio::test]
async fn a_delete_comes_with_a_body_or_without() {
    let api = api().await;
    let body = format!(r#"{{"participant_id": 8, "uuid": "{SUPPORT}"}}"#);
    let path = format!("MultiPartyCall/uuid_{SUPPORT}/Participant");
    assert_eq!(api.send("DELETE", &format!("{path}/8/"), body).await.status, 204);
    assert_eq!(api.send("DELETE", &format!("{path}/9/"), "").await.status, 204);
}

#[tokio::test]
async fn an_empty_chunked_body_does_not_spoil_the_next_request() {
    let api = api().await;
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(listener, None, api.router.clone(), CancellationToken::new()));

    let head = format!("Host: x\r\nAuthorization: {}\r\n", basic(ID, TOKEN));
    let kick = format!("/v1/Account/{ID}/MultiPartyCall/name_support/Participant/8/");
    let requests = format!(
        "DELETE {kick} HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
         GET /healthz HTTP/1.1\r\n{head}Connection: close\r\n\r\n"
    );
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(requests.as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert!(answers.starts_with("HTTP/1.1 204"), "{answers}");
    assert!(answers.contains("HTTP/1.1 200"), "{answers}");
    server.abort();
}

#[expect(clippy::disallowed_methods, reason = "a test's own port")]
async fn listener() -> tokio::net::TcpListener {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn amounts_and_member_ids_are_strings() {
    let api = api().await;
    let conference = api.get(&format!("MultiPartyCall/uuid_{ENDED}/")).await.json();
    assert_eq!(conference["billed_amount"], "0.00500");
    let participant = api.get("MultiPartyCall/name_support/Participant/8/").await.json();
    assert_eq!(participant["member_id"], "8");
}

#[tokio::test]
async fn lists_tell_their_length_under_both_names() {
    let api = api().await;
    let meta = &api.get("MultiPartyCall/?limit=1").await.json()["meta"];
    let next = format!("/v1/Account/{ID}/MultiPartyCall/?limit=1&offset=1");
    let expected = json!({
        "count": 2, "total_count": 2, "limit": 1, "offset": 0, "next": next, "previous": null,
    });
    assert_eq!(*meta, expected);
    let meta = &api.get("MultiPartyCall/name_support/Participant/").await.json()["meta"];
    assert_eq!((&meta["count"], &meta["total_count"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn no_server_error_follows_a_change() {
    let changes = [
        ("POST", "", r#"{"status":"active"}"#, 204),
        ("DELETE", "", "", 204),
        ("POST", "Participant/all/", r#"{"mute":true}"#, 202),
        ("DELETE", "Participant/all/", "", 204),
    ];
    for (method, path, body, status) in changes {
        let api = api_with(Afterwards::StoreIsGone).await;
        let path = format!("MultiPartyCall/name_support/{path}");
        assert_eq!(api.send(method, &path, body).await.status, status, "{method} {path}");
        assert_eq!(api.commands().len(), 1);
        assert_eq!(api.get("MultiPartyCall/").await.status, 500, "the store is gone");
    }
}

#[tokio::test]
async fn every_error_has_a_body() {
    let api = api().await;
    for (method, path, body) in [
        ("GET", "MultiPartyCall/name_nobody/", ""),
        ("PUT", "MultiPartyCall/", ""),
        ("POST", "MultiPartyCall/name_support/", "{"),
        ("GET", "Nothing/", ""),
    ] {
        let answer = api.send(method, path, body).await;
        assert!(answer.status.is_client_error());
        assert!(!answer.error().is_empty());
    }
}
