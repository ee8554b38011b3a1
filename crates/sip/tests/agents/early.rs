//! Incoming calls before their answer, and digits by INFO.

use crate::common::{Peer, SDP, agent, last, next, place, status, to_line};
use mixminus_sip::{CallEnd, CallEvent, IncomingCall};

const UDP: &str = "udp:127.0.0.1:0";
const RELAY: &str = "Content-Type: application/dtmf-relay\r\n";

#[tokio::test]
async fn a_caller_hears_us_before_the_answer() {
    for listen in [UDP, "tcp:127.0.0.1:0"] {
        let (caller, _) = agent(&[listen]).await;
        let (callee, mut calls) = agent(&[listen]).await;
        let mut out = place(&caller, &callee, "bob");
        let mut incoming = next(&mut calls).await;
        incoming.control.progress(SDP.into());
        assert_eq!(next(&mut out.events).await, CallEvent::Progress { sdp: SDP.into() });
        incoming.control.answer(SDP.into());
        assert_eq!(next(&mut out.events).await, CallEvent::Answered { sdp: SDP.into(), headers: vec![] });
        incoming.control.progress(SDP.into());
        out.control.hang_up();
        assert_eq!(last(&mut out.events).await, CallEvent::Ended(CallEnd::HungUp));
        assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::HungUp));
    }
}

#[tokio::test]
async fn a_caller_that_hears_us_may_give_up() {
    let (agent, mut calls) = agent(&[UDP]).await;
    let peer = Peer::new(&agent).await;
    peer.send(&peer.invite(1)).await;
    let mut call = next(&mut calls).await;
    call.control.progress(SDP.into());
    let progress = peer.expect("SIP/2.0 183").await;
    assert!(progress.contains("Contact: <sip:127.0.0.1:") && to_line(&progress).contains(";tag="));
    assert!(progress.contains("Content-Type: application/sdp\r\n") && progress.ends_with(SDP));
    let cancel = peer.request("CANCEL", 1, "", "").replace("z9hG4bKCANCEL1", "z9hG4bKINVITE1");
    peer.send(&cancel).await;
    peer.expect("SIP/2.0 487").await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::Canceled));
}

#[tokio::test]
async fn a_caller_without_an_offer_hears_nothing_before_the_answer() {
    let (agent, mut calls) = agent(&[UDP]).await;
    let peer = Peer::new(&agent).await;
    peer.send(&peer.request("INVITE", 1, "", "")).await;
    let call = next(&mut calls).await;
    call.control.progress(SDP.into());
    call.control.ring();
    peer.expect("SIP/2.0 100").await;
    assert_eq!(status(&peer.receive().await), "180");
}

/// A call that is up, and the To line of its dialog.
async fn up(peer: &Peer, calls: &mut tokio::sync::mpsc::Receiver<IncomingCall>) -> (IncomingCall, String) {
    peer.send(&peer.invite(1)).await;
    let call = next(calls).await;
    call.control.answer(SDP.into());
    let to = to_line(&peer.expect("SIP/2.0 200").await);
    peer.send(&peer.request("ACK", 1, &to, "")).await;
    (call, to)
}

#[tokio::test]
async fn a_key_is_told_once_however_often_its_info_comes() {
    let (agent, mut calls) = agent(&[UDP]).await;
    let peer = Peer::new(&agent).await;
    let (mut call, to) = up(&peer, &mut calls).await;
    for (cseq, signal) in [(2, '5'), (3, '5'), (4, '#')] {
        let info = peer.request(
            "INFO",
            cseq,
            &format!("{to}{RELAY}"),
            &format!("Signal={signal}\r\nDuration=160\r\n"),
        );
        for _ in 0..2 {
            peer.send(&info).await;
            assert_eq!(status(&peer.receive().await), "200");
        }
        assert_eq!(next(&mut call.events).await, CallEvent::Digit(signal.try_into().unwrap()));
    }
    assert!(call.events.try_recv().is_err());
}

#[tokio::test]
async fn an_info_about_something_else_is_refused() {
    let (agent, mut calls) = agent(&[UDP]).await;
    let peer = Peer::new(&agent).await;
    let (mut call, to) = up(&peer, &mut calls).await;
    peer.send(&peer.request(
        "INFO",
        2,
        &format!("{to}Content-Type: application/media_control+xml\r\n"),
        "<x/>",
    ))
    .await;
    let refusal = peer.receive().await;
    assert_eq!(status(&refusal), "415");
    assert!(refusal.contains("Accept: application/dtmf-relay, application/dtmf\r\n"));
    peer.send(&peer.request("INFO", 3, &to, "")).await;
    assert_eq!(status(&peer.receive().await), "200", "it asks whether we are there");
    assert!(call.events.try_recv().is_err());
}
