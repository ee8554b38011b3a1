//! A SIP party's media: socket, source gate, stream.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mixminus_audio::{Dbov, MAX_FRAME_SAMPLES, Talking, level};
use mixminus_codec::{Encoder, Format, MAX_PAYLOAD_BYTES};
use mixminus_mixer::{Contribution, Leg, LegId};
use mixminus_rtp::{LegMedia, MAX_PACKET_BYTES, MediaParameters, Playout, Reason, Received, SenderIdentity};

use crate::MediaEvent;
use crate::gate::SourceGate;
use crate::ports::PortPair;
use crate::published::Published;
use crate::reports::Reports;
use crate::tick::Tick;
use crate::timeline::{MAX_MADE_UP, Missed, Timeline};

/// Datagrams read from one socket in one tick. A far end sends one or two;
/// the rest is room to get past a flood from elsewhere, at about a
/// microsecond each.
const MAX_DATAGRAMS_PER_TICK: usize = 256;

/// Ticks of absence that the timestamp follows one by one: a minute. A longer
/// absence looks like a minute to the far end, which only has to see time go on.
const MAX_SKIPPED_TICKS: u64 = 3_000;

/// Which way media flows, seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendReceive,
    /// The far end listens and sends nothing.
    SendOnly,
    /// The far end does not listen: it holds us. What it sends meanwhile is
    /// its hold music or a voice that believes it is not heard, so its digits
    /// are taken and its audio is not.
    ReceiveOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    const fn sends(self) -> bool {
        matches!(self, Self::SendReceive | Self::SendOnly)
    }

    const fn receives(self) -> bool {
        matches!(self, Self::SendReceive | Self::ReceiveOnly)
    }
}

/// What signalling agreed with the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteMedia {
    /// Where it said it takes media.
    pub address: SocketAddr,
    /// Where it said it takes reports (RTCP).
    pub report_address: SocketAddr,
    /// Codec and digits.
    pub parameters: MediaParameters,
    /// Which way media flows.
    pub direction: Direction,
}

/// A [`RemoteMedia`] with what a worker must not allocate.
#[derive(Debug)]
pub(crate) struct Remote {
    media: RemoteMedia,
    silence: Box<[u8]>,
}

impl Remote {
    pub(crate) fn new(media: RemoteMedia) -> Self {
        let format = media.parameters.format;
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let size_bytes = Encoder::new(format)
            .encode(&[0; MAX_FRAME_SAMPLES][..format.sample_rate().frame_samples()], &mut payload);
        Self { media, silence: payload[..size_bytes].into() }
    }
}

/// Since when the far end has been silent.
#[derive(Clone, Copy, Debug)]
enum Watch {
    /// To be counted from the next tick.
    Begins,
    Since(Duration),
    TimedOut,
}

/// Whether the far end talks, and what the control side knows of it.
#[derive(Debug, Default)]
struct Voice {
    detector: Talking,
    talking: bool,
    told: bool,
}

