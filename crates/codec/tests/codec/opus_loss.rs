//! Lost packets of Opus: FEC, concealment, interruptions.

use mixminus_audio::{Dbov, SampleRate, Sine};
use mixminus_codec::{Decoder, Encoder, Format, MAX_PACKET_MS};

use crate::speech::{RATES, decode, decode_frame, encode, encode_frame, opus, peak, snr, speech};

const LOST: usize = 10;

/// The decoded stream, with the frames from `LOST` to `LOST + count` filled by `fill`.
fn decode_with_loss(
    payloads: &[Vec<u8>],
    rate: SampleRate,
    count: usize,
    mut fill: impl FnMut(&mut Decoder, &mut [i16]),
) -> Vec<i16> {
    let mut decoder = Decoder::new(Format::Opus(rate));
    let mut decoded: Vec<i16> =
        payloads[..LOST].iter().flat_map(|payload| decode_frame(&mut decoder, payload)).collect();
    let mut gap = vec![0; count * rate.frame_samples()];
    fill(&mut decoder, &mut gap);
    decoded.extend(gap);
    decoded.extend(payloads[LOST + count..].iter().flat_map(|payload| decode_frame(&mut decoder, payload)));
    decoded
}

#[test]
fn a_lost_packet_is_recovered_from_the_next_when_loss_is_expected() {
    for rate in RATES {
        let original = speech(rate, 25);
        let payloads = encode(opus(rate).with_expected_loss(25), &original);
        let recovered = decode_with_loss(&payloads, rate, 1, |decoder, gap| {
            assert!(decoder.recover(&payloads[LOST + 1], gap), "{rate:?}");
        });
        let concealed = decode_with_loss(&payloads, rate, 1, |decoder, gap| {
            assert!(decoder.conceal(gap));
        });
        let quality = |decoded: &[i16]| {
            let lost = LOST * rate.frame_samples();
            snr(&original[lost..lost + rate.frame_samples()], &decoded[lost..], rate)
        };
        let (recovered, concealed) = (quality(&recovered), quality(&concealed));
        assert!(recovered > concealed + 3.0, "{rate:?}: {recovered:.1} dB, concealed {concealed:.1}");
    }
}

#[test]
fn a_packet_without_fec_recovers_nothing() {
    for rate in RATES {
        let payloads = encode(opus(rate), &speech(rate, 25));
        decode_with_loss(&payloads, rate, 1, |decoder, gap| {
            gap.fill(7);
            assert!(!decoder.recover(&payloads[LOST + 1], gap));
            assert!(gap.iter().all(|&sample| sample == 7));
        });
    }
}

#[test]
fn less_than_a_packet_is_not_recovered() {
    let rate = SampleRate::Hz16000;
    let payloads = encode(opus(rate).with_expected_loss(25), &speech(rate, 25));
    decode_with_loss(&payloads, rate, 1, |decoder, gap| {
        assert!(!decoder.recover(&payloads[LOST + 1], &mut gap[..160]));
        assert!(decoder.recover(&payloads[LOST + 1], gap));
    });
}

#[test]
fn fec_begins_and_ends_with_the_expected_loss() {
    let rate = SampleRate::Hz16000;
    let samples = speech(rate, 60);
    let mut encoder = Encoder::new(opus(rate));
    let mut decoder = Decoder::new(Format::Opus(rate));
    let mut recoverable = [0; 3];
    for (n, frame) in samples.chunks_exact(rate.frame_samples()).enumerate() {
        if n.is_multiple_of(20) {
            encoder.expect_loss([0, 20, 0][n / 20]);
            assert_eq!(encoder.encoding().expected_loss_percent(), [0, 25, 0][n / 20]);
        }
        let payload = encode_frame(&mut encoder, frame);
        recoverable[n / 20] += u32::from(decoder.recover(&payload, &mut [0; 320]));
    }
    assert_eq!(recoverable[0], 0);
    assert!(recoverable[1] > 12, "{recoverable:?}");
    assert!(recoverable[2] <= 1, "{recoverable:?}");
}

#[test]
fn concealment_of_any_multiple_of_2_5_ms_goes_on_and_fades() {
    for rate in RATES {
        let payloads = encode(opus(rate), &speech(rate, 20));
        let decoder_after = || {
            let mut decoder = Decoder::new(Format::Opus(rate));
            for payload in &payloads {
                decode_frame(&mut decoder, payload);
            }
            decoder
        };
        for tenths_of_ms in (25..=1_200).step_by(25) {
            let mut gap = vec![0; rate.samples_per_ms() * tenths_of_ms / 10];
            assert!(decoder_after().conceal(&mut gap), "{rate:?} {tenths_of_ms}");
        }
        let mut decoder = decoder_after();
        let mut gap = vec![0; MAX_PACKET_MS * rate.samples_per_ms()];
        decoder.conceal(&mut gap);
        let first = peak(&gap[..rate.frame_samples()]);
        decoder.conceal(&mut gap);
        assert!(peak(&gap) < first / 4, "{rate:?}: {} after {first}", peak(&gap));
    }
}

#[test]
fn what_comes_after_an_interruption_does_not_click() {
    for rate in RATES {
        let mut tone = vec![0; 60 * rate.frame_samples()];
        Sine::new(rate, 150.0, Dbov(-9.0)).fill(&mut tone);
        let payloads = encode(opus(rate), &tone);
        let steepest =
            |samples: &[i16]| samples.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap();
        let whole = steepest(&decode(Format::Opus(rate), &payloads));
        for skipped in 1..20 {
            let mut decoder = Decoder::new(Format::Opus(rate));
            let mut decoded: Vec<i16> =
                payloads[..20].iter().flat_map(|payload| decode_frame(&mut decoder, payload)).collect();
            decoder.interrupt();
            let after = &payloads[20 + skipped..];
            decoded.extend(after.iter().flat_map(|payload| decode_frame(&mut decoder, payload)));
            let actual = steepest(&decoded);
            assert!(actual < 2 * whole, "{rate:?}, {skipped} skipped: {actual} where {whole} is the tone's");
        }
    }
}
