//! Plays a little faster or slower without a change of pitch: whole pitch periods are left out or repeated.

use mixminus_audio::{Dbov, SampleRate, level};

use crate::queue::{PAST_MS, Queue};

/// The highest and the lowest pitch, as periods: 400 and 66 Hz.
const SHORTEST_US: usize = 2_500;
const LONGEST_MS: usize = PAST_MS;

/// Audio that is compared to find the period.
const COMPARED_MS: usize = 10;

/// How much two periods must be alike, of 1, for the seam to be unheard.
const ALIKE: f32 = 0.85;

/// Audio below this level is a pause, ...
const QUIET: Dbov = Dbov(-50.0);

/// ... and so is audio this much below what has been heard on average. Speech that talks half of the time is
/// 3 dB louder than its average, noise in its pauses mostly 20 dB softer.
const PAUSE_DB: f32 = 15.0;

/// The average is over about this many frames: two seconds.
const AVERAGED_FRAMES: f32 = 100.0;

/// Seams that were sought in vain after which the best there is has to do.
const PATIENCE: u32 = 5;

/// At least this many frames, a tenth of a second, are between two seams in speech, ...
const SPEECH_INTERVAL: u32 = 5;

/// ... and this many when a lot is to be done, or packets come too late.
const HURRIED_INTERVAL: u32 = 2;

/// From so many frames on, it is a lot.
const A_LOT_FRAMES: usize = 3;

/// Finds seams and makes them.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    rate: SampleRate,
    /// Mean square of what has been played.
    average: f32,
    /// Frames since a seam in speech was made or sought.
    since: u32,
    /// Seams sought in vain.
    failed: u32,
}

/// Where a seam leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Forwards: what is left out is saved.
    On,
    /// Backwards: what was played is played once more.
    Back,
}

impl Stretch {
    /// For audio at `rate`.
    pub(crate) fn new(rate: SampleRate) -> Self {
        Self { rate, average: 0.0, since: SPEECH_INTERVAL, failed: 0 }
    }

    /// How much has to be ahead for any seam to be found.
    pub(crate) fn ahead_samples(&self) -> usize {
        self.rate.frame_samples() + (LONGEST_MS + COMPARED_MS) * self.rate.samples_per_ms()
    }

    /// Takes note of the mean square of a frame that is played.
    pub(crate) fn hear(&mut self, power: f32) {
        self.average += (power - self.average) / AVERAGED_FRAMES;
        self.since = self.since.saturating_add(1);
    }

    /// Writes a frame that plays at most `most` samples more of the queue than it has, and returns how many;
    /// `None`, and nothing is changed, where that would be heard.
    pub(crate) fn shorten(&mut self, queue: &mut Queue, most: usize, frame: &mut [i16]) -> Option<usize> {
        let ahead = queue.around(0);
        let room = ahead.len().checked_sub(frame.len())?.min(most);
        let saved = if self.is_pause(&ahead[..frame.len()]) {
            room.min(frame.len())
        } else if self.is_due(most) {
            let compared = COMPARED_MS * self.rate.samples_per_ms();
            self.seam(ahead, 0, room.min(ahead.len() - compared), Way::On)?
        } else {
            return None;
        };
        cross_fade(ahead, &ahead[saved..], saved, frame);
        queue.advance(frame.len() + saved);
        Some(saved)
    }

    /// Writes a frame that plays some `wanted` samples less of the queue than it has, and returns how many;
    /// `None`, and nothing is changed, where that would be heard. The queue holds a frame.
    pub(crate) fn lengthen(&mut self, queue: &mut Queue, wanted: usize, frame: &mut [i16]) -> Option<usize> {
        let past = PAST_MS * self.rate.samples_per_ms();
        let around = queue.around(past);
        let added = if self.is_pause(&around[past..][..frame.len()]) {
            wanted.min(past)
        } else if self.since >= HURRIED_INTERVAL {
            self.seam(around, past, past, Way::Back)?
        } else {
            return None;
        };
        cross_fade(&around[past..], &around[past - added..], added, frame);
        queue.advance(frame.len() - added);
        Some(added)
    }

