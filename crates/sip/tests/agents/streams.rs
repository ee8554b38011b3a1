//! What slow, silent and greedy peers may do on streams.

use std::time::Duration;

use mixminus_sip::{StreamLimits, UserAgent, UserAgentConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::common::{PATIENCE, Peer, config, status};
use crate::secure::Authority;

/// Much longer than the limits that a test is about, and longer than a busy machine needs.
const LONG: Duration = Duration::from_mins(1);

async fn limited(streams: StreamLimits) -> (UserAgent, Peer) {
    let config = UserAgentConfig { streams, ..config(&["tcp:127.0.0.1:0"]) };
    let (agent, _) = UserAgent::start(config).await.unwrap();
    let peer = Peer::new(&agent).await;
    (agent, peer)
}

fn short(change: impl FnOnce(&mut StreamLimits)) -> StreamLimits {
    let mut limits = StreamLimits { handshake: LONG, message: LONG, unused: LONG, ..StreamLimits::default() };
    change(&mut limits);
    limits
}

async fn connect(peer: &Peer) -> TcpStream {
    let stream = TcpStream::connect(peer.server).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn options(peer: &Peer, cseq: u32) -> String {
    peer.request("OPTIONS", cseq, "", "").replace("SIP/2.0/UDP", "SIP/2.0/TCP")
}

/// What comes next, nothing at the end of the stream.
async fn read(stream: &mut TcpStream) -> String {
    let mut response = vec![0; 4096];
    let length = timeout(PATIENCE, stream.read(&mut response)).await.expect("in time").unwrap_or(0);
    String::from_utf8(response[..length].to_vec()).unwrap()
}

async fn is_answered(stream: &mut TcpStream, request: &str) -> bool {
    stream.write_all(request.as_bytes()).await.is_ok() && read(stream).await.starts_with("SIP/2.0 200")
}

#[tokio::test]
async fn a_message_that_does_not_end_ends_its_stream() {
    let (_agent, peer) = limited(short(|limits| limits.message = Duration::from_millis(200))).await;
    let mut half = connect(&peer).await;
    half.write_all(b"OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: ").await.unwrap();
    assert_eq!(read(&mut half).await, "");
    let mut slow = connect(&peer).await;
    let request = options(&peer, 1);
    let mut sent = 0;
    for byte in request.bytes() {
        if slow.write_all(&[byte]).await.is_err() {
            break;
        }
        sent += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(read(&mut slow).await, "");
    assert!(sent < request.len());
}

#[tokio::test]
async fn a_message_in_single_bytes_is_answered() {
    let (_agent, peer) = limited(short(|_| ())).await;
    let mut stream = connect(&peer).await;
    for byte in options(&peer, 1).bytes() {
        stream.write_all(&[byte]).await.unwrap();
    }
    assert_eq!(status(&read(&mut stream).await), "200");
    for byte in *b"\r\n\r\n" {
        stream.write_all(&[byte]).await.unwrap();
        stream.flush().await.unwrap();
    }
    assert_eq!(read(&mut stream).await, "\r\n");
}

#[tokio::test]
async fn silence_ends_a_stream_on_which_nothing_was_agreed() {
    let config = UserAgentConfig {
        streams: short(|limits| limits.unused = Duration::from_millis(300)),
        ..config(&["tcp:127.0.0.1:0"])
    };
    let (agent, mut calls) = UserAgent::start(config).await.unwrap();
    let peer = Peer::new(&agent).await;
    let mut silent = connect(&peer).await;
    assert_eq!(read(&mut silent).await, "");
    let mut curious = connect(&peer).await;
    assert!(is_answered(&mut curious, &options(&peer, 1)).await);
    assert_eq!(read(&mut curious).await, "");

    let mut calling = connect(&peer).await;
    let invite = peer.invite(2).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    calling.write_all(invite.as_bytes()).await.unwrap();
    let call = crate::common::next(&mut calls).await;
    call.control.answer(crate::common::SDP.into());
    while !read(&mut calling).await.contains("SIP/2.0 200") {}
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(is_answered(&mut calling, &options(&peer, 3)).await);
}

#[tokio::test]
async fn connections_of_an_address_are_limited() {
    let (_agent, peer) = limited(short(|limits| limits.max_per_address = 20)).await;
    let mut streams = Vec::new();
    for _ in 0..300 {
        streams.push(connect(&peer).await);
    }
    let mut alive = 0;
    for (index, stream) in streams.iter_mut().enumerate() {
        alive += usize::from(is_answered(stream, &options(&peer, index as u32 + 1)).await);
    }
    assert_eq!(alive, 20);
    drop(streams);
    let again = async {
        while !is_answered(&mut connect(&peer).await, &options(&peer, 1000)).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, again).await.expect("places are free again");
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_ends_its_stream() {
    let authority = Authority::new();
    let config = UserAgentConfig {
        tls_server: Some(authority.server("127.0.0.1")),
        streams: short(|limits| limits.handshake = Duration::from_millis(200)),
        ..config(&["tls:127.0.0.1:0"])
    };
    let (agent, _calls) = UserAgent::start(config).await.unwrap();
    let peer = Peer::new(&agent).await;
    for first in [&b""[..], b"\x16\x03\x01", b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"] {
        let mut stream = connect(&peer).await;
        stream.write_all(first).await.unwrap();
        let mut rest = Vec::new();
        let ended = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("in time");
        // What is not TLS is told so by an alert.
        assert!(ended.is_err() || rest.is_empty() || rest[0] == 21);
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_loses_its_stream_and_delays_nobody() {
    let (_agent, peer) = limited(short(|limits| limits.message = Duration::from_secs(2))).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut deaf = socket.connect(peer.server).await.unwrap();
    let flood = async {
        let request = options(&peer, 1).replace("c1@test", "deaf");
        while deaf.write_all(request.as_bytes()).await.is_ok() {}
    };
    let mut other = connect(&peer).await;
    let alive = async {
        for cseq in 2..50 {
            assert!(is_answered(&mut other, &options(&peer, cseq)).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (flooded, ()) = tokio::join!(timeout(Duration::from_secs(30), flood), alive);
    assert!(flooded.is_ok());
}
