//! The media thread neither allocates nor frees, whatever comes in.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use allocation_counter::measure;
use mixminus_audio::{Dbov, Sine};
use mixminus_codec::{Encoder, Encoding, Format, MAX_PAYLOAD_BYTES};
use mixminus_rtp::{
    Digit, DigitEvent, HEADER_BYTES, Header, LegMedia, MAX_PACKET_BYTES, MediaParameters, Playout, Press,
    Reason, Received, Renewal, SenderIdentity,
};

fn parameters(format: Format) -> MediaParameters {
    MediaParameters {
        digit_payload_type: Some(101),
        comfort_noise_payload_type: Some(13),
        ..MediaParameters::of(format)
    }
}

fn five() -> Digit {
    Digit::try_from('5').unwrap()
}

fn datagram(header: Header, payload: &[u8]) -> Vec<u8> {
    let mut head = [0; HEADER_BYTES];
    header.write(&mut head);
    [&head, payload].concat()
}

/// A minute or so of a sender's life: loss, reordering, duplicates, a digit, noise, another source, junk.
fn stream(format: Format) -> Vec<Vec<u8>> {
    let parameters = parameters(format);
    let rate = format.sample_rate();
    let mut encoder = Encoder::new(Encoding::from(format).with_expected_loss(20));
    let (mut sine, mut frame) = (Sine::new(rate, 150.0, Dbov(-12.0)), vec![0; rate.frame_samples()]);
    let mut audio = |n: u32, ssrc| {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        sine.fill(&mut frame);
        let bytes = encoder.encode(&frame, &mut payload);
        let (payload_type, timestamp) = (parameters.payload_type, n * format.clock_rate().frame_units());
        datagram(
            Header { marker: false, payload_type, sequence: n as u16, timestamp, ssrc },
            &payload[..bytes],
        )
    };
    let mut datagrams: Vec<_> = (0..600).map(|n| audio(n, 7)).collect();
    datagrams.swap(20, 22);
    datagrams.swap(30, 35);
    (40..200).step_by(20).for_each(|lost| drop(datagrams.remove(lost)));
    datagrams.insert(60, datagrams[58].clone());
    let other = |n: u32, payload_type, payload: &[u8]| {
        let timestamp = n * format.clock_rate().frame_units();
        datagram(Header { marker: true, payload_type, sequence: n as u16, timestamp, ssrc: 7 }, payload)
    };
    datagrams.push(other(600, 101, &DigitEvent { digit: five(), end: true, duration: 160 }.to_bytes()));
    datagrams.push(other(601, 13, &[40, 127, 130]));
    datagrams.extend((650..660).map(|n| audio(n, 7)));
    datagrams.extend((9_000..9_010).map(|n| audio(n, 8)));
    datagrams.push(vec![0xFF; 65_507]);
    datagrams
}

#[test]
fn receiving_playing_and_sending_allocate_nothing() {
    for format in Format::ALL {
        let identity = SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 };
        let mut leg = LegMedia::new(parameters(format), identity);
        let mut renewal = Renewal::new(parameters(Format::Pcma));
        let datagrams = stream(format);
        let mut press = Press::new(five(), Duration::from_millis(40));
        let (mut frame, mut out) = (vec![0; format.sample_rate().frame_samples()], [0; MAX_PACKET_BYTES]);
        let mut send = |leg: &mut LegMedia| {
            if leg.press(&mut press, &mut out).is_none() {
                leg.send(&[0xFF; 160]);
                while leg.next_packet(&mut out).is_some() {}
            }
        };
        let info = measure(|| {
            for (n, datagram) in datagrams.iter().enumerate() {
                let received = leg.receive(Duration::from_millis(20 * n as u64), datagram);
                assert!(!matches!(received, Received::Dropped(Reason::Payload(_))), "{n}: {received:?}");
                // Bursts, pauses and delay that is given back.
                for _ in 0..if n % 250 == 0 { 30 } else { usize::from(n % 30 != 1 || n > 550) } {
                    leg.playout(&mut frame);
                    send(&mut leg);
                }
            }
            leg.skip();
            leg.comfort_noise(Dbov(-60.0), &mut [0; MAX_PACKET_BYTES]);
            leg.statistics();
            leg.renew(&mut renewal);
        });
        assert_eq!((info.count_total, info.count_current), (0, 0), "{format:?}: {info:?}");
        let statistics = leg.statistics();
        assert!(statistics.concealed_frames > 0 && statistics.late > 0, "{statistics:?}");
        assert!(!statistics.shortened.is_zero() && statistics.mos.is_some(), "{statistics:?}");
        assert_eq!((statistics.digits, statistics.source_changes, statistics.duplicated), (1, 1, 1));
    }
}

#[test]
fn hearing_keys_in_the_audio_allocates_nothing() {
    let mut leg = LegMedia::new(
        MediaParameters::of(Format::Pcmu),
        SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 },
    );
    let datagrams = stream(Format::Pcmu);
    let mut frame = [0; 160];
    let info = measure(|| {
        for datagram in &datagrams[..200] {
            leg.receive(Duration::ZERO, datagram);
            assert_ne!(leg.playout(&mut frame), Playout::Silence);
            assert_eq!(leg.take_digit(), None);
        }
    });
    assert_eq!((info.count_total, info.count_current), (0, 0), "{info:?}");
}

#[test]
fn the_counter_sees_an_allocation() {
    let mut made = None;
    assert_eq!(measure(|| made = Some(Box::new(1))).count_total, 1);
}
