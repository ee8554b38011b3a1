//! Streams as a leg receives them.

use std::time::Duration;

use mixminus_codec::Format;
use mixminus_rtp::{
    Digit, DigitEvent, HEADER_BYTES, Header, LegMedia, MAX_PACKET_BYTES, MediaParameters, Playout, Press,
    Reason, Received, Renewal, SenderIdentity,
};

/// µ-law with telephone events.
fn parameters() -> MediaParameters {
    MediaParameters { digit_payload_type: Some(101), ..MediaParameters::of(Format::Pcmu) }
}

/// What µ-law code 0x80 sounds like.
const LOUD: i16 = 32_124;

const AUDIO: Header = Header { marker: false, payload_type: 0, sequence: 0, timestamp: 0, ssrc: 7 };
const EVENT: Header = Header { payload_type: 101, ..AUDIO };

fn leg() -> LegMedia {
    LegMedia::new(parameters(), SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 })
}

fn datagram(header: Header, payload: &[u8]) -> Vec<u8> {
    let mut head = [0; HEADER_BYTES];
    header.write(&mut head);
    [&head, payload].concat()
}

/// The loud packet number `n` of a stream of 20 ms packets.
fn loud(n: u16) -> Vec<u8> {
    datagram(Header { sequence: n, timestamp: u32::from(n) * 160, ..AUDIO }, &[0x80; 160])
}

fn digit(key: char) -> Digit {
    Digit::try_from(key).expect("the test names a key")
}

/// A telephone event packet: sequence number, timestamp, key, duration, end.
fn event(sequence: u16, timestamp: u32, key: char, duration: u16, end: bool) -> Vec<u8> {
    let event = DigitEvent { digit: digit(key), end, duration };
    datagram(Header { sequence, timestamp, ..EVENT }, &event.to_bytes())
}

fn receive_all(leg: &mut LegMedia, datagrams: &[Vec<u8>]) -> Vec<Received> {
    datagrams.iter().map(|datagram| leg.receive(Duration::ZERO, datagram)).collect()
}

fn digits(datagrams: &[Vec<u8>]) -> String {
    let received = receive_all(&mut leg(), datagrams);
    received
        .iter()
        .filter_map(
            |received| if let Received::Digit(digit) = received { Some(digit.as_char()) } else { None },
        )
        .collect()
}

fn tick(leg: &mut LegMedia) -> (Playout, [i16; 160]) {
    let mut frame = [0; 160];
    (leg.playout(&mut frame), frame)
}

#[test]
fn a_pressed_key_is_one_digit_and_never_audio() {
    let mut far = leg();
    let mut near = leg();
    let mut press = Press::new(digit('5'), Duration::from_millis(100));
    let mut out = [0; MAX_PACKET_BYTES];
    let mut received = Vec::new();
    while let Some(bytes) = far.press(&mut press, &mut out) {
        received.push(near.receive(Duration::ZERO, &out[..bytes]));
        assert_eq!(tick(&mut near), (Playout::Silence, [0; 160]));
    }
    assert_eq!(received[0], Received::Digit(digit('5')));
    assert_eq!(received[1..], [Received::DigitContinues; 6]);
    assert_eq!(near.statistics().digits, 1);
}

#[test]
fn a_digit_needs_neither_its_marker_nor_its_end_nor_its_beginning() {
    assert_eq!(digits(&[event(0, 800, '1', 160, false), event(9, 8_000, '2', 160, false)]), "12");
    assert_eq!(digits(&[event(0, 800, '3', 800, true)]), "3");
}

#[test]
fn repeated_ends_and_a_gap_inside_a_long_press_are_one_digit() {
    let ends = [event(0, 0, '1', 800, false), event(1, 0, '1', 960, true), event(2, 0, '1', 960, true)];
    assert_eq!(digits(&ends), "1");
    assert_eq!(digits(&[event(0, 0, '1', 800, false), event(90, 0, '1', 20_000, true)]), "1");
}

#[test]
fn the_same_key_twice_is_two_digits_even_when_the_end_is_lost() {
    assert_eq!(digits(&[event(0, 0, '7', 800, false), event(9, 1_600, '7', 160, false)]), "77");
}

#[test]
fn repeats_that_come_after_the_next_key_are_not_a_third_press() {
    let packets =
        [event(0, 0, '1', 800, true), event(2, 1_600, '2', 160, false), event(1, 0, '1', 800, true)];
    assert_eq!(digits(&packets), "12");
}

