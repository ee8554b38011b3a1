//! What WHIP is answered without a call.

use axum::http::Method;
use axum::http::header::{ALLOW, CONTENT_TYPE, IF_MATCH, WWW_AUTHENTICATE};
use serde_json::json;

use super::*;

const SESSION: &str = "/whip/session/11111111-1111-4111-8111-111111111111";

async fn ask(api: &Api, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    api.request(request.body(Body::from("v=0")).unwrap()).await
}

#[tokio::test]
async fn nobody_comes_without_a_token_that_is_good() {
    let api = api().await;
    for headers in [
        &[("content-type", "application/sdp")][..],
        &[("content-type", "application/sdp"), ("authorization", "Bearer x")],
        &[("content-type", "application/sdp"), ("authorization", "Basic eDp5")],
    ] {
        let refused = ask(&api, "POST", "/whip", headers).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.headers[WWW_AUTHENTICATE], "Bearer realm=\"mixminus\"");
        assert_eq!(refused.headers["access-control-allow-origin"], "*");
    }
}

#[tokio::test]
async fn an_address_that_tries_tokens_has_to_wait() {
    let api = api().await;
    let wrong = [("content-type", "application/sdp"), ("authorization", "Bearer x")];
    for _ in 0..WRONG_PASSWORDS {
        assert_eq!(ask(&api, "POST", "/whip", &wrong).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(ask(&api, "POST", "/whip", &wrong).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_token_is_not_used_up_by_a_request_that_comes_to_nothing() {
    let api = api().await;
    let wanted = json!({ "mpc_name": "sales", "role": "agent", "name": "Ann" });
    let made = api.send("POST", "JoinToken/", wanted.to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let bearer = format!("Bearer {}", made.json()["token"].as_str().unwrap());
    let (sdp, html) = (("content-type", "application/sdp"), ("content-type", "text/html"));
    let shown = ("authorization", bearer.as_str());
    for (path, kind, status) in [
        ("/whip", html, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("/whip/other", sdp, StatusCode::FORBIDDEN),
        // There is no exchange in this test.
        ("/whip/sales", sdp, StatusCode::SERVICE_UNAVAILABLE),
        ("/whip", sdp, StatusCode::SERVICE_UNAVAILABLE),
    ] {
        assert_eq!(ask(&api, "POST", path, &[kind, shown]).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn what_is_no_session_is_not_found_and_what_is_no_method_not_allowed() {
    let api = api().await;
    let fragment = (CONTENT_TYPE.as_str(), "application/trickle-ice-sdpfrag");
    let known = [fragment, (IF_MATCH.as_str(), "*")];
    assert_eq!(ask(&api, "PATCH", SESSION, &known).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ask(&api, "DELETE", SESSION, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ask(&api, "DELETE", "/whip/session/x", &[]).await.status, StatusCode::NOT_FOUND);
    for (path, allowed) in [("/whip", "OPTIONS, POST"), (SESSION, "DELETE, OPTIONS, PATCH")] {
        for method in [Method::GET, Method::HEAD, Method::PUT] {
            let refused = ask(&api, method.as_str(), path, &[]).await;
            assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(refused.headers[ALLOW], allowed);
        }
        let told = ask(&api, "OPTIONS", path, &[]).await;
        assert_eq!(told.status, StatusCode::NO_CONTENT);
        assert_eq!(told.headers["accept-post"], "application/sdp");
        assert_eq!(told.headers["access-control-allow-methods"], allowed);
    }
}
