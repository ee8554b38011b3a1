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

/// Most parts of one prompt; its memory for them is taken when it is made.
pub const MAX_PARTS: usize = 1_024;

/// Most parts of a live prompt that are not played yet, and of those that are.
pub const LIVE_PARTS: usize = 32;

/// Clips that are played one after the other, and how far that is. It starts in the first tick after it was placed.
///
/// A prompt may be placed while its last parts are still being made: where the next one is not there yet it is silent,
/// and goes on with it when it has come.
#[derive(Debug)]
pub struct Prompt {
    id: PromptId,
    /// None of them is empty.
    parts: Vec<Arc<Clip>>,
    /// Whether the last part is there.
    whole: bool,
    progress: Progress,
    frame: [i16; MAX_FRAME_SAMPLES],
    /// How many samples of `frame` are this tick's audio.
    filled: usize,
    onset: Onset,
}

#[derive(Clone, Copy, Debug)]
enum Progress {
    Playing(Place),
    Ended,
}

/// What is played next.
#[derive(Clone, Copy, Debug)]
struct Place {
    part: usize,
    /// In samples at `rate`.
    position: usize,
    rate: SampleRate,
    left: Plays,
}

impl Prompt {
    /// A prompt that has not started. If there is nothing to play, it ends in its first tick. In a bridge at a rate
    /// that the clip was not prepared for, it is silent and goes on all the same.
    pub fn new(id: PromptId, clip: Arc<Clip>, plays: Plays) -> Self {
        let mut prompt = Self::with_room(id, 1, plays);
        prompt.append(clip);
        prompt.complete();
        prompt
    }

    /// A prompt whose parts are still to come, at most [`MAX_PARTS`], and which does not end before
    /// [`complete`](Self::complete).
    pub fn growing(id: PromptId, plays: Plays) -> Self {
        Self::with_room(id, MAX_PARTS, plays)
    }

    /// A prompt without end, whose parts come about when they are to be heard: it keeps at most [`LIVE_PARTS`],
    /// and lets go of what it has played.
    pub fn live(id: PromptId) -> Self {
        Self::with_room(id, LIVE_PARTS, Plays::Times(1))
    }

    fn with_room(id: PromptId, parts: usize, plays: Plays) -> Self {
        let place = Place { part: 0, position: 0, rate: SampleRate::Hz8000, left: plays };
        Self {
            id,
            parts: Vec::with_capacity(parts),
            whole: false,
            progress: Progress::Playing(place),
            frame: [0; MAX_FRAME_SAMPLES],
            filled: 0,
            onset: Onset::default(),
        }
    }

    /// Adds a part. Returns what is not needed: the part, if there is nothing in it, no room for it, or the prompt is
    /// whole; or a part that gave it its room, since it was played and will not be again. Does not allocate.
    pub fn append(&mut self, clip: Arc<Clip>) -> Option<Arc<Clip>> {
        if self.whole || clip.duration().is_zero() {
            return Some(clip);
        }
        let mut spent = None;
        if self.parts.len() == self.parts.capacity() {
            spent = self.forget();
            if spent.is_none() {
                return Some(clip);
            }
        }
        self.parts.push(clip);
        spent
    }

    /// Lets go of the first part, if it was played for the last time.
    fn forget(&mut self) -> Option<Arc<Clip>> {
        match &mut self.progress {
            Progress::Playing(place) if place.part > 0 && matches!(place.left, Plays::Times(1)) => {
                place.part -= 1;
                Some(self.parts.remove(0))
            }
            _ => None,
        }
    }

    /// Says that the last part is there.
    pub const fn complete(&mut self) {
        self.whole = true;
    }

    /// What it plays, as far as that is there.
    pub fn parts(&self) -> &[Arc<Clip>] {
        &self.parts
    }

