//! Nothing that a socket can deliver does harm, and our header parser agrees with another one.

use std::time::Duration;

use bytes::Bytes;
use mixminus_codec::Format;
use mixminus_rtp::{
    HEADER_BYTES, Header, LegMedia, MAX_DEPTH, MAX_TARGET, MediaParameters, PacketError, PacketView, Reason,
    Received, SenderIdentity,
};
use proptest::collection::vec;
use proptest::prelude::*;
use rtc_rtp::header::Extension;
use rtc_rtp::packet::Packet;
use rtc_shared::marshal::{Marshal, Unmarshal};

fn leg() -> LegMedia {
    leg_of(Format::Pcmu)
}

fn leg_of(format: Format) -> LegMedia {
    let parameters = MediaParameters { digit_payload_type: Some(101), ..MediaParameters::of(format) };
    LegMedia::new(parameters, SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 })
}

/// A packet with `first` as its first byte and `rest` after the fixed header.
fn datagram(first: u8, rest: &[u8]) -> Vec<u8> {
    [&[first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7], rest].concat()
}

#[test]
fn malformed_datagrams_are_dropped_with_their_reason() {
    let mut huge = vec![0xFF; 65_507];
    huge[0] = 0xBF;
    let cases = [
        (vec![], PacketError::TooShort),
        (vec![0x80; 11], PacketError::TooShort),
        (datagram(0x40, &[0; 160]), PacketError::Version),
        (datagram(0x8F, &[0; 59]), PacketError::ContributingSources),
        (datagram(0x90, &[0; 3]), PacketError::Extension),
        (datagram(0x90, &[0xBE, 0xDE, 0xFF, 0xFF, 0, 0, 0, 0]), PacketError::Extension),
        (datagram(0xA0, &[]), PacketError::Padding),
        (datagram(0xA0, &[1, 2, 3, 0]), PacketError::Padding),
        (datagram(0xA0, &[1, 2, 3, 5]), PacketError::Padding),
        (huge, PacketError::Extension),
    ];
    let mut leg = leg();
    for (datagram, error) in cases {
        let received = leg.receive(Duration::ZERO, &datagram);
        assert_eq!(received, Received::Dropped(Reason::Malformed(error)));
    }
    assert_eq!((leg.statistics().rejected, leg.statistics().received), (10, 0));
}

#[test]
fn contributing_sources_an_extension_and_padding_leave_the_payload() {
    let rest = [&[9; 8][..], &[0xAB, 0xCD, 0, 1, 9, 9, 9, 9], &[1, 2, 3], &[0, 2]].concat();
    assert_eq!(PacketView::parse(&datagram(0xB2, &rest)).unwrap().payload, [1, 2, 3]);
}

/// Bytes that mostly begin like RTP and mostly name the leg's payload types.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![8 => 0x80..0xC0_u8, 1 => any::<u8>()];
    let second =
        prop_oneof![Just(0), Just(8), Just(9), Just(96), Just(13), Just(101), Just(0x80), any::<u8>()];
    let rest = prop_oneof![vec(any::<u8>(), 0..40), vec(any::<u8>(), 168..172), vec(any::<u8>(), 0..600)];
    (first, second, rest).prop_map(|(first, second, rest)| [&[first, second], &rest[..]].concat())
}

/// A regular packet in which a few bytes were changed.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let payload_types = prop_oneof![Just(0), Just(8), Just(9), Just(96), Just(13), Just(101)];
    let stream = (any::<u16>(), payload_types, 0..500_usize, vec((0..30_usize, any::<u8>()), 0..4));
    stream.prop_map(|(sequence, payload_type, length, changes)| {
        let timestamp = u32::from(sequence) * 160;
        let mut head = [0; HEADER_BYTES];
        Header { marker: false, payload_type, sequence, timestamp, ssrc: 7 }.write(&mut head);
        let mut packet = [&head, &vec![0x80; length][..]].concat();
        for (at, byte) in changes {
            if let Some(changed) = packet.get_mut(at) {
                *changed = byte;
            }
        }
        packet
    })
}

