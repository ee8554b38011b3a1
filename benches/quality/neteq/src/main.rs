//! Plays a file of arrivals through the `neteq` crate, in the file's time.
//! Usage: `neteq-arrivals FILE.arrivals OUT.raw`

use std::error::Error;
use std::io::{BufWriter, Write};
use std::time::Duration;

use neteq::codec::AudioDecoder;
use neteq::{AudioPacket, NetEq, NetEqConfig, RtpHeader};

const HEADER_BYTES: usize = 12;

/// L16 at 8 kHz.
struct L16;

impl AudioDecoder for L16 {
    fn sample_rate(&self) -> u32 {
        8_000
    }

    fn channels(&self) -> u8 {
        1
    }

    fn decode(&mut self, payload: &[u8]) -> neteq::Result<Vec<f32>> {
        let samples = payload.as_chunks::<2>().0.iter().map(|bytes| i16::from_be_bytes(*bytes));
        Ok(samples.map(|sample| f32::from(sample) / 32_768.0).collect())
    }
}

fn packet(datagram: &[u8]) -> AudioPacket {
    let word = |at: usize| u32::from_be_bytes(datagram[at..at + 4].try_into().expect("four bytes"));
    let header = RtpHeader::new(word(0) as u16, word(4), word(8), datagram[1] & 0x7F, datagram[1] & 0x80 != 0);
    AudioPacket::new(header, datagram[HEADER_BYTES..].to_vec(), 8_000, 1, 20)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else { return Err("two files".into()) };
    let file = std::fs::read(from)?;
    let mut out = BufWriter::new(std::fs::File::create(to)?);
    let mut buffer = NetEq::new(NetEqConfig { sample_rate: 8_000, ..NetEqConfig::default() })?;
    let mut rest = &file[..];
    let mut tick = Duration::ZERO;
    while !rest.is_empty() {
        while let Some((head, after)) = rest.split_at_checked(10) {
            let at = Duration::from_micros(u64::from_le_bytes(head[..8].try_into()?));
            if at > tick {
                break;
            }
            let (datagram, after) = after.split_at(u16::from_le_bytes(head[8..].try_into()?).into());
            web_time::set(at);
            let packet = packet(datagram);
            buffer.register_decoder(packet.header.payload_type, Box::new(L16));
            buffer.insert_packet(packet)?;
            rest = after;
        }
        web_time::set(tick);
        let frame = buffer.get_audio()?;
        for sample in frame.samples {
            out.write_all(&((sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16).to_le_bytes())?;
        }
        tick += Duration::from_millis(10);
    }
    out.flush()?;
    Ok(())
}
