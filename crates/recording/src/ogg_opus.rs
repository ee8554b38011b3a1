//! Opus in Ogg (RFC 3533, RFC 7845).
//!
//! Pages are written here: the last one has to be made anew after a crash, with its sum, which is half of the work.

use std::io::{self, ErrorKind, SeekFrom};

use opus::{Application, Bitrate, Channels, Signal};

use crate::Medium;
use crate::output::Shape;

/// Samples at 48 kHz that libopus is late by, at every rate and in all applications that look ahead; a player leaves
/// them out.
const PRE_SKIP: u64 = 312;

/// Samples at 48 kHz in a packet, the unit of positions in the stream.
const PACKET_UNITS: u64 = 960;

/// The longest packet (RFC 6716, section 3.4), and one of both channels.
const MAX_PACKET_BYTES: usize = 1_275;

/// Frames of digital silence after which each packet is like the one before. Encoding them costs as much as speech.
const SETTLED_FRAMES: u32 = 10;

const BIT_RATE_BPS: i32 = 32_000;

/// The cheapest complexity with little loss in speech: `benches/QUALITY.md` has figures.
const COMPLEXITY: i32 = 1;

/// A file has one stream, so that its number distinguishes it from nothing.
const SERIAL: u32 = 1;

const CONTINUES: u8 = 0;
const BEGINS: u8 = 2;
const ENDS: u8 = 4;

const SUM_AT: usize = 22;
const HEADER_BYTES: usize = 27;

/// The first two pages: what the stream is, and who made it. They do not say how long it is.
pub(crate) fn head(shape: Shape) -> Vec<u8> {
    let mut packet = b"OpusHead\x01".to_vec();
    packet.push(shape.channels as u8);
    packet.extend((PRE_SKIP as u16).to_le_bytes());
    packet.extend(shape.rate.hz().to_le_bytes());
    packet.extend([0; 3]);
    let mut pages = Pages::default();
    let mut head = Vec::new();
    pages.add(&packet);
    pages.end(BEGINS, 0, &mut head);
    pages.add(b"OpusTags\x08\0\0\0mixminus\0\0\0\0");
    pages.end(CONTINUES, 0, &mut head);
    head
}

/// Marks the last page as the end of the stream.
pub(crate) fn end(file: &mut impl Medium) -> io::Result<()> {
    let (mut place, mut last) = (0, None);
    while let Some(page) = read_page(file, place)? {
        let bytes = page.len() as u64;
        last = Some((place, page));
        place += bytes;
    }
    let Some((place, mut page)) = last else { return Err(ErrorKind::InvalidData.into()) };
    page[5] |= ENDS;
    seal(&mut page);
    file.seek(SeekFrom::Start(place))?;
    file.write_all(&page)?;
    file.flush()
}

/// The page that begins at `place`, if there is a whole one.
fn read_page(file: &mut impl Medium, place: u64) -> io::Result<Option<Vec<u8>>> {
    file.seek(SeekFrom::Start(place))?;
    let mut page = vec![0; HEADER_BYTES];
    let read = file.read_exact(&mut page).and_then(|()| {
        page.resize(HEADER_BYTES + usize::from(page[26]), 0);
        file.read_exact(&mut page[HEADER_BYTES..])?;
        let header_bytes = page.len();
        let body_bytes: usize = page[HEADER_BYTES..].iter().map(|&bytes| usize::from(bytes)).sum();
        page.resize(header_bytes + body_bytes, 0);
        file.read_exact(&mut page[header_bytes..])
    });
    match read {
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
        read => Ok(read.ok().filter(|()| page.starts_with(b"OggS")).map(|()| page)),
    }
}

/// Packets on their way to pages.
#[derive(Default)]
struct Pages {
    sequence: u32,
    lacing: Vec<u8>,
    packets: Vec<u8>,
}

impl Pages {
    /// Adds a packet. A page has room for 42 of the longest, which is more than come between two checkpoints.
    fn add(&mut self, packet: &[u8]) {
        self.lacing.extend(std::iter::repeat_n(255, packet.len() / 255));
        self.lacing.push((packet.len() % 255) as u8);
        self.packets.extend(packet);
    }

