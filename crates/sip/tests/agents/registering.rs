//! Endpoints register, and are known by their passwords only.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::common::{Peer, SDP, answer_to, config, failed, last, next, status, to_line};
use async_trait::async_trait;
use md5::{Digest as _, Md5};
use mixminus_sip::{
    Algorithm, Attempts, Binding, CallEnd, CallEvent, EndpointConfig, Expiry, IncomingCall,
    OutgoingCallRequest, PasswordHashes, Passwords, Registrar, Standing, Unavailable, UserAgent,
    UserAgentConfig,
};
use tokio::sync::mpsc;

const REALM: &str = "calls.example";
const UDP: &str = "udp:127.0.0.1:0";

/// The endpoint `alice` and the trunk `carrier` with the password `secret`, or nobody to ask.
#[derive(Debug)]
struct Alice {
    there: bool,
}

#[async_trait]
impl Passwords for Alice {
    async fn hashes(&self, username: &str) -> Result<Option<(PasswordHashes, Standing)>, Unavailable> {
        let md5 = hash(&format!("{username}:{REALM}:secret"));
        let hashes = PasswordHashes { md5, sha256: "0".repeat(64) };
        match username {
            _ if !self.there => Err(Unavailable),
            "alice" => Ok(Some((hashes, Standing::Endpoint))),
            "carrier" => Ok(Some((hashes, Standing::Trunk))),
            _ => Ok(None),
        }
    }
}

fn hash(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::new(), |mut hexadecimal, byte| {
        write!(hexadecimal, "{byte:02x}").unwrap();
        hexadecimal
    })
}

struct Office {
    agent: UserAgent,
    calls: mpsc::Receiver<IncomingCall>,
    registrar: Registrar,
    peer: Peer,
}

impl Office {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// An agent on loopback that knows other networks only.
    async fn with(change: impl FnOnce(&mut EndpointConfig)) -> Self {
        let mut endpoints = EndpointConfig {
            realm: REALM.into(),
            passwords: Arc::new(Alice { there: true }),
            registrar: Registrar::default(),
            algorithms: vec![Algorithm::Md5],
            expiry: Expiry { min: Duration::from_mins(1), max: Duration::from_hours(1) },
            attempts: Arc::new(Attempts::new(3)),
            address_query: Some("where".into()),
        };
        change(&mut endpoints);
        let registrar = endpoints.registrar.clone();
        let config = UserAgentConfig {
            allow: vec!["192.0.2.0/24".parse().unwrap()],
            endpoints: Some(endpoints),
            ..config(&[UDP])
        };
        let (agent, calls) = UserAgent::start(config).await.unwrap();
        let peer = Peer::new(&agent).await;
        Self { agent, calls, registrar, peer }
    }

    /// Sends `request` without and then with an answer to its challenge, by this password.
    async fn authenticated(&self, request: &str, password: &str) -> String {
        let challenge = self.challenge(request).await;
        self.peer.send(&answered(request, &challenge, ("alice", password), 1)).await;
        self.final_response().await
    }

    async fn challenge(&self, request: &str) -> String {
        self.peer.send(request).await;
        let refusal = self.final_response().await;
        assert_eq!(status(&refusal), "401", "{refusal}");
        refusal
    }

    async fn final_response(&self) -> String {
        loop {
            let response = self.peer.receive().await;
            if !response.starts_with("SIP/2.0 1") {
                return response;
            }
        }
    }

    fn register(&self, cseq: u32, contact: &str) -> String {
        let to = "To: <sip:alice@anywhere.example>\r\n";
        let extra = format!("{to}{}X-Old-Contact: ", line("Contact", contact));
        self.peer.request("REGISTER", cseq, "To:", "").replace("To:", "").replace("Contact: ", &extra)
    }

    fn contact(&self) -> String {
        format!("<sip:alice@{}>;expires=600", self.peer.socket.local_addr().unwrap())
    }

    async fn registered(&self) -> Vec<Binding> {
        let answer = self.authenticated(&self.register(1, &self.contact()), "secret").await;
        assert_eq!(status(&answer), "200", "{answer}");
        self.registrar.bindings("alice")
    }

    fn invite(&self, cseq: u32) -> String {
        self.peer.invite(cseq)
    }
}

fn line(name: &str, value: &str) -> String {
    if value.is_empty() { String::new() } else { format!("{name}: {value}\r\n") }
}

fn parameter<'a>(response: &'a str, name: &str) -> &'a str {
    response.split_once(&format!("{name}=\"")).unwrap().1.split('"').next().unwrap()
}

