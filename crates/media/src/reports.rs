//! A leg's reports (RTCP), both ways, and what the control side sees of its
//! statistics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mixminus_rtp::LegMedia;
use mixminus_rtp::rtcp::{Cname, MAX_REPORT_BYTES, NtpClock, Reporter};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::clock;
use crate::gate::SourceGate;
use crate::published::Published;
use crate::stamped::StampedSocket;
use crate::tick::Tick;

/// How often reports are read and statistics published. The kernel notes when
/// a report arrives, so that reading it late costs no accuracy; reading at
/// every tick would cost a system call for each leg.
const ATTENTION: Duration = Duration::from_secs(1);

/// Reports read at a time; a far end sends one in five seconds.
const MAX_REPORTS: usize = 16;

/// A report that waited longer came while its leg was in no bridge, or the
/// wall clock was set meanwhile.
const MAX_AGE: Duration = Duration::from_secs(2);

/// The reports of one leg. They have a source gate of their own, for they may
/// come through another translation than the media.
#[derive(Debug)]
pub(crate) struct Reports {
    gate: SourceGate,
    reporter: Reporter,
    random: StdRng,
    attend_at: Duration,
    published: Arc<Published>,
}

impl Reports {
    /// Reports to nobody yet, under a name made of `random` bits.
    pub(crate) fn new(mut random: StdRng) -> Self {
        let clock = NtpClock::new(clock::now(), clock::wall());
        let reporter = Reporter::new(Cname::new(random.random()), clock, random.random());
        Self {
            gate: SourceGate::default(),
            reporter,
            random,
            attend_at: Duration::ZERO,
            published: Arc::default(),
        }
    }

    /// Where the leg's statistics are published.
    pub(crate) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published)
    }

    /// Takes the address for reports that signalling names now.
    pub(crate) fn rename(&mut self, named: SocketAddr) {
        self.gate.rename(named);
    }

    /// Lets the control side see how `media` is.
    pub(crate) fn publish(&self, media: &LegMedia) {
        self.published.write(media.statistics());
    }

    /// Reads, publishes and sends what is due.
    pub(crate) fn tick(&mut self, socket: &StampedSocket, media: &mut LegMedia, tick: &mut Tick) {
        let destination = self.gate.destination().filter(|_| self.reporter.is_due(tick.now));
        if destination.is_some() || tick.now >= self.attend_at {
            self.attend_at = tick.now + ATTENTION;
            self.read(socket, media, &mut tick.datagram);
            self.publish(media);
        }
        if let Some(destination) = destination {
            let mut report = [0; MAX_REPORT_BYTES];
            let size_bytes = self.reporter.report(tick.now, self.random.random(), media, &mut report);
            // A report that is not sent is like one that is lost: the next one says all it said.
            socket.send(&report[..size_bytes], destination).ok();
        }
    }

    fn read(&mut self, socket: &StampedSocket, media: &mut LegMedia, datagram: &mut [u8]) {
        for _ in 0..MAX_REPORTS {
            let Ok(stamped) = socket.receive(datagram) else { return };
            if stamped.age > MAX_AGE || !self.gate.admits(stamped.source) {
                continue;
            }
            let arrived = clock::now().saturating_sub(stamped.age);
            if self.reporter.receive(arrived, &datagram[..stamped.size_bytes], media).is_ok() {
                self.gate.learn(stamped.source);
            }
        }
    }
}
