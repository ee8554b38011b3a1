//! What a caller says.

use std::sync::Arc;

use mixminus_audio::{Dbov, SampleRate, Sine, level};

use crate::timeline::Timeline;

/// Everything here is G.711.
pub(crate) const RATE: SampleRate = SampleRate::Hz8000;
/// Samples of a frame.
pub(crate) const FRAME: usize = RATE.frame_samples();

/// Distance of two tones. A window of 100 ms holds a whole number of periods of each, so that they
/// do not leak into one another.
const TONE_STEP_HZ: u32 = 10;
/// The lowest tone.
const LOWEST_HZ: u32 = 300;
/// Different tones in the band of a telephone.
pub(crate) const TONES: u32 = 300;
/// Peak of all tones of a room together, of full scale: no limiter has a reason to act.
const ROOM_PEAK: f32 = 0.5;
/// Peak of many tones that begin at different phases, against their effective value together. Tones
/// that were as soft as if all peaks met would be distorted by G.711 itself.
const CREST: f32 = 4.5;
/// Peak of one tone alone.
const TONE_PEAK: f32 = 0.25;

const CLICK_HZ: f64 = 1000.0;
const CLICK_LEVEL: Dbov = Dbov(-12.0);
const CLICK_SAMPLES: usize = 40;

/// The frequency of a tone, by its number below [`TONES`].
pub(crate) fn tone_hz(tone: u32) -> f64 {
    f64::from(LOWEST_HZ + tone * TONE_STEP_HZ)
}

/// The level of each tone in a room of `participants`.
pub(crate) fn tone_level(participants: u32) -> Dbov {
    let participants = participants as f32;
    let peaks_that_meet = participants.min(CREST * (participants / 2.0).sqrt());
    let peak = (ROOM_PEAK / peaks_that_meet).min(TONE_PEAK);
    Dbov(20.0 * (peak / std::f32::consts::SQRT_2).log10())
}

/// A recording that callers read out in turns.
#[derive(Clone, Debug)]
pub(crate) struct Speech {
    pub(crate) samples: Arc<[i16]>,
    pub(crate) participants: u32,
}

impl Speech {
    pub(crate) fn level(&self) -> Dbov {
        level(&self.samples)
    }
}

/// What a caller says until the clicks begin.
#[derive(Clone, Debug)]
pub(crate) enum Voice {
    /// A tone without end.
    Tone(Sine),
    /// A recording, when it is the caller's turn.
    Speech {
        /// What is read.
        speech: Speech,
        /// The turn.
        turn: u32,
        /// The next sample.
        position: usize,
    },
}

impl Voice {
    pub(crate) fn tone(tone: u32, participants: u32) -> Self {
        let mut sine = Sine::new(RATE, tone_hz(tone), tone_level(participants));
        let mut skipped = [0; FRAME];
        sine.fill(&mut skipped[..(tone * tone) as usize % FRAME]);
        Self::Tone(sine)
    }

    pub(crate) fn speech(speech: Speech, turn: u32) -> Self {
        Self::Speech { speech, turn, position: 0 }
    }

    fn fill(&mut self, timeline: Timeline, tick: u32, frame: &mut [i16; FRAME]) {
        match self {
            Self::Tone(sine) if timeline.is_voiced(tick) => sine.fill(frame),
            Self::Speech { speech, turn, position }
                if timeline.turn(tick, speech.participants) == Some(*turn) =>
            {
                for sample in frame {
                    *sample = speech.samples[*position];
                    *position = (*position + 1) % speech.samples.len();
                }
            }
            _ => frame.fill(0),
        }
    }
}

/// A caller's mouth.
#[derive(Clone, Debug)]
pub(crate) struct Mouth {
    pub(crate) voice: Voice,
    /// One in a room clicks.
    pub(crate) clicks: bool,
}

impl Mouth {
    /// Writes the frame of `tick`; where it clicks, if it does.
    pub(crate) fn speak(&mut self, timeline: Timeline, tick: u32, frame: &mut [i16; FRAME]) -> Option<usize> {
        self.voice.fill(timeline, tick, frame);
        let offset = timeline.click(tick).filter(|_| self.clicks)?;
        Sine::new(RATE, CLICK_HZ, CLICK_LEVEL).fill(&mut frame[offset..offset + CLICK_SAMPLES]);
        Some(offset)
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::goertzel;

    use super::*;

    #[test]
    fn a_room_of_any_size_stays_below_full_scale_and_half_of_it_nearly_always() {
        let timeline = Timeline::new(20);
        for participants in [1, 2, 10, 60, 100, 300] {
            let mut sum = [0_i32; 5 * FRAME];
            for tone in 0..participants {
                let mut mouth = Mouth { voice: Voice::tone(tone, participants), clicks: false };
                for (tick, sum) in (0..).zip(sum.chunks_mut(FRAME)) {
                    let mut frame = [0; FRAME];
                    mouth.speak(timeline, tick, &mut frame);
                    sum.iter_mut().zip(frame).for_each(|(sum, sample)| *sum += i32::from(sample));
                }
            }
            let loud = sum.iter().filter(|sample| sample.abs() > 1 << 14).count();
            assert!(sum.iter().all(|sample| sample.abs() < 1 << 15), "{participants}");
            assert!(loud <= 4, "{participants}: {loud} samples");
        }
    }

    #[test]
    fn tones_do_not_leak_into_each_other() {
        let timeline = Timeline::new(20);
        let mut mouth = Mouth { voice: Voice::tone(7, 2), clicks: false };
        let mut window = Vec::new();
        for tick in 0..5 {
            let mut frame = [0; FRAME];
            assert_eq!(mouth.speak(timeline, tick, &mut frame), None);
            window.extend(frame);
        }
        let heard = |tone| goertzel(&window, RATE, tone_hz(tone)).0 - tone_level(2).0;
        assert!(heard(7).abs() < 0.1);
        assert!(heard(6) < -60.0 && heard(8) < -60.0 && heard(299) < -60.0);
    }

    #[test]
    fn a_click_begins_where_the_mouth_says() {
        let timeline = Timeline::new(20);
        let mut mouth = Mouth { voice: Voice::tone(0, 1), clicks: true };
        let (mut frame, mut offsets) = ([0; FRAME], Vec::new());
        for tick in 0..timeline.ticks() {
            if let Some(offset) = mouth.speak(timeline, tick, &mut frame) {
                assert!(frame[..=offset].iter().all(|sample| *sample == 0));
                assert!(frame[offset + 1] > 4000);
                offsets.push(offset);
            }
        }
        assert_eq!(offsets, [0, 37, 74, 111, 28, 65, 102, 19]);
    }

    #[test]
    fn speech_is_read_in_turns() {
        let speech = Speech { samples: [5, -5].into(), participants: 2 };
        let timeline = Timeline::new(Timeline::seconds_for_turns(2));
        let mut mouths: Vec<_> =
            (0..2).map(|turn| Mouth { voice: Voice::speech(speech.clone(), turn), clicks: false }).collect();
        let mut spoken = [0; 2];
        for tick in 0..timeline.ticks() {
            let mut speaking = 0;
            for (mouth, spoken) in mouths.iter_mut().zip(&mut spoken) {
                let mut frame = [0; FRAME];
                mouth.speak(timeline, tick, &mut frame);
                let speaks = frame[0] != 0;
                speaking += i32::from(speaks);
                *spoken += i32::from(speaks);
            }
            assert!(speaking <= 1);
        }
        assert!(spoken.iter().all(|frames| *frames >= 75), "{spoken:?}");
    }
}
