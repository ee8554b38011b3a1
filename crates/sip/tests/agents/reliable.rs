//! Provisional responses that are confirmed (RFC 3262), and UPDATE before the answer (RFC 3311).

use std::time::Duration;

use crate::common::{Peer, SDP, agent, answer_to, config, failed, last, next, place, status, tag, to_line};
use mixminus_sip::{CallEvent, IncomingCall, OutgoingCallRequest, UserAgent, UserAgentConfig};
use tokio::sync::mpsc;

const UDP: &str = "udp:127.0.0.1:0";
const SDP_TYPE: &str = "Content-Type: application/sdp\r\n";
const REQUIRED: &str = "Require: 100rel\r\n";

async fn impatient() -> (UserAgent, mpsc::Receiver<IncomingCall>, Peer) {
    let config = UserAgentConfig { round_trip: Duration::from_millis(10), ..config(&[UDP]) };
    let (agent, calls) = UserAgent::start(config).await.unwrap();
    let peer = Peer::new(&agent).await;
    (agent, calls, peer)
}

/// The PRACK of a provisional response.
fn prack(peer: &Peer, response: &str, cseq: u32) -> String {
    let number = header(response, "RSeq: ");
    let extra = format!("{}RAck: {number} 1 INVITE\r\n", to_line(response));
    peer.request("PRACK", cseq, &extra, "")
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}

#[tokio::test]
async fn a_caller_that_requires_it_confirms_what_it_is_told() {
    let (_agent, mut calls, peer) = impatient().await;
    peer.send(&peer.request("INVITE", 1, &format!("{SDP_TYPE}{REQUIRED}"), SDP)).await;
    let call = next(&mut calls).await;
    call.control.ring();
    let ringing = peer.expect("SIP/2.0 180").await;
    assert!(ringing.contains(REQUIRED));
    assert_eq!(peer.expect("SIP/2.0 180").await, ringing, "sent until it is confirmed");
    call.control.progress(SDP.into());
    peer.send(&prack(&peer, &ringing, 2)).await;
    let early = peer.expect("SIP/2.0 183").await;
    let number = |response: &str| header(response, "RSeq: ").parse::<u32>().unwrap();
    assert_eq!(number(&early), number(&ringing) + 1);
    assert!(early.ends_with(SDP));
    call.control.answer(SDP.into());
    peer.expect("SIP/2.0 183").await;
    assert_eq!(status(&ask(&peer, &prack(&peer, &ringing, 3)).await), "481", "that was confirmed before");
    let confirmation = prack(&peer, &early, 4);
    peer.send(&confirmation).await;
    assert!(peer.expect("SIP/2.0 200").await.contains("CSeq: 4 PRACK\r\n"));
    let ok = peer.expect("SIP/2.0 200").await;
    assert!(ok.contains("CSeq: 1 INVITE\r\n") && ok.ends_with(SDP));
    peer.send(&peer.request("ACK", 1, &to_line(&ok), "")).await;
}

/// The answer to a request, past what is sent again and again.
async fn ask(peer: &Peer, request: &str) -> String {
    peer.send(request).await;
    let cseq = format!("CSeq: {}\r\n", header(request, "CSeq: "));
    loop {
        let response = peer.receive().await;
        if response.contains(&cseq) {
            return response;
        }
    }
}

#[tokio::test]
async fn a_caller_that_can_confirms_descriptions_only() {
    let (_agent, mut calls, peer) = impatient().await;
    peer.send(&peer.request("INVITE", 1, &format!("{SDP_TYPE}Supported: 100rel\r\n"), SDP)).await;
    let call = next(&mut calls).await;
    call.control.ring();
    assert!(!peer.expect("SIP/2.0 180").await.contains("RSeq"));
    call.control.progress(SDP.into());
    let early = peer.expect("SIP/2.0 183").await;
    assert!(early.contains(REQUIRED));
    let confirmation = prack(&peer, &early, 2);
    assert_eq!(status(&ask(&peer, &confirmation).await), "200");
    assert_eq!(status(&ask(&peer, &confirmation).await), "200", "our answer was lost");
}

