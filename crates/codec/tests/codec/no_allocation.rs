//! Nothing that the media thread does with a codec allocates or frees.

use allocation_counter::measure;
use mixminus_codec::{ComfortNoise, Decoder, Encoder, Encoding, Format, MAX_PAYLOAD_BYTES};

use crate::speech::speech;

#[test]
fn encoding_decoding_and_making_up_allocate_nothing() {
    for format in Format::ALL {
        let rate = format.sample_rate();
        let mut samples = speech(rate, 30);
        samples.resize(60 * rate.frame_samples(), 0);
        let frames: Vec<&[i16]> = samples.chunks_exact(rate.frame_samples()).collect();
        let mut encoder = Encoder::new(Encoding::from(format).with_expected_loss(25));
        let (mut second, mut decoder) = (Encoder::new(format.into()), Decoder::new(format));
        let mut noise = ComfortNoise::new(rate);
        let info = measure(|| {
            let (mut payload, mut out) = ([0; MAX_PAYLOAD_BYTES], [0; 960]);
            let out = &mut out[..rate.frame_samples()];
            for (n, frame) in frames.iter().enumerate() {
                let bytes = encoder.encode(frame, &mut payload);
                if n % 5 == 4 {
                    decoder.recover(&payload[..bytes], out);
                    decoder.conceal(out);
                    decoder.interrupt();
                    decoder.decode(&payload[..1], out).ok();
                }
                decoder.decode(&payload[..bytes], out).ok();
            }
            encoder.expect_loss(0);
            second.continue_from(&encoder);
            second.prime(&frames[20..24]);
            encoder.reset();
            noise.describe(&[40, 100, 140]);
            noise.fill(out);
        });
        assert_eq!((info.count_total, info.count_current), (0, 0), "{format:?}: {info:?}");
    }
}
