//! What callers talk about.

use std::path::Path;

use flite_rs::Engine;
use mixminus_audio::{Dbov, Decibels, SampleRate, level, resample};

use crate::tones::tone_level;
use crate::wav::{self, WavError};

/// What is said without a recording. Some 15 seconds.
const TEXT: &str = "The north wind and the sun were disputing which was the stronger, when a traveller came \
    along wrapped in a warm cloak. They agreed that the one who first succeeded in making the traveller take \
    his cloak off should be considered stronger than the other. Then the north wind blew as hard as he could.";
/// So much of a recording is used: what is encoded beforehand is to be encoded soon.
const LONGEST_S: usize = 30;

/// Level of speech on telephones (ITU-T P.56), over its pauses.
const SPEECH_LEVEL: Dbov = Dbov(-28.0);

/// The level of each voice in a room where so many talk: as loud as on a telephone, and softer where more
/// voices would exceed full scale together.
pub(crate) fn room_level(talkers: u32) -> Dbov {
    Dbov(tone_level(talkers).0.min(SPEECH_LEVEL.0))
}

/// Speech of the voice inside the program. Tones alone would not do: an Opus encoder spends several times
/// as much on speech.
pub(crate) fn spoken(rate: SampleRate) -> Vec<i16> {
    let mut engine = Engine::new();
    assert!(engine.select_voice("kal16"), "the voice is compiled in");
    resample(&engine.synthesize(TEXT).samples, engine.sample_rate(), rate)
}

/// Reads a WAV file.
pub(crate) fn read(path: &Path, rate: SampleRate) -> Result<Vec<i16>, WavError> {
    let mut samples = wav::read(path, rate)?;
    samples.truncate(LONGEST_S * rate.hz() as usize);
    Ok(samples)
}

/// Whole frames of what is said at a level, over pauses and all.
pub(crate) fn at_level(mut samples: Vec<i16>, rate: SampleRate, wanted: Dbov) -> Vec<i16> {
    let factor = Decibels(wanted.0 - level(&samples).0).amplitude();
    for sample in &mut samples {
        *sample = (f32::from(*sample) * factor) as i16;
    }
    samples.resize(samples.len().next_multiple_of(rate.frame_samples()), 0);
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_voice_inside_talks_for_a_while_at_every_rate_and_level() {
        for rate in SampleRate::ALL {
            let speech = at_level(spoken(rate), rate, Dbov(-30.0));
            assert!((10..20).contains(&(speech.len() / rate.hz() as usize)), "{}", speech.len());
            assert_eq!(speech.len() % rate.frame_samples(), 0);
            assert!((level(&speech).0 + 30.0).abs() < 0.2);
        }
    }
}
