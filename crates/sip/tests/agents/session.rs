//! Session timers (RFC 4028), and what happens when both sides propose at once.

use std::time::Duration;

use crate::common::{Peer, SDP, answer_to, config, failed, last, next, place, to_line};
use mixminus_sip::{CallEvent, IncomingCall, OutgoingCall, OutgoingCallRequest, UserAgent, UserAgentConfig};
use tokio::sync::mpsc;

const UDP: &str = "udp:127.0.0.1:0";
const SDP_TYPE: &str = "Content-Type: application/sdp\r\n";
const TIMER: &str = "Supported: timer\r\n";
const ALLOW: &str = "Allow: INVITE, ACK, BYE, UPDATE\r\n";

/// An agent that refreshes its sessions after 1.5 s and gives them up after 2 s, and the far end.
async fn hasty() -> (UserAgent, mpsc::Receiver<IncomingCall>, Peer) {
    let (session_expires, min_session_expires) = (Duration::from_secs(3), Duration::from_secs(1));
    let hasty = UserAgentConfig { session_expires, min_session_expires, ..config(&[UDP]) };
    let (agent, calls) = UserAgent::start(hasty).await.unwrap();
    let peer = Peer::new(&agent).await;
    (agent, calls, peer)
}

/// Answers the peer's INVITE with `extra` headers: our 200, and the call.
async fn answer(
    peer: &Peer,
    calls: &mut mpsc::Receiver<IncomingCall>,
    extra: &str,
) -> (String, IncomingCall) {
    peer.send(&peer.request("INVITE", 1, &format!("{SDP_TYPE}{extra}"), SDP)).await;
    let call = next(calls).await;
    call.control.answer(SDP.into());
    let ok = peer.expect("SIP/2.0 200").await;
    peer.send(&peer.request("ACK", 1, &to_line(&ok), "")).await;
    (ok, call)
}

/// Calls the peer, which answers with `extra` headers: our INVITE, and the call.
async fn call(agent: &UserAgent, peer: &Peer, extra: &str) -> (String, OutgoingCall) {
    let mut call = agent
        .call(OutgoingCallRequest {
            target: format!("sip:bob@{}", peer.socket.local_addr().unwrap()),
            from: "sip:alice@caller.example".into(),
            offer: SDP.into(),
            ..OutgoingCallRequest::default()
        })
        .unwrap();
    let invite = peer.expect("INVITE ").await;
    peer.send(&peer.accept(&invite, extra)).await;
    peer.expect("ACK ").await;
    assert!(matches!(next(&mut call.events).await, CallEvent::Answered { .. }));
    (invite, call)
}

#[tokio::test]
async fn a_session_that_we_keep_is_refreshed_by_update() {
    let (_agent, mut calls, peer) = hasty().await;
    let (ok, mut call) = answer(&peer, &mut calls, &format!("{TIMER}{ALLOW}")).await;
    assert!(ok.contains("Session-Expires: 3;refresher=uas\r\n") && ok.contains("timer"), "{ok}");
    for _ in 0..2 {
        let update = peer.expect("UPDATE ").await;
        assert!(update.contains("Session-Expires: 3;refresher=uac\r\n") && update.contains("Min-SE: 1\r\n"));
        assert!(update.contains("Content-Length: 0\r\n") && update.contains("Contact: <sip:127.0.0.1:"));
        peer.send(&peer.accept(&update, "Session-Expires: 3;refresher=uac\r\nSupported: timer\r\n")).await;
    }
    assert!(call.events.try_recv().is_err());
}

#[tokio::test]
async fn a_far_end_without_update_is_sent_what_it_knows() {
    let (_agent, mut calls, peer) = hasty().await;
    let (_, mut call) = answer(&peer, &mut calls, TIMER).await;
    let invite = peer.expect("INVITE ").await;
    assert!(invite.ends_with(SDP) && invite.contains("CSeq: 2 INVITE\r\n"), "{invite}");
    let theirs = format!("{SDP}i=same\r\n");
    peer.send(&peer.accept_with(&invite, "Session-Expires: 90;refresher=uac\r\n", &theirs)).await;
    peer.expect("ACK ").await;
    assert_eq!(next(&mut call.events).await, CallEvent::Answered { sdp: theirs, headers: vec![] });
}

