//! The outgoing stream: a packet a tick, with regular sequence numbers and timestamps.

use mixminus_codec::{Format, MAX_PAYLOAD_BYTES};

use crate::{HEADER_BYTES, Header, Press};

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

/// Makes the packets of one outgoing stream. One of [`packet`](Self::packet), [`press`](Self::press) and
/// [`skip`](Self::skip) is called each tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    next: SenderIdentity,
    marker: bool,
}

impl Sender {
    /// A stream that begins at `identity`.
    pub fn new(identity: SenderIdentity) -> Self {
        Self { next: identity, marker: true }
    }

    /// Writes the packet of this tick to the start of `out` and returns its size in bytes.
    ///
    /// # Panics
    ///
    /// When `out` is too small; [`MAX_PACKET_BYTES`] is enough for any frame.
    pub fn packet(&mut self, format: Format, payload: &[u8], out: &mut [u8]) -> usize {
        let header = self.header(format.payload_type(), self.next.timestamp);
        self.tick(format);
        self.marker = false;
        write(header, payload, out)
    }

    /// Writes a packet of the pressed key instead of audio and returns its size in bytes; `None`, and the
    /// tick is still to be used, when the press is over.
    ///
    /// # Panics
    ///
    /// When `out` is smaller than 16 bytes.
    pub fn press(
        &mut self,
        payload_type: u8,
        format: Format,
        press: &mut Press,
        out: &mut [u8],
    ) -> Option<usize> {
        let (timestamp, marker, event) = press.step(self.next.timestamp, format.clock_rate())?;
        let header = Header { marker, ..self.header(payload_type, timestamp) };
        self.tick(format);
        Some(write(header, &event.to_bytes(), out))
    }

    /// Sends nothing this tick. Time goes on: the next packet has the timestamp of its own tick, and the
    /// marker that tells a pause from a loss.
    pub fn skip(&mut self, format: Format) {
        self.next.timestamp = self.next.timestamp.wrapping_add(format.clock_rate().frame_units());
        self.marker = true;
    }

    /// What the next packet will have.
    pub(crate) fn next(&self) -> SenderIdentity {
        self.next
    }

    fn header(&self, payload_type: u8, timestamp: u32) -> Header {
        let SenderIdentity { ssrc, sequence, .. } = self.next;
        Header { marker: self.marker, payload_type, sequence, timestamp, ssrc }
    }

    fn tick(&mut self, format: Format) {
        self.next.sequence = self.next.sequence.wrapping_add(1);
        self.next.timestamp = self.next.timestamp.wrapping_add(format.clock_rate().frame_units());
    }
}

fn write(header: Header, payload: &[u8], out: &mut [u8]) -> usize {
    let (head, rest) = out.split_first_chunk_mut().expect("the caller has room for a header");
    header.write(head);
    rest[..payload.len()].copy_from_slice(payload);
    HEADER_BYTES + payload.len()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Digit, DigitEvent, PacketView};

    const START: SenderIdentity = SenderIdentity { ssrc: 7, sequence: u16::MAX, timestamp: u32::MAX - 159 };

    fn headers(sender: &mut Sender, ticks: usize) -> Vec<Header> {
        let mut out = [0; MAX_PACKET_BYTES];
        let mut packet = || {
            let bytes = sender.packet(Format::Pcmu, &[0xFF; 160], &mut out);
            PacketView::parse(&out[..bytes]).unwrap().header
        };
        (0..ticks).map(|_| packet()).collect()
    }

    #[test]
    fn sequence_and_timestamp_advance_by_one_frame_through_their_wrap() {
        let headers = headers(&mut Sender::new(START), 3);
        assert_eq!(headers.iter().map(|header| header.sequence).collect::<Vec<_>>(), [u16::MAX, 0, 1]);
        assert_eq!(
            headers.iter().map(|header| header.timestamp).collect::<Vec<_>>(),
            [u32::MAX - 159, 0, 160]
        );
    }

    #[test]
    fn only_the_first_packet_has_the_marker() {
        let headers = headers(&mut Sender::new(START), 3);
        assert_eq!(headers.iter().map(|header| header.marker).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn a_pause_uses_time_but_no_sequence_number() {
        let mut sender = Sender::new(START);
        headers(&mut sender, 1);
        sender.skip(Format::Pcmu);
        let after = headers(&mut sender, 1)[0];
        assert_eq!((after.sequence, after.timestamp, after.marker), (0, 160, true));
    }

    #[test]
    fn a_press_is_events_with_one_timestamp_and_three_ends() {
        let mut sender = Sender::new(SenderIdentity { ssrc: 7, sequence: 100, timestamp: 1_600 });
        let mut press = Press::new(Digit::try_from('5').unwrap(), Duration::from_millis(60));
        let mut out = [0; MAX_PACKET_BYTES];
        let mut events = Vec::new();
        while let Some(bytes) = sender.press(101, Format::Pcmu, &mut press, &mut out) {
            let packet = PacketView::parse(&out[..bytes]).unwrap();
            let event = DigitEvent::parse(packet.payload).unwrap();
            assert_eq!((packet.header.timestamp, packet.header.payload_type), (1_600, 101));
            events.push((packet.header.sequence, packet.header.marker, event.duration, event.end));
        }
        let expected = [
            (100, true, 160, false),
            (101, false, 320, false),
            (102, false, 480, true),
            (103, false, 480, true),
            (104, false, 480, true),
        ];
        assert_eq!(events, expected);
        assert_eq!(headers(&mut sender, 1)[0].timestamp, 1_600 + 5 * 160);
    }
}
