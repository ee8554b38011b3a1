//! A far end of our own, and media planes to talk to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use mixminus_audio::{Dbov, SampleRate, Sine, TICK, goertzel};
use mixminus_codec::{Decoder, Encoder, Format, MAX_PAYLOAD_BYTES};
use mixminus_media::{Direction, Media, MediaConfig, MediaEvent, RemoteMedia, Security, Whereabouts};
use mixminus_mixer::{BridgeId, LegId, MixPlan, SinkRoutes, SourceId};
use mixminus_rtp::rtcp::is_rtcp;
use mixminus_rtp::srtp::{MAX_OVERHEAD_BYTES, Protector, SrtpKey, SrtpKeys, SrtpSuite, Unprotector};
use mixminus_rtp::{
    Digit, DigitEvent, Header, MAX_PACKET_BYTES, MediaParameters, PacketView, Press, Sender, SenderIdentity,
};
use tokio::sync::mpsc::Receiver;

const DIGITS: u8 = 101;

pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A media plane on whatever ports are free.
pub fn start(workers: usize) -> (Media, Receiver<MediaEvent>) {
    start_on(20_000..=31_999, workers)
}

/// A media plane on these ports.
pub fn start_on(ports: RangeInclusive<u16>, workers: usize) -> (Media, Receiver<MediaEvent>) {
    Media::start(MediaConfig { ports, workers, ..config() }).unwrap()
}

/// One worker on whatever ports are free.
pub fn config() -> MediaConfig {
    MediaConfig {
        bind_ip: LOOPBACK,
        ports: 20_000..=31_999,
        workers: 1,
        media_timeout: Duration::from_millis(200),
        max_legs: 100,
        max_busy_percent: 70,
        replay_log: None,
    }
}

/// So many ports in a row that nobody holds.
#[expect(clippy::disallowed_methods, reason = "only a socket can tell")]
pub fn free_ports(ports: u16) -> RangeInclusive<u16> {
    let bindable = |port: u16| UdpSocket::bind((LOOPBACK, port)).is_ok();
    let mut firsts = (10_000..19_000).step_by(usize::from(ports)).skip(std::process::id() as usize % 100);
    let first = firsts.find(|first| (*first..first + ports).all(bindable)).unwrap();
    first..=first + ports - 1
}

/// `format` with telephone events.
pub fn with_events(format: Format) -> MediaParameters {
    MediaParameters { digit_payload_type: Some(DIGITS), ..MediaParameters::of(format) }
}

/// Fills a frame and says whether more follows.
type Sound = Box<dyn FnMut(&mut [i16]) -> bool>;

/// What protects a far end's packets, and what it agreed on about that.
struct Srtp {
    agreed: SrtpKeys,
    protector: Protector,
    unprotector: Unprotector,
}

/// Keys that `seed` tells from others, as the leg sees them.
pub fn srtp_keys(suite: SrtpSuite, seed: u8) -> SrtpKeys {
    let key = |byte| SrtpKey::new(suite, &vec![byte; suite.key_bytes() + suite.salt_bytes()]).unwrap();
    SrtpKeys { inbound: key(seed), outbound: key(!seed) }
}

/// Sends a tone and remembers what it is sent.
pub struct FarEnd {
    pub leg: LegId,
    /// The audio that came.
    pub packets: Vec<(Header, Vec<i16>)>,
    /// The keys that came as telephone events, one for each packet.
    pub events: Vec<DigitEvent>,
    /// The reports that came with the media.
    pub mux_reports: Vec<Vec<u8>>,
    /// Whether each packet of audio could have stood in for the one before it.
    pub recoverable: Vec<bool>,
    pub silent: bool,
    /// It does not look at what is sent to it.
    pub deaf: bool,
    /// Where it takes and from where it sends reports.
    pub reports: UdpSocket,
    pub to: SocketAddr,
    pub socket: UdpSocket,
    parameters: MediaParameters,
    srtp: Option<Box<Srtp>>,
    encoder: Encoder,
    decoder: Decoder,
    sender: Sender,
    tone_hz: f64,
    tone: Sine,
    press: Option<Press>,
    sound: Option<Sound>,
}

