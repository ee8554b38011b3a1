//! One leg's media in both directions.

mod incoming;
mod quality;

use std::time::Duration;

use mixminus_audio::{Dbov, TICK};

use crate::arrivals::Arrivals;
use crate::drift::Drift;
use crate::in_band::InBand;
use crate::keypad::Keypad;
use crate::loudness::Loudness;
use crate::transit::Transit;
use crate::{
    Digit, HEADER_BYTES, JitterBuffer, MediaParameters, PacketError, Playout, Press, Sender, SenderIdentity,
    Statistics,
};

/// Frames that count for what is heard now: ten seconds.
const RECENT_FRAMES: f32 = 500.0;

/// What a datagram was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Audio, which will be played.
    Audio,
    /// A key was pressed.
    Digit(Digit),
    /// More of a key press that has been reported.
    DigitContinues,
    /// What noise is to be heard until audio comes again.
    ComfortNoise,
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
    /// Its audio is malformed, or shorter or longer than is accepted.
    #[error("payload of {0} bytes is no packet of 10 to 60 ms")]
    Payload(usize),
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
/// Allocates only when it is made.
#[derive(Debug)]
pub struct LegMedia {
    parameters: MediaParameters,
    sender: Sender,
    source: Option<u32>,
    arrivals: Arrivals,
    keypad: Keypad,
    transit: Transit,
    drift: Drift,
    hearing: Hearing,
    loudness: Loudness,
    statistics: Statistics,
    /// Share of frames that are made up, over about the last ten seconds.
    recent_concealment: f32,
    /// The SSRC that was given up because the far end has it too.
    given_up: Option<GivenUp>,
}

/// What depends on the format of what comes in.
#[derive(Debug)]
struct Hearing {
    buffer: JitterBuffer,
    in_band: InBand,
}

/// An outgoing stream that has ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GivenUp {
    pub(crate) ssrc: u32,
    /// Packets and bytes of payload that were sent under it.
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

/// What a leg needs for other parameters: made, and dropped with what the leg had before, where memory may be
/// allocated and freed.
#[derive(Debug)]
pub struct Renewal {
    parameters: MediaParameters,
    hearing: Hearing,
}

impl Renewal {
    /// All that `parameters` need.
    pub fn new(parameters: MediaParameters) -> Self {
        Self { parameters, hearing: Hearing::new(parameters) }
    }

    /// The parameters.
    pub fn parameters(&self) -> MediaParameters {
        self.parameters
    }
}

impl Hearing {
    fn new(parameters: MediaParameters) -> Self {
        let format = parameters.format();
        Self { buffer: JitterBuffer::new(format), in_band: InBand::new(format.sample_rate()) }
    }
}

impl LegMedia {
    /// Media that has received nothing and will send its first packet with `identity`.
    pub fn new(parameters: MediaParameters, identity: SenderIdentity) -> Self {
        Self {
            parameters,
            sender: Sender::new(parameters, identity),
            source: None,
            arrivals: Arrivals::default(),
            keypad: Keypad::default(),
            transit: Transit::default(),
            drift: Drift::default(),
            hearing: Hearing::new(parameters),
            loudness: Loudness::default(),
            statistics: Statistics::default(),
            recent_concealment: 0.0,
            given_up: None,
        }
    }

    /// The parameters in force.
    pub fn parameters(&self) -> MediaParameters {
        self.parameters
    }

    /// Changes what both sides agreed on; what is no longer needed goes home in `renewal`. The outgoing stream
    /// goes on: same SSRC, next sequence number, next timestamp.
    pub fn renew(&mut self, renewal: &mut Renewal) {
        let parameters = renewal.parameters;
        self.sender.set_parameters(parameters);
        if parameters.format() != self.parameters.format() {
            std::mem::swap(&mut self.hearing, &mut renewal.hearing);
            (self.transit, self.drift) = (Transit::default(), Drift::default());
        }
        self.parameters = parameters;
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
        let Statistics { played_frames, concealed_frames, .. } = self.statistics;
        let mut playout = self.hearing.buffer.playout(frame, &mut self.statistics);
        let played = (self.statistics.played_frames - played_frames) as f32;
        let concealed = (self.statistics.concealed_frames - concealed_frames) as f32;
        self.recent_concealment += (concealed - played * self.recent_concealment) / RECENT_FRAMES;
        self.loudness.hear(self.parameters.format(), frame, self.hearing.buffer.power());
        if self.parameters.digit_payload_type.is_none() && self.hearing.in_band.hear(frame, playout) {
            self.loudness.mute();
            playout = Playout::Silence;
        }
        playout
    }

    /// A key heard in the audio of a far end that takes no telephone events, once for each press.
    /// Telephone events are told of by [`receive`](Self::receive).
    pub fn take_digit(&mut self) -> Option<Digit> {
        let digit = self.hearing.in_band.take_digit()?;
        self.statistics.digits += 1;
        Some(digit)
    }

    /// How loud the last frame was.
    pub fn level(&self) -> Dbov {
        self.loudness.now()
    }

    /// Counts this tick as one in which the far end talks.
    pub fn add_talk_time(&mut self) {
        self.statistics.talk_time += TICK;
    }

    /// Takes one tick of encoded audio; when it is empty there is nothing to be sent: time goes on, and the
    /// next packet has the marker. To be called exactly once a tick, unless [`press`](Self::press),
    /// [`comfort_noise`](Self::comfort_noise) or [`skip`](Self::skip) used it, and then
    /// [`next_packet`](Self::next_packet) until it has none.
    ///
    /// # Panics
    ///
    /// When it is larger than any encoder makes it.
    pub fn send(&mut self, payload: &[u8]) {
        self.sender.send(payload);
    }

    /// Writes the next packet that is complete to the start of `out` and returns its size in bytes.
    ///
    /// # Panics
    ///
    /// When `out` is too small; [`MAX_PACKET_BYTES`](crate::MAX_PACKET_BYTES) is always enough.
    pub fn next_packet(&mut self, out: &mut [u8]) -> Option<usize> {
        let size_bytes = self.sender.next_packet(out)?;
        Some(self.count_sent(size_bytes))
    }

    /// Writes a packet of the pressed key instead of audio, or before that what is still to be sent, and
    /// returns its size in bytes; `None`, and the tick is still to be used, when the press is over or the far
    /// end takes no telephone events.
    ///
    /// # Panics
    ///
    /// When `out` is too small.
    pub fn press(&mut self, press: &mut Press, out: &mut [u8]) -> Option<usize> {
        let size_bytes = self.sender.press(press, out)?;
        Some(self.count_sent(size_bytes))
    }

    /// Writes a packet that describes noise at `level` instead of audio, or before that what is still to be
    /// sent, and returns its size in bytes; `None`, and the tick is still to be used, when the far end takes
    /// none.
    ///
    /// # Panics
    ///
    /// When `out` is too small.
    pub fn comfort_noise(&mut self, level: Dbov, out: &mut [u8]) -> Option<usize> {
        let size_bytes = self.sender.comfort_noise(level, out)?;
        Some(self.count_sent(size_bytes))
    }

    /// Sends nothing this tick, because the far side is not to hear anything. Time goes on.
    pub fn skip(&mut self) {
        self.sender.skip();
    }

    fn count_sent(&mut self, packet_bytes: usize) -> usize {
        self.statistics.sent += 1;
        self.statistics.sent_bytes += (packet_bytes - HEADER_BYTES) as u64;
        packet_bytes
    }
}
