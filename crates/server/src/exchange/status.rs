//! What is going on, for the metrics.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mixminus_codec::Format;
use mixminus_control::Switchboard;
use mixminus_media::{BUCKETS_US, Histogram, Media, MediaCounters, StreamTotals, Traffic};
use mixminus_mixer::LegId;
use mixminus_rtp::Mos;
use mixminus_sip::Totals;

use crate::http::{Exposition, Measured};

/// What listeners say of a call with at least this score (G.107, annex B).
const SATISFACTION: [(f32, &str); 6] = [
    (4.34, "very satisfied"),
    (4.03, "satisfied"),
    (3.60, "some dissatisfied"),
    (3.10, "many dissatisfied"),
    (2.58, "nearly all dissatisfied"),
    (0.0, "not recommended"),
];

/// Counts of what is live.
#[derive(Debug, Default)]
pub struct Status {
    calls: AtomicU64,
    conferences: AtomicU64,
    formats: Mutex<HashMap<LegId, Format>>,
}

impl Status {
    /// Takes over what `switchboard` has.
    pub fn update(&self, switchboard: &Switchboard) {
        self.calls.store(switchboard.calls() as u64, Ordering::Relaxed);
        self.conferences.store(switchboard.conferences() as u64, Ordering::Relaxed);
    }

    /// Notes in which format a leg's audio is.
    pub fn speaks(&self, leg: LegId, format: Format) {
        self.formats().insert(leg, format);
    }

    /// Notes that the far end of a leg is gone.
    pub fn is_gone(&self, leg: LegId) {
        self.formats().remove(&leg);
    }

    /// Writes how good the calls sound at present.
    pub fn measure_quality(&self, media: &Media, out: &mut Exposition) {
        let legs: Vec<_> = self.formats().keys().copied().collect();
        let statistics: Vec<_> = legs.into_iter().filter_map(|leg| media.statistics(leg)).collect();
        let (heard, hearing) =
            (statistics.iter().map(|one| one.mos), statistics.iter().map(|one| one.remote_mos));
        for (name, help, scores) in [
            ("media_mos_legs", "Legs by what we think of what they send.", by_satisfaction(heard.flatten())),
            ("media_remote_mos_legs", "Legs by what they think of ours.", by_satisfaction(hearing.flatten())),
        ] {
            out.gauges(name, help, "satisfaction", scores);
        }
    }

    fn formats(&self) -> MutexGuard<'_, HashMap<LegId, Format>> {
        self.formats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many legs have their audio in each format, by its name.
    fn legs_by_format(&self) -> BTreeMap<&'static str, u64> {
        let mut legs: BTreeMap<_, _> = Format::ALL.iter().map(|format| (format.encoding_name(), 0)).collect();
        for format in self.formats().values() {
            *legs.entry(format.encoding_name()).or_default() += 1;
        }
        legs
    }
}

impl Measured for Status {
    fn measure(&self, out: &mut Exposition) {
        out.gauge("calls", "Live calls.", self.calls.load(Ordering::Relaxed));
        out.gauge("conferences", "Live conferences.", self.conferences.load(Ordering::Relaxed));
        out.gauges(
            "media_format_legs",
            "Legs by the format of their audio.",
            "format",
            self.legs_by_format(),
        );
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
        let Traffic { received, foreign, unexpected, dropped, forged, sent, unsent, evicted } = self.traffic;
        out.counter("media_legs_evicted_total", "Legs given up for what they cost.", evicted);
        let packets = [
            ("received", received),
            ("foreign", foreign),
            ("unexpected", unexpected),
            ("dropped", dropped),
            ("forged", forged),
            ("sent", sent),
            ("unsent", unsent),
        ];
        self.streams.measure(out);
        out.counters("media_packets_total", "Datagrams of all legs.", "fate", packets);
    }
}

impl Measured for Totals {
    fn measure(&self, out: &mut Exposition) {
        let messages = self.messages.iter().map(|kind| {
            let (way, status) = (kind.way.name().to_owned(), kind.status.to_owned());
            ([way, kind.transport.clone(), kind.method.clone(), status], kind.count)
        });
        let labels = ["direction", "transport", "method", "status"];
        out.counters_by("sip_messages_total", "SIP messages; requests have no status.", labels, messages);
        let help = "SIP messages of calls that came once more.";
        out.counter("sip_retransmissions_received_total", help, self.retransmissions);
        let calls = self.calls.iter();
        let calls = calls.map(|kind| ([kind.side.name().to_owned(), kind.outcome.to_owned()], kind.count));
        out.counters_by("sip_calls_total", "Calls that are over.", ["direction", "outcome"], calls);
        let help = "What the SIP messages of calls take that are kept to be shown.";
        out.gauge("sip_trace_bytes", help, self.trace_bytes as u64);
    }
}