#[tokio::test]
async fn a_session_that_nobody_refreshes_ends() {
    let (_agent, mut calls, peer) = hasty().await;
    let asked = format!("{TIMER}{ALLOW}Session-Expires: 1;refresher=uac\r\n");
    let (ok, mut call) = answer(&peer, &mut calls, &asked).await;
    assert!(ok.contains("Session-Expires: 1;refresher=uac\r\n") && ok.contains("Require: timer\r\n"), "{ok}");
    peer.expect("BYE ").await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(408)));
}

#[tokio::test]
async fn a_far_end_that_refreshes_keeps_its_call() {
    let (_agent, mut calls, peer) = hasty().await;
    let wish = format!("{TIMER}{ALLOW}Session-Expires: 3;refresher=uac\r\n");
    let (ok, mut call) = answer(&peer, &mut calls, &wish).await;
    for cseq in 2..5 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        peer.send(&peer.request("UPDATE", cseq, &format!("{}{wish}", to_line(&ok)), "")).await;
        assert!(peer.expect("SIP/2.0 200").await.contains("Session-Expires: 3;refresher=uac\r\n"));
    }
    assert!(call.events.try_recv().is_err());
}

#[tokio::test]
async fn a_session_that_is_too_short_is_refused() {
    let (_agent, mut calls, peer) = hasty().await;
    let short = format!("{TIMER}Session-Expires: 0\r\n");
    peer.send(&peer.request("INVITE", 1, &short, "")).await;
    let refusal = peer.expect("SIP/2.0 422").await;
    assert!(refusal.contains("Min-SE: 1\r\n"));
    peer.send(&peer.request("ACK", 1, &to_line(&refusal), "").replace("bKACK1", "bKINVITE1")).await;
    let (ok, _call) = answer(&peer, &mut calls, "Session-Expires: 1\r\n").await;
    assert!(!ok.contains("Session-Expires"), "it does not know timers");
    peer.send(&peer.request("UPDATE", 2, &format!("{}{short}", to_line(&ok)), "")).await;
    peer.expect("SIP/2.0 422").await;
}

#[tokio::test]
async fn a_call_of_ours_asks_for_a_session_timer() {
    let (agent, _calls, peer) = hasty().await;
    let agreed = format!("{TIMER}{ALLOW}Session-Expires: 3;refresher=uac\r\n");
    let (invite, _call) = call(&agent, &peer, &agreed).await;
    assert!(invite.contains("Session-Expires: 3\r\n") && invite.contains("Min-SE: 1\r\n"), "{invite}");
    assert!(invite.contains("Supported: timer, 100rel\r\n"), "{invite}");
    let update = peer.expect("UPDATE ").await;
    assert!(update.starts_with(&format!("UPDATE sip:bob@{}", peer.socket.local_addr().unwrap())), "{update}");
}

#[tokio::test]
async fn a_call_whose_session_is_too_short_for_the_far_end_is_placed_again() {
    let (agent, _calls, peer) = hasty().await;
    let mut call = agent
        .call(OutgoingCallRequest {
            target: format!("sip:bob@{}", peer.socket.local_addr().unwrap()),
            from: "sip:alice@caller.example".into(),
            offer: SDP.into(),
            ..OutgoingCallRequest::default()
        })
        .unwrap();
    let first = peer.expect("INVITE ").await;
    peer.send(&answer_to(&first, "422 Session Interval Too Small").replace("CSeq:", "Min-SE: 90\r\nCSeq:"))
        .await;
    peer.expect("ACK ").await;
    let second = peer.expect("INVITE ").await;
    let line =
        |message: &str, name: &str| message.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    for same in ["Call-ID:", "From:"] {
        assert_eq!(line(&first, same), line(&second, same));
    }
    assert!(second.contains("Session-Expires: 90\r\n") && second.contains("Min-SE: 90\r\n"), "{second}");
    assert_ne!(line(&first, "CSeq:"), line(&second, "CSeq:"));
    assert!(second.ends_with(SDP));
    peer.send(&answer_to(&second, "422 Session Interval Too Small").replace("CSeq:", "Min-SE: 900\r\nCSeq:"))
        .await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(422)));
}

