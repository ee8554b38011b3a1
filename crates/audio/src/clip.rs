//! A sound that can be played at any rate.

use std::sync::OnceLock;
use std::time::Duration;

use crate::{Pcm, SampleRate, resample};

/// What is heard of the loop before its beginning and after its end while it is resampled, in
/// milliseconds: longer than the ringing of the resampler, and a whole number of samples at every rate.
const LOOP_CONTEXT_MS: usize = 100;

/// A mono sound, kept at the rate it was made for and at every rate that was asked for since.
#[derive(Debug)]
pub struct Clip {
    pcm: Pcm,
    loops: bool,
    /// By the order of [`SampleRate::ALL`]; that of `pcm` stays empty.
    resampled: [OnceLock<Box<[i16]>>; SampleRate::ALL.len()],
}

impl Clip {
    /// A sound that begins and ends in silence.
    pub const fn new(pcm: Pcm) -> Self {
        Self { pcm, loops: false, resampled: [const { OnceLock::new() }; SampleRate::ALL.len()] }
    }

    /// A sound whose end is followed by its beginning, at every rate without a seam.
    pub const fn looping(pcm: Pcm) -> Self {
        let mut clip = Self::new(pcm);
        clip.loops = true;
        clip
    }

    /// Makes [`at`](Self::at) answer for `rate`. Takes a few milliseconds for each second of sound the first
    /// time, and while another thread does the same, waits for it: nothing for an audio thread.
    pub fn prepare(&self, rate: SampleRate) {
        if rate != self.pcm.rate {
            self.resampled[rate as usize].get_or_init(|| self.resample(rate));
        }
    }

    /// The samples at `rate`, if that is the clip's own or was prepared. Never waits.
    pub fn at(&self, rate: SampleRate) -> Option<&[i16]> {
        if rate == self.pcm.rate {
            return Some(&self.pcm.samples);
        }
        self.resampled[rate as usize].get().map(AsRef::as_ref)
    }

    /// The sound at its own rate.
    pub const fn pcm(&self) -> &Pcm {
        &self.pcm
    }

    /// Whether its end is followed by its beginning.
    pub const fn loops(&self) -> bool {
        self.loops
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        self.pcm.duration()
    }

    /// In how many ticks it is played once, the last of which may be shorter.
    pub fn ticks(&self) -> usize {
        self.pcm.samples.len().div_ceil(self.pcm.rate.frame_samples())
    }

    /// Memory that its samples take at present.
    pub fn size_bytes(&self) -> usize {
        let resampled = self.resampled.iter().filter_map(OnceLock::get).map(|samples| samples.len());
        size_of::<i16>() * (self.pcm.samples.len() + resampled.sum::<usize>())
    }

    fn resample(&self, rate: SampleRate) -> Box<[i16]> {
        let Pcm { rate: own, samples } = &self.pcm;
        if !self.loops || samples.is_empty() {
            return resample(samples, own.hz(), rate).into();
        }
        let context = LOOP_CONTEXT_MS * own.samples_per_ms();
        let first = samples.len() - context % samples.len();
        let around = samples.iter().cycle().skip(first).take(samples.len() + 2 * context);
        let around = resample(&around.copied().collect::<Vec<_>>(), own.hz(), rate);
        let context = LOOP_CONTEXT_MS * rate.samples_per_ms();
        around[context..around.len() - context].into()
    }
}

impl From<Pcm> for Clip {
    fn from(pcm: Pcm) -> Self {
        Self::new(pcm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dbov, Sine, level};

    const RATE: SampleRate = SampleRate::Hz8000;

    fn tone(rate: SampleRate, hz: f64, samples: usize) -> Vec<i16> {
        let mut samples = vec![0; samples];
        Sine::new(rate, hz, Dbov(-10.0)).fill(&mut samples);
        samples
    }

    #[test]
    fn a_clip_is_there_at_its_own_rate_and_at_those_it_was_prepared_for() {
        let clip = Clip::new(Pcm { rate: RATE, samples: tone(RATE, 440.0, 12_000) });
        assert_eq!(clip.at(RATE), Some(&tone(RATE, 440.0, 12_000)[..]));
        assert_eq!(clip.at(SampleRate::Hz16000), None);
        clip.prepare(SampleRate::Hz16000);
        clip.prepare(RATE);
        assert_eq!(clip.at(SampleRate::Hz16000).map(<[i16]>::len), Some(24_000));
        assert_eq!(clip.at(SampleRate::Hz48000), None);
        assert_eq!(clip.size_bytes(), 2 * (12_000 + 24_000));
        assert_eq!((clip.duration(), clip.ticks()), (Duration::from_millis(1_500), 75));
    }

    #[test]
    fn the_last_tick_of_a_clip_may_be_short() {
        let clip = |samples| Clip::from(Pcm { rate: RATE, samples: vec![0; samples] }).ticks();
        assert_eq!([0, 1, 160, 161].map(clip), [0, 1, 1, 2]);
    }

    /// A loop of 150 periods continues at 48 kHz as the tone does; one that merely follows itself rings at
    /// both ends.
    #[test]
    fn a_loop_has_no_seam_at_any_rate_and_no_end_is_heard_in_it() {
        let clip = Clip::looping(Pcm { rate: RATE, samples: tone(RATE, 500.0, 2_400) });
        for rate in [SampleRate::Hz16000, SampleRate::Hz48000] {
            clip.prepare(rate);
            let expected = tone(rate, 500.0, 300 * rate.samples_per_ms());
            let found = clip.at(rate).unwrap();
            assert_eq!(found.len(), expected.len());
            let worst = found.iter().zip(expected).map(|(found, expected)| found.abs_diff(expected)).max();
            assert!(worst <= Some(2), "{worst:?} at {rate:?}");
        }
    }

    #[test]
    fn a_loop_shorter_than_what_is_heard_around_it_is_one_too() {
        let clip = Clip::looping(Pcm { rate: RATE, samples: tone(RATE, 500.0, 16) });
        clip.prepare(SampleRate::Hz16000);
        let expected = tone(SampleRate::Hz16000, 500.0, 32);
        let worst =
            clip.at(SampleRate::Hz16000).unwrap().iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
        assert!(worst <= Some(2), "{worst:?}");
    }

    #[test]
    fn the_end_of_what_does_not_loop_is_not_heard_at_its_beginning() {
        let mut samples = vec![0; 1_600];
        samples[1_599] = 20_000;
        let [once, again] = [Clip::new, Clip::looping].map(|new| {
            let clip = new(Pcm { rate: RATE, samples: samples.clone() });
            clip.prepare(SampleRate::Hz16000);
            level(&clip.at(SampleRate::Hz16000).unwrap()[..200])
        });
        assert!(once == Dbov::SILENCE && again > Dbov(-40.0), "{once:?} {again:?}");
    }

    #[test]
    fn nothing_is_nothing_at_every_rate() {
        for clip in [Clip::new, Clip::looping].map(|new| new(Pcm { rate: RATE, samples: vec![] })) {
            clip.prepare(SampleRate::Hz48000);
            assert_eq!(clip.at(SampleRate::Hz48000), Some(&[][..]));
        }
    }
}
