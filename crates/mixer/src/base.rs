//! The sums of a tick.

use std::mem;

use mixminus_audio::SampleRate;
use mixminus_codec::Encoding;

use crate::leg::Seated;
use crate::plan::BaseSet;
use crate::prompt::Prompt;
use crate::shared::SharedMix;

/// The sum of one base, and the one mix for all sinks that hear exactly that.
#[derive(Debug)]
pub(crate) struct Base {
    wide: Box<[i32]>,
    /// How many sources add to this tick.
    voices: usize,
    /// Where the sum ended in the last tick, and where it ends in this one.
    before: i32,
    end: i32,
    /// Where the sources of this tick were at the end of the last, added up.
    sources_before: i32,
    /// While an arrangement takes over from another, to which base, by its place, most sinks of this one go or from
    /// which they come, and how many.
    kin: Option<(usize, usize)>,
    pub shared: SharedMix,
}

impl Base {
    pub fn new(rate: SampleRate, encodings: &[Encoding]) -> Self {
        Self {
            wide: vec![0; rate.frame_samples()].into(),
            voices: 0,
            before: 0,
            end: 0,
            sources_before: 0,
            kin: None,
            shared: SharedMix::new(rate, encodings),
        }
    }

    pub const fn rate(&self) -> SampleRate {
        self.shared.rate()
    }

    /// Begins a tick with the sum of what the sources in `set` contribute to it.
    pub fn sum<L>(
        &mut self,
        set: &BaseSet,
        seats: &[Option<Box<Seated<L>>>],
        prompts: &[Option<Box<Prompt>>],
    ) {
        (self.voices, self.sources_before) = (0, 0);
        for seat in set.legs.iter().filter_map(|&place| seats[place].as_deref()) {
            self.include(seat.before(), seat.contribution());
        }
        for prompt in set.prompts.iter().filter_map(|&place| prompts[place].as_deref()) {
            self.include(prompt.before(), prompt.contribution());
        }
        let end = self.wide.last().filter(|_| self.voices > 0).copied();
        self.before = mem::replace(&mut self.end, end.unwrap_or(0));
    }

    #[inline]
    fn include(&mut self, before: i32, contribution: Option<&[i16]>) {
        self.sources_before += before;
        let Some(frame) = contribution else { return };
        if self.voices == 0 {
            begin(&mut self.wide, frame);
        } else {
            add(&mut self.wide, frame);
        }
        self.voices += 1;
    }

    /// Where the sum ended in the last tick.
    pub const fn before(&self) -> i32 {
        self.before
    }

    /// Where the sum ends in this tick.
    pub const fn end(&self) -> i32 {
        self.end
    }

    /// How far who was at `before` when the last tick ended is from where the sources of this one were then, but for
    /// one that was at `own`: nothing, while no source comes or goes.
    pub fn offset(&self, before: i32, own: i32) -> i64 {
        i64::from(before) - (i64::from(self.sources_before) - i64::from(own))
    }

    /// The sum without `own`, which is in it, after a step of `offset`; in `wide`, or none if that is silence.
    pub fn sum_without<'a>(
        &self,
        own: Option<&[i16]>,
        offset: i64,
        wide: &'a mut [i32],
    ) -> Option<&'a mut [i32]> {
        if self.voices == usize::from(own.is_some()) {
            if offset == 0 {
                return None;
            }
            wide.fill(0);
        } else {
            match own {
                Some(own) => subtract(&self.wide, own, wide),
                None => wide.copy_from_slice(&self.wide),
            }
        }
        if offset != 0 {
            decay(wide, offset);
        }
        Some(wide)
    }

    /// Makes what is shared of this tick, with `wide` as working memory.
    pub fn mix(&mut self, wide: &mut [i32]) {
        if self.shared.is_needed() {
            let offset = self.offset(self.before, 0);
            let wide = if offset == 0 {
                (self.voices > 0).then_some(&*self.wide)
            } else {
                self.sum_without(None, offset, wide).map(|wide| &*wide)
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
        self.end = old.end;
        self.shared.succeed(&mut old.shared);
    }

    /// Goes on where `old` is, which goes on elsewhere too.
    pub fn branch_off(&mut self, old: &Self) {
        self.end = old.end;
        self.shared.branch_off(&old.shared);
    }
}

/// Makes `frame`, which may be shorter, the sum.
fn begin(sum: &mut [i32], frame: &[i16]) {
    let (begun, rest) = sum.split_at_mut(frame.len());
    begun.iter_mut().zip(frame).for_each(|(sum, &sample)| *sum = i32::from(sample));
    rest.fill(0);
}

fn add(sum: &mut [i32], frame: &[i16]) {
    for (sum, &sample) in sum.iter_mut().zip(frame) {
        *sum += i32::from(sample);
    }
}

fn subtract(sum: &[i32], frame: &[i16], rest: &mut [i32]) {
    for ((rest, &sum), &sample) in rest.iter_mut().zip(sum).zip(frame) {
        *rest = sum - i32::from(sample);
    }
}

/// Adds `offset` to the beginning of a sum, and ever less of it within the first quarter (5 ms): what has come or gone
/// makes no step, and what has stayed is not touched.
fn decay(sum: &mut [i32], offset: i64) {
    let length = sum.len().div_ceil(4) as i64;
    for (sum, left) in sum.iter_mut().zip((1..=length).rev()) {
        let smoothed = i64::from(*sum) + offset * left / length;
        *sum = smoothed.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    }
}
