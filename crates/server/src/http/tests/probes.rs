//! Health, readiness, metrics, the front page, and what a panic costs.

use std::sync::atomic::Ordering;

use super::*;

async fn open(api: &Api, path: &str) -> Answer {
    api.request(Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn readiness_follows_the_phase_and_health_does_not() {
    let api = api().await;
    for (phase, status, word) in
        [(Phase::Starting, 503, "starting"), (Phase::Ready, 200, "ready"), (Phase::Draining, 503, "draining")]
    {
        api.phase.send_replace(phase);
        let ready = open(&api, "/readyz").await;
        assert_eq!((ready.status.as_u16(), ready.json()["status"].as_str()), (status, Some(word)));
        assert_eq!(open(&api, "/healthz").await.status, 200);
    }
}

#[tokio::test]
async fn without_room_for_calls_the_service_is_not_ready() {
    let api = api().await;
    api.phase.send_replace(Phase::Ready);
    api.crowd.0.store(true, Ordering::Relaxed);
    let ready = open(&api, "/readyz").await;
    assert_eq!((ready.status.as_u16(), ready.json()["status"].as_str()), (503, Some("overload")));
    assert!(open(&api, "/metrics").await.text.contains("mixminus_ready 0\n"));
    assert_eq!(open(&api, "/healthz").await.status, 200);
    assert_eq!(api.get("MultiPartyCall/").await.status, 200);
}

#[tokio::test]
async fn metrics_are_those_of_the_api_and_of_everybody_named() {
    let api = api().await;
    api.phase.send_replace(Phase::Ready);
    api.get("MultiPartyCall/").await;
    api.get("MultiPartyCall/name_nobody/").await;
    let metrics = open(&api, "/metrics").await;
    assert_eq!(metrics.headers[CONTENT_TYPE], "text/plain; version=0.0.4");
    for line in [
        "mixminus_ready 1\n",
        "mixminus_api_requests_total{status=\"200\"} 1\n",
        "mixminus_api_requests_total{status=\"404\"} 1\n",
        "mixminus_calls 3\n",
    ] {
        assert!(metrics.text.contains(line), "{}", metrics.text);
    }
}

#[tokio::test]
async fn the_front_page_says_where_to_go_and_no_secret() {
    let api = api().await;
    let page = open(&api, "/").await;
    assert_eq!(page.json()["api"], "/v1/Account/{auth_id}/MultiPartyCall/");
    assert!(!page.text.contains(ID) && !page.text.contains(TOKEN));
}

#[tokio::test]
async fn a_panic_costs_its_request_only() {
    let error = survive(async { panic!("on purpose") }).await.unwrap_err();
    assert_eq!(error, ApiError::internal());
}
