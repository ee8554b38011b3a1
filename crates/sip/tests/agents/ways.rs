//! Which way requests go, and what they say of it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mixminus_sip::{
    Binding, CallEnd, CallEvent, Flow, OutgoingCallRequest, PeerAddress, Transport, UserAgent,
    UserAgentConfig, WebSocketClient,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::common::{PATIENCE, Peer, SDP, agent, answer_to, failed, last, next, place, status};

/// A request by UDP would be larger than what goes by datagram.
fn large(target: String) -> OutgoingCallRequest {
    OutgoingCallRequest {
        target,
        from: "sip:alice@caller.example".into(),
        offer: format!("{SDP}{}", "a=x-large\r\n".repeat(120)),
        ..OutgoingCallRequest::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "the test is the far end")]
async fn both() -> (TcpListener, UdpSocket, SocketAddr) {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        if let Ok(socket) = UdpSocket::bind(address).await {
            return (listener, socket, address);
        }
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 65_536];
    let length = timeout(PATIENCE, stream.read(&mut bytes)).await.expect("in time").unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

async fn datagram(socket: &UdpSocket) -> (String, SocketAddr) {
    let mut bytes = vec![0; 65_536];
    let (length, from) = timeout(PATIENCE, socket.recv_from(&mut bytes)).await.expect("in time").unwrap();
    (String::from_utf8(bytes[..length].to_vec()).unwrap(), from)
}

async fn told(browser: &mut WebSocketClient) -> String {
    let message = timeout(PATIENCE, browser.outgoing.next()).await.expect("in time");
    String::from_utf8(message.expect("not over")).unwrap()
}

fn via(request: &str) -> &str {
    request.lines().find(|line| line.starts_with("Via:")).unwrap()
}

#[tokio::test]
async fn a_large_request_goes_by_tcp_with_its_transaction() {
    let (listener, _socket, address) = both().await;
    let (caller, _) = agent(&["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]).await;
    let mut call = caller.call(large(format!("sip:bob@{address}"))).unwrap();
    let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let invite = read(&mut stream).await;
    assert!(invite.len() > 1300 && invite.starts_with("INVITE "), "{invite}");
    let ours = format!("Via: SIP/2.0/TCP {};", caller.listening()[1].address);
    assert!(via(&invite).starts_with(&ours), "{}", via(&invite));
    stream
        .write_all(answer_to(&invite, "486 Busy Here").replace("\r\nCall", ";tag=b\r\nCall").as_bytes())
        .await
        .unwrap();
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(486)));
    let ack = read(&mut stream).await;
    assert!(ack.starts_with("ACK ") && via(&ack).starts_with(&ours), "{ack}");

    let mut given_up = caller.call(large(format!("sip:bob@{address}"))).unwrap();
    let invite = read(&mut stream).await;
    stream.write_all(answer_to(&invite, "100 Trying").as_bytes()).await.unwrap();
    given_up.control.hang_up();
    let cancel = read(&mut stream).await;
    assert!(cancel.starts_with("CANCEL "), "{cancel}");
    assert_eq!(via(&cancel), via(&invite));
    assert_eq!(last(&mut given_up.events).await, CallEvent::Ended(CallEnd::Canceled));
}

