//! Absorbs the variation with which packets arrive.

mod steer;
mod supply;

use std::time::Duration;

use mixminus_codec::{ComfortNoise, Decoder, Format};

use crate::bursts::{Bursts, Distribution};
use crate::lateness::Lateness;
use crate::packets::{Entry, Kind, Packets};
use crate::queue::Queue;
use crate::stretch::Stretch;
use crate::timeline::Timeline;
use crate::{BufferDelay, Statistics};

/// Shortest packet of audio that is accepted; of Opus any.
pub const MIN_PTIME_MS: usize = 10;

/// Longest packet of audio that is accepted; of Opus 120 ms.
pub const MAX_PTIME_MS: usize = 60;

/// The most delay that is kept for late packets. Higher hears more of a bad network and makes talking with
/// it harder.
pub const MAX_TARGET: Duration = Duration::from_millis(200);

/// The most audio that may wait; beyond, the oldest is dropped at once.
pub const MAX_DEPTH: Duration = Duration::from_millis(320);

/// Two lost packets within this time whose audio came again with the next one (in-band FEC) are worth the
/// delay of waiting for such.
const RECOVERY_WINDOW: Duration = Duration::from_secs(5);

/// Whether a packet was sent after all others that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It was.
    Newest,
    /// A later one came before.
    Overtaken,
}

/// A packet of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its sequence number.
    pub sequence: u16,
    /// Its timestamp, in units of the format's clock rate.
    pub timestamp: u32,
    /// What it holds.
    pub payload: &'a [u8],
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It will be played.
    Buffered,
    /// It was due already.
    Late,
    /// It is malformed, shorter or longer than is accepted, larger than anybody's packets, or was overtaken by
    /// packets with earlier timestamps.
    Refused,
}

/// Whether a frame holds sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playout {
    /// The frame is all zeros.
    Silence,
    /// The frame holds received or made-up audio.
    Audio,
}

/// Turns packets of any length and order into one frame a tick: decodes each when it is due, and conceals what
/// is missing.
///
/// It keeps the delay at which the latest packet of the last seconds would just have been in time. A late
/// packet raises the delay at once, for it is waited for; delay that no packet has needed is given back, in
/// pauses or by a pitch period at a time. It needs no clock but its ticks, so a sender's drift is a cause of
/// lateness like any other.
///
/// When it runs dry it waits: time that was concealed and then turns out to have been lost or silent is
/// skipped, so a pause adds no delay. Allocates only when it is made.
#[derive(Debug)]
pub struct JitterBuffer {
    format: Format,
    decoder: Decoder,
    noise: ComfortNoise,
    packets: Packets,
    queue: Queue,
    timeline: Timeline,
    lateness: Lateness,
    /// Lateness of the packet that was sent last.
    newest: i64,
    stretch: Stretch,
    /// Samples of all frames so far.
    clock: i64,
    /// Where in the stream the queue ends, once a stream has begun.
    next: Option<i64>,
    /// Samples made up since it ran dry.
    waited: i64,
    /// What is heard when nothing comes.
    idle: Idle,
    frame: Frame,
    /// Frames that were concealed while waiting. They count unless it was a pause.
    unexplained_frames: u64,
    /// When audio last came that was lost before and came again with the next packet.
    recovered_at: Option<i64>,
    delay: DelayMeter,
    bursts: Bursts,
    /// Samples in the packet that was played last.
    packet: i64,
}

/// What the last frame holds.
#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    /// Made-up audio for what is lost.
    concealed: bool,
    /// Made-up audio for what may still come.
    waiting: bool,
    /// Mean square of the samples.
    power: f32,
}

/// Samples that wait after a frame.
#[derive(Clone, Copy, Debug, Default)]
struct DelayMeter {
    now: i64,
    max: i64,
    total: i64,
    frames: i64,
}

/// What stands in for audio that does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idle {
    /// What the decoder makes of the audio before.
    Concealment,
    /// The noise that the far end described.
    Noise,
    /// Concealment that has faded.
    Silence,
}

