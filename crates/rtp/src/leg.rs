//! One leg's media in both directions.

use std::time::Duration;

use mixminus_codec::{Decoder, Format};

use crate::arrivals::{Arrival, Arrivals};
use crate::keypad::Keypad;
use crate::rtcp::ReportBlock;
use crate::transit::Transit;
use crate::{
    Digit, DigitEvent, HEADER_BYTES, Header, Inserted, JitterBuffer, Order, PacketError, PacketView, Playout,
    Press, RemoteQuality, Sender, SenderIdentity, Statistics,
};

/// Shortest packet of audio that is accepted.
pub const MIN_PTIME_MS: usize = 10;

/// Longest packet of audio that is accepted.
pub const MAX_PTIME_MS: usize = 60;

/// What both sides agreed on by SDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaParameters {
    /// Codec of the audio, both ways.
    pub format: Format,
    /// RTP payload type of telephone events, if agreed.
    pub digit_payload_type: Option<u8>,
}

/// What a datagram was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Audio, which will be played.
    Audio,
    /// A key was pressed.
    Digit(Digit),
    /// More of a key press that has been reported.
    DigitContinues,
    /// Nothing that is used.
    Dropped(Reason),
}

/// Why a datagram was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is no RTP packet.
    #[error("malformed: {0}")]
    Malformed(#[from] PacketError),
    /// Its payload type was not agreed on.
    #[error("payload type {0} was not negotiated")]
    PayloadType(u8),
    /// Its audio is shorter than 10 ms or longer than 60 ms.
    #[error("payload of {0} bytes is no packet of 10 to 60 ms")]
    PayloadLength(usize),
    /// It is a telephone event, but no key.
    #[error("telephone event is no key")]
    Event,
    /// It has come before.
    #[error("duplicate")]
    Duplicate,
    /// Its audio was due before it came.
    #[error("late")]
    Late,
    /// Its sequence number is far from the last one; believed if the next packet follows it.
    #[error("sequence number jumped")]
    SequenceJump,
    /// It is audio sent while a key is down, which is the key's tone.
    #[error("audio during a digit")]
    DuringDigit,
}

/// A leg's media without its socket: what comes in, made into one frame a tick, and what goes out.
///
/// Allocates only when it is made, and when the parameters change to a format of another sample rate.
#[derive(Debug)]
pub struct LegMedia {
    parameters: MediaParameters,
    sender: Sender,
    source: Option<u32>,
    arrivals: Arrivals,
    keypad: Keypad,
    transit: Transit,
    decoder: Decoder,
    decoded: Box<[i16]>,
    buffer: JitterBuffer,
    statistics: Statistics,
}

impl LegMedia {
    /// Media that has received nothing and will send its first packet with `identity`.
    pub fn new(parameters: MediaParameters, identity: SenderIdentity) -> Self {
        let rate = parameters.format.sample_rate();
        Self {
            parameters,
            sender: Sender::new(identity),
            source: None,
            arrivals: Arrivals::default(),
            keypad: Keypad::default(),
            transit: Transit::default(),
            decoder: Decoder::new(parameters.format),
            decoded: vec![0; MAX_PTIME_MS * rate.samples_per_ms()].into(),
            buffer: JitterBuffer::new(rate),
            statistics: Statistics::default(),
        }
    }

    /// The parameters in force.
    pub fn parameters(&self) -> MediaParameters {
        self.parameters
    }

    /// Changes what both sides agreed on. The outgoing stream goes on: same SSRC, next sequence number,
    /// next timestamp.
    pub fn set_parameters(&mut self, parameters: MediaParameters) {
        let before = self.parameters.format;
        let format = parameters.format;
        self.parameters = parameters;
        if format != before {
            self.decoder = Decoder::new(format);
        }
        if format.sample_rate() != before.sample_rate() {
            self.decoded = vec![0; MAX_PTIME_MS * format.sample_rate().samples_per_ms()].into();
            self.buffer = JitterBuffer::new(format.sample_rate());
        }
    }

    /// Takes a datagram that arrived at `now`, measured from any fixed origin.
    pub fn receive(&mut self, now: Duration, datagram: &[u8]) -> Received {
        match self.accept(now, datagram) {
            Ok(received) => received,
            Err(reason) => {
                let stream = matches!(reason, Reason::Duplicate | Reason::Late | Reason::DuringDigit);
                self.statistics.rejected += u64::from(!stream);
                Received::Dropped(reason)
            }
        }
    }

    /// Writes the next frame. To be called exactly once a tick.
    pub fn playout(&mut self, frame: &mut [i16]) -> Playout {
        self.buffer.playout(frame, &mut self.statistics)
    }

    /// Writes the packet that carries `payload` to the start of `out` and returns its size in bytes. To be
    /// called exactly once a tick, unless [`press`](Self::press) or [`skip`](Self::skip) used it.
    ///
    /// # Panics
    ///
    /// When `out` is too small; [`MAX_PACKET_BYTES`](crate::MAX_PACKET_BYTES) is enough for any frame.
    pub fn packet(&mut self, payload: &[u8], out: &mut [u8]) -> usize {
        let size_bytes = self.sender.packet(self.parameters.format, payload, out);
        self.count_sent(size_bytes);
        size_bytes
    }

