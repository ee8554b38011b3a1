use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mixminus_codec::Format;
use mixminus_media::{Direction, RemoteMedia};
use mixminus_rtp::MediaParameters;
use mixminus_rtp::rtcp::{
    Cname, Compound, MAX_REPORT_BYTES, NtpTime, Report, ReportBlock, RtcpPacket, SenderInfo,
};

use crate::far_end::{FarEnd, eventually, install, next, start, talk};

const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const NTP: NtpTime = NtpTime(0x1234_5678_9ABC_DEF0);

/// A sender report and a goodbye.
fn report(ssrc: u32, block: Option<ReportBlock>) -> Vec<u8> {
    let sender = Some(SenderInfo { ntp: NTP, timestamp: 160, packets: 1, octets: 160 });
    let mut out = [0; MAX_REPORT_BYTES];
    let size_bytes = Report { ssrc, cname: Cname::new([7; 12]), sender, block, metrics: None, goodbye: None }
        .write(&mut out);
    [&out[..size_bytes], &[0x81, 203, 0, 1], &ssrc.to_be_bytes()].concat()
}

fn send(end: &FarEnd, to: SocketAddr, report: &[u8]) {
    end.reports.send_to(report, (to.ip(), to.port() + 1)).unwrap();
}

/// Lets both talk until `end` is sent a report.
fn await_report(end: &mut FarEnd, other: &mut FarEnd) -> (u32, SenderInfo, ReportBlock) {
    let mut datagram = [0; 200];
    for _ in 0..250 {
        talk([&mut *end, &mut *other], 1);
        if let Ok(size_bytes) = end.reports.recv(&mut datagram) {
            let compound = Compound::parse(&datagram[..size_bytes]).unwrap();
            return match compound.packets().next() {
                Some(RtcpPacket::SenderReport { ssrc, sender, blocks }) => {
                    (ssrc, sender, blocks.iter().next().unwrap())
                }
                other => panic!("no sender report: {other:?}"),
            };
        }
    }
    panic!("no report within five seconds");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real sockets are tested in real time")]
fn a_phone_that_reports_is_reported_to_and_the_round_trip_is_known() {
    let (media, mut events) = start(1);
    let [mut phone, mut other] = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    install(&media, 1, &[phone.leg, other.leg], &[]);
    talk([&mut phone, &mut other], 10);
    phone.silent = true;
    talk([&mut phone, &mut other], 3);
    phone.silent = false;
    send(&phone, phone.to, &report(500, None));
    let sent_at = Instant::now();

    let (ssrc, sender, block) = await_report(&mut phone, &mut other);
    let since_ms = u64::from(block.since_last_report) * 1_000 / 65_536;
    let waited_ms = sent_at.elapsed().as_millis() as u64;
    talk([&mut phone, &mut other], 5);
    assert_eq!(ssrc, phone.packets[0].0.ssrc);
    let before = |timestamp: u32| (timestamp.wrapping_sub(sender.timestamp) as i32) < 0;
    let packets = phone.packets.iter().filter(|(header, _)| before(header.timestamp)).count();
    assert_eq!((sender.packets, sender.octets), (packets as u32, 160 * packets as u32));
    assert_eq!((block.ssrc, block.lost, block.last_report), (500, 3, NTP.middle()));
    assert!(waited_ms.abs_diff(since_ms) <= 60, "{since_ms} ms said, {waited_ms} ms waited");
    let arrivals = u64::from(block.highest_sequence) - u64::from(block.lost as u32);
    assert!(media.statistics(phone.leg).unwrap().received.abs_diff(arrivals) <= 50);

    // The report reached us some 100 ms ago, of which we say nothing.
    let block = ReportBlock {
        ssrc,
        fraction_lost: 64,
        lost: 9,
        jitter_units: 80,
        last_report: sender.ntp.middle(),
        ..ReportBlock::default()
    };
    assert_eq!(media.statistics(phone.leg).unwrap().round_trip, None);
    send(&phone, phone.to, &report(500, Some(block)));
    talk([&mut phone, &mut other], 60);
    let statistics = media.statistics(phone.leg).unwrap();
    let round_trip = statistics.round_trip.unwrap();
    assert!(round_trip.abs_diff(Duration::from_millis(110)) < Duration::from_millis(40), "{round_trip:?}");
    let remote = statistics.remote.unwrap();
    assert_eq!((remote.fraction_lost, remote.lost, remote.jitter), (64, 9, Duration::from_millis(10)));
    assert_eq!(media.statistics(other.leg).unwrap().remote, None);
    let streams = media.counters().streams;
    assert_eq!((streams.round_trip.legs, streams.expected - streams.received), (1, 3));

    assert!(phone.hears(900.0) && other.hears(500.0), "a goodbye of RTCP ends nothing");
    assert_eq!(next(&mut events), None);
}

#[test]
fn reports_from_elsewhere_are_not_believed_and_move_no_stream() {
    let (media, _events) = start(1);
    let [mut phone, mut other] = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    let attacker = FarEnd::intrude(ELSEWHERE, phone.leg, phone.to, 1300.0);
    let neighbour = FarEnd::intrude(phone.to.ip(), phone.leg, phone.to, 1300.0);
    install(&media, 1, &[phone.leg, other.leg], &[]);
    talk([&mut phone, &mut other], 20);
    let (leg, ssrc) = (phone.leg, phone.packets[0].0.ssrc);
    let about = |fraction_lost| Some(ReportBlock { ssrc, fraction_lost, ..ReportBlock::default() });
    send(&phone, phone.to, &report(500, about(1)));
    let fraction = || media.statistics(leg).unwrap().remote.map(|remote| remote.fraction_lost);
    eventually("the phone is believed", || fraction() == Some(1));
    send(&attacker, phone.to, &report(500, about(2)));
    send(&neighbour, phone.to, &report(500, about(3)));
    talk([&mut phone, &mut other], 65);
    assert_eq!(fraction(), Some(1));
    assert!(phone.hears(900.0) && other.hears(500.0));
    phone.agree(&media, Direction::SendReceive);
    talk([&mut phone, &mut other], 20);
    assert!(phone.hears(900.0));
    let statistics = media.statistics(leg).unwrap();
    assert!(statistics.sent > 60 && statistics.sent_bytes == 160 * statistics.sent, "{statistics:?}");
    media.release_leg(leg);
    eventually("the leg is closed", || media.statistics(leg).is_none());
    assert!(media.counters().streams.received >= statistics.received, "counts outlive their leg");
}

/// Attack M2: short, malformed and spoofed reports.
#[test]
fn reports_of_strangers_end_nothing() {
    let (media, mut events) = start(1);
    let [mut phone, mut other] = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    let stranger = FarEnd::intrude(ELSEWHERE, phone.leg, phone.to, 1300.0);
    install(&media, 1, &[phone.leg, other.leg], &[]);
    talk([&mut phone, &mut other], 10);
    let goodbye = [0x81, 203, 0, 1, 0, 0, 1, 0xF4];
    let spoofed = report(500, None);
    for junk in [&goodbye[..], &goodbye[..4], &[0x80], &[], &spoofed] {
        for sender in [&stranger, &phone] {
            send(sender, phone.to, junk);
            sender.socket.send_to(junk, phone.to).unwrap();
        }
    }
    talk([&mut phone, &mut other], 60);
    assert!(phone.hears(900.0) && other.hears(500.0) && !other.hears(1300.0));
    assert!(stranger.socket.recv(&mut [0; 1]).is_err() && stranger.reports.recv(&mut [0; 1]).is_err());
    assert_eq!(next(&mut events), None);
}

#[test]
fn reports_of_who_agreed_to_that_come_and_go_with_the_media() {
    let (media, _events) = start(1);
    let [mut phone, mut other] = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    media.set_remote(phone.leg, RemoteMedia { rtcp_mux: true, voip_metrics: true, ..phone.remote() });
    install(&media, 1, &[phone.leg, other.leg], &[]);
    talk([&mut phone, &mut other], 20);
    let ssrc = phone.packets[0].0.ssrc;
    let about = |fraction_lost| Some(ReportBlock { ssrc, fraction_lost, ..ReportBlock::default() });
    phone.socket.send_to(&report(500, about(9)), phone.to).unwrap();
    send(&phone, phone.to, &report(500, about(99)));
    for _ in 0..25 {
        talk([&mut phone, &mut other], 10);
    }
    let fraction = media.statistics(phone.leg).unwrap().remote.map(|remote| remote.fraction_lost);
    assert_eq!(fraction, Some(9));
    assert!(phone.reports.recv(&mut [0; 200]).is_err());
    let kinds: Vec<Vec<u8>> = phone.mux_reports.iter().map(|report| kinds(report)).collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|kinds| *kinds == [200, 202, 207]), "{kinds:?}");
    assert!(phone.hears(900.0) && other.hears(500.0));
}

