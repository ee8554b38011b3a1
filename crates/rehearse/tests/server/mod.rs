//! A small conference server.

use std::collections::{HashMap, VecDeque};
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use mixminus_audio::TICK;
use mixminus_codec::{Decoder, Encoder, Format, MAX_PAYLOAD_BYTES, OpusSettings};
use mixminus_rtp::{HEADER_BYTES, Header, PacketView};
use mixminus_sip::sdp::{LocalMedia, LocalSrtp, negotiate};
use mixminus_sip::{IncomingCall, UserAgent, UserAgentConfig};

/// What the server does.
#[derive(Clone, Copy, PartialEq)]
pub enum Manner {
    /// Mixes right, from a queue of at most three frames.
    MixMinus,
    /// Leaves everybody's own voice in.
    Echo,
    /// Mixes all rooms together.
    OneRoom,
    /// Sends silence.
    Mute,
    /// Mixes from a queue that never shrinks.
    Queue,
    /// Loses one of ten packets.
    Lossy,
    /// Sends each packet of one of a pair to the other, so much later.
    Relay(Duration),
}

pub struct Server {
    agent: UserAgent,
    stopped: Arc<AtomicBool>,
}

struct Leg {
    room: String,
    format: Format,
    header: Header,
    /// Kept, for the call lasts as long.
    _call: IncomingCall,
    socket: UdpSocket,
    decoder: Decoder,
    encoder: Encoder,
    frames: VecDeque<Vec<i16>>,
    /// Payloads to be relayed, and when.
    relayed: VecDeque<(Instant, Vec<u8>)>,
}

impl Server {
    pub async fn start(manner: Manner) -> Self {
        let config = UserAgentConfig {
            listen: vec!["udp:127.0.0.1:0".parse().unwrap(), "tcp:127.0.0.1:0".parse().unwrap()],
            ..UserAgentConfig::default()
        };
        let (agent, mut calls) = UserAgent::start(config).await.unwrap();
        let legs = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (mixing, stop) = (Arc::clone(&legs), Arc::clone(&stopped));
        thread::Builder::new().spawn(move || serve(manner, &mixing, &stop)).unwrap();
        tokio::spawn(async move {
            while let Some(call) = calls.recv().await {
                let leg = Leg::answer(call);
                legs.lock().unwrap().push(leg);
            }
        });
        Self { agent, stopped }
    }

    pub fn target(&self) -> String {
        format!("{};tcp", self.agent.listening()[1].address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "the server works in real time")]
fn serve(manner: Manner, legs: &Mutex<Vec<Leg>>, stopped: &AtomicBool) {
    let mut tick = Instant::now();
    while !stopped.load(Ordering::Relaxed) {
        let mut legs = legs.lock().unwrap();
        if let Manner::Relay(delay) = manner {
            relay(&mut legs, Instant::now(), delay);
        } else if Instant::now() >= tick {
            mix(&mut legs, manner);
            tick += TICK;
        }
        drop(legs);
        thread::sleep(Duration::from_micros(300));
    }
}

fn relay(legs: &mut [Leg], now: Instant, delay: Duration) {
    for leg in legs.iter_mut() {
        while let Some(payload) = leg.receive() {
            leg.relayed.push_back((now + delay, payload));
        }
    }
    for from in 0..legs.len() {
        let mate = |to: &usize| *to != from && legs[*to].room == legs[from].room;
        let Some(to) = (0..legs.len()).find(mate) else { continue };
        while legs[from].relayed.front().is_some_and(|(due, _)| *due <= now) {
            let (_, payload) = legs[from].relayed.pop_front().unwrap();
            legs[to].send(&payload);
        }
    }
}

fn mix(legs: &mut [Leg], manner: Manner) {
    let most = if manner == Manner::Queue { usize::MAX } else { 3 };
    let frames: Vec<_> = legs.iter_mut().map(|leg| leg.contribute(most)).collect();
    let mut rooms: HashMap<String, Vec<i32>> = HashMap::new();
    let room = |leg: &Leg| if manner == Manner::OneRoom { String::new() } else { leg.room.clone() };
    for (leg, frame) in legs.iter().zip(&frames) {
        let sum = rooms.entry(room(leg)).or_insert_with(|| vec![0; frame.len()]);
        sum.iter_mut().zip(frame).for_each(|(sum, sample)| *sum += i32::from(*sample));
    }
    for (leg, frame) in legs.iter_mut().zip(&frames) {
        let mut mix = rooms[&room(leg)].clone();
        match manner {
            Manner::Echo => {}
            Manner::Mute => mix.fill(0),
            _ => mix.iter_mut().zip(frame).for_each(|(mix, sample)| *mix -= i32::from(*sample)),
        }
        let mix: Vec<_> = mix.iter().map(|sum| (*sum).clamp(-32_768, 32_767) as i16).collect();
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let bytes = leg.encoder.encode(&mix, &mut payload);
        if manner == Manner::Lossy && leg.header.sequence.is_multiple_of(10) {
            leg.header.sequence = leg.header.sequence.wrapping_add(1);
        } else {
            leg.send(&payload[..bytes]);
        }
    }
}

impl Leg {
    #[expect(clippy::disallowed_methods, reason = "the test is the server")]
    fn answer(call: IncomingCall) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let local = LocalMedia {
            address: socket.local_addr().unwrap(),
            session_id: 1,
            version: 1,
            formats: Format::ALL.into(),
            opus: OpusSettings::default(),
            srtp: LocalSrtp::default(),
            ice: None,
        };
        let (answer, agreed) = negotiate(call.offer.as_deref().unwrap(), &local).unwrap();
        assert_eq!(call.from.split('@').next().unwrap().matches('-').count(), 2);
        call.control.answer(answer);
        socket.connect(agreed.remote).unwrap();
        let (payload_type, encoding) = (agreed.parameters.payload_type, agreed.parameters.encoding);
        Self {
            room: call.user.clone(),
            format: encoding.format(),
            header: Header { marker: false, payload_type, sequence: 65_000, timestamp: 7, ssrc: 1 },
            _call: call,
            socket,
            decoder: Decoder::new(encoding.format()),
            encoder: Encoder::new(encoding),
            frames: VecDeque::new(),
            relayed: VecDeque::new(),
        }
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        let mut datagram = [0; 2048];
        let bytes = self.socket.recv(&mut datagram).ok()?;
        Some(PacketView::parse(&datagram[..bytes]).unwrap().payload.to_vec())
    }

    /// This tick's frame: the oldest that waits, of at most so many.
    fn contribute(&mut self, most: usize) -> Vec<i16> {
        let silence = vec![0; self.format.sample_rate().frame_samples()];
        while let Some(payload) = self.receive() {
            let mut frame = silence.clone();
            self.decoder.decode(&payload, &mut frame).unwrap();
            self.frames.push_back(frame);
        }
        while self.frames.len() > most {
            self.frames.pop_front();
        }
        self.frames.pop_front().unwrap_or(silence)
    }

    fn send(&mut self, payload: &[u8]) {
        let mut packet = vec![0; HEADER_BYTES];
        self.header.write(packet.first_chunk_mut().unwrap());
        packet.extend_from_slice(payload);
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(self.format.clock_rate().frame_units());
        // The caller may have hung up.
        self.socket.send(&packet).ok();
    }
}