/// Media with one SIP party.
#[derive(Debug)]
pub(crate) struct SipLeg {
    id: LegId,
    sockets: PortPair,
    media: LegMedia,
    gate: SourceGate,
    reports: Reports,
    direction: Direction,
    voice: Voice,
    /// One tick of silence in the leg's format.
    silence: Box<[u8]>,
    timeline: Timeline,
    timeout: Duration,
    watch: Watch,
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
        let parameters = MediaParameters { format: Format::Pcmu, digit_payload_type: None };
        Self {
            id,
            sockets,
            media: LegMedia::new(parameters, identity),
            gate: SourceGate::default(),
            reports,
            direction: Direction::Inactive,
            voice: Voice::default(),
            silence: Box::default(),
            timeline: Timeline::default(),
            timeout,
            watch: Watch::Begins,
            sent: 0,
            unsent: 0,
        }
    }

    /// Takes what signalling agreed, and leaves in `remote` what is to be freed.
    pub(crate) fn set_remote(&mut self, remote: &mut Remote) {
        let RemoteMedia { address, report_address, parameters, direction } = remote.media;
        self.gate.rename(address);
        self.reports.rename(report_address);
        if parameters != self.media.parameters() {
            self.media.set_parameters(parameters);
        }
        // An address of zeros is hold as it was before directions (RFC 3264, section 8.4).
        self.direction = if self.gate.destination().is_some() { direction } else { Direction::Inactive };
        self.watch = Watch::Begins;
        std::mem::swap(&mut self.silence, &mut remote.silence);
    }

    /// Where its statistics are published.
    pub(crate) fn published(&self) -> Arc<Published> {
        self.reports.published()
    }

    /// Publishes its statistics as they are now.
    pub(crate) fn publish(&self) {
        self.reports.publish(&self.media);
    }

    /// Throws away what came while the leg was in no bridge: it is too old to
    /// be heard.
    pub(crate) fn discard_backlog(&mut self) {
        let mut datagram = [0; 1];
        for _ in 0..MAX_DATAGRAMS_PER_TICK {
            if self.sockets.rtp.recv_from(&mut datagram).is_err() {
                return;
            }
        }
    }

    /// Begins a tick: makes up for missed ones and takes in what has arrived.
    pub(crate) fn begin_tick(&mut self, tick: &mut Tick) {
        tick.traffic.sent += std::mem::take(&mut self.sent);
        tick.traffic.unsent += std::mem::take(&mut self.unsent);
        if self.gate.destination().is_some() {
            let missed = self.timeline.tick(tick.now);
            self.make_up(missed);
        }
        self.receive(tick);
        self.reports.tick(&self.sockets.rtcp, &mut self.media, tick);
        self.watch(tick);
    }

    /// Ends a tick: tells whether the far end talks, once it does or no longer does.
    pub(crate) fn end_tick(&mut self, tick: &mut Tick) {
        let Voice { talking, told, .. } = self.voice;
        if talking != told && tick.offer(MediaEvent::Talking { leg: self.id, talking }) {
            self.voice.told = talking;
        }
    }

    fn make_up(&mut self, missed: Missed) {
        let (packets, ticks) = match missed {
            Missed::Nothing => return,
            Missed::Packets(packets) => (packets, 0),
            Missed::Ticks(ticks) => (0, ticks),
        };
        let mut frame = [0; MAX_FRAME_SAMPLES];
        let frame = &mut frame[..self.format().sample_rate().frame_samples()];
        for _ in 0..(packets + ticks).min(MAX_MADE_UP) {
            // Its time has passed; played later, it would delay all that follows.
            self.media.playout(frame);
        }
        let silence = std::mem::take(&mut self.silence);
        (0..packets).for_each(|_| self.send(&silence));
        self.silence = silence;
        (0..ticks.min(MAX_SKIPPED_TICKS)).for_each(|_| self.media.skip());
    }

    fn receive(&mut self, tick: &mut Tick) {
        for _ in 0..MAX_DATAGRAMS_PER_TICK {
            match self.sockets.rtp.recv_from(&mut tick.datagram) {
                Ok((size_bytes, source)) if self.gate.admits(source) => self.take(size_bytes, source, tick),
                Ok(_) => tick.traffic.foreign += 1,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {}
            }
        }
    }

    fn take(&mut self, size_bytes: usize, source: SocketAddr, tick: &mut Tick) {
        if !self.direction.receives() {
            tick.traffic.unexpected += 1;
            return;
        }
        tick.traffic.received += 1;
        let received = self.media.receive(tick.now, &tick.datagram[..size_bytes]);
        // Whatever is RTP shows that the far end is there: comfort noise too, which is dropped.
        if !matches!(received, Received::Dropped(Reason::Malformed(_))) {
            self.watch = Watch::Since(tick.now);
        }
        match received {
            Received::Dropped(_) => {
                tick.traffic.dropped += 1;
                return;
            }
            Received::Digit(digit) => tick.report(MediaEvent::Digit { leg: self.id, digit }),
            Received::Audio | Received::DigitContinues => {}
        }
        self.gate.learn(source);
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
}

impl Leg for SipLeg {
    fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
        let (contribution, level) = match self.media.playout(frame) {
            Playout::Audio if self.direction == Direction::SendReceive => (Contribution::Audio, level(frame)),
            Playout::Audio | Playout::Silence => (Contribution::Silence, Dbov::SILENCE),
        };
        self.voice.talking = self.voice.detector.hear(level);
        contribution
    }

    fn format(&self) -> Format {
        self.media.parameters().format
    }

    fn send(&mut self, payload: &[u8]) {
        let Some(destination) = self.gate.destination() else { return };
        if !self.direction.sends() {
            self.media.skip();
            return;
        }
        let mut packet = [0; MAX_PACKET_BYTES];
        let size_bytes = self.media.packet(payload, &mut packet);
        match self.sockets.rtp.send_to(&packet[..size_bytes], destination) {
            Ok(_) => self.sent += 1,
            Err(_) => self.unsent += 1,
        }
    }
}
