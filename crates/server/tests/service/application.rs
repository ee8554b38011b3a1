//! A customer's web server: answers with XML and takes callbacks.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use mixminus_plivo::Method;
use mixminus_plivo::sign::{self, Nonce, Request, Token};

use crate::eventually;
use crate::phone::TONE_HZ;

type Parameters = BTreeMap<String, String>;

/// One request as it arrived.
struct Received {
    url: String,
    parameters: Parameters,
    signature: String,
    nonce: String,
}

#[derive(Default)]
struct Script {
    xml: String,
    elsewhere: Option<String>,
    /// So many requests fail before one is answered at `/moody`.
    moods: u32,
    asked: Vec<Received>,
    told: Vec<Received>,
}

/// The server; what it does next can be changed at any time.
pub struct Application {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Application {
    #[expect(clippy::disallowed_methods, reason = "an application has a socket")]
    pub async fn start() -> Self {
        let script = Arc::<Mutex<Script>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/answer", post(answer))
            .route("/events", post(take_event))
            .route("/tone.wav", get(tone))
            .route("/first", any(async || redirecting()))
            .route("/moody", post(moody))
            .route("/loop", any(async || Redirect::temporary("/loop")))
            .route("/huge", any(async || "x".repeat(10 << 20)))
            .route("/junk", any(async || "this is no XML"))
            .route("/bomb", any(async || "<!DOCTYPE r [<!ENTITY a 'aaaa'>]><Response>&a;</Response>"))
            .with_state((address, Arc::clone(&script)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, script }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers calls with `xml` from now on.
    pub fn answer(&self, xml: &str) {
        let mut script = self.script.lock().unwrap();
        (script.xml, script.elsewhere) = (xml.to_owned(), None);
    }

    /// Sends whoever asks to `path` from now on.
    pub fn answer_with(&self, path: &str) {
        self.script.lock().unwrap().elsewhere = Some(path.to_owned());
    }

    /// Answers `/moody` with 503 so many times.
    pub fn fail(&self, times: u32) {
        self.script.lock().unwrap().moods = times;
    }

    /// Waits until `count` callbacks have come.
    pub async fn told(&self, count: usize) {
        eventually("all callbacks came", async || self.script.lock().unwrap().told.len() >= count).await;
    }

    /// The callbacks' parameters, in the order in which they came.
    pub fn events(&self) -> Vec<Parameters> {
        self.script.lock().unwrap().told.iter().map(|one| one.parameters.clone()).collect()
    }

    /// Checks the signature of everything that came.
    pub fn assert_signed(&self, token: &str) {
        let script = self.script.lock().unwrap();
        assert!(!script.asked.is_empty() && !script.told.is_empty());
        for received in script.asked.iter().chain(&script.told) {
            let parameters = received.parameters.clone().into_iter().collect();
            let request = Request { url: received.url.clone(), method: Method::Post, parameters };
            assert_eq!(received.signature, sign::v3(&request, Token(token), Nonce(&received.nonce)));
        }
    }
}

type Shared = (SocketAddr, Arc<Mutex<Script>>);

fn received(address: SocketAddr, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Received {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    Received {
        url: format!("http://{address}{uri}"),
        parameters: url::form_urlencoded::parse(body).into_owned().collect(),
        signature: text("X-Plivo-Signature-V3"),
        nonce: text("X-Plivo-Signature-V3-Nonce"),
    }
}

async fn answer(
    State((address, script)): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut script = script.lock().unwrap();
    script.asked.push(received(address, &uri, &headers, &body));
    match &script.elsewhere {
        Some(path) => Redirect::temporary(path).into_response(),
        None => ([(header::CONTENT_TYPE, "application/xml")], script.xml.clone()).into_response(),
    }
}

/// A document that goes on at `/moody`, which may be tried three times.
fn redirecting() -> Response {
    let xml = "<Response><Redirect>/moody#rc=2&amp;rp=5xx</Redirect></Response>";
    ([(header::CONTENT_TYPE, "application/xml")], xml).into_response()
}

async fn moody(state: State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let fails = {
        let mut script = state.0.1.lock().unwrap();
        let fails = script.moods > 0;
        script.moods = script.moods.saturating_sub(1);
        fails
    };
    if fails {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    } else {
        answer(state, uri, headers, body).await
    }
}

async fn take_event(
    State((address, script)): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    script.lock().unwrap().told.push(received(address, &uri, &headers, &body));
    StatusCode::OK
}

/// One second of the tone, as a WAV file with 16-bit samples at 8 kHz.
async fn tone() -> Response {
    let samples = (0..8000)
        .map(|n| (12_000.0 * (f64::from(n) * std::f64::consts::TAU * TONE_HZ / 8000.0).sin()) as i16);
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let size = data.len() as u32;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + size).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8000_u32.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(size.to_le_bytes());
    wav.extend(data);
    ([(header::CONTENT_TYPE, "audio/wav")], wav).into_response()
}
