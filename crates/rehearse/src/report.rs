//! What a rehearsal found.

use std::fmt;

use serde::Serialize;

use crate::{AddedDelay, Finding, Network, Quantiles, RoomHearing, Seat, StallDelay};

/// Problems of one kind that the text shows; the rest is counted.
const SHOWN: usize = 10;

/// What a rehearsal found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The server.
    pub target: String,
    /// Rooms.
    pub rooms: u32,
    /// Callers in each room.
    pub participants: u32,
    /// How many of them talk.
    pub talkers: u32,
    /// Length of the conversation.
    pub seconds: u32,
    /// Name of the codec.
    pub codec: String,
    /// Whether callers send nothing while they say nothing.
    pub dtx: bool,
    /// What the callers' packets went through.
    pub network: Network,
    /// What became of the calls.
    pub calls: Calls,
    /// Who heard whom, by room.
    pub hearing: Vec<RoomHearing>,
    /// Media packets.
    pub packets: Packets,
    /// From one packet to the next at each caller, by the kernel's stamps. 20 ms is right.
    pub inter_arrival: Option<Quantiles>,
    /// From mouth to ear, as far as the server adds to it.
    pub added_delay: AddedDelay,
    /// What the server used, when it runs on this machine.
    pub server: Option<Cost>,
    /// What the rehearsal itself used.
    pub rehearsal: Option<Cost>,
    /// How much later than they should the callers' packets left: what this machine was too busy for.
    pub lateness: Option<Quantiles>,
}

/// What became of the calls.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Calls {
    /// Calls placed.
    pub placed: usize,
    /// Calls answered.
    pub answered: usize,
    /// Calls that were not.
    pub failed: Vec<FailedCall>,
    /// Calls that the server ended before their time.
    pub lost: Vec<Seat>,
}

/// A call that was not answered.
#[derive(Clone, Debug, Serialize)]
pub struct FailedCall {
    /// Who called.
    pub seat: Seat,
    /// Why there was no answer.
    pub reason: String,
}

/// Media packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Packets {
    /// Sent by all callers.
    pub sent: u64,
    /// Lost on purpose, as asked for.
    pub dropped: u64,
    /// Refused by our own machine.
    pub unsent: u64,
    /// Received by all callers after everything had settled.
    pub received: u64,
    /// Missing among them, by gaps in the sequence numbers.
    pub lost: u64,
}

/// What a process used while all rooms talked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// The process.
    pub pid: u32,
    /// Milliseconds of processor time for a second of one participant.
    pub cpu_ms_per_participant_second: f64,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
    /// Its threads.
    pub threads: u64,
}

impl Report {
    /// Whether every call stood and everybody heard exactly whom they should.
    pub fn passed(&self) -> bool {
        self.calls.failed.is_empty()
            && self.calls.lost.is_empty()
            && self.packets.received > 0
            && self.hearing.iter().all(RoomHearing::passed)
    }

    fn findings(&self, of: fn(&RoomHearing) -> &[Finding]) -> Vec<Finding> {
        self.hearing.iter().flat_map(|room| of(room).iter().copied()).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, rooms, participants, talkers, seconds, codec, calls, packets, .. } = self;
        let dtx = if self.dtx { " with DTX" } else { "" };
        writeln!(
            f,
            "rehearsal at {target}: {rooms} rooms of {participants}, {talkers} talking, {codec}{dtx}, {seconds} s"
        )?;
        if self.network != Network::default() {
            writeln!(f, "  network        {}", self.network)?;
        }
        let (failed, lost) = (calls.failed.len(), calls.lost.len());
        writeln!(
            f,
            "  calls          {} placed, {} answered, {failed} failed, {lost} lost",
            calls.placed, calls.answered
        )?;
        list(f, &calls.failed, |call| format!("{} failed: {}", call.seat, call.reason))?;
        list(f, &calls.lost, |seat| format!("{seat} was hung up on"))?;
        self.write_hearing(f)?;
        let Packets { sent, dropped, unsent, received, lost } = packets;
        writeln!(
            f,
            "  packets        {sent} sent, {dropped} dropped, {unsent} unsent, {received} received, {lost} lost"
        )?;
        write_quantiles(f, "inter-arrival", self.inter_arrival)?;
        self.write_delay(f)?;
        write_cost(f, "server", self.server)?;
        write_cost(f, "rehearsal", self.rehearsal)?;
        write_quantiles(f, "left late by", self.lateness)?;
        writeln!(f, "  {}", if self.passed() { "passed" } else { "FAILED" })
    }
}

impl Report {
    fn write_hearing(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |of: fn(&RoomHearing) -> usize| self.hearing.iter().map(of).sum::<usize>();
        let (expected, heard) = (sum(|room| room.expected), sum(|room| room.heard));
        let unexpected = sum(|room| room.unexpected.len());
        let own = self.hearing.iter().map(|room| room.own_voice_db).fold(f32::NEG_INFINITY, f32::max);
        writeln!(
            f,
            "  hearing        {} listened, {heard} of {expected} heard, {unexpected} that should not be; \
             own voice {own:.0} dB",
            sum(|room| room.listeners)
        )?;
        list(f, &self.findings(|room| &room.missing), |finding| {
            let Finding { listener, speaker, level_db } = finding;
            format!("{listener} does not hear {speaker} ({level_db:.0} dB)")
        })?;
        list(f, &self.findings(|room| &room.unexpected), |finding| {
            let Finding { listener, speaker, level_db } = finding;
            format!("{listener} hears {speaker} ({level_db:.0} dB)")
        })
    }

