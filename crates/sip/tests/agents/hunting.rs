//! Calls that are placed at one place after the other, and names that lead to several hosts.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record};
use mixminus_sip::{CallEnd, CallEvent, OutgoingCall, OutgoingCallRequest, UserAgent, UserAgentConfig};
use tokio::net::UdpSocket;

use crate::common::{Peer, SDP, agent, answer_to, config, last, next};

const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

fn swift() -> UserAgentConfig {
    UserAgentConfig {
        round_trip: Duration::from_millis(10),
        ..config(&["udp:127.0.0.1:0", "tcp:127.0.0.1:0"])
    }
}

fn request(target: String) -> OutgoingCallRequest {
    OutgoingCallRequest {
        target,
        from: "sip:alice@caller.example".into(),
        offer: SDP.into(),
        ..OutgoingCallRequest::default()
    }
}

/// A call to the user `bob` at each of the places in turn.
fn hunt(caller: &UserAgent, places: &[SocketAddr]) -> OutgoingCall {
    caller.call_in_turn(places.iter().map(|place| request(format!("sip:bob@{place}"))).collect()).unwrap()
}

fn failed(status: u16) -> CallEvent {
    CallEvent::Ended(CallEnd::Failed { status, reason: None })
}

/// Somebody who may be called and says nothing of itself.
async fn place(caller: &UserAgent) -> (Peer, SocketAddr) {
    let peer = Peer::new(caller).await;
    let address = peer.socket.local_addr().unwrap();
    (peer, address)
}

#[tokio::test]
async fn a_place_that_is_silent_is_passed_over_and_comes_last_for_a_while() {
    let (caller, _) = UserAgent::start(swift()).await.unwrap();
    let (silent, there) = place(&caller).await;
    let (callee, mut calls) = agent(&["udp:127.0.0.1:0"]).await;
    let places = [there, callee.listening()[0].address];
    let mut call = hunt(&caller, &places);
    call.control.trace_as("hunted");
    let incoming = next(&mut calls).await;
    assert_eq!(incoming.user, "bob");
    incoming.control.answer(SDP.into());
    assert!(matches!(next(&mut call.events).await, CallEvent::Answered { .. }));
    let invite = silent.expect("INVITE ").await;
    silent.send(&silent.accept(&invite, "")).await;
    silent.expect("ACK ").await;
    silent.expect("BYE ").await;
    call.control.hang_up();
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
    let trace = caller.trace().of("hunted").unwrap();
    assert!(places.iter().all(|place| trace.messages.iter().any(|one| one.peer == place.to_string())));

    let again = hunt(&caller, &places);
    let incoming = next(&mut calls).await;
    incoming.control.answer(SDP.into());
    let (mut bytes, silence) = ([0; 1500], Duration::from_millis(200));
    while let Ok(Ok(length)) = tokio::time::timeout(silence, silent.socket.recv(&mut bytes)).await {
        assert!(!bytes[..length].starts_with(b"INVITE "), "the place is avoided");
    }
    drop(again);
}

#[tokio::test]
async fn a_place_that_is_out_of_service_is_passed_over() {
    for code in ["500 Oops", "503 Later"] {
        let (caller, _) = agent(&["udp:127.0.0.1:0"]).await;
        let (first, at_first) = place(&caller).await;
        let (second, at_second) = place(&caller).await;
        let mut call = hunt(&caller, &[at_first, at_second]);
        first.send(&answer_to(&first.expect("INVITE ").await, code)).await;
        second.send(&answer_to(&second.expect("INVITE ").await, "486 Busy Here")).await;
        assert_eq!(last(&mut call.events).await, failed(486), "{code}");
    }
}

#[tokio::test]
async fn what_the_callee_says_is_said_for_all_places() {
    for code in ["486 Busy Here", "404 Not Found", "603 Decline", "302 Moved"] {
        let (caller, _) = agent(&["udp:127.0.0.1:0"]).await;
        let (first, at_first) = place(&caller).await;
        let (second, at_second) = place(&caller).await;
        let mut call = hunt(&caller, &[at_first, at_second]);
        first.send(&answer_to(&first.expect("INVITE ").await, code)).await;
        let refused = failed(code[..3].parse().unwrap());
        assert_eq!(last(&mut call.events).await, refused);
        assert!(second.socket.try_recv(&mut [0; 4]).is_err(), "{code}");
    }
    let round_trip = Duration::from_millis(50);
    let (caller, _) = UserAgent::start(UserAgentConfig { round_trip, ..swift() }).await.unwrap();
    let (first, at_first) = place(&caller).await;
    let (_, at_second) = place(&caller).await;
    let mut call = hunt(&caller, &[at_first, at_second]);
    let invite = first.expect("INVITE ").await;
    first.send(&answer_to(&invite, "180 Ringing")).await;
    assert_eq!(next(&mut call.events).await, CallEvent::Ringing);
    tokio::time::sleep(round_trip * 10).await;
    first.send(&answer_to(&invite, "503 Later")).await;
    assert_eq!(last(&mut call.events).await, failed(503), "it rang");
}

