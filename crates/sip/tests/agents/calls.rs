//! Two user agents call each other.

use std::time::Duration;

use crate::common::{SDP, agent, config, failed, forgotten, last, next, place};
use mixminus_sip::{
    CallEnd, CallEvent, IncomingCall, OutgoingCall, OutgoingCallRequest, SipError, UserAgent, UserAgentConfig,
};
use tokio::sync::mpsc;

const UDP: &str = "udp:127.0.0.1:0";
const TCP: &str = "tcp:127.0.0.1:0";

fn sdp(text: &str) -> String {
    format!("{SDP}i={text}\r\n")
}

fn answered(text: &str) -> CallEvent {
    CallEvent::Answered { sdp: sdp(text), headers: vec![] }
}

struct Pair {
    caller: UserAgent,
    callee: UserAgent,
    calls: mpsc::Receiver<IncomingCall>,
}

impl Pair {
    async fn new(listen: &str) -> Self {
        let (caller, _) = agent(&[listen]).await;
        let (callee, calls) = agent(&[listen]).await;
        Self { caller, callee, calls }
    }

    async fn offer(&mut self) -> (OutgoingCall, IncomingCall) {
        let out = place(&self.caller, &self.callee, "bob");
        let incoming = next(&mut self.calls).await;
        (out, incoming)
    }

    async fn up(&mut self) -> (OutgoingCall, IncomingCall) {
        let (mut out, incoming) = self.offer().await;
        incoming.control.answer(sdp("answer"));
        assert_eq!(next(&mut out.events).await, answered("answer"));
        (out, incoming)
    }

    async fn forgotten(&self) {
        forgotten(&self.caller).await;
        forgotten(&self.callee).await;
    }
}

#[tokio::test]
async fn the_caller_hangs_up() {
    for listen in [UDP, TCP] {
        let mut pair = Pair::new(listen).await;
        let (mut out, mut incoming) = pair.offer().await;
        assert_eq!((incoming.from.as_str(), incoming.user.as_str()), ("sip:alice@caller.example", "bob"));
        assert_eq!(incoming.to, "sip:bob@127.0.0.1");
        assert_eq!(incoming.offer.as_deref(), Some(sdp("offer").as_str()));
        incoming.control.ring();
        assert_eq!(next(&mut out.events).await, CallEvent::Ringing);
        incoming.control.answer(sdp("answer"));
        assert_eq!(next(&mut out.events).await, answered("answer"));
        out.control.hang_up();
        out.control.hang_up();
        assert_eq!(last(&mut out.events).await, CallEvent::Ended(CallEnd::HungUp));
        assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::HungUp));
        pair.forgotten().await;
    }
}

#[tokio::test]
async fn the_callee_hangs_up() {
    for listen in [UDP, TCP] {
        let mut pair = Pair::new(listen).await;
        let (mut out, mut incoming) = pair.up().await;
        incoming.control.hang_up();
        assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::HungUp));
        assert_eq!(last(&mut out.events).await, CallEvent::Ended(CallEnd::HungUp));
        pair.forgotten().await;
    }
}

#[tokio::test]
async fn agents_answer_the_probes_of_each_other() {
    for listen in [UDP, TCP] {
        let probing = || UserAgentConfig {
            round_trip: Duration::from_millis(10),
            probe_interval: Duration::from_millis(20),
            ..config(&[listen])
        };
        let (caller, _) = UserAgent::start(probing()).await.unwrap();
        let (callee, calls) = UserAgent::start(probing()).await.unwrap();
        let mut pair = Pair { caller, callee, calls };
        let (mut out, mut incoming) = pair.up().await;
        out.control.watch();
        incoming.control.watch();
        tokio::time::sleep(Duration::from_millis(900)).await;
        assert!(out.events.try_recv().is_err() && incoming.events.try_recv().is_err());
    }
}

#[tokio::test]
async fn both_hang_up_at_once() {
    let mut pair = Pair::new(UDP).await;
    let (mut out, mut incoming) = pair.up().await;
    incoming.control.hang_up();
    out.control.hang_up();
    assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::HungUp));
    assert_eq!(last(&mut out.events).await, CallEvent::Ended(CallEnd::HungUp));
    pair.forgotten().await;
}

#[tokio::test]
async fn a_caller_who_gives_up_cancels() {
    let mut pair = Pair::new(UDP).await;
    let (mut out, mut incoming) = pair.offer().await;
    incoming.control.ring();
    assert_eq!(next(&mut out.events).await, CallEvent::Ringing);
    out.control.hang_up();
    assert_eq!(last(&mut out.events).await, CallEvent::Ended(CallEnd::Canceled));
    assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::Canceled));
    forgotten(&pair.caller).await;
}

#[tokio::test]
async fn an_answer_that_crosses_a_cancel_leaves_no_call() {
    for _ in 0..10 {
        let mut pair = Pair::new(UDP).await;
        let (mut out, mut incoming) = pair.offer().await;
        out.control.hang_up();
        incoming.control.answer(sdp("answer"));
        assert!(matches!(last(&mut out.events).await, CallEvent::Ended(_)));
        assert!(matches!(last(&mut incoming.events).await, CallEvent::Ended(_)));
    }
}

