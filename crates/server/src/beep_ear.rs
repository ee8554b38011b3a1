//! Listens by a tap for an answering machine's beep.

use std::time::Duration;

use mixminus_audio::{BeepDetector, BeepTerms, Dbov, MAX_FRAME_SAMPLES, SampleRate};
use mixminus_control::Beep;
use mixminus_mixer::TapReader;
use tokio::time::{MissedTickBehavior, interval};

/// How often the tap is looked at. It holds a second.
const INTERVAL: Duration = Duration::from_millis(40);

/// The level of a sine that reaches every sample: 3.01 dB below that of a square.
const FULL_SCALE_SINE: f32 = -3.01;

/// Knows what a beep is.
#[derive(Debug)]
pub struct BeepEar {
    terms: BeepTerms,
    detector: Option<(SampleRate, BeepDetector)>,
}

impl BeepEar {
    /// An ear for `beep`.
    pub fn new(beep: &Beep) -> Self {
        let weakest = 20.0 * (f32::from(beep.weakest.max(1)) / 32_767.0).log10() + FULL_SCALE_SINE;
        let terms = BeepTerms {
            shortest: beep.shortest,
            longest_gap: beep.longest_gap,
            silence_after: beep.silence_after,
            weakest: Dbov(weakest),
        };
        Self { terms, detector: None }
    }

    /// Listens until there was a beep. The end of that is the caller's to bring about.
    pub async fn hear_out(mut self, mut audio: TapReader) {
        let mut look = interval(INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beeped = false;
        while !beeped {
            look.tick().await;
            audio.read(&mut |tick| {
                beeped |= self.hear(tick.rate, tick.frames().next().map(|(_, frame)| frame));
            });
        }
    }

    /// Takes in a frame, or silence, and says whether that was the end of a beep.
    fn hear(&mut self, rate: SampleRate, frame: Option<&[i16]>) -> bool {
        let silence = [0; MAX_FRAME_SAMPLES];
        let detector = match &mut self.detector {
            Some((known, detector)) if *known == rate => detector,
            other => &mut other.insert((rate, BeepDetector::new(rate, self.terms))).1,
        };
        detector.hear(frame.unwrap_or(&silence[..rate.frame_samples()]))
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::Sine;

    use super::*;

    #[test]
    fn a_beep_is_heard_from_its_amplitude_on_whatever_the_rate() {
        for rate in SampleRate::ALL {
            for (level, is_heard) in [(Dbov(-44.0), true), (Dbov(-47.0), false)] {
                let ms = Duration::from_millis;
                let beep =
                    Beep { shortest: ms(300), longest_gap: ms(500), silence_after: ms(50), weakest: 256 };
                let (mut ear, mut tone) = (BeepEar::new(&beep), Sine::new(rate, 1000.0, level));
                let mut heard = false;
                for _ in 0..20 {
                    let mut frame = vec![0; rate.frame_samples()];
                    tone.fill(&mut frame);
                    heard |= ear.hear(rate, Some(&frame));
                }
                assert!(!heard, "it goes on");
                heard = (0..5).any(|_| ear.hear(rate, None));
                assert_eq!(heard, is_heard, "{level:?} at {rate:?}");
            }
        }
    }
}
