//! A phone: one call, and what it hears.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mixminus_audio::{Dbov, SampleRate, Sine, TICK, goertzel};
use mixminus_codec::{Decoder, Encoder, Format, OpusSettings};
use mixminus_rtp::{
    Digit, DigitEvent, MAX_PACKET_BYTES, MediaParameters, PacketView, Press, Sender, SenderIdentity,
};
use mixminus_sip::sdp::{self, Direction, LocalMedia, LocalSrtp};
use mixminus_sip::{
    CallControl, CallEnd, CallEvent, IncomingCall, ListenAddress, OutgoingCall, OutgoingCallRequest,
    Transport, UserAgent, UserAgentConfig,
};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

use crate::{Running, eventually};

/// Payload type of digits.
const DIGITS: u8 = 101;

/// The frequency of the application's tone.
pub const TONE_HZ: f64 = 1000.0;

/// Whether the tone is in `frame`, and loud.
pub fn has_tone(frame: &[i16]) -> bool {
    goertzel(frame, SampleRate::Hz8000, TONE_HZ) > Dbov(-20.0)
}

/// A phone in a call, or after one.
pub struct Phone {
    _agent: UserAgent,
    control: CallControl,
    media: Arc<UdpSocket>,
    remote: watch::Receiver<Option<SocketAddr>>,
    end: watch::Receiver<Option<CallEnd>>,
    /// What became of each transfer that it asked for.
    transferred: tokio::sync::Mutex<mpsc::Receiver<u16>>,
    heard: Arc<Mutex<Heard>>,
    sender: tokio::sync::Mutex<Sender>,
}

/// What came from the service.
#[derive(Default)]
struct Heard {
    samples: Vec<i16>,
    /// Each with its timestamp.
    digits: Vec<(u32, Digit)>,
}

/// A phone that waits for a call.
pub struct Desk {
    agent: UserAgent,
    calls: mpsc::Receiver<IncomingCall>,
}

impl Desk {
    pub async fn open() -> Self {
        let (agent, calls) = user_agent().await;
        Self { agent, calls }
    }

    /// Where it is called.
    pub fn address(&self) -> String {
        format!("sip:carol@{}", self.agent.listening()[0].address)
    }

    pub async fn answer(mut self) -> Phone {
        let IncomingCall { control, events, offer, .. } = self.rings().await;
        let (media, local) = audio().await;
        let (answer, agreed) = sdp::negotiate(&offer.unwrap(), &local).unwrap();
        control.answer(answer);
        Phone::follow(self.agent, OutgoingCall { control, events }, (media, local), Some(agreed.remote))
    }

    pub async fn rings(&mut self) -> IncomingCall {
        let call = tokio::time::timeout(Duration::from_secs(20), self.calls.recv()).await;
        call.expect("it is called").unwrap()
    }

    /// Whether it was called.
    pub fn rang(&mut self) -> bool {
        self.calls.try_recv().is_ok()
    }
}

