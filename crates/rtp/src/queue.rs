//! Samples that have been decoded and not yet played.

use mixminus_audio::{Declick, SampleRate};
use mixminus_codec::MAX_PACKET_MS;

/// What is kept of the audio that was played: the longest pitch period.
pub(crate) const PAST_MS: usize = 15;

/// What can be ahead: one packet of the longest, two frames, and room so that all is rarely moved.
const ROOM_MS: usize = PAST_MS + MAX_PACKET_MS + 40 + 80;

/// A stretch of audio around the present. Allocates only when it is made.
#[derive(Debug)]
pub(crate) struct Queue {
    samples: Box<[i16]>,
    past: usize,
    /// The next sample to be played, and the end of all.
    start: usize,
    end: usize,
}

impl Queue {
    /// A queue at `rate` whose past is silence.
    pub(crate) fn new(rate: SampleRate) -> Self {
        let past = PAST_MS * rate.samples_per_ms();
        let samples = vec![0; ROOM_MS * rate.samples_per_ms()].into();
        Self { samples, past, start: past, end: past }
    }

    /// Samples ahead.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Room for `length` samples behind all others; they count once [`extend`](Self::extend) says so.
    pub(crate) fn space(&mut self, length: usize) -> &mut [i16] {
        if self.end + length > self.samples.len() {
            self.samples.copy_within(self.start - self.past..self.end, 0);
            self.end -= self.start - self.past;
            self.start = self.past;
        }
        &mut self.samples[self.end..][..length]
    }

    /// Takes in the first `length` samples of the space behind all others.
    pub(crate) fn extend(&mut self, length: usize) {
        self.end += length;
    }

    /// Makes the last `length` samples begin where those before them end.
    pub(crate) fn smooth_tail(&mut self, length: usize) {
        let (before, tail) = self.samples[..self.end].split_at_mut(self.end - length);
        let mut declick = Declick::new();
        declick.frame_sent(before);
        declick.smooth(tail);
    }

    /// Takes out the first `skipped` of the last `length` samples.
    pub(crate) fn cut_tail(&mut self, length: usize, skipped: usize) {
        let tail = self.end - length;
        self.samples.copy_within(tail + skipped..self.end, tail);
        self.end -= skipped;
    }

    /// Drops what is ahead.
    pub(crate) fn clear(&mut self) {
        self.end = self.start;
    }

    /// The samples around the present: `ago` of those played, and all ahead.
    pub(crate) fn around(&self, ago: usize) -> &[i16] {
        &self.samples[self.start - ago..self.end]
    }

    /// Goes on by `length` samples that are played in another way.
    pub(crate) fn advance(&mut self, length: usize) {
        self.start += length;
    }

    /// Plays the next samples.
    pub(crate) fn take(&mut self, frame: &mut [i16]) {
        frame.copy_from_slice(&self.samples[self.start..][..frame.len()]);
        self.start += frame.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_played_stays_for_a_period_however_long_it_goes_on() {
        let mut queue = Queue::new(SampleRate::Hz8000);
        let mut frame = [0; 160];
        for n in 0..100_i16 {
            queue.space(480)[..160].fill(n);
            queue.extend(160);
            queue.take(&mut frame);
            assert_eq!(frame, [n; 160]);
            assert_eq!(queue.around(120), [n; 120]);
        }
    }

    #[test]
    fn a_tail_is_cut_at_its_front() {
        let mut queue = Queue::new(SampleRate::Hz8000);
        queue.space(4).copy_from_slice(&[1, 2, 3, 4]);
        queue.extend(4);
        queue.cut_tail(3, 2);
        assert_eq!(queue.around(0), [1, 4]);
    }
}
