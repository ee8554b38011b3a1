//! Whether packets are lost one by one or many together (RFC 3611, section 4.7.2 and appendix A.2).

/// Packets that must come between two losses for these not to belong together.
pub(crate) const GAP_PACKETS: u8 = 16;

/// Transitions of a four-state model: received (1) and lost (4) in a gap, received (2) and lost (3) in a burst.
#[derive(Clone, Debug)]
pub(crate) struct Bursts {
    /// Packets since the last loss, and losses since the last gap.
    since_loss: u64,
    losses: u64,
    c11: u64,
    c13: u64,
    c14: u64,
    c22: u64,
    c23: u64,
    c33: u64,
}

/// How losses are distributed. Densities in 256ths, lengths in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Distribution {
    pub(crate) burst_density: u8,
    pub(crate) gap_density: u8,
    pub(crate) burst_packets: u64,
    pub(crate) gap_packets: u64,
}

impl Bursts {
    /// Nothing has been lost: as after one loss, so that the first makes no burst.
    pub(crate) const fn new() -> Self {
        Self { since_loss: 0, losses: 1, c11: 0, c13: 0, c14: 0, c22: 0, c23: 0, c33: 0 }
    }

    /// A packet is played.
    pub(crate) fn play(&mut self) {
        self.since_loss += 1;
    }

    /// A packet is missing when it is due.
    pub(crate) fn lose(&mut self) {
        let since_loss = std::mem::take(&mut self.since_loss);
        if since_loss >= GAP_PACKETS.into() {
            let alone = self.losses == 1;
            *if alone { &mut self.c14 } else { &mut self.c13 } += 1;
            self.losses = 1;
            self.c11 += since_loss;
            return;
        }
        self.losses += 1;
        if since_loss == 0 {
            self.c33 += 1;
        } else {
            self.c23 += 1;
            self.c22 += since_loss - 1;
        }
    }

    /// What all losses were like.
    pub(crate) fn distribution(&self) -> Distribution {
        let &Self { c11, c13, c14, c22, c23, c33, .. } = self;
        let share = |part: u64, all: u64| if all == 0 { 0.0 } else { part as f64 / all as f64 };
        // As often as a burst begins it ends, and as often as it is interrupted it goes on.
        let (c31, c32) = (c13, c23);
        let p32 = share(c32, c31 + c32 + c33);
        let p23 = 1.0 - share(c22, c22 + c23);
        let all = c11 + c14 + c13 + c22 + c23 + c31 + c32 + c33;
        let gap_packets = (c11 + c14 + c13).checked_div(c13).unwrap_or(c11 + self.since_loss);
        Distribution {
            burst_density: if c31 + c32 + c33 == 0 { 0 } else { (256.0 * p23 / (p23 + p32)) as u8 },
            gap_density: (256.0 * share(c14, c11 + c14)) as u8,
            burst_packets: all.checked_div(c13).unwrap_or(0).saturating_sub(gap_packets),
            gap_packets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What losses were like among packets of which `lost` says whether they were lost.
    fn distribution(lost: impl Iterator<Item = bool>) -> Distribution {
        let mut bursts = Bursts::new();
        lost.for_each(|lost| if lost { bursts.lose() } else { bursts.play() });
        bursts.distribution()
    }

    #[test]
    fn a_stream_without_loss_is_one_gap() {
        let expected = Distribution { gap_packets: 100, ..Distribution::default() };
        assert_eq!(distribution([false; 100].into_iter()), expected);
    }

    #[test]
    fn losses_far_apart_make_no_burst() {
        let Distribution { burst_density, gap_density, .. } = distribution((0..5_000).map(|n| n % 50 == 49));
        assert_eq!((burst_density, gap_density), (0, 5));
    }

    #[test]
    fn ten_losses_at_a_time_are_bursts_of_ten() {
        let Distribution { burst_density, burst_packets, gap_packets, .. } =
            distribution((0..10_000).map(|n| n % 100 < 10));
        assert_eq!(burst_density, 255);
        assert!((9..=11).contains(&burst_packets) && (89..=91).contains(&gap_packets), "{gap_packets}");
    }

    #[test]
    fn every_other_packet_lost_is_a_burst_of_half_density() {
        let density = distribution((0..10_000).map(|n| n % 100 < 40 && n % 2 == 0)).burst_density;
        assert!((125..=135).contains(&density), "{density}");
    }
}
