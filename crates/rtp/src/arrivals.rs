//! The order in which packets come (RFC 3550, appendix A.1).

use crate::Statistics;

/// A sequence number further ahead than this is a jump, not a loss: a minute of packets.
pub(crate) const MAX_AHEAD: i16 = 3_000;

/// A sequence number further behind than this is a jump too.
const MAX_BEHIND: i16 = -100;

/// Packets behind the newest that are still told from their duplicates.
const REMEMBERED: i16 = 64;

/// What a sequence number says about its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The newest so far.
    Newest,
    /// Overtaken by a newer one.
    Overtaken,
    /// Has come before.
    Duplicate,
    /// So old that it is not known whether it has come before.
    Ancient,
    /// Far from all others; not believed until the next one follows it.
    Jump,
}

/// Sequence numbers of one source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals {
    newest: Option<u16>,
    /// How far `newest` is from the first: what is older than the first was never waited for.
    span: u64,
    /// Bit n: the packet n before the newest has come.
    seen: u64,
    expected_after_jump: Option<u16>,
    /// Packets that have come, duplicates counted.
    received: u64,
    /// Packets expected and received up to the last report.
    reported: (u64, u64),
}

/// What a report says about a stream's losses (RFC 3550, appendix A.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Share of packets lost since the report before, in 256ths.
    pub(crate) fraction: u8,
    /// Packets lost in all; duplicates count against them.
    pub(crate) total: i32,
    /// Highest sequence number with its wraps.
    pub(crate) highest_sequence: u32,
}

impl Arrivals {
    /// Takes note of a packet and counts it.
    pub(crate) fn take(&mut self, sequence: u16, statistics: &mut Statistics) -> Arrival {
        let arrival = self.place(sequence, statistics);
        self.received += u64::from(arrival != Arrival::Jump);
        arrival
    }

    /// The losses since the last call and in all; `None` when nothing has come since.
    pub(crate) fn report(&mut self) -> Option<Losses> {
        let newest = self.newest?;
        let expected = self.span + 1;
        let (expected_before, received_before) =
            std::mem::replace(&mut self.reported, (expected, self.received));
        if self.received == received_before {
            return None;
        }
        let expected_since = expected - expected_before;
        let lost_since = expected_since.saturating_sub(self.received - received_before);
        let first = newest.wrapping_sub(self.span as u16);
        Some(Losses {
            fraction: (lost_since * 256).checked_div(expected_since).unwrap_or(0).min(255) as u8,
            total: (expected as i64 - self.received as i64).clamp(i32::MIN.into(), i32::MAX.into()) as i32,
            highest_sequence: u32::from(first).wrapping_add(self.span as u32),
        })
    }

    fn place(&mut self, sequence: u16, statistics: &mut Statistics) -> Arrival {
        let Some(newest) = self.newest else { return self.restart(sequence, statistics) };
        let ahead = sequence.wrapping_sub(newest) as i16;
        match ahead {
            1..=MAX_AHEAD => {
                self.newest = Some(sequence);
                self.span += ahead as u64;
                self.seen = self.seen.checked_shl(ahead as u32).unwrap_or(0) | 1;
                statistics.received += 1;
                statistics.lost += ahead as u64 - 1;
                Arrival::Newest
            }
            MAX_BEHIND..=0 => self.look_back(-ahead, statistics),
            _ if self.expected_after_jump == Some(sequence) => self.restart(sequence, statistics),
            _ => {
                self.expected_after_jump = Some(sequence.wrapping_add(1));
                Arrival::Jump
            }
        }
    }

    fn restart(&mut self, sequence: u16, statistics: &mut Statistics) -> Arrival {
        *self = Self { newest: Some(sequence), seen: 1, ..Self::default() };
        statistics.received += 1;
        Arrival::Newest
    }

    fn look_back(&mut self, behind: i16, statistics: &mut Statistics) -> Arrival {
        if behind >= REMEMBERED {
            return Arrival::Ancient;
        }
        let bit = 1 << behind;
        if self.seen & bit != 0 {
            statistics.duplicated += 1;
            return Arrival::Duplicate;
        }
        self.seen |= bit;
        statistics.received += 1;
        statistics.reordered += 1;
        if behind as u64 <= self.span {
            statistics.lost -= 1;
        }
        Arrival::Overtaken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(sequences: &[u16]) -> (Vec<Arrival>, Statistics) {
        let (mut arrivals, mut statistics) = (Arrivals::default(), Statistics::default());
        (sequences.iter().map(|&sequence| arrivals.take(sequence, &mut statistics)).collect(), statistics)
    }

    #[test]
    fn a_gap_is_lost_until_the_packet_comes_after_all() {
        let (_, statistics) = take(&[65_534, 2]);
        assert_eq!((statistics.received, statistics.lost), (2, 3));
        let (order, statistics) = take(&[65_534, 2, 0]);
        assert_eq!(order[2], Arrival::Overtaken);
        assert_eq!((statistics.received, statistics.lost, statistics.reordered), (3, 2, 1));
    }

    #[test]
    fn a_packet_counts_once() {
        let (order, statistics) = take(&[7, 8, 8, 7]);
        assert_eq!(order[2..], [Arrival::Duplicate, Arrival::Duplicate]);
        assert_eq!((statistics.received, statistics.duplicated), (2, 2));
    }

    #[test]
    fn what_precedes_the_first_was_never_lost() {
        let (order, statistics) = take(&[7, 6, 5, 9]);
        assert_eq!(order[1..3], [Arrival::Overtaken, Arrival::Overtaken]);
        assert_eq!((statistics.received, statistics.lost), (4, 1));
    }

    #[test]
    fn a_jump_is_believed_when_the_next_packet_follows_it() {
        let (order, statistics) = take(&[7, 20_000, 8, 40_000, 40_001, 40_002]);
        let expected = [
            Arrival::Newest,
            Arrival::Jump,
            Arrival::Newest,
            Arrival::Jump,
            Arrival::Newest,
            Arrival::Newest,
        ];
        assert_eq!(order, expected);
        assert_eq!((statistics.received, statistics.lost), (4, 0));
    }

    #[test]
    fn packets_older_than_the_memory_are_ancient() {
        let (order, statistics) = take(&[100, 200, 137, 136]);
        assert_eq!(order[2..], [Arrival::Overtaken, Arrival::Ancient]);
        assert_eq!((statistics.received, statistics.lost), (3, 98));
    }
}
