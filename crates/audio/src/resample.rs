//! Resampling of whole clips.

use audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

use crate::SampleRate;

/// Rates that a clip may have: below is no speech, above no file of sound, and the filter's memory grows
/// with the rate.
const ACCEPTED_HZ: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Blocks of 40 ms: longer ones would make the filter's edge steeper, shorter its ringing shorter. At all
/// usual rates this is an even number of output samples, so that half of it, the delay, is a whole number.
const BLOCKS_PER_SECOND: usize = 25;

/// Converts a whole clip of `from_hz` samples per second to `to`. The output is aligned in time with the
/// input: the filter's delay is cut off, and the length is that of the input at the new rate, rounded up.
///
/// # Panics
///
/// When `from_hz` is outside 4000 to 192000, at which no sound is recorded.
pub fn resample(samples: &[i16], from_hz: u32, to: SampleRate) -> Vec<i16> {
    assert!(ACCEPTED_HZ.contains(&from_hz), "{from_hz} samples per second is no rate for sound");
    if from_hz == to.hz() || samples.is_empty() {
        return samples.to_vec();
    }
    let input: Vec<f32> = samples.iter().map(|&sample| f32::from(sample)).collect();
    let input = SequentialSlice::new(&input, 1, samples.len()).expect("one channel as long as the slice");
    let (from, window) = (from_hz as usize, WindowFunction::BlackmanHarris2);
    let output =
        Fft::new_custom(from, to.hz() as usize, from / BLOCKS_PER_SECOND, 1, 1, window, FixedSync::Both)
            .expect("both rates and the chunk are positive")
            .process_all(&input, samples.len(), None)
            .expect("the resampler sizes its own output");
    let clamped = output.take_data().into_iter().map(|sample| sample.round().clamp(-32_768.0, 32_767.0));
    clamped.map(|sample| sample as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dbov, Sine, goertzel};

    fn tone(rate: SampleRate, hz: f64) -> Vec<i16> {
        let mut samples = vec![0; rate.hz() as usize];
        Sine::new(rate, hz, Dbov(-10.0)).fill(&mut samples);
        samples
    }

    #[test]
    fn a_tone_comes_out_the_same_and_aligned_in_time() {
        for (from, to) in
            [(SampleRate::Hz48000, SampleRate::Hz8000), (SampleRate::Hz8000, SampleRate::Hz48000)]
        {
            let output = resample(&tone(from, 1_000.0), from.hz(), to);
            let expected = tone(to, 1_000.0);
            assert_eq!(output.len(), expected.len());
            let edge = to.hz() as usize / 10;
            for (output, expected) in output.iter().zip(&expected).skip(edge).take(8 * edge) {
                assert!(output.abs_diff(*expected) <= 2, "{output} is not {expected}");
            }
        }
    }

    #[test]
    fn what_the_new_rate_cannot_hold_is_removed_and_not_folded() {
        let output = resample(&tone(SampleRate::Hz48000, 5_000.0), 48_000, SampleRate::Hz8000);
        let folded = goertzel(&output[800..7_200], SampleRate::Hz8000, 3_000.0);
        assert!(folded < Dbov(-80.0), "{folded:?}");
    }

    #[test]
    fn a_second_of_44100_hz_is_a_second_of_8_khz() {
        assert_eq!(resample(&vec![0; 44_100], 44_100, SampleRate::Hz8000).len(), 8_000);
    }

    #[test]
    fn a_clip_of_one_sample_survives() {
        assert_eq!(resample(&[9], 8_000, SampleRate::Hz8000), [9]);
        assert_eq!(resample(&[9], 44_100, SampleRate::Hz8000).len(), 1);
        assert_eq!(resample(&[], 44_100, SampleRate::Hz8000), []);
    }

    #[test]
    #[should_panic(expected = "4294967295 samples per second is no rate for sound")]
    fn a_rate_that_no_sound_has_is_refused() {
        resample(&[0], u32::MAX, SampleRate::Hz8000);
    }
}
