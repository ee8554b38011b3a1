//! A leg's reports (RTCP), both ways, and what the control side sees of its
//! statistics.

use std::net::SocketAddr;
use std::time::Duration;

use mixminus_rtp::rtcp::{Cname, MAX_REPORT_BYTES, NtpClock, Reporter};
use mixminus_rtp::srtp::MAX_OVERHEAD_BYTES;
use mixminus_rtp::{LegMedia, Statistics};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::expected_loss::ExpectedLoss;
use crate::gate::SourceGate;
use crate::ports::PortPair;
use crate::protection::Protection;
use crate::published::Publisher;
use crate::tick::Tick;
use crate::{RemoteMedia, clock};

/// How often reports are read and statistics published. The kernel notes when
/// a report arrives, so that reading it late costs no accuracy; reading at
/// every tick would cost a system call for each leg.
const ATTENTION: Duration = Duration::from_secs(1);

/// Reports read at a time; a far end sends one in five seconds.
const MAX_REPORTS: usize = 16;

/// A report that waited longer came while its leg was in no bridge, or the
/// wall clock was set meanwhile.
const MAX_AGE: Duration = Duration::from_secs(2);

/// The reports of one leg.
#[derive(Debug)]
pub(crate) struct Reports {
    way: Way,
    reporter: Reporter,
    random: StdRng,
    attend_at: Duration,
    expected_loss: ExpectedLoss,
    publisher: Publisher<Statistics>,
}

/// How reports travel.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// With the media (RFC 5761).
    WithMedia,
    /// By a socket and a source gate of their own, for they may come through
    /// another translation than the media.
    Apart(SourceGate),
}

/// Whom reports come from and go to.
pub(crate) struct FarEnd<'a> {
    pub(crate) sockets: &'a PortPair,
    /// Where media go, if that is known.
    pub(crate) media_to: Option<SocketAddr>,
    pub(crate) protection: &'a mut Protection,
}

impl Reports {
    /// Reports to nobody yet, under a name made of `random` bits. The leg's
    /// statistics go to `publisher`.
    pub(crate) fn new(mut random: StdRng, publisher: Publisher<Statistics>) -> Self {
        let clock = NtpClock::new(clock::now(), clock::wall());
        let reporter = Reporter::new(Cname::new(random.random()), clock, random.random());
        Self {
            way: Way::Apart(SourceGate::default()),
            reporter,
            random,
            attend_at: Duration::ZERO,
            expected_loss: ExpectedLoss::default(),
            publisher,
        }
    }

    /// Takes what signalling agreed on about reports.
    pub(crate) fn set_remote(&mut self, remote: &RemoteMedia) {
        self.way = match self.way {
            _ if remote.rtcp_mux => Way::WithMedia,
            Way::Apart(gate) => Way::Apart(gate.renamed(remote.report_address)),
            Way::WithMedia => Way::Apart(SourceGate::default().renamed(remote.report_address)),
        };
        if remote.voip_metrics {
            self.reporter.add_voip_metrics();
        }
    }

    /// The loss, in per cent, that what the far end is sent should survive.
    pub(crate) fn expected_loss_percent(&self) -> u8 {
        self.expected_loss.percent()
    }

    /// Lets the control side see how `media` is.
    pub(crate) fn publish(&mut self, media: &LegMedia) {
        self.publisher.write(media.statistics());
    }

    /// Whether they come with the media.
    pub(crate) fn are_with_media(&self) -> bool {
        matches!(self.way, Way::WithMedia)
    }

    /// Takes a report that came with the media. The worker gets it up to a tick
    /// after it arrived, which adds to the round trip.
    pub(crate) fn take(&mut self, report: &[u8], media: &mut LegMedia) {
        self.learn(clock::now(), report, media);
    }

    /// Reads, publishes and sends what is due.
    pub(crate) fn tick(&mut self, mut far_end: FarEnd<'_>, media: &mut LegMedia, tick: &mut Tick) {
        let destination = match self.way {
            Way::WithMedia => far_end.media_to,
            Way::Apart(gate) => gate.destination(),
        };
        let destination = destination.filter(|_| self.reporter.is_due(tick.now));
        if destination.is_some() || tick.now >= self.attend_at {
            self.attend_at = tick.now + ATTENTION;
            self.read(&mut far_end, media, &mut tick.datagram);
            self.publish(media);
        }
        if let Some(destination) = destination {
            let mut report = [0; MAX_REPORT_BYTES + MAX_OVERHEAD_BYTES];
            let size_bytes = self.reporter.report(tick.now, self.random.random(), media, &mut report);
            let Some(size_bytes) = far_end.protection.seal_report(&mut report, size_bytes) else { return };
            let report = &report[..size_bytes];
            // A report that is not sent is like one that is lost: the next one says all it said.
            match self.way {
                Way::WithMedia => far_end.sockets.rtp.send(report, destination).ok(),
                Way::Apart(_) => far_end.sockets.rtcp.send(report, destination).ok(),
            };
        }
    }

    fn read(&mut self, far_end: &mut FarEnd<'_>, media: &mut LegMedia, datagram: &mut [u8]) {
        let Way::Apart(mut gate) = self.way else { return };
        for _ in 0..MAX_REPORTS {
            let Ok(stamped) = far_end.sockets.rtcp.receive(datagram) else { break };
            if stamped.age > MAX_AGE || !gate.admits(stamped.source) {
                continue;
            }
            let arrived = clock::now().saturating_sub(stamped.age);
            let revealed = far_end.protection.reveal_report(&mut datagram[..stamped.size_bytes]);
            if revealed.is_some_and(|size_bytes| self.learn(arrived, &datagram[..size_bytes], media)) {
                gate.learn(stamped.source);
            }
        }
        self.way = Way::Apart(gate);
    }

    /// Takes in a report that arrived at `arrived`. Returns whether it was one.
    fn learn(&mut self, arrived: Duration, report: &[u8], media: &mut LegMedia) -> bool {
        let is_valid = self.reporter.receive(arrived, report, media).is_ok();
        if is_valid && let Some(quality) = media.statistics().remote {
            self.expected_loss.learn(quality);
        }
        is_valid
    }
}
