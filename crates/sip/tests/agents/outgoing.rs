//! Calls of a user agent to a far end made of plain text, until and after their answer.

use std::time::Duration;

use crate::common::{Peer, SDP, agent, answer_to, config, failed, forgotten, last, next, status};
use mixminus_sip::{CallEnd, CallEvent, OutgoingCall, OutgoingCallRequest, UserAgent, UserAgentConfig};

const UDP: &str = "udp:127.0.0.1:0";
/// Long enough for a message on loopback that should not come.
const QUIET: Duration = Duration::from_millis(100);

/// An agent that calls a peer.
pub struct Calling {
    pub agent: UserAgent,
    pub peer: Peer,
    pub call: OutgoingCall,
    pub invite: String,
}

impl Calling {
    async fn new() -> Self {
        Self::with(|_| OutgoingCallRequest::default()).await
    }

    /// Calls the peer with what `request` makes of its address; a target, caller and offer are added.
    pub async fn with(request: impl FnOnce(&str) -> OutgoingCallRequest) -> Self {
        let (agent, _) = agent(&[UDP]).await;
        let peer = Peer::new(&agent).await;
        let address = peer.socket.local_addr().unwrap().to_string();
        let mut request = request(&address);
        if request.target.is_empty() {
            request.target = format!("sip:bob@{address}");
        }
        request.from = "sip:alice@caller.example".into();
        request.offer = SDP.into();
        let call = agent.call(request).unwrap();
        let invite = peer.expect("INVITE ").await;
        Self { agent, peer, call, invite }
    }

    /// Calls the peer once more and forgets about the call before.
    async fn again(&mut self) {
        let request = OutgoingCallRequest {
            target: format!("sip:bob@{}", self.peer.socket.local_addr().unwrap()),
            from: "sip:alice@caller.example".into(),
            offer: SDP.into(),
            ..OutgoingCallRequest::default()
        };
        self.call = self.agent.call(request).unwrap();
        self.invite = self.peer.expect("INVITE ").await;
    }

    /// Answers the INVITE as the branch `tag` of a forked call.
    async fn answer(&self, status: &str, tag: &str, extra: &str, sdp: &str) {
        let local = self.peer.socket.local_addr().unwrap();
        let to = self.invite.lines().find(|line| line.starts_with("To:")).unwrap();
        let media_type = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let headers = format!("Contact: <sip:bob@{local}>\r\n{extra}{media_type}");
        let length = format!("Content-Length: {}", sdp.len());
        let answer = answer_to(&self.invite, status).replace(to, &format!("{to};tag={tag}"));
        self.peer.send(&format!("{}{sdp}", answer.replace("Content-Length: 0", &(headers + &length)))).await;
    }

    /// The next message to the peer that does not repeat the INVITE.
    async fn heard(&self) -> Option<String> {
        while let Some(message) = self.peer.receive_within(QUIET).await {
            if message != self.invite {
                return Some(message);
            }
        }
        None
    }
}

fn sdp(text: &str) -> String {
    format!("{SDP}i={text}\r\n")
}

fn answered(sdp: String) -> CallEvent {
    CallEvent::Answered { sdp, headers: vec![] }
}

#[tokio::test]
async fn a_call_rings_once_and_is_answered_once() {
    let mut calling = Calling::new().await;
    for status in ["100 Trying", "181 Forwarded", "183 Session Progress", "180 Ringing", "180 Ringing"] {
        calling.answer(status, "a", "", "").await;
    }
    calling.answer("200 OK", "a", "X-PH-Team: red\r\nX-Other: no\r\n", &sdp("answer")).await;
    assert_eq!(next(&mut calling.call.events).await, CallEvent::Ringing);
    let headers = vec![("X-PH-Team".into(), "red".into())];
    assert_eq!(next(&mut calling.call.events).await, CallEvent::Answered { sdp: sdp("answer"), headers });
    let ack = calling.peer.expect("ACK ").await;
    calling.answer("200 OK", "a", "", &sdp("answer")).await;
    assert_eq!(calling.heard().await, Some(ack), "each 200 has its ACK");
    calling.call.control.hang_up();
    let bye = calling.peer.expect("BYE ").await;
    calling.peer.send(&answer_to(&bye, "200 OK")).await;
    assert_eq!(last(&mut calling.call.events).await, CallEvent::Ended(CallEnd::HungUp));
    forgotten(&calling.agent).await;
}

#[tokio::test]
async fn the_newest_early_media_count_until_a_branch_answers() {
    let mut calling = Calling::new().await;
    let progress = |text| CallEvent::Progress { sdp: sdp(text) };
    for (status, tag, text) in [
        ("183 Session Progress", "a", "first"),
        ("181 Call Is Being Forwarded", "a", "elsewhere"),
        ("183 Session Progress", "a", "first"),
        ("180 Ringing", "b", "second"),
        ("183 Session Progress", "a", "first"),
    ] {
        calling.answer(status, tag, "", &sdp(text)).await;
    }
    calling.answer("200 OK", "b", "", "").await;
    assert_eq!(next(&mut calling.call.events).await, progress("first"));
    assert_eq!(next(&mut calling.call.events).await, CallEvent::Ringing);
    assert_eq!(next(&mut calling.call.events).await, progress("second"));
    assert_eq!(next(&mut calling.call.events).await, progress("first"));
    assert_eq!(next(&mut calling.call.events).await, answered(sdp("second")), "of the branch that answered");
}

