//! A SIP party's media: socket, source gate, stream.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mixminus_audio::{Dbov, MAX_FRAME_SAMPLES, Talking};
use mixminus_codec::{Encoder, Encoding, Format, MAX_PAYLOAD_BYTES};
use mixminus_mixer::{Contribution, Leg, LegId};
use mixminus_replay::Event;
use mixminus_rtp::rtcp::is_rtcp;
use mixminus_rtp::srtp::MAX_OVERHEAD_BYTES;
use mixminus_rtp::{
    Digit, LegMedia, MAX_PACKET_BYTES, MediaParameters, Playout, Reason, Received, SenderIdentity,
};

use crate::dialing::{Dialed, Dialing};
use crate::gate::SourceGate;
use crate::meter::Meter;
use crate::ports::PortPair;
use crate::protection::Protection;
use crate::remote::{Encoders, Remote};
use crate::reports::{FarEnd, Reports};
use crate::side_channel::{Sender, SideInlet, is_aside};
use crate::tick::Tick;
use crate::timeline::{MAX_MADE_UP, Missed, Timeline};
use crate::voice::VoiceWatch;
use crate::{Direction, MediaEvent, RemoteMedia, Whereabouts, clock};

/// Datagrams read from one socket in one tick. A far end sends one or two;
/// the rest is room to get past a flood from elsewhere, at about a
/// microsecond each.
const MAX_DATAGRAMS_PER_TICK: usize = 256;

/// Ticks of absence that the timestamp follows one by one: a minute. A longer
/// absence looks like a minute to the far end, which only has to see time go on.
const MAX_SKIPPED_TICKS: u64 = 3_000;

/// Frames of missed ticks that are taken from the jitter buffer: as many as it
/// keeps at most.
const MAX_PASSED_FRAMES: u64 = 16;

/// Since when the far end has been silent.
#[derive(Clone, Copy, Debug)]
enum Watch {
    /// To be counted from the next tick.
    Begins,
    Since(Duration),
    TimedOut,
}

/// Whether the far end talks, and what the control side knows of it.
#[derive(Debug)]
struct Talk {
    detector: Talking,
    level: Dbov,
    talking: bool,
    told: bool,
    watch: Arc<VoiceWatch>,
}

/// Whether a leg may use its worker's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Good,
    /// It cost too much for too long: what it sends is no longer looked at.
    Evicted,
}

/// One tick of a leg, as a bridge sees it.
#[derive(Debug)]
struct Said {
    heard: bool,
    frame: [i16; MAX_FRAME_SAMPLES],
    payload: [u8; MAX_PAYLOAD_BYTES],
    size_bytes: usize,
}

impl Default for Said {
    fn default() -> Self {
        Self { heard: false, frame: [0; _], payload: [0; _], size_bytes: 0 }
    }
}

/// Media with one SIP party.
#[derive(Debug)]
pub(crate) struct SipLeg {
    id: LegId,
    sockets: PortPair,
    media: LegMedia,
    encoders: Encoders,
    gate: SourceGate,
    protection: Protection,
    side: Option<Box<SideInlet>>,
    reports: Reports,
    direction: Direction,
    dialing: Dialing,
    talk: Talk,
    timeline: Timeline,
    timeout: Duration,
    watch: Watch,
    meter: Meter,
    standing: Standing,
    /// What it contributed and was sent in this tick, if there is a replay log.
    said: Option<Box<Said>>,
    sent: u64,
    unsent: u64,
}

impl SipLeg {
    /// A leg that knows no far end yet. With one, it is said to have timed
    /// out when it sends nothing for `timeout`.
    pub(crate) fn new(
        id: LegId,
        sockets: PortPair,
        identity: SenderIdentity,
        reports: Reports,
        timeout: Duration,
    ) -> Self {
        let parameters = Self::unagreed();
        Self {
            id,
            sockets,
            media: LegMedia::new(parameters, identity),
            encoders: Encoders::new(parameters),
            gate: SourceGate::default(),
            protection: Protection::default(),
            side: None,
            reports,
            direction: Direction::Inactive,
            dialing: Dialing::new(),
            talk: Talk {
                detector: Talking::default(),
                level: Dbov::SILENCE,
                talking: false,
                told: false,
                watch: Arc::default(),
            },
            timeline: Timeline::default(),
            timeout,
            watch: Watch::Begins,
            meter: Meter::new(id.0),
            standing: Standing::Good,
            said: None,
            sent: 0,
            unsent: 0,
        }
    }

    /// What its far end sounds like, wherever the leg is.
    pub(crate) fn voice(&self) -> Arc<VoiceWatch> {
        Arc::clone(&self.talk.watch)
    }

    /// The parameters of a leg before anything is agreed, when nothing is sent.
    pub(crate) fn unagreed() -> MediaParameters {
        MediaParameters::of(Format::Pcmu)
    }

