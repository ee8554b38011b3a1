//! A user agent against plain text from a socket.

use std::time::Duration;

use crate::common::{Peer, SDP, agent, answer_to, config, failed, forgotten, last, next, status, to_line};
use mixminus_sip::{CallEnd, CallEvent, IncomingCall, UserAgent, UserAgentConfig, Verification};
use tokio::sync::mpsc;

const UDP: &str = "udp:127.0.0.1:0";
/// Headers that tell the application something, and one that does not.
const GIVEN: &str = "X-PH-Team: red\r\nX-Other: no\r\nDiversion: <sip:dan@127.0.0.1>\r\n\
                     P-Asserted-Identity: <sip:al;verstat=TN-Validation-Passed@127.0.0.1>\r\n";
const SDP_TYPE: &str = "Content-Type: application/sdp\r\n";

fn answered(sdp: &str) -> CallEvent {
    CallEvent::Answered { sdp: sdp.into(), headers: vec![] }
}

struct Wire {
    agent: UserAgent,
    calls: mpsc::Receiver<IncomingCall>,
    peer: Peer,
}

impl Wire {
    async fn new() -> Self {
        let (agent, calls) = agent(&[UDP]).await;
        let peer = Peer::new(&agent).await;
        Self { agent, calls, peer }
    }

    /// An agent that gives up on silent peers after `64 * 10` ms.
    async fn impatient() -> Self {
        Self::with(UserAgentConfig { round_trip: Duration::from_millis(10), ..config(&[UDP]) }).await
    }

    /// An impatient agent that asks again and again whether its calls are up.
    async fn probing() -> Self {
        let (round_trip, probe_interval) = (Duration::from_millis(10), Duration::from_millis(50));
        Self::with(UserAgentConfig { round_trip, probe_interval, ..config(&[UDP]) }).await
    }

    async fn with(config: UserAgentConfig) -> Self {
        let (agent, calls) = UserAgent::start(config).await.unwrap();
        let peer = Peer::new(&agent).await;
        Self { agent, calls, peer }
    }

    async fn ask(&self, request: &str) -> String {
        self.peer.send(request).await;
        self.peer.receive().await
    }

    /// Answers the INVITE of the peer and returns the To line of the dialog.
    async fn up(&mut self) -> (IncomingCall, String) {
        self.peer.send(&self.peer.invite(1)).await;
        let call = next(&mut self.calls).await;
        call.control.answer(SDP.into());
        let to = to_line(&self.peer.expect("SIP/2.0 200").await);
        self.peer.send(&self.peer.request("ACK", 1, &to, "")).await;
        (call, to)
    }

    async fn alive(&self) {
        let options = self.ask(&self.peer.request("OPTIONS", 900, "", "")).await;
        assert_eq!(status(&options), "200");
    }
}

#[tokio::test]
async fn a_repeated_invite_is_one_call() {
    let mut wire = Wire::new().await;
    let invite = wire.peer.request("INVITE", 1, &format!("{SDP_TYPE}{GIVEN}"), SDP);
    wire.peer.send(&invite).await;
    wire.peer.send(&invite).await;
    let call = next(&mut wire.calls).await;
    assert_eq!(call.from, "sip:al@127.0.0.1");
    assert_eq!(call.from_display.as_deref(), Some("Al"));
    assert_eq!(call.headers, [("X-PH-Team".into(), "red".into())]);
    assert_eq!(call.diverted_by.as_deref(), Some("dan"));
    assert_eq!(call.verification, Some(Verification::Passed));
    assert_eq!(call.source, wire.peer.socket.local_addr().unwrap());
    call.control.answer(SDP.into());
    wire.peer.expect("SIP/2.0 200").await;
    wire.peer.send(&invite).await;
    wire.alive().await;
    assert!(wire.calls.try_recv().is_err());
}

