//! What a caller hears: payloads in, findings out.

use std::ops::Range;
use std::time::Duration;

use mixminus_audio::{Dbov, SampleRate, goertzel};
use mixminus_codec::{Decoder, Format, MAX_PACKET_MS};

use crate::arrivals::Place;
use crate::click::{Clicks, Onset};
use crate::timeline::Timeline;
use crate::tones::Scale;

/// Frames of one window: 100 ms, a whole number of periods of every tone.
const WINDOW_FRAMES: usize = 5;
/// Windows that are kept, spread over the time in which tones sound.
const WINDOWS: u32 = 10;
/// Samples of the longest packet.
const MAX_SAMPLES: usize = MAX_PACKET_MS * SampleRate::Hz48000.samples_per_ms();

/// A listener's ear.
#[derive(Debug)]
pub(crate) struct Ear {
    timeline: Timeline,
    room: u32,
    rate: SampleRate,
    decoder: Decoder,
    /// Frames of the window that is being collected.
    window: Vec<i16>,
    windows: Vec<Vec<i16>>,
    clicks: Clicks,
    onsets: Vec<Onset>,
}

impl Ear {
    /// An ear in a room.
    pub(crate) fn new(timeline: Timeline, room: u32, format: Format) -> Self {
        let rate = format.sample_rate();
        Self {
            timeline,
            room,
            rate,
            decoder: Decoder::new(format),
            window: Vec::with_capacity(WINDOW_FRAMES * rate.frame_samples()),
            windows: Vec::new(),
            clicks: Clicks::new(rate),
            onsets: Vec::new(),
        }
    }

    /// Takes the payload that arrived at `at` after the start.
    pub(crate) fn hear(&mut self, at: Duration, payload: &[u8], place: Place) {
        let mut samples = [0; MAX_SAMPLES];
        if place == Place::Late {
            return;
        }
        let Ok(count) = self.decoder.decode(payload, &mut samples) else { return };
        let samples = &samples[..count];
        if place == Place::AfterGap {
            self.window.clear();
            self.clicks.interrupt();
        }
        if Timeline::tones().contains(&at) {
            self.listen(at, samples);
        }
        if self.timeline.clicks(self.room).contains(&at) {
            self.clicks.hear(at, samples, |onset| self.onsets.push(onset));
        }
    }

    fn listen(&mut self, at: Duration, samples: &[i16]) {
        let Range { start, end } = Timeline::tones();
        let due = start + end.saturating_sub(start) * self.windows.len() as u32 / WINDOWS;
        if at >= due {
            self.window.extend(samples);
            let whole = WINDOW_FRAMES * self.rate.frame_samples();
            if self.window.len() >= whole {
                self.window.truncate(whole);
                self.windows.push(std::mem::take(&mut self.window));
            }
        }
    }

    /// The clicks that were heard.
    pub(crate) fn onsets(&self) -> &[Onset] {
        &self.onsets
    }

    /// The level of a tone in the middle one of the windows, from the quietest to the loudest: a
    /// window in which something slipped decides nothing. Silence when nothing was heard.
    pub(crate) fn tone(&self, scale: Scale, tone: u32) -> Dbov {
        let mut levels: Vec<_> =
            self.windows.iter().map(|window| goertzel(window, self.rate, scale.hz(tone)).0).collect();
        levels.sort_unstable_by(f32::total_cmp);
        levels.get(levels.len() / 2).map_or(Dbov::SILENCE, |level| Dbov(*level))
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::TICK;

    use super::*;
    use crate::delay;
    use crate::hall::{self, DELAY};
    use crate::hearing::Seat;
    use crate::repertoire::Said;
    use crate::tones::tone_level;

    const OPUS: Format = Format::Opus(SampleRate::Hz48000);
    const FORMATS: [Format; 5] =
        [Format::Pcmu, Format::Pcma, Format::G722, Format::L16(SampleRate::Hz16000), OPUS];

    fn seats(numbers: &[u32]) -> Vec<Seat> {
        numbers.iter().map(|number| Seat { room: 0, number: *number }).collect()
    }

    #[test]
    fn tones_that_sound_are_heard_and_others_are_not_in_every_format() {
        for format in FORMATS {
            let script = hall::script(format.into(), 10, 5);
            let ear = hall::ear(&script, format.into(), 0, &seats(&[0, 1, 3, 4]), |_| false);
            let relative = |tone| ear.tone(script.plan.scale, tone).0 - tone_level(5).0;
            for tone in 0..50 {
                let level = relative(tone);
                if [0, 10, 30, 40].contains(&tone) {
                    assert!(level.abs() < 2.0, "{format:?} {tone}: {level}");
                } else {
                    assert!(level < -28.0, "{format:?} {tone}: {level}");
                }
            }
            assert_eq!(ear.windows.len(), 10);
        }
    }

    #[test]
    fn lost_packets_spoil_no_window() {
        let script = hall::script(Format::Pcmu.into(), 1, 3);
        let ear = hall::ear(&script, Format::Pcmu.into(), 0, &seats(&[0, 1]), |tick| tick % 7 == 3);
        assert!(!ear.windows.is_empty());
        assert!(ear.tone(script.plan.scale, 0).0 - tone_level(3).0 > -1.0);
        assert!(ear.tone(script.plan.scale, 2).0 - tone_level(3).0 < -40.0);
    }

    #[test]
    fn every_click_is_heard_when_it_arrives_and_codecs_take_what_they_are_known_to() {
        let script = hall::script(Format::Pcmu.into(), 1, 3);
        let mut said = Vec::new();
        for tick in 0..400 {
            for seat in seats(&[0, 1]) {
                if let Said::Click(variation, 0) = script.said(seat, tick) {
                    said.push((TICK * tick + variation.offset() + DELAY, variation.pitch()));
                }
            }
        }
        for format in FORMATS {
            let script = hall::script(format.into(), 1, 3);
            let ear = hall::ear(&script, format.into(), 0, &seats(&[0, 1]), |_| false);
            assert_eq!(ear.onsets().len(), said.len(), "{format:?}");
            let codecs = delay::of_codecs(format.into());
            for (onset, (at, pitch)) in ear.onsets().iter().zip(&said) {
                let error = onset.at.abs_diff(*at + codecs);
                assert!(error <= Duration::from_micros(250), "{format:?} {error:?}");
                assert_eq!(onset.pitch, *pitch);
            }
        }
        assert_eq!(delay::of_codecs(Format::Pcmu.into()), Duration::ZERO);
    }

    #[test]
    fn payloads_that_are_none_are_ignored() {
        let script = hall::script(OPUS.into(), 1, 3);
        let mut ear = Ear::new(script.timeline, 0, OPUS);
        for payload in [&[][..], &[0xff; 600], &[0x03; 2000]] {
            ear.hear(Duration::from_secs(2), payload, Place::Next);
        }
        assert_eq!(ear.tone(script.plan.scale, 0), Dbov::SILENCE);
    }
}
