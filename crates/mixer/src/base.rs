//! The sums of a tick.

use std::mem;

use mixminus_audio::SampleRate;
use mixminus_codec::Encoding;

use crate::shared::SharedMix;
use crate::sum::{Part, Sum};

/// The sum of one base, and the one mix for all sinks that hear exactly that.
#[derive(Debug)]
pub(crate) struct Base {
    pub sum: Sum,
    /// Where the sum ended in the last tick, and where it ends in this one.
    before: i32,
    end: i32,
    /// While an arrangement takes over from another, to which base, by its place, most sinks of this one go or from
    /// which they come, and how many.
    kin: Option<(usize, usize)>,
    /// The base of the last tick on which this one goes on, by its place in the plan of that.
    pub origin: Option<usize>,
    pub shared: SharedMix,
}

impl Base {
    pub fn new(rate: SampleRate, encodings: &[Encoding]) -> Self {
        Self {
            sum: Sum::new(rate),
            before: 0,
            end: 0,
            kin: None,
            origin: None,
            shared: SharedMix::new(rate, encodings),
        }
    }

    pub const fn rate(&self) -> SampleRate {
        self.shared.rate()
    }

    /// Begins `tick`, whose sum is made.
    pub fn begin(&mut self, tick: u64) {
        self.shared.begin(tick);
        self.before = mem::replace(&mut self.end, self.sum.end(Part::default()));
    }

    /// Where the sum ended in the last tick.
    pub const fn before(&self) -> i32 {
        self.before
    }

    /// Where the sum ends in this tick.
    pub const fn end(&self) -> i32 {
        self.end
    }

    /// The step in this tick for those who share.
    pub fn offset(&self) -> i64 {
        self.sum.offset(self.before, Part::default())
    }

    /// Makes what is shared of this tick, with `wide` as working memory.
    pub fn mix(&mut self, wide: &mut [i32]) {
        if self.shared.is_needed() {
            let offset = self.offset();
            let wide = if offset == 0 {
                self.sum.all()
            } else {
                self.sum.without(Part::default(), offset, wide).map(|wide| &*wide)
            };
            self.shared.mix(wide);
        }
    }

    /// Forgets what was said before about where its sinks go.
    pub const fn forget_kin(&mut self) {
        self.kin = None;
    }

    /// Notes that so many `sinks` go to the base at place `kin`, or come from there, unless more do elsewhere.
    pub fn offer_kin(&mut self, kin: usize, sinks: usize) {
        if self.kin.is_none_or(|(_, most)| sinks > most) {
            self.kin = Some((kin, sinks));
        }
    }

    /// Where most of its sinks go, or come from.
    pub fn kin(&self) -> Option<usize> {
        self.kin.map(|(base, _)| base)
    }

    /// Goes on where `old` ends.
    pub fn succeed(&mut self, old: &mut Self) {
        (self.end, self.origin) = (old.end, old.origin);
        self.shared.succeed(&mut old.shared);
    }

    /// Goes on where `old` is, which goes on elsewhere too.
    pub fn branch_off(&mut self, old: &Self) {
        (self.end, self.origin) = (old.end, old.origin);
        self.shared.branch_off(&old.shared);
    }
}