#[tokio::test]
async fn an_invite_that_came_two_ways_is_one_call() {
    let mut wire = Wire::new().await;
    wire.peer.send(&wire.peer.invite(1)).await;
    let mut call = next(&mut wire.calls).await;
    wire.peer.expect("SIP/2.0 100").await;
    let merged = wire.peer.invite(1).replace("z9hG4bK", "z9hG4bKother");
    assert_eq!(status(&wire.ask(&merged).await), "482");
    call.control.answer(SDP.into());
    let to = to_line(&wire.peer.expect("SIP/2.0 200").await);
    wire.peer.send(&wire.peer.request("ACK", 1, &to, "")).await;
    assert_eq!(status(&wire.ask(&merged.replace("INVITE1", "INVITE1b")).await), "482");
    assert!(wire.calls.try_recv().is_err() && call.events.try_recv().is_err());
    call.control.hang_up();
    let bye = wire.peer.expect("BYE ").await;
    wire.peer.send(&answer_to(&bye, "200 OK")).await;
    forgotten(&wire.agent).await;
    wire.peer.send(&merged.replace("INVITE1", "INVITE1c")).await;
    next(&mut wire.calls).await;
}

#[tokio::test]
async fn a_far_end_that_answers_probes_keeps_its_call() {
    let mut wire = Wire::probing().await;
    let (mut call, _) = wire.up().await;
    call.control.watch();
    for status in ["200 OK", "405 No", "501 No", "401 No", "407 No", "200 OK"] {
        let probe = wire.peer.expect("OPTIONS ").await;
        // Had the probe been forgotten, or were two under way, a second would come now.
        let quiet = wire.peer.receive_within(Duration::from_millis(5)).await;
        assert!(quiet.is_none_or(|again| again == probe));
        wire.peer.send(&answer_to(&probe, status)).await;
    }
    assert!(call.events.try_recv().is_err());
}

#[tokio::test]
async fn a_call_that_is_not_watched_is_not_probed() {
    let mut wire = Wire::probing().await;
    let (call, _) = wire.up().await;
    call.control.watch();
    call.control.unwatch();
    assert_eq!(wire.peer.receive_within(Duration::from_millis(200)).await, None);
}

#[tokio::test]
async fn a_far_end_that_does_not_answer_a_probe_is_gone() {
    let mut wire = Wire::probing().await;
    let (mut call, _) = wire.up().await;
    call.control.watch();
    let probe = wire.peer.expect("OPTIONS ").await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(408)));
    for _ in 0..20 {
        let next = wire.peer.receive().await;
        if next.starts_with("BYE ") {
            break;
        }
        assert_eq!(next, probe, "one probe at a time");
    }
    forgotten(&wire.agent).await;
}

#[tokio::test]
async fn a_far_end_that_does_not_know_the_call_ends_it() {
    let mut wire = Wire::probing().await;
    let (mut call, _) = wire.up().await;
    call.control.watch();
    let probe = wire.peer.expect("OPTIONS ").await;
    wire.peer.send(&answer_to(&probe, "481 Call/Transaction Does Not Exist")).await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(481)));
}

#[tokio::test]
async fn options_tells_what_is_understood() {
    let wire = Wire::new().await;
    let options = wire.ask(&wire.peer.request("OPTIONS", 1, "", "")).await;
    assert!(options.starts_with("SIP/2.0 200 OK\r\n"));
    assert!(
        options.contains("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK, REFER, NOTIFY\r\n")
    );
    assert!(options.contains("Accept: application/sdp\r\n"));
    assert!(options.contains("User-Agent: mixminus/"));
}

#[tokio::test]
async fn what_we_do_not_do_is_refused() {
    let wire = Wire::new().await;
    for method in ["REGISTER", "MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY", "PUBLISH"] {
        let refusal = wire.ask(&wire.peer.request(method, 1, "", "")).await;
        assert_eq!(status(&refusal), "405", "{method}");
        assert!(refusal.contains("Allow: INVITE"), "{method}");
    }
    for method in ["BYE", "UPDATE", "INFO", "CANCEL"] {
        assert_eq!(status(&wire.ask(&wire.peer.request(method, 2, "", "")).await), "481", "{method}");
    }
    assert_eq!(status(&wire.ask(&wire.peer.request("DANCE", 3, "", "")).await), "501");
}