    fn is_pause(&self, samples: &[i16]) -> bool {
        let Dbov(now) = level(samples);
        let average_db = 10.0 * (self.average / (32_768.0 * 32_768.0)).max(1e-13).log10();
        now < QUIET.0 || now < average_db - PAUSE_DB
    }

    fn shortest(&self) -> usize {
        SHORTEST_US * self.rate.samples_per_ms() / 1_000
    }

    /// Whether a seam may be heard now, where `samples` are to be saved or added in all.
    fn is_due(&self, samples: usize) -> bool {
        let a_lot = samples >= A_LOT_FRAMES * self.rate.frame_samples();
        self.since >= if a_lot { HURRIED_INTERVAL } else { SPEECH_INTERVAL }
    }

    /// How far a seam at `at` leads that way, at most `longest`; `None` when none is good, unless that has
    /// been so several times.
    fn seam(&mut self, samples: &[i16], at: usize, longest: usize, way: Way) -> Option<usize> {
        self.since = 0;
        let (period, alike) = self.period(samples, at, longest, way)?;
        self.failed += 1;
        if alike < ALIKE && self.failed < PATIENCE {
            return None;
        }
        self.failed = 0;
        Some(period)
    }

    /// The distance at which the audio is most like that at `at`, and how much it is.
    fn period(&self, samples: &[i16], at: usize, longest: usize, way: Way) -> Option<(usize, f32)> {
        let per_ms = self.rate.samples_per_ms();
        let longest = longest.min(LONGEST_MS * per_ms);
        let compare = |period: usize, stride: usize| {
            let other = if way == Way::On { at + period } else { at - period };
            resemblance(&samples[at..][..COMPARED_MS * per_ms], &samples[other..], stride)
        };
        // Every 2nd sample at 8 kHz, every 12th at 48, then all of them near the best.
        let stride = per_ms / 4;
        let (coarse, _) =
            best((self.shortest()..=longest).step_by(stride), |period| compare(period, stride))?;
        let near =
            coarse.saturating_sub(stride - 1).max(self.shortest())..=(coarse + stride - 1).min(longest);
        best(near, |period| compare(period, 1))
    }
}