    fn write_delay(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AddedDelay { total, codecs_ms, clicks, talkers, expected, stall } = self.added_delay;
        write_quantiles(f, "added delay", total)?;
        let heard = total.map_or(0, |total| total.samples);
        writeln!(
            f,
            "                 {codecs_ms:.2} ms of it are the codecs'; {clicks} clicks by {talkers} callers, \
             heard {heard} of {expected} times"
        )?;
        if let Some(StallDelay { before, recovering, after }) = stall {
            write_quantiles(f, "before stall", before)?;
            write_quantiles(f, "1 s after it", recovering)?;
            write_quantiles(f, "then", after)?;
        }
        Ok(())
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.room, self.number)
    }
}

fn list<T>(f: &mut fmt::Formatter<'_>, items: &[T], line: impl Fn(&T) -> String) -> fmt::Result {
    for item in items.iter().take(SHOWN) {
        writeln!(f, "                 {}", line(item))?;
    }
    match items.len().checked_sub(SHOWN + 1) {
        Some(more) => writeln!(f, "                 and {} more", more + 1),
        None => Ok(()),
    }
}

fn write_quantiles(f: &mut fmt::Formatter<'_>, name: &str, quantiles: Option<Quantiles>) -> fmt::Result {
    match quantiles {
        Some(quantiles) => writeln!(f, "  {name:<14} {quantiles}"),
        None => writeln!(f, "  {name:<14} not measured"),
    }
}

fn write_cost(f: &mut fmt::Formatter<'_>, name: &str, cost: Option<Cost>) -> fmt::Result {
    let Some(Cost { pid, cpu_ms_per_participant_second: cpu, rss_bytes, threads }) = cost else {
        return writeln!(f, "  {name:<14} not measured");
    };
    let rss = rss_bytes as f64 / (1024.0 * 1024.0);
    writeln!(
        f,
        "  {name:<14} {cpu:.3} CPU ms per participant-second, {rss:.1} MiB, {threads} threads (process {pid})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let finding = Finding {
            listener: Seat { room: 0, number: 1 },
            speaker: Seat { room: 0, number: 0 },
            level_db: -47.0,
        };
        let room = RoomHearing {
            room: 0,
            listeners: 2,
            expected: 2,
            heard: 1,
            missing: vec![finding],
            unexpected: vec![],
            own_voice_db: -61.2,
        };
        let cost = Cost { pid: 42, cpu_ms_per_participant_second: 0.5, rss_bytes: 1 << 20, threads: 12 };
        let quantiles = Quantiles { p50_ms: 20.0, p99_ms: 21.5, max_ms: 30.25, samples: 1848 };
        Report {
            target: "127.0.0.1:5060".into(),
            rooms: 1,
            participants: 2,
            talkers: 2,
            seconds: 20,
            codec: "opus".into(),
            dtx: true,
            network: Network { loss_percent: 5, stall_ms: 200, ..Network::default() },
            calls: Calls { placed: 2, answered: 2, ..Calls::default() },
            hearing: vec![room],
            packets: Packets { sent: 1900, dropped: 100, unsent: 0, received: 1850, lost: 3 },
            inter_arrival: Some(quantiles),
            added_delay: AddedDelay {
                total: Some(Quantiles { samples: 55, ..quantiles }),
                codecs_ms: 13.125,
                clicks: 60,
                talkers: 2,
                expected: 60,
                stall: Some(StallDelay { before: Some(quantiles), recovering: None, after: None }),
            },
            server: Some(cost),
            rehearsal: None,
            lateness: None,
        }
    }

    #[test]
    fn the_text_says_what_was_found() {
        assert_eq!(
            report().to_string(),
            "rehearsal at 127.0.0.1:5060: 1 rooms of 2, 2 talking, opus with DTX, 20 s\n  \
               network        jitter 0 ms, loss 5 %, drift 0 ppm, a stall of 200 ms\n  \
               calls          2 placed, 2 answered, 0 failed, 0 lost\n  \
               hearing        2 listened, 1 of 2 heard, 0 that should not be; own voice -61 dB\n                 \
                              0/1 does not hear 0/0 (-47 dB)\n  \
               packets        1900 sent, 100 dropped, 0 unsent, 1850 received, 3 lost\n  \
               inter-arrival  p50 20.00  p99 21.50  max 30.25 ms  (1848 samples)\n  \
               added delay    p50 20.00  p99 21.50  max 30.25 ms  (55 samples)\n                 \
                              13.12 ms of it are the codecs'; 60 clicks by 2 callers, heard 55 of 60 times\n  \
               before stall   p50 20.00  p99 21.50  max 30.25 ms  (1848 samples)\n  \
               1 s after it   not measured\n  \
               then           not measured\n  \
               server         0.500 CPU ms per participant-second, 1.0 MiB, 12 threads (process 42)\n  \
               rehearsal      not measured\n  \
               left late by   not measured\n  \
               FAILED\n"
        );
    }

    #[test]
    fn a_rehearsal_passes_when_nothing_is_wrong() {
        let mut report = report();
        assert!(!report.passed());
        report.hearing[0].missing.clear();
        assert!(report.passed());
        report.calls.lost.push(Seat { room: 0, number: 0 });
        assert!(!report.passed());
    }

    #[test]
    fn silence_does_not_pass() {
        let mut silent = Report { packets: Packets::default(), ..report() };
        silent.hearing[0].missing.clear();
        assert!(!silent.passed());
    }
}
