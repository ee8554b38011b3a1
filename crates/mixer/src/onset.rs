//! Where a source was just before a tick, so that it can begin and end in the midst of its sound.

/// The value of a source at the end of each tick.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Onset {
    before: i32,
    end: i32,
    /// Whether it has been in its bridge for a tick.
    settled: bool,
}

impl Onset {
    /// Takes in the `first` and the `last` sample of what the source adds to the next tick; zeros for silence.
    #[inline]
    pub fn note(&mut self, first: i16, last: i16) {
        // One that comes in the midst of a sound is taken to have been where it begins.
        self.before = if self.settled { self.end } else { first.into() };
        (self.end, self.settled) = (last.into(), true);
    }

    /// Where the source was before this tick: what has to be made up for, slowly, by whoever hears it now and did not
    /// then.
    #[inline]
    pub const fn before(&self) -> i32 {
        self.before
    }
}
