//! Reports: read from anyone, written for anyone, and what two ends learn from each other's.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use allocation_counter::measure;
use bytes::Bytes;
use mixminus_codec::Format;
use mixminus_rtp::rtcp::{
    Cname, Compound, MAX_REPORT_BYTES, NtpClock, NtpTime, Report, ReportBlock, Reporter, RtcpError,
    RtcpPacket, SenderInfo, VoipMetrics, is_rtcp,
};
use mixminus_rtp::{LegMedia, MAX_PACKET_BYTES, MediaParameters, Mos, SenderIdentity};
use proptest::collection::vec;
use proptest::prelude::*;
use rtc_rtcp::goodbye::Goodbye;
use rtc_rtcp::packet::{Packet, marshal, unmarshal};
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::sender_report::SenderReport;
use rtc_rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};

const TICK: Duration = Duration::from_millis(20);
const NAME: [u8; 12] = *b"twelve bytes";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One end: its media, its reporter, and its own idea of monotonic and wall clock time.
struct End {
    media: LegMedia,
    reporter: Reporter,
    offset: Duration,
}

impl End {
    fn new(ssrc: u32, sequence: u16, offset: Duration) -> Self {
        let parameters = MediaParameters::of(Format::Pcmu);
        let media = LegMedia::new(parameters, SenderIdentity { ssrc, sequence, timestamp: 1_000 });
        let clock = NtpClock::new(offset, Duration::from_secs(1_700_000_000) + offset * 3);
        Self { media, reporter: Reporter::new(Cname::new(NAME), clock, 0), offset }
    }

    fn packet(&mut self) -> Vec<u8> {
        let mut out = [0; MAX_PACKET_BYTES];
        self.media.send(&[0xFF; 160]);
        let size_bytes = self.media.next_packet(&mut out).unwrap();
        out[..size_bytes].to_vec()
    }

    fn take(&mut self, at: Duration, packet: &[u8]) {
        self.media.receive(at + self.offset, packet);
    }

    fn report(&mut self, at: Duration) -> Vec<u8> {
        let mut out = [0; MAX_REPORT_BYTES];
        let size_bytes = self.reporter.report(at + self.offset, 0, &mut self.media, &mut out);
        out[..size_bytes].to_vec()
    }

    fn read(&mut self, at: Duration, report: &[u8]) {
        self.reporter.receive(at + self.offset, report, &mut self.media).unwrap();
    }
}

fn ends() -> [End; 2] {
    [End::new(1, 65_530, Duration::from_secs(77)), End::new(2, 20, Duration::from_secs(5_000_000))]
}

/// Lets `from` send `ticks` packets, of which those named by number are lost.
fn send(from: &mut End, to: &mut End, ticks: u64, lost: &[u64]) {
    for tick in 0..ticks {
        let packet = from.packet();
        if !lost.contains(&tick) {
            to.take(TICK * tick as u32, &packet);
        }
    }
}

fn sender_and_block(report: &[u8]) -> (Option<SenderInfo>, Option<ReportBlock>) {
    match Compound::parse(report).unwrap().packets().next().unwrap() {
        RtcpPacket::SenderReport { sender, blocks, .. } => (Some(sender), blocks.iter().next()),
        RtcpPacket::ReceiverReport { blocks, .. } => (None, blocks.iter().next()),
        other => panic!("no report: {other:?}"),
    }
}

#[test]
fn a_report_counts_losses_through_the_wrap_of_sequence_numbers() {
    let [mut far, mut near] = ends();
    send(&mut far, &mut near, 16, &[3, 4, 5, 9]);
    let block = sender_and_block(&near.report(ms(400))).1.unwrap();
    assert_eq!((block.ssrc, block.lost, block.fraction_lost), (1, 4, 64));
    assert_eq!(block.highest_sequence, 65_530 + 15);
    send(&mut far, &mut near, 8, &[1]);
    let block = sender_and_block(&near.report(ms(800))).1.unwrap();
    assert_eq!((block.lost, block.fraction_lost, block.highest_sequence), (5, 32, 65_530 + 23));
    assert_eq!(sender_and_block(&near.report(ms(900))).1, None, "nothing has come since");
    send(&mut far, &mut near, 66_000, &[]);
    let block = sender_and_block(&near.report(ms(900))).1.unwrap();
    assert_eq!((block.lost, block.fraction_lost, block.highest_sequence), (5, 0, 65_530 + 66_023));
}

