//! Registers many endpoints by UDP on loopback and refreshes them, each with a challenge of its own, and says how
//! long that takes: `cargo run --release -p mixminus-sip --example registrations -- 10000`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use md5::{Digest as _, Md5};
use mixminus_sip::{
    Algorithm, Attempts, EndpointConfig, Expiry, PasswordHashes, Passwords, Registrar, Standing, Unavailable,
    UserAgent, UserAgentConfig,
};
use tokio::net::UdpSocket;

const REALM: &str = "calls.example";
/// Requests under way at one time.
const WINDOW: usize = 64;
/// Whoever waits longer for a response asks again.
const PATIENCE: Duration = Duration::from_millis(500);

/// Everybody's password is `secret`.
#[derive(Debug)]
struct Secret;

#[async_trait]
impl Passwords for Secret {
    async fn hashes(&self, username: &str) -> Result<Option<(PasswordHashes, Standing)>, Unavailable> {
        let hashes = PasswordHashes { md5: secret_of(username), sha256: String::new() };
        Ok(Some((hashes, Standing::Endpoint)))
    }
}

fn secret_of(username: &str) -> String {
    hash(&format!("{username}:{REALM}:secret"))
}

fn hash(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::new(), |mut hexadecimal, byte| {
        write!(hexadecimal, "{byte:02x}").expect("a String takes everything");
        hexadecimal
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args().nth(1).map_or(Ok(10_000), |count| count.parse())?;
    let registrar = Registrar::default();
    let endpoints = EndpointConfig {
        realm: REALM.into(),
        passwords: Arc::new(Secret),
        registrar: registrar.clone(),
        algorithms: vec![Algorithm::Md5],
        expiry: Expiry { min: Duration::from_mins(1), max: Duration::from_hours(1) },
        attempts: Arc::new(Attempts::new(10)),
        address_query: None,
    };
    let config = UserAgentConfig {
        listen: vec!["udp:127.0.0.1:0".parse()?],
        allow: vec![],
        endpoints: Some(endpoints),
        ..UserAgentConfig::default()
    };
    let (agent, _calls) = UserAgent::start(config).await?;
    let phones = Phones::new(agent.listening()[0].address).await?;
    for (round, what) in ["registered", "refreshed", "refreshed again"].into_iter().enumerate() {
        let began = now();
        let repeated = phones.register(count, round + 1).await?;
        let seconds = began.elapsed().as_secs_f64();
        let rate = count as f64 / seconds;
        println!("{count} {what} in {seconds:.1} s: {rate:.0} a second, {repeated} requests repeated");
    }
    let there = (0..count).filter(|number| registrar.is_registered(&format!("u{number}"))).count();
    println!("{there} registered; memory {}", memory());
    Ok(())
}

/// All phones behind one socket.
struct Phones {
    socket: UdpSocket,
    server: SocketAddr,
    local: SocketAddr,
}

impl Phones {
    #[expect(clippy::disallowed_methods, reason = "a phone has a socket")]
    async fn new(server: SocketAddr) -> std::io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let local = socket.local_addr()?;
        Ok(Self { socket, server, local })
    }

    /// Registers `count` phones, and says how many requests had to be sent twice.
    async fn register(&self, count: usize, round: usize) -> std::io::Result<usize> {
        let (mut next, mut done, mut repeated) = (0, 0, 0);
        let mut waiting: HashMap<usize, (String, Instant)> = HashMap::new();
        let mut buffer = vec![0; 4096];
        while done < count {
            while next < count && waiting.len() < WINDOW {
                self.ask(&mut waiting, next, self.request(next, 2 * round, "")).await?;
                next += 1;
            }
            let received = tokio::time::timeout(PATIENCE, self.socket.recv_from(&mut buffer)).await;
            if let Ok(received) = received {
                let response = String::from_utf8_lossy(&buffer[..received?.0]).into_owned();
                let number = number(&response).filter(|number| waiting.contains_key(number));
                match (number, response.get(8..11)) {
                    (Some(number), Some("401")) => {
                        let answer = Self::answer(number, &response);
                        self.ask(&mut waiting, number, self.request(number, 2 * round + 1, &answer)).await?;
                    }
                    (Some(number), Some("200")) => {
                        waiting.remove(&number);
                        done += 1;
                    }
                    _ => {}
                }
            }
            for (request, sent) in waiting.values_mut().filter(|(_, sent)| sent.elapsed() > PATIENCE) {
                self.socket.send_to(request.as_bytes(), self.server).await?;
                (*sent, repeated) = (now(), repeated + 1);
            }
        }
        Ok(repeated)
    }

    async fn ask(
        &self,
        waiting: &mut HashMap<usize, (String, Instant)>,
        number: usize,
        request: String,
    ) -> std::io::Result<()> {
        self.socket.send_to(request.as_bytes(), self.server).await?;
        waiting.insert(number, (request, now()));
        Ok(())
    }

    fn request(&self, number: usize, cseq: usize, answer: &str) -> String {
        let local = self.local;
        format!(
            "REGISTER sip:{REALM} SIP/2.0\r\nVia: SIP/2.0/UDP {local};rport;branch=z9hG4bK{number}x{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:u{number}@{REALM}>;tag={number}\r\nTo: <sip:u{number}@{REALM}>\r\n\
             Call-ID: {number}@phones\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:u{number}@{local}>\r\n\
             Expires: 600\r\n{answer}Content-Length: 0\r\n\r\n"
        )
    }

    fn answer(number: usize, challenge: &str) -> String {
        let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next());
        let (nonce, username, uri) =
            (nonce.unwrap_or_default(), format!("u{number}"), format!("sip:{REALM}"));
        let what = hash(&format!("REGISTER:{uri}"));
        let response = hash(&format!("{}:{nonce}:00000001:c:auth:{what}", secret_of(&username)));
        format!(
            "Authorization: Digest username=\"{username}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n"
        )
    }
}

fn number(response: &str) -> Option<usize> {
    response.split("Call-ID: ").nth(1)?.split('@').next()?.parse().ok()
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or_else(|| "unknown".into(), |size| size.trim().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a program owns its clock")]
fn now() -> Instant {
    Instant::now()
}