impl JitterBuffer {
    /// An empty buffer for a stream of `format`.
    pub fn new(format: Format) -> Self {
        let rate = format.sample_rate();
        Self {
            format,
            decoder: Decoder::new(format),
            noise: ComfortNoise::new(rate),
            packets: Packets::new(max_payload_bytes(format)),
            queue: Queue::new(rate),
            timeline: Timeline::new(format),
            lateness: Lateness::new(),
            newest: 0,
            stretch: Stretch::new(rate),
            clock: 0,
            next: None,
            waited: 0,
            idle: Idle::Silence,
            frame: Frame::default(),
            unexplained_frames: 0,
            recovered_at: None,
            delay: DelayMeter::default(),
            bursts: Bursts::new(),
            packet: 0,
        }
    }

    /// Forgets the stream but not the delay that it needed: another one begins with the next packet.
    pub fn restart(&mut self) {
        self.packets.clear();
        self.timeline.restart();
        if self.next.take().is_some() {
            self.decoder.interrupt();
        }
        (self.waited, self.unexplained_frames, self.recovered_at) = (0, 0, None);
    }

    /// Takes a packet of audio.
    pub fn insert(&mut self, packet: Packet<'_>, order: Order, statistics: &mut Statistics) -> Inserted {
        let Some(length) = self.samples_in(packet.payload) else {
            self.pass(packet.sequence);
            return Inserted::Refused;
        };
        self.place(packet, length, order, statistics)
    }

    /// Takes a packet that describes comfort noise, which is heard until audio comes again.
    pub fn insert_noise(
        &mut self,
        packet: Packet<'_>,
        order: Order,
        statistics: &mut Statistics,
    ) -> Inserted {
        if packet.payload.len() > self.packets.max_payload_bytes() {
            return Inserted::Refused;
        }
        self.place(packet, 0, order, statistics)
    }

    /// Takes note that a packet has come which holds nothing to be played, so that it is not missing.
    pub fn pass(&mut self, sequence: u16) {
        let entry = Entry { sequence, kind: Kind::Other, position: 0, length: 0, lateness: 0 };
        self.packets.insert(entry, &[]);
    }

    /// Writes the next frame. To be called exactly once a tick.
    pub fn playout(&mut self, frame: &mut [i16], statistics: &mut Statistics) -> Playout {
        debug_assert_eq!(frame.len(), self.format.sample_rate().frame_samples());
        self.lateness.tick();
        self.frame = Frame::default();
        self.shed(statistics);
        if !self.stretched(frame, statistics) {
            self.supply(frame.len(), statistics);
            self.queue.take(frame);
        }
        self.clock += frame.len() as i64;
        self.account(statistics);
        let power = mean_square(frame);
        let playout = if is_digital_silence(frame, power) { Playout::Silence } else { Playout::Audio };
        if playout == Playout::Silence {
            frame.fill(0);
        } else {
            self.frame.power = power;
        }
        self.stretch.hear(self.frame.power);
        playout
    }

    /// How losses are distributed.
    pub(crate) fn losses(&self) -> Distribution {
        self.bursts.distribution()
    }

    /// How long the packets are.
    pub(crate) fn ptime(&self) -> Duration {
        self.duration(self.packet)
    }

    /// Mean square of the last frame.
    pub(crate) fn power(&self) -> f32 {
        self.frame.power
    }

    /// The delay that it adds.
    pub fn delay(&self) -> BufferDelay {
        let target = self.lateness.spread().min(self.samples(MAX_TARGET));
        let mean = self.delay.total.checked_div(self.delay.frames).unwrap_or(0);
        BufferDelay {
            now: self.duration(self.delay.now),
            mean: self.duration(mean),
            max: self.duration(self.delay.max),
            target: self.duration(target),
        }
    }

    /// Samples in `payload`, if it is one that is accepted.
    fn samples_in(&self, payload: &[u8]) -> Option<i64> {
        if payload.len() > self.packets.max_payload_bytes() {
            return None;
        }
        let samples = self.format.samples_in(payload)?;
        let per_ms = self.format.sample_rate().samples_per_ms();
        let usual = MIN_PTIME_MS * per_ms..=MAX_PTIME_MS * per_ms;
        (matches!(self.format, Format::Opus(_)) || usual.contains(&samples)).then_some(samples as i64)
    }

