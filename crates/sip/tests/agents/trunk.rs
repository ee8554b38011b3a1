//! Calls through a trunk: its route and its challenges.

use std::time::Duration;

use crate::common::{SDP, agent, answer_to, failed, forgotten, last, next};
use crate::outgoing::Calling;
use mixminus_sip::{CallEnd, CallEvent, Credentials, OutgoingCallRequest};

/// What the trunk asks with, and the answers of alice with the password `secret` (computed elsewhere).
const MD5: &str = "Digest realm=\"trunk\", nonce=\"n1\", algorithm=MD5";
const MD5_ANSWER: &str = "response=\"71a521ac05b30191c12a8916d325f1fb\", algorithm=MD5\r\n";
const SHA256: &str = "Digest realm=\"trunk\", nonce=\"n1\", algorithm=SHA-256";
const SHA256_ANSWER: &str = "response=\"85298819077058f76e34aa69fbadf17324e2c8df5b6b6384fc155d121e0b8ebb\", \
                             algorithm=SHA-256\r\n";

/// A call to a number by a trunk at the peer's address.
async fn through_trunk(credentials: Option<Credentials>) -> Calling {
    Calling::with(|address| OutgoingCallRequest {
        target: "sip:+14155550100@trunk.example".into(),
        route: Some(format!("sip:{address}")),
        credentials,
        ..OutgoingCallRequest::default()
    })
    .await
}

fn alice() -> Credentials {
    Credentials { username: "alice".into(), password: "secret".into() }
}

/// Answers `request` with 401 or 407 and these challenges.
async fn challenge(calling: &Calling, request: &str, status: u16, challenges: &[&str]) {
    let name = if status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
    let lines: Vec<_> = challenges.iter().map(|challenge| format!("{name}: {challenge}\r\n")).collect();
    let lines = lines.concat();
    let answer = answer_to(request, &format!("{status} Who"))
        .replace("Content-Length", &format!("{lines}Content-Length"));
    calling.peer.send(&answer).await;
    calling.peer.expect("ACK ").await;
}

fn lines<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    request.lines().filter(|line| line.starts_with(name)).collect()
}

#[tokio::test]
async fn a_number_goes_to_its_trunk_by_the_route() {
    let mut calling = through_trunk(None).await;
    let address = calling.peer.socket.local_addr().unwrap();
    assert!(calling.invite.starts_with("INVITE sip:+14155550100@trunk.example SIP/2.0\r\n"));
    assert_eq!(lines(&calling.invite, "Route:"), [format!("Route: <sip:{address};lr>")]);
    assert_eq!(lines(&calling.invite, "To:"), ["To: <sip:+14155550100@trunk.example>"]);
    calling.peer.send(&answer_to(&calling.invite, "100 Trying")).await;
    calling.call.control.hang_up();
    let cancel = calling.peer.expect("CANCEL ").await;
    assert_eq!(lines(&cancel, "Route:"), lines(&calling.invite, "Route:"));
    assert_eq!(last(&mut calling.call.events).await, CallEvent::Ended(CallEnd::Canceled));
}