    /// Writes a packet of the pressed key instead of audio and returns its size in bytes; `None`, and the
    /// tick is still to be used, when the press is over or the far side takes no telephone events.
    ///
    /// # Panics
    ///
    /// When `out` is too small.
    pub fn press(&mut self, press: &mut Press, out: &mut [u8]) -> Option<usize> {
        let payload_type = self.parameters.digit_payload_type?;
        let size_bytes = self.sender.press(payload_type, self.parameters.format, press, out)?;
        self.count_sent(size_bytes);
        Some(size_bytes)
    }

    /// Sends nothing this tick, because the far side is not to hear anything. Time goes on.
    pub fn skip(&mut self) {
        self.sender.skip(self.parameters.format);
    }

    /// What both streams have been like.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Where the outgoing stream goes on.
    pub(crate) fn outgoing(&self) -> SenderIdentity {
        self.sender.next()
    }

    /// How the incoming stream was received since the last call; `None` when nothing came since.
    pub(crate) fn reception(&mut self) -> Option<ReportBlock> {
        let losses = self.arrivals.report()?;
        let clock_hz = u128::from(self.parameters.format.clock_rate().hz());
        Some(ReportBlock {
            ssrc: self.source?,
            fraction_lost: losses.fraction,
            lost: losses.total,
            highest_sequence: losses.highest_sequence,
            jitter_units: (self.statistics.jitter.as_nanos() * clock_hz / 1_000_000_000) as u32,
            ..ReportBlock::default()
        })
    }

    /// Takes note of how the far end receives us.
    pub(crate) fn learn(&mut self, remote: RemoteQuality) {
        self.statistics.remote = Some(remote);
    }

    /// Takes note of the time to the far end and back.
    pub(crate) fn learn_round_trip(&mut self, round_trip: Duration) {
        self.statistics.round_trip = Some(round_trip);
    }

    fn count_sent(&mut self, packet_bytes: usize) {
        self.statistics.sent += 1;
        self.statistics.sent_bytes += (packet_bytes - HEADER_BYTES) as u64;
    }

    fn accept(&mut self, now: Duration, datagram: &[u8]) -> Result<Received, Reason> {
        let PacketView { header, payload } = PacketView::parse(datagram)?;
        let is_audio = header.payload_type == self.parameters.format.payload_type();
        let is_digit = Some(header.payload_type) == self.parameters.digit_payload_type;
        if is_audio || is_digit {
            self.follow(header.ssrc);
        } else if self.source != Some(header.ssrc) {
            return Err(Reason::PayloadType(header.payload_type));
        }
        let order = match self.arrivals.take(header.sequence, &mut self.statistics) {
            Arrival::Newest => Order::Newest,
            Arrival::Overtaken => Order::Overtaken,
            Arrival::Duplicate => return Err(Reason::Duplicate),
            Arrival::Jump => return Err(Reason::SequenceJump),
            Arrival::Ancient => {
                self.statistics.late += 1;
                return Err(Reason::Late);
            }
        };
        if is_audio {
            self.audio(now, header, payload, order)
        } else if is_digit {
            self.digit(now, header, payload, order)
        } else {
            Err(Reason::PayloadType(header.payload_type))
        }
    }

    /// Makes `ssrc` the stream that is listened to.
    fn follow(&mut self, ssrc: u32) {
        if self.source == Some(ssrc) {
            return;
        }
        self.statistics.source_changes += u64::from(self.source.is_some());
        self.source = Some(ssrc);
        self.arrivals = Arrivals::default();
        self.keypad = Keypad::default();
        self.transit = Transit::default();
        self.buffer.restart();
    }

    fn audio(
        &mut self,
        now: Duration,
        header: Header,
        payload: &[u8],
        order: Order,
    ) -> Result<Received, Reason> {
        let format = self.parameters.format;
        let samples = self.decoder.decode(payload, &mut self.decoded).unwrap_or(0);
        if samples < MIN_PTIME_MS * format.sample_rate().samples_per_ms() {
            return Err(Reason::PayloadLength(payload.len()));
        }
        if self.keypad.sounds(now, header.timestamp) {
            return Err(Reason::DuringDigit);
        }
        self.statistics.jitter = self.transit.take(now, header.timestamp, format.clock_rate());
        let samples_per_unit = format.sample_rate().hz() / format.clock_rate().hz();
        let position = header.timestamp.wrapping_mul(samples_per_unit);
        match self.buffer.insert(position, &self.decoded[..samples], order, &mut self.statistics) {
            Inserted::Buffered => Ok(Received::Audio),
            Inserted::Late => Err(Reason::Late),
        }
    }

    fn digit(
        &mut self,
        now: Duration,
        header: Header,
        payload: &[u8],
        order: Order,
    ) -> Result<Received, Reason> {
        let event = DigitEvent::parse(payload).ok_or(Reason::Event)?;
        if !self.keypad.take(now, header, event, order) {
            return Ok(Received::DigitContinues);
        }
        self.statistics.digits += 1;
        Ok(Received::Digit(event.digit))
    }
}