#[tokio::test]
async fn a_second_branch_that_answers_is_hung_up() {
    let mut calling = Calling::new().await;
    calling.answer("200 OK", "a", "", &sdp("a")).await;
    assert_eq!(next(&mut calling.call.events).await, answered(sdp("a")));
    calling.answer("200 OK", "b", "", &sdp("b")).await;
    assert!(calling.peer.expect("BYE ").await.contains(";tag=b\r\n"));
    assert!(calling.call.events.try_recv().is_err());
}

#[tokio::test]
async fn a_refusal_ends_the_call_with_its_status_and_reason() {
    for refusal in [302, 403, 404, 408, 480, 484, 486, 487, 488, 500, 503, 600, 603] {
        let mut calling = Calling::new().await;
        let elsewhere = format!("Contact: <sip:premium@{}>\r\n", calling.agent.listening()[0].address);
        calling.answer("180 Ringing", "a", "", "").await;
        calling
            .answer(&format!("{refusal} No"), "a", &format!("Reason: Q.850;cause=17\r\n{elsewhere}"), "")
            .await;
        assert_eq!(next(&mut calling.call.events).await, CallEvent::Ringing);
        let end = CallEnd::Failed { status: refusal, reason: Some("Q.850;cause=17".into()) };
        assert_eq!(last(&mut calling.call.events).await, CallEvent::Ended(end));
        assert!(calling.heard().await.is_some_and(|ack| ack.starts_with("ACK ")));
        assert_eq!(calling.heard().await, None, "no redirection is followed");
        forgotten(&calling.agent).await;
    }
}

#[tokio::test]
async fn a_far_end_that_never_speaks_is_a_timeout() {
    let impatient = UserAgentConfig { round_trip: Duration::from_millis(10), ..config(&[UDP]) };
    let (agent, _) = UserAgent::start(impatient).await.unwrap();
    let peer = Peer::new(&agent).await;
    let request = OutgoingCallRequest {
        target: format!("sip:bob@{}", peer.socket.local_addr().unwrap()),
        from: "sip:alice@caller.example".into(),
        ..OutgoingCallRequest::default()
    };
    let mut call = agent.call(request).unwrap();
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(408)));
    forgotten(&agent).await;
}

#[tokio::test]
async fn cancel_waits_for_a_sign_of_life() {
    let mut calling = Calling::new().await;
    calling.call.control.hang_up();
    assert_eq!(last(&mut calling.call.events).await, CallEvent::Ended(CallEnd::Canceled));
    assert_eq!(calling.heard().await, None);
    calling.answer("100 Trying", "a", "", "").await;
    let cancel = calling.peer.expect("CANCEL ").await;
    let branch = |message: &str| message.lines().find(|line| line.starts_with("Via:")).map(str::to_owned);
    assert_eq!(branch(&cancel), branch(&calling.invite));
    calling.peer.send(&answer_to(&cancel, "200 OK")).await;
    calling.answer("487 Request Terminated", "a", "", "").await;
    calling.peer.expect("ACK ").await;
    forgotten(&calling.agent).await;
}

#[tokio::test]
async fn an_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
    let mut calling = Calling::new().await;
    calling.answer("180 Ringing", "a", "", "").await;
    assert_eq!(next(&mut calling.call.events).await, CallEvent::Ringing);
    calling.call.control.hang_up();
    assert_eq!(last(&mut calling.call.events).await, CallEvent::Ended(CallEnd::Canceled));
    let cancel = calling.peer.expect("CANCEL ").await;
    calling.answer("200 OK", "a", "", &sdp("late")).await;
    calling.peer.send(&answer_to(&cancel, "200 OK")).await;
    calling.peer.expect("ACK ").await;
    let bye = calling.peer.expect("BYE ").await;
    calling.peer.send(&answer_to(&bye, "200 OK")).await;
    forgotten(&calling.agent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_at_the_moment_of_hanging_up_leaves_no_call() {
    let mut calling = Calling::new().await;
    for moment in 0..500 {
        calling.answer("200 OK", "a", "", &sdp("answer")).await;
        (0..moment * 20).for_each(|_| std::hint::spin_loop());
        calling.call.control.hang_up();
        let bye = calling.peer.expect("BYE ").await;
        calling.peer.send(&answer_to(&bye, "200 OK")).await;
        let mut end = next(&mut calling.call.events).await;
        if let CallEvent::Answered { .. } = end {
            end = last(&mut calling.call.events).await;
        }
        assert!(matches!(end, CallEvent::Ended(CallEnd::HungUp | CallEnd::Canceled)), "{end:?}");
        calling.again().await;
    }
}

#[tokio::test]
async fn a_far_end_may_hang_up_as_soon_as_it_has_our_ack() {
    let mut calling = Calling::new().await;
    calling.answer("200 OK", "a", "", &sdp("answer")).await;
    calling.peer.expect("ACK ").await;
    let line =
        |name: &str| calling.invite.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let local = calling.peer.socket.local_addr().unwrap();
    let bye = format!(
        "BYE sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKbye\r\nFrom:{from};tag=a\r\nTo:{to}\r\n\
         Call-ID:{id}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
        server = calling.peer.server,
        from = line("To:"),
        to = line("From:"),
        id = line("Call-ID:"),
    );
    calling.peer.send(&bye).await;
    assert_eq!(status(&calling.peer.expect("SIP/2.0 ").await), "200");
    let mut end = next(&mut calling.call.events).await;
    if let CallEvent::Answered { .. } = end {
        end = last(&mut calling.call.events).await;
    }
    assert_eq!(end, CallEvent::Ended(CallEnd::HungUp));
    forgotten(&calling.agent).await;
}
