//! Recorded, spoken or generated audio as a source.

use std::sync::Arc;
use std::time::Duration;

use mixminus_audio::{Clip, MAX_FRAME_SAMPLES, SampleRate};

use crate::heard::Heard;
use crate::onset::Onset;
use crate::plan::PromptId;
use crate::sum::Part;

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
    clip: Arc<Clip>,
    progress: Progress,
    frame: [i16; MAX_FRAME_SAMPLES],
    /// How many samples of `frame` are this tick's audio.
    filled: usize,
    onset: Onset,
}

#[derive(Clone, Copy, Debug)]
enum Progress {
    /// `position` is in samples at `rate`.
    Playing {
        position: usize,
        rate: SampleRate,
        left: Plays,
    },
    Ended,
}

impl Prompt {
    /// A prompt that has not started. If there is nothing to play, it ends in its first tick. In a bridge at a rate
    /// that the clip was not prepared for, it is silent and goes on all the same.
    pub fn new(id: PromptId, clip: Arc<Clip>, plays: Plays) -> Self {
        let left = if clip.duration().is_zero() { Plays::Times(0) } else { plays };
        let progress = Progress::Playing { position: 0, rate: SampleRate::Hz8000, left };
        Self { id, clip, progress, frame: [0; MAX_FRAME_SAMPLES], filled: 0, onset: Onset::default() }
    }

    /// What it plays.
    pub const fn clip(&self) -> &Arc<Clip> {
        &self.clip
    }

    /// How often it is still played, the time that is under way included.
    pub const fn plays(&self) -> Plays {
        match self.progress {
            Progress::Playing { left, .. } => left,
            Progress::Ended => Plays::Times(0),
        }
    }

    /// Which prompt it is.
    pub const fn id(&self) -> PromptId {
        self.id
    }

    /// Plays one tick in a bridge that runs at `rate`. Returns whether that was the last one.
    pub(crate) fn contribute(&mut self, rate: SampleRate) -> bool {
        let ended = self.play(rate);
        let [first, last] =
            [0, rate.frame_samples() - 1].map(|n| if n < self.filled { self.frame[n] } else { 0 });
        self.onset.note(first, last);
        ended
    }

    /// Comes to a bridge.
    pub(crate) fn arrive(&mut self) {
        self.onset = Onset::default();
    }

    fn play(&mut self, rate: SampleRate) -> bool {
        self.filled = 0;
        let Progress::Playing { position, rate: before, mut left } = self.progress else {
            return false;
        };
        let clip = self.clip.at(rate);
        let length = samples(self.clip.duration(), rate);
        let mut position = position * rate.hz() as usize / before.hz() as usize % length.max(1);
        let mut played = 0;
        while played < rate.frame_samples() && left != Plays::Times(0) {
            let samples = (rate.frame_samples() - played).min(length - position);
            if let Some(clip) = clip {
                self.frame[played..][..samples].copy_from_slice(&clip[position..][..samples]);
                self.filled = played + samples;
            }
            played += samples;
            position += samples;
            if position == length {
                position = 0;
                left = left.one_less();
            }
        }
        let ended = left == Plays::Times(0);
        self.progress = if ended { Progress::Ended } else { Progress::Playing { position, rate, left } };
        ended
    }

    /// What the prompt adds to this tick, if anything; the last tick may be shorter than the others.
    pub(crate) fn contribution(&self) -> Option<&[i16]> {
        (self.filled > 0).then(|| &self.frame[..self.filled])
    }

    /// What the prompt adds to this tick for who hears it so.
    pub(crate) fn part(&self, heard: Heard) -> Part<'_> {
        match heard {
            Heard::Still => Part { before: self.onset.before(), frame: self.contribution() },
            Heard::Newly => Part::newly(self.contribution()),
        }
    }
}

/// How many samples at `rate` last for `duration`, rounded up.
fn samples(duration: Duration, rate: SampleRate) -> usize {
    (duration.as_nanos() * u128::from(rate.hz())).div_ceil(1_000_000_000) as usize
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
    use mixminus_audio::Pcm;

    use super::*;

    const RATE: SampleRate = SampleRate::Hz8000;

    fn prompt(samples: Vec<i16>, plays: Plays) -> Prompt {
        Prompt::new(PromptId(1), Arc::new(Clip::new(Pcm { rate: RATE, samples })), plays)
    }

    #[test]
    fn a_short_clip_goes_round_without_a_gap() {
        let mut prompt = prompt((0..100).collect(), Plays::Forever);
        for tick in 0..10 {
            assert!(!prompt.contribute(RATE));
            let expected: Vec<_> = (0..160).map(|n| (tick * 160 + n) % 100).collect();
            assert_eq!(prompt.contribution(), Some(&expected[..]));
        }
    }

    #[test]
    fn the_last_tick_has_what_is_left() {
        let mut prompt = prompt(vec![7; 100], Plays::Times(2));
        assert!(!prompt.contribute(RATE));
        assert!(prompt.contribute(RATE));
        assert_eq!(prompt.contribution(), Some(&[7; 40][..]));
        assert!(!prompt.contribute(RATE));
        assert_eq!(prompt.contribution(), None);
    }

    #[test]
    fn nothing_to_play_ends_in_the_first_tick() {
        for mut prompt in [prompt(vec![], Plays::Forever), prompt(vec![7], Plays::Times(0))] {
            assert!(prompt.contribute(RATE));
            assert_eq!(prompt.contribution(), None);
            assert!(!prompt.contribute(RATE));
        }
    }

    #[test]
    fn a_prompt_keeps_its_place_at_another_rate() {
        let clip = Clip::new(Pcm { rate: SampleRate::Hz16000, samples: (0..1_000).collect() });
        clip.prepare(RATE);
        let half = clip.at(RATE).unwrap().to_vec();
        let mut prompt = Prompt::new(PromptId(1), Arc::new(clip), Plays::Forever);
        let mut play = |rate| {
            prompt.contribute(rate);
            prompt.contribution().unwrap().to_vec()
        };
        assert_eq!(play(SampleRate::Hz16000)[..2], [0, 1]);
        assert_eq!(play(RATE), half[160..320]);
        assert_eq!(play(SampleRate::Hz16000)[..2], [640, 641]);
        assert_eq!(play(RATE)[20..], half[..140]);
    }

    #[test]
    fn a_clip_that_was_not_prepared_is_silent_and_ends_in_time() {
        let mut prompt = prompt(vec![7; 400], Plays::Times(1));
        assert!(!prompt.contribute(SampleRate::Hz48000));
        assert_eq!(prompt.contribution(), None);
        assert!(!prompt.contribute(RATE));
        assert_eq!(prompt.contribution(), Some(&[7; 160][..]));
        assert!(prompt.contribute(SampleRate::Hz48000));
        assert_eq!(prompt.contribution(), None);
    }
}
