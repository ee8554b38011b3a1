//! Ways of signalling other than datagrams: by TLS, and by WebSocket on the HTTP port.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use mixminus_server::cert;
use mixminus_sip::{CallEnd, CallEvent, OutgoingCallRequest, UserAgent, UserAgentConfig};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::Running;

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_trusts_the_private_authority_calls_by_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = cert::write(folder.path(), &["127.0.0.1".into()], cert::today()).unwrap();
    let certificate = made.certificate.to_str().unwrap();
    let running = Running::start(&[
        ("MIXMINUS__SIP__LISTEN", "tls:127.0.0.1:0"),
        ("MIXMINUS__SIP__TLS_CERTIFICATE", certificate),
        ("MIXMINUS__SIP__TLS_KEY", made.key.to_str().unwrap()),
        ("MIXMINUS__SIP__TLS_CA", made.authority.to_str().unwrap()),
    ])
    .await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&made.authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trusting =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = UserAgentConfig {
        listen: vec!["tls:127.0.0.1:0".parse().unwrap()],
        tls_server: Some(server(&made)),
        tls_client: Some(Arc::new(trusting.with_root_certificates(roots).with_no_client_auth())),
        ..UserAgentConfig::default()
    };
    let (phone, _) = UserAgent::start(config).await.unwrap();
    let mut call = phone
        .call(OutgoingCallRequest {
            target: format!("sip:room@{};transport=tls", running.sip()),
            from: "sip:alice@127.0.0.1".into(),
            offer: "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n".into(),
            ..OutgoingCallRequest::default()
        })
        .unwrap();
    // A description without audio is refused by who has understood it.
    let end = call.events.recv().await;
    assert!(matches!(end, Some(CallEvent::Ended(CallEnd::Failed { status: 488, .. }))), "{end:?}");
    running.service.drain().await;
}

fn server(made: &cert::Made) -> Arc<rustls::ServerConfig> {
    let files =
        mixminus_server::tls::TlsFiles { certificate: made.certificate.clone(), key: made.key.clone() };
    mixminus_server::tls::Tls::load(files, &[]).unwrap().config()
}

#[tokio::test(flavor = "multi_thread")]
async fn sip_listens_with_tls_only_with_a_certificate() {
    let config = [("MIXMINUS__SIP__LISTEN".into(), "tls:127.0.0.1:0".into())];
    let folder = tempfile::tempdir().unwrap();
    let directory = [
        ("MIXMINUS__DATA_DIR".into(), folder.path().into()),
        ("MIXMINUS__HTTP__LISTEN".into(), "127.0.0.1:0".into()),
    ];
    let config = mixminus_server::config::Config::load(None, config.into_iter().chain(directory)).unwrap();
    let refused = mixminus_server::serve::Service::start(&config).await.err().unwrap().to_string();
    assert_eq!(refused, "sip.tls_certificate, sip.tls_key: accepted: both or, for those of http, neither");
}

fn request(running: &Running, path: &str, headers: &[(&'static str, &str)]) -> Request {
    let address = running.service.http_address();
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_talks_sip_on_the_http_port() {
    let running = Running::start(&[("MIXMINUS__SIP__ORIGINS", "https://app.example.com")]).await;
    let address = running.service.http_address();
    let same = format!("http://{address}");
    let sip = ("sec-websocket-protocol", "sip");
    for path in ["/", "/sip", "/signalling"] {
        for origin in ["https://app.example.com", &same] {
            let stream = TcpStream::connect(address).await.unwrap();
            let asked = request(&running, path, &[sip, ("origin", origin)]);
            let (mut socket, answer) = client_async(asked, stream).await.unwrap();
            assert_eq!(answer.headers()["sec-websocket-protocol"], "sip");
            let options = format!(
                "OPTIONS sip:phone.example SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\n\
                 From: <sip:al@phone.example>;tag=1\r\nTo: <sip:phone.example>\r\nCall-ID: {path}{origin}\r\n\
                 CSeq: 1 OPTIONS\r\n\r\n"
            );
            socket.send(Message::text(options)).await.unwrap();
            let said = loop {
                if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
                    break text;
                }
            };
            assert!(said.starts_with("SIP/2.0 "), "{said}");
            socket.send(Message::text("x".repeat(70_000))).await.unwrap();
            let end = loop {
                match socket.next().await {
                    Some(Ok(Message::Close(frame))) => break frame.unwrap(),
                    Some(Ok(_)) => {}
                    other => panic!("{other:?}"),
                }
            };
            assert_eq!(u16::from(end.code), 1009);
        }
    }
    running.service.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_for_something_else_or_of_a_foreign_page_is_refused() {
    let running = Running::start(&[]).await;
    let address = running.service.http_address();
    let sip = ("sec-websocket-protocol", "sip");
    for (headers, status) in [
        (vec![], 400),
        (vec![("sec-websocket-protocol", "mqtt")], 400),
        (vec![sip, ("origin", "https://evil.example")], 403),
        (vec![sip, ("origin", "null")], 403),
        (vec![sip, ("sec-websocket-version", "8")], 426),
    ] {
        let stream = TcpStream::connect(address).await.unwrap();
        match client_async(request(&running, "/", &headers), stream).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status(), status, "{headers:?}"),
            other => panic!("{headers:?}: {other:?}"),
        }
    }
    running.service.drain().await;
}
