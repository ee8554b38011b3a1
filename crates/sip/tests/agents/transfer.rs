//! Transfers that far ends ask for, and those that we ask of them.

use std::time::Duration;

use crate::common::{Peer, SDP, agent, answer_to, last, next, place, status, to_line};
use mixminus_sip::{CallEnd, CallEvent, IncomingCall, Replaces, UserAgent};

const UDP: &str = "udp:127.0.0.1:0";
const TARGET: &str = "sip:carol@c.example";

/// A call from the peer that is up, and the To line of its dialog.
async fn up() -> (UserAgent, Peer, IncomingCall, String) {
    let (agent, mut calls) = agent(&[UDP]).await;
    let peer = Peer::new(&agent).await;
    peer.send(&peer.invite(1)).await;
    let call = next(&mut calls).await;
    call.control.answer(SDP.into());
    let to = to_line(&peer.expect("SIP/2.0 200").await);
    peer.send(&peer.request("ACK", 1, &to, "")).await;
    (agent, peer, call, to)
}

fn refer(peer: &Peer, cseq: u32, to: &str) -> String {
    peer.request("REFER", cseq, &format!("{to}Refer-To: <{TARGET}>\r\n"), "")
}

#[tokio::test]
async fn a_transfer_that_is_refused_changes_nothing() {
    let (_agent, peer, mut call, to) = up().await;
    peer.send(&refer(&peer, 2, &to)).await;
    assert_eq!(next(&mut call.events).await, CallEvent::Transfer { target: TARGET.into(), replaces: None });
    peer.send(&refer(&peer, 3, &to)).await;
    assert_eq!(status(&peer.receive().await), "491", "one at a time");
    call.control.refuse_transfer(403);
    assert_eq!(status(&peer.receive().await), "403");
    peer.send(&peer.request("REFER", 4, &format!("{to}Refer-To: <tel:+1900>\r\n"), "")).await;
    assert_eq!(status(&peer.receive().await), "400");
    assert!(call.events.try_recv().is_err());
}

#[tokio::test]
async fn the_far_end_is_told_how_its_transfer_goes() {
    let (_agent, peer, mut call, to) = up().await;
    peer.send(&refer(&peer, 2, &to)).await;
    assert!(matches!(next(&mut call.events).await, CallEvent::Transfer { .. }));
    call.control.accept_transfer();
    assert_eq!(status(&peer.receive().await), "202");
    let trying = peer.expect("NOTIFY ").await;
    assert!(
        trying.contains("Event: refer;id=2\r\n") && trying.contains("Subscription-State: active;expires=")
    );
    assert!(
        trying.contains("Content-Type: message/sipfrag\r\n") && trying.ends_with("SIP/2.0 100 Trying\r\n")
    );
    peer.send(&answer_to(&trying, "200 OK")).await;
    call.control.tell_transfer(200);
    let done = peer.expect("NOTIFY ").await;
    assert!(done.contains("Subscription-State: terminated;") && done.ends_with("SIP/2.0 200 OK\r\n"));
    peer.send(&answer_to(&done, "200 OK")).await;
    call.control.tell_transfer(200);
    call.control.hang_up();
    assert_eq!(peer.receive_within(Duration::from_secs(1)).await, None, "it is to hang up itself");
    peer.expect("BYE ").await;
}

#[tokio::test]
async fn a_far_end_whose_transfer_succeeded_hangs_up_itself() {
    let (_agent, peer, mut call, to) = up().await;
    peer.send(&refer(&peer, 2, &to)).await;
    assert!(matches!(next(&mut call.events).await, CallEvent::Transfer { .. }));
    call.control.accept_transfer();
    call.control.tell_transfer(200);
    call.control.hang_up();
    drop(call.control);
    for _ in 0..2 {
        peer.send(&answer_to(&peer.expect("NOTIFY ").await, "200 OK")).await;
    }
    peer.send(&peer.request("BYE", 3, &to, "")).await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
    peer.expect("SIP/2.0 200").await;
}

