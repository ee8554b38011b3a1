//! The bodies of the fuzz targets in `fuzz/`, which also replay its corpora in the ordinary tests.
//!
//! Each takes any bytes as a script and must come to its end; what it asserts besides is said at it.

mod script;
mod streams;

use std::time::Duration;

use mixminus_codec::{ComfortNoise, Decoder, Format, MAX_PACKET_MS};
use mixminus_rtp::rtcp::{Cname, Compound, NtpClock, Reporter};
use mixminus_rtp::{LegMedia, MediaParameters, SenderIdentity};

use script::Script;
pub use streams::{digits, jitter_buffer, leg};

/// RTCP: what is read of a compound packet, and what a leg makes of it between its own reports.
pub fn rtcp(data: &[u8]) {
    let mut script = Script::new(data);
    let mut leg = LegMedia::new(MediaParameters::of(Format::Pcmu), identity());
    let clock = NtpClock::new(Duration::ZERO, Duration::from_secs(1_700_000_000));
    let mut reporter = Reporter::new(Cname::new([7; _]), clock, 0);
    let mut now = Duration::ZERO;
    while let Some(step) = script.byte() {
        now += Duration::from_millis(50) * u32::from(step);
        let datagram = script.block();
        if let Ok(compound) = Compound::parse(datagram) {
            compound.packets().for_each(|packet| drop(format!("{packet:?}")));
        }
        // What is malformed is an error, not harm.
        reporter.receive(now, datagram, &mut leg).ok();
        if reporter.is_due(now) {
            let mut out = [0; 1_500];
            let bytes = reporter.report(now, step.into(), &mut leg, &mut out);
            Compound::parse(&out[..bytes]).expect("what we write can be read");
        }
    }
}

/// Every decoder: payloads, recovery and concealment in any order, into room that may be too small; and comfort
/// noise of any description.
pub fn decoders(data: &[u8]) {
    let mut script = Script::new(data);
    let format = format(script.byte().unwrap_or(0));
    let mut decoder = Decoder::new(format);
    let mut noise = ComfortNoise::new(format.sample_rate());
    let per_ms = format.sample_rate().samples_per_ms();
    let mut out = vec![0; MAX_PACKET_MS * per_ms];
    while let Some(step) = script.byte() {
        // In steps of 2.5 ms, the shortest that Opus conceals.
        let room = (1 + usize::from(script.byte().unwrap_or(0))) * per_ms * 5 / 2;
        let room = room.min(out.len());
        match step % 6 {
            0 => decoder.interrupt(),
            1 => drop(decoder.conceal(&mut out[..room])),
            2 => drop(decoder.recover(script.block(), &mut out[..room])),
            3 => {
                noise.describe(script.block());
                noise.fill(&mut out[..format.sample_rate().frame_samples()]);
            }
            _ => {
                let payload = script.block();
                let claimed = format.samples_in(payload);
                if let Ok(samples) = decoder.decode(payload, &mut out[..room]) {
                    assert_eq!(Some(samples), claimed, "as many samples as the payload says");
                }
            }
        }
    }
}

fn format(number: u8) -> Format {
    Format::ALL[usize::from(number) % Format::ALL.len()]
}

fn identity() -> SenderIdentity {
    SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 }
}
