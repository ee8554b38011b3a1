//! The sum of tracks.

use mixminus_audio::{Limiter, SampleRate};

use crate::Side;

/// Adds up the tracks of each tick, for one channel or two, and limits each sum.
pub(crate) struct Mixdown {
    channels: Vec<Channel>,
    limited: Vec<i16>,
    interleaved: Vec<i16>,
}

struct Channel {
    sum: Vec<i32>,
    limiter: Limiter,
}

impl Mixdown {
    /// A mixdown to one channel, or two.
    pub(crate) fn new(rate: SampleRate, channels: u16) -> Self {
        let frame_samples = rate.frame_samples();
        let channel = || Channel { sum: vec![0; frame_samples], limiter: Limiter::new(rate) };
        Self {
            channels: (0..channels).map(|_| channel()).collect(),
            limited: vec![0; frame_samples],
            interleaved: vec![0; frame_samples * usize::from(channels)],
        }
    }

    /// Adds the frame of a track on this side.
    pub(crate) fn add(&mut self, side: Side, frame: &[i16]) {
        let right = usize::from(side == Side::Right && self.channels.len() > 1);
        for (sum, &sample) in self.channels[right].sum.iter_mut().zip(frame) {
            *sum += i32::from(sample);
        }
    }

    /// Ends the tick: its samples, interleaved.
    pub(crate) fn finish(&mut self) -> &[i16] {
        let count = self.channels.len();
        for (n, channel) in self.channels.iter_mut().enumerate() {
            channel.limiter.limit(&channel.sum, &mut self.limited);
            channel.sum.fill(0);
            for (out, &sample) in self.interleaved[n..].iter_mut().step_by(count).zip(&self.limited) {
                *out = sample;
            }
        }
        &self.interleaved
    }
}