#[test]
fn a_first_packet_that_audio_has_overtaken_is_still_a_digit() {
    assert_eq!(digits(&[event(0, 0, '1', 800, true), loud(9), event(8, 1_280, '2', 160, false)]), "12");
}

#[test]
fn a_press_longer_than_its_duration_field_is_one_digit() {
    let packets = [
        event(0, 0, '1', 160, false),
        event(1, 0, '1', 65_535, false),
        event(2, 65_535, '1', 160, false),
        event(3, 65_535, '1', 320, true),
    ];
    assert_eq!(digits(&packets), "1");
    let pressed_again = Header { marker: true, sequence: 2, timestamp: 65_535, ..EVENT };
    assert_eq!(digits(&[packets[1].clone(), datagram(pressed_again, &[1, 10, 0, 160])]), "11");
}

#[test]
fn audio_sent_while_a_key_is_down_is_its_tone_and_is_not_heard() {
    let mut leg = leg();
    assert_eq!(leg.receive(Duration::ZERO, &event(0, 0, '1', 160, false)), Received::Digit(digit('1')));
    let tone = datagram(Header { sequence: 1, timestamp: 160, ..AUDIO }, &[0x80; 160]);
    assert_eq!(leg.receive(Duration::from_millis(20), &tone), Received::Dropped(Reason::DuringDigit));
    assert_eq!(tick(&mut leg).0, Playout::Silence);
    leg.receive(Duration::from_millis(40), &event(2, 0, '1', 320, true));
    let speech = datagram(Header { sequence: 3, timestamp: 480, ..AUDIO }, &[0x80; 160]);
    assert_eq!(leg.receive(Duration::from_millis(60), &speech), Received::Audio);
    assert_eq!(leg.statistics().lost, 0);
}

#[test]
fn a_key_whose_end_is_lost_does_not_mute_for_long() {
    let mut leg = leg();
    leg.receive(Duration::ZERO, &event(0, 0, '1', 160, false));
    leg.receive(Duration::from_millis(50), &event(1, 0, '1', 560, false));
    assert_eq!(leg.receive(Duration::from_millis(150), &loud(8)), Received::Dropped(Reason::DuringDigit));
    assert_eq!(leg.receive(Duration::from_millis(170), &loud(9)), Received::Audio);
}

#[test]
fn speech_from_before_the_key_that_arrives_after_it_is_heard() {
    let mut leg = leg();
    assert_eq!(leg.receive(Duration::ZERO, &event(6, 960, '1', 160, false)), Received::Digit(digit('1')));
    assert_eq!(leg.receive(Duration::ZERO, &loud(5)), Received::Audio);
}

#[test]
fn events_that_are_no_keys_or_were_not_agreed_on_are_dropped() {
    let flash = datagram(EVENT, &[16, 0x8A, 0, 160]);
    assert_eq!(leg().receive(Duration::ZERO, &flash), Received::Dropped(Reason::Event));
    let mut deaf = leg();
    deaf.renew(&mut Renewal::new(MediaParameters::of(Format::Pcmu)));
    let received = deaf.receive(Duration::ZERO, &event(0, 0, '1', 160, false));
    assert_eq!(received, Received::Dropped(Reason::PayloadType(101)));
}

#[test]
fn another_source_is_followed_at_once() {
    for timestamp in [9, 2_900, 3_000_000] {
        let mut leg = leg();
        leg.receive(Duration::ZERO, &event(9, timestamp, '1', 160, true));
        for n in 10..15 {
            leg.receive(Duration::ZERO, &loud(n));
            tick(&mut leg);
        }
        for n in 0..2 {
            let timestamp = timestamp + 160 * u32::from(n);
            let header = Header { sequence: 40_000 + n, timestamp, ssrc: 8, ..AUDIO };
            assert_eq!(leg.receive(Duration::ZERO, &datagram(header, &[0x80; 160])), Received::Audio);
            assert_eq!(tick(&mut leg).1[80..], [LOUD; 80], "from {timestamp}");
        }
        let same_key = datagram(Header { timestamp, sequence: 40_002, ssrc: 8, ..EVENT }, &[1, 10, 0, 160]);
        assert_eq!(leg.receive(Duration::ZERO, &same_key), Received::Digit(digit('1')));
        assert_eq!((leg.statistics().source_changes, leg.statistics().lost), (1, 0));
    }
}

#[test]
fn a_stranger_with_another_payload_type_does_not_become_the_source() {
    let mut leg = leg();
    leg.receive(Duration::ZERO, &loud(0));
    let stranger = datagram(Header { ssrc: 8, payload_type: 96, ..AUDIO }, &[0; 160]);
    assert_eq!(leg.receive(Duration::ZERO, &stranger), Received::Dropped(Reason::PayloadType(96)));
    assert_eq!(leg.receive(Duration::ZERO, &loud(1)), Received::Audio);
    assert_eq!(leg.statistics().source_changes, 0);
}

