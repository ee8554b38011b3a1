//! How good a call sounds, by computation (ITU-T G.107).

use std::time::Duration;

/// A mean opinion score of a conversation, 1 (bad) to 4.5: an estimate by the E-model, on the scale of
/// narrow-band telephony. Wide band is given no credit: perfect G.711, G.722 and Opus all have 4.4.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Mos(pub f32);

/// The rating factor R of the E-model, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Rating(pub(crate) f32);

/// The rating of a line without any fault, with the default values of all that is not known here: echo,
/// loudness, noise.
const PERFECT: f32 = 93.2;

/// The delay beyond which conversation suffers, in milliseconds.
const NOTICED_MS: f32 = 177.3;

/// Bpl: the percentage of random loss that costs half of the scale. G.113, appendix I, has it for G.711 with
/// concealment; the same is taken for G.722, which is concealed in the same way, and for Opus, which is in no
/// table and conceals from its model of speech.
const ROBUSTNESS_PERCENT: f32 = 25.1;

/// What a stream suffers on its way from mouth to ear.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Path {
    /// Share of its audio that is made up or missing, 0 to 1.
    pub(crate) loss: f32,
    /// How long it takes.
    pub(crate) delay: Duration,
}

impl Path {
    /// Its rating by Cole and Rosenbluth's reduction of the E-model.
    pub(crate) fn rating(self) -> Rating {
        let delay_ms = self.delay.as_secs_f32() * 1e3;
        let by_delay = 0.024 * delay_ms + 0.11 * (delay_ms - NOTICED_MS).max(0.0);
        let loss_percent = 100.0 * self.loss.clamp(0.0, 1.0);
        let by_loss = 95.0 * loss_percent / (loss_percent + ROBUSTNESS_PERCENT);
        Rating((PERFECT - by_delay - by_loss).max(0.0))
    }
}

impl Rating {
    /// The score that listeners give (G.107, annex B).
    pub(crate) fn mos(self) -> Mos {
        let Self(r) = self;
        Mos((1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mos(loss: f32, delay_ms: u64) -> f32 {
        Path { loss, delay: Duration::from_millis(delay_ms) }.rating().mos().0
    }

    #[test]
    fn a_line_without_fault_has_the_best_score_of_narrow_band() {
        assert!((mos(0.0, 0) - 4.41).abs() < 0.005, "{}", mos(0.0, 0));
    }

    #[test]
    fn scores_are_those_of_the_e_model() {
        // R = 93.2 - 0.024 * 150 = 89.6; 93.2 - 9.6 - 0.11 * 222.7 = 59.1; 93.2 - 95 * 5 / 30.1 = 77.4;
        // 93.2 - 95 * 100 / 125.1 = 17.3.
        for (loss, delay_ms, expected) in
            [(0.0, 150, 4.34), (0.0, 400, 3.05), (0.05, 0, 3.94), (1.0, 0, 1.18)]
        {
            let mos = mos(loss, delay_ms);
            assert!((mos - expected).abs() < 0.02, "{loss} {delay_ms}: {mos}");
        }
    }
}
