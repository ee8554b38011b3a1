//! The jitter buffer's trade-off: the delay it adds against the talk that is not heard as it was sent.
//!
//! `jitter FOLDER` sends ten minutes of a voice through each network, writes what arrives to
//! `FOLDER/NETWORK.arrivals`, and prints what our jitter buffer makes of it, what ideal fixed delays would,
//! and what others made: `FOLDER/NETWORK.NAME.raw`, 8 kHz, 16 bits, little-endian, played from instant 0 on.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mixminus_audio::SampleRate;
use mixminus_codec::Format;
use mixminus_rtp::{LegMedia, MediaParameters, PacketView, SenderIdentity};
use mixminus_testkit::{Arrival, Heard, Hearing, Network, Talker, Voice};

const FORMAT: Format = Format::L16(SampleRate::Hz8000);
const TICK: Duration = Duration::from_millis(20);
const VOICE_SECONDS: usize = 60;
/// Ten times the voice.
const LENGTH: Duration = Duration::from_mins(10);
/// Slips by more than a tick in that time, so that packets come at every phase of it.
const DRIFT_PPM: f64 = 50.0;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let voice = Arc::new(Voice::new(1, VOICE_SECONDS));
    println!("| network | buffer | mean ms | p95 ms | p99 ms | talk changed % | all changed % |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    let networks = [("lan", Network::lan(1)), ("wifi", Network::wifi(1)), ("mobile", Network::mobile(1))];
    for (name, network) in networks {
        let (arrivals, transits) = pass(&voice, network);
        let records: Vec<_> = arrivals.iter().flat_map(Arrival::record).collect();
        fs::write(Path::new(&folder).join(format!("{name}.arrivals")), records)?;
        let least = transits[0].as_secs_f64() * 1e3;
        row(name, "mixminus", &ours(&voice, &arrivals), least);
        for delay_ms in [20, 40, 60, 100, 200] {
            fixed(name, delay_ms, &transits);
        }
        for file in fs::read_dir(&folder)? {
            let file = file?.path();
            let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if let (Some((network, buffer)), Some("raw")) =
                (stem.split_once('.'), file.extension().and_then(|extension| extension.to_str()))
                && network == name
            {
                row(name, buffer, &theirs(&voice, &fs::read(&file)?), least);
            }
        }
    }
    Ok(())
}

fn talker(voice: &Voice) -> Talker {
    Talker::new(
        FORMAT.into(),
        MediaParameters::of(FORMAT).payload_type,
        voice.samples().into(),
        Duration::ZERO,
    )
    .drift(DRIFT_PPM)
}

/// Sends the voice through `network`. Returns what arrives, and the time that each packet was under way,
/// shortest first.
fn pass(voice: &Voice, mut network: Network) -> (Vec<Arrival>, Vec<Duration>) {
    let mut talker = talker(voice);
    let mut sent = vec![];
    while let Some(packet) = talker.next(LENGTH) {
        sent.push(packet.at);
        network.send(packet.at, packet.datagram.expect("L16 always sends"));
    }
    let arrivals: Vec<_> = std::iter::from_fn(|| network.arrival(Duration::MAX)).collect();
    let number = |datagram: &[u8]| PacketView::parse(datagram).expect("a packet of ours").header.sequence;
    let transit = |arrival: &Arrival| {
        arrival
            .at
            .saturating_sub(sent[usize::from(number(&arrival.datagram).wrapping_sub(Talker::FIRST_SEQUENCE))])
    };
    let mut transits: Vec<_> = arrivals.iter().map(transit).collect();
    transits.sort_unstable();
    transits.resize(sent.len(), Duration::MAX);
    (arrivals, transits)
}

fn ours(voice: &Arc<Voice>, arrivals: &[Arrival]) -> Heard {
    let mut leg =
        LegMedia::new(MediaParameters::of(FORMAT), SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 });
    let (mut hearing, talker) = (Hearing::new(Arc::clone(voice)), talker(voice));
    let mut arrivals = arrivals.iter().peekable();
    for tick in 0..(LENGTH.as_millis() / TICK.as_millis()) as u32 {
        let now = TICK * tick;
        while let Some(arrival) = arrivals.next_if(|arrival| arrival.at <= now) {
            leg.receive(arrival.at, &arrival.datagram);
        }
        let mut frame = [0; 160];
        leg.playout(&mut frame);
        hearing.take(now, &frame, &talker);
    }
    hearing.whole()
}

fn theirs(voice: &Arc<Voice>, played: &[u8]) -> Heard {
    let samples: Vec<_> = played.as_chunks().0.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
    let (mut hearing, talker) = (Hearing::new(Arc::clone(voice)), talker(voice));
    for (tick, frame) in (0..).zip(samples.chunks_exact(160)) {
        hearing.take(TICK * tick, frame, &talker);
    }
    hearing.during(Duration::ZERO..LENGTH)
}

fn row(network: &str, buffer: &str, heard: &Heard, least_ms: f64) {
    let [p95, p99] = [0.95, 0.99].map(|share| heard.quantile_ms(share) - least_ms);
    let (mean, talk, all) =
        (heard.mean_ms() - least_ms, 100.0 * heard.talk_changed(), 100.0 * heard.made_up());
    println!("| {network} | {buffer} | {mean:.1} | {p95:.1} | {p99:.1} | {talk:.2} | {all:.2} |");
}

/// A buffer that knows the fastest packet and plays each `delay_ms` after it.
fn fixed(network: &str, delay_ms: u64, transits: &[Duration]) {
    let limit = transits[0] + Duration::from_millis(delay_ms);
    let in_time = transits.partition_point(|transit| *transit <= limit);
    let changed = 100.0 * (1.0 - in_time as f64 / transits.len() as f64);
    println!(
        "| {network} | ideal fixed {delay_ms} ms | {delay_ms} | {delay_ms} | {delay_ms} | {changed:.2} | {changed:.2} |"
    );
}
