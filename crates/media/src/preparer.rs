//! The thread that computes sounds at other rates than their own, which may
//! take a second and so is nothing for those who wait for something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::registry::SharedRegistry;

/// Woken when there is something to prepare.
#[derive(Debug)]
pub(crate) struct Preparer {
    pub(crate) registry: Arc<SharedRegistry>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Preparer {
    /// Runs until told to stop.
    pub(crate) fn run(self) {
        while !self.stop.load(Ordering::Relaxed) {
            let next = self.registry.lock().next_clip();
            let Some((clip, rate)) = next else {
                thread::park();
                continue;
            };
            clip.prepare(rate);
            self.registry.lock().clip_prepared();
        }
    }
}
