//! A leg's share of a tick: one packet in, one frame out, one packet made.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mixminus_codec::Format;
use mixminus_rtp::{
    HEADER_BYTES, Header, LegMedia, MAX_PACKET_BYTES, MediaParameters, PacketView, SenderIdentity,
};

const PACKET_BYTES: usize = HEADER_BYTES + 160;

fn leg() -> LegMedia {
    let parameters = MediaParameters { format: Format::Pcmu, digit_payload_type: Some(101) };
    LegMedia::new(parameters, SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 })
}

/// Makes `packet` number `n` of a stream.
fn renumber(packet: &mut [u8; PACKET_BYTES], n: u32) {
    let header = Header {
        marker: false,
        payload_type: 0,
        sequence: n as u16,
        timestamp: n.wrapping_mul(160),
        ssrc: 7,
    };
    let (head, _) = packet.split_first_chunk_mut().expect("a packet is longer than its header");
    header.write(head);
}

fn parse(criterion: &mut Criterion) {
    let mut packet = [0x9A; PACKET_BYTES];
    renumber(&mut packet, 1);
    criterion
        .bench_function("parse a packet", |bencher| bencher.iter(|| PacketView::parse(black_box(&packet))));
}

fn playout(criterion: &mut Criterion) {
    for (name, lost_of_twenty) in [("no loss", 0), ("5 % loss", 1)] {
        let (mut leg, mut frame, mut packet) = (leg(), [0; 160], [0x9A; PACKET_BYTES]);
        let mut n = 0;
        criterion.bench_function(&format!("receive and play a frame, {name}"), |bencher| {
            bencher.iter(|| {
                n += 1;
                if n % 20 >= lost_of_twenty {
                    renumber(&mut packet, n);
                    leg.receive(Duration::from_millis(20 * u64::from(n)), black_box(&packet));
                }
                leg.playout(&mut frame)
            });
        });
    }
    let (mut leg, mut frame) = (leg(), [0; 160]);
    criterion.bench_function("play a frame of nobody", |bencher| bencher.iter(|| leg.playout(&mut frame)));
}

fn packet(criterion: &mut Criterion) {
    let (mut leg, mut out) = (leg(), [0; MAX_PACKET_BYTES]);
    criterion.bench_function("make a packet", |bencher| {
        bencher.iter(|| leg.packet(black_box(&[0xFF; 160]), &mut out));
    });
}

criterion_group!(benches, parse, playout, packet);
criterion_main!(benches);
