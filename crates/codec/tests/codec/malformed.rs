//! Whatever comes in is decoded or refused.

use mixminus_codec::{ComfortNoise, Decoder, Format, MAX_PACKET_MS};
use proptest::prelude::*;

use crate::speech::{encode, speech};

/// A step in the life of a decoder.
#[derive(Clone, Debug)]
enum Step {
    Decode(Vec<u8>),
    Recover(Vec<u8>),
    Conceal,
    Interrupt,
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(any::<u8>(), 0..8), prop::collection::vec(any::<u8>(), 0..1_500),]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => payload().prop_map(Step::Decode),
        2 => payload().prop_map(Step::Recover),
        1 => Just(Step::Conceal),
        1 => Just(Step::Interrupt),
    ]
}

/// Does one step; what is decoded must be as long as was announced.
fn take(decoder: &mut Decoder, step: &Step) {
    let format = decoder.format();
    let mut out = vec![0; MAX_PACKET_MS * format.sample_rate().samples_per_ms()];
    match step {
        Step::Decode(payload) => {
            if let Ok(samples) = decoder.decode(payload, &mut out) {
                assert_eq!(Some(samples), format.samples_in(payload));
            }
        }
        Step::Recover(payload) => drop(decoder.recover(payload, &mut out)),
        Step::Conceal => drop(decoder.conceal(&mut out[..format.sample_rate().frame_samples()])),
        Step::Interrupt => decoder.interrupt(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_decoded_or_refused(
        format in prop::sample::select(&Format::ALL),
        steps in prop::collection::vec(step(), 1..20),
    ) {
        let mut decoder = Decoder::new(format);
        for step in &steps {
            take(&mut decoder, step);
        }
    }

    #[test]
    fn truncated_and_damaged_payloads_are_decoded_or_refused(
        format in prop::sample::select(&Format::ALL),
        loss in prop::sample::select(&[0_u8, 25]),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>()), 10),
    ) {
        let encoding = mixminus_codec::Encoding::from(format).with_expected_loss(loss);
        let mut decoder = Decoder::new(format);
        for (payload, (place, bits, end)) in encode(encoding, &speech(format.sample_rate(), 10)).iter().zip(damages) {
            let mut payload = payload.clone();
            let size_bytes = payload.len();
            payload[place.index(size_bytes)] ^= bits;
            payload.truncate(end.index(size_bytes + 1));
            take(&mut decoder, &Step::Recover(payload.clone()));
            take(&mut decoder, &Step::Decode(payload));
        }
    }

    #[test]
    fn any_description_of_noise_makes_noise(
        format in prop::sample::select(&Format::ALL),
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..10),
    ) {
        let mut noise = ComfortNoise::new(format.sample_rate());
        for payload in payloads {
            noise.describe(&payload);
            noise.fill(&mut vec![0; format.sample_rate().frame_samples()]);
        }
    }
}

#[test]
fn an_empty_payload_is_refused() {
    for format in Format::ALL {
        assert!(Decoder::new(format).decode(&[], &mut [0; 960]).is_err(), "{format:?}");
    }
}

#[test]
fn a_payload_that_does_not_fit_is_an_error_and_changes_nothing() {
    for format in Format::ALL {
        let payload = &encode(format.into(), &speech(format.sample_rate(), 1))[0];
        let samples = format.sample_rate().frame_samples();
        let mut out = vec![7; samples - 1];
        let error = mixminus_codec::DecodeError::TooLong { samples, capacity_samples: samples - 1 };
        assert_eq!(Decoder::new(format).decode(payload, &mut out), Err(error), "{format:?}");
        assert!(out.iter().all(|&sample| sample == 7));
    }
}