#[tokio::test]
async fn an_invite_that_asks_for_more_than_we_have_is_refused() {
    let mut wire = Wire::new().await;
    let invite = |cseq, extra: &str, body| wire.peer.request("INVITE", cseq, extra, body);
    let required = wire.ask(&invite(1, "Require: timer, precondition\r\n", "")).await;
    assert_eq!(status(&required), "420");
    assert!(required.contains("Unsupported: precondition\r\n"));
    assert_eq!(status(&wire.ask(&invite(2, "Content-Type: text/plain\r\n", "hi")).await), "415");
    let telephone = invite(3, SDP_TYPE, SDP).replacen("sip:bob@", "tel:+1555@", 1);
    assert_eq!(status(&wire.ask(&telephone).await), "416");
    let nowhere = invite(4, SDP_TYPE, SDP).replace("Contact:", "X-Contact:");
    assert_eq!(status(&wire.ask(&nowhere).await), "400");
    assert!(wire.calls.try_recv().is_err());
}

#[tokio::test]
async fn a_draining_agent_says_when_to_come_back() {
    let wire = Wire::new().await;
    wire.agent.drain(Duration::from_secs(30));
    let refusal = wire.ask(&wire.peer.invite(1)).await;
    assert_eq!(status(&refusal), "503");
    assert!(refusal.contains("Retry-After: 30\r\n"));
}

#[tokio::test]
async fn an_application_that_does_not_keep_up_sheds_calls() {
    let wire = Wire::new().await;
    for cseq in 0..256 {
        wire.peer.send(&wire.peer.invite(cseq).replace("c1@test", &format!("c{cseq}@test"))).await;
        assert_eq!(status(&wire.peer.receive().await), "100");
    }
    let refusal = wire.ask(&wire.peer.invite(300)).await;
    assert_eq!(status(&refusal), "503");
    assert!(refusal.contains("Retry-After: "));
}

#[tokio::test]
async fn a_refusal_carries_its_retry_after() {
    let mut wire = Wire::new().await;
    wire.peer.send(&wire.peer.invite(1)).await;
    next(&mut wire.calls).await.control.refuse(503, Some(Duration::from_secs(7)));
    let refusal = wire.peer.expect("SIP/2.0 503").await;
    assert!(refusal.contains("Retry-After: 7\r\n"));
    assert!(to_line(&refusal).contains(";tag="));
    let ack = wire.peer.request("ACK", 1, &to_line(&refusal), "").replace("bKACK1", "bKINVITE1");
    wire.peer.send(&ack).await;
    assert_eq!(wire.peer.receive_within(Duration::from_millis(800)).await, None);
}

#[tokio::test]
async fn a_cancelled_invite_is_terminated() {
    let mut wire = Wire::new().await;
    wire.peer.send(&wire.peer.invite(1)).await;
    let mut call = next(&mut wire.calls).await;
    call.control.ring();
    wire.peer.expect("SIP/2.0 180").await;
    let cancel = wire.peer.request("CANCEL", 1, "", "").replace("z9hG4bKCANCEL1", "z9hG4bKINVITE1");
    wire.peer.send(&cancel).await;
    wire.peer.expect("SIP/2.0 200").await;
    wire.peer.expect("SIP/2.0 487").await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::Canceled));
    call.control.answer(SDP.into());
    wire.alive().await;
}

#[tokio::test]
async fn goodbye_before_the_answer_ends_the_invite_too() {
    let mut wire = Wire::new().await;
    wire.peer.send(&wire.peer.invite(1)).await;
    let mut call = next(&mut wire.calls).await;
    call.control.ring();
    let to = to_line(&wire.peer.expect("SIP/2.0 180").await);
    wire.peer.send(&wire.peer.request("BYE", 2, &to, "")).await;
    let mut replies = [wire.peer.receive().await, wire.peer.receive().await];
    replies.sort();
    assert_eq!(replies.each_ref().map(|reply| status(reply)), ["200", "487"]);
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
}

