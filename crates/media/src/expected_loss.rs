//! Which loss a far end is to be helped against.

use mixminus_rtp::RemoteQuality;

/// A report with more loss than this speaks for FEC. Below, concealment hides
/// it, and FEC would take bits from what is heard without loss.
const LOSSY_PERCENT: f32 = 2.0;

/// A report with less than this speaks against it.
const CLEAN_PERCENT: f32 = 1.0;

/// Reports in a row that begin it, and that end it: 10 and 20 seconds. Fewer,
/// and a single burst changes the encoding; more, and help comes late.
const REPORTS_TO_BEGIN: u8 = 2;
const REPORTS_TO_END: u8 = 4;

/// The loss to expect, from what the far end reports, with hysteresis.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ExpectedLoss {
    percent: u8,
    /// Reports in a row that speak for a change.
    reports: u8,
    /// The most loss among those.
    worst: f32,
}

impl ExpectedLoss {
    /// What to expect, in per cent; 0 as long as FEC would not pay.
    pub(crate) fn percent(self) -> u8 {
        self.percent
    }

    /// Takes in a report.
    pub(crate) fn learn(&mut self, quality: RemoteQuality) {
        let loss = f32::from(quality.fraction_lost) * 100.0 / 256.0;
        let expects = self.percent > 0;
        let speaks_for_change = if expects { loss < CLEAN_PERCENT } else { loss > LOSSY_PERCENT };
        if !speaks_for_change {
            let percent = if expects { self.percent.max(loss.ceil() as u8) } else { 0 };
            *self = Self { percent, ..Self::default() };
            return;
        }
        self.reports += 1;
        self.worst = self.worst.max(loss);
        if expects && self.reports == REPORTS_TO_END {
            *self = Self::default();
        } else if !expects && self.reports == REPORTS_TO_BEGIN {
            *self = Self { percent: self.worst.ceil() as u8, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is expected after reports of so many 256ths lost.
    fn expected(loss: &mut ExpectedLoss, reports: &[u8]) -> Vec<u8> {
        let learn = |fraction_lost: &u8| {
            loss.learn(RemoteQuality { fraction_lost: *fraction_lost, ..RemoteQuality::default() });
            loss.percent()
        };
        reports.iter().map(learn).collect()
    }

    #[test]
    fn one_bad_report_is_nothing_and_two_in_a_row_are_loss() {
        let mut loss = ExpectedLoss::default();
        assert_eq!(expected(&mut loss, &[0, 26, 0, 26, 5, 6]), [0; 6]);
        assert_eq!(expected(&mut loss, &[13]), [6]);
    }

    #[test]
    fn loss_is_expected_until_four_reports_in_a_row_are_clean() {
        let mut loss = ExpectedLoss::default();
        expected(&mut loss, &[13, 13]);
        assert_eq!(expected(&mut loss, &[0, 0, 0, 4, 0, 0, 0]), [6; 7]);
        assert_eq!(expected(&mut loss, &[2, 13]), [0, 0]);
    }

    #[test]
    fn loss_that_grows_is_followed() {
        let mut loss = ExpectedLoss::default();
        assert_eq!(expected(&mut loss, &[13, 13, 64, 13]), [0, 6, 25, 25]);
    }
}
