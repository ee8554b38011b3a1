//! How long sound takes from mouth to ear.

use std::time::Duration;

use mixminus_audio::TICK;
use mixminus_codec::{Decoder, Encoder, Encoding, Format, MAX_PAYLOAD_BYTES};
use serde::Serialize;

use crate::click::{Clicks, Onset, VARIATIONS, Variation};
use crate::{Quantiles, Seat};

/// The longest delay that is measured: until a click of the same pitch may follow.
const LONGEST: Duration = Duration::from_millis(900);
/// How long a server may be busy with a stall before it should have given back what it cost.
const RECOVERY: Duration = Duration::from_secs(1);

/// How long sound takes from mouth to ear, as far as the server adds to it: from the instant at which the
/// packet that held the onset of a click left its talker, to that at which the packet of the mix that
/// holds it arrived, plus the place in this packet less that in the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AddedDelay {
    /// All of it.
    pub total: Option<Quantiles>,
    /// The part of it that codecs take by their nature: the talker's and the server's, measured without
    /// a server between. It is not taken off anything here.
    pub codecs_ms: f64,
    /// Clicks that were said, each by one caller for all others in its room.
    pub clicks: usize,
    /// How many callers said them, each at its own phase of the server's ticks.
    pub talkers: usize,
    /// How often a click should have been heard; `total` counts how often it was.
    pub expected: usize,
    /// What one caller's stall in each room did to it.
    pub stall: Option<StallDelay>,
}

/// Added delay of callers who stall.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StallDelay {
    /// Before they did.
    pub before: Option<Quantiles>,
    /// In the first second after.
    pub recovering: Option<Quantiles>,
    /// Later: what it cost and was not given back.
    pub after: Option<Quantiles>,
}

/// A click that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Click {
    pub(crate) by: Seat,
    /// When its onset left, since the start.
    pub(crate) at: Duration,
    pub(crate) pitch: usize,
    /// How long before it its talker had been through a stall.
    pub(crate) since_stall: Option<Duration>,
}

/// All delays of a rehearsal.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    clicks: Vec<Click>,
    expected: usize,
    /// Of which click, and how long.
    heard: Vec<(Click, Duration)>,
}

impl Delays {
    pub(crate) fn new(clicks: Vec<Click>) -> Self {
        Self { clicks, ..Self::default() }
    }

    /// Takes what one caller heard; its own clicks count neither as expected nor as heard.
    pub(crate) fn note(&mut self, listener: Seat, onsets: &[Onset]) {
        let room: Vec<_> = self.clicks.iter().filter(|click| click.by.room == listener.room).collect();
        self.expected += room.iter().filter(|click| click.by != listener).count();
        let heard = onsets.iter().filter_map(|onset| {
            let said = |click: &&&Click| click.pitch == onset.pitch && click.at <= onset.at;
            let click = **room.iter().filter(said).max_by_key(|click| click.at)?;
            let delay = onset.at.checked_sub(click.at)?;
            (click.by != listener && delay < LONGEST).then_some((click, delay))
        });
        self.heard.extend(heard);
    }

    pub(crate) fn summary(&self, codecs: Duration) -> AddedDelay {
        let mut talkers: Vec<_> = self.clicks.iter().map(|click| (click.by.room, click.by.number)).collect();
        talkers.sort_unstable();
        talkers.dedup();
        let stalled = self.clicks.iter().any(|click| click.since_stall.is_some());
        AddedDelay {
            total: self.of(|_| true),
            codecs_ms: codecs.as_secs_f64() * 1000.0,
            clicks: self.clicks.len(),
            talkers: talkers.len(),
            expected: self.expected,
            stall: stalled.then(|| StallDelay {
                before: self.of(|click| click.since_stall.is_none()),
                recovering: self.of(|click| click.since_stall.is_some_and(|since| since < RECOVERY)),
                after: self.of(|click| click.since_stall.is_some_and(|since| since >= RECOVERY)),
            }),
        }
    }

    fn of(&self, which: impl Fn(&Click) -> bool) -> Option<Quantiles> {
        let chosen = self.heard.iter().filter(|(click, _)| which(click));
        Quantiles::of(chosen.map(|(_, delay)| *delay).collect())
    }
}