#[test]
fn duplicates_make_up_for_losses() {
    let [mut far, mut near] = ends();
    let packet = far.packet();
    (0..3).for_each(|_| near.take(Duration::ZERO, &packet));
    let block = sender_and_block(&near.report(ms(20))).1.unwrap();
    assert_eq!((block.lost, block.fraction_lost), (-2, 0));
}

#[test]
fn another_source_is_reported_from_its_own_beginning() {
    let [mut far, mut near] = ends();
    send(&mut far, &mut near, 10, &[4]);
    near.report(ms(200));
    let mut other = End::new(3, 500, Duration::ZERO);
    send(&mut other, &mut near, 2, &[]);
    let block = sender_and_block(&near.report(ms(400))).1.unwrap();
    assert_eq!((block.ssrc, block.lost, block.fraction_lost, block.highest_sequence), (3, 0, 0, 501));
}

#[test]
fn only_an_end_that_sent_since_its_last_report_is_a_sender() {
    let [mut far, mut near] = ends();
    assert_eq!(sender_and_block(&near.report(Duration::ZERO)), (None, None));
    send(&mut near, &mut far, 3, &[]);
    let sender = sender_and_block(&near.report(ms(60))).0.unwrap();
    assert_eq!((sender.packets, sender.octets, sender.timestamp), (3, 480, 1_000 + 3 * 160));
    // 1_700_000_000 s after 1970, thrice the offset more, and 60 ms.
    assert_eq!(sender.ntp.0 >> 32, 1_700_000_000 + 2_208_988_800 + 3 * 5_000_000);
    assert_eq!(((sender.ntp.0 & 0xFFFF_FFFF) * 1_000) >> 32, 59, "60 ms, rounded down twice");
    near.media.skip();
    assert_eq!(sender_and_block(&near.report(ms(80))).0, None);
}

#[test]
fn both_ends_learn_the_round_trip_and_how_they_are_heard() {
    let [mut far, mut near] = ends();
    send(&mut far, &mut near, 50, &[]);
    send(&mut near, &mut far, 50, &[10, 20, 30, 40, 41]);
    // 30 ms one way, 50 ms the other.
    let first = near.report(ms(1_000));
    far.read(ms(1_030), &first);
    let second = far.report(ms(3_530));
    assert_eq!(sender_and_block(&second).1.unwrap().since_last_report, 5 << 15, "2.5 s");
    near.read(ms(3_580), &second);
    send(&mut far, &mut near, 1, &[]);
    let third = near.report(ms(6_000));
    far.read(ms(6_030), &third);
    for end in [&near, &far] {
        let round_trip = end.media.statistics().round_trip.unwrap();
        assert!(round_trip.abs_diff(ms(80)) < Duration::from_micros(50), "{round_trip:?}");
    }
    let remote = near.media.statistics().remote.unwrap();
    assert_eq!((remote.lost, remote.fraction_lost), (5, (5 * 256 / 50) as u8));
    assert_eq!(far.media.statistics().remote.unwrap().lost, 0);
}

fn block_for(ssrc: u32, last_report: u32, since_last_report: u32) -> Vec<u8> {
    let block = ReportBlock { ssrc, jitter_units: 80, last_report, since_last_report, ..Default::default() };
    let mut out = [0; MAX_REPORT_BYTES];
    let cname = Cname::new(NAME);
    let report = Report { ssrc: 9, cname, sender: None, block: Some(block), metrics: None, goodbye: None };
    let size_bytes = report.write(&mut out);
    out[..size_bytes].to_vec()
}

#[test]
fn an_impossible_round_trip_is_not_believed() {
    let now = (Duration::from_secs(1_700_000_000) + Duration::from_secs(3 * 77)).as_secs() + 2_208_988_800;
    let now = NtpTime(now << 32).middle();
    let second = 1 << 16;
    let round_trip = |last_report, since_last_report| {
        let [mut near, _] = ends();
        near.read(Duration::ZERO, &block_for(1, last_report, since_last_report));
        near.media.statistics().round_trip
    };
    assert_eq!(round_trip(now - second, second / 2), Some(ms(500)));
    assert_eq!(
        round_trip(now - second, second + second / 200),
        Some(Duration::ZERO),
        "a clock that runs fast"
    );
    assert_eq!(round_trip(now - second, second * 2), None, "it had it before we sent it");
    assert_eq!(round_trip(now + second, 0), None, "from the future");
    assert_eq!(round_trip(now - 40 * second, 0), None, "too long");
    assert_eq!(round_trip(0, 0), None, "no report of ours has come");
}

