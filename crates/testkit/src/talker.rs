//! A far end that talks, by its own clock.

use std::sync::Arc;
use std::time::Duration;

use mixminus_codec::{Encoder, Encoding, MAX_PAYLOAD_BYTES};
use mixminus_rtp::{HEADER_BYTES, Header};

/// Something that happens to a sender.
#[derive(Clone, Copy, Debug)]
pub enum Upset {
    /// It sends nothing for a time, and goes on where it was in its speech and in its timestamps.
    Pause(Duration),
    /// Its timestamps jump, as when its clock is set.
    Timestamp(u32),
    /// Its sequence numbers jump.
    Sequence(u16),
    /// It becomes another source.
    Source(u32),
}

/// Sends audio over and over, a packet each 20 ms of its clock.
#[derive(Debug)]
pub struct Talker {
    audio: Arc<[i16]>,
    encoder: Encoder,
    /// Of the next packet.
    header: Header,
    start: Duration,
    ppm: f64,
    packets: u64,
    upsets: Vec<(u64, Upset)>,
}

/// A packet and the instant at which it is sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When.
    pub at: Duration,
    /// The packet; none when the encoder has nothing to say.
    pub datagram: Option<Vec<u8>>,
}

impl Talker {
    /// Sequence number of the first packet: they soon wrap.
    pub const FIRST_SEQUENCE: u16 = 65_000;

    /// Sends `audio`, at the rate of the encoding's format, as `payload_type`, from `start` on.
    pub fn new(encoding: Encoding, payload_type: u8, audio: Arc<[i16]>, start: Duration) -> Self {
        let header = Header {
            marker: true,
            payload_type,
            sequence: Self::FIRST_SEQUENCE,
            timestamp: 0xFFFF_0000,
            ssrc: 0x5EED,
        };
        let encoder = Encoder::new(encoding);
        Self { audio, encoder, header, start, ppm: 0.0, packets: 0, upsets: vec![] }
    }

    /// Its clock is faster than ours by `ppm` parts in a million.
    #[must_use]
    pub fn drift(self, ppm: f64) -> Self {
        Self { ppm, ..self }
    }

    /// `upset` happens before packet `number`, counted from 0. To be said in the order of the numbers.
    #[must_use]
    pub fn upset(mut self, number: u64, upset: Upset) -> Self {
        self.upsets.push((number, upset));
        self
    }

    /// The instant at which the sample at `position`, counted from the start, is spoken: that at which its
    /// packet is sent, plus its offset in that packet.
    pub fn instant(&self, position: u64) -> Duration {
        let packet = position / self.frame();
        let pauses = self.pauses().filter(|(number, _)| *number <= packet).map(|(_, length)| length);
        self.start
            + Duration::from_secs_f64(position as f64 / self.samples_per_second())
            + pauses.sum::<Duration>()
    }

    /// The sample that is spoken at `instant`, or was last.
    pub fn position(&self, instant: Duration) -> u64 {
        let mut spoken = instant.saturating_sub(self.start);
        for (number, length) in self.pauses() {
            let begin = Duration::from_secs_f64((number * self.frame()) as f64 / self.samples_per_second());
            spoken = spoken.saturating_sub(length).max(spoken.min(begin));
        }
        (spoken.as_secs_f64() * self.samples_per_second()) as u64
    }

    /// The packets before which it paused, and for how long, in order.
    fn pauses(&self) -> impl Iterator<Item = (u64, Duration)> {
        self.upsets.iter().filter_map(|&(number, upset)| match upset {
            Upset::Pause(length) => Some((number, length)),
            _ => None,
        })
    }

    fn frame(&self) -> u64 {
        self.encoder.encoding().format().sample_rate().frame_samples() as u64
    }

    fn samples_per_second(&self) -> f64 {
        f64::from(self.encoder.encoding().format().sample_rate().hz()) * (1.0 + self.ppm * 1e-6)
    }

    /// The next packet, if it is sent by `until`.
    pub fn next(&mut self, until: Duration) -> Option<Sent> {
        let format = self.encoder.encoding().format();
        let at = self.instant(self.packets * self.frame());
        if at > until {
            return None;
        }
        for (_, upset) in self.upsets.iter().filter(|(number, _)| *number == self.packets) {
            match *upset {
                Upset::Pause(_) => {}
                Upset::Timestamp(by) => self.header.timestamp = self.header.timestamp.wrapping_add(by),
                Upset::Sequence(by) => self.header.sequence = self.header.sequence.wrapping_add(by),
                Upset::Source(ssrc) => self.header.ssrc = ssrc,
            }
        }
        let frame = self.frame() as usize;
        let from = self.packets as usize * frame % self.audio.len();
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let bytes = self.encoder.encode(&self.audio[from..from + frame], &mut payload);
        let datagram = (bytes > 0).then(|| self.packet(&payload[..bytes]));
        self.packets += 1;
        self.header.timestamp = self.header.timestamp.wrapping_add(format.clock_rate().frame_units());
        Some(Sent { at, datagram })
    }

    fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut head = [0; HEADER_BYTES];
        self.header.write(&mut head);
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.marker = false;
        [&head, payload].concat()
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::SampleRate;
    use mixminus_codec::Format;
    use mixminus_rtp::PacketView;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn talker() -> Talker {
        Talker::new(Format::L16(SampleRate::Hz8000).into(), 96, vec![0; 800].into(), 5 * MS)
    }

    #[test]
    fn a_pause_delays_what_follows_it() {
        let talker = talker().upset(2, Upset::Pause(100 * MS)).upset(4, Upset::Pause(10 * MS));
        let instants = [0, 159, 319, 320, 640].map(|position| talker.instant(position).as_micros());
        assert_eq!(instants, [5_000, 24_875, 44_875, 145_000, 195_000]);
        let positions = [5, 25, 45, 100, 145, 165, 195].map(|ms| talker.position(ms * MS));
        assert_eq!(positions, [0, 160, 320, 320, 320, 480, 640]);
    }

    #[test]
    fn a_fast_clock_sends_more_packets_in_the_same_time() {
        let packets = |ppm| {
            let mut talker = talker().drift(ppm);
            std::iter::from_fn(|| talker.next(1_000 * 1_000 * MS)).count()
        };
        assert_eq!([packets(-1_000.0), packets(0.0), packets(1_000.0)], [49_950, 50_000, 50_050]);
    }

    #[test]
    fn upsets_show_in_the_headers() {
        let mut talker = talker().upset(1, Upset::Timestamp(8_000)).upset(1, Upset::Source(9));
        let mut next = || {
            let packet = talker.next(Duration::MAX).unwrap().datagram.unwrap();
            let Header { sequence, timestamp, ssrc, marker, .. } = PacketView::parse(&packet).unwrap().header;
            (sequence, timestamp, ssrc, marker)
        };
        assert_eq!(next(), (65_000, 0xFFFF_0000, 0x5EED, true));
        assert_eq!(next(), (65_001, 0xFFFF_0000 + 8_160, 9, false));
    }
}