#[tokio::test]
async fn an_answer_that_nobody_acknowledges_ends_the_call() {
    let mut wire = Wire::impatient().await;
    wire.peer.send(&wire.peer.invite(1)).await;
    let mut call = next(&mut wire.calls).await;
    call.control.answer(SDP.into());
    wire.peer.expect("SIP/2.0 200").await;
    wire.peer.expect("SIP/2.0 200").await;
    wire.peer.expect("BYE ").await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(408)));
    forgotten(&wire.agent).await;
}

#[tokio::test]
async fn hanging_up_before_the_ack_waits_for_it() {
    let mut wire = Wire::new().await;
    wire.peer.send(&wire.peer.invite(1)).await;
    let mut call = next(&mut wire.calls).await;
    call.control.answer(SDP.into());
    let to = to_line(&wire.peer.expect("SIP/2.0 200").await);
    call.control.hang_up();
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
    assert_eq!(wire.peer.receive_within(Duration::from_millis(200)).await, None);
    wire.peer.send(&wire.peer.request("ACK", 1, &to, "")).await;
    wire.peer.expect("BYE ").await;
}

#[tokio::test]
async fn requests_go_to_the_contact_as_the_peer_wrote_it() {
    let mut wire = Wire::new().await;
    wire.peer.send(&wire.peer.invite(1).replace("Contact: <sip:al@", "Contact: <sip:al%40home%20x@")).await;
    let call = next(&mut wire.calls).await;
    call.control.answer(SDP.into());
    let to = to_line(&wire.peer.expect("SIP/2.0 200").await);
    wire.peer.send(&wire.peer.request("ACK", 1, &to, "")).await;
    call.control.hang_up();
    assert!(wire.peer.expect("BYE ").await.starts_with("BYE sip:al%40home%20x@127.0.0.1:"));
}

#[tokio::test]
async fn a_second_goodbye_is_answered_and_changes_nothing() {
    let mut wire = Wire::new().await;
    let (mut call, to) = wire.up().await;
    let bye = wire.peer.request("BYE", 2, &to, "");
    assert_eq!(status(&wire.ask(&bye).await), "200");
    assert_eq!(status(&wire.ask(&bye).await), "200");
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
    forgotten(&wire.agent).await;
    assert_eq!(status(&wire.ask(&wire.peer.request("BYE", 3, &to, "")).await), "481");
}

#[tokio::test]
async fn a_goodbye_with_a_guessed_tag_is_no_goodbye() {
    let mut wire = Wire::new().await;
    let (mut call, to) = wire.up().await;
    let theirs = wire.peer.request("BYE", 2, &to, "").replace("tag=a1", "tag=a2");
    assert_eq!(status(&wire.ask(&theirs).await), "481");
    let ours = wire.peer.request("BYE", 3, "To: <sip:bob@127.0.0.1>;tag=guess\r\n", "");
    assert_eq!(status(&wire.ask(&ours).await), "481");
    assert!(call.events.try_recv().is_err());
}

#[tokio::test]
async fn hold_and_resume_are_offers() {
    let mut wire = Wire::new().await;
    let (mut call, to) = wire.up().await;
    for (cseq, method) in [(2, "INVITE"), (3, "UPDATE"), (4, "INVITE")] {
        let offer = format!("{SDP}a=sendonly\r\ni={cseq}\r\n");
        wire.peer.send(&wire.peer.request(method, cseq, &format!("{to}{SDP_TYPE}"), &offer)).await;
        assert_eq!(next(&mut call.events).await, CallEvent::Offer { sdp: Some(offer) });
        call.control.accept_offer(format!("{SDP}a=recvonly\r\n"));
        let answer = wire.peer.expect("SIP/2.0 200").await;
        assert!(answer.contains("Contact: <sip:127.0.0.1:"), "{answer}");
        assert!(answer.ends_with("a=recvonly\r\n"));
        if method == "INVITE" {
            wire.peer.send(&wire.peer.request("ACK", cseq, &to, "")).await;
        }
    }
    assert_eq!(wire.peer.receive_within(Duration::from_millis(700)).await, None);
}

