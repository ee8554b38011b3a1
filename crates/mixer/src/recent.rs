//! What was heard last, for an encoder to begin with.

use mixminus_audio::SampleRate;
use mixminus_codec::Encoder;

/// How many frames an encoder is primed with. Fewer, and it has not settled when it is first heard; more, and a tick
/// in which somebody begins to speak costs more: so many times the encoding of a frame.
const RECENT_FRAMES: usize = 4;

/// The last frames of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    frames: Box<[i16]>,
    frame_samples: usize,
    /// How many frames have been pushed.
    pushed: usize,
}

impl Recent {
    pub fn new(rate: SampleRate) -> Self {
        let frame_samples = rate.frame_samples();
        Self { frames: vec![0; RECENT_FRAMES * frame_samples].into(), frame_samples, pushed: 0 }
    }

    /// Takes in the next frame and forgets the oldest.
    pub fn push(&mut self, frame: &[i16]) {
        self.frame_mut(self.pushed).copy_from_slice(frame);
        self.pushed += 1;
    }

    /// Brings `encoder` to where one is that has encoded the stream.
    pub fn prime(&self, encoder: &mut Encoder) {
        let count = self.pushed.min(RECENT_FRAMES);
        let mut frames = [&[][..]; RECENT_FRAMES];
        for (slot, number) in frames.iter_mut().zip(self.pushed - count..self.pushed) {
            *slot = self.frame(number);
        }
        encoder.prime(&frames[..count]);
    }

    fn frame(&self, number: usize) -> &[i16] {
        &self.frames[number % RECENT_FRAMES * self.frame_samples..][..self.frame_samples]
    }

    fn frame_mut(&mut self, number: usize) -> &mut [i16] {
        &mut self.frames[number % RECENT_FRAMES * self.frame_samples..][..self.frame_samples]
    }

    /// Becomes a copy of `other`, which is at the same rate.
    pub fn copy(&mut self, other: &Self) {
        self.frames.copy_from_slice(&other.frames);
        self.pushed = other.pushed;
    }
}
