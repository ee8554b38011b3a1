//! Opus against a second implementation: ours computes in floats, the other in integers.

use mixminus_audio::SampleRate;
use mixminus_codec::{Encoding, Format, OpusSettings};
use ropus::{Application, Channels, DecodeMode};

use crate::speech::{RATES, decode, encode, snr, speech};

fn decode_by_the_other(payloads: &[Vec<u8>], rate: SampleRate) -> Vec<i16> {
    let mut decoder = ropus::Decoder::new(rate.hz(), Channels::Mono).unwrap();
    let mut decoded = vec![];
    for payload in payloads {
        let mut frame = vec![0; rate.frame_samples()];
        assert_eq!(decoder.decode(payload, &mut frame, DecodeMode::Normal).unwrap(), frame.len());
        decoded.extend(frame);
    }
    decoded
}

fn encode_by_the_other(samples: &[i16], rate: SampleRate, bitrate_bps: u32) -> Vec<Vec<u8>> {
    let mut encoder = ropus::Encoder::builder(rate.hz(), Channels::Mono, Application::Voip)
        .bitrate(ropus::Bitrate::Bits(bitrate_bps))
        .build()
        .unwrap();
    let mut encode = |frame: &[i16]| {
        let mut payload = [0; 1_275];
        let bytes = encoder.encode(frame, &mut payload).unwrap();
        payload[..bytes].to_vec()
    };
    samples.chunks_exact(rate.frame_samples()).map(&mut encode).collect()
}

/// SILK alone, both, and CELT alone.
const BITRATES_BPS: [u32; 3] = [12_000, 24_000, 64_000];

#[test]
fn our_streams_are_heard_alike_by_both() {
    for rate in RATES {
        for bitrate_bps in BITRATES_BPS {
            let settings = OpusSettings { bitrate_bps, ..OpusSettings::default() };
            let payloads = encode(Encoding::new(Format::Opus(rate), settings), &speech(rate, 50));
            let ours = decode(Format::Opus(rate), &payloads);
            let snr = snr(&ours, &decode_by_the_other(&payloads, rate), rate);
            assert!(snr > 40.0, "{rate:?} {bitrate_bps} bit/s: {snr:.1} dB");
        }
    }
}

#[test]
fn streams_of_the_other_are_heard_alike_by_both() {
    for rate in RATES {
        for bitrate_bps in BITRATES_BPS {
            let payloads = encode_by_the_other(&speech(rate, 50), rate, bitrate_bps);
            let ours = decode(Format::Opus(rate), &payloads);
            let snr = snr(&ours, &decode_by_the_other(&payloads, rate), rate);
            assert!(snr > 40.0, "{rate:?} {bitrate_bps} bit/s: {snr:.1} dB");
        }
    }
}
