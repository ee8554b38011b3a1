//! A far end of our own, and media planes to talk to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use mixminus_audio::{Dbov, SampleRate, Sine, TICK, goertzel};
use mixminus_codec::{Decoder, Encoder, Format};
use mixminus_media::{Direction, Media, MediaConfig, MediaEvent, RemoteMedia};
use mixminus_mixer::{BridgeId, LegId, MixPlan, SinkRoutes, SourceId};
use mixminus_rtp::{
    Digit, Header, MAX_PACKET_BYTES, MediaParameters, PacketView, Press, Sender, SenderIdentity,
};
use tokio::sync::mpsc::Receiver;

const RATE: SampleRate = SampleRate::Hz8000;
const DIGITS: u8 = 101;

pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A media plane on whatever ports are free.
pub fn start(workers: usize) -> (Media, Receiver<MediaEvent>) {
    start_on(20_000..=31_999, workers)
}

/// A media plane on these ports.
pub fn start_on(ports: RangeInclusive<u16>, workers: usize) -> (Media, Receiver<MediaEvent>) {
    let config = MediaConfig {
        bind_ip: LOOPBACK,
        ports,
        workers,
        media_timeout: Duration::from_millis(200),
        max_legs: 100,
    };
    Media::start(config).unwrap()
}

/// So many ports in a row that nobody holds.
#[expect(clippy::disallowed_methods, reason = "only a socket can tell")]
pub fn free_ports(ports: u16) -> RangeInclusive<u16> {
    let bindable = |port: u16| UdpSocket::bind((LOOPBACK, port)).is_ok();
    let mut firsts = (10_000..19_000).step_by(usize::from(ports)).skip(std::process::id() as usize % 100);
    let first = firsts.find(|first| (*first..first + ports).all(bindable)).unwrap();
    first..=first + ports - 1
}

/// Sends a tone and remembers what it is sent.
pub struct FarEnd {
    pub leg: LegId,
    pub packets: Vec<(Header, Vec<i16>)>,
    pub silent: bool,
    /// Where it takes and from where it sends reports.
    pub reports: UdpSocket,
    pub to: SocketAddr,
    socket: UdpSocket,
    sender: Sender,
    tone: Sine,
    press: Option<Press>,
}

impl FarEnd {
    /// A new leg, its far end on `ip`, and what signalling agrees on.
    pub fn call(media: &Media, tone_hz: f64) -> Self {
        let (leg, to) = media.open_leg().unwrap();
        let far_end = Self::intrude(LOOPBACK, leg, to, tone_hz);
        far_end.agree(media, Direction::SendReceive);
        far_end
    }

    /// Someone on `ip` who sends to a leg without having been agreed on.
    #[expect(clippy::disallowed_methods, reason = "the far ends of this test own their sockets")]
    pub fn intrude(ip: IpAddr, leg: LegId, to: SocketAddr, tone_hz: f64) -> Self {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        let reports = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        reports.set_nonblocking(true).unwrap();
        let identity = SenderIdentity { ssrc: tone_hz as u32, sequence: 1, timestamp: 0 };
        Self {
            leg,
            packets: Vec::new(),
            silent: false,
            reports,
            socket,
            to,
            sender: Sender::new(identity),
            tone: Sine::new(RATE, tone_hz, Dbov(-20.0)),
            press: None,
        }
    }

    pub fn agree(&self, media: &Media, direction: Direction) {
        self.agree_on(media, self.socket.local_addr().unwrap(), direction);
    }

    pub fn agree_on(&self, media: &Media, address: SocketAddr, direction: Direction) {
        let parameters = MediaParameters { format: Format::Pcmu, digit_payload_type: Some(DIGITS) };
        let report_address = self.reports.local_addr().unwrap();
        media.set_remote(self.leg, RemoteMedia { address, report_address, parameters, direction });
    }

    pub fn press(&mut self, key: char) {
        self.press = Some(Press::new(Digit::try_from(key).unwrap(), Duration::from_millis(100)));
    }

