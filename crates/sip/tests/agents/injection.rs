//! Whatever is given for a call, its INVITE has the headers that it should have and no others.

use std::time::Duration;

use crate::common::{Peer, SDP, agent, answer_to};
use mixminus_sip::{OutgoingCallRequest, UserAgent};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Names of the headers of an INVITE to which nothing was added.
const OWN: [&str; 14] = [
    "Allow",
    "CSeq",
    "Call-ID",
    "Contact",
    "Content-Length",
    "Content-Type",
    "From",
    "Max-Forwards",
    "Min-SE",
    "Session-Expires",
    "Supported",
    "To",
    "User-Agent",
    "Via",
];

/// Text as an attacker would write it: with what ends lines, headers, quotes and addresses.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[ -~]{0,8}",
        1 => any::<String>().prop_map(|text| text.chars().take(8).collect()),
        2 => prop::sample::select(vec![
            "\r\n", "\n", "\r", "\0", "\r\n ", "\u{85}", "\u{2028}", "\"", "\\", "<", ">", ";tag=1", "@", "%0d%0a",
            "\r\nVia: SIP/2.0/UDP evil;branch=z9hG4bK1", "\" <sip:evil@evil>", "Via", ": ", "\r\n\r\nv=1",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn request() -> impl Strategy<Value = OutgoingCallRequest> {
    let name =
        prop_oneof![hostile(), hostile().prop_map(|rest| format!("X-{rest}")), "X-PH-[A-Za-z0-9]{1,9}"];
    let header = (name, prop_oneof![hostile(), "[ -~]{0,20}"]);
    let display = prop::option::of(prop_oneof![hostile(), "[ -~]{0,20}"]);
    let user = prop_oneof![hostile(), "[a-z0-9+%@]{1,8}", Just("bob".to_owned())];
    (display, prop::collection::vec(header, 0..2), user.clone(), user).prop_map(
        |(display, headers, from, to)| OutgoingCallRequest {
            target: to,
            from: format!("sip:{from}@caller.example"),
            from_display: display,
            offer: SDP.into(),
            headers,
            ..OutgoingCallRequest::default()
        },
    )
}

/// The INVITE of a call, if it was placed.
async fn invite(caller: &UserAgent, mut request: OutgoingCallRequest) -> Option<String> {
    let peer = Peer::new(caller).await;
    request.target = format!("sip:{}@{}", request.target, peer.socket.local_addr().unwrap());
    let _call = caller.call(request).ok()?;
    let invite = peer.receive_within(Duration::from_secs(5)).await.expect("a call that was placed is sent");
    peer.send(&answer_to(&invite, "486 Busy Here")).await;
    Some(invite)
}

fn check(invite: &str, given: &OutgoingCallRequest) -> Result<(), TestCaseError> {
    let (head, body) = invite.split_once("\r\n\r\n").unwrap();
    prop_assert_eq!(body, SDP);
    prop_assert!(!head.replace("\r\n", "").contains(char::is_control));
    let lines: Vec<_> = head.split("\r\n").skip(1).map(|line| line.split_once(": ").unwrap()).collect();
    let mut names: Vec<_> = lines.iter().map(|(name, _)| *name).collect();
    let mut expected: Vec<_> =
        OWN.into_iter().chain(given.headers.iter().map(|(name, _)| name.as_str())).collect();
    names.sort_unstable();
    expected.sort_unstable();
    prop_assert_eq!(names, expected);
    for (name, value) in &given.headers {
        prop_assert!(lines.contains(&(name.as_str(), value.as_str())));
    }
    let from = lines.iter().find(|(name, _)| *name == "From").unwrap().1;
    let (before, address) = from.split_once('<').unwrap();
    prop_assert!(address.starts_with("sip:") && address.contains("@caller.example>;tag="), "{}", from);
    prop_assert!(!address.contains(['<', '"', '\\']) && address.matches('>').count() == 1, "{}", from);
    prop_assert!(!before.contains(['>', '\\']) && matches!(before.matches('"').count(), 0 | 2), "{}", from);
    Ok(())
}

#[test]
fn nothing_that_is_given_for_a_call_becomes_a_header_of_its_own() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (caller, _calls) = runtime.block_on(agent(&["udp:127.0.0.1:0"]));
    let placed = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 2048, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&request(), |given| {
        let Some(invite) = runtime.block_on(invite(&caller, given.clone())) else { return Ok(()) };
        placed.set(placed.get() + 1);
        check(&invite, &given)
    });
    outcome.unwrap();
    assert!(placed.get() >= 200, "only {} calls of 2048 were placed", placed.get());
    runtime.block_on(async { drop(caller) });
}