impl FarEnd {
    /// A new leg, its far end on `ip`, and what signalling agrees on.
    pub fn call(media: &Media, tone_hz: f64) -> Self {
        Self::call_with(media, tone_hz, with_events(Format::Pcmu))
    }

    /// The same with other parameters.
    pub fn call_with(media: &Media, tone_hz: f64, parameters: MediaParameters) -> Self {
        let (leg, to) = media.open_leg().unwrap();
        let mut far_end = Self::intrude(LOOPBACK, leg, to, tone_hz);
        far_end.recode(media, parameters);
        far_end
    }

    /// Agrees on protection and keeps to it.
    pub fn protect(&mut self, media: &Media, agreed: SrtpKeys) {
        let security = Security::Srtp(agreed.clone());
        media.set_remote(self.leg, RemoteMedia { security, ..self.remote() });
        self.forget_what_is_on_its_way();
        let (protector, unprotector) = (Protector::new(&agreed.inbound), Unprotector::new(&agreed.outbound));
        self.srtp = Some(Box::new(Srtp { agreed, protector, unprotector }));
    }

    /// Agrees on other parameters.
    pub fn recode(&mut self, media: &Media, parameters: MediaParameters) {
        let rate = parameters.format().sample_rate();
        self.parameters = parameters;
        self.encoder = Encoder::new(parameters.encoding);
        self.decoder = Decoder::new(parameters.format());
        self.sender.set_parameters(parameters);
        self.tone = Sine::new(rate, self.tone_hz, Dbov(-20.0));
        self.agree(media, Direction::SendReceive);
    }

    /// Someone on `ip` who sends to a leg without having been agreed on.
    #[expect(clippy::disallowed_methods, reason = "the far ends of this test own their sockets")]
    pub fn intrude(ip: IpAddr, leg: LegId, to: SocketAddr, tone_hz: f64) -> Self {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        let reports = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        reports.set_nonblocking(true).unwrap();
        let identity = SenderIdentity { ssrc: tone_hz as u32, sequence: 1, timestamp: 0 };
        let parameters = with_events(Format::Pcmu);
        Self {
            leg,
            packets: Vec::new(),
            events: Vec::new(),
            mux_reports: Vec::new(),
            recoverable: Vec::new(),
            silent: false,
            deaf: false,
            reports,
            socket,
            to,
            parameters,
            srtp: None,
            encoder: Encoder::new(parameters.encoding),
            decoder: Decoder::new(parameters.format()),
            sender: Sender::new(parameters, identity),
            tone_hz,
            tone: Sine::new(SampleRate::Hz8000, tone_hz, Dbov(-20.0)),
            press: None,
            sound: None,
        }
    }

    pub fn agree(&self, media: &Media, direction: Direction) {
        self.agree_on(media, self.socket.local_addr().unwrap(), direction);
    }

    pub fn agree_on(&self, media: &Media, address: SocketAddr, direction: Direction) {
        media.set_remote(self.leg, RemoteMedia { address, direction, ..self.remote() });
    }

    /// What it offers.
    pub fn remote(&self) -> RemoteMedia {
        RemoteMedia {
            address: self.socket.local_addr().unwrap(),
            whereabouts: Whereabouts::Said,
            report_address: self.reports.local_addr().unwrap(),
            rtcp_mux: false,
            voip_metrics: false,
            parameters: self.parameters,
            direction: Direction::SendReceive,
            security: self.srtp.as_ref().map_or(Security::Plain, |srtp| Security::Srtp(srtp.agreed.clone())),
        }
    }

    pub fn press(&mut self, key: char) {
        self.press = Some(Press::new(Digit::try_from(key).unwrap(), Duration::from_millis(100)));
    }

    /// Sends what `sound` fills frames with instead of its tone, for as long as
    /// that says that more follows.
    pub fn sound(&mut self, sound: impl FnMut(&mut [i16]) -> bool + 'static) {
        self.sound = Some(Box::new(sound));
    }