#[tokio::test]
async fn a_caller_that_never_confirms_is_refused() {
    let (_agent, mut calls, peer) = impatient().await;
    peer.send(&peer.request("INVITE", 1, &format!("{SDP_TYPE}{REQUIRED}"), SDP)).await;
    let mut call = next(&mut calls).await;
    call.control.progress(SDP.into());
    call.control.answer(SDP.into());
    let mut sent = 0;
    while peer.receive().await.starts_with("SIP/2.0 1") {
        sent += 1;
    }
    assert!((7..=8).contains(&sent), "100, and 183 after 0, 1, 3, 7, 15, 31 and 63 times T1: {sent}");
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(504)));
}

#[tokio::test]
async fn a_caller_without_an_offer_is_not_told_what_it_would_have_to_confirm() {
    let (_agent, mut calls, peer) = impatient().await;
    peer.send(&peer.request("INVITE", 1, REQUIRED, "")).await;
    let call = next(&mut calls).await;
    call.control.ring();
    call.control.answer(SDP.into());
    peer.expect("SIP/2.0 100").await;
    assert_eq!(status(&peer.receive().await), "200");
}

#[tokio::test]
async fn a_confirmed_session_can_be_changed_before_the_answer() {
    let (_agent, mut calls, peer) = impatient().await;
    peer.send(&peer.request("INVITE", 1, &format!("{SDP_TYPE}{REQUIRED}"), SDP)).await;
    let mut call = next(&mut calls).await;
    call.control.progress(SDP.into());
    let early = peer.expect("SIP/2.0 183").await;
    let headers = format!("{}{SDP_TYPE}", to_line(&early));
    let offer = format!("{SDP}i=other\r\n");
    let too_early = ask(&peer, &peer.request("UPDATE", 2, &headers, &offer)).await;
    assert_eq!((status(&too_early), header(&too_early, "Retry-After: ")), ("500", "1"));
    assert_eq!(status(&ask(&peer, &prack(&peer, &early, 3)).await), "200");
    peer.send(&peer.request("UPDATE", 4, &headers, &offer)).await;
    assert_eq!(next(&mut call.events).await, CallEvent::Offer { sdp: Some(offer) });
    call.control.accept_offer(format!("{SDP}i=new\r\n"));
    assert!(peer.expect("SIP/2.0 200").await.ends_with("i=new\r\n"));
    call.control.answer(SDP.into());
    let ok = peer.expect("SIP/2.0 200").await;
    assert!(ok.contains("CSeq: 1 INVITE\r\n") && ok.contains("Content-Length: 0\r\n"), "{ok}");
}

/// A response to our INVITE by one branch of the call, with a number and a description.
fn told(peer: &Peer, invite: &str, (branch, number): (&str, u32), sdp: &str) -> String {
    let local = peer.socket.local_addr().unwrap();
    let headers = format!(
        "Require: 100rel\r\nRSeq: {number}\r\nContact: <sip:{branch}@{local}>\r\n\
         Record-Route: <sip:far@{local};lr>, <sip:near@{local};lr>\r\n{SDP_TYPE}Content-Length: {}",
        sdp.len()
    );
    tag(&answer_to(invite, "183 Session Progress"), branch).replace("Content-Length: 0", &headers) + sdp
}