#[tokio::test]
async fn a_refresh_that_crosses_an_offer_gives_way() {
    let (_agent, mut calls, peer) = hasty().await;
    let (ok, mut call) = answer(&peer, &mut calls, TIMER).await;
    let refresh = peer.expect("INVITE ").await;
    let offer = format!("{}{SDP_TYPE}", to_line(&ok));
    peer.send(&peer.request("INVITE", 2, &offer, SDP)).await;
    let refusal = peer.expect("SIP/2.0 491").await;
    peer.send(&peer.request("ACK", 2, &to_line(&refusal), "").replace("bKACK2", "bKINVITE2")).await;
    peer.send(&answer_to(&refresh, "491 Request Pending")).await;
    peer.expect("ACK ").await;
    peer.send(&peer.request("INVITE", 3, &offer, SDP)).await;
    assert_eq!(next(&mut call.events).await, CallEvent::Offer { sdp: Some(SDP.into()) });
    call.control.accept_offer(SDP.into());
    peer.expect("SIP/2.0 200").await;
}

#[tokio::test]
async fn a_refused_refresh_is_sent_again_after_a_while() {
    let (_agent, mut calls, peer) = hasty().await;
    let (_, _call) = answer(&peer, &mut calls, &format!("{TIMER}{ALLOW}Session-Expires: 60\r\n")).await;
    let first = peer.expect("UPDATE ").await;
    peer.send(&answer_to(&first, "405 Method Not Allowed")).await;
    let again = peer.expect("INVITE ").await;
    assert!(again.ends_with(SDP));
    peer.send(&answer_to(&again, "500 Later")).await;
    peer.expect("ACK ").await;
    assert!(peer.receive().await.starts_with("INVITE "));
}

#[tokio::test]
async fn a_far_end_that_lost_the_call_ends_it() {
    let (_agent, mut calls, peer) = hasty().await;
    let (_, mut call) = answer(&peer, &mut calls, &format!("{TIMER}{ALLOW}")).await;
    let update = peer.expect("UPDATE ").await;
    peer.send(&answer_to(&update, "481 Call/Transaction Does Not Exist")).await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(481)));
}

#[tokio::test]
async fn a_challenge_that_cannot_be_answered_ends_no_call() {
    let (_agent, mut calls, peer) = hasty().await;
    let (_, mut call) = answer(&peer, &mut calls, &format!("{TIMER}{ALLOW}")).await;
    let update = peer.expect("UPDATE ").await;
    peer.send(&answer_to(&update, "407 Proxy Authentication Required")).await;
    peer.expect("UPDATE ").await;
    assert!(call.events.try_recv().is_err());
}

#[tokio::test]
async fn requests_follow_a_far_end_to_its_new_address() {
    let (agent, mut calls, peer) = hasty().await;
    let (ok, _call) = answer(&peer, &mut calls, &format!("{TIMER}{ALLOW}")).await;
    let moved = Peer::new(&agent).await;
    let local = moved.socket.local_addr().unwrap();
    let update = peer.request("UPDATE", 2, &format!("{}{TIMER}{ALLOW}", to_line(&ok)), "");
    let old = peer.socket.local_addr().unwrap();
    peer.send(&update.replace(&format!("Contact: <sip:al@{old}>"), &format!("Contact: <sip:al@{local}>")))
        .await;
    peer.expect("SIP/2.0 200").await;
    moved.expect(&format!("UPDATE sip:al@{local} ")).await;
}

#[tokio::test]
async fn two_agents_keep_their_session() {
    let (session_expires, min_session_expires) = (Duration::from_secs(3), Duration::from_secs(1));
    for listen in [UDP, "tcp:127.0.0.1:0"] {
        let hasty = || UserAgentConfig { session_expires, min_session_expires, ..config(&[listen]) };
        let (caller, _) = UserAgent::start(hasty()).await.unwrap();
        let (callee, mut calls) = UserAgent::start(hasty()).await.unwrap();
        let mut out = place(&caller, &callee, "bob");
        let mut incoming = next(&mut calls).await;
        incoming.control.answer(SDP.into());
        assert!(matches!(next(&mut out.events).await, CallEvent::Answered { .. }));
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert!(out.events.try_recv().is_err() && incoming.events.try_recv().is_err(), "{listen}");
    }
}