/// The types of the packets of a report.
fn kinds(mut report: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [_, kind, high, low, ..] = *report {
        kinds.push(kind);
        report = &report[4 * (1 + usize::from(u16::from_be_bytes([high, low])))..];
    }
    kinds
}

#[test]
fn a_far_end_that_loses_packets_is_sent_what_helps_against_it() {
    let (media, _events) = start(1);
    let opus = MediaParameters::of(Format::ALL[0]);
    let [mut phone, mut other] = [300.0, 200.0].map(|tone_hz| FarEnd::call_with(&media, tone_hz, opus));
    let mut samples = 0;
    // Opus repeats nothing but speech.
    other.sound(move |frame| {
        for sample in frame {
            *sample = vowel(&mut samples);
        }
        true
    });
    install(&media, 1, &[phone.leg, other.leg], &[]);
    talk([&mut phone, &mut other], 30);
    let recoverable = |end: &FarEnd| end.recoverable.iter().rev().take(20).filter(|is| **is).count();
    assert_eq!(recoverable(&phone), 0);
    let ssrc = phone.packets[0].0.ssrc;
    for _ in 0..2 {
        let block = ReportBlock { ssrc, fraction_lost: 26, ..ReportBlock::default() };
        send(&phone, phone.to, &report(300, Some(block)));
        talk([&mut phone, &mut other], 60);
    }
    assert!(recoverable(&phone) >= 8, "{:?}", phone.recoverable);
}

/// The next sample, at 48 kHz, of a voice at 140 Hz that says two syllables a second.
fn vowel(samples: &mut u32) -> i16 {
    *samples += 1;
    let radians = std::f64::consts::TAU * f64::from(*samples) / 48_000.0;
    let harmonics =
        (1..20).map(|harmonic| (140.0 * radians * f64::from(harmonic)).sin() / f64::from(harmonic));
    (3_000.0 * radians.sin().abs() * harmonics.sum::<f64>()) as i16
}
