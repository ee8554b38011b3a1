//! A leg's share of a tick: one packet in, one frame out, one packet made.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mixminus_audio::{Dbov, SampleRate, Sine};
use mixminus_codec::{Encoder, Format, MAX_PAYLOAD_BYTES};
use mixminus_rtp::{
    HEADER_BYTES, Header, JitterBuffer, LegMedia, MAX_PACKET_BYTES, MediaParameters, Order, Packet,
    PacketView, SenderIdentity, Statistics,
};

fn parameters(format: Format) -> MediaParameters {
    MediaParameters { digit_payload_type: Some(101), ..MediaParameters::of(format) }
}

fn leg(format: Format) -> LegMedia {
    LegMedia::new(parameters(format), SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 })
}

/// A second of a tone, packet by packet.
fn datagrams(format: Format) -> Vec<Vec<u8>> {
    let rate = format.sample_rate();
    let (mut encoder, mut tone) = (Encoder::new(format.into()), Sine::new(rate, 150.0, Dbov(-12.0)));
    let mut frame = vec![0; rate.frame_samples()];
    let mut datagram = || {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        tone.fill(&mut frame);
        let bytes = encoder.encode(&frame, &mut payload);
        [&[0; HEADER_BYTES], &payload[..bytes]].concat()
    };
    (0..50).map(|_| datagram()).collect()
}

/// Makes `datagram` number `n` of a stream.
fn renumber(datagram: &mut [u8], n: u32, format: Format) {
    let header = Header {
        marker: false,
        payload_type: parameters(format).payload_type,
        sequence: n as u16,
        timestamp: n.wrapping_mul(format.clock_rate().frame_units()),
        ssrc: 7,
    };
    let (head, _) = datagram.split_first_chunk_mut().expect("a datagram has a header");
    header.write(head);
}

fn parse(criterion: &mut Criterion) {
    let mut datagram = datagrams(Format::Pcmu).swap_remove(0);
    renumber(&mut datagram, 1, Format::Pcmu);
    criterion
        .bench_function("parse a packet", |bencher| bencher.iter(|| PacketView::parse(black_box(&datagram))));
}

fn playout(criterion: &mut Criterion) {
    let formats =
        [Format::Pcmu, Format::G722, Format::L16(SampleRate::Hz16000), Format::Opus(SampleRate::Hz48000)];
    for format in formats {
        for (name, lost_of_twenty) in [("no loss", 0), ("5 % loss", 1)] {
            let (mut leg, mut datagrams) = (leg(format), datagrams(format));
            let mut frame = vec![0; format.sample_rate().frame_samples()];
            let mut n = 0;
            criterion.bench_function(&format!("receive and play a frame, {format:?}, {name}"), |bencher| {
                bencher.iter(|| {
                    n += 1;
                    if n % 20 >= lost_of_twenty {
                        let datagram = &mut datagrams[n as usize % 50];
                        renumber(datagram, n, format);
                        leg.receive(Duration::from_millis(20 * u64::from(n)), black_box(datagram));
                    }
                    leg.playout(&mut frame)
                });
            });
        }
    }
    let (mut leg, mut frame) = (leg(Format::Pcmu), [0; 160]);
    criterion.bench_function("play a frame of nobody", |bencher| bencher.iter(|| leg.playout(&mut frame)));
}

/// Packets that come as they should, and packets of which every fourth is two frames late.
fn jitter_buffer(criterion: &mut Criterion) {
    for (name, late) in [("in time", false), ("a fourth late", true)] {
        let mut buffer = JitterBuffer::new(Format::L16(SampleRate::Hz8000));
        let (mut statistics, mut frame, payload) = (Statistics::default(), [0; 160], [7; 320]);
        let insert = |buffer: &mut JitterBuffer, statistics: &mut Statistics, n: u32, order| {
            let packet = Packet { sequence: n as u16, timestamp: n.wrapping_mul(160), payload: &payload };
            buffer.insert(black_box(packet), order, statistics);
        };
        let mut n = 0;
        criterion.bench_function(&format!("jitter buffer alone, {name}"), |bencher| {
            bencher.iter(|| {
                n += 1;
                if !late || n % 4 != 0 {
                    insert(&mut buffer, &mut statistics, n, Order::Newest);
                }
                if late && n > 2 && n % 4 == 2 {
                    insert(&mut buffer, &mut statistics, n - 2, Order::Overtaken);
                }
                buffer.playout(&mut frame, &mut statistics)
            });
        });
    }
}

fn packet(criterion: &mut Criterion) {
    let (mut leg, mut out) = (leg(Format::Pcmu), [0; MAX_PACKET_BYTES]);
    criterion.bench_function("make a packet", |bencher| {
        bencher.iter(|| {
            leg.send(black_box(&[0xFF; 160]));
            leg.next_packet(&mut out)
        });
    });
    criterion.bench_function("read a leg's statistics", |bencher| bencher.iter(|| leg.statistics()));
}

criterion_group!(benches, parse, playout, jitter_buffer, packet);
criterion_main!(benches);