    /// Gives a packet its place; one without `length` is comfort noise.
    fn place(
        &mut self,
        packet: Packet<'_>,
        length: i64,
        order: Order,
        statistics: &mut Statistics,
    ) -> Inserted {
        let Packet { sequence, timestamp, payload } = packet;
        let max_gap = self.waited + self.samples(MAX_DEPTH);
        let passed = self.packets.has_passed(sequence);
        let order = match order {
            _ if passed => Order::Overtaken,
            _ if !self.timeline.has_begun() => Order::Newest,
            order => order,
        };
        let end = self.timeline.end();
        let position = self.timeline.place(timestamp, length, order, max_gap);
        if order == Order::Overtaken && position + length > end {
            return Inserted::Refused;
        }
        // What repeats the audio before it cannot be late for that.
        let due = if order == Order::Newest { position.max(end) } else { position };
        let lateness = self.clock - due;
        if let Some(next) = self.next {
            let behind = self.waited + self.playing(next) - due;
            // A stall is no measure of what comes after it.
            let stalled = self.waited.max(behind) > self.samples(MAX_TARGET) && behind > 0;
            if length > 0 && !stalled {
                self.lateness.note(lateness);
            }
            if order == Order::Overtaken && (passed || position + length <= next) {
                statistics.late += 1;
                return Inserted::Late;
            }
        }
        if order == Order::Newest {
            self.newest = lateness;
        }
        let kind = if length > 0 { Kind::Audio } else { Kind::Noise };
        self.packets.insert(Entry { sequence, kind, position, length, lateness }, payload);
        Inserted::Buffered
    }

    /// Counts the frame that was made.
    fn account(&mut self, statistics: &mut Statistics) {
        let Frame { concealed, waiting, .. } = self.frame;
        let Some(next) = self.next else { return };
        if concealed || !waiting && self.waited == 0 && self.idle == Idle::Concealment {
            statistics.played_frames += 1;
            statistics.concealed_frames += u64::from(concealed);
        } else if waiting {
            self.unexplained_frames += 1;
        }
        let ahead = self.timeline.end() - self.playing(next);
        self.delay.now = if self.waited > 0 { 0 } else { ahead.max(0) };
        if self.waited == 0 {
            self.delay.total += self.delay.now;
            self.delay.frames += 1;
            self.delay.max = self.delay.max.max(self.delay.now);
        }
    }

    /// Where in the stream the next sample to play is, if the queue ends at `next`.
    fn playing(&self, next: i64) -> i64 {
        next - self.queue.len() as i64
    }

    /// By how many samples the delay may be longer than if `playing` were played next.
    fn room(&self, playing: i64) -> i64 {
        self.samples(MAX_DEPTH) - (self.timeline.end() - playing)
    }

    fn samples(&self, duration: Duration) -> i64 {
        duration.as_millis() as i64 * self.format.sample_rate().samples_per_ms() as i64
    }

    fn duration(&self, samples: i64) -> Duration {
        Duration::from_nanos(
            samples.unsigned_abs() * 1_000_000_000 / u64::from(self.format.sample_rate().hz()),
        )
    }
}

/// The largest payload that is accepted: 60 ms, or for Opus what fits a packet of any network.
fn max_payload_bytes(format: Format) -> usize {
    let samples = MAX_PTIME_MS * format.sample_rate().samples_per_ms();
    match format {
        Format::Pcmu | Format::Pcma => samples,
        Format::G722 => samples / 2,
        Format::L16(_) => 2 * samples,
        Format::Opus(_) => 1_500,
    }
}

/// Whether a frame with this mean square is what a format makes of digital silence: Opus dithers, and A-law, which has no
/// zero, stays at 8. Who adds nothing to a conference can share an encoder.
fn is_digital_silence(frame: &[i16], power: f32) -> bool {
    const DITHER: f32 = 4.0;
    power <= DITHER || frame.iter().all(|&sample| sample == 8)
}

fn mean_square(frame: &[i16]) -> f32 {
    let squares: i64 = frame.iter().map(|&sample| i64::from(i32::from(sample).pow(2))).sum();
    squares as f32 / frame.len() as f32
}