#[tokio::test]
async fn a_call_that_is_given_up_goes_nowhere_else() {
    let (caller, _) = agent(&["udp:127.0.0.1:0"]).await;
    let (first, at_first) = place(&caller).await;
    let (second, at_second) = place(&caller).await;
    let mut call = hunt(&caller, &[at_first, at_second]);
    let invite = first.expect("INVITE ").await;
    call.control.hang_up();
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::Canceled));
    first.send(&answer_to(&invite, "180 Ringing")).await;
    first.expect("CANCEL ").await;
    assert!(second.socket.try_recv(&mut [0; 4]).is_err());

    let OutgoingCall { control, events: _events } = hunt(&caller, &[at_second]);
    let unwanted = second.expect("INVITE ").await;
    drop(control);
    second.send(&answer_to(&unwanted, "180 Ringing")).await;
    second.expect("CANCEL ").await;
}

#[tokio::test]
async fn nothing_is_called_if_one_place_cannot_be() {
    let (caller, _) = UserAgent::start(swift()).await.unwrap();
    let (first, at_first) = place(&caller).await;
    let requests = vec![request(format!("sip:bob@{at_first}")), request("sip:bob@\u{e9}".into())];
    assert!(caller.call_in_turn(requests).is_err());
    assert!(caller.call_in_turn(vec![]).is_err());
    assert!(first.socket.try_recv(&mut [0; 4]).is_err());
}

/// A name server that knows `zone`: names, and what they have.
#[expect(clippy::disallowed_methods, reason = "the test is the name server")]
async fn name_server(zone: Vec<(&'static str, RData)>) -> SocketAddr {
    let socket = UdpSocket::bind((HOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut bytes = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
            let question = Message::from_vec(&bytes[..length]).unwrap();
            let asked = question.queries[0].clone();
            let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
            for (name, data) in &zone {
                let name = Name::from_ascii(name).unwrap();
                if name == *asked.name() && data.record_type() == asked.query_type() {
                    answer.add_answer(Record::from_rdata(name, 60, data.clone()));
                }
            }
            answer.add_query(asked);
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    address
}

fn host(priority: u16, port: u16, name: &str) -> RData {
    RData::SRV(SRV::new(priority, 1, port, Name::from_ascii(name).unwrap()))
}

fn at(address: Ipv4Addr) -> RData {
    RData::A(A(address))
}

#[tokio::test]
async fn a_name_leads_to_its_hosts_by_priority() {
    let (callee, mut calls) = agent(&["udp:127.0.0.1:0"]).await;
    let (silent, there) = place(&callee).await;
    let name_server = name_server(vec![
        ("_sip._udp.carrier.test.", host(20, callee.listening()[0].address.port(), "two.carrier.test.")),
        ("_sip._udp.carrier.test.", host(10, there.port(), "one.carrier.test.")),
        ("one.carrier.test.", at(HOST)),
        ("two.carrier.test.", at(HOST)),
    ])
    .await;
    let (caller, _) =
        UserAgent::start(UserAgentConfig { name_server: Some(name_server), ..swift() }).await.unwrap();
    let mut call = caller.call_in_turn(vec![request("sip:+1415@carrier.test".into())]).unwrap();
    let incoming = next(&mut calls).await;
    assert_eq!((incoming.to.as_str(), incoming.user.as_str()), ("sip:+1415@carrier.test", "+1415"));
    let mut bytes = [0; 1500];
    let length = silent.socket.try_recv(&mut bytes).unwrap();
    assert!(bytes[..length].starts_with(b"INVITE "));
    incoming.control.answer(SDP.into());
    assert!(matches!(next(&mut call.events).await, CallEvent::Answered { .. }));
    incoming.control.hang_up();
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
}

#[tokio::test]
async fn a_name_says_by_which_transport_it_is_called() {
    let (callee, mut calls) = agent(&["tcp:127.0.0.1:0"]).await;
    let service = Name::from_ascii("_sip._tcp.other.test.").unwrap();
    let text = |text: &str| text.as_bytes().into();
    let record = NAPTR::new(1, 1, text("s"), text("SIP+D2T"), text(""), service);
    let name_server = name_server(vec![
        ("carrier.test.", RData::NAPTR(record)),
        ("_sip._tcp.other.test.", host(1, callee.listening()[0].address.port(), "sbc.test.")),
        ("sbc.test.", at(HOST)),
    ])
    .await;
    let (caller, _) =
        UserAgent::start(UserAgentConfig { name_server: Some(name_server), ..swift() }).await.unwrap();
    let mut call = caller.call_in_turn(vec![request("sip:bob@carrier.test".into())]).unwrap();
    let incoming = next(&mut calls).await;
    incoming.control.answer(SDP.into());
    assert!(matches!(next(&mut call.events).await, CallEvent::Answered { .. }));
    call.control.hang_up();
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));

    let mut nowhere = caller.call_in_turn(vec![request("sip:bob@unknown.test".into())]).unwrap();
    assert_eq!(last(&mut nowhere.events).await, failed(503));
}
