//! A voice of which every millisecond can be told from every other.

use std::time::Duration;

use mixminus_audio::SampleRate;

use crate::Random;

/// Samples that are enough to tell one place of a voice from all others.
pub const MARK_SAMPLES: usize = 8;

/// Loudest sample of a talkspurt, and of the breath between two.
const TALKING: i16 = 8_000;
const BREATHING: i16 = 40;

const TALKSPURTS: std::ops::Range<Duration> = Duration::from_millis(400)..Duration::from_millis(1_800);
const PAUSES: std::ops::Range<Duration> = Duration::from_millis(200)..Duration::from_secs(1);

/// Noise in talkspurts and pauses like speech, at 8 kHz, over and over. Where in it something played was
/// taken from is found by its samples alone.
#[derive(Debug)]
pub struct Voice {
    samples: Vec<i16>,
    /// A hash of the samples at each place, and the place; sorted.
    places: Vec<(u64, u32)>,
}

impl Voice {
    /// Sample rate of all voices.
    pub const RATE: SampleRate = SampleRate::Hz8000;

    /// A voice of `seconds` before it repeats itself.
    pub fn new(seed: u64, seconds: usize) -> Self {
        let mut random = Random::new(seed);
        let length = seconds * 8_000;
        let mut samples = Vec::with_capacity(length);
        while samples.len() < length {
            for (limit, lengths) in [(TALKING, TALKSPURTS), (BREATHING, PAUSES)] {
                let spurt = random.uniform(&lengths).as_millis() as usize * 8;
                samples.extend((0..spurt).map(|_| random.noise(limit)));
            }
        }
        samples.truncate(length);
        let around = |place: usize| std::array::from_fn(|n| samples[(place + n) % length]);
        let mut places: Vec<_> = (0..length).map(|place| (hash(around(place)), place as u32)).collect();
        places.sort_unstable();
        Self { samples, places }
    }

    /// Its samples, once.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// Whether it talks in `mark`, rather than breathes.
    pub fn talks(mark: [i16; MARK_SAMPLES]) -> bool {
        mark.iter().any(|sample| sample.abs() > BREATHING)
    }

    /// Share of its time in which it talks.
    pub fn talk(&self) -> f64 {
        let marks = self.samples.as_chunks::<MARK_SAMPLES>().0;
        marks.iter().filter(|mark| Self::talks(**mark)).count() as f64 / marks.len() as f64
    }

    /// Where `mark` was taken from.
    pub fn find(&self, mark: [i16; MARK_SAMPLES]) -> Option<usize> {
        let sought = hash(mark);
        let at = self.places.binary_search_by_key(&sought, |place| place.0).ok()?;
        let place = self.places[at].1 as usize;
        self.is_at(place, mark).then_some(place)
    }

    /// Whether `mark` is what is at `place`, counted on through all rounds.
    pub fn is_at(&self, place: usize, mark: [i16; MARK_SAMPLES]) -> bool {
        let from = place % self.samples.len();
        match self.samples.get(from..from + MARK_SAMPLES) {
            Some(here) => here == mark,
            None => (0..MARK_SAMPLES).all(|n| self.samples[(from + n) % self.samples.len()] == mark[n]),
        }
    }
}

fn hash(mark: [i16; MARK_SAMPLES]) -> u64 {
    mark.iter().fold(0, |hash: u64, &sample| {
        (hash ^ u64::from(sample.cast_unsigned())).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_found_by_its_samples() {
        let voice = Voice::new(1, 8);
        for place in (0..63_990).step_by(7) {
            let mark = std::array::from_fn(|n| voice.samples()[place + n]);
            assert_eq!(voice.find(mark), Some(place));
        }
        assert_eq!(voice.find([1, 2, 3, 4, 5, 6, 7, 8]), None);
        assert_eq!(voice.find([0; 8]), None);
    }

    #[test]
    fn most_of_it_is_talk() {
        let voice = Voice::new(1, 32);
        assert!((0.5..0.75).contains(&voice.talk()), "{}", voice.talk());
    }
}