    /// Takes what signalling agreed, and leaves in `remote` what is to be freed.
    pub(crate) fn set_remote(&mut self, remote: &mut Remote) {
        let RemoteMedia { address, direction, .. } = remote.media;
        self.gate = match remote.media.whereabouts {
            Whereabouts::Said => self.gate.renamed(address),
            Whereabouts::Checked => SourceGate::checked(address),
        };
        self.sockets.rtp.focus(self.gate.latched());
        self.protection.change(&mut remote.protection);
        self.reports.set_remote(&remote.media);
        if let Some(renewed) = &mut remote.renewed {
            self.media.renew(&mut renewed.renewal);
            self.encoders.renew(&mut renewed.encoders);
            self.dialing.interrupt();
        }
        // An address of zeros is hold as it was before directions (RFC 3264, section 8.4).
        let is_held = self.gate.destination().is_none() && !self.gate.checks();
        self.direction = if is_held { Direction::Inactive } else { direction };
        self.watch = Watch::Begins;
    }

    /// Keeps for [`Self::line`] what it contributes and is sent.
    pub(crate) fn keep_log(&mut self) {
        self.said = Some(Box::default());
    }

    /// This tick's line for the replay log.
    pub(crate) fn line(&self) -> Option<Event<'_>> {
        let said = self.said.as_deref()?;
        let samples = self.encoding().format().sample_rate().frame_samples();
        Some(Event::Leg {
            leg: self.id.0,
            encoding: self.encoding().into(),
            frame: said.heard.then(|| said.frame[..samples].into()),
            payload: said.payload[..said.size_bytes].into(),
        })
    }

    /// Passes what is no media on to another inlet, and leaves the present one in `inlet`.
    pub(crate) fn set_side(&mut self, inlet: &mut Option<Box<SideInlet>>) {
        std::mem::swap(&mut self.side, inlet);
    }

    /// Presses keys, one after the other.
    pub(crate) fn dial(&mut self, digits: &[Digit]) {
        self.dialing.add(digits);
    }

    /// Publishes its statistics as they are now.
    pub(crate) fn publish(&mut self) {
        self.reports.publish(&self.media);
    }

    /// Throws away what came while the leg was in no bridge: it is too old to
    /// be heard.
    pub(crate) fn discard_backlog(&mut self) {
        for _ in 0..MAX_DATAGRAMS_PER_TICK {
            if self.sockets.rtp.receive(&mut [0]).is_err() {
                return;
            }
        }
    }

    /// Begins a tick: takes in what has arrived and makes up for missed ticks.
    pub(crate) fn begin_tick(&mut self, tick: &mut Tick) {
        tick.traffic.sent += std::mem::take(&mut self.sent);
        tick.traffic.unsent += std::mem::take(&mut self.unsent);
        let began = self.meter.measures().then(clock::now);
        if self.standing == Standing::Good {
            self.receive(tick);
        }
        if self.gate.destination().is_some() {
            let missed = self.timeline.tick(tick.now);
            self.make_up(missed);
        }
        let far_end = FarEnd {
            sockets: &self.sockets,
            media_to: self.gate.destination(),
            protection: &mut self.protection,
        };
        self.reports.tick(far_end, &mut self.media, tick);
        self.watch(tick);
        self.spend_since(began);
    }

    /// Ends a tick: tells what the far end pressed, whether it talks, once it
    /// does or no longer does, and whether it costs more than it may.
    pub(crate) fn end_tick(&mut self, tick: &mut Tick) {
        while let Some(digit) = self.media.take_digit() {
            tick.report(MediaEvent::Digit { leg: self.id, digit });
        }
        let Talk { talking, told, .. } = self.talk;
        if talking != told && tick.offer(MediaEvent::Talking { leg: self.id, talking }) {
            self.talk.told = talking;
        }
        if self.meter.end_tick() && self.standing == Standing::Good {
            self.standing = Standing::Evicted;
            tick.traffic.evicted += 1;
            tick.report(MediaEvent::Evicted { leg: self.id });
        }
    }

    /// Makes up for ticks that were missed while the leg was between bridges, or
    /// because the worker was late.
    fn make_up(&mut self, missed: Missed) {
        let (packets, ticks) = match missed {
            Missed::Nothing => return,
            Missed::Packets(packets) => (packets, 0),
            Missed::Ticks(ticks) => (0, ticks),
        };
        let mut frame = [0; MAX_FRAME_SAMPLES];
        let frame = &mut frame[..self.encoding().format().sample_rate().frame_samples()];
        for _ in 0..(packets + ticks).min(MAX_PASSED_FRAMES) {
            // Its time has passed; played later, it would delay all that follows.
            self.media.playout(frame);
        }
        debug_assert!(packets <= MAX_MADE_UP);
        let silence = std::mem::take(&mut self.encoders.silence);
        (0..packets).for_each(|_| self.emit(&silence));
        self.encoders.silence = silence;
        (0..ticks.min(MAX_SKIPPED_TICKS)).for_each(|_| self.media.skip());
    }

    fn receive(&mut self, tick: &mut Tick) {
        for _ in 0..MAX_DATAGRAMS_PER_TICK {
            match self.sockets.rtp.receive(&mut tick.datagram) {
                Ok((size_bytes, source)) => self.take(size_bytes, source, tick),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {}
            }
        }
    }

    fn take(&mut self, size_bytes: usize, source: SocketAddr, tick: &mut Tick) {
        let datagram = &mut tick.datagram[..size_bytes];
        let is_admitted = self.gate.admits(source);
        if let Some(side) = &mut self.side
            && (is_admitted || self.gate.checks())
            && is_aside(datagram)
        {
            let standing = if is_admitted { Sender::FarEnd } else { Sender::Stranger };
            return side.pass(standing, source, datagram);
        }
        if !is_admitted {
            tick.traffic.foreign += 1;
            return;
        }
        if self.reports.are_with_media() && is_rtcp(datagram) {
            if let Some(size_bytes) = self.protection.reveal_report(datagram) {
                self.side.iter().for_each(|side| side.hear());
                self.reports.take(&datagram[..size_bytes], &mut self.media);
            }
            return;
        }
        let Some(size_bytes) = self.protection.reveal(datagram) else {
            tick.traffic.forged += 1;
            return;
        };
        let datagram = &datagram[..size_bytes];
        self.side.iter().for_each(|side| side.hear());
        if !self.direction.receives() {
            tick.traffic.unexpected += 1;
            return;
        }
        tick.traffic.received += 1;
        let received = self.media.receive(tick.now, datagram);
        // Whatever is RTP shows that the far end is there.
        if !matches!(received, Received::Dropped(Reason::Malformed(_))) {
            self.watch = Watch::Since(tick.now);
        }
        match received {
            Received::Dropped(_) => {
                tick.traffic.dropped += 1;
                return;
            }
            Received::Digit(digit) => tick.report(MediaEvent::Digit { leg: self.id, digit }),
            Received::Audio | Received::DigitContinues | Received::ComfortNoise => {}
        }
        if self.gate.learn(source) {
            self.sockets.rtp.focus(Some(source));
        }
    }

    fn watch(&mut self, tick: &mut Tick) {
        if self.direction != Direction::SendReceive {
            return;
        }
        match self.watch {
            Watch::Begins => self.watch = Watch::Since(tick.now),
            Watch::Since(heard) if tick.now.saturating_sub(heard) >= self.timeout => {
                self.watch = Watch::TimedOut;
                tick.report(MediaEvent::MediaTimeout { leg: self.id });
            }
            Watch::Since(_) | Watch::TimedOut => {}
        }
    }

    fn spend_since(&mut self, began: Option<Duration>) {
        if let Some(began) = began {
            self.meter.spend(clock::now().saturating_sub(began));
        }
    }

    /// Sends the packet in the first `size_bytes` of `buffer`.
    fn transmit(&mut self, buffer: &mut [u8], size_bytes: usize, destination: SocketAddr) {
        let Some(size_bytes) = self.protection.seal(buffer, size_bytes) else { return };
        match self.sockets.rtp.send(&buffer[..size_bytes], destination) {
            Ok(_) => self.sent += 1,
            Err(_) => self.unsent += 1,
        }
    }
}