#[test]
fn a_report_about_someone_else_is_not_ours() {
    let [mut near, _] = ends();
    near.read(Duration::ZERO, &block_for(8, 0, 0));
    assert_eq!(near.media.statistics().remote, None);
    near.read(Duration::ZERO, &block_for(1, 0, 0));
    assert_eq!(near.media.statistics().remote.unwrap().jitter, ms(10));
}

#[test]
fn reports_are_due_after_a_half_to_one_and_a_half_of_five_seconds_the_first_in_half_of_that() {
    for (random, first_ms, then_ms) in
        [(0, 1_250, 2_500), (u32::MAX / 2 + 1, 2_500, 5_000), (u32::MAX, 3_750, 7_500)]
    {
        let [mut end, _] = ends();
        let clock = NtpClock::new(Duration::ZERO, Duration::ZERO);
        let mut reporter = Reporter::new(Cname::new(NAME), clock, random);
        let begin = Duration::from_secs(1_000);
        assert!(!reporter.is_due(begin));
        assert!(!reporter.is_due(begin + ms(first_ms - 1)));
        assert!(reporter.is_due(begin + ms(first_ms)));
        reporter.report(begin, random, &mut end.media, &mut [0; MAX_REPORT_BYTES]);
        assert!(!reporter.is_due(begin + ms(then_ms - 1)));
        assert!(reporter.is_due(begin + ms(then_ms)));
    }
}

#[test]
fn malformed_reports_are_refused_with_their_reason() {
    let rr = [0x80, 201, 0, 1, 0, 0, 0, 9];
    let with = |more: &[u8]| [&rr[..], more].concat();
    let cases = [
        (vec![], RtcpError::TooShort),
        (rr[..7].to_vec(), RtcpError::TooShort),
        (with(&[0x80]), RtcpError::TooShort),
        (with(&[0x80, 204, 0, 1]), RtcpError::TooShort),
        (with(&[0x40, 204, 0, 0]), RtcpError::Version),
        (vec![0x80, 203, 0, 0], RtcpError::NotAReport),
        (vec![0x80, 201, 0, 0], RtcpError::Contents),
        (vec![0x81, 201, 0, 1, 0, 0, 0, 9], RtcpError::Contents),
        ([&[0x80, 200, 0, 5][..], &[0; 20]].concat(), RtcpError::Contents),
        (with(&[0x81, 203, 0, 0]), RtcpError::Contents),
        (with(&[0xA0, 204, 0, 0]), RtcpError::Padding),
        (with(&[0xA0, 204, 0, 1, 0, 0, 0, 0]), RtcpError::Padding),
        (with(&[0xA0, 204, 0, 1, 0, 0, 0, 3]), RtcpError::Padding),
        (with(&[0xA0, 204, 0, 1, 0, 0, 0, 8]), RtcpError::Padding),
        (with(&[0xA0, 204, 0, 1, 0, 0, 0, 4, 0x80, 204, 0, 0]), RtcpError::Padding),
    ];
    for (datagram, error) in cases {
        assert_eq!(Compound::parse(&datagram), Err(error), "{datagram:?}");
    }
    let padded = with(&[0xA0, 204, 0, 1, 0, 0, 0, 4]);
    assert_eq!(
        Compound::parse(&padded).unwrap().packets().last(),
        Some(RtcpPacket::Other { packet_type: 204 })
    );
}

#[test]
fn reporting_allocates_nothing() {
    let [mut far, mut near] = ends();
    send(&mut far, &mut near, 5, &[2]);
    let report = far.report(ms(100));
    let mut out = [0; MAX_REPORT_BYTES];
    let info = measure(|| {
        near.read(ms(200), &report);
        near.reporter.report(ms(300), 7, &mut near.media, &mut out);
    });
    assert_eq!((info.count_total, info.count_current), (0, 0), "{info:?}");
}

/// The packets of `report` after the report itself and the description.
fn more(report: &[u8]) -> Vec<RtcpPacket<'_>> {
    Compound::parse(report).unwrap().packets().skip(2).collect()
}