#[tokio::test]
async fn a_refused_offer_leaves_the_call_as_it_was() {
    let mut wire = Wire::new().await;
    let (mut call, to) = wire.up().await;
    let headers = format!("{to}{SDP_TYPE}");
    wire.peer.send(&wire.peer.request("INVITE", 2, &headers, SDP)).await;
    assert!(matches!(next(&mut call.events).await, CallEvent::Offer { .. }));
    let early = wire.peer.request("UPDATE", 3, &headers, SDP);
    wire.peer.send(&early).await;
    assert!(wire.peer.expect("SIP/2.0 500").await.contains("Retry-After: 1\r\n"));
    call.control.refuse_offer();
    wire.peer.expect("SIP/2.0 488").await;
    wire.peer.send(&wire.peer.request("ACK", 2, &to, "").replace("bKACK2", "bKINVITE2")).await;
    let old = wire.ask(&wire.peer.request("OPTIONS", 2, &to, "")).await;
    assert_eq!(status(&old), "500", "CSeq goes backwards");
    assert_eq!(status(&wire.ask(&wire.peer.request("OPTIONS", 4, &to, "")).await), "200");
    assert_eq!(status(&wire.ask(&wire.peer.request("MESSAGE", 5, &to, "")).await), "405");
    assert_eq!(status(&wire.ask(&wire.peer.request("UPDATE", 6, &to, "")).await), "200");
}

#[tokio::test]
async fn an_accepted_offer_that_nobody_acknowledges_ends_the_call() {
    let mut wire = Wire::impatient().await;
    let (mut call, to) = wire.up().await;
    wire.peer.send(&wire.peer.request("INVITE", 2, &format!("{to}{SDP_TYPE}"), SDP)).await;
    assert!(matches!(next(&mut call.events).await, CallEvent::Offer { .. }));
    call.control.accept_offer(SDP.into());
    wire.peer.expect("BYE ").await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(408)));
}

#[tokio::test]
async fn goodbye_ends_an_offer_that_waits() {
    let mut wire = Wire::new().await;
    let (mut call, to) = wire.up().await;
    wire.peer.send(&wire.peer.request("INVITE", 2, &format!("{to}{SDP_TYPE}"), SDP)).await;
    assert!(matches!(next(&mut call.events).await, CallEvent::Offer { .. }));
    call.control.hang_up();
    wire.peer.expect("SIP/2.0 487").await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
}

#[tokio::test]
async fn an_invite_without_an_offer_gets_ours() {
    let mut wire = Wire::new().await;
    wire.peer.send(&wire.peer.request("INVITE", 1, "", "")).await;
    let mut call = next(&mut wire.calls).await;
    assert_eq!(call.offer, None);
    call.control.answer(format!("{SDP}i=ours\r\n"));
    let ok = wire.peer.expect("SIP/2.0 200").await;
    assert!(ok.ends_with("i=ours\r\n"));
    let to = to_line(&ok);
    wire.peer.send(&wire.peer.request("ACK", 1, &format!("{to}{SDP_TYPE}"), SDP)).await;
    assert_eq!(next(&mut call.events).await, answered(SDP));

    wire.peer.send(&wire.peer.request("INVITE", 2, &to, "")).await;
    assert_eq!(next(&mut call.events).await, CallEvent::Offer { sdp: None });
    call.control.accept_offer(SDP.into());
    wire.peer.expect("SIP/2.0 200").await;
    let theirs = format!("{SDP}i=theirs\r\n");
    wire.peer.send(&wire.peer.request("ACK", 2, &format!("{to}{SDP_TYPE}"), &theirs)).await;
    assert_eq!(next(&mut call.events).await, answered(&theirs));
}

