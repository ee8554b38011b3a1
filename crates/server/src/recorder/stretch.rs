//! Ticks of a tap on their way to a file.

use mixminus_audio::SampleRate;
use mixminus_mixer::{TapChannel, TapTick};

/// Some ticks that follow each other, as they were read from a tap.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    ticks: Vec<Tick>,
    channels: Vec<TapChannel>,
    samples: Vec<i16>,
}

#[derive(Clone, Copy, Debug)]
struct Tick {
    number: u64,
    rate: SampleRate,
    paused: bool,
    frames: usize,
}

/// One tick of a stretch.
#[derive(Clone, Copy, Debug)]
pub(super) struct StretchTick<'a> {
    /// Its number on the time line that all bridges share.
    pub number: u64,
    /// The rate of its frames.
    pub rate: SampleRate,
    /// Whether nothing was to be kept of it.
    pub paused: bool,
    channels: &'a [TapChannel],
    samples: &'a [i16],
}

impl Stretch {
    pub fn push(&mut self, tick: &TapTick<'_>) {
        let before = self.channels.len();
        for (channel, frame) in tick.frames() {
            self.channels.push(channel);
            self.samples.extend_from_slice(frame);
        }
        let frames = self.channels.len() - before;
        self.ticks.push(Tick { number: tick.tick, rate: tick.rate, paused: tick.paused, frames });
    }

    /// How many ticks there are.
    pub fn len(&self) -> usize {
        self.ticks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ticks.is_empty()
    }

    pub fn ticks(&self) -> impl Iterator<Item = StretchTick<'_>> {
        let (mut channels, mut samples) = (self.channels.as_slice(), self.samples.as_slice());
        self.ticks.iter().map(move |tick| {
            let (own_channels, other_channels) = channels.split_at(tick.frames);
            let (own_samples, other_samples) = samples.split_at(tick.frames * tick.rate.frame_samples());
            (channels, samples) = (other_channels, other_samples);
            let Tick { number, rate, paused, .. } = *tick;
            StretchTick { number, rate, paused, channels: own_channels, samples: own_samples }
        })
    }
}

impl<'a> StretchTick<'a> {
    /// The frame of each channel that is not silent.
    pub fn frames(&self) -> impl Iterator<Item = (TapChannel, &'a [i16])> + Clone + use<'a> {
        self.channels.iter().copied().zip(self.samples.chunks_exact(self.rate.frame_samples()))
    }
}
