//! The media thread neither allocates nor frees, whatever comes in.

use std::time::Duration;

use allocation_counter::measure;
use mixminus_codec::Format;
use mixminus_rtp::{
    DigitEvent, HEADER_BYTES, Header, LegMedia, MAX_PACKET_BYTES, MediaParameters, Press, Reason, Received,
    SenderIdentity,
};

fn parameters(format: Format) -> MediaParameters {
    MediaParameters { format, digit_payload_type: Some(101) }
}

fn datagram(header: Header, payload: &[u8]) -> Vec<u8> {
    let mut head = [0; HEADER_BYTES];
    header.write(&mut head);
    [&head, payload].concat()
}

#[test]
fn receiving_playing_and_sending_allocate_nothing() {
    let five = mixminus_rtp::Digit::try_from('5').unwrap();
    let mut leg =
        LegMedia::new(parameters(Format::Pcmu), SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 });
    let audio = |n: u32, ssrc| {
        let header = Header { marker: false, payload_type: 0, sequence: n as u16, timestamp: n * 160, ssrc };
        datagram(header, &[n as u8; 160])
    };
    let event = DigitEvent { digit: five, end: true, duration: 160 }.to_bytes();
    let header = Header { marker: true, payload_type: 101, sequence: 300, timestamp: 48_000, ssrc: 7 };
    let mut datagrams: Vec<_> = (0..300).map(|n| audio(n, 7)).collect();
    datagrams.swap(20, 22);
    datagrams.remove(40);
    datagrams.insert(60, audio(58, 7));
    datagrams.push(datagram(header, &event));
    datagrams.extend((301..310).map(|n| audio(n, 7)));
    datagrams.extend((9_000..9_010).map(|n| audio(n, 8)));
    datagrams.push(vec![0xFF; 65_507]);
    let mut press = Press::new(five, Duration::from_millis(40));
    let (mut frame, mut out) = ([0; 160], [0; MAX_PACKET_BYTES]);
    let info = measure(|| {
        for (n, datagram) in datagrams.iter().enumerate() {
            let received = leg.receive(Duration::from_millis(20 * n as u64), datagram);
            assert!(!matches!(received, Received::Dropped(Reason::PayloadLength(_))));
            // Bursts, pauses and shedding.
            for _ in 0..if n % 50 == 0 { 15 } else { usize::from(n % 30 != 1) } {
                leg.playout(&mut frame);
                if leg.press(&mut press, &mut out).is_none() {
                    leg.packet(&[0xFF; 160], &mut out);
                }
            }
        }
        leg.skip();
        leg.set_parameters(parameters(Format::Pcma));
    });
    assert_eq!((info.count_total, info.count_current), (0, 0), "{info:?}");
    let statistics = leg.statistics();
    assert!(
        statistics.concealed_frames > 0 && statistics.late > 0 && statistics.shed_frames > 0,
        "{statistics:?}"
    );
    assert_eq!((statistics.digits, statistics.source_changes, statistics.duplicated), (1, 1, 1));
}

#[test]
fn the_counter_sees_an_allocation() {
    let mut made = None;
    assert_eq!(measure(|| made = Some(Box::new(1))).count_total, 1);
}
