//! What somebody on the network may try against calls of others. `docs/sip-attacks.md` has them all.

use std::time::Duration;

use mixminus_sip::{IncomingCall, UserAgent, UserAgentConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::common::{PATIENCE, Peer, SDP, agent, config, next, status, to_line};

/// Time in which what must not come would have come.
const QUIET: Duration = Duration::from_millis(200);

/// An agent of which only 127.0.0.1 is known, somebody there, and somebody who is elsewhere.
async fn watched() -> (UserAgent, mpsc::Receiver<IncomingCall>, Peer, Peer) {
    let allow = vec!["127.0.0.1/32".parse().unwrap()];
    let config = UserAgentConfig { allow, ..config(&["udp:127.0.0.1:0"]) };
    let (agent, calls) = UserAgent::start(config).await.unwrap();
    let peer = Peer::new(&agent).await;
    let elsewhere = Peer { socket: socket("127.0.0.2:0").await, server: peer.server };
    (agent, calls, peer, elsewhere)
}

#[expect(clippy::disallowed_methods, reason = "the test is the far end")]
async fn socket(address: &str) -> UdpSocket {
    UdpSocket::bind(address).await.unwrap()
}

#[tokio::test]
async fn who_knows_all_of_a_call_but_is_elsewhere_does_nothing_to_it() {
    let (_agent, mut calls, peer, elsewhere) = watched().await;
    peer.send(&peer.invite(1)).await;
    let mut call = next(&mut calls).await;
    elsewhere.send(&peer.request("CANCEL", 1, "", "").replace("z9hG4bKCANCEL1", "z9hG4bKINVITE1")).await;
    assert!(matches!(status(&elsewhere.receive().await), "403" | "481"));
    call.control.answer(SDP.into());
    let to = to_line(&peer.expect("SIP/2.0 200").await);
    peer.send(&peer.request("ACK", 1, &to, "")).await;
    let offer = format!("{to}Content-Type: application/sdp\r\n");
    for (method, extra, body) in [("INVITE", &offer, SDP), ("INFO", &to, ""), ("BYE", &to, "")] {
        elsewhere.send(&peer.request(method, 2, extra, body)).await;
        assert_eq!(status(&elsewhere.receive().await), "403", "{method}");
    }
    assert_eq!(timeout(QUIET, call.events.recv()).await.ok(), None);
    peer.send(&peer.request("BYE", 3, &to, "")).await;
    peer.expect("SIP/2.0 200").await;
}

#[tokio::test]
async fn answers_go_where_a_request_came_from_whatever_it_says() {
    let (agent, _calls) = agent(&["udp:127.0.0.1:0"]).await;
    let peer = Peer::new(&agent).await;
    let victim = Peer { socket: socket("127.0.0.9:0").await, server: peer.server };
    let named = victim.socket.local_addr().unwrap();
    for method in ["INVITE", "OPTIONS", "REGISTER", "SUBSCRIBE"] {
        let request = peer.request(method, 1, "", "");
        let local = peer.socket.local_addr().unwrap();
        let spoofed = request.replace(&format!("UDP {local};rport"), &format!("UDP {named};rport"));
        let named = format!("Via: SIP/2.0/UDP {named};");
        assert!(spoofed.contains(&named) && spoofed.contains(";rport"));
        peer.send(&spoofed).await;
        assert!(peer.receive().await.contains(&named), "{method}");
    }
    assert_eq!(victim.receive_within(QUIET).await, None);
}

#[tokio::test]
async fn no_header_of_a_call_makes_another_one() {
    let (agent, mut calls) = agent(&["udp:127.0.0.1:0"]).await;
    let peer = Peer::new(&agent).await;
    let elsewhere = Peer { socket: socket("127.0.0.9:0").await, server: peer.server };
    let far = elsewhere.socket.local_addr().unwrap();
    let named = format!(
        "Route: <sip:{far};lr>\r\nDiversion: <sip:+19005550100@{far}>\r\nrefer-to: <sip:+19005550100@{far}>\r\n\
         Referred-By: <sip:al@{far}>\r\nContent-Type: application/sdp\r\n"
    );
    peer.send(&peer.request("INVITE", 1, &named, SDP)).await;
    next(&mut calls).await.control.refuse(486, None);
    peer.expect("SIP/2.0 486").await;
    assert_eq!(elsewhere.receive_within(QUIET).await, None);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test is a server of certificates")]
async fn an_identity_that_is_nonsense_is_passed_over_and_its_certificate_not_fetched() {
    let (agent, mut calls) = agent(&["udp:127.0.0.1:0"]).await;
    let peer = Peer::new(&agent).await;
    let certificates = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = certificates.local_addr().unwrap();
    let identities = [
        format!("e30.e30.AA;info=<http://{at}/a.pem>;alg=ES256;ppt=shaken"),
        format!("e30..;info=<http://{at}/a.pem>alg=ES256"),
        "e30;info=<;alg".into(),
        ";;;;".into(),
        "A".repeat(3000),
    ];
    for (number, identity) in identities.iter().enumerate() {
        let extra = format!("Identity: {identity}\r\nContent-Type: application/sdp\r\n");
        let invite = peer.request("INVITE", 1, &extra, SDP).replace("c1@test", &format!("c{number}@test"));
        peer.send(&invite.replace("z9hG4bK", &format!("z9hG4bK{number}"))).await;
        let call = next(&mut calls).await;
        call.control.refuse(486, None);
        peer.expect("SIP/2.0 486").await;
    }
    assert!(timeout(QUIET, certificates.accept()).await.is_err());
}

#[tokio::test]
async fn enormous_messages_are_refused_and_ten_thousand_headers_are_read() {
    let (agent, _calls) = agent(&["tcp:127.0.0.1:0"]).await;
    let peer = Peer::new(&agent).await;
    let ask = async |extra: &str| {
        let mut stream = TcpStream::connect(peer.server).await.unwrap();
        let request = peer.request("OPTIONS", 1, extra, "").replace("SIP/2.0/UDP", "SIP/2.0/TCP");
        stream.write_all(request.as_bytes()).await.ok();
        let mut answer = vec![0; 64];
        let length = timeout(PATIENCE, stream.read(&mut answer)).await.expect("in time").unwrap_or(0);
        String::from_utf8(answer[..length].to_vec()).unwrap()
    };
    assert!(ask(&"A:\r\n".repeat(10_000)).await.starts_with("SIP/2.0 200"));
    assert!(ask(&format!("X-Folded: a\r\n{}", " a\r\n".repeat(10_000))).await.starts_with("SIP/2.0 200"));
    assert!(ask(&format!("X-Long: {}\r\n", "a".repeat(60_000))).await.starts_with("SIP/2.0 200"));
    assert!(ask(&format!("X-Longer: {}\r\n", "a".repeat(66_000))).await.starts_with("SIP/2.0 513"));
    assert!(ask("Content-Length: 1\r\n").await.starts_with("SIP/2.0 400"));
    assert!(ask("").await.starts_with("SIP/2.0 200"));
}

/// RFC 5118, sections 4.1, 4.3 to 4.6 and 4.10, as far as they are for a UAS.
#[tokio::test]
async fn ipv6_addresses_are_read_as_their_torture_tests_ask() {
    let (agent, _calls) = agent(&["udp:127.0.0.1:0"]).await;
    let peer = Peer::new(&agent).await;
    let (local, server) = (peer.socket.local_addr().unwrap(), peer.server);
    let to_uri = |uri: &str| peer.request("OPTIONS", 1, "", "").replace(&format!("sip:bob@{server}"), uri);
    let via = |sent_by: &str| {
        peer.request("OPTIONS", 1, "", "").replace(&format!("UDP {local};"), &format!("UDP {sent_by};"))
    };
    let cases = [
        ("4.1", to_uri("sip:user@[2001:db8::10]"), "200"),
        ("4.3", to_uri("sip:[2001:db8::10:5070]"), "200"),
        ("4.4", to_uri("sip:[2001:db8::10]:5070"), "200"),
        ("4.5", via("[2001:db8::9:1];received=[2001:db8::9:255]"), "200"),
        ("4.5", via("[2001:db8::9:1];received=2001:db8::9:255"), "200"),
        ("4.6", via("[2001:db8::9:1:5060]"), "200"),
        ("4.10", to_uri("sip:user@[::ffff:192.0.2.10]:19823"), "200"),
    ];
    for (number, (section, request, expected)) in cases.into_iter().enumerate() {
        peer.send(&request.replace("z9hG4bK", &format!("z9hG4bK{number}"))).await;
        let answer = peer.receive().await;
        assert_eq!(status(&answer), expected, "{section}: {request}");
    }
}
