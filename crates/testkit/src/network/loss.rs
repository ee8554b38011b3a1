//! Which packets never arrive.

use crate::Random;

/// A rule for losing packets.
#[derive(Clone, Copy, Debug, Default)]
pub enum Loss {
    /// All arrive.
    #[default]
    None,
    /// Each is lost with this probability, whatever became of the others.
    Random(f64),
    /// Runs of packets are lost, as by Gilbert's two states.
    Bursts {
        /// Share of all packets that is lost.
        share: f64,
        /// Mean length of a run, in packets.
        mean_packets: f64,
        /// Whether a run is going on.
        losing: bool,
    },
}

impl Loss {
    /// Loses `share` of the packets in runs of `mean_packets` on average.
    pub fn bursts(share: f64, mean_packets: f64) -> Self {
        Self::Bursts { share, mean_packets, losing: false }
    }

    /// Whether the next packet is lost.
    pub(super) fn takes(&mut self, random: &mut Random) -> bool {
        match self {
            Self::None => false,
            Self::Random(share) => random.chance(*share),
            Self::Bursts { share, mean_packets, losing } => {
                let ends = 1.0 / *mean_packets;
                let begins = ends * *share / (1.0 - *share);
                *losing = if *losing { !random.chance(ends) } else { random.chance(begins) };
                *losing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(mut loss: Loss) -> Vec<bool> {
        let mut random = Random::new(1);
        (0..100_000).map(|_| loss.takes(&mut random)).collect()
    }

    fn share(lost: &[bool]) -> f64 {
        lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64
    }

    #[test]
    fn bursts_lose_their_share_in_runs_of_their_length() {
        let lost = lost(Loss::bursts(0.1, 5.0));
        let runs = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        let mean = share(&lost) * lost.len() as f64 / runs as f64;
        assert!((share(&lost) - 0.1).abs() < 0.01, "{}", share(&lost));
        assert!((mean - 5.0).abs() < 0.3, "{mean}");
    }

    #[test]
    fn random_loss_has_its_share_and_no_memory() {
        let lost = lost(Loss::Random(0.05));
        let pairs = lost.windows(2).filter(|pair| pair[0] && pair[1]).count() as f64 / lost.len() as f64;
        assert!((share(&lost) - 0.05).abs() < 0.003);
        assert!((pairs - 0.0025).abs() < 0.001);
    }
}
