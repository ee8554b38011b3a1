use std::time::Duration;

use mixminus_audio::SampleRate;
use mixminus_codec::Ptime;

use super::*;
use crate::{Digit, DigitEvent, PacketView};

const START: SenderIdentity = SenderIdentity { ssrc: 7, sequence: u16::MAX, timestamp: u32::MAX - 159 };

fn parameters(format: Format, ptime_ms: u32) -> MediaParameters {
    let ptime = Ptime::new(ptime_ms).unwrap();
    MediaParameters { ptime, digit_payload_type: Some(101), ..MediaParameters::of(format) }
}

fn sender(identity: SenderIdentity) -> Sender {
    Sender::new(parameters(Format::Pcmu, 20), identity)
}

/// All packets that are complete.
fn packets(sender: &mut Sender) -> Vec<(Header, Vec<u8>)> {
    let mut out = [0; MAX_PACKET_BYTES];
    std::iter::from_fn(|| {
        let bytes = sender.next_packet(&mut out)?;
        let PacketView { header, payload } = PacketView::parse(&out[..bytes]).unwrap();
        Some((header, payload.to_vec()))
    })
    .collect()
}

fn headers(sender: &mut Sender, ticks: usize) -> Vec<Header> {
    let mut headers = vec![];
    for _ in 0..ticks {
        sender.send(&[0xFF; 160]);
        headers.extend(packets(sender).iter().map(|packet| packet.0));
    }
    headers
}

/// Timestamp and size of each packet of some ticks of `format`, and what the payloads are together.
fn sent(format: Format, ptime_ms: u32, ticks: u8, tick_bytes: usize) -> (Vec<(u32, usize)>, Vec<u8>) {
    let identity = SenderIdentity { ssrc: 7, sequence: 0, timestamp: 0 };
    let mut sender = Sender::new(parameters(format, ptime_ms), identity);
    let (mut sizes, mut payloads) = (vec![], vec![]);
    for tick in 0..ticks {
        sender.send(&vec![tick; tick_bytes]);
        for (header, payload) in packets(&mut sender) {
            assert_eq!(usize::from(header.sequence), sizes.len());
            sizes.push((header.timestamp, payload.len()));
            payloads.extend(payload);
        }
    }
    (sizes, payloads)
}

#[test]
fn sequence_and_timestamp_advance_by_one_frame_through_their_wrap() {
    let headers = headers(&mut sender(START), 3);
    assert_eq!(headers.iter().map(|header| header.sequence).collect::<Vec<_>>(), [u16::MAX, 0, 1]);
    assert_eq!(headers.iter().map(|header| header.timestamp).collect::<Vec<_>>(), [u32::MAX - 159, 0, 160]);
}

