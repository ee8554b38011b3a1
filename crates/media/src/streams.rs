//! What all legs' streams have been like together.

use std::ops::AddAssign;
use std::time::Duration;

use mixminus_rtp::Statistics;

/// Sums over legs. Those of what happened never go back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StreamTotals {
    /// Packets that were sent to us, by their sequence numbers.
    pub expected: u64,
    /// Packets of those that came; the others are lost.
    pub received: u64,
    /// Packets that came after their audio was due.
    pub late: u64,
    /// Packets overtaken by one that was sent after them.
    pub reordered: u64,
    /// Packets whose audio came with the next one (in-band FEC).
    pub recovered: u64,
    /// Frames in which audio was due.
    pub played_frames: u64,
    /// Frames of those that hold made-up audio.
    pub concealed_frames: u64,
    /// Frames dropped because more waited than may.
    pub shed_frames: u64,
    /// Frames with samples at the end of the format's scale.
    pub clipped_frames: u64,
    /// How long far ends have talked.
    pub talk_time: Duration,
    /// Audio waiting in jitter buffers.
    pub delay: Mean<Duration>,
    /// Interarrival jitter of what is received.
    pub jitter: Mean<Duration>,
    /// Round trips.
    pub round_trip: Mean<Duration>,
    /// Estimated quality of what we hear (G.107).
    pub mos: Mean<f64>,
    /// Estimated quality of what far ends hear.
    pub remote_mos: Mean<f64>,
}

/// A sum over the open legs that have a value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean<T> {
    /// How many have it.
    pub legs: u64,
    /// The sum of their values.
    pub sum: T,
}

impl<T: AddAssign> Mean<T> {
    fn add(&mut self, value: Option<T>) {
        if let Some(value) = value {
            self.legs += 1;
            self.sum += value;
        }
    }
}

impl Mean<Duration> {
    /// The mean; zero when no leg has a value.
    pub fn mean(&self) -> Duration {
        self.sum.div_f64(self.legs.max(1) as f64)
    }
}

impl Mean<f64> {
    /// The mean; `None` when no leg has a value.
    pub fn mean(&self) -> Option<f64> {
        (self.legs > 0).then(|| self.sum / self.legs as f64)
    }
}

impl StreamTotals {
    /// Adds an open leg.
    pub(crate) fn add(&mut self, leg: &Statistics) {
        self.add_ended(leg);
        let heard = leg.received > 0;
        self.delay.add(heard.then_some(leg.delay.now));
        self.jitter.add(heard.then_some(leg.jitter));
        self.round_trip.add(leg.round_trip);
        self.mos.add(leg.mos.map(|mos| mos.0.into()));
        self.remote_mos.add(leg.remote_mos.map(|mos| mos.0.into()));
    }

    /// Adds what a leg counted that is not open any more.
    pub(crate) fn add_ended(&mut self, leg: &Statistics) {
        self.expected += leg.received + leg.lost;
        self.received += leg.received;
        self.late += leg.late;
        self.reordered += leg.reordered;
        self.recovered += leg.recovered;
        self.played_frames += leg.played_frames;
        self.concealed_frames += leg.concealed_frames;
        self.shed_frames += leg.shed_frames;
        self.clipped_frames += leg.clipped_frames;
        self.talk_time += leg.talk_time;
    }
}

#[cfg(test)]
mod tests {
    use mixminus_rtp::{BufferDelay, Mos};

    use super::*;

    #[test]
    fn a_mean_is_over_the_open_legs_that_have_the_value() {
        let ms = Duration::from_millis;
        let leg = Statistics {
            received: 8,
            lost: 2,
            delay: BufferDelay { now: ms(30), ..BufferDelay::default() },
            round_trip: Some(ms(40)),
            mos: Some(Mos(4.0)),
            ..Statistics::default()
        };
        let mut totals = StreamTotals::default();
        totals.add_ended(&leg);
        assert_eq!((totals.delay.mean(), totals.round_trip.mean(), totals.mos.mean()), (ms(0), ms(0), None));
        totals.add(&leg);
        totals.add(&Statistics { received: 1, mos: Some(Mos(2.0)), ..Statistics::default() });
        totals.add(&Statistics::default());
        assert_eq!((totals.expected, totals.received), (21, 17));
        assert_eq!((totals.delay.mean(), totals.round_trip.mean()), (ms(15), ms(40)));
        assert_eq!((totals.mos.mean(), totals.remote_mos.mean()), (Some(3.0), None));
    }
}