#[tokio::test]
async fn the_route_says_which_transport_is_used() {
    let (caller, _) = agent(&["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]).await;
    let (callee, mut calls) = agent(&["tcp:127.0.0.1:0"]).await;
    let request = OutgoingCallRequest {
        target: "sip:+14155550100@trunk.example".into(),
        from: "sip:alice@caller.example".into(),
        from_display: Some("Alice <\"A\">".into()),
        offer: SDP.into(),
        route: Some(format!("sip:{};transport=tcp", callee.listening()[0].address)),
        ..OutgoingCallRequest::default()
    };
    let mut out = caller.call(request).unwrap();
    let mut incoming = next(&mut calls).await;
    assert_eq!(incoming.to, "sip:+14155550100@trunk.example");
    assert_eq!(incoming.from_display.as_deref(), Some("Alice ('A')"));
    incoming.control.answer(SDP.into());
    assert!(matches!(next(&mut out.events).await, CallEvent::Answered { .. }));
    incoming.control.hang_up();
    assert_eq!(last(&mut out.events).await, CallEvent::Ended(CallEnd::HungUp));
    assert_eq!(last(&mut incoming.events).await, CallEvent::Ended(CallEnd::HungUp));
    forgotten(&caller).await;
    forgotten(&callee).await;
}

#[tokio::test]
async fn a_challenge_is_answered() {
    let first_known = ["Digest realm=\"trunk\", nonce=\"n2\", algorithm=SHA-512-256", SHA256, MD5];
    let cases: [(u16, &[&str], &str); 4] = [
        (401, &[MD5], MD5_ANSWER),
        (407, &[MD5], MD5_ANSWER),
        (401, &[SHA256], SHA256_ANSWER),
        (407, &first_known, SHA256_ANSWER),
    ];
    for (status, challenges, answer) in cases {
        let mut calling = through_trunk(Some(alice())).await;
        challenge(&calling, &calling.invite, status, challenges).await;
        let again = calling.peer.expect("INVITE ").await;
        let name = if status == 407 { "Proxy-Authorization" } else { "Authorization" };
        let expected = format!(
            "{name}: Digest username=\"alice\", realm=\"trunk\", nonce=\"n1\", \
             uri=\"sip:+14155550100@trunk.example\", {answer}"
        );
        assert!(again.contains(&expected), "{expected}{again}");
        assert_eq!(lines(&again, "Call-ID:"), lines(&calling.invite, "Call-ID:"));
        assert_ne!(lines(&again, "CSeq:"), lines(&calling.invite, "CSeq:"));
        let tag = "To: <sip:+14155550100@trunk.example>";
        let ringing = answer_to(&again, "180 Ringing").replace(tag, &format!("{tag};tag=t"));
        calling.peer.send(&ringing).await;
        assert_eq!(next(&mut calling.call.events).await, CallEvent::Ringing);
    }
}

#[tokio::test]
async fn quality_of_protection_is_written_as_the_rfc_has_it() {
    let calling = through_trunk(Some(alice())).await;
    challenge(&calling, &calling.invite, 401, &[&format!("{MD5}, qop=\"auth,auth-int\", opaque=\"o\"")])
        .await;
    let again = calling.peer.expect("INVITE ").await;
    assert!(
        lines(&again, "Authorization:")[0].contains("opaque=\"o\", qop=auth, nc=00000001, cnonce=\""),
        "{again}"
    );
}

#[tokio::test]
async fn a_password_that_is_wrong_is_tried_once() {
    for status in [401, 407] {
        let mut calling = through_trunk(Some(alice())).await;
        challenge(&calling, &calling.invite, status, &[MD5]).await;
        let again = calling.peer.expect("INVITE ").await;
        challenge(&calling, &again, status, &[MD5]).await;
        assert_eq!(last(&mut calling.call.events).await, CallEvent::Ended(failed(status)));
    }
}

#[tokio::test]
async fn a_callee_that_challenges_a_goodbye_learns_nothing_of_the_trunks_password() {
    for status in [401, 407] {
        let mut calling = through_trunk(Some(alice())).await;
        challenge(&calling, &calling.invite, 407, &[MD5]).await;
        let again = calling.peer.expect("INVITE ").await;
        let to = "To: <sip:+14155550100@trunk.example>";
        let contact =
            format!("Contact: <sip:{}>\r\nContent-Length", calling.peer.socket.local_addr().unwrap());
        let ok = answer_to(&again, "200 OK").replace(to, &format!("{to};tag=t"));
        calling.peer.send(&ok.replace("Content-Length", &contact)).await;
        assert!(matches!(next(&mut calling.call.events).await, CallEvent::Answered { .. }));
        calling.call.control.hang_up();
        let bye = calling.peer.expect("BYE ").await;
        let name = if status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        let refusal = answer_to(&bye, &format!("{status} Who"));
        let line = format!("{name}: {MD5}\r\nContent-Length");
        calling.peer.send(&refusal.replace("Content-Length", &line)).await;
        assert_eq!(last(&mut calling.call.events).await, CallEvent::Ended(CallEnd::HungUp));
        let more = calling.peer.receive_within(Duration::from_millis(300)).await;
        assert!(!more.unwrap_or_default().contains("uthorization:"), "{status}");
    }
}

#[tokio::test]
async fn a_challenge_that_cannot_be_answered_is_a_refusal() {
    let basic = "Basic realm=\"trunk\"";
    for (credentials, given) in
        [(None, MD5), (Some(alice()), basic), (Some(alice()), "Digest realm=\"trunk\"")]
    {
        for status in [401, 407] {
            let mut calling = through_trunk(credentials.clone()).await;
            challenge(&calling, &calling.invite, status, &[given]).await;
            assert_eq!(last(&mut calling.call.events).await, CallEvent::Ended(failed(status)), "{given}");
        }
    }
}
