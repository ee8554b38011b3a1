//! The number that a packet has in its stream, of which it tells the lower 16 bits, and whether it came before.

/// Numbers below the highest that came that are remembered.
const REMEMBERED: u64 = 128;

/// What came of one source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Number of the newest packet.
    newest: u64,
    /// Bit `n` says that `newest - n` came.
    came: u128,
}

impl Window {
    /// The window when `index` is the first that came.
    pub(super) fn from(index: u64) -> Self {
        Self { newest: index, came: 1 }
    }

    /// The number nearest to the newest one that ends in `sequence` (RFC 3711, section 3.3.1).
    pub(super) fn index_of(&self, sequence: u16) -> u64 {
        let rollovers = self.newest >> 16;
        let ahead = sequence.wrapping_sub(self.newest as u16);
        let guess = if ahead < 1 << 15 {
            rollovers + u64::from(sequence < self.newest as u16)
        } else {
            rollovers.saturating_sub(u64::from(sequence > self.newest as u16))
        };
        guess << 16 | u64::from(sequence)
    }

    /// Whether `index` may be new.
    pub(super) fn admits(&self, index: u64) -> bool {
        match self.newest.checked_sub(index) {
            None => true,
            Some(behind) => behind < REMEMBERED && self.came >> behind & 1 == 0,
        }
    }

    /// Notes that `index` came.
    pub(super) fn note(&mut self, index: u64) {
        if let Some(ahead) = index.checked_sub(self.newest).filter(|ahead| *ahead > 0) {
            let kept = u32::try_from(ahead).ok().and_then(|ahead| self.came.checked_shl(ahead));
            (self.newest, self.came) = (index, kept.unwrap_or(0) | 1);
        } else {
            self.came |= 1_u128.checked_shl((self.newest - index) as u32).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rollovers: u64, sequence: u64) -> u64 {
        (rollovers << 16) + sequence
    }

    #[test]
    fn a_sequence_number_means_the_nearest_packet() {
        let window = Window::from(at(5, 100));
        assert_eq!(window.index_of(100), at(5, 100));
        assert_eq!(window.index_of(32_867), at(5, 32_867));
        assert_eq!(window.index_of(32_868), at(4, 32_868));
        assert_eq!(window.index_of(65_535), at(4, 65_535));
        let window = Window::from(at(5, 65_500));
        assert_eq!(window.index_of(3), at(6, 3));
        assert_eq!(window.index_of(65_499), at(5, 65_499));
        assert_eq!(Window::from(2).index_of(65_535), 65_535, "nothing came before the first rollover");
    }

    #[test]
    fn what_came_or_is_too_old_is_not_admitted() {
        let mut window = Window::from(1_000);
        assert!(!window.admits(1_000) && window.admits(1_001) && window.admits(873) && !window.admits(872));
        window.note(1_003);
        assert!(!window.admits(1_000) && window.admits(1_001) && window.admits(1_002));
        window.note(1_001);
        assert!(!window.admits(1_001) && window.admits(1_002));
        window.note(1_130);
        assert!(!window.admits(1_002) && !window.admits(1_003) && window.admits(1_004));
        window.note(90_000);
        assert!(window.admits(89_999) && !window.admits(90_000));
    }
}