#[test]
fn packets_of_an_unknown_kind_are_not_counted_as_lost() {
    let mut leg = leg();
    let unknown = datagram(Header { payload_type: 99, sequence: 1, ..AUDIO }, &[40]);
    receive_all(&mut leg, &[loud(0), unknown, loud(2)]);
    assert_eq!((leg.statistics().lost, leg.statistics().rejected), (0, 1));
}

#[test]
fn duplicates_are_counted_and_not_played_twice() {
    let mut leg = leg();
    let received = receive_all(&mut leg, &[loud(0), loud(0)]);
    assert_eq!(received, [Received::Audio, Received::Dropped(Reason::Duplicate)]);
    assert_eq!((leg.statistics().received, leg.statistics().duplicated), (1, 1));
    tick(&mut leg);
    assert_eq!(leg.statistics().delay.max, Duration::ZERO);
}

#[test]
fn a_packet_after_its_time_is_late() {
    let mut leg = leg();
    receive_all(&mut leg, &[loud(0), loud(2)]);
    for _ in 0..3 {
        tick(&mut leg);
    }
    assert_eq!(receive_all(&mut leg, &[loud(1)]), [Received::Dropped(Reason::Late)]);
    let statistics = leg.statistics();
    assert_eq!((statistics.late, statistics.reordered, statistics.lost), (1, 1, 0));
}

#[test]
fn a_packet_too_old_to_be_told_from_a_duplicate_is_late() {
    let mut leg = leg();
    let received = receive_all(&mut leg, &[loud(100), loud(20)]);
    assert_eq!(received[1], Received::Dropped(Reason::Late));
    assert_eq!((leg.statistics().late, leg.statistics().received), (1, 1));
}

#[test]
fn a_sequence_jump_costs_one_packet() {
    let mut leg = leg();
    let jump = Received::Dropped(Reason::SequenceJump);
    let received = receive_all(&mut leg, &[loud(0), loud(20_000), loud(20_001), loud(20_002)]);
    assert_eq!(received, [Received::Audio, jump, Received::Audio, Received::Audio]);
}

#[test]
fn payloads_shorter_than_ten_or_longer_than_sixty_milliseconds_are_dropped() {
    for (bytes, accepted) in [(0, false), (79, false), (80, true), (480, true), (481, false), (65_000, false)]
    {
        let received = leg().receive(Duration::ZERO, &datagram(AUDIO, &vec![0x80; bytes]));
        let dropped = Received::Dropped(Reason::Payload(bytes));
        assert_eq!(received, if accepted { Received::Audio } else { dropped }, "{bytes} bytes");
    }
}

#[test]
fn a_new_agreement_changes_the_codec_and_lets_the_outgoing_stream_go_on() {
    let mut leg = leg();
    let mut out = [0; MAX_PACKET_BYTES];
    leg.send(&[0xFF; 160]);
    assert_eq!(leg.next_packet(&mut out), Some(172));
    leg.renew(&mut Renewal::new(MediaParameters::of(Format::Pcma)));
    leg.send(&[0xD5; 160]);
    let bytes = leg.next_packet(&mut out).unwrap();
    let expected = Header { payload_type: 8, sequence: 1, timestamp: 160, ssrc: 1, marker: false };
    assert_eq!(out[..bytes], datagram(expected, &[0xD5; 160]));
    assert_eq!(receive_all(&mut leg, &[loud(0)]), [Received::Dropped(Reason::PayloadType(0))]);
    let alaw = datagram(Header { payload_type: 8, ..AUDIO }, &[0xAA; 160]);
    assert_eq!(receive_all(&mut leg, &[alaw]), [Received::Audio]);
    assert_eq!(tick(&mut leg).1, [32_256; 160]);
}

#[test]
fn interarrival_jitter_is_measured() {
    let mut leg = leg();
    leg.receive(Duration::from_millis(0), &loud(0));
    leg.receive(Duration::from_millis(36), &loud(1));
    assert_eq!(leg.statistics().jitter, Duration::from_millis(1));
    let another = datagram(Header { ssrc: 8, timestamp: 4_000, ..AUDIO }, &[0x80; 160]);
    leg.receive(Duration::from_millis(56), &another);
    assert_eq!(leg.statistics().jitter, Duration::ZERO);
}
