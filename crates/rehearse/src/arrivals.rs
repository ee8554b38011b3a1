//! The packets that a caller gets, counted.

use std::time::Duration;

use crate::quantiles::Histogram;

/// Counts the packets of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrivals {
    first: Option<u16>,
    /// Distance of the newest from the first.
    newest: u32,
    received: u64,
    last: Duration,
}

/// Where a packet belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It follows the newest.
    Next,
    /// At least one is missing before it.
    AfterGap,
    /// It is no newer than the newest.
    Late,
}

impl Arrivals {
    /// Counts a packet and notes the time since the one before it.
    pub(crate) fn note(&mut self, at: Duration, sequence: u16, gaps: &mut Histogram) -> Place {
        let first = *self.first.get_or_insert(sequence);
        // What the low 16 bits must grow by; a late packet makes it negative.
        let step = sequence.wrapping_sub(first.wrapping_add(self.newest as u16)) as i16;
        if self.received > 0 {
            gaps.note(at.saturating_sub(self.last));
        }
        self.last = at;
        self.received += 1;
        self.newest = self.newest.saturating_add_signed(i32::from(step).max(0));
        match step {
            1 => Place::Next,
            0 if self.received == 1 => Place::Next,
            2.. => Place::AfterGap,
            _ => Place::Late,
        }
    }

    /// Packets that arrived, and those whose sequence number never did.
    pub(crate) fn packets(self) -> (u64, u64) {
        let sent = self.first.map_or(0, |_| u64::from(self.newest) + 1);
        (self.received, sent.saturating_sub(self.received))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_counted_through_the_wrap_of_the_numbers() {
        let (mut arrivals, mut gaps) = (Arrivals::default(), Histogram::new());
        let mut place = |ms, sequence| arrivals.note(Duration::from_millis(ms), sequence, &mut gaps);
        let places = [place(0, 65_534), place(20, 65_535), place(60, 2), place(70, 1), place(80, 3)];
        assert_eq!(places, [Place::Next, Place::Next, Place::AfterGap, Place::Late, Place::Next]);
        assert_eq!(arrivals.packets(), (5, 1));
        let gaps = gaps.quantiles().unwrap();
        assert_eq!((gaps.samples, gaps.max_ms), (4, 40.0));
    }
}