impl Measured for StreamTotals {
    fn measure(&self, out: &mut Exposition) {
        let packets = [
            ("expected", self.expected),
            ("received", self.received),
            ("late", self.late),
            ("reordered", self.reordered),
            ("recovered", self.recovered),
        ];
        out.counters("media_stream_packets_total", "RTP packets by their sequence numbers.", "fate", packets);
        let frames = [
            ("played", self.played_frames),
            ("concealed", self.concealed_frames),
            ("shed", self.shed_frames),
            ("clipped", self.clipped_frames),
        ];
        out.counters("media_frames_total", "Frames of far ends' audio.", "kind", frames);
        out.total("media_talk_seconds_total", "How long far ends have talked.", self.talk_time);
        for (name, help, mean) in [
            ("media_buffer_delay_seconds", "Mean delay in jitter buffers.", self.delay),
            ("media_jitter_seconds", "Mean interarrival jitter.", self.jitter),
            ("media_round_trip_seconds", "Mean time to the far ends and back.", self.round_trip),
        ] {
            out.mean(name, help, mean.mean());
        }
    }
}

/// How many of `scores` are in each class, the best first.
fn by_satisfaction(scores: impl Iterator<Item = Mos>) -> [(&'static str, u64); 6] {
    let mut counts = SATISFACTION.map(|(_, class)| (class, 0));
    for Mos(score) in scores {
        let class = SATISFACTION.iter().position(|(least, _)| score >= *least);
        counts[class.unwrap_or(SATISFACTION.len() - 1)].1 += 1;
    }
    counts
}

fn histogram(out: &mut Exposition, name: &str, help: &str, counted: &Histogram) {
    let (longer, counts) = counted.counts.split_last().expect("there is a bucket for what is longer");
    let buckets: Vec<_> = BUCKETS_US.into_iter().zip(counts.iter().copied()).collect();
    out.histogram(name, help, &buckets, (*longer, counted.sum));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mixminus_audio::SampleRate;
    use mixminus_media::Mean;

    use super::*;

    fn assert_says(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|said| said == *line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn streams_are_counted_and_their_delays_averaged() {
        let mut out = Exposition::default();
        let mean = |ms| Mean { legs: 3, sum: Duration::from_millis(ms) };
        let streams = StreamTotals {
            expected: 10,
            received: 9,
            concealed_frames: 4,
            delay: mean(60),
            jitter: mean(15),
            round_trip: mean(90),
            ..StreamTotals::default()
        };
        streams.measure(&mut out);
        assert_says(
            &out.into_text(),
            &[
                "mixminus_media_stream_packets_total{fate=\"expected\"} 10",
                "mixminus_media_stream_packets_total{fate=\"received\"} 9",
                "mixminus_media_frames_total{kind=\"concealed\"} 4",
                "mixminus_media_buffer_delay_seconds 0.02",
                "mixminus_media_jitter_seconds 0.005",
                "mixminus_media_round_trip_seconds 0.03",
            ],
        );
    }

    #[test]
    fn legs_are_counted_by_their_present_format_until_they_are_gone() {
        let status = Status::default();
        status.speaks(LegId(1), Format::Pcmu);
        status.speaks(LegId(2), Format::G722);
        status.speaks(LegId(1), Format::Opus(SampleRate::Hz16000));
        status.is_gone(LegId(2));
        let mut out = Exposition::default();
        status.measure(&mut out);
        let line = |name: &str, legs: u64| format!("mixminus_media_format_legs{{format=\"{name}\"}} {legs}");
        assert_says(
            &out.into_text(),
            &[&line("opus", 1), &line("G722", 0), &line("PCMU", 0), &line("L16", 0)],
        );
    }

    #[test]
    fn sip_messages_are_counted_by_kind() {
        use mixminus_sip::{CallCount, MessageCount, Side, Way};
        let message = |way, status, count| MessageCount {
            way,
            transport: "udp".into(),
            method: "INVITE".into(),
            status,
            count,
        };
        let totals = Totals {
            messages: vec![message(Way::Received, "", 3), message(Way::Sent, "2xx", 2)],
            retransmissions: 1,
            calls: vec![CallCount { side: Side::Incoming, outcome: "completed", count: 2 }],
            trace_bytes: 1000,
        };
        let mut out = Exposition::default();
        totals.measure(&mut out);
        let line = |direction: &str, status: &str, count: u64| {
            format!(
                "mixminus_sip_messages_total{{direction=\"{direction}\",transport=\"udp\",\
                 method=\"INVITE\",status=\"{status}\"}} {count}"
            )
        };
        assert_says(
            &out.into_text(),
            &[
                &line("received", "", 3),
                &line("sent", "2xx", 2),
                "mixminus_sip_retransmissions_received_total 1",
                "mixminus_sip_calls_total{direction=\"incoming\",outcome=\"completed\"} 2",
                "mixminus_sip_trace_bytes 1000",
            ],
        );
    }

    #[test]
    fn scores_fall_into_the_classes_of_the_recommendation() {
        let counts = by_satisfaction([4.41, 4.34, 4.33, 3.6, 1.0].into_iter().map(Mos));
        assert_eq!(counts.map(|(_, count)| count), [2, 1, 1, 0, 0, 1]);
    }
}