impl Leg for SipLeg {
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        let began = self.meter.measures().then(clock::now);
        let heard = self.standing == Standing::Good
            && self.media.playout(frame) == Playout::Audio
            && self.direction == Direction::SendReceive;
        let talk = &mut self.talk;
        talk.level = if heard { self.media.level() } else { Dbov::SILENCE };
        talk.talking = talk.detector.hear(talk.level, frame);
        talk.watch.hear(talk.level, talk.talking);
        if talk.talking {
            self.media.add_talk_time();
        }
        self.spend_since(began);
        if let Some(said) = &mut self.said {
            said.heard = heard;
            said.frame[..frame.len()].copy_from_slice(frame);
        }
        if heard { Contribution::Audio } else { Contribution::Silence }
    }

    fn talks(&self) -> Option<Dbov> {
        self.talk.talking.then_some(self.talk.level)
    }

    fn encoding(&self) -> Encoding {
        self.media.parameters().encoding.with_expected_loss(self.reports.expected_loss_percent())
    }

    fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoders.mix
    }

    fn send(&mut self, payload: &[u8]) {
        if let Some(said) = &mut self.said {
            said.payload[..payload.len()].copy_from_slice(payload);
            said.size_bytes = payload.len();
        }
        self.emit(payload);
    }
}

impl SipLeg {
    /// Sends a tick's payload, or a digit in its place.
    fn emit(&mut self, payload: &[u8]) {
        let Some(destination) = self.gate.destination() else { return };
        if !self.direction.sends() {
            self.media.skip();
            return;
        }
        let mut packet = [0; MAX_PACKET_BYTES + MAX_OVERHEAD_BYTES];
        match self.dialing.tick(&mut self.media, self.encoders.tones.as_mut(), &mut packet) {
            Dialed::Packet(size_bytes) => return self.transmit(&mut packet, size_bytes, destination),
            Dialed::Payload(size_bytes) => self.media.send(&packet[..size_bytes]),
            Dialed::Nothing => self.media.send(payload),
        }
        while let Some(size_bytes) = self.media.next_packet(&mut packet) {
            self.transmit(&mut packet, size_bytes, destination);
        }
    }
}