/// `request` with the answer of a user to a challenge.
fn answered(request: &str, challenge: &str, (user, password): (&str, &str), count: u32) -> String {
    let (method, rest) = request.split_once(' ').unwrap();
    let uri = rest.split(' ').next().unwrap();
    let (nonce, secret) = (parameter(challenge, "nonce"), hash(&format!("{user}:{REALM}:{password}")));
    let what = hash(&format!("{method}:{uri}"));
    let response = hash(&format!("{secret}:{nonce}:{count:08x}:0a:auth:{what}"));
    let authorization = format!(
        "Authorization: Digest username=\"{user}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm=MD5, qop=auth, nc={count:08x}, cnonce=\"0a\"\r\nMax-Forwards"
    );
    request.replace("Max-Forwards", &authorization).replace(";branch=z9hG4bK", ";branch=z9hG4bKa")
}

#[tokio::test]
async fn an_endpoint_registers_with_its_password_and_unregisters() {
    let office = Office::new().await;
    let challenge = office.challenge(&office.register(1, &office.contact())).await;
    assert!(challenge.contains(&format!("WWW-Authenticate: Digest realm=\"{REALM}\", nonce=\"")));
    assert!(challenge.contains(", algorithm=MD5, qop=\"auth\"\r\n"), "{challenge}");
    assert!(!office.registrar.is_registered("alice"));
    let request = answered(&office.register(2, &office.contact()), &challenge, ("alice", "secret"), 1);
    office.peer.send(&request).await;
    let answer = office.peer.receive().await;
    assert_eq!(status(&answer), "200");
    assert!(answer.contains(&format!("Contact: {}\r\n", office.contact())), "{answer}");
    let bindings = office.registrar.bindings("alice");
    assert_eq!(bindings[0].flow.datagram_peer(), Some(office.peer.socket.local_addr().unwrap()));
    assert_eq!(office.registrar.changes().len(), 1);

    let nothing = answered(&office.register(3, ""), &challenge, ("alice", "secret"), 2);
    office.peer.send(&nothing).await;
    assert!(office.peer.receive().await.contains(&office.contact()), "a question");
    let gone = office.contact().replace("600", "0");
    let gone = answered(&office.register(4, &gone), &challenge, ("alice", "secret"), 3);
    office.peer.send(&gone).await;
    let answer = office.peer.receive().await;
    assert!(status(&answer) == "200" && !answer.contains("Contact:"), "{answer}");
    assert!(!office.registrar.is_registered("alice"));
}

#[tokio::test]
async fn a_wrong_password_another_user_and_too_many_attempts_are_refused() {
    let office = Office::new().await;
    let request = |cseq| office.register(cseq, &office.contact());
    assert_eq!(status(&office.authenticated(&request(1), "guess").await), "403");
    let challenge = office.challenge(&request(2)).await;
    let as_bob = answered(&request(3), &challenge, ("bob", "secret"), 1);
    office.peer.send(&as_bob).await;
    assert_eq!(status(&office.peer.receive().await), "403");
    let other = request(4).replace("sip:alice@anywhere", "sip:bob@anywhere");
    assert_eq!(status(&office.authenticated(&other, "secret").await), "403", "another address of record");
    assert_eq!(status(&office.authenticated(&request(5), "guess").await), "403");
    office.peer.send(&request(6)).await;
    assert_eq!(status(&office.peer.receive().await), "403", "not even a challenge");
    assert!(office.registrar.bindings("alice").is_empty());
}

#[tokio::test]
async fn an_answer_cannot_be_replayed_but_a_lost_response_is_sent_again() {
    let office = Office::new().await;
    let challenge = office.challenge(&office.register(1, &office.contact())).await;
    let request = answered(&office.register(2, &office.contact()), &challenge, ("alice", "secret"), 1);
    for _ in 0..2 {
        office.peer.send(&request).await;
        assert_eq!(status(&office.peer.receive().await), "200");
    }
    let stolen = request.replace("sip:alice@127", "sip:mallory@127").replace("z9hG4bKa", "z9hG4bKb");
    assert_ne!(stolen, request);
    office.peer.send(&stolen).await;
    let refusal = office.peer.receive().await;
    assert!(status(&refusal) == "401" && refusal.contains(", stale=true"), "{refusal}");
    assert!(office.registrar.bindings("alice")[0].contact.starts_with("sip:alice@"));
}

#[tokio::test]
async fn a_registration_that_is_behind_or_too_brief_is_refused() {
    let office = Office::new().await;
    office.registered().await;
    let late = office.register(0, &office.contact());
    assert_eq!(status(&office.authenticated(&late, "secret").await), "500");
    let brief = office.contact().replace("600", "59");
    let refusal = office.authenticated(&office.register(2, &brief), "secret").await;
    assert!(status(&refusal) == "423" && refusal.contains("Min-Expires: 60\r\n"), "{refusal}");
}