#[test]
fn how_a_call_sounds_is_told_when_it_was_asked_for() {
    let [mut far, mut near] = ends();
    let mut frame = [0; 160];
    for tick in 0..1_000 {
        let packet = far.packet();
        if tick % 50 != 49 {
            near.take(TICK * tick, &packet);
        }
        near.media.playout(&mut frame);
    }
    assert_eq!(more(&near.report(ms(20_000))), []);
    near.reporter.add_voip_metrics();
    let report = near.report(ms(21_000));
    assert!(matches!(more(&report)[..], [RtcpPacket::ExtendedReport(_)]));
    far.read(ms(21_030), &report);
    let statistics = far.media.statistics();
    let metrics = statistics.remote_metrics.unwrap();
    assert_eq!((metrics.ssrc, metrics.loss_rate, metrics.discard_rate), (1, (19 * 256 / 999) as u8, 0));
    assert_eq!(
        (metrics.burst_density, metrics.gap_density, metrics.burst_ms),
        (0, 256_u16.div_euclid(50) as u8, 0)
    );
    assert_eq!((metrics.round_trip_ms, metrics.end_system_ms, metrics.buffer_limit_ms), (0, 20, 320));
    assert_eq!(metrics.signal_dbm, None, "the far end was silent");
    // What was lost was silence, so that nothing had to be made up.
    assert_eq!((metrics.rating, metrics.mos_listening_tenths), (Some(92), Some(44)));
    assert_eq!(statistics.remote_mos, Some(Mos(f32::from(metrics.mos_conversation_tenths.unwrap()) / 10.0)));
    assert!(near.media.statistics().mos.unwrap().0 > 4.3);
}

#[test]
fn metrics_of_another_stream_are_not_ours() {
    let [mut near, _] = ends();
    let metrics = VoipMetrics::from(&[0; 32]);
    let report = |ssrc| Report {
        ssrc: 9,
        cname: Cname::new(NAME),
        sender: None,
        block: None,
        metrics: Some(VoipMetrics { ssrc, ..metrics }),
        goodbye: None,
    };
    let mut out = [0; MAX_REPORT_BYTES];
    let size_bytes = report(5).write(&mut out);
    near.read(Duration::ZERO, &out[..size_bytes]);
    assert_eq!(near.media.statistics().remote_metrics, None);
    let size_bytes = report(1).write(&mut out);
    near.read(Duration::ZERO, &out[..size_bytes]);
    assert_eq!(near.media.statistics().remote_metrics, Some(VoipMetrics { ssrc: 1, ..metrics }));
}

#[test]
fn a_stream_whose_ssrc_the_far_end_has_too_says_goodbye_once() {
    let [mut near, mut far] = ends();
    send(&mut near, &mut far, 10, &[]);
    let packet = End::new(1, 500, Duration::ZERO).packet();
    near.take(ms(200), &packet);
    send(&mut near, &mut far, 3, &[]);
    let report = near.report(ms(300));
    assert!(matches!(more(&report)[..], [RtcpPacket::Goodbye { sources: [[0, 0, 0, 1]] }]));
    let RtcpPacket::SenderReport { ssrc, sender, .. } =
        Compound::parse(&report).unwrap().packets().next().unwrap()
    else {
        panic!("it has sent")
    };
    assert_ne!(ssrc, 1);
    assert_eq!((sender.packets, sender.octets), (3, 480));
    assert_eq!(more(&near.report(ms(5_300))), []);
}

#[test]
fn a_goodbye_of_the_far_end_changes_nothing() {
    let [mut far, mut near] = ends();
    send(&mut far, &mut near, 10, &[]);
    let before = near.media.statistics();
    let goodbye = [0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 203, 0, 1, 0, 0, 0, 1];
    near.read(ms(300), &goodbye);
    assert_eq!(near.media.statistics(), before);
    send(&mut far, &mut near, 10, &[]);
    assert_eq!(near.media.statistics().received, 20);
}

#[test]
fn rtcp_is_told_from_rtp_on_one_port() {
    let kinds = [0, 8, 13, 63, 96, 101, 127, 128, 191, 192, 200, 207, 223, 224, 255];
    let rtcp: Vec<u8> = kinds.into_iter().filter(|&kind| is_rtcp(&[0x80, kind])).collect();
    assert_eq!(rtcp, [192, 200, 207, 223]);
    assert!(!is_rtcp(&[]) && !is_rtcp(&[0x80]));
}

