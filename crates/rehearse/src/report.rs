//! What a rehearsal found.

use std::fmt;

use serde::Serialize;

use crate::{Finding, Quantiles, RoomHearing, Seat};

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
    /// Length of the conversation.
    pub seconds: u32,
    /// What became of the calls.
    pub calls: Calls,
    /// Who heard whom, by room.
    pub hearing: Vec<RoomHearing>,
    /// Media packets.
    pub packets: Packets,
    /// From one packet to the next at each caller. 20 ms is right.
    pub inter_arrival: Option<Quantiles>,
    /// From mouth to ear, as far as the server and the network add to it: from the instant at which
    /// a click was sent to the one at which it arrived.
    pub added_delay: Option<Quantiles>,
    /// Clicks that should have been heard; `added_delay` counts those that were.
    pub clicks_expected: usize,
    /// What the server used, when it runs on this machine.
    pub server: Option<ServerCost>,
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
    /// Of these, those that our own machine refused.
    pub unsent: u64,
    /// Received by all callers after everything had settled.
    pub received: u64,
    /// Missing among them, by gaps in the sequence numbers.
    pub lost: u64,
}

/// What the server used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ServerCost {
    /// Its process.
    pub pid: u32,
    /// Milliseconds of processor time for a second of one participant.
    pub cpu_ms_per_participant_second: f64,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
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
        let Self { target, rooms, participants, seconds, calls, packets, .. } = self;
        writeln!(f, "rehearsal at {target}: {rooms} rooms of {participants}, {seconds} s")?;
        let (failed, lost) = (calls.failed.len(), calls.lost.len());
        writeln!(
            f,
            "  calls          {} placed, {} answered, {failed} failed, {lost} lost",
            calls.placed, calls.answered
        )?;
        list(f, &calls.failed, |call| format!("{} failed: {}", call.seat, call.reason))?;
        list(f, &calls.lost, |seat| format!("{seat} was hung up on"))?;
        self.write_hearing(f)?;
        writeln!(
            f,
            "  packets        {} sent, {} unsent, {} received, {} lost",
            packets.sent, packets.unsent, packets.received, packets.lost
        )?;
        write_quantiles(f, "inter-arrival", self.inter_arrival)?;
        write_quantiles(f, "added delay", self.added_delay)?;
        let heard = self.added_delay.map_or(0, |delay| delay.samples);
        writeln!(f, "  clicks         {heard} of {} heard", self.clicks_expected)?;
        match self.server {
            Some(ServerCost { pid, cpu_ms_per_participant_second: cpu, rss_bytes }) => {
                let rss = rss_bytes as f64 / (1024.0 * 1024.0);
                writeln!(f, "  server {pid:<7} {cpu:.3} CPU ms per participant-second, {rss:.1} MiB")?;
            }
            None => writeln!(f, "  server         not measured")?,
        }
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
            "  hearing        {heard} of {expected} heard, {unexpected} that should not be; own voice {own:.0} dB"
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
            expected: 2,
            heard: 1,
            missing: vec![finding],
            unexpected: vec![],
            own_voice_db: -61.2,
        };
        Report {
            target: "127.0.0.1:5060".into(),
            rooms: 1,
            participants: 2,
            seconds: 20,
            calls: Calls { placed: 2, answered: 2, ..Calls::default() },
            hearing: vec![room],
            packets: Packets { sent: 2000, unsent: 0, received: 1850, lost: 3 },
            inter_arrival: Some(Quantiles { p50_ms: 20.0, p99_ms: 21.5, max_ms: 30.25, samples: 1848 }),
            added_delay: None,
            clicks_expected: 8,
            server: Some(ServerCost { pid: 42, cpu_ms_per_participant_second: 0.5, rss_bytes: 1 << 20 }),
        }
    }

    #[test]
    fn the_text_says_what_was_found() {
        assert_eq!(
            report().to_string(),
            "rehearsal at 127.0.0.1:5060: 1 rooms of 2, 20 s\n  \
               calls          2 placed, 2 answered, 0 failed, 0 lost\n  \
               hearing        1 of 2 heard, 0 that should not be; own voice -61 dB\n                 \
                              0/1 does not hear 0/0 (-47 dB)\n  \
               packets        2000 sent, 0 unsent, 1850 received, 3 lost\n  \
               inter-arrival  p50 20.00  p99 21.50  max 30.25 ms  (1848 samples)\n  \
               added delay    not measured\n  \
               clicks         0 of 8 heard\n  \
               server 42      0.500 CPU ms per participant-second, 1.0 MiB\n  \
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