#[tokio::test]
async fn passwords_that_cannot_be_looked_up_are_no_wrong_passwords() {
    let office = Office::with(|config| config.passwords = Arc::new(Alice { there: false })).await;
    let refusal = office.authenticated(&office.register(1, &office.contact()), "secret").await;
    assert!(status(&refusal) == "503" && refusal.contains("Retry-After: 10\r\n"), "{refusal}");
}

#[tokio::test]
async fn an_endpoint_calls_in_with_its_password() {
    let mut office = Office::new().await;
    let challenge = office.challenge(&office.invite(1)).await;
    assert!(office.calls.try_recv().is_err());
    let invite = answered(&office.invite(2), &challenge, ("alice", "secret"), 1);
    office.peer.send(&invite).await;
    let mut call = next(&mut office.calls).await;
    assert_eq!(call.endpoint.as_deref(), Some("alice"));
    assert_eq!((call.from.as_str(), call.user.as_str()), ("sip:alice@calls.example", "bob"));
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    call.control.label(vec![label("X-Id", "7"), label("Via", "x"), label("X-Bad", "a\r\nb")]);
    call.control.ring();
    assert!(office.peer.expect("SIP/2.0 180").await.contains("\r\nX-Id: 7\r\n"));
    call.control.answer(SDP.into());
    let ok = office.peer.expect("SIP/2.0 200").await;
    assert!(ok.contains("\r\nX-Id: 7\r\n") && !ok.contains("X-Bad") && !ok.contains("Via: x"), "{ok}");
    let to = to_line(&ok);
    office.peer.send(&office.peer.request("ACK", 2, &to, "")).await;

    office.peer.send(&office.peer.request("BYE", 3, &to, "")).await;
    assert_eq!(status(&office.peer.expect("SIP/2.0 ").await), "200");
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
    office.peer.send(&invite.replace("z9hG4bKa", "z9hG4bKb").replace("c1@test", "c2@test")).await;
    let replayed = office.peer.receive().await;
    assert!(status(&replayed) == "401" && replayed.contains("stale=true"), "{replayed}");
    assert!(office.calls.try_recv().is_err());
}

#[tokio::test]
async fn a_trunk_with_a_password_calls_in_the_names_of_others_and_is_nobodys_phone() {
    let mut office = Office::new().await;
    let challenge = office.challenge(&office.invite(1)).await;
    let carrier = ("carrier", "secret");
    office.peer.send(&answered(&office.invite(2), &challenge, carrier, 1)).await;
    let call = next(&mut office.calls).await;
    assert_eq!((call.from.as_str(), call.endpoint.as_deref()), ("sip:al@127.0.0.1", None));
    let register = office.register(3, &office.contact()).replace("sip:alice@", "sip:carrier@");
    let challenge = office.challenge(&register).await;
    office.peer.send(&answered(&register, &challenge, carrier, 1)).await;
    office.peer.expect("SIP/2.0 403").await;
}

#[tokio::test]
async fn strangers_get_a_challenge_or_nothing_for_what_they_ask() {
    let mut office = Office::new().await;
    for (method, expected) in [
        ("REGISTER", "401"),
        ("INVITE", "401"),
        ("MESSAGE", "401"),
        ("OPTIONS", "404"),
        ("SUBSCRIBE", "403"),
        ("NOTIFY", "403"),
        ("REFER", "403"),
        ("PUBLISH", "403"),
        ("BYE", "403"),
        ("CANCEL", "481"),
    ] {
        office.peer.send(&office.peer.request(method, 1, "", "")).await;
        assert_eq!(status(&office.peer.receive().await), expected, "{method}");
    }
    let inside = "To: <sip:bob@127.0.0.1>;tag=guess\r\n";
    for method in ["BYE", "REFER", "INVITE"] {
        office.peer.send(&office.peer.request(method, 2, inside, "")).await;
        assert_eq!(status(&office.peer.receive().await), "481", "{method}");
    }
    assert!(office.calls.try_recv().is_err());
}

/// Resident memory of this process in kilobytes.
fn memory_kb() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_flood_of_strangers_leaves_nothing_behind() {
    let office = Office::new().await;
    let flood = async |count| {
        for number in 0..count {
            let method = ["REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE"][number % 4];
            let request = office.peer.request(method, 1, "", "");
            office.peer.send(&request.replace("z9hG4bK", &format!("z9hG4bK{number}"))).await;
            assert!(matches!(status(&office.peer.receive().await), "401" | "403" | "404"));
        }
    };
    flood(2_000).await;
    let before = memory_kb();
    flood(20_000).await;
    assert!(memory_kb() < before + 1_000, "{} kB more", memory_kb() - before);
}

