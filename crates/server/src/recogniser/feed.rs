//! What a tap carries, as a recogniser hears it: 16-bit little-endian samples, 16 kHz, one channel.

use std::io;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use mixminus_audio::{Resampler, SampleRate};
use mixminus_mixer::TapReader;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::time::{MissedTickBehavior, interval};

/// What a recogniser is given.
const RATE: SampleRate = SampleRate::Hz16000;
/// How often the tap is looked at. It holds two seconds.
const INTERVAL: Duration = Duration::from_millis(40);
/// Longest gap that is filled with silence, in ticks: a second. What a longer one is worth, no recogniser can tell.
const MAX_GAP_TICKS: u64 = 50;

/// Hands on what a tap carries.
#[derive(Debug)]
pub(super) struct Feed {
    audio: TapReader,
    input: ChildStdin,
    pcm: Pcm,
}

/// What is to be handed on, and what is needed to make more of it.
#[derive(Debug, Default)]
struct Pcm {
    unwritten: BytesMut,
    resampler: Option<(SampleRate, Resampler)>,
    last_tick: Option<u64>,
}

impl Feed {
    pub fn new(audio: TapReader, input: ChildStdin) -> Self {
        Self { audio, input, pcm: Pcm::default() }
    }

    /// Hands on what comes, as long as it is wanted. It can be left at any time, and goes on where it was.
    pub async fn run(&mut self) -> io::Result<()> {
        let mut look = interval(INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            self.hand_on().await?;
        }
    }

    /// Hands on what has come, and says that there is no more: the pipe is closed when it is dropped.
    pub async fn finish(mut self) -> io::Result<()> {
        self.hand_on().await
    }

    async fn hand_on(&mut self) -> io::Result<()> {
        // What is not taken waits in the tap, which has a bound.
        if self.pcm.unwritten.is_empty() {
            self.audio.read(&mut |tick| {
                self.pcm.add(tick.tick, tick.rate, tick.frames().next().map(|(_, frame)| frame));
            });
        }
        while !self.pcm.unwritten.is_empty() {
            self.input.write_buf(&mut self.pcm.unwritten).await?;
        }
        Ok(())
    }
}

impl Pcm {
    /// Adds the frame of `tick`, or silence, after what is missing since the last one.
    fn add(&mut self, tick: u64, rate: SampleRate, frame: Option<&[i16]>) {
        let missing = self.last_tick.map_or(0, |last| (tick - last - 1).min(MAX_GAP_TICKS));
        for _ in 0..missing {
            self.add_frame(rate, None);
        }
        self.last_tick = Some(tick);
        self.add_frame(rate, frame);
    }

    fn add_frame(&mut self, rate: SampleRate, frame: Option<&[i16]>) {
        let resampler = match &mut self.resampler {
            Some((from, resampler)) if *from == rate => resampler,
            other => &mut other.insert((rate, Resampler::new(rate, RATE))).1,
        };
        let mut out = [0; RATE.frame_samples()];
        let silence = [0; mixminus_audio::MAX_FRAME_SAMPLES];
        resampler.process(frame.unwrap_or(&silence[..rate.frame_samples()]), &mut out);
        for sample in out {
            self.unwritten.put_i16_le(sample);
        }
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::{Dbov, Sine, goertzel};

    use super::*;

    fn samples(pcm: &Pcm) -> Vec<i16> {
        pcm.unwritten.chunks_exact(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]])).collect()
    }

    #[test]
    fn a_tone_is_the_same_whatever_the_rate_of_the_bridge() {
        for rate in SampleRate::ALL {
            let (mut pcm, mut tone) = (Pcm::default(), Sine::new(rate, 1000.0, Dbov(-20.0)));
            for tick in 0..10 {
                let mut frame = vec![0; rate.frame_samples()];
                tone.fill(&mut frame);
                pcm.add(tick, rate, Some(&frame));
            }
            let heard = samples(&pcm);
            assert_eq!(heard.len(), 3200, "{rate:?}");
            let level = goertzel(&heard[1600..], RATE, 1000.0);
            assert!((level.0 + 20.0).abs() < 0.5, "{rate:?}: {level:?}");
        }
    }

    #[test]
    fn what_is_missing_is_silence_of_its_length_up_to_a_second() {
        let mut pcm = Pcm::default();
        let frame = [1000; 320];
        for tick in [7, 9, 1000] {
            pcm.add(tick, RATE, Some(&frame));
        }
        pcm.add(1001, RATE, None);
        let sounding: Vec<_> = samples(&pcm).chunks_exact(320).map(|frame| frame[0] != 0).collect();
        let expected = [vec![true, false, true], vec![false; 50], vec![true, false]].concat();
        assert_eq!(sounding, expected);
    }
}