#[tokio::test]
async fn a_transfer_names_another_call_by_its_dialog() {
    let (caller, _) = agent(&[UDP]).await;
    let (callee, mut calls) = agent(&[UDP]).await;
    let (mut out, mut consulting) = (place(&caller, &callee, "bob"), place(&caller, &callee, "carol"));
    let mut incoming = [next(&mut calls).await, next(&mut calls).await];
    if incoming[0].user == "carol" {
        incoming.swap(0, 1);
    }
    out.control.refer_into(&consulting.control, TARGET.into());
    for (incoming, out) in incoming.iter().zip([&mut out, &mut consulting]) {
        incoming.control.answer(SDP.into());
        assert!(matches!(next(&mut out.events).await, CallEvent::Answered { .. }));
    }
    let [bob, carol] = &mut incoming;
    out.control.refer_into(&consulting.control, TARGET.into());
    let CallEvent::Transfer { target, replaces: Some(named) } = next(&mut bob.events).await else { panic!() };
    assert_eq!(target, TARGET);
    assert!(carol.control.is_named_by(&named) && !bob.control.is_named_by(&named));
    let stranger = Replaces { from_tag: "another".into(), ..named };
    assert!(!carol.control.is_named_by(&stranger));
}

#[tokio::test]
async fn a_transfer_that_nobody_decided_ends_with_the_call() {
    let (_agent, peer, mut call, to) = up().await;
    peer.send(&refer(&peer, 2, &to)).await;
    assert!(matches!(next(&mut call.events).await, CallEvent::Transfer { .. }));
    call.control.hang_up();
    peer.expect("SIP/2.0 487").await;
}

#[tokio::test]
async fn a_far_end_is_asked_to_call_somebody_else() {
    let (_agent, peer, mut call, to) = up().await;
    let news = |cseq, state: &str| {
        let headers =
            format!("{to}Event: refer\r\nSubscription-State: active\r\nContent-Type: message/sipfrag\r\n");
        peer.request("NOTIFY", cseq, &headers, &format!("SIP/2.0 {state}\r\n"))
    };
    peer.send(&news(2, "200 OK")).await;
    assert_eq!(status(&peer.receive().await), "481", "we asked for nothing");
    call.control.refer(TARGET.into());
    let asked = peer.expect("REFER ").await;
    assert!(asked.contains(&format!("Refer-To: <{TARGET}>\r\n")), "{asked}");
    peer.send(&answer_to(&asked, "202 Accepted")).await;
    for (cseq, state) in [(3, "100 Trying"), (4, "486 Busy Here")] {
        peer.send(&news(cseq, state)).await;
        assert_eq!(status(&peer.receive().await), "200");
    }
    assert_eq!(next(&mut call.events).await, CallEvent::Transferred { status: 486 });
    call.control.refer("sip:a\r\n@b".into());
    assert_eq!(next(&mut call.events).await, CallEvent::Transferred { status: 400 });
    call.control.refer(TARGET.into());
    let asked = peer.expect("REFER ").await;
    peer.send(&answer_to(&asked, "405 No")).await;
    assert_eq!(next(&mut call.events).await, CallEvent::Transferred { status: 405 });
}

#[tokio::test]
async fn agents_transfer_each_other() {
    for listen in [UDP, "tcp:127.0.0.1:0"] {
        let (caller, _) = agent(&[listen]).await;
        let (callee, mut calls) = agent(&[listen]).await;
        let mut out = place(&caller, &callee, "bob");
        let mut incoming = next(&mut calls).await;
        incoming.control.answer(SDP.into());
        assert!(matches!(next(&mut out.events).await, CallEvent::Answered { .. }));
        out.control.refer(TARGET.into());
        assert!(matches!(next(&mut incoming.events).await, CallEvent::Transfer { .. }));
        incoming.control.accept_transfer();
        incoming.control.tell_transfer(180);
        incoming.control.tell_transfer(200);
        assert_eq!(next(&mut out.events).await, CallEvent::Transferred { status: 200 });
        out.control.hang_up();
        assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::HungUp));
    }
}