#[tokio::test]
async fn every_branch_of_a_call_is_confirmed_on_its_own_way() {
    let (agent, _calls) = agent(&[UDP]).await;
    let peer = Peer::new(&agent).await;
    let local = peer.socket.local_addr().unwrap();
    let request = OutgoingCallRequest {
        target: format!("sip:bob@{local}"),
        from: "sip:alice@caller.example".into(),
        offer: SDP.into(),
        ..OutgoingCallRequest::default()
    };
    let mut call = agent.call(request).unwrap();
    let invite = peer.expect("INVITE ").await;
    for (branch, number) in [("one", 7), ("two", 900)] {
        let sdp = format!("{SDP}i={branch}\r\n");
        peer.send(&told(&peer, &invite, (branch, number), &sdp)).await;
        assert_eq!(next(&mut call.events).await, CallEvent::Progress { sdp });
        let prack = peer.expect("PRACK ").await;
        assert!(prack.starts_with(&format!("PRACK sip:{branch}@{local} ")), "{prack}");
        let routes: Vec<_> = prack.lines().filter(|line| line.starts_with("Route:")).collect();
        assert_eq!(routes, [format!("Route: <sip:near@{local};lr>"), format!("Route: <sip:far@{local};lr>")]);
        assert_eq!(header(&prack, "RAck: "), format!("{number} {}", header(&invite, "CSeq: ")));
        assert!(to_line(&prack).contains(&format!(";tag={branch}")), "{prack}");
        peer.send(&answer_to(&prack, "200 OK")).await;
    }
    // Repeated, and one that overtook another: neither is confirmed.
    peer.send(&told(&peer, &invite, ("one", 7), SDP)).await;
    peer.send(&told(&peer, &invite, ("one", 9), SDP)).await;
    assert_eq!(peer.receive_within(Duration::from_millis(300)).await, None);
    assert!(call.events.try_recv().is_err());
    // What was agreed stands, whatever the answer says.
    let answer = peer.accept_with(&invite, "", "v=0\r\ns=ignored\r\n").replace(";tag=b1", ";tag=two");
    peer.send(&answer).await;
    let settled = format!("{SDP}i=two\r\n");
    assert_eq!(next(&mut call.events).await, CallEvent::Answered { sdp: settled, headers: vec![] });
}

#[tokio::test]
async fn a_far_end_changes_what_it_said_before_it_answers() {
    let (agent, _calls) = agent(&[UDP]).await;
    let peer = Peer::new(&agent).await;
    let request = OutgoingCallRequest {
        target: format!("sip:bob@{}", peer.socket.local_addr().unwrap()),
        from: "sip:alice@caller.example".into(),
        offer: SDP.into(),
        ..OutgoingCallRequest::default()
    };
    let mut call = agent.call(request).unwrap();
    let invite = peer.expect("INVITE ").await;
    let caller = header(&invite, "From: ");
    let update = |cseq: u32, sdp: &str| {
        let extra = format!("To: {caller}\r\n{SDP_TYPE}");
        peer.request("UPDATE", cseq, &extra, sdp)
            .replace("Call-ID: c1@test", &format!("Call-ID: {}", header(&invite, "Call-ID: ")))
            .replace(";tag=a1", ";tag=one")
    };
    assert_eq!(status(&ask(&peer, &update(1, SDP)).await), "481", "who is that?");
    peer.send(&tag(&answer_to(&invite, "180 Ringing"), "one")).await;
    assert_eq!(next(&mut call.events).await, CallEvent::Ringing);
    assert_eq!(status(&ask(&peer, &update(2, SDP)).await), "491", "our offer has no answer yet");
    peer.send(&told(&peer, &invite, ("one", 1), SDP)).await;
    assert_eq!(next(&mut call.events).await, CallEvent::Progress { sdp: SDP.into() });
    peer.expect("PRACK ").await;
    let offer = format!("{SDP}i=new\r\n");
    peer.send(&update(3, &offer)).await;
    assert_eq!(next(&mut call.events).await, CallEvent::Offer { sdp: Some(offer) });
    call.control.accept_offer(format!("{SDP}i=ours\r\n"));
    assert!(peer.expect("SIP/2.0 200").await.ends_with("i=ours\r\n"));
}

#[tokio::test]
async fn agents_confirm_what_they_tell_each_other() {
    for listen in [UDP, "tcp:127.0.0.1:0"] {
        let (caller, _) = agent(&[listen]).await;
        let (callee, mut calls) = agent(&[listen]).await;
        let mut out = place(&caller, &callee, "bob");
        let incoming = next(&mut calls).await;
        incoming.control.progress(SDP.into());
        incoming.control.answer(SDP.into());
        assert_eq!(next(&mut out.events).await, CallEvent::Progress { sdp: SDP.into() });
        assert_eq!(next(&mut out.events).await, CallEvent::Answered { sdp: SDP.into(), headers: vec![] });
    }
}