#[tokio::test]
async fn an_endpoint_learns_its_address() {
    let office = Office::new().await;
    let ask = |cseq, body: &str| office.peer.request("MESSAGE", cseq, "Content-Type: text/plain\r\n", body);
    let answer = office.authenticated(&ask(1, "where"), "secret").await;
    assert!(answer.starts_with("SIP/2.0 200") && answer.ends_with("\r\n\r\n127.0.0.1"), "{answer}");
    assert_eq!(status(&office.authenticated(&ask(2, "hello"), "secret").await), "404");
}

/// The call to all contacts of alice.
fn to_alice(office: &Office) -> Vec<OutgoingCallRequest> {
    let request = |binding| OutgoingCallRequest {
        from: "sip:bob@calls.example".into(),
        offer: SDP.into(),
        binding: Some(binding),
        ..OutgoingCallRequest::default()
    };
    office.registrar.bindings("alice").into_iter().map(request).collect()
}

#[tokio::test]
async fn an_endpoint_is_called_where_it_registered_from() {
    let office = Office::new().await;
    let natted = "<sip:alice@10.0.0.1:7777;ob>;expires=600";
    let answer = office.authenticated(&office.register(1, natted), "secret").await;
    assert_eq!(status(&answer), "200");
    let mut call = office.agent.call_any(to_alice(&office)).unwrap();
    let invite = office.peer.expect("INVITE ").await;
    assert!(invite.starts_with("INVITE sip:alice@10.0.0.1:7777;ob SIP/2.0\r\n"), "{invite}");
    let ok =
        tagged(&invite, "200 OK").replace("Content-Length", &format!("Contact: {natted}\r\nContent-Length"));
    office.peer.send(&ok).await;
    assert!(matches!(next(&mut call.events).await, CallEvent::Answered { .. }));
    office.peer.expect("ACK ").await;
    call.control.hang_up();
    let bye = office.peer.expect("BYE ").await;
    office.peer.send(&answer_to(&bye, "200 OK")).await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
}

#[tokio::test]
async fn the_first_of_several_phones_has_the_call_and_the_others_stop_ringing() {
    let office = Office::new().await;
    let (slow, quick) = (Peer::new(&office.agent).await, Peer::new(&office.agent).await);
    for (cseq, peer) in [(1, &slow), (2, &quick)] {
        let contact = format!("<sip:alice@{}>;expires=600", peer.socket.local_addr().unwrap());
        let request = office.register(cseq, &contact);
        let challenge = office.challenge(&request).await;
        peer.send(&answered(&request, &challenge, ("alice", "secret"), 1)).await;
        assert_eq!(status(&peer.receive().await), "200");
    }
    let mut call = office.agent.call_any(to_alice(&office)).unwrap();
    let [rings, answers] = [slow.expect("INVITE ").await, quick.expect("INVITE ").await];
    for (peer, invite) in [(&slow, &rings), (&quick, &answers)] {
        peer.send(&tagged(invite, "180 Ringing")).await;
    }
    assert_eq!(next(&mut call.events).await, CallEvent::Ringing);
    let contact = format!("Contact: <sip:alice@{}>\r\nContent-Length", quick.socket.local_addr().unwrap());
    quick.send(&tagged(&answers, "200 OK").replace("Content-Length", &contact)).await;
    assert!(matches!(next(&mut call.events).await, CallEvent::Answered { .. }));
    let cancel = slow.expect("CANCEL ").await;
    slow.send(&answer_to(&cancel, "200 OK")).await;
    slow.send(&tagged(&rings, "487 Request Terminated")).await;
    slow.expect("ACK ").await;
    call.control.hang_up();
    let bye = quick.expect("BYE ").await;
    quick.send(&answer_to(&bye, "200 OK")).await;
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(CallEnd::HungUp));
}

fn tagged(request: &str, status: &str) -> String {
    let to = request.lines().find(|line| line.starts_with("To:")).unwrap();
    answer_to(request, status).replace(to, &format!("{to};tag=t"))
}

#[tokio::test]
async fn a_call_to_several_phones_fails_for_the_best_reason_when_all_fail() {
    let office = Office::new().await;
    office.registered().await;
    let other = Peer::new(&office.agent).await;
    let contact = format!("<sip:alice@{}>;expires=600", other.socket.local_addr().unwrap());
    let request = office.register(2, &contact);
    let challenge = office.challenge(&request).await;
    other.send(&answered(&request, &challenge, ("alice", "secret"), 1)).await;
    other.expect("SIP/2.0 200").await;
    let mut call = office.agent.call_any(to_alice(&office)).unwrap();
    for (peer, reason) in [(&other, "486 Busy Here"), (&office.peer, "404 Not Found")] {
        let invite = peer.expect("INVITE ").await;
        peer.send(&tagged(&invite, reason)).await;
    }
    assert_eq!(last(&mut call.events).await, CallEvent::Ended(failed(486)));
    assert!(office.agent.call_any(vec![]).is_err());
}
