//! Packets that wait for their turn, in the order of their sequence numbers.

use crate::arrivals::MAX_AHEAD;

/// Packets that can wait: more than the deepest buffer of 10 ms packets.
const SLOTS: usize = 64;

/// The same as a distance of sequence numbers.
const WINDOW: i16 = SLOTS as i16;

/// What a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Encoded audio.
    Audio,
    /// A description of comfort noise.
    Noise,
    /// Nothing that is played. It has come, so it is not missing.
    Other,
}

/// A packet without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) sequence: u16,
    pub(crate) kind: Kind,
    /// Its first sample's place in the stream.
    pub(crate) position: i64,
    /// Samples in it.
    pub(crate) length: i64,
    /// How many samples had been played when it came, less its position.
    pub(crate) lateness: i64,
}

/// The packet that is to be played next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) entry: Entry,
    /// Packets missing before it.
    pub(crate) missing: u16,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    entry: Entry,
    payload_bytes: usize,
}

/// A window of a stream's packets, each in the slot of its sequence number. Allocates only when it is made.
#[derive(Debug)]
pub(crate) struct Packets {
    slots: Box<[Option<Slot>; SLOTS]>,
    payloads: Box<[u8]>,
    /// The sequence number that is due next, once one has been played or has come.
    first: Option<u16>,
    /// One more than the highest sequence number that has come.
    end: u16,
    /// Whether `first` follows one that was played.
    played: bool,
}

impl Packets {
    /// Room for payloads of at most `payload_bytes`.
    pub(crate) fn new(payload_bytes: usize) -> Self {
        Self {
            slots: Box::new([None; SLOTS]),
            payloads: vec![0; SLOTS * payload_bytes].into(),
            first: None,
            end: 0,
            played: false,
        }
    }

    /// The largest payload for which there is room.
    pub(crate) fn max_payload_bytes(&self) -> usize {
        self.payloads.len() / SLOTS
    }

    /// Whether a packet that was sent after this one has been played.
    pub(crate) fn has_passed(&self, sequence: u16) -> bool {
        self.played && self.first.is_some_and(|first| (sequence.wrapping_sub(first) as i16) < 0)
    }

    /// Keeps a packet. One far from all others, or one more than fit, drives out those that waited longest.
    pub(crate) fn insert(&mut self, entry: Entry, payload: &[u8]) {
        let sequence = entry.sequence;
        let ahead = sequence.wrapping_sub(self.first.unwrap_or(sequence)) as i16;
        if self.first.is_none() || !(-WINDOW..=MAX_AHEAD).contains(&ahead) {
            self.clear();
            (self.first, self.end) = (Some(sequence), sequence);
        } else if ahead >= WINDOW {
            self.advance_to(sequence.wrapping_sub(SLOTS as u16 - 1));
        } else if ahead < 0 {
            if self.played || self.end.wrapping_sub(sequence) > SLOTS as u16 {
                return;
            }
            self.first = Some(sequence);
        }
        if sequence.wrapping_sub(self.end) as i16 >= 0 {
            self.end = sequence.wrapping_add(1);
        }
        let (at, payload_bytes) = (usize::from(sequence) % SLOTS, payload.len());
        let start = at * self.max_payload_bytes();
        self.payloads[start..][..payload_bytes].copy_from_slice(payload);
        self.slots[at] = Some(Slot { entry, payload_bytes });
    }

    /// The first packet that can be played.
    pub(crate) fn head(&self) -> Option<Head> {
        let first = self.first?;
        let mut missing = 0;
        for n in 0..self.end.wrapping_sub(first) {
            match self.slot(first.wrapping_add(n)) {
                None => missing += 1,
                Some(Slot { entry: Entry { kind: Kind::Other, .. }, .. }) => {}
                Some(Slot { entry, .. }) => return Some(Head { entry: *entry, missing }),
            }
        }
        None
    }