/// The candidate with the highest value, and that value.
fn best(candidates: impl Iterator<Item = usize>, value: impl Fn(usize) -> f32) -> Option<(usize, f32)> {
    candidates.map(|candidate| (candidate, value(candidate))).max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The correlation of two stretches of audio, -1 to 1, by each `stride`-th sample.
fn resemblance(one: &[i16], other: &[i16], stride: usize) -> f32 {
    let (mut product, mut energy, mut other_energy) = (0.0_f32, 1.0_f32, 1.0_f32);
    for (&one, &other) in one.iter().step_by(stride).zip(other.iter().step_by(stride)) {
        let (one, other) = (f32::from(one), f32::from(other));
        product += one * other;
        energy += one * one;
        other_energy += other * other;
    }
    product / (energy * other_energy).sqrt()
}

/// Writes what begins as `from` and, over `fade` samples, becomes `to`.
fn cross_fade(from: &[i16], to: &[i16], fade: usize, out: &mut [i16]) {
    let (length, fade) = (out.len(), fade.min(out.len()));
    for (n, sample) in (0..).zip(out[..fade].iter_mut()) {
        let (from, to) = (i32::from(from[n as usize]), i32::from(to[n as usize]));
        *sample = (from + (to - from) * (n + 1) / (fade as i32 + 1)) as i16;
    }
    out[fade..].copy_from_slice(&to[fade..length]);
}

#[cfg(test)]
mod tests {
    use mixminus_audio::Sine;

    use super::*;

    const RATE: SampleRate = SampleRate::Hz8000;

    /// A queue of so many samples, whose past is 240 samples before them, and a stretch that has heard them.
    fn with(samples: &[i16]) -> (Stretch, Queue) {
        let mut queue = Queue::new(RATE);
        queue.space(samples.len()).copy_from_slice(samples);
        queue.extend(samples.len());
        queue.advance(240);
        let mut stretch = Stretch::new(RATE);
        let power =
            samples.iter().map(|&sample| f32::from(sample).powi(2)).sum::<f32>() / samples.len() as f32;
        (0..500).for_each(|_| stretch.hear(power));
        (stretch, queue)
    }

    /// 100 Hz, whose period is 80 samples.
    fn voice(length: usize) -> Vec<i16> {
        let mut samples = vec![0; length];
        Sine::new(RATE, 100.0, Dbov(-12.0)).fill(&mut samples);
        samples
    }

    fn noise(length: usize) -> Vec<i16> {
        let random =
            |n: usize| (n as u32).wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(0x9E37_79B9);
        (0..length).map(|n| (random(n) >> 18) as i16 - 8_192).collect()
    }

    #[test]
    fn a_voice_is_made_shorter_and_longer_by_a_period() {
        let (mut stretch, mut queue) = with(&voice(1_000));
        let mut frame = [0; 160];
        assert_eq!(stretch.shorten(&mut queue, 100, &mut frame), Some(80));
        assert_eq!((queue.len(), frame[..].len()), (1_000 - 240 - 240, 160));
        let played = |frame: &[i16], from: usize| {
            frame.iter().zip(&voice(1_000)[from..]).all(|(played, expected)| played.abs_diff(*expected) <= 1)
        };
        assert!(played(&frame, 240));
        assert_eq!(stretch.shorten(&mut queue, 100, &mut frame), None, "too early for another seam");
        (0..SPEECH_INTERVAL).for_each(|_| stretch.hear(1e7));
        assert_eq!(stretch.lengthen(&mut queue, 5, &mut frame), Some(80));
        assert_eq!(queue.len(), 1_000 - 240 - 240 - 80);
        assert!(played(&frame, 480));
    }

    #[test]
    fn a_pause_is_made_shorter_and_longer_at_once_by_what_is_wanted() {
        let mut samples = noise(1_000);
        samples[240..].iter_mut().for_each(|sample| *sample /= 1_000);
        let (mut stretch, mut queue) = with(&samples);
        let mut frame = [0; 160];
        assert_eq!(stretch.shorten(&mut queue, 33, &mut frame), Some(33));
        assert_eq!(stretch.shorten(&mut queue, 900, &mut frame), Some(160));
        assert_eq!(stretch.lengthen(&mut queue, 17, &mut frame), Some(17));
        assert_eq!(queue.len(), 760 - 193 - 320 - 143);
    }

    #[test]
    fn noise_is_left_alone_until_nothing_better_has_come_for_long() {
        let (mut stretch, mut queue) = with(&noise(1_900));
        let mut frame = [0; 160];
        let tries = (1..=2 * PATIENCE).find(|_| {
            (0..SPEECH_INTERVAL).for_each(|_| stretch.hear(2e7));
            stretch.shorten(&mut queue, 100, &mut frame).is_some()
        });
        assert_eq!(tries, Some(PATIENCE));
    }

    #[test]
    fn a_lot_is_done_faster() {
        let (mut stretch, mut queue) = with(&voice(1_900));
        let mut frame = [0; 160];
        for wanted in [479, 480] {
            stretch.since = HURRIED_INTERVAL;
            assert_eq!(stretch.shorten(&mut queue, wanted, &mut frame).is_some(), wanted == 480);
        }
    }

    #[test]
    fn nothing_is_made_shorter_of_less_than_a_frame() {
        let (mut stretch, mut queue) = with(&voice(399));
        assert_eq!(stretch.shorten(&mut queue, 100, &mut [0; 160]), None);
    }

    #[test]
    fn a_fade_between_extremes_does_not_wrap() {
        let mut out = [0; 160];
        cross_fade(&[i16::MIN; 160], &[i16::MAX; 160], 160, &mut out);
        assert!(out.is_sorted() && out[0] < -32_000 && out[159] > 32_000);
    }
}
