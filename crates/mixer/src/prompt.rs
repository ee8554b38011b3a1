//! Recorded, spoken or generated audio as a source.

use std::sync::Arc;

use mixminus_audio::{MAX_FRAME_SAMPLES, Pcm, SampleRate};

use crate::plan::PromptId;

/// How often a prompt is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plays {
    /// So many times.
    Times(u32),
    /// Until it is taken away.
    Forever,
}

/// A clip and how far it has been played. It starts in the first tick after it was placed.
#[derive(Debug)]
pub struct Prompt {
    id: PromptId,
    pcm: Arc<Pcm>,
    progress: Progress,
    frame: [i16; MAX_FRAME_SAMPLES],
    /// How many samples of `frame` are this tick's audio.
    filled: usize,
}

#[derive(Debug)]
enum Progress {
    Playing { position: usize, left: Plays },
    Ended,
}

impl Prompt {
    /// A prompt that has not started. If there is nothing to play, it ends in its first tick.
    pub fn new(id: PromptId, pcm: Arc<Pcm>, plays: Plays) -> Self {
        let left = if pcm.samples.is_empty() { Plays::Times(0) } else { plays };
        let progress = Progress::Playing { position: 0, left };
        Self { id, pcm, progress, frame: [0; MAX_FRAME_SAMPLES], filled: 0 }
    }

    /// Which prompt it is.
    pub const fn id(&self) -> PromptId {
        self.id
    }

    /// The rate of its clip, which must be that of the bridge.
    pub fn rate(&self) -> SampleRate {
        self.pcm.rate
    }

    /// Plays one tick. Returns whether that was the last one.
    pub(crate) fn contribute(&mut self) -> bool {
        self.filled = 0;
        let Progress::Playing { position, left } = &mut self.progress else {
            return false;
        };
        let clip = &self.pcm.samples;
        let frame = &mut self.frame[..self.pcm.rate.frame_samples()];
        while self.filled < frame.len() && *left != Plays::Times(0) {
            let samples = (frame.len() - self.filled).min(clip.len() - *position);
            frame[self.filled..][..samples].copy_from_slice(&clip[*position..][..samples]);
            self.filled += samples;
            *position += samples;
            if *position == clip.len() {
                *position = 0;
                *left = left.one_less();
            }
        }
        let ended = *left == Plays::Times(0);
        if ended {
            self.progress = Progress::Ended;
        }
        ended
    }

    /// What the prompt adds to this tick, if anything; the last tick may be shorter than the others.
    pub(crate) fn contribution(&self) -> Option<&[i16]> {
        (self.filled > 0).then(|| &self.frame[..self.filled])
    }
}

impl Plays {
    const fn one_less(self) -> Self {
        match self {
            Self::Times(times) => Self::Times(times.saturating_sub(1)),
            Self::Forever => Self::Forever,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(samples: Vec<i16>, plays: Plays) -> Prompt {
        Prompt::new(PromptId(1), Arc::new(Pcm { rate: SampleRate::Hz8000, samples }), plays)
    }

    #[test]
    fn a_short_clip_goes_round_without_a_gap() {
        let mut prompt = prompt((0..100).collect(), Plays::Forever);
        for tick in 0..10 {
            assert!(!prompt.contribute());
            let expected: Vec<_> = (0..160).map(|n| (tick * 160 + n) % 100).collect();
            assert_eq!(prompt.contribution(), Some(&expected[..]));
        }
    }

    #[test]
    fn the_last_tick_has_what_is_left() {
        let mut prompt = prompt(vec![7; 100], Plays::Times(2));
        assert!(!prompt.contribute());
        assert!(prompt.contribute());
        assert_eq!(prompt.contribution(), Some(&[7; 40][..]));
        assert!(!prompt.contribute());
        assert_eq!(prompt.contribution(), None);
    }

    #[test]
    fn nothing_to_play_ends_in_the_first_tick() {
        for mut prompt in [prompt(vec![], Plays::Forever), prompt(vec![7], Plays::Times(0))] {
            assert!(prompt.contribute());
            assert_eq!(prompt.contribution(), None);
            assert!(!prompt.contribute());
        }
    }
}