    /// Whether no part is to come any more.
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// How often it is still played, the time that is under way included.
    pub const fn plays(&self) -> Plays {
        match self.progress {
            Progress::Playing(place) => place.left,
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
        let Progress::Playing(mut place) = self.progress else {
            return false;
        };
        place.adapt(rate, self.parts.get(place.part));
        let mut played = 0;
        while played < rate.frame_samples() && place.left != Plays::Times(0) {
            let Some(part) = self.parts.get(place.part) else {
                if !self.whole {
                    break;
                }
                place.go_round(!self.parts.is_empty());
                continue;
            };
            let length = samples(part.duration(), rate);
            let samples = (rate.frame_samples() - played).min(length - place.position);
            if let Some(clip) = part.at(rate) {
                self.frame[self.filled..played].fill(0);
                self.frame[played..][..samples].copy_from_slice(&clip[place.position..][..samples]);
                self.filled = played + samples;
            }
            played += samples;
            place.position += samples;
            if place.position == length {
                (place.part, place.position) = (place.part + 1, 0);
            }
        }
        // The last tick is the one that has the last sample, not the one after it.
        if self.whole && place.part == self.parts.len() {
            place.go_round(!self.parts.is_empty());
        }
        let ended = place.left == Plays::Times(0);
        self.progress = if ended { Progress::Ended } else { Progress::Playing(place) };
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

impl Place {
    /// Goes on at another rate, within `part`.
    fn adapt(&mut self, rate: SampleRate, part: Option<&Arc<Clip>>) {
        let length = part.map_or(1, |part| samples(part.duration(), rate));
        self.position = self.position * rate.hz() as usize / self.rate.hz() as usize % length;
        self.rate = rate;
    }

    /// Begins anew if there is `something` to play, after the last part.
    const fn go_round(&mut self, something: bool) {
        self.part = 0;
        self.left = if something { self.left.one_less() } else { Plays::Times(0) };
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

    fn part(samples: Vec<i16>) -> Arc<Clip> {
        Arc::new(Clip::new(Pcm { rate: RATE, samples }))
    }

    fn play(prompt: &mut Prompt) -> (bool, Vec<i16>) {
        let ended = prompt.contribute(RATE);
        (ended, prompt.contribution().unwrap_or_default().to_vec())
    }

    #[test]
    fn parts_follow_each_other_without_a_gap_and_silence_waits_for_those_that_are_missing() {
        let mut prompt = Prompt::growing(PromptId(1), Plays::Times(2));
        assert_eq!(play(&mut prompt), (false, vec![]));
        assert!(prompt.append(part(vec![1; 100])).is_none());
        assert!(prompt.append(part(vec![2; 80])).is_none());
        assert_eq!(play(&mut prompt), (false, [vec![1; 100], vec![2; 60]].concat()));
        assert_eq!(play(&mut prompt), (false, vec![2; 20]));
        assert_eq!(play(&mut prompt), (false, vec![]));
        assert!(prompt.append(part(vec![3; 140])).is_none());
        prompt.complete();
        assert_eq!(play(&mut prompt), (false, [vec![3; 140], vec![1; 20]].concat()));
        assert_eq!(play(&mut prompt), (false, [vec![1; 80], vec![2; 80]].concat()));
        assert_eq!(play(&mut prompt), (true, vec![3; 140]));
        assert_eq!(play(&mut prompt), (false, vec![]));
    }

    #[test]
    fn a_prompt_that_is_completed_while_it_waits_ends_and_one_without_parts_does() {
        for parts in 0..2 {
            let mut prompt = Prompt::growing(PromptId(1), Plays::Times(1));
            (0..parts).for_each(|_| assert!(prompt.append(part(vec![7; 160])).is_none()));
            assert_eq!(play(&mut prompt), (false, vec![7; 160 * parts]));
            prompt.complete();
            assert_eq!(play(&mut prompt), (true, vec![]));
        }
    }

    #[test]
    fn a_loop_goes_round_all_parts_once_the_last_one_is_there() {
        let mut prompt = Prompt::growing(PromptId(1), Plays::Forever);
        for value in 1..=2 {
            assert!(prompt.append(part(vec![value; 160])).is_none());
        }
        prompt.complete();
        for value in [1, 2, 1, 2] {
            assert_eq!(play(&mut prompt), (false, vec![value; 160]));
        }
    }

    #[test]
    fn what_is_empty_too_much_or_too_late_comes_back() {
        let mut prompt = Prompt::growing(PromptId(1), Plays::Forever);
        assert!(prompt.append(part(vec![])).is_some());
        let clip = part(vec![1]);
        for _ in 0..MAX_PARTS {
            assert!(prompt.append(Arc::clone(&clip)).is_none());
        }
        assert!(prompt.append(clip).is_some());
        let mut whole = Prompt::new(PromptId(1), part(vec![1]), Plays::Forever);
        assert!(whole.append(part(vec![1])).is_some());
    }

    #[test]
    fn a_live_prompt_makes_room_by_what_it_has_played() {
        let mut prompt = Prompt::live(PromptId(1));
        let value = |n: usize| part(vec![n as i16; 160]);
        assert!((0..LIVE_PARTS).all(|n| prompt.append(value(n)).is_none()));
        assert!(prompt.append(value(99)).is_some_and(|refused| refused.pcm().samples[0] == 99));
        for n in 0..100 {
            assert_eq!(play(&mut prompt), (false, vec![n as i16; 160]));
            let spent = prompt.append(value(n + LIVE_PARTS));
            assert!(spent.is_some_and(|spent| spent.pcm().samples[0] == n as i16));
        }
        assert_eq!(prompt.parts().len(), LIVE_PARTS);
    }

    #[test]
    fn a_part_that_was_not_prepared_is_silent_between_others() {
        let mut prompt = Prompt::growing(PromptId(1), Plays::Times(1));
        let wide = Clip::new(Pcm { rate: SampleRate::Hz16000, samples: vec![9; 80] });
        for clip in [part(vec![1; 50]), Arc::new(wide), part(vec![2; 50])] {
            assert!(prompt.append(clip).is_none());
        }
        prompt.complete();
        assert_eq!(play(&mut prompt), (true, [[1; 50].as_slice(), &[0; 40], &[2; 50]].concat()));
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