    /// Ends the page at `position`, the position behind its last sample.
    fn end(&mut self, kind: u8, position: u64, out: &mut Vec<u8>) {
        let mut page = b"OggS\0".to_vec();
        page.push(kind);
        page.extend(position.to_le_bytes());
        page.extend(SERIAL.to_le_bytes());
        page.extend(self.sequence.to_le_bytes());
        page.extend([0; 4]);
        page.push(self.lacing.len() as u8);
        page.append(&mut self.lacing);
        page.append(&mut self.packets);
        seal(&mut page);
        out.append(&mut page);
        self.sequence += 1;
    }
}

/// Writes the sum of a page (RFC 3533, section 6, field 7) into it.
fn seal(page: &mut [u8]) {
    page[SUM_AT..SUM_AT + 4].fill(0);
    let step = |sum: u32, _| if sum >> 31 == 1 { sum << 1 ^ 0x04C1_1DB7 } else { sum << 1 };
    let sum = page.iter().fold(0, |sum, &byte| (0..8).fold(sum ^ u32::from(byte) << 24, step));
    page[SUM_AT..SUM_AT + 4].copy_from_slice(&sum.to_le_bytes());
}

/// libopus.
pub(crate) struct Coder {
    libopus: opus::Encoder,
    shape: Shape,
    pages: Pages,
    /// Positions behind the last sample given, and behind the last one on a page.
    position: u64,
    paged: u64,
    silent_frames: u32,
    packet: Vec<u8>,
}

impl Coder {
    /// A coder at the start of a file.
    pub(crate) fn new(shape: Shape) -> io::Result<Self> {
        let libopus = build(shape).map_err(io::Error::other)?;
        let pages = Pages { sequence: 2, ..Pages::default() };
        Ok(Self { libopus, shape, pages, position: 0, paged: 0, silent_frames: 0, packet: Vec::new() })
    }

    fn ratio(&self) -> u64 {
        u64::from(48_000 / self.shape.rate.hz())
    }

    fn add(&mut self, pcm: &[i16]) {
        self.silent_frames = if pcm.iter().all(|&sample| sample == 0) { self.silent_frames + 1 } else { 0 };
        if self.silent_frames <= SETTLED_FRAMES {
            self.packet.resize(MAX_PACKET_BYTES, 0);
            let bytes =
                self.libopus.encode(pcm, &mut self.packet).expect("a frame is 20 ms, and its packet fits");
            self.packet.truncate(bytes);
        }
        self.pages.add(&self.packet);
        self.position += PACKET_UNITS;
    }
}

fn build(shape: Shape) -> opus::Result<opus::Encoder> {
    // Coded as speech, two parties would be heard in each other's channel at -17 dB.
    let (channels, application, signal) = match shape.channels {
        1 => (Channels::Mono, Application::Voip, Signal::Voice),
        _ => (Channels::Stereo, Application::Audio, Signal::Music),
    };
    let mut libopus = opus::Encoder::new(shape.rate.hz(), channels, application)?;
    libopus.set_signal(signal)?;
    libopus.set_bitrate(Bitrate::Bits(BIT_RATE_BPS * i32::from(shape.channels)))?;
    libopus.set_complexity(COMPLEXITY)?;
    Ok(libopus)
}

impl crate::output::Coder for Coder {
    fn encode(&mut self, pcm: &[i16], _body: &mut Vec<u8>) {
        self.add(pcm);
    }

    fn settle(&mut self, body: &mut Vec<u8>) {
        self.pages.end(CONTINUES, self.position, body);
        self.paged = self.position;
    }

    fn finish(&mut self, body: &mut Vec<u8>) -> Option<[u8; 16]> {
        // What libopus is late by comes with one more packet, of which the player leaves out the rest.
        let end = self.position + PRE_SKIP;
        self.add(&vec![0; self.shape.rate.frame_samples() * usize::from(self.shape.channels)]);
        self.pages.end(ENDS, end, body);
        self.paged = end;
        None
    }

    fn samples(&self) -> u64 {
        self.paged.saturating_sub(PRE_SKIP) / self.ratio()
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::SampleRate;

    use super::*;

    #[test]
    fn libopus_looks_ahead_as_far_as_the_head_says() {
        for rate in SampleRate::ALL {
            for channels in [1, 2] {
                let mut libopus = build(Shape { rate, channels }).unwrap();
                let ahead = libopus.get_lookahead().unwrap() as u64 * u64::from(48_000 / rate.hz());
                assert_eq!(ahead, PRE_SKIP);
            }
        }
    }
}
