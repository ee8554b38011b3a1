//! The outgoing stream, with regular sequence numbers and timestamps.

use mixminus_audio::Dbov;
use mixminus_codec::{Format, MAX_PAYLOAD_BYTES, comfort_noise_payload};

use crate::{HEADER_BYTES, Header, MediaParameters, Press};

/// Size of the largest packet that is sent.
pub const MAX_PACKET_BYTES: usize = HEADER_BYTES + MAX_PAYLOAD_BYTES;

/// Where an outgoing stream begins. To be drawn at random (RFC 3550, section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderIdentity {
    /// Identifies the stream.
    pub ssrc: u32,
    /// Sequence number of the first packet.
    pub sequence: u16,
    /// Timestamp of the first tick.
    pub timestamp: u32,
}

/// Makes the packets of one outgoing stream. Each tick is used by one of [`send`](Self::send),
/// [`press`](Self::press), [`comfort_noise`](Self::comfort_noise) and [`skip`](Self::skip); after the first
/// and the last, [`next_packet`](Self::next_packet) is called until it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    parameters: MediaParameters,
    /// Of the next packet: its timestamp is that of the first pending byte.
    next: SenderIdentity,
    marker: bool,
    pending: [u8; 2 * MAX_PAYLOAD_BYTES],
    pending_bytes: usize,
    /// Bytes of 10 ms of what is pending; all of it when it cannot be cut.
    grain_bytes: usize,
    /// Clock units of silence that follow what is pending.
    silent_units: u32,
}

impl Sender {
    /// A stream that begins at `identity`.
    pub fn new(parameters: MediaParameters, identity: SenderIdentity) -> Self {
        Self {
            parameters,
            next: identity,
            marker: true,
            pending: [0; 2 * MAX_PAYLOAD_BYTES],
            pending_bytes: 0,
            grain_bytes: 1,
            silent_units: 0,
        }
    }

    /// Changes what both sides agreed on. Sequence numbers and timestamps go on; what is not yet a packet
    /// of another format is dropped.
    pub fn set_parameters(&mut self, parameters: MediaParameters) {
        if parameters.format() != self.parameters.format() {
            self.drop_pending();
        }
        self.parameters = parameters;
    }

    /// Takes one tick of encoded audio. When it is empty there is nothing to be sent: as [`skip`](Self::skip).
    ///
    /// # Panics
    ///
    /// When it is larger than [`MAX_PAYLOAD_BYTES`].
    pub fn send(&mut self, payload: &[u8]) {
        if payload.is_empty() {
            return self.skip();
        }
        self.end_silence();
        let room = if self.cuts() { self.pending.len() } else { payload.len() };
        if self.pending_bytes + payload.len() > room {
            self.drop_pending();
        }
        self.grain_bytes = if self.cuts() { payload.len() / 2 } else { payload.len() };
        self.pending[self.pending_bytes..][..payload.len()].copy_from_slice(payload);
        self.pending_bytes += payload.len();
    }

    /// Sends nothing this tick. Time goes on: the next packet has the timestamp of its own tick, and the
    /// marker that tells a pause from a loss.
    pub fn skip(&mut self) {
        self.silent_units = self.silent_units.wrapping_add(self.tick_units());
        if self.pending_bytes == 0 {
            self.end_silence();
        }
    }

    /// Writes the next packet that is complete to the start of `out` and returns its size in bytes. A packet
    /// is also complete when a pause follows it.
    ///
    /// # Panics
    ///
    /// When `out` is too small; [`MAX_PACKET_BYTES`] is always enough.
    pub fn next_packet(&mut self, out: &mut [u8]) -> Option<usize> {
        let whole = if self.cuts() {
            let grains = self.parameters.ptime.ms() as usize / 10;
            grains.min(MAX_PAYLOAD_BYTES / self.grain_bytes) * self.grain_bytes
        } else {
            self.grain_bytes
        };
        let enough = if self.silent_units > 0 { 1 } else { whole };
        if self.pending_bytes < enough {
            return None;
        }
        let payload_bytes = whole.min(self.pending_bytes);
        Some(self.flush(payload_bytes, out))
    }