    /// Sends what is no RTP from the right address.
    pub fn send_junk(&self) {
        self.socket.send_to(&[b'x'; 40], self.to).unwrap();
    }

    /// Everything heard in the last `ticks` packets.
    pub fn audio(&self, ticks: usize) -> Vec<i16> {
        let first = self.packets.len().saturating_sub(ticks);
        self.packets[first..].iter().flat_map(|(_, samples)| samples).copied().collect()
    }

    /// Whether the tone is in the last 15 packets: clearly, or clearly not.
    pub fn hears(&self, tone_hz: f64) -> bool {
        let Dbov(level) = goertzel(&self.audio(15), RATE, tone_hz);
        assert!(!(-60.0..-30.0).contains(&level), "{tone_hz} Hz is half heard, at {level} dBov");
        level > -30.0
    }

    /// That no packet was lost, repeated or out of its time.
    pub fn assert_regular(&self) {
        for pair in self.packets.windows(2) {
            let (before, after) = (pair[0].0, pair[1].0);
            assert_eq!(after.sequence, before.sequence.wrapping_add(1));
            assert_eq!(after.timestamp, before.timestamp.wrapping_add(160));
            assert_eq!(after.ssrc, before.ssrc);
        }
    }

    fn tick(&mut self) {
        let mut packet = [0; MAX_PACKET_BYTES];
        let mut frame = [0; 160];
        let mut payload = [0; 160];
        self.tone.fill(&mut frame);
        Encoder::new(Format::Pcmu).encode(&frame, &mut payload);
        let pressed =
            self.press.as_mut().and_then(|press| self.sender.press(DIGITS, Format::Pcmu, press, &mut packet));
        let size_bytes = match pressed {
            Some(size_bytes) => size_bytes,
            None => self.sender.packet(Format::Pcmu, &payload, &mut packet),
        };
        if !self.silent {
            self.socket.send_to(&packet[..size_bytes], self.to).unwrap();
        }
        while let Ok(size_bytes) = self.socket.recv(&mut packet) {
            let packet = PacketView::parse(&packet[..size_bytes]).unwrap();
            let mut samples = vec![0; 160];
            assert_eq!(Decoder::new(Format::Pcmu).decode(packet.payload, &mut samples), Ok(160));
            self.packets.push((packet.header, samples));
        }
    }
}

/// Lets time pass, with every far end sending and receiving.
#[expect(clippy::disallowed_methods, reason = "real sockets are tested in real time")]
pub fn talk<'a>(far_ends: impl IntoIterator<Item = &'a mut FarEnd>, ticks: u32) {
    let mut far_ends: Vec<_> = far_ends.into_iter().collect();
    let began = Instant::now();
    for tick in 1..=ticks {
        for far_end in &mut far_ends {
            far_end.tick();
        }
        std::thread::sleep((began + TICK * tick).saturating_duration_since(Instant::now()));
    }
}

/// The next thing that happened, other than that a far end talks or does not.
pub fn next(events: &mut Receiver<MediaEvent>) -> Option<MediaEvent> {
    std::iter::from_fn(|| events.try_recv().ok()).find(|event| !matches!(event, MediaEvent::Talking { .. }))
}

/// Waits, at most two seconds, until something is so.
#[expect(clippy::disallowed_methods, reason = "real threads are tested in real time")]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not within two seconds: {what}");
}

/// Routes a bridge so that everyone hears everyone else, and `also`.
pub fn install(media: &Media, bridge: u64, legs: &[LegId], also: &[SourceId]) {
    let routes = |leg: &LegId| SinkRoutes {
        leg: *leg,
        hears: legs
            .iter()
            .filter(|other| *other != leg)
            .map(|other| SourceId::Leg(*other))
            .chain(also.to_vec())
            .collect(),
    };
    let routes: Vec<_> = legs.iter().map(routes).collect();
    media.install(BridgeId(bridge), MixPlan::compile(&routes).unwrap());
}
