//! What was heard of a voice, and when.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::Talker;
use crate::voice::{MARK_SAMPLES, Voice};

/// A millisecond of what was played.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Duration,
    /// How long ago it was sent; none for what was made up.
    delay: Option<Duration>,
    /// Whether it is talk that was sent so.
    talk: bool,
}

/// Finds in what is played the samples of a voice, and so the exact delay of each.
#[derive(Debug)]
pub struct Hearing {
    voice: Arc<Voice>,
    moments: Vec<Moment>,
    /// Where the voice most likely goes on.
    next: usize,
}

impl Hearing {
    /// Nothing heard yet of `voice`.
    pub fn new(voice: Arc<Voice>) -> Self {
        Self { voice, moments: vec![], next: 0 }
    }

    /// Takes a frame that is played from `at` on, of what `talker` sent.
    pub fn take(&mut self, at: Duration, frame: &[i16], talker: &Talker) {
        for (n, mark) in (0..).zip(frame.as_chunks::<MARK_SAMPLES>().0) {
            let at = at + Duration::from_millis(n);
            let delay = self.find(*mark).and_then(|place| self.age(place, at, talker));
            self.moments.push(Moment { at, delay, talk: delay.is_some() && Voice::talks(*mark) });
        }
    }

    fn find(&mut self, mark: [i16; MARK_SAMPLES]) -> Option<usize> {
        let place = if self.voice.is_at(self.next, mark) { self.next } else { self.voice.find(mark)? };
        self.next = (place + MARK_SAMPLES) % self.voice.samples().len();
        Some(place)
    }

    /// How long before `at` the sample at `place` was last sent.
    fn age(&self, place: usize, at: Duration, talker: &Talker) -> Option<Duration> {
        let length = self.voice.samples().len() as u64;
        let spoken = talker.position(at);
        let rounds = spoken.checked_sub(place as u64)? / length;
        Some(at.saturating_sub(talker.instant(place as u64 + rounds * length)))
    }

    /// What was played in `time`.
    pub fn during(&self, time: Range<Duration>) -> Heard {
        let from = self.moments.partition_point(|moment| moment.at < time.start);
        let to = self.moments.partition_point(|moment| moment.at < time.end);
        let moments = &self.moments[from..to];
        let mut delays: Vec<_> = moments.iter().filter_map(|moment| moment.delay).collect();
        delays.sort_unstable();
        let talk = moments.iter().filter(|moment| moment.talk).count() as f64;
        Heard {
            moments: moments.len(),
            delays,
            talk: talk / (self.voice.talk() * moments.len().max(1) as f64),
        }
    }

    /// What was played in all.
    pub fn whole(&self) -> Heard {
        self.during(Duration::ZERO..Duration::MAX)
    }
}

/// The delays of all milliseconds that were played as they were sent.
#[derive(Debug)]
pub struct Heard {
    moments: usize,
    /// Sorted.
    delays: Vec<Duration>,
    /// Share of the talk in so much time of the voice.
    talk: f64,
}

impl Heard {
    /// Share of the time in which something else was played: made up for a loss, stretched, or silence.
    pub fn made_up(&self) -> f64 {
        1.0 - self.delays.len() as f64 / self.moments.max(1) as f64
    }

    /// Share of the talk that was not heard as it was sent, if the time is that of the whole voice.
    pub fn talk_changed(&self) -> f64 {
        1.0 - self.talk
    }

    /// Mean delay in ms.
    pub fn mean_ms(&self) -> f64 {
        self.delays.iter().map(|delay| ms(*delay)).sum::<f64>() / self.delays.len().max(1) as f64
    }

    /// The delay in ms that `share` of what was heard does not exceed.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let last = self.delays.len().saturating_sub(1);
        self.delays.get((share * last as f64) as usize).map_or(0.0, |delay| ms(*delay))
    }
}

fn ms(delay: Duration) -> f64 {
    delay.as_secs_f64() * 1e3
}
