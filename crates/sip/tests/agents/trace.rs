//! What the trace of a call shows.

use std::sync::Arc;
use std::time::Duration;

use mixminus_sip::{
    CallTrace, Credentials, OutgoingCallRequest, Side, Trace, UserAgent, UserAgentConfig, Way,
};

use crate::common::{Peer, SDP, agent, answer_to, config, forgotten, next, place, to_line};

/// Each message: which way it went, how it begins, and how often it came again.
fn lines(trace: &CallTrace) -> Vec<(Way, &str, u32)> {
    let messages = trace.messages.iter();
    messages.map(|message| (message.way, message.summary(), message.retransmissions)).collect()
}

fn counted(trace: &Trace, way: Way, method: &str, status: &str) -> u64 {
    let messages = trace.totals().messages.into_iter();
    let kind = messages.filter(|kind| (kind.way, &*kind.method, kind.status) == (way, method, status));
    kind.map(|kind| kind.count).sum()
}

#[tokio::test]
async fn a_call_is_traced_from_its_invite_to_the_answer_to_its_bye() {
    let (agent, mut calls) = agent(&["udp:127.0.0.1:0"]).await;
    let peer = Peer::new(&agent).await;
    peer.send(&peer.invite(1)).await;
    let call = next(&mut calls).await;
    call.control.trace_as("one");
    peer.expect("SIP/2.0 100").await;
    call.control.answer(SDP.into());
    let to = to_line(&peer.expect("SIP/2.0 200").await);
    peer.send(&peer.request("ACK", 1, &to, "")).await;
    let bye = peer.request("BYE", 2, &to, "");
    for _ in 0..3 {
        peer.send(&bye).await;
        peer.expect("SIP/2.0 200").await;
    }
    forgotten(&agent).await;
    let trace = agent.trace().of("one").unwrap();
    let invite = format!("INVITE sip:bob@{} SIP/2.0", peer.server);
    let expected = [
        (Way::Received, &*invite, 0),
        (Way::Sent, "SIP/2.0 100 Trying", 0),
        (Way::Sent, "SIP/2.0 200 OK", 0),
        (Way::Received, &*invite.replace("INVITE", "ACK"), 0),
        (Way::Received, &*invite.replace("INVITE", "BYE"), 2),
        (Way::Sent, "SIP/2.0 200 OK", 0),
    ];
    assert_eq!(lines(&trace), expected);
    let local = peer.socket.local_addr().unwrap().to_string();
    assert!(trace.messages.iter().all(|message| message.peer == local && message.transport == "udp"));
    assert!(trace.messages.is_sorted_by_key(|message| message.at) && trace.left_out == 0);
    assert!(trace.messages[0].text.ends_with(SDP));
    let totals = agent.trace().totals();
    assert_eq!(totals.retransmissions, 2);
    assert_eq!(
        totals.calls.iter().map(|c| (c.side, c.outcome, c.count)).collect::<Vec<_>>(),
        [(Side::Incoming, "completed", 1)]
    );
    assert_eq!(counted(&agent.trace(), Way::Received, "BYE", ""), 3);
    assert_eq!(counted(&agent.trace(), Way::Sent, "INVITE", "1xx"), 1);
}

#[tokio::test]
async fn a_challenged_call_is_traced_without_its_credentials() {
    let (agent, _calls) = agent(&["udp:127.0.0.1:0"]).await;
    let peer = Peer::new(&agent).await;
    let request = OutgoingCallRequest {
        target: format!("sip:bob@{}", peer.socket.local_addr().unwrap()),
        from: "sip:alice@a.example".into(),
        offer: format!("{SDP}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:S3CR3T\r\n"),
        credentials: Some(Credentials { username: "alice".into(), password: "hunter2".into() }),
        ..OutgoingCallRequest::default()
    };
    let call = agent.call(request).unwrap();
    call.control.trace_as("two");
    let challenge = "407 No\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"N0NCE\"";
    let invite = peer.expect("INVITE ").await;
    peer.socket.send_to(answer_to(&invite, challenge).as_bytes(), peer.server).await.unwrap();
    let invite = loop {
        let invite = peer.expect("INVITE ").await;
        if invite.contains("Proxy-Authorization") {
            break invite;
        }
    };
    assert!(invite.contains("response=") && invite.contains("N0NCE") && invite.contains("S3CR3T"));
    peer.send(&answer_to(&invite, "486 Busy Here")).await;
    forgotten(&agent).await;
    let trace = agent.trace().of("two").unwrap();
    let ways: Vec<_> = lines(&trace).iter().map(|(way, line, _)| (*way, line[..7].to_owned())).collect();
    let (sent, received) =
        (|line: &str| (Way::Sent, line.to_owned()), |line: &str| (Way::Received, line.to_owned()));
    let half = |status| [sent("INVITE "), received("SIP/2.0"), sent(status)];
    assert_eq!(ways, [half("ACK sip"), half("ACK sip")].concat());
    let all: String = trace.messages.iter().map(|message| message.text.as_str()).collect();
    assert!(all.contains("username=\"alice\"") && all.contains("nonce=***") && all.contains("response=***"));
    assert!(!all.contains("N0NCE") && !all.contains("S3CR3T"), "{all}");
    let calls = agent.trace().totals().calls;
    assert_eq!(
        calls.iter().map(|c| (c.side, c.outcome, c.count)).collect::<Vec<_>>(),
        [(Side::Outgoing, "4xx", 1)]
    );
}

#[tokio::test]
async fn nobody_gets_into_the_trace_of_another_call_by_its_call_id() {
    let (agent, mut calls) = agent(&["udp:127.0.0.1:0"]).await;
    let peer = Peer::new(&agent).await;
    peer.send(&peer.invite(1)).await;
    let first = next(&mut calls).await;
    first.control.trace_as("first");
    peer.expect("SIP/2.0 100").await;
    peer.send(&peer.invite(2).replace("tag=a1", "tag=other")).await;
    let second = next(&mut calls).await;
    second.control.trace_as("second");
    peer.expect("SIP/2.0 100").await;
    assert_eq!(second.control.id(), first.control.id());
    for name in ["first", "second"] {
        let trace = agent.trace().of(name).unwrap();
        assert_eq!(trace.messages.len(), 2, "{:?}", lines(&trace));
    }
    assert_eq!(agent.trace().of("third"), None);
}

#[tokio::test]
async fn calls_over_tcp_are_traced_at_both_ends() {
    let swift = || UserAgentConfig { round_trip: Duration::from_millis(10), ..config(&["tcp:127.0.0.1:0"]) };
    let (caller, _) = UserAgent::start(swift()).await.unwrap();
    let (callee, mut calls) = UserAgent::start(swift()).await.unwrap();
    let outgoing = place(&caller, &callee, "bob");
    outgoing.control.trace_as("out");
    let incoming = next(&mut calls).await;
    incoming.control.trace_as("in");
    incoming.control.refuse(486, None);
    forgotten(&caller).await;
    forgotten(&callee).await;
    let traces: [(&Arc<Trace>, &str); 2] = [(&caller.trace(), "out"), (&callee.trace(), "in")];
    let [out, received] = traces.map(|(trace, name)| trace.of(name).unwrap());
    let heads =
        |trace: &CallTrace| lines(trace).iter().map(|(_, line, _)| (*line).to_owned()).collect::<Vec<_>>();
    assert_eq!(heads(&out), heads(&received));
    assert_eq!(heads(&out).len(), 4);
    assert!(out.messages.iter().chain(&received.messages).all(|message| message.transport == "tcp"));
    assert_eq!(out.messages[0].peer, callee.listening()[0].address.to_string());
}
