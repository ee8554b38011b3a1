//! Calls over TLS.

use std::sync::Arc;

use mixminus_sip::{CallEnd, CallEvent, OutgoingCallRequest, UserAgent, UserAgentConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::common::{SDP, agent, config, failed, last, next, target};

const TLS: &str = "tls:127.0.0.1:0";

/// Who vouches for servers.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// What a server called `name` shows.
    pub fn server(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let chain = vec![certificate.der().clone()];
        Arc::new(builder.unwrap().with_no_client_auth().with_single_cert(chain, key.into()).unwrap())
    }

    /// What those believe who believe nobody else.
    pub fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        Arc::new(builder.unwrap().with_root_certificates(roots).with_no_client_auth())
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn secure(shows: &Authority, name: &str, believes: &Authority) -> UserAgentConfig {
    UserAgentConfig {
        tls_server: Some(shows.server(name)),
        tls_client: Some(believes.client()),
        ..config(&[TLS])
    }
}

#[tokio::test]
async fn a_call_over_tls_is_set_up_and_hung_up_from_either_side() {
    let authority = Authority::new();
    for callee_hangs_up in [true, false] {
        let (callee, mut calls) =
            UserAgent::start(secure(&authority, "127.0.0.1", &authority)).await.unwrap();
        let (caller, _) = UserAgent::start(secure(&authority, "127.0.0.1", &authority)).await.unwrap();
        let mut outgoing = crate::common::place(&caller, &callee, "bob");
        let mut incoming = next(&mut calls).await;
        incoming.control.answer(SDP.into());
        assert!(matches!(next(&mut outgoing.events).await, CallEvent::Answered { .. }));
        let (quitter, other) = if callee_hangs_up {
            (&incoming.control, &mut outgoing.events)
        } else {
            (&outgoing.control, &mut incoming.events)
        };
        quitter.hang_up();
        assert_eq!(last(other).await, CallEvent::Ended(CallEnd::HungUp));
    }
}

#[tokio::test]
async fn a_sips_uri_is_called_over_tls() {
    let authority = Authority::new();
    let (callee, mut calls) = UserAgent::start(secure(&authority, "127.0.0.1", &authority)).await.unwrap();
    let (caller, _) = UserAgent::start(secure(&authority, "127.0.0.1", &authority)).await.unwrap();
    let address = callee.listening()[0].address;
    let _outgoing = caller
        .call(OutgoingCallRequest {
            target: format!("sips:bob@{address}"),
            from: "sips:alice@caller.example".into(),
            ..OutgoingCallRequest::default()
        })
        .unwrap();
    assert_eq!(next(&mut calls).await.to, "sips:bob@127.0.0.1");
}

#[tokio::test]
async fn nobody_is_called_whose_certificate_is_not_believed() {
    let (ours, other) = (Authority::new(), Authority::new());
    for (shows, name) in [(&other, "127.0.0.1"), (&ours, "127.0.0.2"), (&ours, "pbx.example")] {
        let (callee, mut calls) = UserAgent::start(secure(shows, name, &ours)).await.unwrap();
        let (caller, _) = UserAgent::start(secure(&ours, "127.0.0.1", &ours)).await.unwrap();
        let mut outgoing = crate::common::place(&caller, &callee, "bob");
        assert_eq!(last(&mut outgoing.events).await, CallEvent::Ended(failed(503)), "{name}");
        assert!(calls.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_route_is_believed_by_its_certificate() {
    let authority = Authority::new();
    let (callee, mut calls) = UserAgent::start(secure(&authority, "127.0.0.1", &authority)).await.unwrap();
    let (caller, _) = UserAgent::start(secure(&authority, "127.0.0.1", &authority)).await.unwrap();
    let _outgoing = caller
        .call(OutgoingCallRequest {
            target: "sip:bob@far.example".into(),
            from: "sip:alice@caller.example".into(),
            route: Some(target("proxy", callee.listening()[0])),
            ..OutgoingCallRequest::default()
        })
        .unwrap();
    assert_eq!(next(&mut calls).await.to, "sip:bob@far.example");
}

#[tokio::test]
async fn a_route_that_is_not_believed_is_not_taken() {
    let (ours, other) = (Authority::new(), Authority::new());
    let (callee, _calls) = UserAgent::start(secure(&other, "127.0.0.1", &ours)).await.unwrap();
    let (caller, _) = UserAgent::start(secure(&ours, "127.0.0.1", &ours)).await.unwrap();
    let mut outgoing = caller
        .call(OutgoingCallRequest {
            target: "sip:bob@far.example".into(),
            from: "sip:alice@caller.example".into(),
            route: Some(target("proxy", callee.listening()[0])),
            ..OutgoingCallRequest::default()
        })
        .unwrap();
    assert_eq!(last(&mut outgoing.events).await, CallEvent::Ended(failed(503)));
    crate::common::forgotten(&caller).await;
}

#[tokio::test]
async fn who_believes_nobody_calls_nobody_over_tls() {
    let authority = Authority::new();
    let (callee, _calls) = UserAgent::start(secure(&authority, "127.0.0.1", &authority)).await.unwrap();
    let unbelieving = UserAgentConfig { tls_client: None, ..secure(&authority, "127.0.0.1", &authority) };
    let (caller, _) = UserAgent::start(unbelieving).await.unwrap();
    let mut outgoing = crate::common::place(&caller, &callee, "bob");
    assert_eq!(last(&mut outgoing.events).await, CallEvent::Ended(failed(503)));
    let (udp, _) = agent(&["udp:127.0.0.1:0"]).await;
    let request = OutgoingCallRequest {
        target: target("bob", callee.listening()[0]),
        from: "sip:alice@caller.example".into(),
        ..OutgoingCallRequest::default()
    };
    assert_eq!(
        udp.call(request).unwrap_err().to_string(),
        "cannot call over TLS: there is no listener for it"
    );
}

#[tokio::test]
async fn a_tls_listener_needs_a_certificate() {
    let refused = UserAgent::start(config(&["tls:127.0.0.1:5061"])).await.unwrap_err().to_string();
    assert_eq!(refused, "cannot listen on tls:127.0.0.1:5061 without a certificate");
}
