//! What many sources add up to.

use mixminus_audio::SampleRate;

use crate::heard::Heard;
use crate::leg::Seated;
use crate::plan::{BaseSet, SourceId};
use crate::prompt::Prompt;

/// What a source adds to a tick of a sum.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part<'a> {
    /// Where it was when the last tick ended.
    pub before: i32,
    pub frame: Option<&'a [i16]>,
}

impl<'a> Part<'a> {
    /// What a source adds that is heard for the first time, and is taken to have been where it begins.
    pub fn newly(frame: Option<&'a [i16]>) -> Self {
        Self { before: frame.map_or(0, |frame| frame[0].into()), frame }
    }

    fn end(self) -> i32 {
        self.frame.and_then(<[i16]>::last).map_or(0, |&last| last.into())
    }
}

/// A sum of one tick.
#[derive(Debug)]
pub(crate) struct Sum {
    wide: Box<[i32]>,
    /// How many sources add to it.
    voices: usize,
    /// Where the sources were at the end of the last tick, added up.
    before: i32,
}

impl Sum {
    pub fn new(rate: SampleRate) -> Self {
        Self { wide: vec![0; rate.frame_samples()].into(), voices: 0, before: 0 }
    }

    /// Adds up the sources in `set` that are there, each as it is `heard`.
    pub fn make<L>(
        &mut self,
        set: &BaseSet,
        seats: &[Option<Box<Seated<L>>>],
        prompts: &[Option<Box<Prompt>>],
        mut heard: impl FnMut(SourceId) -> Heard,
    ) {
        (self.voices, self.before) = (0, 0);
        for seat in set.legs.iter().filter_map(|&place| seats[place].as_deref()) {
            self.include(seat.part(heard(SourceId::Leg(seat.id()))));
        }
        for prompt in set.prompts.iter().filter_map(|&place| prompts[place].as_deref()) {
            self.include(prompt.part(heard(SourceId::Prompt(prompt.id()))));
        }
    }

    #[inline]
    fn include(&mut self, part: Part) {
        self.before += part.before;
        let Some(frame) = part.frame else { return };
        if self.voices == 0 {
            begin(&mut self.wide, frame);
        } else {
            add(&mut self.wide, frame);
        }
        self.voices += 1;
    }

    /// Where it ends without `own`, which is in it.
    pub fn end(&self, own: Part) -> i32 {
        self.all().and_then(<[i32]>::last).map_or(0, |end| end - own.end())
    }

    /// How far who was at `before` when the last tick ended is from where the sources were then, but for `own`: nothing,
    /// while no source comes or goes.
    pub fn offset(&self, before: i32, own: Part) -> i64 {
        i64::from(before) - (i64::from(self.before) - i64::from(own.before))
    }

    /// The sum as it is; none if that is silence.
    pub fn all(&self) -> Option<&[i32]> {
        (self.voices > 0).then_some(&self.wide)
    }

    /// The sum without `own`, which is in it, after a step of `offset`; in `wide`, or none if that is silence.
    pub fn without<'a>(&self, own: Part, offset: i64, wide: &'a mut [i32]) -> Option<&'a mut [i32]> {
        if self.voices == usize::from(own.frame.is_some()) {
            if offset == 0 {
                return None;
            }
            wide.fill(0);
        } else {
            match own.frame {
                Some(own) => subtract(&self.wide, own, wide),
                None => wide.copy_from_slice(&self.wide),
            }
        }
        if offset != 0 {
            decay(wide, offset);
        }
        Some(wide)
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
