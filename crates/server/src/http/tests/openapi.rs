//! The document of the API, and the page to try it.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;

use mixminus_control::PlayKind;
use mixminus_plivo::rest::MpcSegment;
use sha2::{Digest, Sha256};

use super::*;
use crate::http::route::{RecordingPart, Taping};

const ACCOUNT: &str = "/v1/Account/{auth_id}/";

async fn open(api: &Api, path: &str) -> Answer {
    api.request(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn document(api: &Api) -> Value {
    open(api, "/openapi.json").await.json()
}

/// The resource after `resource`: a new one does not compile before it has a place here.
fn after(resource: &Resource) -> Option<Resource> {
    use Kind::{Application, Callback, Endpoint, Recording, Subaccount};
    let (x, mpc) = (|| "x".to_owned(), || MpcSegment::Name("x".into()));
    Some(match resource {
        Resource::Account => Resource::JoinTokens,
        Resource::JoinTokens => Resource::List(Callback),
        Resource::List(kind) => Resource::One(*kind, x()),
        Resource::One(Callback, _) => Resource::List(Subaccount),
        Resource::One(Subaccount, _) => Resource::List(Application),
        Resource::One(Application, _) => Resource::List(Endpoint),
        Resource::One(Endpoint, _) => Resource::List(Recording),
        Resource::One(Recording, _) => Resource::Tracks(x()),
        Resource::Tracks(_) => Resource::Waveform(x()),
        Resource::Waveform(_) => Resource::Transcription(x()),
        Resource::Transcription(_) => Resource::RecordingFile(x(), RecordingPart::Main(x())),
        Resource::RecordingFile(_, RecordingPart::Main(_)) => {
            Resource::RecordingFile(x(), RecordingPart::Track(x()))
        }
        Resource::RecordingFile(_, RecordingPart::Track(_)) => {
            Resource::RecordingFile(x(), RecordingPart::Sidecar)
        }
        Resource::RecordingFile(_, RecordingPart::Sidecar) => Resource::Conferences,
        Resource::Conferences => Resource::Conference(mpc()),
        Resource::Conference(_) => Resource::Participants(mpc()),
        Resource::Participants(_) => Resource::Participant(mpc(), x()),
        Resource::Participant(..) => Resource::Heard(mpc(), x(), PlayKind::File),
        Resource::Heard(_, _, PlayKind::File) => Resource::Heard(mpc(), x(), PlayKind::Speech),
        Resource::Heard(_, _, PlayKind::Speech) => Resource::Calls,
        Resource::Calls => Resource::Call(x()),
        Resource::Call(_) => Resource::CallHears(x(), PlayKind::File),
        Resource::CallHears(_, PlayKind::File) => Resource::CallHears(x(), PlayKind::Speech),
        Resource::CallHears(_, PlayKind::Speech) => Resource::CallDigits(x()),
        Resource::CallDigits(_) => Resource::CallStreams(x()),
        Resource::CallStreams(_) => Resource::CallStream(x(), x()),
        Resource::CallStream(..) => Resource::Request(x()),
        Resource::Request(_) => Resource::Live,
        Resource::Live => Resource::CallRecorded(x()),
        Resource::CallRecorded(_) => Resource::CallTrace(x()),
        Resource::CallTrace(_) => Resource::Recorded(mpc(), None, Taping::Record),
        Resource::Recorded(_, member, taping) => {
            let next = match taping {
                Taping::Record => Taping::Pause,
                Taping::Pause => Taping::Resume,
                Taping::Resume if member.is_none() => {
                    return Some(Resource::Recorded(mpc(), Some(x()), Taping::Record));
                }
                Taping::Resume => return None,
            };
            Resource::Recorded(mpc(), member.clone(), next)
        }
    })
}

/// The path that `template` stands for when everything is called `x`.
fn filled(template: &str) -> String {
    let parts = template.split(['{', '}']).enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { part } else { "x" }).collect()
}

#[tokio::test]
async fn every_route_is_documented_and_nothing_else_is() {
    let document = document(&api().await).await;
    let mut documented = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if path.starts_with(ACCOUNT) {
            let route = Route::parse(&filled(path)).unwrap();
            let methods: BTreeSet<_> =
                item.as_object().unwrap().keys().map(|key| key.to_uppercase()).collect();
            let twice = documented.insert(format!("{:?}", route.resource.expect(path)), methods);
            assert_eq!(twice, None, "{path}");
        }
    }
    let routed: BTreeMap<_, BTreeSet<_>> = successors(Some(Resource::Account), after)
        .map(|resource| (format!("{resource:?}"), resource.methods().iter().map(Method::to_string).collect()))
        .collect();
    assert_eq!(documented, routed);
}

#[tokio::test]
async fn what_is_documented_beside_accounts_is_there_and_named_on_the_front_page() {
    let api = api().await;
    api.phase.send_replace(Phase::Ready);
    let document = document(&api).await;
    let beside: BTreeSet<_> =
        document["paths"].as_object().unwrap().keys().filter(|path| !path.starts_with(ACCOUNT)).collect();
    for path in &beside {
        assert_eq!(open(&api, path).await.status, 200, "{path}");
    }
    let front = open(&api, "/").await.json();
    let named: Vec<_> = front.as_object().unwrap().values().filter_map(Value::as_str).collect();
    for path in beside.iter().filter(|path| **path != "/") {
        assert!(named.contains(&path.as_str()), "{path}");
    }
}

fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str);
            object.values().flat_map(references).chain(own).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_schema_is_referred_to() {
    let document = document(&api().await).await;
    let references: BTreeSet<_> = references(&document).into_iter().collect();
    for reference in &references {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(references.contains(format!("#/components/schemas/{name}").as_str()), "{name}");
    }
}

#[tokio::test]
async fn a_request_and_its_replies_are_described() {
    let document = document(&api().await).await;
    let add = &document["paths"]["/v1/Account/{auth_id}/MultiPartyCall/{mpc}/Participant/"]["post"];
    let statuses: Vec<_> = add["responses"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        statuses,
        ["201", "202", "400", "401", "403", "404", "408", "413", "415", "429", "500", "503"]
    );
    let schemas = &document["components"]["schemas"];
    let body = &schemas["addParticipant.body"];
    assert_eq!(body["required"], serde_json::json!(["role"]));
    let ways = serde_json::json!([{"required": ["from", "to"]}, {"required": ["call_uuid"]}]);
    assert_eq!(body["anyOf"], ways);
    assert_eq!(body["properties"]["role"]["enum"][1], "agent");
    let forms = &add["requestBody"]["content"];
    assert_eq!(forms["application/json"], forms["application/x-www-form-urlencoded"]);
    let conference = &schemas["MpcObject"];
    assert_eq!(conference["required"].as_array().unwrap().len(), 16);
    assert_eq!(conference["properties"]["end_time"]["oneOf"][1]["type"], "null");
}

#[tokio::test]
async fn the_page_runs_its_own_script_and_nothing_else() {
    let page = open(&api().await, "/docs").await;
    let between = |from: &str, to: &str| {
        let (_, rest) = page.text.split_once(from).unwrap();
        rest.split_once(to).unwrap().0.to_owned()
    };
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    for (kind, text) in
        [("script-src", between("<script>", "</script>")), ("style-src", between("<style>", "</style>"))]
    {
        let hash = STANDARD.encode(Sha256::digest(text.as_bytes()));
        assert!(policy.contains(&format!("{kind} 'sha256-{hash}';")), "{policy}");
    }
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!page.text.contains("://"), "nothing comes from elsewhere");
}
