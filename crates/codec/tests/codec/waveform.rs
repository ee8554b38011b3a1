//! The formats that code the waveform, and the concealment of their losses.

use mixminus_audio::{Dbov, SampleRate, Sine};
use mixminus_codec::{Decoder, Encoder, Format};

use crate::speech::{decode_frame, encode, encode_frame};

/// All of which the decoder continues itself.
const FORMATS: [Format; 5] = [
    Format::G722,
    Format::Pcmu,
    Format::Pcma,
    Format::L16(SampleRate::Hz16000),
    Format::L16(SampleRate::Hz8000),
];

/// Two and a half periods a frame.
fn tone(rate: SampleRate, frames: usize) -> Vec<i16> {
    let mut tone = vec![0; frames * rate.frame_samples()];
    Sine::new(rate, 125.0, Dbov(-9.0)).fill(&mut tone);
    tone
}

fn steepest(samples: &[i16]) -> u16 {
    samples.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap()
}

#[test]
fn each_format_codes_by_its_own_law() {
    let decoded = [Format::Pcmu, Format::Pcma, Format::L16(SampleRate::Hz8000)].map(|format| {
        let payload = encode_frame(&mut Encoder::new(format.into()), &[1_000, -1_000]);
        let mut samples = [0; 3];
        assert_eq!(Decoder::new(format).decode(&payload, &mut samples), Ok(2));
        samples
    });
    assert_eq!(decoded, [[988, -988, 0], [1_008, -1_008, 0], [1_000, -1_000, 0]]);
}

#[test]
fn a_frame_fills_as_many_bytes_as_its_format_says() {
    let sizes = FORMATS.map(|format| encode(format.into(), &tone(format.sample_rate(), 1))[0].len());
    assert_eq!(sizes, [160, 160, 160, 640, 320]);
}

/// Nine frames of a tone, what `between` makes of it, and `after`; nothing of it may be steep.
fn assert_smooth(format: Format, after: &[Vec<u8>], between: impl Fn(&mut Decoder, &mut Vec<i16>)) {
    let tone = tone(format.sample_rate(), 9);
    let mut decoder = Decoder::new(format);
    let mut heard = vec![];
    for payload in encode(format.into(), &tone) {
        heard.extend(decode_frame(&mut decoder, &payload));
    }
    between(&mut decoder, &mut heard);
    for payload in after {
        heard.extend(decode_frame(&mut decoder, payload));
    }
    let (own, actual) = (steepest(&tone), steepest(&heard[format.sample_rate().frame_samples()..]));
    assert!(actual < 3 * own, "{format:?}: {actual} where {own} is the tone's own");
}

/// The tone from its frame `n` on.
fn rest(format: Format, n: usize) -> Vec<Vec<u8>> {
    encode(format.into(), &tone(format.sample_rate(), 20)).split_off(n)
}

#[test]
fn lost_audio_goes_on_and_what_comes_back_fades_in() {
    for format in FORMATS {
        assert_smooth(format, &rest(format, 12), |decoder, heard| {
            let mut gap = vec![0; 2 * format.sample_rate().frame_samples()];
            assert!(decoder.conceal(&mut gap), "{format:?}");
            heard.extend(gap);
        });
    }
}

#[test]
fn what_comes_after_an_interruption_fades_in() {
    for format in FORMATS {
        assert_smooth(format, &rest(format, 10), |decoder, _| decoder.interrupt());
    }
}

#[test]
fn another_stream_fades_in_and_is_not_taken_for_more_of_the_last() {
    for format in FORMATS {
        let rate = format.sample_rate();
        let turned: Vec<i16> = tone(rate, 10).split_off(rate.frame_samples());
        assert_smooth(format, &encode(format.into(), &turned), |decoder, _| decoder.restart());
    }
}

#[test]
fn no_waveform_tells_of_the_one_before() {
    for format in FORMATS {
        let payload = &encode(format.into(), &tone(format.sample_rate(), 1))[0];
        assert!(!Decoder::new(format).recover(payload, &mut [0; 160]), "{format:?}");
    }
}
