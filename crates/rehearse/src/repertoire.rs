//! All that is said in a rehearsal, encoded before it begins: the machine that also runs the server is
//! not to spend its time on encoders of ours.

use mixminus_audio::Sine;
use mixminus_codec::{Encoder, Encoding, MAX_PAYLOAD_BYTES, OpusSettings};

use crate::click::{VARIATIONS, Variation};
use crate::tones::{Scale, tone_level};

/// After so many frames of the same, an encoder has settled.
const WARM_FRAMES: usize = 50;
/// Length of what is repeated: whole periods of every tone, and whole periods of what DTX sends.
const LOOP_FRAMES: usize = 100;

/// Payloads of frames one after the other; an empty one is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Payloads(Vec<Box<[u8]>>);

/// What can be said.
#[derive(Clone, Debug)]
pub(crate) struct Repertoire {
    silence: Payloads,
    clicks: Vec<Payloads>,
    tones: Vec<Payloads>,
    talk: Payloads,
}

/// What a caller says in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing; the frame's number.
    Silence(u32),
    /// A tone; the frame's number.
    Tone(u32, u32),
    /// Talk; the frame's number.
    Talk(u32),
    /// A frame of a click.
    Click(Variation, u32),
}

impl Repertoire {
    /// Encodes silence, clicks, the tones of rooms where `talkers` talk, and what they talk about, which is
    /// whole frames.
    pub(crate) fn encode(encoding: Encoding, scale: Scale, talkers: u32, recording: &[i16]) -> Self {
        let frame = scale.rate.frame_samples();
        // To an encoder that saves, a tone that goes on is noise.
        let tone_encoding = Encoding::new(encoding.format(), OpusSettings { dtx: false, ..encoding.opus() });
        let quiet = vec![0; WARM_FRAMES * frame];
        let tone = |tone: u32| {
            let mut samples = vec![0; (WARM_FRAMES + LOOP_FRAMES) * frame];
            let mut sine = Sine::new(scale.rate, scale.hz(tone), tone_level(talkers));
            // Peaks of different tones meet as seldom as can be.
            sine.fill(&mut samples[..(tone * tone) as usize % frame]);
            sine.fill(&mut samples);
            Payloads::of(tone_encoding, frame, &samples).after(WARM_FRAMES)
        };
        let click = |number| {
            let samples = [quiet.clone(), Variation::of(number).samples(scale.rate)].concat();
            Payloads::of(tone_encoding, frame, &samples).after(WARM_FRAMES)
        };
        let silence = vec![0; (WARM_FRAMES + LOOP_FRAMES) * frame];
        Self {
            silence: Payloads::of(encoding, frame, &silence).after(WARM_FRAMES),
            clicks: (0..VARIATIONS).map(click).collect(),
            tones: (0..scale.tones).map(tone).collect(),
            talk: Payloads::of(encoding, frame, recording),
        }
    }

    /// Frames of talk until it repeats itself.
    pub(crate) fn talk_frames(&self) -> u32 {
        self.talk.0.len() as u32
    }

    /// Sends nothing for silence from now on, as formats without DTX of their own can.
    pub(crate) fn leave_silence_out(&mut self) {
        self.silence = Payloads(vec![Box::default()]);
    }

    /// The payload of what is said; empty when nothing is sent.
    pub(crate) fn payload(&self, said: Said) -> &[u8] {
        match said {
            Said::Silence(frame) => self.silence.frame(frame),
            Said::Tone(tone, frame) => self.tones[tone as usize].frame(frame),
            Said::Talk(frame) => self.talk.frame(frame),
            Said::Click(variation, frame) => self.clicks[variation.index()].frame(frame),
        }
    }
}

impl Payloads {
    fn of(encoding: Encoding, frame: usize, samples: &[i16]) -> Self {
        let (mut encoder, mut payload) = (Encoder::new(encoding), [0; MAX_PAYLOAD_BYTES]);
        let mut encode = |samples: &[i16]| {
            let bytes = encoder.encode(samples, &mut payload);
            payload[..bytes].into()
        };
        Self(samples.chunks_exact(frame).map(&mut encode).collect())
    }

    fn after(mut self, frames: usize) -> Self {
        self.0.drain(..frames);
        self
    }

    /// A frame of what is repeated without end.
    fn frame(&self, number: u32) -> &[u8] {
        &self.0[number as usize % self.0.len()]
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::SampleRate;
    use mixminus_codec::{Decoder, Format, OpusSettings};

    use super::*;

    const OPUS: Format = Format::Opus(SampleRate::Hz48000);

    fn repertoire(encoding: Encoding) -> Repertoire {
        Repertoire::encode(encoding, Scale::new(encoding.format().sample_rate(), 100), 2, &[0; 960])
    }

    #[test]
    fn a_tone_goes_on_where_its_loop_ends() {
        let repertoire = repertoire(Format::Pcmu.into());
        let mut decoder = Decoder::new(Format::Pcmu);
        let mut frame = |number| {
            let mut samples = [0; 160];
            decoder.decode(repertoire.payload(Said::Tone(2, number)), &mut samples).unwrap();
            samples
        };
        assert_ne!(frame(0), frame(1));
        assert_eq!(frame(0), frame(5));
        assert_eq!(frame(99), frame(4));
        assert_eq!(frame(100), frame(0));
    }

    #[test]
    fn silence_is_left_out_or_sent_now_and_then() {
        let sent = |repertoire: Repertoire| {
            (0..100).filter(|frame| !repertoire.payload(Said::Silence(*frame)).is_empty()).count()
        };
        let mut pcmu = repertoire(Format::Pcmu.into());
        assert_eq!(sent(pcmu.clone()), 100);
        pcmu.leave_silence_out();
        assert_eq!(sent(pcmu), 0);
        assert_eq!(sent(repertoire(OPUS.into())), 100);
        let dtx = Encoding::new(OPUS, OpusSettings { dtx: true, ..OpusSettings::default() });
        assert!((1..=10).contains(&sent(repertoire(dtx))));
    }
}