/// How much later a click is heard that has been through two encoders and decoders with nothing between:
/// the middle of all clicks.
pub(crate) fn of_codecs(encoding: Encoding) -> Duration {
    let variations = (0..VARIATIONS).map(Variation::of);
    let mut delays: Vec<_> = variations.filter_map(|variation| through_codecs(encoding, variation)).collect();
    delays.sort_unstable();
    delays.get(delays.len() / 2).copied().unwrap_or_default()
}

fn through_codecs(encoding: Encoding, variation: Variation) -> Option<Duration> {
    const QUIET_FRAMES: u32 = 10;
    let format = encoding.format();
    let rate = format.sample_rate();
    let quiet = vec![0; QUIET_FRAMES as usize * rate.frame_samples()];
    let mut samples = [quiet.clone(), variation.samples(rate), quiet].concat();
    for _ in 0..2 {
        samples = through_codec(encoding, format, &samples);
    }
    let mut onset = None;
    Clicks::new(rate).hear(Duration::ZERO, &samples, |heard| onset = onset.or(Some(heard.at)));
    onset?.checked_sub(TICK * QUIET_FRAMES + variation.offset())
}

fn through_codec(encoding: Encoding, format: Format, samples: &[i16]) -> Vec<i16> {
    let frame = format.sample_rate().frame_samples();
    let (mut encoder, mut decoder) = (Encoder::new(encoding), Decoder::new(format));
    let (mut payload, mut decoded) = ([0; MAX_PAYLOAD_BYTES], vec![0; frame]);
    let mut out = Vec::with_capacity(samples.len());
    for samples in samples.chunks_exact(frame) {
        let bytes = encoder.encode(samples, &mut payload);
        decoded.fill(0);
        if bytes > 0 {
            decoder.decode(&payload[..bytes], &mut decoded).expect("a frame of ours is a frame");
        }
        out.extend_from_slice(&decoded);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn seat(room: u32, number: u32) -> Seat {
        Seat { room, number }
    }

    fn click(by: Seat, at: u64, pitch: usize) -> Click {
        Click { by, at: ms(at), pitch, since_stall: None }
    }

    fn onset(at: u64, pitch: usize) -> Onset {
        Onset { at: ms(at), pitch }
    }

    #[test]
    fn what_is_heard_belongs_to_the_latest_click_of_its_pitch_in_its_room() {
        let clicks = vec![
            click(seat(0, 0), 1000, 0),
            click(seat(0, 1), 1160, 1),
            click(seat(1, 0), 1170, 1),
            click(seat(0, 2), 2000, 0),
        ];
        let mut delays = Delays::new(clicks);
        delays.note(seat(0, 3), &[onset(1030, 0), onset(1400, 1), onset(2007, 0)]);
        let AddedDelay { total, clicks, talkers, expected, stall, .. } = delays.summary(Duration::ZERO);
        let expected_delay = Quantiles { p50_ms: 30.0, p99_ms: 240.0, max_ms: 240.0, samples: 3 };
        assert_eq!(total, Some(expected_delay));
        assert_eq!((clicks, talkers, expected, stall), (4, 4, 3, None));
    }

    #[test]
    fn ones_own_click_and_what_is_too_late_count_not() {
        let mut delays = Delays::new(vec![click(seat(0, 0), 1000, 0), click(seat(0, 1), 1160, 1)]);
        delays.note(seat(0, 0), &[onset(1030, 0), onset(2061, 1)]);
        let summary = delays.summary(Duration::ZERO);
        assert_eq!((summary.total, summary.expected), (None, 1));
    }

    #[test]
    fn a_delay_that_is_not_given_back_after_a_stall_is_told() {
        let after = |at, since| Click { since_stall: Some(ms(since)), ..click(seat(0, 0), at, 1) };
        let clicks = vec![click(seat(0, 0), 1000, 0), after(3000, 200), after(4500, 1700)];
        let mut delays = Delays::new(clicks);
        delays.note(seat(0, 1), &[onset(1012, 0), onset(3112, 1), onset(4532, 1)]);
        let stall = delays.summary(Duration::ZERO).stall.unwrap();
        let p50 = [stall.before, stall.recovering, stall.after].map(|delay| delay.unwrap().p50_ms);
        assert_eq!(p50.map(f64::round).map(|ms| ms as u32), [12, 112, 32]);
    }
}