    /// Throws away what was sent to it by now and in the next tick.
    #[expect(clippy::disallowed_methods, reason = "real sockets are tested in real time")]
    pub fn forget_what_is_on_its_way(&mut self) {
        std::thread::sleep(2 * TICK);
        while self.socket.recv(&mut [0; MAX_PACKET_BYTES]).is_ok() {}
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
        let level = self.level_of(tone_hz);
        assert!(!(-60.0..-30.0).contains(&level), "{tone_hz} Hz is half heard, at {level} dBov");
        level > -30.0
    }

    /// How loud the tone is in the last 15 packets, in dBov.
    pub fn level_of(&self, tone_hz: f64) -> f32 {
        goertzel(&self.audio(15), self.rate(), tone_hz).0
    }

    fn rate(&self) -> SampleRate {
        self.parameters.format().sample_rate()
    }

    /// That no packet was lost, repeated or out of its time.
    pub fn assert_regular(&self) {
        let step = self.parameters.format().clock_rate().frame_units();
        for pair in self.packets.windows(2) {
            let (before, after) = (pair[0].0, pair[1].0);
            assert_eq!(after.sequence, before.sequence.wrapping_add(1));
            assert_eq!(after.timestamp, before.timestamp.wrapping_add(step));
            assert_eq!(after.ssrc, before.ssrc);
        }
    }

    fn tick(&mut self) {
        let mut out = [0; MAX_PACKET_BYTES + MAX_OVERHEAD_BYTES];
        let mut frame = vec![0; self.rate().frame_samples()];
        self.tone.fill(&mut frame);
        if let Some(sound) = &mut self.sound
            && !sound(&mut frame)
        {
            self.sound = None;
        }
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let payload_bytes = self.encoder.encode(&frame, &mut payload);
        let mut packets = Vec::new();
        match self.press.as_mut().and_then(|press| self.sender.press(press, &mut out)) {
            Some(size_bytes) => packets.push(out[..size_bytes].to_vec()),
            None => self.sender.send(&payload[..payload_bytes]),
        }
        while let Some(size_bytes) = self.sender.next_packet(&mut out) {
            packets.push(out[..size_bytes].to_vec());
        }
        for mut packet in packets.into_iter().filter(|_| !self.silent) {
            if let Some(srtp) = &mut self.srtp {
                let size_bytes = packet.len();
                packet.resize(size_bytes + MAX_OVERHEAD_BYTES, 0);
                let size_bytes = srtp.protector.protect(&mut packet, size_bytes);
                packet.truncate(size_bytes);
            }
            self.socket.send_to(&packet, self.to).unwrap();
        }
        while let Ok(size_bytes) = self.socket.recv(&mut out) {
            if self.deaf {
                continue;
            }
            let datagram = &mut out[..size_bytes];
            let is_report = is_rtcp(datagram);
            let size_bytes = match &mut self.srtp {
                None => size_bytes,
                Some(srtp) if is_report => srtp.unprotector.unprotect_report(datagram).unwrap(),
                Some(srtp) => srtp.unprotector.unprotect(datagram).unwrap(),
            };
            if is_report {
                self.mux_reports.push(datagram[..size_bytes].to_vec());
            } else {
                let packet = datagram[..size_bytes].to_vec();
                self.hear(PacketView::parse(&packet).unwrap());
            }
        }
    }

    fn hear(&mut self, packet: PacketView<'_>) {
        if packet.header.payload_type == DIGITS {
            self.events.push(DigitEvent::parse(packet.payload).unwrap());
            return;
        }
        assert_eq!(packet.header.payload_type, self.parameters.payload_type);
        let mut samples = vec![0; 6 * self.rate().frame_samples()];
        let frame = &mut samples[..self.rate().frame_samples()];
        self.recoverable.push(Decoder::new(self.parameters.format()).recover(packet.payload, frame));
        let decoded = self.decoder.decode(packet.payload, &mut samples).unwrap();
        samples.truncate(decoded);
        self.packets.push((packet.header, samples));
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
    media.install(BridgeId(bridge), plan(legs, also));
}

/// Everyone hears everyone else, and `also`.
pub fn plan(legs: &[LegId], also: &[SourceId]) -> MixPlan {
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
    MixPlan::compile(&routes).unwrap()
}
