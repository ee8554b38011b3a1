//! What all legs' streams have been like together.

use std::time::Duration;

use mixminus_rtp::Statistics;

/// Sums over legs. The counts never go back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamTotals {
    /// Packets that were sent to us, by their sequence numbers.
    pub expected: u64,
    /// Packets of those that came; the others are lost.
    pub received: u64,
    /// Packets that came after their audio was due.
    pub late: u64,
    /// Frames that hold made-up audio.
    pub concealed_frames: u64,
    /// Open legs that have received anything.
    pub heard: u64,
    /// Audio waiting in the jitter buffers of those, in frames.
    pub depth_frames: u64,
    /// Open legs whose round trip is known.
    pub measured: u64,
    /// The round trips of those.
    pub round_trip: Duration,
}

impl StreamTotals {
    /// Audio waiting in a jitter buffer, in frames; 0 when there is none.
    pub fn mean_depth_frames(&self) -> f64 {
        self.depth_frames as f64 / self.heard.max(1) as f64
    }

    /// The mean of the known round trips; 0 when none is known.
    pub fn mean_round_trip(&self) -> Duration {
        self.round_trip.div_f64(self.measured.max(1) as f64)
    }

    /// Adds an open leg.
    pub(crate) fn add(&mut self, leg: &Statistics) {
        self.add_ended(leg);
        if leg.received > 0 {
            self.heard += 1;
            self.depth_frames += u64::from(leg.depth_frames);
        }
        if let Some(round_trip) = leg.round_trip {
            self.measured += 1;
            self.round_trip += round_trip;
        }
    }

    /// Adds what a leg counted that is not open any more.
    pub(crate) fn add_ended(&mut self, leg: &Statistics) {
        self.expected += leg.received + leg.lost;
        self.received += leg.received;
        self.late += leg.late;
        self.concealed_frames += leg.concealed_frames;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_over_the_open_legs_that_have_the_value() {
        let round_trip = Some(Duration::from_millis(40));
        let leg = Statistics { received: 8, lost: 2, depth_frames: 3, round_trip, ..Statistics::default() };
        let mut totals = StreamTotals::default();
        totals.add_ended(&leg);
        assert_eq!((totals.mean_depth_frames(), totals.mean_round_trip()), (0.0, Duration::ZERO));
        totals.add(&leg);
        totals.add(&Statistics { received: 1, ..Statistics::default() });
        totals.add(&Statistics::default());
        assert_eq!((totals.expected, totals.received), (21, 17));
        assert_eq!((totals.mean_depth_frames(), totals.mean_round_trip()), (1.5, Duration::from_millis(40)));
    }
}