#[tokio::test]
async fn a_large_request_goes_by_udp_where_tcp_is_refused() {
    let (listener, socket, address) = both().await;
    drop(listener);
    let (caller, _) = agent(&["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]).await;
    let _call = caller.call(large(format!("sip:bob@{address}"))).unwrap();
    let (invite, from) = datagram(&socket).await;
    assert!(invite.len() > 1300 && via(&invite).starts_with(&format!("Via: SIP/2.0/UDP {from};")));
}

#[tokio::test]
async fn calls_go_between_ipv6_addresses() {
    for transport in ["udp", "tcp"] {
        let listen = format!("{transport}:[::1]:0");
        let (callee, mut calls) = agent(&[&listen]).await;
        // The first listener is for another family.
        let (caller, _) = agent(&["udp:127.0.0.1:0", "tcp:127.0.0.1:0", &listen]).await;
        let mut outgoing = place(&caller, &callee, "bob");
        let mut incoming = next(&mut calls).await;
        assert!(incoming.source.is_ipv6());
        incoming.control.answer(SDP.into());
        assert!(matches!(next(&mut outgoing.events).await, CallEvent::Answered { .. }));
        incoming.control.hang_up();
        assert_eq!(last(&mut outgoing.events).await, CallEvent::Ended(CallEnd::HungUp));
        assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::HungUp));
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test is the far end")]
async fn an_ipv6_request_says_and_hears_ipv6() {
    let (caller, _) = agent(&["udp:127.0.0.1:0", "udp:[::1]:0"]).await;
    let socket = UdpSocket::bind("[::1]:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let request = OutgoingCallRequest {
        target: format!("sip:bob@{address}"),
        from: "sip:alice@caller.example".into(),
        ..OutgoingCallRequest::default()
    };
    let _call = caller.call(request).unwrap();
    let (invite, from) = datagram(&socket).await;
    assert!(via(&invite).starts_with(&format!("Via: SIP/2.0/UDP {from};")), "{invite}");
    assert!(invite.contains(&format!("Contact: <sip:{from}>\r\n")), "{invite}");

    // Its Via lies about where it comes from (RFC 3581).
    let options = format!(
        "OPTIONS sip:bob@{from} SIP/2.0\r\nVia: SIP/2.0/UDP [2001:db8::9]:9;rport;branch=z9hG4bK6\r\n\
         From: <sip:al@[2001:db8::9]>;tag=1\r\nTo: <sip:bob@{from}>\r\nCall-ID: 6@x\r\nCSeq: 1 OPTIONS\r\n\r\n"
    );
    socket.send_to(options.as_bytes(), from).await.unwrap();
    let mut response = datagram(&socket).await.0;
    while response.starts_with("INVITE") {
        response = datagram(&socket).await.0;
    }
    assert_eq!(status(&response), "200");
    assert!(response.contains("received=::1;"), "{response}");
    assert!(response.contains(&format!("rport={}", address.port())), "{response}");
}

#[tokio::test]
async fn peers_are_told_the_advertised_address() {
    let (_listener, socket, address) = both().await;
    let (caller, _) = agent(&["udp:127.0.0.1:0=192.0.2.7:5070"]).await;
    let request = OutgoingCallRequest {
        target: format!("sip:bob@{address}"),
        from: "sip:alice@caller.example".into(),
        ..OutgoingCallRequest::default()
    };
    let _call = caller.call(request).unwrap();
    let (invite, from) = datagram(&socket).await;
    assert_eq!(from, caller.listening()[0].address);
    assert!(via(&invite).starts_with("Via: SIP/2.0/UDP 192.0.2.7:5070;"), "{invite}");
    assert!(invite.contains("Contact: <sip:192.0.2.7:5070>\r\n"), "{invite}");
}

/// A contact that was registered from `peer`.
#[expect(clippy::disallowed_methods, reason = "a registration ends in an hour of real time")]
fn binding(contact: &str, peer: PeerAddress) -> Binding {
    Binding {
        contact: contact.into(),
        preference: 1_000,
        path: Vec::new(),
        flow: Flow::to(peer),
        user_agent: String::new(),
        instance: None,
        call_id: "registration".into(),
        sequence: 1,
        expires_at: Instant::now() + Duration::from_hours(1),
    }
}

#[tokio::test]
async fn a_websocket_carries_calls_either_way() {
    let (agent, mut calls) = agent(&["udp:127.0.0.1:0"]).await;
    let peer = PeerAddress { transport: Transport::Wss, address: ([127, 0, 0, 1], 4000).into() };
    let mut browser = agent.accept_websocket(peer.transport, peer.address).await.unwrap();
    assert!(agent.is_connected(peer));
    let invite = "INVITE sip:bob@phone.example SIP/2.0\r\nVia: SIP/2.0/WSS x.invalid;branch=z9hG4bK1\r\n\
        From: <sip:al@x.invalid>;tag=1\r\nTo: <sip:bob@phone.example>\r\nCall-ID: 1@x\r\nCSeq: 1 INVITE\r\n\
        Contact: <sip:abc@x.invalid;transport=ws>\r\nMax-Forwards: 70\r\n\r\n";
    browser.incoming.take(invite.into()).await.unwrap();
    let call = next(&mut calls).await;
    assert_eq!((call.source, call.user.as_str()), (peer.address, "bob"));
    assert!(!browser.incoming.is_used());
    call.control.answer(SDP.into());
    let mut answer = told(&mut browser).await;
    while answer.contains(" 100 ") {
        answer = told(&mut browser).await;
    }
    assert_eq!(status(&answer), "200");
    assert!(answer.contains(";transport=WS>\r\n"), "{answer}");
    assert!(browser.incoming.is_used());

    let request = OutgoingCallRequest {
        from: "sip:alice@caller.example".into(),
        binding: Some(binding("sip:abc@x.invalid;transport=ws", peer)),
        ..OutgoingCallRequest::default()
    };
    let mut outgoing = agent.call(request.clone()).unwrap();
    let mut invite = told(&mut browser).await;
    while invite.starts_with("SIP/2.0") {
        invite = told(&mut browser).await;
    }
    assert!(invite.starts_with("INVITE sip:abc@x.invalid;transport=WS SIP/2.0\r\n"), "{invite}");
    assert!(via(&invite).starts_with("Via: SIP/2.0/WSS ") && !invite.contains("Route:"), "{invite}");
    browser.incoming.take(answer_to(&invite, "486 Busy Here").into()).await.unwrap();
    assert_eq!(last(&mut outgoing.events).await, CallEvent::Ended(failed(486)));

    browser.incoming.take(b"\r\n\r\n".to_vec()).await.unwrap();
    while told(&mut browser).await != "\r\n" {}
    drop(browser);
    assert!(!agent.is_connected(peer));
    let mut nobody = agent.call(request).unwrap();
    assert_eq!(last(&mut nobody.events).await, CallEvent::Ended(failed(503)));
}

#[tokio::test]
async fn a_stranger_is_answered_once_and_briefly() {
    let listen = vec!["udp:127.0.0.1:0".parse().unwrap()];
    let (allow, round_trip) = (vec!["192.0.2.0/24".parse().unwrap()], Duration::from_millis(10));
    let config = UserAgentConfig { listen, allow, round_trip, ..UserAgentConfig::default() };
    let (agent, _calls) = UserAgent::start(config).await.unwrap();
    let peer = Peer::new(&agent).await;
    for method in ["INVITE", "REGISTER", "SUBSCRIBE", "REFER", "OPTIONS"] {
        let request = peer.request(method, 1, "", "");
        peer.send(&request).await;
        let answer = peer.receive().await;
        assert_eq!(status(&answer), "403", "{method}");
        assert!(answer.len() <= request.len(), "{method}: {} for {} bytes", answer.len(), request.len());
    }
    assert_eq!(peer.receive_within(Duration::from_millis(200)).await, None);
}

#[tokio::test]
async fn a_websocket_ends_with_the_agent() {
    let (agent, _calls) = agent(&["udp:127.0.0.1:0"]).await;
    let mut browser = agent.accept_websocket(Transport::Ws, ([127, 0, 0, 1], 4000).into()).await.unwrap();
    agent.stop().await;
    assert_eq!(timeout(PATIENCE, browser.outgoing.next()).await.unwrap(), None);
    assert!(browser.incoming.take(b"\r\n\r\n".to_vec()).await.is_err());
}
