//! One decoder that hears two encoders in turn, as a listener does who begins and stops talking.

use mixminus_audio::SampleRate;
use mixminus_codec::{Decoder, Encoder, Format};

use crate::speech::{decode, decode_frame, encode, encode_frame, opus, snr, speech};

/// Frames from one change to the next.
const TURN: usize = 15;

/// What is heard when an encoder of its own takes turns with the one that goes on all the time; `begin`
/// prepares it for a turn with the frames before.
fn in_turns(format: Format, samples: &[i16], begin: impl Fn(&mut Encoder, &Encoder, &[&[i16]])) -> Vec<i16> {
    let frames: Vec<&[i16]> = samples.chunks_exact(format.sample_rate().frame_samples()).collect();
    let (mut shared, mut own) = (Encoder::new(format.into()), Encoder::new(format.into()));
    let mut decoder = Decoder::new(format);
    let mut decoded = vec![];
    for (n, frame) in frames.iter().enumerate() {
        let (turn, of_turn) = (n / TURN, n % TURN);
        if turn % 2 == 1 && of_turn == 0 {
            begin(&mut own, &shared, &frames[n - 4..n]);
        }
        let mut payload = encode_frame(&mut shared, frame);
        if turn % 2 == 1 {
            payload = encode_frame(&mut own, frame);
        }
        decoded.extend(decode_frame(&mut decoder, &payload));
    }
    decoded
}

/// How much the first 20 ms of the turns of an encoder of its own are like those of the one that goes on all
/// the time, in decibels. A new encoder has not heard the last 5 ms, by which Opus is behind.
fn likeness_of_seams(always: &[i16], in_turns: &[i16], rate: SampleRate) -> f64 {
    let seam = |samples: &[i16]| -> Vec<i16> {
        let frames = samples.chunks_exact(rate.frame_samples());
        frames.skip(TURN).step_by(2 * TURN).flatten().copied().collect()
    };
    snr(&seam(always), &seam(in_turns), rate)
}

#[test]
fn a_primed_encoder_takes_over_almost_as_well_as_one_that_was_there() {
    for rate in [SampleRate::Hz16000, SampleRate::Hz48000] {
        let format = Format::Opus(rate);
        let original = speech(rate, 8 * TURN);
        let always = decode(format, &encode(opus(rate), &original));
        let primed = in_turns(format, &original, |own, _, recent| own.prime(recent));
        let new = in_turns(format, &original, |own, _, _| own.reset());
        let [primed, new] = [primed, new].map(|turns| likeness_of_seams(&always, &turns, rate));
        // One frame of priming makes 12 to 13 dB, two 19 to 21, four 20 to 23.
        assert!(primed > 16.0, "{rate:?}: {primed:.1} dB");
        assert!(new < 12.0, "{rate:?}: {new:.1} dB, so priming needs no test");
    }
}

#[test]
fn a_primed_encoder_depends_on_the_last_frames_only() {
    let format = Format::Opus(SampleRate::Hz16000);
    let samples = speech(SampleRate::Hz16000, 10);
    let frames: Vec<&[i16]> = samples.chunks_exact(320).collect();
    let [mut few, mut many] = [(); 2].map(|()| Encoder::new(format.into()));
    // What an encoder did before it is primed is forgotten.
    for frame in &frames {
        encode_frame(&mut many, frame);
    }
    few.prime(&frames[9 - Encoder::PRIMING_FRAMES..9]);
    many.prime(&frames[..9]);
    assert_eq!(encode_frame(&mut few, frames[9]), encode_frame(&mut many, frames[9]));
}

#[test]
fn formats_whose_state_can_be_copied_go_on_bit_for_bit() {
    for format in Format::ALL {
        let original = speech(format.sample_rate(), 4 * TURN);
        let copied = in_turns(format, &original, |own, shared, _| {
            assert_eq!(own.continue_from(shared), !matches!(format, Format::Opus(_)), "{format:?}");
        });
        if !matches!(format, Format::Opus(_)) {
            assert_eq!(copied, decode(format, &encode(format.into(), &original)), "{format:?}");
        }
    }
}

#[test]
fn no_encoder_goes_on_from_one_of_another_format() {
    for format in Format::ALL {
        for other in Format::ALL.into_iter().filter(|&other| other != format) {
            assert!(!Encoder::new(format.into()).continue_from(&Encoder::new(other.into())));
        }
    }
}