#[tokio::test]
async fn an_offer_of_ours_without_an_answer_ends_the_call() {
    let mut wire = Wire::new().await;
    wire.peer.send(&wire.peer.request("INVITE", 1, "", "")).await;
    let mut call = next(&mut wire.calls).await;
    call.control.answer(SDP.into());
    let to = to_line(&wire.peer.expect("SIP/2.0 200").await);
    wire.peer.send(&wire.peer.request("ACK", 1, &to, "")).await;
    wire.peer.expect("BYE ").await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
}

#[tokio::test]
async fn malformed_datagrams_disturb_nothing() {
    let mut wire = Wire::new().await;
    let (mut call, _) = wire.up().await;
    let invite = wire.peer.invite(7).replace("c1@test", "c7@test");
    let answered = [
        invite.replace("Content-Length: ", "Content-Length: 99"),
        invite.replace("Content-Length: ", "Content-Length: -"),
        invite.replace("CSeq: 7 INVITE", "CSeq: 7 REGISTER"),
        invite.replace("CSeq: 7 INVITE", "CSeq: 36893488147419103232 INVITE"),
        invite.replace("Call-ID: c7@test\r\n", ""),
        invite.replace(";tag=a1", ""),
        invite.replace("INVITE sip:bob@", "INVITE sip:bob @"),
        invite.split("\r\n\r\n").next().unwrap().to_owned(),
        invite.replace("To: <sip:bob@127.0.0.1>", "To: <sip:bob@127.0.0.1"),
    ];
    for message in &answered {
        assert_ne!(message, &invite);
        let reply = wire.ask(message).await;
        assert_eq!(status(&reply), "400", "{message}");
    }
    assert_eq!(status(&wire.ask(&invite.replace(" SIP/2.0\r\nVia", " SIP/7.0\r\nVia")).await), "505");
    for nothing in ["", "\0", "jaxmpi", "SIP/2.0", "SIP/2.0 200 OK\r\n\r\n", "INVITE sip:a@b SIP/2.0\r\n\r\n"]
    {
        wire.peer.send(nothing).await;
    }
    wire.alive().await;
    assert!(wire.calls.try_recv().is_err() && call.events.try_recv().is_err());
}

#[tokio::test]
async fn unusual_but_valid_messages_are_understood() {
    let mut wire = Wire::new().await;
    // After "A short tortuous INVITE" of RFC 4475: compact and folded headers in odd case, unknown ones.
    let local = wire.peer.socket.local_addr().unwrap();
    let tortuous = format!(
        "INVITE sip:vivekg@127.0.0.1;unknownparam SIP/2.0\r\nTO :\r\n <sip:vivekg@127.0.0.1>  \r\n\
         from   : \"J Rosenberg\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag=98asjd8\r\n\
         MaX-fOrWaRdS: 0068\r\ni: wsinv.ndaksdj@192.0.2.1\r\ncseq: 0009\r\n  INVITE\r\n\
         v : SIP/2.0/UDP {local}\r\n ;branch=z9hG4bK390skdjuw;rport\r\ns :\r\nNewFangledHeader: newfangled\r\n \
         value\r\nm: <sip:jdrosen@{local}>\r\n\r\n"
    );
    wire.peer.send(&tortuous).await;
    let call = next(&mut wire.calls).await;
    assert_eq!((call.user.as_str(), call.from.as_str()), ("vivekg", "sip:jdrosen@example.com"));
    call.control.refuse(486, None);
    wire.peer.expect("SIP/2.0 486").await;
}

#[tokio::test]
async fn a_datagram_that_is_larger_than_we_read_is_answered() {
    let wire = Wire::new().await;
    let large = wire.peer.request("INVITE", 1, &format!("X-Long: {}\r\n", "z".repeat(9000)), SDP);
    assert_eq!(status(&wire.ask(&large).await), "513");
    wire.alive().await;
}