fn a_block() -> impl Strategy<Value = ReceptionReport> {
    (any::<[u32; 5]>(), any::<u8>(), 0..1_u32 << 24).prop_map(|(numbers, fraction_lost, total_lost)| {
        let [ssrc, last_sequence_number, jitter, last_sender_report, delay] = numbers;
        ReceptionReport {
            ssrc,
            fraction_lost,
            total_lost,
            last_sequence_number,
            jitter,
            last_sender_report,
            delay,
        }
    })
}

fn theirs(block: ReportBlock) -> ReceptionReport {
    ReceptionReport {
        ssrc: block.ssrc,
        fraction_lost: block.fraction_lost,
        total_lost: block.lost as u32 & 0xFF_FFFF,
        last_sequence_number: block.highest_sequence,
        jitter: block.jitter_units,
        last_sender_report: block.last_report,
        delay: block.since_last_report,
    }
}

fn description(ssrc: u32, cname: Vec<u8>) -> SourceDescription {
    let item = |sdes_type, text| SourceDescriptionItem { sdes_type, text };
    let chunk = |source, items| SourceDescriptionChunk { source, items };
    let tool = item(SdesType::SdesTool, Bytes::from_static(b"phone"));
    let other = chunk(!ssrc, vec![tool.clone(), item(SdesType::SdesCname, Bytes::from_static(b"other"))]);
    SourceDescription {
        chunks: vec![other, chunk(ssrc, vec![tool, item(SdesType::SdesCname, cname.into())])],
    }
}

