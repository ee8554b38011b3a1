//! The whole service in this process, with phones and an application of the test's own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod application;
mod calls;
mod phone;
mod signalling;
mod speech;
mod storage;
mod tls;
mod transfer;

use std::time::Duration;

use application::Application;
use mixminus_server::config::Config;
use mixminus_server::serve::Service;
use mixminus_sip::CallEnd;
use phone::Phone;
use serde_json::{Value, json};

const AUTH_ID: &str = "MATEST00000000000000";
const TOKEN: &str = "0123456789012345678901234567890123456789";

struct Running {
    service: Service,
    folder: tempfile::TempDir,
}

impl Running {
    async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), settings).await
    }

    async fn start_in(folder: tempfile::TempDir, settings: &[(&str, &str)]) -> Self {
        let path = folder.path().to_str().unwrap().to_owned();
        let variables = [
            ("MIXMINUS__DATA_DIR", path.as_str()),
            ("MIXMINUS__HTTP__LISTEN", "127.0.0.1:0"),
            ("MIXMINUS__SIP__LISTEN", "udp:127.0.0.1:0"),
            ("MIXMINUS__MEDIA__WORKERS", "1"),
            ("MIXMINUS__ACCOUNT__AUTH_ID", AUTH_ID),
            ("MIXMINUS__ACCOUNT__AUTH_TOKEN", TOKEN),
        ];
        let all = variables.iter().chain(settings).map(|(name, value)| (name.into(), value.into()));
        let config = Config::load(None, all).unwrap();
        Self { service: Service::start(&config).await.unwrap(), folder }
    }

    fn sip(&self) -> String {
        self.service.sip_addresses()[0].address.to_string()
    }

    async fn call(&self, user: &str) -> Phone {
        Phone::call(user, &self.sip()).await
    }

    async fn request(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let address = self.service.http_address();
        let url = format!("http://{address}/v1/Account/{AUTH_ID}/MultiPartyCall/{path}");
        let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let request = client.request(method, url).basic_auth(AUTH_ID, Some(TOKEN));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    async fn readiness(&self) -> (u16, Value) {
        let response = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let response = response.get(format!("http://{}/readyz", self.service.http_address())).send();
        let response = response.await.unwrap();
        let status = response.status().as_u16();
        let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        (status, body["status"].clone())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.request(reqwest::Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> u16 {
        self.request(reqwest::Method::POST, path, Some(body)).await.0
    }
}

async fn answered_by(application: &Application) -> Running {
    Running::start(&[("MIXMINUS__APPLICATION__ANSWER_URL", &application.url("/answer"))]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rehearsing_callers_hear_all_but_themselves() {
    let running = Running::start(&[]).await;
    let options = mixminus_rehearse::Options {
        target: running.sip(),
        rooms: 2,
        participants: 3,
        seconds: 6,
        ..mixminus_rehearse::Options::default()
    };
    let report = mixminus_rehearse::run(options).await.unwrap();
    assert!(report.passed(), "{report}");
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conference_outlives_a_restart_on_record() {
    let running = Running::start(&[]).await;
    let (agent, customer) = (running.call("sales").await, running.call("sales.customer").await);
    customer.joined_as(&running, "sales", 2).await;
    let live = running.get("name_sales/").await;
    assert_eq!((&live["status"], &live["termination_cause_code"]), (&json!("Active"), &Value::Null));
    let uuid = live["mpc_uuid"].as_str().unwrap().to_owned();
    agent.hang_up().await;
    customer.hang_up().await;
    running.service.drain().await;

    let again = Running::start_in(running.folder, &[]).await;
    let ended = again.get(&format!("uuid_{uuid}/")).await;
    assert_eq!((&ended["status"], &ended["termination_cause_code"]), (&json!("Ended"), &json!(1000)));
    let members = again.get(&format!("uuid_{uuid}/Participant/")).await;
    assert_eq!(members["objects"].as_array().unwrap().len(), 2);
    again.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_says_goodbye_and_writes_everything() {
    let running = Running::start(&[]).await;
    let phone = running.call("sales").await;
    phone.joined_as(&running, "sales", 1).await;
    let uuid = running.get("name_sales/").await["mpc_uuid"].as_str().unwrap().to_owned();
    running.service.drain().await;
    assert_eq!(phone.ended().await, CallEnd::HungUp);
    let again = Running::start_in(running.folder, &[]).await;
    assert_eq!(again.get(&format!("uuid_{uuid}/")).await["status"], "Ended");
    again.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_asked_and_told_in_order_with_signatures() {
    let application = Application::start().await;
    let room = |role: &str| {
        format!(
            "<Response><MultiPartyCall role='{role}' statusCallbackUrl='/events' \
             statusCallbackEvents='mpc-state-changes,participant-state-changes,participant-digit-input-events'\
             >room</MultiPartyCall></Response>"
        )
    };
    application.answer(&room("agent"));
    let running = answered_by(&application).await;
    let agent = running.call("service").await;
    agent.joined(&running, 1).await;
    application.answer(&room("customer"));
    let customer = running.call("service").await;
    customer.joined(&running, 2).await;
    let member = running.get("name_room/Participant/").await["objects"][0]["member_id"].clone();
    let member = format!("name_room/Participant/{}/", member.as_str().unwrap());
    assert_eq!(running.post(&member, json!({ "mute": true })).await, 202);
    assert_eq!(running.get(&member).await["mute"], true);
    customer.press('5').await;
    application.told(6).await;
    customer.hang_up().await;
    application.told(9).await;

    let told = application.events();
    let names: Vec<_> = told.iter().map(|event| event["EventName"].as_str()).collect();
    let expected = [
        "MPCInitialized",
        "MPCStart",
        "ParticipantJoin",
        "ParticipantJoin",
        "ParticipantMute",
        "ParticipantDigitInput",
        "ParticipantExit",
        "ParticipantExit",
        "MPCEnd",
    ];
    assert_eq!(names, expected);
    let numbers: Vec<_> = told.iter().map(|event| event["SequenceNumber"].as_str()).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(told[5]["DigitInput"], "5");
    assert_eq!(told[8]["MPCTerminationCauseCode"], "1010", "an agent may not stay alone unless it says so");
    application.assert_signed(TOKEN);
    agent.hang_up().await;
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_told_who_talks() {
    let application = Application::start().await;
    application.answer(
        "<Response><MultiPartyCall role='agent' statusCallbackUrl='/events' \
         statusCallbackEvents='participant-state-changes, participant-speak-events'>room</MultiPartyCall>\
         </Response>",
    );
    let running = answered_by(&application).await;
    let phone = running.call("service").await;
    phone.joined(&running, 1).await;
    phone.talk(25).await;
    application.told(3).await;
    phone.hang_up().await;
    application.told(4).await;

    let told = application.events();
    let names: Vec<_> = told.iter().map(|event| event["EventName"].as_str()).collect();
    let expected = ["ParticipantJoin", "ParticipantSpeakStart", "ParticipantSpeakStop", "ParticipantExit"];
    assert_eq!(names, expected);
    assert!(told.iter().all(|event| event["MemberID"] == told[0]["MemberID"]));
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_reach_the_others_only_if_the_document_says_so() {
    let application = Application::start().await;
    let running = answered_by(&application).await;
    let joining = async |relay: bool, members: usize| {
        application.answer(&format!(
            "<Response><MultiPartyCall role='agent' relayDTMFInputs='{relay}'>room</MultiPartyCall></Response>"
        ));
        let phone = running.call("service").await;
        phone.joined(&running, members).await;
        phone
    };
    let (relaying, silent) = (joining(true, 1).await, joining(false, 2).await);
    silent.press('1').await;
    relaying.press('2').await;
    relaying.press('3').await;
    eventually("the digits arrive", async || silent.digits() == "23").await;
    assert_eq!(relaying.digits(), "");
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_are_heard_one_after_the_other_and_the_call_ends() {
    let application = Application::start().await;
    application.answer("<Response><Speak>Goodbye.</Speak><Play>/tone.wav</Play></Response>");
    let running = answered_by(&application).await;
    let phone = running.call("service").await;
    let heard = phone.listen_to_the_end().await;
    let frames = |tone: bool| heard.chunks(160).filter(|frame| phone::has_tone(frame) == tone).count();
    assert!((45..=55).contains(&frames(true)), "one second of tone: {} frames", frames(true));
    let first_tone = heard.chunks(160).position(phone::has_tone).unwrap();
    let spoken = heard[..first_tone * 160].iter().filter(|sample| sample.unsigned_abs() > 500).count();
    assert!(spoken > 1000, "speech before the tone: {spoken} loud samples");
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_misbehaves_costs_only_its_own_call() {
    let application = Application::start().await;
    let running = answered_by(&application).await;
    for (path, what) in [
        ("/loop", "redirects for ever"),
        ("/huge", "10 MB"),
        ("/junk", "no XML"),
        ("/missing", "404"),
        ("/bomb", "entities"),
    ] {
        application.answer_with(path);
        let refused = running.call("service").await;
        assert_eq!(refused.ended().await, CallEnd::Failed { status: 480, reason: None }, "{what}");
    }
    application.answer("<Response><MultiPartyCall role='agent'>room</MultiPartyCall></Response>");
    let fine = running.call("service").await;
    fine.joined(&running, 1).await;
    fine.hang_up().await;
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_url_answers_when_the_first_does_not() {
    let application = Application::start().await;
    application.answer("<Response><MultiPartyCall role='agent'>room</MultiPartyCall></Response>");
    let running = Running::start(&[
        ("MIXMINUS__APPLICATION__ANSWER_URL", &application.url("/missing")),
        ("MIXMINUS__APPLICATION__FALLBACK_URL", &application.url("/answer")),
    ])
    .await;
    let phone = running.call("service").await;
    phone.joined(&running, 1).await;
    phone.hang_up().await;
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_asked_as_often_as_its_fragment_says() {
    let application = Application::start().await;
    application.answer("<Response><MultiPartyCall role='agent'>room</MultiPartyCall></Response>");
    let url = application.url("/first");
    let running = Running::start(&[("MIXMINUS__APPLICATION__ANSWER_URL", &url)]).await;
    application.fail(3);
    let refused = running.call("service").await;
    assert_eq!(
        refused.ended().await,
        CallEnd::Failed { status: 480, reason: None },
        "three tries, all in vain"
    );
    application.fail(2);
    let phone = running.call("service").await;
    phone.joined(&running, 1).await;
    phone.hang_up().await;
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_calls_are_taken_in_a_second_than_may_be() {
    let running = Running::start(&[("MIXMINUS__LIMITS__MAX_ARRIVALS_PER_S", "1")]).await;
    // However slow the machine is, not each of them comes a second after the one before.
    let calls = futures::future::join_all((0..8).map(|_| running.call("service"))).await;
    let (first_end, ..) = futures::future::select_all(calls.iter().map(|call| Box::pin(call.ended()))).await;
    assert_eq!(first_end, CallEnd::Failed { status: 503, reason: None });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let later = running.call("room").await;
    later.joined_as(&running, "room", 1).await;
    for phone in calls {
        phone.hang_up().await;
    }
    later.hang_up().await;
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_participants_beyond_the_limits_are_refused() {
    let running =
        Running::start(&[("MIXMINUS__LIMITS__MAX_CALLS", "3"), ("MIXMINUS__LIMITS__MAX_PARTICIPANTS", "2")])
            .await;
    let (a, b) = (running.call("small").await, running.call("small").await);
    b.joined_as(&running, "small", 2).await;
    let third = running.call("small").await;
    assert_eq!(
        third.ended().await,
        CallEnd::Failed { status: 480, reason: None },
        "full, and nothing else to do"
    );
    let other = running.call("other").await;
    other.joined_as(&running, "other", 1).await;
    let fourth = running.call("other").await;
    assert_eq!(fourth.ended().await, CallEnd::Failed { status: 503, reason: None });
    for phone in [a, b, other] {
        phone.hang_up().await;
    }
    running.service.drain().await;
}

/// Asks until `condition` holds, five seconds at most.
async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    for _ in 0..250 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}
