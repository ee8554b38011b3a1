//! What is going on, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use mixminus_audio::TICK;
use mixminus_control::Switchboard;
use mixminus_media::{BUCKETS_US, Histogram, MediaCounters, StreamTotals, Traffic};

use crate::http::{Exposition, Measured};

/// Counts of what is live.
#[derive(Debug, Default)]
pub struct Status {
    calls: AtomicU64,
    conferences: AtomicU64,
}

impl Status {
    /// Takes over what `switchboard` has.
    pub fn update(&self, switchboard: &Switchboard) {
        self.calls.store(switchboard.calls() as u64, Ordering::Relaxed);
        self.conferences.store(switchboard.conferences() as u64, Ordering::Relaxed);
    }
}

impl Measured for Status {
    fn measure(&self, out: &mut Exposition) {
        out.gauge("calls", "Live calls.", self.calls.load(Ordering::Relaxed));
        out.gauge("conferences", "Live conferences.", self.conferences.load(Ordering::Relaxed));
    }
}

impl Measured for MediaCounters {
    fn measure(&self, out: &mut Exposition) {
        out.gauge("media_legs", "Legs open.", self.legs);
        out.gauge("media_bridges", "Bridges open.", self.bridges);
        out.gauge("media_prompts", "Prompts that play or are to be played.", self.prompts);
        out.gauge("media_realtime_workers", "Media workers with real-time priority.", self.realtime_workers);
        out.counter("media_ticks_total", "Ticks run.", self.ticks);
        out.counter("media_ticks_skipped_total", "Ticks given up for being too late.", self.ticks_skipped);
        out.counter("media_events_lost_total", "Media events that nobody took in time.", self.events_lost);
        histogram(out, "media_tick_lateness_seconds", "How late ticks began.", &self.lateness);
        histogram(out, "media_tick_work_seconds", "How long ticks took.", &self.work);
        let Traffic { received, foreign, unexpected, dropped, sent, unsent } = self.traffic;
        let packets = [
            ("received", received),
            ("foreign", foreign),
            ("unexpected", unexpected),
            ("dropped", dropped),
            ("sent", sent),
            ("unsent", unsent),
        ];
        self.streams.measure(out);
        out.counters("media_packets_total", "Datagrams of all legs.", "fate", packets);
    }
}

impl Measured for StreamTotals {
    fn measure(&self, out: &mut Exposition) {
        let packets = [("expected", self.expected), ("received", self.received), ("late", self.late)];
        out.counters("media_stream_packets_total", "RTP packets by their sequence numbers.", "fate", packets);
        out.counter("media_concealed_frames_total", "Frames of made-up audio.", self.concealed_frames);
        let depth = TICK.mul_f64(self.mean_depth_frames());
        out.mean("media_buffer_depth_seconds", "Mean audio waiting in jitter buffers.", depth);
        let round_trip = self.mean_round_trip();
        out.mean("media_round_trip_seconds", "Mean time to the far ends and back.", round_trip);
    }
}

fn histogram(out: &mut Exposition, name: &str, help: &str, counted: &Histogram) {
    let (longer, counts) = counted.counts.split_last().expect("there is a bucket for what is longer");
    let buckets: Vec<_> = BUCKETS_US.into_iter().zip(counts.iter().copied()).collect();
    out.histogram(name, help, &buckets, (*longer, counted.sum));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn streams_are_counted_in_packets_and_averaged_in_seconds() {
        let mut out = Exposition::default();
        let round_trip = Duration::from_millis(90);
        let streams = StreamTotals {
            expected: 10,
            received: 9,
            heard: 2,
            depth_frames: 3,
            measured: 3,
            round_trip,
            ..StreamTotals::default()
        };
        streams.measure(&mut out);
        let text = out.into_text();
        for line in [
            "mixminus_media_stream_packets_total{fate=\"expected\"} 10",
            "mixminus_media_stream_packets_total{fate=\"received\"} 9",
            "mixminus_media_buffer_depth_seconds 0.03",
            "mixminus_media_round_trip_seconds 0.03",
        ] {
            assert!(text.lines().any(|said| said == line), "{line} is not in\n{text}");
        }
    }
}
