//! How much of their time the workers need.

use std::time::Duration;

use mixminus_audio::TICK;
use mixminus_mixer::LegId;

/// Ticks that are looked at together: a second. Fewer, and a single burst is
/// taken for load; more, and a flood of calls is noticed too late.
const WINDOW_TICKS: usize = 50;

/// How busy the workers have been in about the last second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// One for each worker.
    pub workers: Vec<WorkerLoad>,
}

/// How busy one worker has been.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkerLoad {
    /// Share of the tick that was used, 0 to 1 or more: 19 of 20 ticks took no
    /// more than this.
    pub busy: f64,
    /// How late ticks began: 99 of 100 no more than this.
    pub lateness: Duration,
    /// Legs that it had.
    pub legs: usize,
}

impl Load {
    /// Of the least busy worker.
    pub fn least_busy(&self) -> f64 {
        self.workers.iter().map(|worker| worker.busy).fold(f64::INFINITY, f64::min)
    }
}

/// A bridge as it is at present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BridgeState {
    /// Whose voice dominates, or did last.
    pub active_speaker: Option<LegId>,
    /// What a tick of the bridge with all its legs takes, averaged over about a
    /// second.
    pub tick_cost: Duration,
}

/// What a worker measured in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) work: Duration,
    pub(crate) lateness: Duration,
    pub(crate) legs: usize,
}

impl From<Measured> for WorkerLoad {
    fn from(measured: Measured) -> Self {
        let Measured { work, lateness, legs } = measured;
        Self { busy: work.as_secs_f64() / TICK.as_secs_f64(), lateness, legs }
    }
}

/// The ticks of one window.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    work: [Duration; WINDOW_TICKS],
    lateness: [Duration; WINDOW_TICKS],
    ticks: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self { work: [Duration::ZERO; WINDOW_TICKS], lateness: [Duration::ZERO; WINDOW_TICKS], ticks: 0 }
    }
}

impl Window {
    /// Takes in a tick of `legs`; returns what was measured when it is the last of the
    /// window.
    pub(crate) fn add(&mut self, work: Duration, lateness: Duration, legs: usize) -> Option<Measured> {
        self.work[self.ticks] = work;
        self.lateness[self.ticks] = lateness;
        self.ticks += 1;
        if self.ticks < WINDOW_TICKS {
            return None;
        }
        self.ticks = 0;
        Some(Measured {
            work: percentile(&mut self.work, 95),
            lateness: percentile(&mut self.lateness, 99),
            legs,
        })
    }

    /// Begins anew.
    pub(crate) fn restart(&mut self) {
        self.ticks = 0;
    }
}

/// The value that `percent` of the values do not exceed.
fn percentile(values: &mut [Duration; WINDOW_TICKS], percent: usize) -> Duration {
    let place = (WINDOW_TICKS * percent).div_ceil(100) - 1;
    *values.select_nth_unstable(place).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_busy_share_is_what_nineteen_ticks_of_twenty_stay_within() {
        let mut window = Window::default();
        let mut add = |tick: u64| window.add(ms(tick), ms(100 - tick), 7);
        assert!((1..50).all(|tick| add(tick).is_none()));
        let measured = add(50).unwrap();
        assert_eq!(measured, Measured { work: ms(48), lateness: ms(99), legs: 7 });
        let load = WorkerLoad::from(Measured { work: ms(5), ..measured });
        assert_eq!(load, WorkerLoad { busy: 0.25, lateness: ms(99), legs: 7 });
    }

    #[test]
    fn each_window_is_measured_by_itself() {
        let mut window = Window::default();
        window.add(ms(9), ms(9), 1);
        window.restart();
        let measured = [1, 2].map(|work| (0..50).find_map(|_| window.add(ms(work), ms(0), 1)));
        assert_eq!(
            measured.map(|measured| measured.map(|measured| measured.work)),
            [Some(ms(1)), Some(ms(2))]
        );
    }
}
