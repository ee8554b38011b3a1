//! What is told as it happens.

use axum::response::Response;
use futures::StreamExt;
use mixminus_control::ConferenceChange;

use super::*;
use crate::live::tests::{ACCOUNT, Stand, mute};

/// The events of one reader: name and data.
struct Feed(axum::body::BodyDataStream, Vec<(String, Value)>);

impl Feed {
    async fn open(router: &Router, query: &str) -> Self {
        let response = ask(router, query).await;
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        Self(response.into_body().into_data_stream(), Vec::new())
    }

    /// Data of the next event called `wanted`; those before are passed over.
    async fn next(&mut self, wanted: &str) -> Value {
        loop {
            while !self.1.is_empty() {
                let (name, data) = self.1.remove(0);
                if name == wanted {
                    return data;
                }
            }
            let text = self.0.next().await.expect("the feed goes on").unwrap();
            for event in str::from_utf8(&text).unwrap().split_terminator("\n\n") {
                let (name, data) = event.split_once("\ndata: ").unwrap();
                let name = name.strip_prefix("event: ").unwrap().to_owned();
                self.1.push((name, serde_json::from_str(data).unwrap()));
            }
        }
    }
}

async fn ask(router: &Router, query: &str) -> Response {
    let request = request("GET", &format!("Live/{query}")).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

/// An API whose calls are those of a switchboard.
async fn looked_on_at() -> (Api, Stand, Router) {
    assert_eq!(ACCOUNT, ID);
    let (api, stand) = (api().await, Stand::new());
    let state = ApiState { live: Arc::clone(&stand.live), ..api.state.clone() };
    (api, stand, router(state))
}

fn named(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_reader_is_told_what_is_and_then_what_happens() {
    let (_api, mut stand, router) = looked_on_at().await;
    stand.call(1, "support");
    let mut feed = Feed::open(&router, "").await;
    assert_eq!(feed.next("hello").await["dial"], Value::Null);
    assert_eq!(named(&feed.next("event").await, "name"), "MPCInitialized");
    let mpc = feed.next("mpc").await;
    assert_eq!((named(&mpc, "friendly_name"), &mpc["participant_count"]), ("support".into(), &1.into()));

    let began = now();
    stand.change(mute());
    let event = feed.next("event").await;
    assert!(began.elapsed() < std::time::Duration::from_millis(200));
    assert_eq!((named(&event, "name"), named(&event, "member_id")), ("ParticipantMute".into(), "1".into()));
    assert_eq!(event["sequence"], 4);

    stand.change(ConferenceChange::End);
    assert_eq!(feed.next("mpc-gone").await["mpc_uuid"], mpc["mpc_uuid"]);
}

#[tokio::test]
async fn of_one_conference_everything_is_told() {
    let (_api, mut stand, router) = looked_on_at().await;
    for (leg, user) in [(1, "support"), (2, "support.customer"), (3, "support.supervisor")] {
        stand.call(leg, user);
    }
    let uuid = named(&Feed::open(&router, "").await.next("mpc").await, "mpc_uuid");
    let mut feed = Feed::open(&router, &format!("?mpc_uuid={uuid}")).await;
    let told = feed.next("participants").await;
    let hears: Vec<_> =
        told["participants"].as_array().unwrap().iter().map(|one| one["hears"].clone()).collect();
    assert_eq!(
        hears,
        [serde_json::json!(["2", "3"]), serde_json::json!(["1"]), serde_json::json!(["1", "2"])]
    );
    let levels = feed.next("levels").await;
    assert_eq!(levels["levels"]["1"], serde_json::json!([-20, true]));
    assert_eq!(levels["levels"]["2"], serde_json::json!([-20, false]));
}

#[tokio::test]
async fn who_does_not_read_is_sent_away_and_told_why() {
    let (_api, mut stand, router) = looked_on_at().await;
    let mut feed = Feed::open(&router, "").await;
    feed.next("hello").await;
    for _ in 0..600 {
        stand.call(1, "support");
        stand.change(ConferenceChange::End);
    }
    assert_eq!(feed.next("end").await["reason"], "too slow");
}

#[tokio::test]
async fn a_service_that_stops_tells_those_who_look_on() {
    let (api, _stand, router) = looked_on_at().await;
    api.phase.send_replace(Phase::Ready);
    let mut feed = Feed::open(&router, "").await;
    feed.next("hello").await;
    api.phase.send_replace(Phase::Draining);
    assert_eq!(feed.next("end").await["reason"], "the service is stopping");
    assert_eq!(ask(&router, "").await.status(), 503);
}

#[tokio::test]
async fn there_are_only_so_many_places_and_who_goes_leaves_one() {
    let (_api, stand, router) = looked_on_at().await;
    let mut places: Vec<_> = std::iter::from_fn(|| stand.live.admit()).collect();
    let refused = ask(&router, "").await;
    assert_eq!(
        (refused.status(), &refused.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"10".parse().unwrap())
    );
    places.pop();
    let mut feed = Feed::open(&router, "").await;
    feed.next("hello").await;
    drop(feed);
    while stand.live.admit().is_none() {
        tokio::task::yield_now().await;
    }
}
