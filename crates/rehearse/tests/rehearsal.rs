//! A rehearsal at a small mixing server of the test's own.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mixminus_codec::{Decoder, Encoder, Format};
use mixminus_rehearse::{Options, RehearseError, Report, run};
use mixminus_rtp::{MAX_PACKET_BYTES, PacketView, Sender, SenderIdentity};
use mixminus_sip::sdp::{LocalMedia, negotiate};
use mixminus_sip::{IncomingCall, UserAgent, UserAgentConfig};
use tokio::net::UdpSocket;
use tokio::time::{MissedTickBehavior, interval};

/// What a listener gets of its own voice.
#[derive(Clone, Copy, PartialEq)]
enum Own {
    Subtracted,
    Left,
}

struct Leg {
    room: String,
    call: IncomingCall,
    socket: UdpSocket,
    remote: SocketAddr,
    sender: Sender,
    frames: VecDeque<[i16; 160]>,
}

impl Leg {
    #[expect(clippy::disallowed_methods, reason = "the test is the server")]
    async fn answer(call: IncomingCall) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let local = LocalMedia {
            address: socket.local_addr().unwrap(),
            session_id: 1,
            version: 1,
            formats: vec![Format::Pcmu],
        };
        let (answer, agreed) = negotiate(call.offer.as_deref().unwrap(), &local).unwrap();
        call.control.answer(answer);
        let sender = Sender::new(SenderIdentity { ssrc: 1, sequence: 65_000, timestamp: 7 });
        Self { room: call.user.clone(), call, socket, remote: agreed.remote, sender, frames: VecDeque::new() }
    }

    /// This tick's frame: the oldest that waits, of at most three.
    fn contribute(&mut self) -> [i16; 160] {
        let mut datagram = [0; MAX_PACKET_BYTES];
        while let Ok(bytes) = self.socket.try_recv(&mut datagram) {
            let mut frame = [0; 160];
            let packet = PacketView::parse(&datagram[..bytes]).unwrap();
            Decoder::new(Format::Pcmu).decode(packet.payload, &mut frame).unwrap();
            self.frames.push_back(frame);
        }
        while self.frames.len() > 3 {
            self.frames.pop_front();
        }
        self.frames.pop_front().unwrap_or([0; 160])
    }

    fn send(&mut self, mix: &[i16; 160]) {
        let (mut payload, mut packet) = ([0; 160], [0; MAX_PACKET_BYTES]);
        Encoder::new(Format::Pcmu).encode(mix, &mut payload);
        let bytes = self.sender.packet(Format::Pcmu, &payload, &mut packet);
        self.socket.try_send_to(&packet[..bytes], self.remote).unwrap();
    }
}

fn tick(legs: &mut [Leg], own: Own) {
    let frames: Vec<_> = legs.iter_mut().map(Leg::contribute).collect();
    let mut rooms: HashMap<String, [i16; 160]> = HashMap::new();
    for (leg, frame) in legs.iter().zip(&frames) {
        let sum = rooms.entry(leg.room.clone()).or_insert([0; 160]);
        sum.iter_mut().zip(frame).for_each(|(sum, sample)| *sum += sample);
    }
    for (leg, frame) in legs.iter_mut().zip(&frames) {
        let mut mix = rooms[&leg.room];
        if own == Own::Subtracted {
            mix.iter_mut().zip(frame).for_each(|(mix, sample)| *mix -= sample);
        }
        leg.send(&mix);
    }
}

/// Rehearses at a server that mixes; the server's user agent is kept until the end.
async fn rehearse(own: Own, rooms: u32, participants: u32, seconds: u32) -> (Report, UserAgent) {
    let config = UserAgentConfig {
        listen: vec!["udp:127.0.0.1:0".parse().unwrap(), "tcp:127.0.0.1:0".parse().unwrap()],
        ..UserAgentConfig::default()
    };
    let (agent, mut calls) = UserAgent::start(config).await.unwrap();
    let legs = Arc::new(Mutex::new(Vec::new()));
    let mixing = Arc::clone(&legs);
    let mixer = tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(20));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            ticks.tick().await;
            tick(&mut mixing.lock().unwrap(), own);
        }
    });
    let answerer = tokio::spawn(async move {
        while let Some(call) = calls.recv().await {
            let leg = Leg::answer(call).await;
            assert_eq!(leg.call.from.split('@').next().unwrap().matches('-').count(), 2);
            legs.lock().unwrap().push(leg);
        }
    });
    let target = format!("{};tcp", agent.listening()[1].address);
    let report = run(Options { target, rooms, participants, seconds, ..Options::default() }).await.unwrap();
    mixer.abort();
    answerer.abort();
    (report, agent)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_mixes_right_passes() {
    let (report, agent) = rehearse(Own::Subtracted, 2, 3, 5).await;
    assert!(report.passed());
    assert_eq!((report.calls.placed, report.calls.answered), (6, 6));
    assert!(report.hearing.iter().all(|room| (room.expected, room.heard) == (6, 6)));
    assert_eq!(report.packets.sent, 6 * 250);
    assert!(report.inter_arrival.unwrap().samples > 6 * 150);
    // Three clicks in each of two rooms, two listeners each.
    assert_eq!(report.clicks_expected, 12);
    let delay = report.added_delay.unwrap();
    assert!(delay.samples >= 10 && delay.p50_ms < 100.0, "{delay}");
    assert_eq!(report.server, None, "the server is this process");
    drop(agent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_echoes_fails() {
    let (report, agent) = rehearse(Own::Left, 1, 2, 5).await;
    assert!(!report.passed());
    let own: Vec<_> = report.hearing[0].unexpected.iter().map(|f| f.listener == f.speaker).collect();
    assert_eq!(own, [true, true]);
    assert!(report.hearing[0].own_voice_db > -6.0);
    drop(agent);
}

#[tokio::test]
async fn a_server_that_refuses_is_an_error() {
    let config =
        UserAgentConfig { listen: vec!["udp:127.0.0.1:0".parse().unwrap()], ..UserAgentConfig::default() };
    let (agent, _calls) = UserAgent::start(config).await.unwrap();
    agent.drain(Duration::from_secs(1));
    let target = agent.listening()[0].address.to_string();
    let refused = run(Options { target, rooms: 1, participants: 2, ..Options::default() }).await;
    let Err(RehearseError::NobodyAnswered { placed: 2, reason }) = refused else { panic!("{refused:?}") };
    assert_eq!(reason, "status 503");
}
