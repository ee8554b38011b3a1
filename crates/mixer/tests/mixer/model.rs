//! What a leg should be heard as and should hear, made for it alone, without anything that is shared.

use std::collections::BTreeMap;

use mixminus_audio::{Declick, Limiter, Resampler, SampleRate};
use mixminus_mixer::SourceId;

/// What a source adds to a tick, at the rate of the bridge, and the value at which it was before.
#[derive(Clone, Debug)]
pub struct Sound {
    pub frame: Option<Vec<i16>>,
    pub before: i32,
}

impl Sound {
    /// That of a source that is taken to have been where it begins.
    pub fn beginning(frame: Option<Vec<i16>>) -> Self {
        let before = at(frame.as_deref().unwrap_or_default().first());
        Self { frame, before }
    }
}

/// A tick of a source, for who has heard the one before and for who has not.
#[derive(Clone, Debug)]
pub struct Sounds {
    pub still: Sound,
    pub newly: Sound,
}

/// A source, which begins when it comes.
#[derive(Default)]
pub struct Source(Option<i32>);

impl Source {
    pub fn sound(&mut self, frame: Option<Vec<i16>>) -> Sound {
        let end = at(frame.as_deref().unwrap_or_default().last());
        let mut sound = Sound::beginning(frame);
        sound.before = self.0.replace(end).unwrap_or(sound.before);
        sound
    }
}

fn at(sample: Option<&i16>) -> i32 {
    sample.map_or(0, |&sample| sample.into())
}

/// A leg's far end.
#[derive(Default)]
pub struct Mouth {
    resampler: Option<Resampler>,
    said: Option<Vec<i16>>,
    contributed: Option<Vec<i16>>,
    source: Source,
}

impl Mouth {
    /// What `says`, at the rate `own`, adds to a bridge that runs at `rate`.
    pub fn say(&mut self, says: Option<Vec<i16>>, own: SampleRate, rate: SampleRate) -> Sounds {
        let before = self.resampler.take();
        let other_format = before.as_ref().is_some_and(|before| before.from() != own);
        let mut resampler = match before {
            Some(before) if (before.from(), before.to()) == (own, rate) => before,
            _ => {
                let mut resampler = Resampler::new(own, rate);
                if let Some(said) = self.said.as_ref().filter(|_| !other_format) {
                    resampler.process(said, &mut vec![0; rate.frame_samples()]);
                }
                resampler
            }
        };
        let newly = says.as_ref().map(|says| {
            let mut frame = vec![0; rate.frame_samples()];
            Resampler::new(own, rate).process(says, &mut frame);
            frame
        });
        let rings = resampler != Resampler::new(own, rate);
        let mut frame = vec![0; rate.frame_samples()];
        resampler.process(says.as_deref().unwrap_or(&vec![0; own.frame_samples()]), &mut frame);
        let sounds = says.is_some() || rings;
        if let Some(before) = self.contributed.take().filter(|_| other_format && sounds) {
            smooth(&before, &mut frame);
        }
        self.resampler = Some(resampler);
        self.said = says;
        self.contributed = sounds.then_some(frame);
        Sounds { still: self.source.sound(self.contributed.clone()), newly: Sound::beginning(newly) }
    }
}

/// What a leg hears.
pub struct Ear {
    limiter: Limiter,
    resampler: Resampler,
    /// Where the sum of all sources was at the end of the last tick.
    end: i32,
    /// What was heard last, at the rate of the bridge and at that of the leg's format.
    mix: Vec<i16>,
    frame: Vec<i16>,
}

impl Ear {
    pub fn new(rate: SampleRate) -> Self {
        Self {
            limiter: Limiter::new(rate),
            resampler: Resampler::new(rate, rate),
            end: 0,
            mix: vec![0; rate.frame_samples()],
            frame: vec![0; rate.frame_samples()],
        }
    }

    /// What was heard last, at the rate of the bridge.
    pub fn mix(&self) -> &[i16] {
        &self.mix
    }

    /// What is heard, at the rate `own`, of the sum of `allowed` in a bridge that runs at `rate`.
    pub fn hear(&mut self, allowed: &BTreeMap<SourceId, Sound>, rate: SampleRate, own: SampleRate) -> &[i16] {
        let (rate_before, own_before) = (self.resampler.from(), self.resampler.to());
        if rate_before != rate {
            let mut mix = vec![0; rate.frame_samples()];
            Resampler::new(rate_before, rate).process(&self.mix, &mut mix);
            (self.limiter, self.mix) = (self.limiter.at(rate), mix);
        }
        if (rate_before, own_before) != (rate, own) {
            self.resampler = Resampler::new(rate, own);
            self.resampler.process(&self.mix, &mut vec![0; own.frame_samples()]);
        }
        let mut wide = vec![0; rate.frame_samples()];
        for frame in allowed.values().filter_map(|sound| sound.frame.as_ref()) {
            wide.iter_mut().zip(frame).for_each(|(sum, &sample)| *sum += i32::from(sample));
        }
        let before: i32 = allowed.values().map(|sound| sound.before).sum();
        let step = std::mem::replace(&mut self.end, wide[wide.len() - 1]) - before;
        let slope = wide.len() as i32 / 4;
        wide.iter_mut().zip((1..=slope).rev()).for_each(|(sum, left)| *sum += step * left / slope);
        let mut mix = vec![0; rate.frame_samples()];
        self.limiter.limit(&wide, &mut mix);
        if rate_before != rate {
            smooth(&self.mix, &mut mix);
        }
        let mut frame = vec![0; own.frame_samples()];
        self.resampler.process(&mix, &mut frame);
        if (rate_before, own_before) != (rate, own) {
            smooth(&self.frame, &mut frame);
        }
        (self.mix, self.frame) = (mix, frame);
        &self.frame
    }
}

/// Lets `frame` begin where `before` ended.
fn smooth(before: &[i16], frame: &mut [i16]) {
    let mut declick = Declick::new();
    declick.frame_sent(before);
    declick.smooth(frame);
}
