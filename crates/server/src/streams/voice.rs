//! What a WebSocket lets the far end hear: fed little by little, shortly before it is to be heard, so that what
//! is to be forgotten has not gone far and no audio is kept by media for long.

use std::collections::VecDeque;
use std::sync::Arc;

use mixminus_audio::{Clip, Pcm, SampleRate};
use mixminus_codec::{Decoder, Format};
use mixminus_control::StreamFormat;

use super::ears::wire_rate;
use super::line::{Line, WireRate};

/// How far ahead of what is heard audio is fed, in ticks. More survives later wake-ups of this task; less is
/// heard after audio was cleared.
const LEAD_TICKS: u64 = 6;

/// How many ticks later than it was fed a part is heard when nothing was before it.
const DELAY_TICKS: u64 = 2;

/// How many ticks a piece of a frame waits for its rest.
const PATIENCE_TICKS: u64 = 2;

/// Most frames of one part.
const MAX_PART_FRAMES: u64 = 5;

/// Audio that may wait to be heard: five minutes, in frames of 20 ms.
const MAX_WAITING_FRAMES: usize = 5 * 60 * 50;

/// Checkpoints that may wait to be reached.
const MAX_CHECKPOINTS: usize = 1_000;

/// As much of μ-law as is decoded at once.
const MULAW_FRAME_BYTES: usize = SampleRate::Hz8000.frame_samples();

/// More is asked for than may wait.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than five minutes of audio, or a thousand checkpoints, wait to be heard")]
pub(super) struct TooMuch;

#[derive(Debug)]
enum Item {
    Audio(WireRate, VecDeque<i16>),
    Checkpoint(String),
}

/// What is to be heard, and how far that is. Time is counted in ticks of the tap.
#[derive(Debug, Default)]
pub(super) struct Voice {
    items: VecDeque<Item>,
    line: Option<Line>,
    /// The tick in which all that was fed will have been heard.
    fed_until: u64,
    last_sample: i16,
    /// Since when there is but a piece of a frame.
    stalled_since: Option<u64>,
    /// Checkpoints, each with the tick in which it is reached.
    reached: VecDeque<(u64, String)>,
}

impl Voice {
    /// Takes audio to be heard after all there is. What is no whole sample is left out.
    pub fn play(&mut self, format: StreamFormat, payload: &[u8]) -> Result<(), TooMuch> {
        let rate = wire_rate(format);
        let samples = decode(format, payload);
        if self.waiting_frames() + samples.len() / rate.frame_samples() > MAX_WAITING_FRAMES {
            return Err(TooMuch);
        }
        match self.items.back_mut() {
            Some(Item::Audio(known, waiting)) if *known == rate => waiting.extend(samples),
            _ => self.items.push_back(Item::Audio(rate, samples.into())),
        }
        Ok(())
    }

    /// Tells by [`Self::reached`] when all so far was heard.
    pub fn checkpoint(&mut self, name: String) -> Result<(), TooMuch> {
        if self.items.len() + self.reached.len() >= MAX_CHECKPOINTS {
            return Err(TooMuch);
        }
        self.items.push_back(Item::Checkpoint(name));
        Ok(())
    }

    /// Forgets what was not fed, and checkpoints with it. What was fed fades out.
    pub fn clear(&mut self, (now, bridge): (u64, SampleRate)) -> Option<Arc<Clip>> {
        self.items.clear();
        self.reached.clear();
        let from = std::mem::take(&mut self.last_sample);
        if self.fed_until <= now || from == 0 {
            return None;
        }
        let length = bridge.frame_samples() as i32;
        let fade = (1..=length).map(|n| (i32::from(from) * (length - n) / length) as i16);
        self.fed_until += 1;
        Some(Arc::new(Clip::new(Pcm { rate: bridge, samples: fade.collect() })))
    }

    /// The next part to be heard, at the rate of a bridge that is in tick `now`; none if enough was fed.
    pub fn feed(&mut self, now: u64, bridge: SampleRate) -> Option<Arc<Clip>> {
        let mut samples = Vec::new();
        let begin = if self.fed_until > now { self.fed_until } else { now + DELAY_TICKS };
        let mut until = begin;
        while until < now + LEAD_TICKS && until - begin < MAX_PART_FRAMES {
            match self.next_frame(now) {
                Some((rate, frame)) => {
                    samples.extend(self.convert(rate, bridge, &frame));
                    until += 1;
                }
                None if self.take_checkpoint(if until > begin { until } else { self.fed_until.max(now) }) => {
                }
                None => break,
            }
        }
        let last = *samples.last()?;
        (self.fed_until, self.last_sample) = (until, last);
        Some(Arc::new(Clip::new(Pcm { rate: bridge, samples })))
    }

    /// The checkpoints that are reached in tick `now`, in order.
    pub fn reached(&mut self, now: u64) -> Option<String> {
        self.reached.pop_front_if(|(at, _)| *at <= now).map(|(_, name)| name)
    }

    fn waiting_frames(&self) -> usize {
        let frames = |item: &Item| match item {
            Item::Audio(rate, samples) => samples.len() / rate.frame_samples(),
            Item::Checkpoint(_) => 0,
        };
        self.items.iter().map(frames).sum()
    }