    /// Writes a packet of the pressed key instead of audio, or first what was pending, and returns its size
    /// in bytes; `None`, and the tick is still to be used, when the press is over or the far end takes no
    /// telephone events.
    ///
    /// # Panics
    ///
    /// When `out` is too small.
    pub fn press(&mut self, press: &mut Press, out: &mut [u8]) -> Option<usize> {
        let payload_type = self.parameters.digit_payload_type?;
        if press.is_over() {
            return None;
        }
        if self.pending_bytes > 0 {
            self.skip();
            return self.next_packet(out);
        }
        let (timestamp, marker, event) =
            press.step(self.next.timestamp, self.parameters.format().clock_rate())?;
        let header = Header { marker, ..self.header(payload_type, timestamp) };
        Some(self.tick_packet(header, &event.to_bytes(), out))
    }

    /// Writes a packet that describes noise at `level` instead of audio, or first what was pending, and
    /// returns its size in bytes; `None`, and the tick is still to be used, when the far end takes none.
    ///
    /// # Panics
    ///
    /// When `out` is too small.
    pub fn comfort_noise(&mut self, level: Dbov, out: &mut [u8]) -> Option<usize> {
        let payload_type = self.parameters.comfort_noise_payload_type?;
        if self.pending_bytes > 0 {
            self.skip();
            return self.next_packet(out);
        }
        let header = Header { marker: false, ..self.header(payload_type, self.next.timestamp) };
        let size_bytes = self.tick_packet(header, &comfort_noise_payload(level), out);
        // What follows noise begins a talkspurt.
        self.marker = true;
        Some(size_bytes)
    }

    /// What the next packet will have, if this tick makes it.
    pub(crate) fn next(&self) -> SenderIdentity {
        SenderIdentity { timestamp: self.tick_timestamp(), ..self.next }
    }

    /// Goes on under another SSRC.
    pub(crate) fn rename(&mut self, ssrc: u32) {
        self.next.ssrc = ssrc;
        self.marker = true;
    }

    /// Whether payloads can be cut and joined: those of all formats in which time is bytes.
    fn cuts(&self) -> bool {
        !matches!(self.parameters.format(), Format::Opus(_))
    }

    fn tick_units(&self) -> u32 {
        self.parameters.format().clock_rate().frame_units()
    }

    /// Clock units of `bytes` that are pending.
    fn units(&self, bytes: usize) -> u32 {
        let grain_units = if self.cuts() { self.tick_units() / 2 } else { self.tick_units() };
        (bytes / self.grain_bytes) as u32 * grain_units
    }

    /// The timestamp of the tick that is about to be used.
    fn tick_timestamp(&self) -> u32 {
        self.next.timestamp.wrapping_add(self.units(self.pending_bytes)).wrapping_add(self.silent_units)
    }

    fn end_silence(&mut self) {
        if self.silent_units > 0 {
            self.drop_pending();
            self.marker = true;
        }
    }

    /// What nobody has taken is not sent; its time has passed all the same.
    fn drop_pending(&mut self) {
        self.next.timestamp = self.tick_timestamp();
        (self.pending_bytes, self.silent_units) = (0, 0);
    }

    /// Writes a packet of the first `payload_bytes` that are pending.
    fn flush(&mut self, payload_bytes: usize, out: &mut [u8]) -> usize {
        let header = self.header(self.parameters.payload_type, self.next.timestamp);
        let size_bytes = write(header, &self.pending[..payload_bytes], out);
        self.pending.copy_within(payload_bytes..self.pending_bytes, 0);
        self.pending_bytes -= payload_bytes;
        self.marker = false;
        self.next.sequence = self.next.sequence.wrapping_add(1);
        self.next.timestamp = self.next.timestamp.wrapping_add(self.units(payload_bytes));
        if self.pending_bytes == 0 {
            self.end_silence();
        }
        size_bytes
    }

    /// Writes a packet that takes a tick by itself.
    fn tick_packet(&mut self, header: Header, payload: &[u8], out: &mut [u8]) -> usize {
        self.next.sequence = self.next.sequence.wrapping_add(1);
        self.next.timestamp = self.next.timestamp.wrapping_add(self.tick_units());
        write(header, payload, out)
    }

    fn header(&self, payload_type: u8, timestamp: u32) -> Header {
        let SenderIdentity { ssrc, sequence, .. } = self.next;
        Header { marker: self.marker, payload_type, sequence, timestamp, ssrc }
    }
}

fn write(header: Header, payload: &[u8], out: &mut [u8]) -> usize {
    let (head, rest) = out.split_first_chunk_mut().expect("the caller has room for a header");
    header.write(head);
    rest[..payload.len()].copy_from_slice(payload);
    HEADER_BYTES + payload.len()
}

#[cfg(test)]
mod tests;
