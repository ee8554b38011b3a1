//! Interarrival jitter (RFC 3550, section 6.4.1 and appendix A.8).

use std::time::Duration;

use mixminus_codec::ClockRate;

/// How evenly packets travel: the smoothed difference between one packet's transit time and the next one's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transit {
    /// Arrival time less timestamp, in clock units, from an arbitrary origin.
    last: Option<u32>,
    jitter_units: f64,
}

impl Transit {
    /// Takes the packet that arrived at `now` and returns the jitter.
    pub(crate) fn take(&mut self, now: Duration, timestamp: u32, clock: ClockRate) -> Duration {
        let arrival = now.as_nanos() * u128::from(clock.hz()) / 1_000_000_000;
        let transit = (arrival as u32).wrapping_sub(timestamp);
        if let Some(last) = self.last.replace(transit) {
            let difference = (transit.wrapping_sub(last) as i32).unsigned_abs();
            // More than a second is no jitter: the sender's timestamps have jumped.
            if difference < clock.hz() {
                self.jitter_units += (f64::from(difference) - self.jitter_units) / 16.0;
            }
        }
        Duration::from_secs_f64(self.jitter_units / f64::from(clock.hz()))
    }
}

#[cfg(test)]
mod tests {
    use mixminus_codec::Format;

    use super::*;

    fn jitter(arrivals_ms: &[u64]) -> Duration {
        let mut transit = Transit::default();
        let mut jitter = Duration::ZERO;
        for (timestamp, &ms) in
            (u32::MAX - 159..=u32::MAX).step_by(160).chain((0..).step_by(160)).zip(arrivals_ms)
        {
            jitter = transit.take(Duration::from_millis(ms), timestamp, Format::Pcmu.clock_rate());
        }
        jitter
    }

    #[test]
    fn even_arrivals_have_no_jitter() {
        assert_eq!(jitter(&[7, 27, 47, 67]), Duration::ZERO);
    }

    #[test]
    fn one_packet_sixteen_milliseconds_late_is_one_millisecond_of_jitter() {
        assert_eq!(jitter(&[7, 27, 63]), Duration::from_millis(1));
    }

    #[test]
    fn a_jump_is_no_jitter() {
        assert_eq!(jitter(&[7, 27, 5_000, 5_020]), Duration::ZERO);
    }
}