    /// The payload of the packet with this sequence number; empty when there is none.
    pub(crate) fn payload(&self, sequence: u16) -> &[u8] {
        let payload_bytes = self.slot(sequence).map_or(0, |slot| slot.payload_bytes);
        let at = usize::from(sequence) % SLOTS;
        &self.payloads[at * self.max_payload_bytes()..][..payload_bytes]
    }

    /// Forgets this packet, which has been played, and all before it.
    pub(crate) fn pop(&mut self, sequence: u16) {
        self.advance_to(sequence.wrapping_add(1));
        self.played = true;
    }

    /// Forgets all packets; what comes next begins a stream.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(None);
        (self.first, self.played) = (None, false);
    }

    fn advance_to(&mut self, first: u16) {
        let Some(before) = self.first.replace(first) else { return };
        for n in 0..first.wrapping_sub(before).min(SLOTS as u16) {
            self.slots[usize::from(before.wrapping_add(n)) % SLOTS] = None;
        }
        if (self.end.wrapping_sub(first) as i16) < 0 {
            self.end = first;
        }
    }

    fn slot(&self, sequence: u16) -> Option<&Slot> {
        self.slots[usize::from(sequence) % SLOTS].as_ref().filter(|slot| slot.entry.sequence == sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: u16, kind: Kind) -> Entry {
        Entry { sequence, kind, position: 0, length: 160, lateness: 0 }
    }

    fn with(sequences: &[u16]) -> Packets {
        let mut packets = Packets::new(2);
        for &n in sequences {
            packets.insert(entry(n, Kind::Audio), &n.to_be_bytes());
        }
        packets
    }

    /// Takes all packets out: the sequence number of each, and how many were missing before it.
    fn drain(mut packets: Packets) -> Vec<(u16, u16)> {
        std::iter::from_fn(|| {
            let Head { entry, missing } = packets.head()?;
            assert_eq!(packets.payload(entry.sequence), entry.sequence.to_be_bytes());
            packets.pop(entry.sequence);
            Some((entry.sequence, missing))
        })
        .collect()
    }

    #[test]
    fn packets_come_out_in_order_through_the_wrap() {
        assert_eq!(drain(with(&[65_535, 1, 65_534, 0])), [(65_534, 0), (65_535, 0), (0, 0), (1, 0)]);
    }

    #[test]
    fn what_is_missing_is_counted_but_not_what_is_no_audio() {
        let mut packets = with(&[5, 9]);
        packets.insert(entry(7, Kind::Other), &[]);
        packets.insert(entry(8, Kind::Other), &[]);
        assert_eq!(drain(packets), [(5, 0), (9, 1)]);
        assert_eq!(drain(with(&[5, 900])), [(900, 63)]);
    }

    #[test]
    fn the_first_may_be_overtaken_until_it_is_played() {
        let mut packets = with(&[5]);
        assert!(!packets.has_passed(4));
        packets.insert(entry(4, Kind::Audio), &[0, 4]);
        packets.pop(4);
        assert!(packets.has_passed(4) && packets.has_passed(3) && !packets.has_passed(5));
        packets.insert(entry(3, Kind::Audio), &[0, 3]);
        assert_eq!(drain(packets), [(5, 0)]);
    }

    #[test]
    fn one_more_than_fit_drives_out_the_first() {
        let all: Vec<u16> = (0..=64).collect();
        assert_eq!(drain(with(&all)), (1..=64).map(|n| (n, 0)).collect::<Vec<_>>());
    }

    #[test]
    fn a_jump_drives_out_all() {
        assert_eq!(drain(with(&[5, 6, 30_000, 30_001])), [(30_000, 0), (30_001, 0)]);
        assert_eq!(drain(with(&[30_000, 5])), [(5, 0)]);
    }

    #[test]
    fn a_slot_is_empty_once_its_packet_was_played() {
        let mut packets = with(&[5]);
        packets.pop(5);
        packets.insert(entry(6, Kind::Audio), &[0, 6]);
        assert_eq!((packets.payload(5), packets.payload(6)), (&[][..], &[0, 6][..]));
    }
}
