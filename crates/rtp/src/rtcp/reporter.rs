//! When to report what, and what the far end's reports say.

use std::time::Duration;

use super::ntp::{from_short, to_short};
use super::{Cname, Compound, NtpClock, NtpTime, Report, ReportBlock, RtcpError, RtcpPacket, SenderInfo};
use crate::{LegMedia, RemoteQuality, Statistics};

/// Mean time between two reports: the minimum of RFC 3550, section 6.2. Two ends' reports take far less
/// than a twentieth of the bandwidth of any audio, so that nothing else ever decides.
const INTERVAL: Duration = Duration::from_secs(5);

/// A round trip beyond this is a mistake of the far end's.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(30);

/// What the far end may believe to have waited longer than the whole round took: both clocks' drift over an
/// interval, and rounding.
const MAX_CLOCK_ERROR: Duration = Duration::from_millis(10);

/// Reports on the two streams of one leg.
///
/// Of RFC 3550's rules for when to report, those for large groups are left out: there are two ends. An end
/// that says goodbye is believed by signalling only.
#[derive(Clone, Debug)]
pub struct Reporter {
    cname: Cname,
    clock: NtpClock,
    /// When waiting for the next report began.
    since: Option<Duration>,
    wait: Duration,
    /// Packets that had been sent at the last report.
    sent: u64,
    heard: Option<Heard>,
    /// Whether reports say how the call sounds.
    with_metrics: bool,
    /// The ended stream of ours to which the far end has been told goodbye.
    goodbye: Option<u32>,
}

/// The far end's last sender report.
#[derive(Clone, Copy, Debug)]
struct Heard {
    ssrc: u32,
    ntp: NtpTime,
    at: Duration,
}

impl Reporter {
    /// A reporter under the name `cname` that has `random`, as much as any, of its first interval to wait.
    pub fn new(cname: Cname, clock: NtpClock, random: u32) -> Self {
        // The first interval is half as long as any other (RFC 3550, section 6.2).
        let wait = interval(random) / 2;
        Self { cname, clock, since: None, wait, sent: 0, heard: None, with_metrics: false, goodbye: None }
    }

    /// From now on reports say how the call sounds (RFC 3611), because the far end has asked for that by
    /// `a=rtcp-xr:voip-metrics`.
    pub fn add_voip_metrics(&mut self) {
        self.with_metrics = true;
    }

    /// Whether it is time to report. Waiting for the first time begins with the first call.
    pub fn is_due(&mut self, now: Duration) -> bool {
        now.saturating_sub(*self.since.get_or_insert(now)) >= self.wait
    }

    /// Takes a datagram that arrived at `arrived` and adds what it says to the statistics of `media`.
    ///
    /// # Errors
    ///
    /// [`RtcpError`] when the datagram is malformed; nothing of it is used then.
    pub fn receive(
        &mut self,
        arrived: Duration,
        datagram: &[u8],
        media: &mut LegMedia,
    ) -> Result<(), RtcpError> {
        let ssrc = media.outgoing().ssrc;
        for packet in Compound::parse(datagram)?.packets() {
            let blocks = match packet {
                RtcpPacket::SenderReport { ssrc: from, sender, blocks } => {
                    self.heard = Some(Heard { ssrc: from, ntp: sender.ntp, at: arrived });
                    blocks
                }
                RtcpPacket::ReceiverReport { blocks, .. } => blocks,
                RtcpPacket::ExtendedReport(report) => {
                    if let Some(metrics) = report.voip_metrics(ssrc) {
                        media.learn_metrics(metrics);
                    }
                    continue;
                }
                _ => continue,
            };
            let ours = blocks.iter().filter(|block| block.ssrc == ssrc);
            ours.for_each(|block| self.learn(arrived, &block, media));
        }
        Ok(())
    }

    /// Writes a report to the start of `out`, for the instant `now` at which the next packet of `media` is
    /// due, and returns its size in bytes. The next one is due in an interval chosen by `random`.
    ///
    /// # Panics
    ///
    /// When `out` is too small; [`MAX_REPORT_BYTES`](super::MAX_REPORT_BYTES) is enough.
    pub fn report(&mut self, now: Duration, random: u32, media: &mut LegMedia, out: &mut [u8]) -> usize {
        self.since = Some(now);
        self.wait = interval(random);
        let outgoing = media.outgoing();
        let given_up = media.given_up().unwrap_or_default();
        let Statistics { sent, sent_bytes, .. } = media.statistics();
        let sender = (sent > self.sent).then(|| SenderInfo {
            ntp: self.clock.at(now),
            timestamp: outgoing.timestamp,
            packets: (sent - given_up.packets) as u32,
            octets: (sent_bytes - given_up.bytes) as u32,
        });
        self.sent = sent;
        let mut block = media.reception();
        if let Some(block) = &mut block
            && let Some(heard) = self.heard.filter(|heard| heard.ssrc == block.ssrc)
        {
            block.last_report = heard.ntp.middle();
            block.since_last_report = to_short(now.saturating_sub(heard.at));
        }
        let metrics = if self.with_metrics { media.metrics() } else { None };
        let goodbye = media.given_up().map(|stream| stream.ssrc).filter(|_| self.goodbye.is_none());
        self.goodbye = self.goodbye.or(goodbye);
        Report { ssrc: outgoing.ssrc, cname: self.cname, sender, block, metrics, goodbye }.write(out)
    }

    /// Takes in how the far end receives us.
    fn learn(&self, arrived: Duration, block: &ReportBlock, media: &mut LegMedia) {
        let clock_hz = u64::from(media.parameters().format().clock_rate().hz());
        let jitter_ns = u64::from(block.jitter_units) * 1_000_000_000 / clock_hz;
        media.learn(RemoteQuality {
            fraction_lost: block.fraction_lost,
            lost: block.lost,
            jitter: Duration::from_nanos(jitter_ns),
        });
        if let Some(round_trip) = self.round_trip(arrived, block) {
            media.learn_round_trip(round_trip);
        }
    }

    /// How long our last report that the far end got and the report that says so travelled
    /// (RFC 3550, section 6.4.1).
    fn round_trip(&self, arrived: Duration, block: &ReportBlock) -> Option<Duration> {
        if block.last_report == 0 {
            return None;
        }
        let elapsed = from_short(self.clock.at(arrived).middle().wrapping_sub(block.last_report));
        let travelled = (elapsed + MAX_CLOCK_ERROR).checked_sub(from_short(block.since_last_report))?;
        Some(travelled.saturating_sub(MAX_CLOCK_ERROR)).filter(|round_trip| *round_trip <= MAX_ROUND_TRIP)
    }
}

/// Between a half and one and a half of the mean, so that ends do not fall into step.
fn interval(random: u32) -> Duration {
    INTERVAL / 2 + INTERVAL.mul_f64(f64::from(random) / (f64::from(u32::MAX) + 1.0))
}
