//! How long packets are under way.

use std::ops::Range;
use std::time::Duration;

use crate::Random;

const MS: Duration = Duration::from_millis(1);

/// A phone on LTE sends when it is granted a slot: at most this often.
const GRANT_INTERVAL: Duration = Duration::from_millis(8);

/// Packets that a link held back follow one another at this distance.
const RELEASE_INTERVAL: Duration = Duration::from_micros(300);

/// A rule for delaying packets, which may depend on when they are sent.
#[derive(Clone, Debug)]
pub enum Delay {
    /// All the same.
    Fixed(Duration),
    /// Any of the range.
    Uniform(Range<Duration>),
    /// A gamma distribution above a least delay.
    Gamma {
        /// What every packet takes.
        least: Duration,
        /// Mean of what is added.
        mean: Duration,
        /// 1 is exponential; the higher, the more symmetric.
        shape: u32,
    },
    /// A wired office: 0.2 ms and exponentially more, under 1 ms.
    Lan,
    /// Wi-Fi: contention of 1.5 ms, 3 % retransmitted for 5 to 30 ms, and every 6 s on average a block of
    /// 20 to 80 ms by interference or a scan, after which what waited arrives in a burst.
    WiFi(Blocks),
    /// LTE in motion: the next grant of 8 ms, one packet in ten 8 ms more for each repetition, the whole
    /// wandering by 30 ms within a minute, and every 25 s on average a handover of 200 to 800 ms.
    Mobile(Blocks),
}

impl Delay {
    /// A Wi-Fi link as described.
    pub fn wifi() -> Self {
        Self::WiFi(Blocks::new(Duration::from_secs(6), 20 * MS..80 * MS))
    }

    /// A mobile link as described.
    pub fn mobile() -> Self {
        Self::Mobile(Blocks::new(Duration::from_secs(25), 200 * MS..800 * MS))
    }

    /// How long a packet sent at `sent` is under way.
    pub(super) fn of(&mut self, sent: Duration, random: &mut Random) -> Duration {
        match self {
            Self::Fixed(delay) => *delay,
            Self::Uniform(range) => random.uniform(range),
            Self::Gamma { least, mean, shape } => *least + random.gamma(*shape, *mean),
            Self::Lan => (MS / 5 + random.exponential(MS / 10)).min(MS),
            Self::WiFi(blocks) => {
                let retransmitted =
                    if random.chance(0.03) { random.uniform(&(5 * MS..30 * MS)) } else { Duration::ZERO };
                let waited = blocks.wait(sent, random);
                waited + 2 * MS + random.exponential(MS * 3 / 2) + retransmitted
            }
            Self::Mobile(blocks) => {
                let waited = blocks.wait(sent, random);
                let wander = 15.0 * (1.0 + (sent.as_secs_f64() * std::f64::consts::TAU / 60.0).sin());
                let granted = (sent + waited).as_nanos().next_multiple_of(GRANT_INTERVAL.as_nanos());
                let repetitions = (0..4).take_while(|_| random.chance(0.1)).count() as u32;
                let air =
                    Duration::from_nanos(granted as u64).saturating_sub(sent) + repetitions * GRANT_INTERVAL;
                air + 20 * MS + MS.mul_f64(wander)
            }
        }
    }
}

/// Times in which nothing passes; what was sent meanwhile passes at their end.
#[derive(Clone, Debug)]
pub struct Blocks {
    mean_interval: Duration,
    lengths: Range<Duration>,
    current: Range<Duration>,
}

impl Blocks {
    /// Blocks of these lengths, `mean_interval` apart on average.
    pub fn new(mean_interval: Duration, lengths: Range<Duration>) -> Self {
        Self { mean_interval, lengths, current: Duration::ZERO..Duration::ZERO }
    }

    /// How long a packet sent at `sent` waits. To be asked in the order of sending.
    fn wait(&mut self, sent: Duration, random: &mut Random) -> Duration {
        while self.current.end <= sent {
            let start = self.current.end + random.exponential(self.mean_interval);
            self.current = start..start + random.uniform(&self.lengths);
        }
        if sent < self.current.start { Duration::ZERO } else { self.current.end.saturating_sub(sent) }
    }
}

/// The first instant at which a link that keeps its packets in order delivers one that is due at `due`.
pub(super) fn in_order(due: Duration, last: Duration) -> Duration {
    if due > last { due } else { last + RELEASE_INTERVAL }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays_ms(mut delay: Delay) -> Vec<f64> {
        let mut random = Random::new(1);
        let sent = (0..300_000).map(|n| 20 * MS * n);
        let mut all: Vec<_> = sent.map(|at| delay.of(at, &mut random).as_secs_f64() * 1e3).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    fn quantile(sorted: &[f64], share: f64) -> f64 {
        sorted[(share * (sorted.len() - 1) as f64) as usize]
    }

    #[test]
    fn a_lan_stays_under_a_millisecond() {
        let delays = delays_ms(Delay::Lan);
        assert!(delays[0] >= 0.2 && quantile(&delays, 1.0) <= 1.0);
    }

    #[test]
    fn wifi_is_short_but_for_retransmissions_and_blocks() {
        let delays = delays_ms(Delay::wifi());
        let [median, p95, p99, most] = [0.5, 0.95, 0.99, 1.0].map(|share| quantile(&delays, share));
        assert!((2.9..3.5).contains(&median), "{median}");
        assert!((7.0..20.0).contains(&p95), "{p95}");
        assert!((25.0..60.0).contains(&p99), "{p99}");
        assert!((80.0..130.0).contains(&most), "{most}");
    }

    #[test]
    fn a_mobile_link_wanders_and_hands_over() {
        let delays = delays_ms(Delay::mobile());
        let [least, median, p95, most] = [0.0, 0.5, 0.95, 1.0].map(|share| quantile(&delays, share));
        assert!((20.0..21.0).contains(&least), "{least}");
        assert!((35.0..45.0).contains(&median), "{median}");
        assert!((50.0..70.0).contains(&p95), "{p95}");
        assert!((800.0..900.0).contains(&most), "{most}");
    }

    #[test]
    fn a_gamma_delay_has_its_mean() {
        let delays = delays_ms(Delay::Gamma { least: 10 * MS, mean: 20 * MS, shape: 3 });
        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        assert!((mean - 30.0).abs() < 0.1, "{mean}");
    }
}
