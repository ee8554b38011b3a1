//! Keeps the delay at what is needed.

use std::time::Duration;

use super::{JitterBuffer, MAX_TARGET};
use crate::Statistics;
use crate::packets::Head;

/// A smaller change of the delay is not worth a seam.
const LEAST_CHANGE: Duration = Duration::from_millis(1);

impl JitterBuffer {
    /// When more waits than may, because of a burst after a stall, drops the oldest down to the most delay that
    /// is kept. What of that is not needed is given back by and by.
    pub(super) fn shed(&mut self, statistics: &mut Statistics) {
        let first = self.packets.head().map(|head| head.entry.position);
        let Some(next) = self.next.or(first) else { return };
        let skipped = first.map_or(0, |first| (first - next).clamp(0, self.waited));
        let playing = self.playing(next) + skipped;
        if self.room(playing) >= 0 {
            return;
        }
        let to = self.timeline.end() - self.samples(MAX_TARGET);
        while let Some(Head { entry, .. }) = self.packets.head()
            && entry.position + entry.length <= to
        {
            self.packets.pop(entry.sequence);
        }
        self.queue.clear();
        self.decoder.interrupt();
        statistics.shed_frames += (to - playing) as u64 / self.format.sample_rate().frame_samples() as u64;
        self.next = Some(to);
        (self.waited, self.unexplained_frames) = (0, 0);
        self.lateness.settle(self.newest, self.samples(MAX_TARGET));
    }

    /// Gives delay back that no packet has needed, or adds what one has needed. Returns whether it wrote a
    /// frame for that.
    pub(super) fn stretched(&mut self, frame: &mut [i16], statistics: &mut Statistics) -> bool {
        let (Some(next), Some(most)) = (self.next, self.lateness.most()) else { return false };
        let spare = self.clock - self.playing(next) - most;
        if self.waited > 0 || spare.abs() < self.samples(LEAST_CHANGE) {
            return false;
        }
        if spare > 0 {
            self.look_ahead(self.stretch.ahead_samples());
            let saved = self.stretch.shorten(&mut self.queue, spare as usize, frame);
            statistics.shortened += self.duration(saved.unwrap_or(0) as i64);
            return saved.is_some();
        }
        self.look_ahead(frame.len());
        let waiting = self.timeline.end() - self.playing(self.next.unwrap_or(next));
        if self.queue.len() < frame.len() || waiting >= self.samples(MAX_TARGET) {
            return false;
        }
        let added = self.stretch.lengthen(&mut self.queue, -spare as usize, frame);
        statistics.lengthened += self.duration(added.unwrap_or(0) as i64);
        added.is_some()
    }
}
