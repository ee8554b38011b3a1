//! L16: samples of 16 bits in network byte order (RFC 3551, section 4.5.11).

/// Writes `samples`, two bytes for each.
pub(crate) fn encode(samples: &[i16], payload: &mut [u8]) {
    for (bytes, sample) in payload.chunks_exact_mut(2).zip(samples) {
        bytes.copy_from_slice(&sample.to_be_bytes());
    }
}

/// Reads as many samples as `payload` holds.
pub(crate) fn decode(payload: &[u8], samples: &mut [i16]) {
    for (sample, bytes) in samples.iter_mut().zip(payload.chunks_exact(2)) {
        *sample = i16::from_be_bytes([bytes[0], bytes[1]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_byte_comes_first() {
        let mut payload = [0; 4];
        encode(&[0x0102, -2], &mut payload);
        assert_eq!(payload, [0x01, 0x02, 0xFF, 0xFE]);
        let mut samples = [0; 2];
        decode(&payload, &mut samples);
        assert_eq!(samples, [0x0102, -2]);
    }
}
