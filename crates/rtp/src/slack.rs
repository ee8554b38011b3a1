//! How much sooner audio has come than it was needed.

/// Ticks in half of the window. A longer window keeps delay that a rare late packet needs, a shorter one
/// gives delay back sooner.
const HALF_TICKS: u32 = 100;

/// The least slack, in samples, of any packet in the last two to four seconds.
#[derive(Clone, Debug)]
pub(crate) struct Slack {
    now: i64,
    before: i64,
    ticks: u32,
}

impl Slack {
    /// A window that knows nothing yet and therefore shows no slack.
    pub(crate) const fn new() -> Self {
        Self { now: 0, before: 0, ticks: 0 }
    }

    pub(crate) fn note(&mut self, samples: i64) {
        self.now = self.now.min(samples);
    }

    pub(crate) fn tick(&mut self) {
        self.ticks += 1;
        if self.ticks == HALF_TICKS {
            *self = Self { now: i64::MAX, before: self.now, ticks: 0 };
        }
    }

    pub(crate) fn least(&self) -> i64 {
        self.now.min(self.before)
    }

    /// All audio is now needed `samples` sooner.
    pub(crate) fn use_up(&mut self, samples: i64) {
        self.now = self.now.saturating_sub(samples);
        self.before = self.before.saturating_sub(samples);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_slack_is_remembered_for_two_halves() {
        let mut slack = Slack::new();
        let mut least = Vec::new();
        for samples in [480, 160, 480, 480] {
            (1..HALF_TICKS).for_each(|_| slack.tick());
            slack.note(samples);
            least.push(slack.least());
            slack.tick();
        }
        assert_eq!(least, [0, 0, 160, 480]);
    }
}
