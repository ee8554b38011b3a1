//! Sounds that are to be had at other rates than their own.

use std::sync::Arc;
use std::thread::Thread;

use mixminus_audio::{Clip, SampleRate};

use super::Registry;

/// What the preparer has to do. No longer than prompts have parts, three times.
#[derive(Debug, Default)]
pub(super) struct Clips {
    wanted: Vec<(Arc<Clip>, SampleRate)>,
    preparer: Option<Thread>,
}

impl Clips {
    /// Has `clip` prepared for `rate`. Returns whether it is already.
    pub(super) fn prepare(&mut self, clip: &Arc<Clip>, rate: SampleRate) -> bool {
        if clip.at(rate).is_some() {
            return true;
        }
        if !self.wanted.iter().any(|(other, at)| Arc::ptr_eq(other, clip) && *at == rate) {
            self.wanted.push((Arc::clone(clip), rate));
        }
        self.preparer.iter().for_each(Thread::unpark);
        false
    }
}

impl Clips {
    /// Has all of `clips` prepared for `rate`. Returns whether they are already.
    pub(super) fn prepare_all(&mut self, clips: &[Arc<Clip>], rate: SampleRate) -> bool {
        clips.iter().map(|clip| usize::from(!self.prepare(clip, rate))).sum::<usize>() == 0
    }
}

impl Registry {
    /// Has `preparer` woken when there is something to prepare.
    pub(crate) fn set_preparer(&mut self, preparer: Thread) {
        self.clips.preparer = Some(preparer);
    }

    /// What is to be prepared next.
    pub(crate) fn next_clip(&self) -> Option<(Arc<Clip>, SampleRate)> {
        self.clips.wanted.first().cloned()
    }

    /// Goes on with what has waited for a clip, now that it is prepared.
    pub(crate) fn clip_prepared(&mut self) {
        self.clips.wanted.retain(|(clip, rate)| clip.at(*rate).is_none());
        self.retune_all();
        self.settle_all_prompts();
    }
}