proptest! {
    #[test]
    fn a_compound_the_other_implementation_writes_is_read_back(
        ssrc: u32, info: (u64, u32, u32, u32), sends: bool, reports in vec(a_block(), 0..32),
        cname in vec(1..=255_u8, 1..256), sources in vec(any::<u32>(), 0..32),
    ) {
        let (ntp_time, rtp_time, packet_count, octet_count) = info;
        let report: Box<dyn Packet> = if sends {
            let reports = reports.clone();
            let profile_extensions = Bytes::new();
            Box::new(SenderReport { ssrc, ntp_time, rtp_time, packet_count, octet_count, reports, profile_extensions })
        } else {
            Box::new(ReceiverReport { ssrc, reports: reports.clone(), profile_extensions: Bytes::new() })
        };
        let goodbye = Goodbye { sources: sources.clone(), reason: Bytes::from_static(b"bye") };
        let written = marshal(&[report, Box::new(description(ssrc, cname.clone())), Box::new(goodbye)]).unwrap();
        let mut packets = Compound::parse(&written).unwrap().packets();
        let (from, sender, blocks) = match packets.next().unwrap() {
            RtcpPacket::SenderReport { ssrc, sender, blocks } => (ssrc, Some(sender), blocks),
            RtcpPacket::ReceiverReport { ssrc, blocks } => (ssrc, None, blocks),
            other => panic!("no report: {other:?}"),
        };
        prop_assert_eq!(from, ssrc);
        let expected = SenderInfo { ntp: NtpTime(ntp_time), timestamp: rtp_time, packets: packet_count, octets: octet_count };
        prop_assert_eq!(sender, sends.then_some(expected));
        prop_assert_eq!(blocks.iter().map(theirs).collect::<Vec<_>>(), reports);
        let Some(RtcpPacket::SourceDescription(description)) = packets.next() else { panic!("no description") };
        prop_assert_eq!(description.cname(ssrc), Some(&cname[..]));
        prop_assert_eq!(description.cname(!ssrc), Some(&b"other"[..]));
        prop_assert_eq!(description.cname(ssrc ^ 1), None);
        let Some(RtcpPacket::Goodbye { sources: ended }) = packets.next() else { panic!("no goodbye") };
        prop_assert_eq!(ended.iter().map(|ssrc| u32::from_be_bytes(*ssrc)).collect::<Vec<_>>(), sources);
        prop_assert_eq!(packets.next(), None);
    }

    #[test]
    fn the_other_implementation_reads_what_is_written(
        ssrc: u32, info: Option<(u64, u32, u32, u32)>, block: Option<([u32; 5], u8, i32)>, name: [u8; 12],
    ) {
        let sender = info.map(|(ntp, timestamp, packets, octets)| SenderInfo { ntp: NtpTime(ntp), timestamp, packets, octets });
        let block = block.map(|([ssrc, highest_sequence, jitter_units, last_report, since_last_report], fraction_lost, lost)| {
            ReportBlock { ssrc, fraction_lost, lost, highest_sequence, jitter_units, last_report, since_last_report }
        });
        let cname = Cname::new(name);
        let mut out = [0; MAX_REPORT_BYTES];
        let size_bytes = Report { ssrc, cname, sender, block, metrics: None, goodbye: None }.write(&mut out);
        let packets = unmarshal(&mut &out[..size_bytes]).unwrap();
        prop_assert_eq!(packets.len(), 2);
        let clamped = block.map(|block| theirs(ReportBlock { lost: block.lost.clamp(-0x80_0000, 0x7F_FFFF), ..block }));
        let expected: Vec<_> = clamped.into_iter().collect();
        if let Some(info) = sender {
            let report = packets[0].as_any().downcast_ref::<SenderReport>().unwrap();
            prop_assert_eq!((report.ssrc, report.ntp_time, report.rtp_time), (ssrc, info.ntp.0, info.timestamp));
            prop_assert_eq!((report.packet_count, report.octet_count), (info.packets, info.octets));
            prop_assert_eq!(&report.reports, &expected);
        } else {
            let report = packets[0].as_any().downcast_ref::<ReceiverReport>().unwrap();
            prop_assert_eq!((report.ssrc, &report.reports), (ssrc, &expected));
        }
        let chunk = &packets[1].as_any().downcast_ref::<SourceDescription>().unwrap().chunks[0];
        prop_assert_eq!((chunk.source, &chunk.items[0].text[..]), (ssrc, &cname.as_bytes()[..]));
    }

    #[test]
    fn metrics_are_read_as_they_are_written(ssrc: u32, bytes: [u8; 28]) {
        let mut body = [0; 32];
        body[..4].copy_from_slice(&ssrc.to_be_bytes());
        body[4..].copy_from_slice(&bytes);
        let metrics = VoipMetrics::from(&body);
        let report = Report { ssrc: 9, cname: Cname::new(NAME), sender: None, block: None, metrics: Some(metrics), goodbye: None };
        let mut out = [0; MAX_REPORT_BYTES];
        let size_bytes = report.write(&mut out);
        let packets = unmarshal(&mut &out[..size_bytes]).unwrap();
        prop_assert_eq!(packets.len(), 3);
        let Some(&RtcpPacket::ExtendedReport(extended)) = more(&out[..size_bytes]).first() else { panic!("no metrics") };
        prop_assert_eq!(extended.voip_metrics(ssrc), Some(metrics));
        prop_assert_eq!(extended.voip_metrics(!ssrc), None);
        // What has no field here: noise, echo, Gmin, the rating of another network, the receiver's ways.
        for (at, byte) in bytes.into_iter().enumerate() {
            if ![13, 14, 15, 17, 20, 21].contains(&at) {
                prop_assert_eq!(out[size_bytes - 28 + at], byte, "byte {}", at);
            }
        }
    }

    #[test]
    fn no_datagram_panics_and_what_is_taken_is_whole(
        bytes in vec(any::<u8>(), 0..200),
        heads in vec((0x80..=0xBF_u8, 199..209_u8, 0..8_u8, vec(any::<u8>(), 0..40)), 0..5),
    ) {
        let framed: Vec<_> = heads.into_iter().flat_map(|(first, kind, words, body)| [vec![first, kind, 0, words], body].concat()).collect();
        for datagram in [bytes, framed] {
            let [mut end, _] = ends();
            let taken = end.reporter.receive(ms(9), &datagram, &mut end.media);
            let Ok(compound) = Compound::parse(&datagram) else {
                prop_assert!(taken.is_err());
                continue;
            };
            prop_assert!(taken.is_ok() && datagram.len() % 4 == 0);
            for packet in compound.packets() {
                match packet {
                    RtcpPacket::SourceDescription(description) => drop(description.cname(0)),
                    RtcpPacket::ExtendedReport(report) => drop(report.voip_metrics(0)),
                    _ => {}
                }
            }
        }
    }
}
