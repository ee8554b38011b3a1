//! What a packet tells before it is decoded (RFC 6716, section 3).

use mixminus_audio::SampleRate;

/// Samples of `packet` at `rate`, or None when it is malformed or longer than 120 ms. Looks no further than
/// its first two bytes.
pub(crate) fn samples_in(packet: &[u8], rate: SampleRate) -> Option<usize> {
    ::opus::packet::get_nb_samples(packet, rate.hz()).ok()
}

/// Samples at `rate` that `packet` tells of the audio before it, in fewer bits (in-band FEC, section 4.2.4),
/// if it does.
pub(super) fn fec_samples(packet: &[u8], rate: SampleRate) -> Option<usize> {
    let toc = *packet.first()?;
    let silk_frames = match toc >> 3 {
        // SILK alone: 10, 20, 40 or 60 ms, in frames of up to 20.
        config @ 0..12 => [1, 1, 2, 3][usize::from(config % 4)],
        // SILK and CELT: 10 or 20 ms.
        12..16 => 1,
        _ => return None,
    };
    let flags = *first_frame(packet)?.first()?;
    // One flag for the activity of each frame, then one for FEC; the same again for the side of stereo.
    let mid = flags >> (7 - silk_frames) & 1 == 1;
    let side = toc & 0x04 != 0 && flags >> (6 - 2 * silk_frames) & 1 == 1;
    if mid || side { ::opus::packet::get_samples_per_frame(packet, rate.hz()).ok() } else { None }
}

/// The first of a packet's frames and what follows it, unless that frame is empty.
fn first_frame(packet: &[u8]) -> Option<&[u8]> {
    let (toc, body) = packet.split_first()?;
    match toc & 0x03 {
        0 | 1 => Some(body),
        2 => {
            let (empty, frames) = split_length(body)?;
            (!empty).then_some(frames)
        }
        _ => first_of_many(body),
    }
}

/// The first frame of a packet with a frame count byte (section 3.2.5).
fn first_of_many(body: &[u8]) -> Option<&[u8]> {
    let (&count, mut body) = body.split_first()?;
    let (variable, mut padded, frames) = (count & 0x80 != 0, count & 0x40 != 0, count & 0x3F);
    while padded {
        let (&padding, rest) = body.split_first()?;
        (padded, body) = (padding == 255, rest);
    }
    let lengths = if variable { frames.saturating_sub(1) } else { 0 };
    for n in 0..lengths {
        let (empty, rest) = split_length(body)?;
        if empty && n == 0 {
            return None;
        }
        body = rest;
    }
    Some(body)
}

/// Whether the length that `body` begins with is zero, and what follows it (section 3.2.1).
fn split_length(body: &[u8]) -> Option<(bool, &[u8])> {
    match body {
        [length @ 0..252, rest @ ..] => Some((*length == 0, rest)),
        [_, _, rest @ ..] => Some((false, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of FEC at 16 kHz in a packet of `configuration` with `code`, and `body`.
    fn fec(configuration: u8, code: u8, body: &[u8]) -> Option<usize> {
        fec_samples(&[&[configuration << 3 | code], body].concat(), SampleRate::Hz16000)
    }

    #[test]
    fn the_flag_of_fec_comes_after_one_of_activity_for_each_frame_of_silk() {
        let flags = [0b0100_0000, 0b0100_0000, 0b0010_0000, 0b0001_0000];
        for (configuration, flag) in (8..).zip(flags) {
            let samples = [160, 320, 640, 960][usize::from(configuration) - 8];
            assert_eq!(fec(configuration, 0, &[flag]), Some(samples), "configuration {configuration}");
            assert_eq!(fec(configuration, 0, &[!flag]), None, "configuration {configuration}");
        }
        assert_eq!(fec(13, 0, &[0b0100_0000]), Some(320), "with CELT");
        assert_eq!(fec(31, 0, &[0xFF]), None, "CELT alone");
    }

    #[test]
    fn the_side_of_stereo_can_have_fec_alone() {
        const STEREO: u8 = 0x04;
        assert_eq!(fec(9, STEREO, &[0b0001_0000]), Some(320));
        assert_eq!(fec(9, STEREO, &[0b1010_1111]), None);
        assert_eq!(fec(9, 0, &[0b0001_0000]), None);
    }

    #[test]
    fn the_first_of_many_frames_is_found_behind_their_lengths() {
        const FEC: u8 = 0b0100_0000;
        assert_eq!(fec(9, 1, &[FEC, 0]), Some(320), "two of one length");
        assert_eq!(fec(9, 2, &[1, FEC, 0]), Some(320), "two of two lengths");
        assert_eq!(fec(9, 2, &[0, FEC]), None, "the first is empty");
        assert_eq!(fec(9, 2, &[253, 1, FEC]), Some(320), "a length of two bytes");
        assert_eq!(fec(9, 3, &[2, FEC, 0]), Some(320), "many of one length");
        assert_eq!(fec(9, 3, &[0x40 | 2, 1, FEC, 0, 0]), Some(320), "padding");
        assert_eq!(fec(9, 3, &[0x40 | 2, 255, 1, FEC]), Some(320), "much padding");
        assert_eq!(fec(9, 3, &[0x80 | 3, 1, 252, 0, FEC]), Some(320), "many of many lengths");
        assert_eq!(fec(9, 3, &[0x80 | 3, 0, 1, FEC]), None, "the first of many is empty");
    }

    #[test]
    fn packets_that_end_too_soon_have_no_fec() {
        assert_eq!(fec_samples(&[], SampleRate::Hz16000), None);
        let packets: [(u8, &[u8]); 6] =
            [(0, &[]), (2, &[]), (2, &[252]), (3, &[]), (3, &[0x40 | 2, 255]), (3, &[0x80 | 3, 1])];
        for (code, body) in packets {
            assert_eq!(fec(9, code, body), None, "{code} {body:?}");
        }
    }
}
