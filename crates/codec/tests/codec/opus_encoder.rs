//! What the Opus encoder makes of speech, silence and settings.

use mixminus_audio::SampleRate;
use mixminus_codec::{Decoder, Encoder, Encoding, Format, OpusSettings};

use crate::speech::{RATES, decode, encode, encode_frame, opus, opus_with_dtx, peak, snr, speech};

#[test]
fn speech_comes_through_at_every_rate_and_complexity() {
    for rate in RATES {
        let original = speech(rate, 50);
        for complexity in [0, 5, 10] {
            let settings = OpusSettings { complexity, ..OpusSettings::default() };
            let format = Format::Opus(rate);
            let decoded = decode(format, &encode(Encoding::new(format, settings), &original));
            let snr = snr(&original, &decoded, rate);
            assert!(snr > 9.0, "{rate:?}, complexity {complexity}: {snr:.1} dB");
        }
    }
}

#[test]
fn the_bit_rate_is_at_most_as_set_and_at_least_half_of_that() {
    for bitrate_bps in [12_000, 24_000, 48_000] {
        let settings = OpusSettings { bitrate_bps, ..OpusSettings::default() };
        let encoding = Encoding::new(Format::Opus(SampleRate::Hz16000), settings);
        let payloads = encode(encoding, &speech(SampleRate::Hz16000, 100));
        let actual_bps = payloads.iter().map(Vec::len).sum::<usize>() * 8 / 2;
        let set_bps = bitrate_bps as usize;
        assert!((set_bps / 2..=set_bps).contains(&actual_bps), "{actual_bps} where {set_bps} is set");
    }
}

#[test]
fn complexity_makes_a_difference() {
    let format = Format::Opus(SampleRate::Hz16000);
    let of = |complexity| {
        let settings = OpusSettings { complexity, ..OpusSettings::default() };
        encode(Encoding::new(format, settings), &speech(SampleRate::Hz16000, 20))
    };
    assert_ne!(of(0), of(10));
}

#[test]
fn settings_out_of_range_are_taken_as_the_nearest() {
    for settings in [
        OpusSettings { bitrate_bps: 0, complexity: 255, dtx: false },
        OpusSettings { bitrate_bps: u32::MAX, complexity: 0, dtx: true },
    ] {
        let encoding = Encoding::new(Format::Opus(SampleRate::Hz48000), settings);
        let original = speech(SampleRate::Hz48000, 20);
        assert!(encode(encoding, &original).iter().all(|payload| !payload.is_empty()));
    }
}

#[test]
fn silence_that_lasts_repeats_one_payload_and_is_silent() {
    for rate in RATES {
        let mut samples = speech(rate, 20);
        samples.resize(100 * rate.frame_samples(), 0);
        let payloads = encode(opus(rate), &samples);
        assert!(payloads[30..].iter().all(|payload| *payload == payloads[30]), "{rate:?}");
        let decoded = decode(Format::Opus(rate), &payloads);
        let quiet = &decoded[26 * rate.frame_samples()..];
        assert!(peak(quiet) <= 1, "{rate:?}: {}", peak(quiet));
    }
}

#[test]
fn sound_after_a_long_silence_is_whole_from_its_first_sample() {
    for rate in RATES {
        let frame = rate.frame_samples();
        let voice = speech(rate, 40);
        // From the middle of a vowel to nothing and back.
        let mut samples = voice[..20 * frame].to_vec();
        samples.resize(50 * frame, 0);
        samples.extend(&voice[20 * frame..]);
        let decoded = decode(Format::Opus(rate), &encode(opus(rate), &samples));
        let onset = snr(&voice[20 * frame..22 * frame], &decoded[50 * frame..], rate);
        assert!(onset > 8.0, "{rate:?}: {onset:.1} dB in the first 40 ms");
    }
}

#[test]
fn dtx_sends_speech_and_every_twentieth_frame_of_silence() {
    for rate in RATES {
        let mut samples = speech(rate, 20);
        samples.resize(120 * rate.frame_samples(), 0);
        let payloads = encode(opus_with_dtx(rate), &samples);
        assert!(payloads[..20].iter().all(|payload| !payload.is_empty()));
        let sent: Vec<usize> = (40..120).filter(|&n| !payloads[n].is_empty()).collect();
        assert_eq!(sent.len(), 4, "{rate:?}: {sent:?}");
        assert!(sent.windows(2).all(|pair| pair[1] - pair[0] == 20), "{rate:?}: {sent:?}");
    }
}

#[test]
fn dtx_sends_little_of_faint_noise_and_all_of_what_follows() {
    let rate = SampleRate::Hz16000;
    let mut random = 1_u32;
    let mut noise = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 28) as i16 - 8
    };
    let mut samples: Vec<i16> = (0..100 * rate.frame_samples()).map(|_| noise()).collect();
    samples.extend(speech(rate, 20));
    let payloads = encode(opus_with_dtx(rate), &samples);
    let sent = payloads[20..100].iter().filter(|payload| !payload.is_empty()).count();
    assert!(sent < 12, "{sent} of 80 frames of noise");
    assert!(payloads[101..].iter().all(|payload| !payload.is_empty()));
}

#[test]
fn a_reset_encoder_is_like_a_new_one() {
    for format in Format::ALL {
        let frame_samples = format.sample_rate().frame_samples();
        let mut samples = speech(format.sample_rate(), 30);
        samples.resize(60 * frame_samples, 0);
        let frames: Vec<&[i16]> = samples.chunks_exact(frame_samples).collect();
        let (mut used, mut new) = (Encoder::new(format.into()), Encoder::new(format.into()));
        for frame in &frames {
            encode_frame(&mut used, frame);
        }
        used.reset();
        // Silence first: of that, Opus has a payload in mind.
        for frame in frames[58..].iter().chain(&frames[..30]) {
            assert_eq!(encode_frame(&mut used, frame), encode_frame(&mut new, frame), "{format:?}");
        }
    }
}

#[test]
fn packets_of_every_length_and_of_two_channels_are_decoded_to_mono() {
    let mut theirs = opus::Encoder::new(48_000, opus::Channels::Stereo, opus::Application::Audio).unwrap();
    let mono = speech(SampleRate::Hz48000, 60);
    let stereo: Vec<i16> = mono.iter().flat_map(|&sample| [sample, sample]).collect();
    for rate in RATES {
        let original = speech(rate, 30);
        for tenths_of_ms in [25, 50, 100, 200, 400, 600, 800, 1_000, 1_200] {
            let (samples, expected) = (480 * tenths_of_ms / 100, rate.samples_per_ms() * tenths_of_ms / 10);
            let mut decoder = Decoder::new(Format::Opus(rate));
            let mut decoded = vec![];
            for packet in stereo.chunks_exact(2 * samples) {
                let packet = theirs.encode_vec(packet, 4_000).unwrap();
                assert_eq!(Format::Opus(rate).samples_in(&packet), Some(expected));
                let mut out = vec![0; expected];
                assert_eq!(decoder.decode(&packet, &mut out), Ok(expected));
                decoded.extend(out);
            }
            let snr = snr(&original, &decoded, rate);
            assert!(snr > 10.0, "{tenths_of_ms}/10 ms to {rate:?}: {snr:.1} dB");
        }
    }
}
