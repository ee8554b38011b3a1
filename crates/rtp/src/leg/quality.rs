//! What a leg knows of how both streams are.

use std::time::Duration;

use mixminus_audio::{Dbov, TICK};

use super::{GivenUp, LegMedia};
use crate::mos::Path;
use crate::rtcp::{ReportBlock, VoipMetrics};
use crate::{MAX_DEPTH, Mos, RemoteQuality, SenderIdentity, Statistics};

/// 0 dBov, the level of overload, in dBm0 (ITU-T G.711).
const OVERLOAD_DBM0: f32 = 6.15;

impl LegMedia {
    /// What both streams have been like.
    pub fn statistics(&self) -> Statistics {
        let delay = self.hearing.buffer.delay();
        let Statistics { remote, remote_metrics, .. } = self.statistics;
        let estimated = remote.map(|remote| {
            let loss = f32::from(remote.fraction_lost) / 256.0;
            // A receiver waits for about twice the jitter that it sees.
            let delay = self.half_round_trip() + self.parameters.ptime.duration() + remote.jitter * 2;
            Path { loss, delay }.rating().mos()
        });
        let reported = remote_metrics.and_then(|metrics| metrics.mos_conversation_tenths);
        Statistics {
            delay,
            drift_ppm: self.drift.ppm(),
            level: self.loudness.recent(),
            clipped_frames: self.loudness.clipped_frames(),
            mos: self.source.map(|_| self.heard().rating().mos()),
            remote_mos: reported.map(|tenths| Mos(f32::from(tenths) / 10.0)).or(estimated),
            ..self.statistics
        }
    }

    /// Where the outgoing stream goes on.
    pub(crate) fn outgoing(&self) -> SenderIdentity {
        self.sender.next()
    }

    /// The outgoing stream that has ended, if one has.
    pub(crate) fn given_up(&self) -> Option<GivenUp> {
        self.given_up
    }

    /// How the incoming stream was received since the last call; `None` when nothing came since.
    pub(crate) fn reception(&mut self) -> Option<ReportBlock> {
        let losses = self.arrivals.report()?;
        let clock_hz = u128::from(self.parameters.format().clock_rate().hz());
        Some(ReportBlock {
            ssrc: self.source?,
            fraction_lost: losses.fraction,
            lost: losses.total,
            highest_sequence: losses.highest_sequence,
            jitter_units: (self.statistics.jitter.as_nanos() * clock_hz / 1_000_000_000) as u32,
            ..ReportBlock::default()
        })
    }

    /// Takes note of how the far end receives us.
    pub(crate) fn learn(&mut self, remote: RemoteQuality) {
        self.statistics.remote = Some(remote);
    }

    /// Takes note of how the call sounds there.
    pub(crate) fn learn_metrics(&mut self, metrics: VoipMetrics) {
        self.statistics.remote_metrics = Some(metrics);
    }

    /// How the call sounds here; `None` when nothing has come.
    pub(crate) fn metrics(&self) -> Option<VoipMetrics> {
        let statistics = self.statistics();
        let Statistics { received, lost, late, delay, .. } = statistics;
        let share = |packets: u64| (packets * 256 / (received + lost).max(1)).min(255) as u8;
        let ms = |duration: Duration| duration.as_millis().min(0xFFFF) as u16;
        let losses = self.hearing.buffer.losses();
        let ptime = self.hearing.buffer.ptime();
        let length = |packets: u64| ms(ptime * packets.min(0xFFFF) as u32);
        let rating = self.heard().rating();
        let Mos(conversation) = rating.mos();
        // Listening does not suffer from delay.
        let Mos(listening) = Path { delay: Duration::ZERO, ..self.heard() }.rating().mos();
        Some(VoipMetrics {
            ssrc: self.source?,
            loss_rate: share(lost),
            discard_rate: share(late),
            burst_density: losses.burst_density,
            gap_density: losses.gap_density,
            burst_ms: length(losses.burst_packets),
            gap_ms: length(losses.gap_packets),
            round_trip_ms: ms(statistics.round_trip.unwrap_or_default()),
            end_system_ms: ms(delay.now + TICK),
            signal_dbm: statistics.level.map(|Dbov(level)| (level + OVERLOAD_DBM0) as i8),
            rating: Some(rating.0 as u8),
            mos_listening_tenths: Some((listening * 10.0) as u8),
            mos_conversation_tenths: Some((conversation * 10.0) as u8),
            buffer_ms: ms(delay.target),
            buffer_max_ms: ms(delay.max),
            buffer_limit_ms: ms(MAX_DEPTH),
        })
    }

    /// The way to our ear.
    fn heard(&self) -> Path {
        let buffer = &self.hearing.buffer;
        let delay = self.half_round_trip() + buffer.ptime() + buffer.delay().now;
        Path { loss: self.recent_concealment, delay }
    }

    fn half_round_trip(&self) -> Duration {
        self.statistics.round_trip.unwrap_or_default() / 2
    }

    /// Takes note of the time to the far end and back.
    pub(crate) fn learn_round_trip(&mut self, round_trip: Duration) {
        self.statistics.round_trip = Some(round_trip);
    }
}
