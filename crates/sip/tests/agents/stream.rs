//! A user agent against plain text from a TCP connection.

use crate::common::{PATIENCE, Peer, agent, status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn a_stream_survives_pieces_and_closes_on_garbage() {
    let (agent, mut calls) = agent(&["tcp:127.0.0.1:0"]).await;
    let listening = agent.listening()[0].address;
    let mut garbage = tokio::net::TcpStream::connect(listening).await.unwrap();
    garbage.write_all(b"NOT SIP\r\nContent-Length: -1\r\n\r\n").await.unwrap();
    let closed = tokio::time::timeout(PATIENCE, garbage.read(&mut [0; 64])).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)));

    let mut stream = tokio::net::TcpStream::connect(listening).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let local = stream.local_addr().unwrap();
    let options = format!(
        "OPTIONS sip:bob@{listening} SIP/2.0\r\nVia: SIP/2.0/TCP {local};branch=z9hG4bK1\r\n\
         From: <sip:al@{local}>;tag=1\r\nTo: <sip:bob@{listening}>\r\nCall-ID: 1@x\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
    for piece in options.as_bytes().chunks(40) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(read(&mut stream).await.starts_with("SIP/2.0 200 OK\r\n"));
    assert!(calls.try_recv().is_err());
}

async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let mut response = vec![0; 4096];
    let length = tokio::time::timeout(PATIENCE, stream.read(&mut response)).await.unwrap().unwrap();
    String::from_utf8(response[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn a_stream_outlives_malformed_requests_until_framing_is_lost() {
    let (agent, mut calls) = agent(&["tcp:127.0.0.1:0"]).await;
    let peer = Peer::new(&agent).await;
    let mut stream = tokio::net::TcpStream::connect(peer.server).await.unwrap();
    let good = peer.request("OPTIONS", 2, "", "").replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let latin1 = good.replace("\"Al\"", "\"\u{1}\"").into_bytes();
    let latin1: Vec<u8> = latin1.into_iter().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect();
    let malformed = [
        (good.replace("OPTIONS", "DANCE").into_bytes(), "501"),
        (good.replace("OPTIONS", "options").into_bytes(), "501"),
        (good.replace(" SIP/2.0\r\nVia", " SIP/7.0\r\nVia").into_bytes(), "505"),
        (good.replace("CSeq: 2 OPTIONS", "CSeq: 2 INVITE").into_bytes(), "400"),
        (good.replace("Call-ID: c1@test\r\n", "").into_bytes(), "400"),
        (latin1, "400"),
    ];
    for (message, expected) in malformed {
        stream.write_all(&message).await.unwrap();
        assert_eq!(status(&read(&mut stream).await), expected);
    }
    stream.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(read(&mut stream).await, "\r\n");
    stream.write_all(good.as_bytes()).await.unwrap();
    assert_eq!(status(&read(&mut stream).await), "200");

    for lengths in ["", "Content-Length: x\r\n", "Content-Length: 0\r\nl: 7\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(peer.server).await.unwrap();
        stream.write_all(good.replace("Content-Length: 0\r\n", lengths).as_bytes()).await.unwrap();
        assert_eq!(status(&read(&mut stream).await), "400", "{lengths}");
        assert_eq!(read(&mut stream).await, "", "{lengths}");
    }
    stream.write_all(good.replace("Length: 0", "Length: 70000").as_bytes()).await.unwrap();
    assert_eq!(status(&read(&mut stream).await), "513");
    assert_eq!(read(&mut stream).await, "");
    assert!(calls.try_recv().is_err());
}
