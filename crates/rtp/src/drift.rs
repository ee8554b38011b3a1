//! By how much the sender's clock differs from ours.

use std::time::Duration;

use mixminus_codec::ClockRate;

/// Points that are kept of a stream. The more, the less the noise of each counts.
const POINTS: usize = 32;

/// Time for which the first points stand. Each time that all are used, two become one.
const FIRST_SPAN: Duration = Duration::from_secs(2);

/// Points that make an estimate.
const ENOUGH: usize = 8;

/// A change of transit time beyond this is no drift: the sender's timestamps or the path have changed.
const JUMP_SECONDS: f64 = 0.5;

/// The least transit time of a while. Networks only ever add to it.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    seconds: f64,
    transit_seconds: f64,
}

/// A line through the lower edge of transit times, over all of a stream that has gone on without a jump.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drift {
    origin: Option<Origin>,
    points: [Point; POINTS],
    used: usize,
    /// When the span of the last point ends.
    until: f64,
    span: f64,
}

/// What a stream is measured from.
#[derive(Clone, Copy, Debug)]
struct Origin {
    arrived: Duration,
    timestamp: u32,
    /// Clock units between the origin and `timestamp`.
    units: i64,
}

impl Drift {
    /// Takes the packet that arrived at `now`.
    pub(crate) fn take(&mut self, now: Duration, timestamp: u32, clock: ClockRate) {
        let Some(origin) = &mut self.origin else { return self.restart(now, timestamp) };
        origin.units += i64::from(timestamp.wrapping_sub(origin.timestamp) as i32);
        origin.timestamp = timestamp;
        let seconds = now.saturating_sub(origin.arrived).as_secs_f64();
        let transit_seconds = seconds - origin.units as f64 / f64::from(clock.hz());
        let point = Point { seconds, transit_seconds };
        let last = self.points[self.used - 1];
        if (transit_seconds - last.transit_seconds).abs() > JUMP_SECONDS {
            self.restart(now, timestamp);
        } else if seconds >= self.until {
            self.begin(point);
        } else if transit_seconds < last.transit_seconds {
            self.points[self.used - 1] = point;
        }
    }

    /// Parts in a million by which the sender's clock is faster than ours; `None` until enough has come.
    pub(crate) fn ppm(&self) -> Option<f32> {
        if self.used < ENOUGH {
            return None;
        }
        // The median of the slopes between any two points (Theil and Sen) disregards those that are far off.
        let mut slopes = [0.0; POINTS * (POINTS - 1) / 2];
        let mut count = 0;
        for (n, one) in self.points[..self.used].iter().enumerate() {
            for other in &self.points[n + 1..self.used] {
                slopes[count] = (other.transit_seconds - one.transit_seconds) / (other.seconds - one.seconds);
                count += 1;
            }
        }
        let (_, median, _) = slopes[..count].select_nth_unstable_by(count / 2, f64::total_cmp);
        Some((-*median * 1e6) as f32)
    }

    fn restart(&mut self, now: Duration, timestamp: u32) {
        self.origin = Some(Origin { arrived: now, timestamp, units: 0 });
        self.span = FIRST_SPAN.as_secs_f64();
        (self.used, self.until) = (1, self.span);
        self.points[0] = Point::default();
    }

    fn begin(&mut self, point: Point) {
        if self.used == POINTS {
            for n in 0..POINTS / 2 {
                let (one, other) = (self.points[2 * n], self.points[2 * n + 1]);
                self.points[n] = if one.transit_seconds <= other.transit_seconds { one } else { other };
            }
            self.used = POINTS / 2;
            self.span *= 2.0;
        }
        self.points[self.used] = point;
        self.used += 1;
        self.until = point.seconds + self.span;
    }
}

#[cfg(test)]
mod tests {
    use mixminus_codec::Format;

    use super::*;

    /// Packets for some minutes of a clock that is fast by `ppm`, each late by `late_ms(its number)`.
    fn measured(minutes: u32, ppm: f64, late_ms: impl Fn(u32) -> f64) -> Option<f32> {
        let mut drift = Drift::default();
        for n in 0..minutes * 3_000 {
            let sent = f64::from(n) * 0.02 / (1.0 + ppm * 1e-6);
            let timestamp = (n * 160).wrapping_sub(8_000);
            drift.take(
                Duration::from_secs_f64(9.0 + sent + late_ms(n) / 1e3),
                timestamp,
                Format::Pcmu.clock_rate(),
            );
        }
        drift.ppm()
    }

    #[test]
    fn a_clock_that_differs_is_measured_through_jitter() {
        for ppm in [-1_500.0, -40.0, 0.0, 500.0] {
            let jitter = |n: u32| f64::from(n.wrapping_mul(2_654_435_761) >> 24) / 4.0;
            let measured = f64::from(measured(20, ppm, jitter).unwrap());
            assert!((measured - ppm).abs() < 3.0, "{measured} for {ppm}");
        }
    }

    #[test]
    fn some_bad_seconds_change_nothing() {
        let bad = |n: u32| if (6_000..8_000).contains(&n) { 180.0 } else { 0.0 };
        let measured = measured(5, 100.0, bad).unwrap();
        assert!((measured - 100.0).abs() < 5.0, "{measured}");
    }

    #[test]
    fn a_jump_begins_anew() {
        let jumps = |n: u32| if n < 4_500 { 0.0 } else { 9_000.0 };
        let measured = measured(3, 100.0, jumps).unwrap();
        assert!((measured - 100.0).abs() < 1.0, "{measured}");
    }

    #[test]
    fn a_few_seconds_are_not_enough() {
        let mut drift = Drift::default();
        (0..600).for_each(|n| drift.take(Duration::from_millis(20) * n, n * 160, Format::Pcmu.clock_rate()));
        assert_eq!(drift.ppm(), None);
    }
}
