//! User agents and a bare socket on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use mixminus_sip::{
    CallEnd, CallEvent, IncomingCall, ListenAddress, OutgoingCall, OutgoingCallRequest, UserAgent,
    UserAgentConfig,
};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// A session description that nobody looks at.
pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";

pub fn config(listen: &[&str]) -> UserAgentConfig {
    UserAgentConfig {
        listen: listen.iter().map(|address| address.parse().unwrap()).collect(),
        ..UserAgentConfig::default()
    }
}

pub async fn agent(listen: &[&str]) -> (UserAgent, mpsc::Receiver<IncomingCall>) {
    UserAgent::start(config(listen)).await.unwrap()
}

pub fn target(user: &str, listening: ListenAddress) -> String {
    format!("sip:{user}@{};transport={}", listening.address, listening.transport)
}

/// Calls `user` at the first address of `callee`.
pub fn place(caller: &UserAgent, callee: &UserAgent, user: &str) -> OutgoingCall {
    let request = OutgoingCallRequest {
        target: target(user, callee.listening()[0]),
        from: "sip:alice@caller.example".into(),
        offer: format!("{SDP}i=offer\r\n"),
        ..OutgoingCallRequest::default()
    };
    caller.call(request).unwrap()
}

pub async fn next<T>(receiver: &mut mpsc::Receiver<T>) -> T {
    timeout(PATIENCE, receiver.recv()).await.expect("in time").expect("not closed")
}

/// The last event, and the proof that it is the last.
pub async fn last(events: &mut mpsc::Receiver<CallEvent>) -> CallEvent {
    let event = next(events).await;
    assert_eq!(timeout(PATIENCE, events.recv()).await.expect("in time"), None);
    event
}

pub const fn failed(status: u16) -> CallEnd {
    CallEnd::Failed { status, reason: None }
}

/// Waits until an agent has forgotten all its calls.
pub async fn forgotten(agent: &UserAgent) {
    let gone = async {
        while agent.calls() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("calls are forgotten");
}

/// A SIP peer made of one UDP socket and text.
pub struct Peer {
    pub socket: UdpSocket,
    pub server: SocketAddr,
}

impl Peer {
    #[expect(clippy::disallowed_methods, reason = "the test is the far end")]
    pub async fn new(server: &UserAgent) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Self { socket, server: server.listening()[0].address }
    }

    pub async fn send(&self, message: &str) {
        self.socket.send_to(message.as_bytes(), self.server).await.unwrap();
    }

    pub async fn receive(&self) -> String {
        self.receive_within(PATIENCE).await.expect("a message in time")
    }

    pub async fn receive_within(&self, limit: Duration) -> Option<String> {
        let mut buffer = vec![0; 8192];
        let (length, _) = timeout(limit, self.socket.recv_from(&mut buffer)).await.ok()?.unwrap();
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }

    /// Skips messages until one begins with `start`.
    pub async fn expect(&self, start: &str) -> String {
        let mut others = Vec::new();
        while let Some(message) = self.receive_within(PATIENCE).await.filter(|_| others.len() < 20) {
            if message.starts_with(start) {
                return message;
            }
            others.push(message.lines().next().unwrap_or_default().to_owned());
        }
        panic!("no {start}, but {others:?}")
    }

    /// A request as `method`, with `extra` header lines and a body.
    pub fn request(&self, method: &str, cseq: u32, extra: &str, body: &str) -> String {
        let local = self.socket.local_addr().unwrap();
        let to = if extra.contains("To:") { "" } else { "To: <sip:bob@127.0.0.1>\r\n" };
        format!(
            "{method} sip:bob@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {local};rport;branch=z9hG4bK{method}{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: \"Al\" <sip:al@{local}>;tag=a1\r\n{to}Call-ID: c1@test\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:al@{local}>\r\n{extra}Content-Length: {length}\r\n\r\n{body}",
            server = self.server,
            length = body.len(),
        )
    }

    /// The 200 to a request of the agent, with `extra` header lines.
    pub fn accept(&self, request: &str, extra: &str) -> String {
        self.accept_with(request, extra, "")
    }

    /// The same with a session description.
    pub fn accept_with(&self, request: &str, extra: &str, sdp: &str) -> String {
        let local = self.socket.local_addr().unwrap();
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let headers = format!("Contact: <sip:bob@{local}>\r\n{extra}{kind}Content-Length: {}", sdp.len());
        let answer = answer_to(request, "200 OK").replace("Content-Length: 0", &headers);
        let tagged = if to_line(&answer).contains(";tag=") { answer } else { tag(&answer, "b1") };
        format!("{tagged}{sdp}")
    }

    pub fn invite(&self, cseq: u32) -> String {
        self.request("INVITE", cseq, "Content-Type: application/sdp\r\n", SDP)
    }
}

/// The To header line of a response, to be put into later requests.
pub fn to_line(response: &str) -> String {
    let line = response.lines().find(|line| line.starts_with("To:")).expect("a To header");
    format!("{line}\r\n")
}

/// A response to a request of the agent.
pub fn answer_to(request: &str, status: &str) -> String {
    let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines = request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
    let lines: Vec<_> = lines.collect();
    format!("SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n", lines.join("\r\n"))
}

/// A response with a tag in its To header.
pub fn tag(response: &str, tag: &str) -> String {
    let line = to_line(response);
    response.replace(&line, &format!("{};tag={tag}\r\n", line.trim_end()))
}

pub fn status(response: &str) -> &str {
    &response[8..11]
}