    /// The next frame of 20 ms, filled up with silence where other things follow or it has waited.
    fn next_frame(&mut self, now: u64) -> Option<(WireRate, Vec<i16>)> {
        let is_last = self.items.len() == 1;
        let Some(Item::Audio(rate, samples)) = self.items.front_mut() else { return None };
        let (rate, length) = (*rate, rate.frame_samples());
        if samples.len() < length && is_last {
            let since = *self.stalled_since.get_or_insert(now);
            if now < since + PATIENCE_TICKS {
                return None;
            }
        }
        self.stalled_since = None;
        let mut frame: Vec<_> = samples.drain(..length.min(samples.len())).collect();
        if samples.is_empty() {
            self.items.pop_front();
        }
        if frame.is_empty() {
            return None;
        }
        frame.resize(length, 0);
        Some((rate, frame))
    }

    fn take_checkpoint(&mut self, at: u64) -> bool {
        match self.items.pop_front_if(|item| matches!(item, Item::Checkpoint(_))) {
            Some(Item::Checkpoint(name)) => {
                self.reached.push_back((at, name));
                true
            }
            _ => false,
        }
    }

    fn convert(&mut self, wire: WireRate, bridge: SampleRate, frame: &[i16]) -> Vec<i16> {
        self.line.take_if(|line| !line.is_between(wire, bridge));
        self.line.get_or_insert_with(|| Line::to_bridge(wire, bridge)).receive(frame)
    }
}

fn decode(format: StreamFormat, payload: &[u8]) -> Vec<i16> {
    if format != StreamFormat::Mulaw {
        let samples = payload.as_chunks::<2>().0;
        return samples.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
    }
    let mut samples = vec![0; payload.len()];
    let mut decoder = Decoder::new(Format::Pcmu);
    for (codes, samples) in payload.chunks(MULAW_FRAME_BYTES).zip(samples.chunks_mut(MULAW_FRAME_BYTES)) {
        decoder.decode(codes, samples).expect("20 ms or less of μ-law are as many samples");
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate::Hz8000;

    fn tone(value: i16, frames: usize) -> Vec<u8> {
        [value; 160].iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>().repeat(frames)
    }

    /// How many frames are fed in tick `now`.
    fn fed(voice: &mut Voice, now: u64) -> usize {
        let mut frames = 0;
        while let Some(part) = voice.feed(now, RATE) {
            frames += part.pcm().samples.len() / 160;
        }
        frames
    }

    #[test]
    fn audio_is_fed_as_it_is_heard_and_a_checkpoint_is_reached_after_it() {
        let mut voice = Voice::default();
        voice.play(StreamFormat::Linear8k, &tone(7, 10)).unwrap();
        voice.checkpoint("end".into()).unwrap();
        assert_eq!(fed(&mut voice, 100), 4, "from two ticks later to six");
        assert_eq!((fed(&mut voice, 100), fed(&mut voice, 101)), (0, 1));
        assert_eq!(fed(&mut voice, 106), 5, "the rest, to tick 112");
        assert_eq!((fed(&mut voice, 107), voice.reached(111)), (0, None));
        assert_eq!((voice.reached(112), voice.reached(112)), (Some("end".into()), None));
    }

    #[test]
    fn a_checkpoint_with_nothing_before_it_is_reached_at_once() {
        let mut voice = Voice::default();
        voice.checkpoint("now".into()).unwrap();
        assert_eq!((voice.feed(5, RATE).is_none(), voice.reached(5)), (true, Some("now".into())));
    }

    #[test]
    fn pieces_of_frames_are_joined_and_the_last_one_is_filled_up_when_it_is_time() {
        let mut voice = Voice::default();
        voice.play(StreamFormat::Linear8k, &tone(7, 1)[..200]).unwrap();
        voice.play(StreamFormat::Linear8k, &tone(7, 1)[..121]).unwrap();
        let part = voice.feed(1, RATE).unwrap();
        assert_eq!(part.pcm().samples, [7; 160], "and half a sample is none");
        voice.play(StreamFormat::Linear8k, &tone(8, 1)[..20]).unwrap();
        assert!(voice.feed(1, RATE).is_none() && voice.feed(2, RATE).is_none(), "more may come");
        let part = voice.feed(3, RATE).unwrap();
        assert_eq!((&part.pcm().samples[..10], part.pcm().samples[10]), (&[8; 10][..], 0));
    }

    #[test]
    fn what_is_cleared_fades_and_its_checkpoints_are_forgotten() {
        let mut voice = Voice::default();
        voice.play(StreamFormat::Mulaw, &[0x80; 1600]).unwrap();
        voice.checkpoint("never".into()).unwrap();
        assert_eq!(fed(&mut voice, 1), 4);
        let fade = voice.clear((1, RATE)).unwrap();
        let samples = &fade.pcm().samples;
        assert!(samples.is_sorted_by(|a, b| a >= b) && samples[159] == 0, "{samples:?}");
        assert!(voice.clear((1, RATE)).is_none() && voice.feed(1, RATE).is_none());
        assert_eq!(voice.reached(1_000), None);
    }

    #[test]
    fn no_more_waits_than_five_minutes() {
        let mut voice = Voice::default();
        let second = vec![0; 16_000];
        assert!((0..300).all(|_| voice.play(StreamFormat::Linear8k, &second).is_ok()));
        assert_eq!(voice.play(StreamFormat::Linear8k, &second), Err(TooMuch));
        let mut voice = Voice::default();
        assert!((0..MAX_CHECKPOINTS).all(|_| voice.checkpoint("c".into()).is_ok()));
        assert_eq!(voice.checkpoint("c".into()), Err(TooMuch));
    }
}
