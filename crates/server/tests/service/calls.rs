//! What is shown of calls: the list, the trace, the ladder, the counts.

use mixminus_server::calls::{self, CallsError};
use mixminus_server::config::{Config, HttpUrl, Setting};
use mixminus_sip::{ListenAddress, Transport, UserAgent, UserAgentConfig};
use serde_json::{Value, json};

use crate::{AUTH_ID, Running, TOKEN, eventually};

const OURS: (&str, &str) = (AUTH_ID, TOKEN);

impl Running {
    /// `mixminus calls`, as somebody calls it who has the account.
    async fn ask(&self, uuid: Option<&str>) -> Result<String, CallsError> {
        let account = [("MIXMINUS__ACCOUNT__AUTH_ID", AUTH_ID), ("MIXMINUS__ACCOUNT__AUTH_TOKEN", TOKEN)];
        let account = account.map(|(name, value)| (name.into(), value.into()));
        let config = Config::load(None, account).unwrap();
        let url = HttpUrl::parse(&format!("http://{}/", self.service.http_address()));
        calls::ask(&config, url, uuid).await
    }

    async fn by(&self, (id, token): (&str, &str), path: &str, body: Option<Value>) -> (u16, String) {
        let url = format!("http://{}/{path}", self.service.http_address());
        let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let request = match body {
            Some(body) => client.post(url).header("content-type", "application/json").body(body.to_string()),
            None => client.get(url),
        };
        let response = request.basic_auth(id, Some(token)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn trace(&self, uuid: &str) -> (u16, String) {
        self.by(OURS, &format!("v1/Account/{AUTH_ID}/Call/{uuid}/Trace/"), None).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_listed_while_it_lasts_and_its_signalling_seen_after_it_too() {
    let running = Running::start(&[]).await;
    assert!(running.ask(None).await.unwrap().ends_with("\nlive calls: 0\n"));
    let phone = running.call("sales").await;
    phone.joined_as(&running, "sales", 1).await;
    let listed = running.ask(None).await.unwrap();
    let cells: Vec<_> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(cells[1..4], ["sip:phone@127.0.0.1", "sip:sales@127.0.0.1", "in-progress"], "{listed}");
    assert_eq!((cells[4].len(), cells[5]), ("0:00:00".len(), "sales"));
    let uuid = cells[0];
    phone.hang_up().await;
    eventually("the call is over", async || !running.ask(None).await.unwrap().contains(uuid)).await;

    let ladder = running.ask(Some(uuid)).await.unwrap();
    let arrows: Vec<_> = ladder.lines().filter(|line| line.contains('│')).collect();
    for (at, label) in [(0, "INVITE (sdp) ─"), (1, "100 Trying to INVITE "), (arrows.len() - 2, "BYE ─")]
    {
        assert!(arrows[at].contains(label), "{label} is not where it was\n{ladder}");
    }
    assert!(ladder.contains(" 200 OK to INVITE (sdp) │") && ladder.contains("127.0.0.1:"), "{ladder}");
    let (status, trace) = running.trace(uuid).await;
    let trace: Value = serde_json::from_str(&trace).unwrap();
    assert_eq!((status, &trace["call_uuid"], &trace["left_out"]), (200, &json!(uuid), &json!(0)));
    let first = &trace["messages"][0];
    assert_eq!(
        (&first["direction"], &first["to"], &first["offset_ms"]),
        (&json!("received"), &json!("mixminus"), &json!(0.0))
    );
    assert!(first["message"].as_str().unwrap().starts_with(first["summary"].as_str().unwrap()));
    assert_eq!(trace["messages"].as_array().unwrap().len(), arrows.len());

    let (_, metrics) = running.by(OURS, "metrics", None).await;
    for line in [
        "mixminus_sip_messages_total{direction=\"received\",transport=\"udp\",method=\"INVITE\",status=\"\"} 1",
        "mixminus_sip_messages_total{direction=\"sent\",transport=\"udp\",method=\"INVITE\",status=\"2xx\"} 1",
        "mixminus_sip_calls_total{direction=\"incoming\",outcome=\"completed\"} 1",
    ] {
        assert!(metrics.lines().any(|said| said == line), "{line}\n{metrics}");
    }
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_refused_shows_why_to_its_account_only() {
    let running = Running::start(&[]).await;
    let listen = ListenAddress::new(Transport::Udp, ([127, 0, 0, 1], 0).into());
    let config = UserAgentConfig { listen: vec![listen], ..UserAgentConfig::default() };
    let (callee, mut calls) = UserAgent::start(config).await.unwrap();
    let to = format!("sip:bob@{}", callee.listening()[0].address);
    let order = json!({ "from": "14155550100", "to": to, "answer_url": "http://127.0.0.1:9/" });
    let (status, fired) = running.by(OURS, &format!("v1/Account/{AUTH_ID}/Call/"), Some(order)).await;
    assert_eq!(status, 201, "{fired}");
    calls.recv().await.unwrap().control.refuse(486, None);
    let fired: Value = serde_json::from_str(&fired).unwrap();
    let uuid = fired["request_uuid"].as_str().unwrap();
    eventually("the refusal is traced", async || running.trace(uuid).await.1.contains("SIP/2.0 486 ")).await;
    let sub = json!({ "name": "sales", "enabled": true });
    let (_, sub) = running.by(OURS, &format!("v1/Account/{AUTH_ID}/Subaccount/"), Some(sub)).await;
    let sub: Value = serde_json::from_str(&sub).unwrap();
    let (id, token) = (sub["auth_id"].as_str().unwrap(), sub["auth_token"].as_str().unwrap());
    let hidden = running.by((id, token), &format!("v1/Account/{id}/Call/{uuid}/Trace/"), None).await;
    assert_eq!(hidden.0, 404, "{}", hidden.1);
    let unknown = running.ask(Some("22222222-2222-4222-8222-222222222222")).await.unwrap_err();
    assert!(matches!(unknown, CallsError::NoTrace { .. }), "{unknown}");
    running.service.drain().await;
}
