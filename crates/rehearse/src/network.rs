//! What lies between a caller and the server: a small network, in the thread that sends.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use mixminus_audio::TICK;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

/// Largest faults that can be had.
pub(crate) const MAX_JITTER_MS: u32 = 500;
pub(crate) const MAX_LOSS_PERCENT: u32 = 50;
pub(crate) const MAX_DRIFT_PPM: u32 = 5_000;
pub(crate) const MAX_STALL_MS: u32 = 1_000;

/// How the callers' packets get to the server. Without faults unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Each packet is delayed at random by up to this. None overtakes another of the same caller.
    pub jitter_ms: u32,
    /// So many packets of a hundred are lost, at random.
    pub loss_percent: u32,
    /// The clock of every other caller runs faster by this, that of the rest slower.
    pub drift_ppm: u32,
    /// How long one caller in each room sends nothing, once, amid its clicks.
    pub stall_ms: u32,
    /// What follows.
    pub after_stall: AfterStall,
}

/// What a caller that has stalled does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum AfterStall {
    /// It sends at once what it has held.
    #[default]
    Burst,
    /// It goes on where it was, later from now on: its clock stood still.
    GoOn,
}

/// When the packets of one caller leave.
#[derive(Debug)]
pub(crate) struct Route {
    network: Network,
    interval: Duration,
    /// When in a tick its clock ticks.
    phase: Duration,
    stall: Range<u32>,
    /// When the latest packet left.
    last: Duration,
    random: StdRng,
}

impl Network {
    pub(crate) fn stall(self) -> Duration {
        Duration::from_millis(self.stall_ms.into())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jitter_ms, loss_percent, drift_ppm, stall_ms, after_stall } = self;
        write!(f, "jitter {jitter_ms} ms, loss {loss_percent} %, drift {drift_ppm} ppm")?;
        match (stall_ms, after_stall) {
            (0, _) => Ok(()),
            (_, AfterStall::Burst) => write!(f, ", a stall of {stall_ms} ms"),
            (_, AfterStall::GoOn) => write!(f, ", {stall_ms} ms later after a stall"),
        }
    }
}

impl Route {
    /// The way of the caller with this index, who stalls at these ticks.
    pub(crate) fn new(network: Network, index: u32, stall: Range<u32>) -> Self {
        let drift = TICK * network.drift_ppm / 1_000_000;
        Self {
            network,
            interval: if index.is_multiple_of(2) { TICK.saturating_sub(drift) } else { TICK + drift },
            phase: phase(index),
            stall,
            last: Duration::ZERO,
            random: StdRng::seed_from_u64(index.into()),
        }
    }

    /// When the packet of `tick` leaves, since the start. To be asked for every tick, in order.
    pub(crate) fn departure(&mut self, tick: u32) -> Duration {
        let mut at = self.phase + self.interval * tick;
        match self.network.after_stall {
            AfterStall::Burst if self.stall.contains(&tick) => at = at.max(self.stall_over()),
            AfterStall::GoOn if !self.stall.is_empty() && tick >= self.stall.start => {
                at += self.network.stall();
            }
            AfterStall::Burst | AfterStall::GoOn => {}
        }
        if self.network.jitter_ms > 0 {
            at += Duration::from_millis(self.network.jitter_ms.into()).mul_f64(self.random.random());
        }
        self.last = self.last.max(at);
        self.last
    }

    /// How long before `at`, when the packet of `tick` leaves, the stall was over, if it was.
    pub(crate) fn since_stall(&self, tick: u32, at: Duration) -> Option<Duration> {
        (!self.stall.is_empty() && tick >= self.stall.start).then(|| at.saturating_sub(self.stall_over()))
    }

    fn stall_over(&self) -> Duration {
        self.phase + self.interval * self.stall.start + self.network.stall()
    }

    /// Whether the next packet is lost.
    pub(crate) fn loses(&mut self) -> bool {
        self.network.loss_percent > 0 && self.random.random_range(0..100) < self.network.loss_percent
    }
}

/// Callers know nothing of each other: the server meets every phase of its own tick. The golden ratio
/// spreads any run of callers evenly, those of one room as well as all.
fn phase(index: u32) -> Duration {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    TICK.mul_f64((f64::from(index) * GOLDEN).fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: Network =
        Network { jitter_ms: 0, loss_percent: 0, drift_ppm: 0, stall_ms: 0, after_stall: AfterStall::Burst };

    fn departures_ms(network: Network, index: u32, stall: Range<u32>) -> Vec<u128> {
        let mut route = Route::new(network, index, stall);
        (0..8).map(|tick| route.departure(tick).as_millis()).collect()
    }

    #[test]
    fn packets_leave_every_tick_at_a_phase_of_ones_own() {
        assert_eq!(departures_ms(CLEAN, 0, 0..0), [0, 20, 40, 60, 80, 100, 120, 140]);
        assert_eq!(departures_ms(CLEAN, 1, 0..0), [12, 32, 52, 72, 92, 112, 132, 152]);
        for callers in [40..50, 0..100] {
            let mut phases: Vec<_> = callers.map(phase).collect();
            phases.sort_unstable();
            let widest = phases.windows(2).map(|pair| pair[1].abs_diff(pair[0])).max().unwrap();
            assert!(widest < TICK * 2 / phases.len() as u32, "{widest:?}");
        }
    }

    #[test]
    fn what_was_held_in_a_stall_leaves_at_once_or_everything_later() {
        let network = Network { stall_ms: 60, ..CLEAN };
        assert_eq!(departures_ms(network, 0, 2..5), [0, 20, 100, 100, 100, 100, 120, 140]);
        let late = Network { after_stall: AfterStall::GoOn, ..network };
        assert_eq!(departures_ms(late, 0, 2..5), [0, 20, 100, 120, 140, 160, 180, 200]);
        assert_eq!(departures_ms(late, 0, 0..0), [0, 20, 40, 60, 80, 100, 120, 140]);
    }

    #[test]
    fn a_clock_that_drifts_gains_or_loses_its_parts_in_a_million() {
        let network = Network { drift_ppm: 1_500, ..CLEAN };
        let minute = |index| Route::new(network, index, 0..0).departure(3_000).saturating_sub(phase(index));
        assert_eq!([minute(0), minute(1)].map(|at| at.as_millis()), [59_910, 60_090]);
    }

    #[test]
    fn jitter_delays_up_to_its_bound_and_keeps_the_order() {
        let network = Network { jitter_ms: 50, ..CLEAN };
        let mut route = Route::new(network, 0, 0..0);
        let (mut last, mut longest) = (Duration::ZERO, Duration::ZERO);
        for tick in 0..1_000 {
            let at = route.departure(tick);
            assert!(at >= last);
            (last, longest) = (at, longest.max(at.saturating_sub(TICK * tick)));
        }
        assert!((45..=50).contains(&longest.as_millis()), "{longest:?}");
    }

    #[test]
    fn packets_are_lost_as_often_as_was_asked_for() {
        let lost = |loss_percent| {
            let mut route = Route::new(Network { loss_percent, ..CLEAN }, 0, 0..0);
            (0..10_000).filter(|_| route.loses()).count()
        };
        assert_eq!(lost(0), 0);
        assert!((450..550).contains(&lost(5)), "{}", lost(5));
    }
}