proptest! {
    #[test]
    fn no_sequence_of_datagrams_panics_or_deepens_the_buffer_without_bound(
        datagrams in vec((prop_oneof![hostile(), mutated()], 0..3_u8, 0..200_u64), 0..200),
        format in 0..6_usize,
    ) {
        let format = Format::ALL[format];
        let mut leg = leg_of(format);
        let mut now = Duration::ZERO;
        let mut frame = vec![0; format.sample_rate().frame_samples()];
        for (datagram, ticks, wait_ms) in datagrams {
            now += Duration::from_millis(wait_ms);
            leg.receive(now, &datagram);
            for _ in 0..ticks {
                leg.playout(&mut frame);
            }
            let delay = leg.statistics().delay;
            prop_assert!(delay.max <= MAX_DEPTH && delay.target <= MAX_TARGET, "{delay:?}");
        }
    }

    #[test]
    fn a_header_is_read_as_the_other_implementation_reads_it(datagram in hostile()) {
        let ours = PacketView::parse(&datagram);
        let theirs = Packet::unmarshal(&mut Bytes::from(datagram.clone()));
        let Ok(ours) = ours else {
            // The other implementation takes any version, padding of no bytes, and elements that run out
            // of their extension.
            let strict = matches!(ours, Err(PacketError::Version | PacketError::Padding));
            prop_assert!(strict || theirs.is_err());
            return Ok(());
        };
        let elements = datagram[0] & 0x10 != 0 && {
            let at = HEADER_BYTES + 4 * usize::from(datagram[0] & 0x0F);
            matches!(datagram[at..at + 2], [0xBE, 0xDE] | [0x10, 0x00])
        };
        prop_assert!(theirs.is_ok() || elements);
        if let (Ok(theirs), false) = (theirs, elements) {
            prop_assert_eq!(fields(&theirs), ours.header);
            prop_assert_eq!(&theirs.payload[..], ours.payload);
        }
    }

    #[test]
    fn a_packet_the_other_implementation_writes_is_read_back(
        sequence: u16, timestamp: u32, ssrc: u32, marker: bool, payload_type in 0..128_u8,
        csrc in vec(any::<u32>(), 0..16), extensions in vec((1..15_u8, vec(any::<u8>(), 1..17)), 0..4),
        padding: bool, payload in vec(any::<u8>(), 0..300),
    ) {
        let header = rtc_rtp::Header {
            version: 2, padding, extension: !extensions.is_empty(), marker, payload_type,
            sequence_number: sequence, timestamp, ssrc, csrc, extension_profile: 0xBEDE,
            extensions: extensions.into_iter().map(|(id, payload)| Extension { id, payload: payload.into() }).collect(),
            extensions_padding: 0,
        };
        let packet = Packet { header, payload: payload.clone().into() };
        let datagram = packet.marshal().unwrap();
        let ours = PacketView::parse(&datagram).unwrap();
        prop_assert_eq!(fields(&packet), ours.header);
        prop_assert_eq!(&payload[..], ours.payload);
    }

    #[test]
    fn a_header_we_write_is_read_by_the_other_implementation(
        sequence: u16, timestamp: u32, ssrc: u32, marker: bool, payload_type in 0..128_u8,
    ) {
        let header = Header { marker, payload_type, sequence, timestamp, ssrc };
        let mut out = [0; HEADER_BYTES];
        header.write(&mut out);
        let theirs = Packet::unmarshal(&mut &out[..]).unwrap();
        prop_assert_eq!(fields(&theirs), header);
        prop_assert_eq!((theirs.header.version, theirs.header.csrc.len(), theirs.payload.len()), (2, 0, 0));
    }
}

fn fields(packet: &Packet) -> Header {
    let rtc_rtp::Header { marker, payload_type, sequence_number: sequence, timestamp, ssrc, .. } =
        packet.header;
    Header { marker, payload_type, sequence, timestamp, ssrc }
}