async fn user_agent() -> (UserAgent, mpsc::Receiver<IncomingCall>) {
    let listen = ListenAddress::new(Transport::Udp, ([127, 0, 0, 1], 0).into());
    UserAgent::start(UserAgentConfig { listen: vec![listen], ..UserAgentConfig::default() }).await.unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a phone has a socket")]
async fn audio() -> (Arc<UdpSocket>, LocalMedia) {
    let media = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let local = LocalMedia {
        address: media.local_addr().unwrap(),
        session_id: 1,
        version: 1,
        formats: vec![Format::Pcmu],
        opus: OpusSettings::default(),
        srtp: LocalSrtp::default(),
        ice: None,
    };
    (Arc::new(media), local)
}

impl Phone {
    /// Calls `user` at `server` and listens; returns when the call is answered or over.
    pub async fn call(user: &str, server: &str) -> Self {
        let (agent, _) = user_agent().await;
        let (media, local) = audio().await;
        let request = OutgoingCallRequest {
            target: format!("sip:{user}@{server}"),
            from: "sip:phone@127.0.0.1".into(),
            offer: sdp::offer(&local, Direction::SendReceive),
            ..OutgoingCallRequest::default()
        };
        let call = agent.call(request).unwrap();
        let phone = Self::follow(agent, call, (media, local), None);
        let (mut remote, mut end) = (phone.remote.clone(), phone.end.clone());
        tokio::time::timeout(Duration::from_secs(20), async {
            tokio::select! {
                answered = remote.wait_for(Option::is_some) => drop(answered),
                ended = end.wait_for(Option::is_some) => drop(ended),
            }
        })
        .await
        .expect("the call is answered or over");
        phone
    }

    /// A phone in `call`, whose other side's media are at `remote` once it is answered.
    fn follow(
        agent: UserAgent,
        call: OutgoingCall,
        (media, local): (Arc<UdpSocket>, LocalMedia),
        remote: Option<SocketAddr>,
    ) -> Self {
        let OutgoingCall { control, mut events } = call;
        let (answered, remote) = watch::channel(remote);
        let (ended, end) = watch::channel(None);
        let (told, transferred) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                match event {
                    CallEvent::Answered { sdp, .. } => {
                        answered.send_replace(Some(sdp::read_answer(&sdp, &local).unwrap().remote));
                    }
                    CallEvent::Transferred { status } => told.send(status).await.unwrap(),
                    CallEvent::Ended(end) => drop(ended.send_replace(Some(end))),
                    _ => {}
                }
            }
        });
        let heard = Arc::default();
        tokio::spawn(listen_to(Arc::clone(&media), Arc::clone(&heard)));
        let parameters =
            MediaParameters { digit_payload_type: Some(DIGITS), ..MediaParameters::of(Format::Pcmu) };
        let sender = Sender::new(parameters, SenderIdentity { ssrc: 7, sequence: 1, timestamp: 0 }).into();
        let transferred = transferred.into();
        Self { _agent: agent, control, media, remote, end, transferred, heard, sender }
    }

    /// Asks the service to call `target` in its place, and how that went.
    pub async fn transfer(&self, target: String) -> u16 {
        self.control.refer(target);
        self.transferred().await
    }

    /// Asks the service to join the other parties of this call and of `other`, and how that went.
    pub async fn transfer_into(&self, other: &Self, target: String) -> u16 {
        self.control.refer_into(&other.control, target);
        self.transferred().await
    }

    async fn transferred(&self) -> u16 {
        let mut transferred = self.transferred.lock().await;
        let told = tokio::time::timeout(Duration::from_secs(20), transferred.recv()).await;
        told.expect("it is told").unwrap()
    }

    /// Whether it hears the tone now.
    pub fn hears_tone(&self) -> bool {
        let heard = self.heard.lock().unwrap();
        let level = |frame| goertzel(frame, SampleRate::Hz8000, TONE_HZ);
        heard.samples.rchunks_exact(160).take(5).any(|frame| level(frame) > Dbov(-30.0))
    }

    /// How the call ended.
    pub async fn ended(&self) -> CallEnd {
        let mut end = self.end.clone();
        let ended = tokio::time::timeout(Duration::from_secs(20), end.wait_for(Option::is_some)).await;
        ended.expect("the call ends").unwrap().clone().unwrap()
    }

    pub async fn hang_up(&self) {
        self.control.hang_up();
        self.ended().await;
    }

    /// Waits until `members` are in the conference `room`.
    pub async fn joined(&self, running: &Running, members: usize) {
        self.joined_as(running, "room", members).await;
    }

    pub async fn joined_as(&self, running: &Running, room: &str, members: usize) {
        let path = format!("name_{room}/Participant/");
        eventually("the phone is inside", async || {
            let (status, body) = running.request(reqwest::Method::GET, &path, None).await;
            status == 200 && body["objects"].as_array().is_some_and(|all| all.len() == members)
        })
        .await;
    }

    /// Presses a key for a tenth of a second.
    pub async fn press(&self, digit: char) {
        let mut sender = self.sender.lock().await;
        let mut press = Press::new(Digit::try_from(digit).unwrap(), Duration::from_millis(100));
        let remote = self.remote.borrow().expect("the call is answered");
        let mut packet = [0; MAX_PACKET_BYTES];
        while let Some(length) = sender.press(&mut press, &mut packet) {
            self.media.send_to(&packet[..length], remote).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Says the tone for so many ticks.
    pub async fn talk(&self, ticks: usize) {
        let mut sender = self.sender.lock().await;
        let mut tone = Sine::new(SampleRate::Hz8000, TONE_HZ, Dbov(-20.0));
        let mut encoder = Encoder::new(Format::Pcmu.into());
        let remote = self.remote.borrow().expect("the call is answered");
        let (mut frame, mut payload, mut packet) = ([0; 160], [0; 160], [0; MAX_PACKET_BYTES]);
        for _ in 0..ticks {
            tone.fill(&mut frame);
            encoder.encode(&frame, &mut payload);
            sender.send(&payload);
            let length = sender.next_packet(&mut packet).expect("a packet holds one tick");
            self.media.send_to(&packet[..length], remote).await.unwrap();
            tokio::time::sleep(TICK).await;
        }
    }

    /// Everything heard until the other side hangs up.
    pub async fn listen_to_the_end(&self) -> Vec<i16> {
        assert_eq!(self.ended().await, CallEnd::HungUp);
        self.heard.lock().unwrap().samples.clone()
    }

    /// The keys that the service pressed, in order.
    pub fn digits(&self) -> String {
        self.heard.lock().unwrap().digits.iter().map(|(_, digit)| digit.as_char()).collect()
    }
}

async fn listen_to(socket: Arc<UdpSocket>, heard: Arc<Mutex<Heard>>) {
    let mut decoder = Decoder::new(Format::Pcmu);
    let (mut datagram, mut frame) = ([0; 1500], [0; 1500]);
    while let Ok(length) = socket.recv(&mut datagram).await {
        let packet = PacketView::parse(&datagram[..length]).unwrap();
        let mut heard = heard.lock().unwrap();
        match packet.header.payload_type {
            0 => {
                let samples = decoder.decode(packet.payload, &mut frame).unwrap();
                heard.samples.extend(&frame[..samples]);
            }
            DIGITS => {
                let pressed = (packet.header.timestamp, DigitEvent::parse(packet.payload).unwrap().digit);
                if !heard.digits.contains(&pressed) {
                    heard.digits.push(pressed);
                }
            }
            // Reports come to the same port.
            _ => {}
        }
    }
}