#[tokio::test]
async fn a_call_is_refused_with_a_status() {
    let mut pair = Pair::new(UDP).await;
    let (mut out, mut incoming) = pair.offer().await;
    incoming.control.refuse(486, None);
    let end = CallEvent::Ended(failed(486));
    assert_eq!(last(&mut out.events).await, end);
    assert_eq!(last(&mut incoming.events).await, end);
}

#[tokio::test]
async fn a_call_that_nobody_holds_is_declined() {
    let mut pair = Pair::new(UDP).await;
    let (mut out, incoming) = pair.offer().await;
    drop(incoming);
    assert_eq!(last(&mut out.events).await, CallEvent::Ended(failed(603)));
}

#[tokio::test]
async fn hanging_up_right_after_answering_waits_for_the_ack() {
    let mut pair = Pair::new(UDP).await;
    let (mut out, mut incoming) = pair.offer().await;
    incoming.control.answer(sdp("answer"));
    assert_eq!(next(&mut out.events).await, answered("answer"));
    incoming.control.hang_up();
    assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::HungUp));
    assert_eq!(last(&mut out.events).await, CallEvent::Ended(CallEnd::HungUp));
    pair.forgotten().await;
}

#[tokio::test]
async fn a_draining_agent_refuses_new_calls_and_keeps_the_old() {
    let mut pair = Pair::new(UDP).await;
    let (mut first, incoming) = pair.up().await;
    pair.callee.drain(Duration::from_secs(30));
    let mut second = place(&pair.caller, &pair.callee, "bob");
    assert_eq!(last(&mut second.events).await, CallEvent::Ended(failed(503)));
    incoming.control.hang_up();
    assert_eq!(last(&mut first.events).await, CallEvent::Ended(CallEnd::HungUp));
}

#[tokio::test]
async fn a_full_agent_refuses() {
    let (caller, _) = agent(&[UDP]).await;
    let full = mixminus_sip::UserAgentConfig { max_calls: 1, ..config(&[UDP]) };
    let (callee, mut calls) = UserAgent::start(full).await.unwrap();
    let _first = place(&caller, &callee, "bob");
    let _held = next(&mut calls).await;
    let mut second = place(&caller, &callee, "bob");
    assert_eq!(last(&mut second.events).await, CallEvent::Ended(failed(503)));
}

#[tokio::test]
async fn strangers_are_refused() {
    for listen in [UDP, TCP] {
        let (caller, _) = agent(&[listen]).await;
        let closed = mixminus_sip::UserAgentConfig {
            allow: vec!["192.0.2.0/24".parse().unwrap()],
            ..config(&[listen])
        };
        let (callee, _calls) = UserAgent::start(closed).await.unwrap();
        let mut out = place(&caller, &callee, "bob");
        assert_eq!(last(&mut out.events).await, CallEvent::Ended(failed(403)));
    }
}

#[tokio::test]
async fn stopping_says_goodbye() {
    let mut pair = Pair::new(UDP).await;
    let (mut out, mut incoming) = pair.up().await;
    pair.callee.stop().await;
    assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::HungUp));
    assert_eq!(last(&mut out.events).await, CallEvent::Ended(CallEnd::HungUp));
}

#[tokio::test]
async fn two_hundred_calls_at_once_are_all_answered() {
    let mut pair = Pair::new(UDP).await;
    let mut outs: Vec<_> = (0..200).map(|_| place(&pair.caller, &pair.callee, "bob")).collect();
    let mut held = Vec::new();
    for _ in 0..200 {
        let incoming = next(&mut pair.calls).await;
        incoming.control.answer(sdp("answer"));
        held.push(incoming);
    }
    for out in &mut outs {
        assert_eq!(next(&mut out.events).await, answered("answer"));
        out.control.hang_up();
    }
    for out in &mut outs {
        assert_eq!(last(&mut out.events).await, CallEvent::Ended(CallEnd::HungUp));
    }
    for incoming in &mut held {
        assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::HungUp));
    }
    pair.forgotten().await;
}

#[tokio::test]
async fn a_taken_port_is_an_error_at_start() {
    for listen in [UDP, TCP] {
        let (first, _calls) = agent(&[listen]).await;
        let taken = first.listening()[0].to_string();
        let refused = UserAgent::start(config(&[&taken])).await;
        assert!(matches!(refused, Err(SipError::Bind { address, .. }) if address == first.listening()[0]));
    }
    assert!(matches!(UserAgent::start(config(&[])).await, Err(SipError::NoListener)));
}

#[tokio::test]
async fn a_call_that_cannot_be_placed_is_an_error() {
    let (caller, _calls) = agent(&[UDP]).await;
    let place = |target: &str| {
        let request = OutgoingCallRequest {
            target: target.into(),
            from: "sip:a@b".into(),
            offer: SDP.into(),
            ..OutgoingCallRequest::default()
        };
        caller.call(request).map(|_| ())
    };
    assert!(matches!(place("bob"), Err(SipError::Uri(_))));
    assert!(matches!(place("sip:bob@127.0.0.1\r\nX: y"), Err(SipError::Uri(_))));
    assert!(matches!(place("sip:bob@127.0.0.1;transport=tcp"), Err(SipError::NoTransport(_))));
}
