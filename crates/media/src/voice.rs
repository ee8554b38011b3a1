//! How loud a leg's far end is at present, for whoever looks at it.

use std::sync::atomic::{AtomicU64, Ordering};

use mixminus_audio::Dbov;

/// Decibels a tick by which the needle falls, 75 in a second. Less, and a word still shows when the next one
/// is over; more, and who looks ten times in a second misses syllables.
const FALL_DB: f32 = 1.5;

/// What a far end sounds like at present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Voice {
    /// The loudest frame of late, falling by 75 dB in a second.
    pub level: Dbov,
    /// Whether it talks.
    pub talking: bool,
}

/// A leg's [`Voice`]: written by its worker, read by anyone.
#[derive(Debug)]
pub(crate) struct VoiceWatch(AtomicU64);

impl Default for VoiceWatch {
    fn default() -> Self {
        Self(AtomicU64::new(packed(Voice { level: Dbov::SILENCE, talking: false })))
    }
}

impl VoiceWatch {
    /// Takes in a tick.
    pub(crate) fn hear(&self, level: Dbov, talking: bool) {
        let fallen = self.read().level.0 - FALL_DB;
        let level = Dbov(level.0.max(fallen).max(Dbov::SILENCE.0));
        self.0.store(packed(Voice { level, talking }), Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Voice {
        let word = self.0.load(Ordering::Relaxed);
        Voice { level: Dbov(f32::from_bits((word >> 1) as u32)), talking: word & 1 == 1 }
    }
}

fn packed(voice: Voice) -> u64 {
    u64::from(voice.level.0.to_bits()) << 1 | u64::from(voice.talking)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needle_jumps_up_and_falls_little_by_little_to_silence() {
        let watch = VoiceWatch::default();
        let levels = [(-20.0, true), (-90.0, true), (-21.0, false)].map(|(level, talking)| {
            watch.hear(Dbov(level), talking);
            watch.read()
        });
        let voice = |level, talking| Voice { level: Dbov(level), talking };
        assert_eq!(levels, [voice(-20.0, true), voice(-21.5, true), voice(-21.0, false)]);
        (0..100).for_each(|_| watch.hear(Dbov::SILENCE, false));
        assert_eq!(watch.read(), voice(Dbov::SILENCE.0, false));
    }
}
