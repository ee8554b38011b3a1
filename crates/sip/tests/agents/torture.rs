//! The torture messages of RFC 4475, each by datagram, and what they are answered.
//!
//! They ask for a UAS that has none of their calls. What they say of it is in `docs/sip-torture.md`.

use std::net::SocketAddr;
use std::path::Path;

use mixminus_sip::IncomingCall;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::common::{PATIENCE, Peer, SDP, agent, next, status};

/// Their Vias name hosts without `rport`, so responses go to this address, by what the datagrams came
/// from, and the port of SIP.
const TORTURER: &str = "127.44.75.1:5060";
/// Name of the message, and status of the answer; `-` for none, `call` for a call offered.
const ANSWERS: &[(&str, &str)] = &[
    ("wsinv", "481"),
    ("intmeth", "501"),
    ("esc01", "call"),
    ("escnull", "405"),
    ("esc02", "501"),
    ("lwsdisp", "200"),
    ("longreq", "call"),
    ("dblreq", "405"),
    ("semiuri", "200"),
    ("transports", "200"),
    ("mpart01", "405"),
    ("unreason", "-"),
    ("noreason", "-"),
    ("badinv01", "400"),
    ("clerr", "400"),
    ("ncl", "400"),
    ("scalar02", "400"),
    ("scalarlg", "-"),
    ("quotbal", "400"),
    ("ltgtruri", "400"),
    ("lwsruri", "400"),
    ("lwsstart", "400"),
    ("trws", "200"),
    ("escruri", "400"),
    ("baddate", "call"),
    ("regbadct", "405"),
    ("badaspec", "200"),
    ("baddn", "200"),
    ("badvers", "505"),
    ("mismatch01", "400"),
    ("mismatch02", "501"),
    ("bigcode", "-"),
    ("badbranch", "200"),
    ("insuf", "400"),
    ("unkscm", "416"),
    ("novelsc", "416"),
    ("unksm2", "405"),
    ("bext01", "420"),
    ("invut", "415"),
    ("regaut01", "405"),
    ("multi01", "400"),
    ("mcl01", "400"),
    ("bcast", "-"),
    ("zeromf", "200"),
    ("cparam01", "405"),
    ("cparam02", "405"),
    ("regescrt", "405"),
    ("sdp01", "406"),
    ("inv2543", "400"),
];

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test is the far end")]
async fn torture_messages_are_answered_as_their_rfc_asks() {
    let (agent, mut calls) = agent(&["udp:127.0.0.1:0"]).await;
    let Ok(socket) = UdpSocket::bind(TORTURER).await else { panic!("port 5060 of {TORTURER} is taken") };
    let server = agent.listening()[0].address;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, ANSWERS.len());
    let mut wrong = Vec::new();
    for (name, expected) in ANSWERS {
        let message = std::fs::read(folder.join(format!("{name}.sip"))).unwrap();
        socket.send_to(&message, server).await.unwrap();
        let answer = answer(&socket, server, name, &mut calls).await;
        if answer != *expected {
            wrong.push(format!("{name}: {answer} for {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let peer = Peer::new(&agent).await;
    peer.send(&peer.request("INVITE", 1, "Content-Type: application/sdp\r\n", SDP)).await;
    next(&mut calls).await;
}

/// What the message called `name`, just sent, is answered. What comes after the answer to a probe is no
/// answer to it any more.
async fn answer(
    socket: &UdpSocket,
    server: SocketAddr,
    name: &str,
    calls: &mut mpsc::Receiver<IncomingCall>,
) -> String {
    let local = socket.local_addr().unwrap();
    let probe = format!(
        "OPTIONS sip:bob@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKprobe{name}\r\n\
         From: <sip:al@{local}>;tag=1\r\nTo: <sip:bob@{server}>\r\nCall-ID: probe {name}\r\n\
         CSeq: 1 OPTIONS\r\n\r\n"
    )
    .replace("probe ", "probe-");
    socket.send_to(probe.as_bytes(), server).await.unwrap();
    // All but this one say their name somewhere in what a response copies.
    let mark = if name == "mpart01" { "3d9485ad" } else { name };
    let mut last = "-".to_owned();
    let mut bytes = vec![0; 65_536];
    loop {
        let (length, _) = timeout(PATIENCE, socket.recv_from(&mut bytes)).await.expect("in time").unwrap();
        let response = String::from_utf8_lossy(&bytes[..length]);
        if response.contains(&format!("probe-{name}")) {
            break;
        }
        if response.contains(mark) && !response.starts_with("SIP/2.0 100") {
            status(&response).clone_into(&mut last);
        }
    }
    if calls.try_recv().is_ok() { "call".into() } else { last }
}