#[test]
fn only_the_first_packet_has_the_marker() {
    let headers = headers(&mut sender(START), 3);
    assert_eq!(headers.iter().map(|header| header.marker).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn a_pause_uses_time_but_no_sequence_number() {
    let mut sender = sender(START);
    headers(&mut sender, 1);
    sender.skip();
    let after = headers(&mut sender, 1)[0];
    assert_eq!((after.sequence, after.timestamp, after.marker), (0, 160, true));
}

#[test]
fn a_press_is_events_with_one_timestamp_and_three_ends() {
    let mut sender = sender(SenderIdentity { ssrc: 7, sequence: 100, timestamp: 1_600 });
    let mut press = Press::new(Digit::try_from('5').unwrap(), Duration::from_millis(60));
    let mut out = [0; MAX_PACKET_BYTES];
    let mut events = Vec::new();
    while let Some(bytes) = sender.press(&mut press, &mut out) {
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

#[test]
fn packets_are_as_long_as_was_agreed() {
    assert_eq!(sent(Format::Pcmu, 10, 2, 160).0, [(0, 80), (80, 80), (160, 80), (240, 80)]);
    assert_eq!(sent(Format::G722, 30, 3, 160).0, [(0, 240), (240, 240)]);
    assert_eq!(sent(Format::L16(SampleRate::Hz16000), 60, 6, 640).0, [(0, 1_920), (960, 1_920)]);
    for ptime_ms in [10, 20, 30, 40, 50, 60] {
        let (sizes, payloads) = sent(Format::Pcma, ptime_ms, 30, 160);
        assert_eq!(sizes.len() as u32 * ptime_ms, 600);
        assert!(payloads.chunks(160).zip(0..30).all(|(bytes, tick)| bytes == [tick; 160]));
    }
}

#[test]
fn opus_is_sent_in_packets_of_one_frame_whatever_their_sizes() {
    let opus = Format::Opus(SampleRate::Hz48000);
    assert_eq!(sent(opus, 60, 3, 51).0, [(0, 51), (960, 51), (1_920, 51)]);
    assert_eq!(sent(opus, 10, 2, 1).0, [(0, 1), (960, 1)]);
}

#[test]
fn a_pause_completes_what_was_begun() {
    let mut sender = Sender::new(parameters(Format::Pcmu, 60), START);
    sender.send(&[1; 160]);
    sender.send(&[2; 160]);
    assert_eq!(packets(&mut sender), []);
    sender.send(&[]);
    let (header, payload) = packets(&mut sender).remove(0);
    assert_eq!((header.timestamp, header.marker, payload.len()), (u32::MAX - 159, true, 320));
    assert_eq!(packets(&mut sender), []);
    (0..3).for_each(|_| sender.send(&[3; 160]));
    let (header, payload) = packets(&mut sender).remove(0);
    assert_eq!((header.timestamp, header.marker, payload.len()), (320, true, 480));
}

#[test]
fn a_key_waits_for_what_was_begun() {
    let mut sender = Sender::new(parameters(Format::Pcmu, 40), START);
    let mut press = Press::new(Digit::try_from('5').unwrap(), Duration::from_millis(20));
    let mut out = [0; MAX_PACKET_BYTES];
    sender.send(&[1; 160]);
    assert_eq!(sender.press(&mut press, &mut out), Some(HEADER_BYTES + 160));
    assert_eq!(sender.press(&mut press, &mut out), Some(HEADER_BYTES + DigitEvent::BYTES));
    let header = PacketView::parse(&out).unwrap().header;
    assert_eq!((header.sequence, header.timestamp, header.payload_type), (0, 160, 101));
}

#[test]
fn a_long_press_at_a_fast_clock_is_segments_of_one_press() {
    let mut sender = Sender::new(parameters(Format::Opus(SampleRate::Hz48000), 20), START);
    let mut press = Press::new(Digit::try_from('5').unwrap(), Duration::from_secs(2));
    let mut out = [0; MAX_PACKET_BYTES];
    let mut events = vec![];
    while let Some(bytes) = sender.press(&mut press, &mut out) {
        let packet = PacketView::parse(&out[..bytes]).unwrap();
        let event = DigitEvent::parse(packet.payload).unwrap();
        let since = packet.header.timestamp.wrapping_sub(START.timestamp);
        events.push((since, event.duration, packet.header.marker, event.end));
    }
    assert_eq!(events[0], (0, 960, true, false));
    assert_eq!(events[67], (0, 68 * 960, false, false));
    assert_eq!(events[68], (68 * 960, 960, false, false));
    assert_eq!(events[99..], [(68 * 960, 32 * 960, false, true); 3]);
}

#[test]
fn noise_takes_its_tick_and_what_follows_has_the_marker() {
    let noisy = MediaParameters { comfort_noise_payload_type: Some(13), ..parameters(Format::Pcmu, 20) };
    let mut noisy = Sender::new(noisy, START);
    headers(&mut noisy, 1);
    let mut out = [0; MAX_PACKET_BYTES];
    let bytes = noisy.comfort_noise(Dbov(-60.0), &mut out).unwrap();
    let packet = PacketView::parse(&out[..bytes]).unwrap();
    assert_eq!((packet.header.payload_type, packet.header.timestamp, packet.payload), (13, 0, &[60][..]));
    let after = headers(&mut noisy, 1)[0];
    assert_eq!((after.sequence, after.timestamp, after.marker), (1, 160, true));
    assert_eq!(sender(START).comfort_noise(Dbov(-60.0), &mut out), None);
}

#[test]
fn what_is_not_taken_does_not_stop_time() {
    let mut sender = sender(START);
    (0..50).for_each(|_| sender.send(&[1; 160]));
    let (header, _) = packets(&mut sender).pop().unwrap();
    assert_eq!(header.timestamp, START.timestamp.wrapping_add(49 * 160));
}
