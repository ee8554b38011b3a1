//! All formats through a leg: loss, noise, pauses, keys that are sounds.

mod far_end;
mod voice;

use std::time::Duration;

use far_end::Call;
use mixminus_audio::dtmf::TonePress;
use mixminus_audio::{Dbov, SampleRate, level};
use mixminus_codec::{Encoding, Format, OpusSettings};
use mixminus_rtp::{Digit, MediaParameters, Playout, Reason, Received, Renewal, SenderIdentity};

const OPUS: Format = Format::Opus(SampleRate::Hz48000);

fn call(format: Format) -> Call {
    Call::new(MediaParameters { digit_payload_type: Some(101), ..MediaParameters::of(format) })
}

fn level_of(samples: &[i16]) -> f32 {
    level(samples).0
}

#[test]
fn every_format_is_heard_as_loud_as_it_was_spoken() {
    for format in Format::ALL.into_iter().chain([Format::Opus(SampleRate::Hz16000)]) {
        let mut call = call(format);
        let played = call.talk(100, |_| false);
        let mut spoken = vec![0; played.len()];
        voice::speak(f64::from(format.sample_rate().hz()), 0, &mut spoken);
        let change = level_of(&played) - level_of(&spoken);
        assert!(change.abs() < 1.0, "{format:?}: {change} dB");
        let statistics = call.statistics();
        assert_eq!(
            (statistics.received, statistics.played_frames, statistics.concealed_frames),
            (100, 100, 0)
        );
        assert!(statistics.mos.unwrap().0 > 4.3, "{statistics:?}");
    }
}

#[test]
fn digital_silence_is_silence_in_every_format() {
    for format in Format::ALL {
        let mut call = call(format);
        let silence = vec![0; format.sample_rate().frame_samples()];
        let mut playouts = (0..20).map(|_| {
            let packet = call.packet_of(&silence);
            call.receive(&packet);
            call.play()
        });
        assert!(playouts.all(|played| played == (Playout::Silence, silence.clone())), "{format:?}");
    }
}

#[test]
fn packets_that_come_in_disorder_are_decoded_in_order() {
    for format in [Format::G722, OPUS] {
        let [mut ordered, mut disordered] = [call(format), call(format)];
        let mut frames = [vec![], vec![]];
        for _ in 0..20 {
            let pair = [ordered.packet(), ordered.packet()];
            for packet in &pair {
                ordered.receive(packet);
            }
            let pair = [disordered.packet(), disordered.packet()];
            for packet in pair.iter().rev() {
                disordered.receive(packet);
            }
            for (call, frames) in [&mut ordered, &mut disordered].into_iter().zip(&mut frames) {
                (0..2).for_each(|_| frames.extend(call.play().1));
            }
        }
        assert!(frames[0] == frames[1], "{format:?}");
    }
}

#[test]
fn lost_opus_is_recovered_from_the_next_packet() {
    let mut call = Call::new(MediaParameters {
        encoding: Encoding::from(OPUS).with_expected_loss(20),
        ..MediaParameters::of(OPUS)
    });
    call.talk(1_000, |tick| tick % 10 == 9);
    let statistics = call.statistics();
    assert_eq!(statistics.lost, 99);
    // The first is concealed and the second is late; from then on they are waited for. In pauses the encoder
    // repeats nothing.
    assert!(statistics.recovered >= 80, "{statistics:?}");
    assert!(statistics.concealed_frames <= 100 - 80, "{statistics:?}");
    assert!(statistics.delay.max <= Duration::from_millis(40), "{statistics:?}");
}

#[test]
fn loss_that_is_rare_does_not_delay_opus() {
    let mut call = Call::new(MediaParameters {
        encoding: Encoding::from(OPUS).with_expected_loss(20),
        ..MediaParameters::of(OPUS)
    });
    call.talk(2_000, |tick| tick % 500 == 499);
    assert_eq!(call.statistics().delay.max, Duration::ZERO);
    assert_eq!(call.statistics().recovered, 0);
}

#[test]
fn opus_that_is_not_sent_in_pauses_is_silence_and_no_loss() {
    let encoding = Encoding::new(OPUS, OpusSettings { dtx: true, ..OpusSettings::default() });
    let mut call = Call::new(MediaParameters { encoding, ..MediaParameters::of(OPUS) });
    let mut unsent = 0;
    for tick in 0..1_500 {
        let packet = if tick / 200 % 2 == 0 { call.packet() } else { call.packet_of(&[3; 960]) };
        unsent += u32::from(packet.is_empty());
        if !packet.is_empty() {
            call.receive(&packet);
        }
        call.play();
    }
    let statistics = call.statistics();
    assert!(unsent > 300, "{unsent}");
    assert_eq!((statistics.lost, statistics.late, statistics.concealed_frames), (0, 0, 0));
    assert_eq!(statistics.delay.max, Duration::ZERO);
}

#[test]
fn comfort_noise_is_heard_until_audio_comes_again() {
    for payload_type in [13, 97] {
        let parameters = MediaParameters::of(Format::Pcmu);
        let mut call = Call::new(MediaParameters { comfort_noise_payload_type: Some(97), ..parameters });
        call.talk(50, |_| false);
        for _ in 0..3 {
            let noise = call.datagram(payload_type, &[50]);
            assert_eq!(call.receive(&noise), Received::ComfortNoise);
            let mut heard = vec![];
            for _ in 0..100 {
                let (playout, frame) = call.play();
                call.pass();
                assert_eq!(playout, Playout::Audio);
                heard.extend(frame);
            }
            let level = level_of(&heard[8_000..]);
            assert!((level + 50.0).abs() < 2.0, "{level}");
            call.header.marker = true;
            assert!(level_of(&call.talk(50, |_| false)) > -25.0);
        }
        let statistics = call.statistics();
        assert_eq!((statistics.lost, statistics.late, statistics.concealed_frames), (0, 0, 0));
        assert_eq!(statistics.delay.max, Duration::ZERO);
    }
}

#[test]
fn packets_of_one_sample_and_of_64_kilobytes_are_refused_in_every_format() {
    for format in Format::ALL {
        let mut call = call(format);
        let payload_type = call.header.payload_type;
        for bytes in [0, 1, 2, 65_000] {
            let datagram = call.datagram(payload_type, &vec![0xFF; bytes]);
            let received = call.receive(&datagram);
            let opus = format == OPUS && (1..=2).contains(&bytes);
            assert!(opus || received == Received::Dropped(Reason::Payload(bytes)), "{format:?} {bytes}");
            call.play();
        }
    }
}

#[test]
fn a_key_heard_in_the_audio_is_a_digit_once_and_its_sound_is_kept_out() {
    for format in [Format::Pcmu, Format::G722, OPUS] {
        let rate = format.sample_rate();
        let mut call = Call::new(MediaParameters::of(format));
        call.talk(20, |_| false);
        let mut digits = String::new();
        for key in "1590*#AD".chars() {
            let mut press = TonePress::new(rate, key, Duration::from_millis(120)).unwrap();
            let mut loud = 0;
            let mut frame = vec![0; rate.frame_samples()];
            for _ in 0..12 {
                press.fill(&mut frame);
                let packet = call.packet_of(&frame);
                call.receive(&packet);
                loud += usize::from(level_of(&call.play().1) > -40.0);
                digits.extend(call.leg.take_digit().map(char::from));
            }
            assert!(loud <= 2, "{format:?}: {key} was heard for {loud} frames");
        }
        assert_eq!(digits, "1590*#AD", "{format:?}");
        assert_eq!(call.statistics().digits, 8);
    }
}

#[test]
fn who_sends_telephone_events_may_whistle() {
    let mut call = call(Format::Pcmu);
    let mut press = TonePress::new(SampleRate::Hz8000, '5', Duration::from_secs(1)).unwrap();
    let mut frame = [0; 160];
    press.fill(&mut frame);
    for _ in 0..10 {
        press.fill(&mut frame);
        let packet = call.packet_of(&frame);
        call.receive(&packet);
        assert_eq!(call.play().1.len(), 160);
        assert_eq!(call.leg.take_digit(), None);
    }
    assert!(call.leg.level() > Dbov(-15.0));
}

#[test]
fn a_key_of_opus_is_told_by_its_own_clock() {
    let mut call = call(OPUS);
    call.talk(10, |_| false);
    for duration in [960_u16, 4_800, 9_600, 48_000, 65_280] {
        let [high, low] = duration.to_be_bytes();
        let event = call.datagram(101, &[5, 10, high, low]);
        let five = Received::Digit(Digit::try_from('5').unwrap());
        let expected = if duration == 960 { five } else { Received::DigitContinues };
        assert_eq!(call.receive(&event), expected);
    }
    // The press goes on in another segment.
    call.header.timestamp = call.header.timestamp.wrapping_add(65_280);
    let event = call.datagram(101, &[5, 10, 3, 192]);
    assert_eq!(call.receive(&event), Received::DigitContinues);
}

#[test]
fn a_leg_changes_its_format_in_the_middle() {
    let mut call = call(Format::Pcmu);
    call.talk(50, |_| false);
    for format in [OPUS, Format::G722, Format::Pcma] {
        let parameters = MediaParameters::of(format);
        let mut renewal = Renewal::new(parameters);
        call.leg.renew(&mut renewal);
        let mut next = Call::new(parameters);
        std::mem::swap(&mut next.leg, &mut call.leg);
        next.header.sequence = call.header.sequence;
        next.now = call.now;
        let old = call.datagram(99, &[0; 160]);
        assert_eq!(next.receive(&old), Received::Dropped(Reason::PayloadType(99)));
        next.header.sequence = call.header.sequence;
        assert!(level_of(&next.talk(50, |_| false)) > -25.0, "{format:?}");
        call = next;
    }
    assert_eq!((call.statistics().lost, call.statistics().concealed_frames), (0, 0));
}

#[test]
fn two_ends_with_one_ssrc_part_and_an_echo_is_only_heard() {
    let identity = SenderIdentity { ssrc: 7, sequence: 0, timestamp: 0 };
    let mut call = call(Format::Pcmu);
    call.leg = mixminus_rtp::LegMedia::new(call.leg.parameters(), identity);
    let sent_ssrc = |call: &mut Call| {
        let mut out = [0; mixminus_rtp::MAX_PACKET_BYTES];
        call.leg.send(&[0xFF; 160]);
        let bytes = call.leg.next_packet(&mut out).unwrap();
        let header = mixminus_rtp::PacketView::parse(&out[..bytes]).unwrap().header;
        (header.ssrc, header.sequence, out[..bytes].to_vec())
    };
    assert_eq!(sent_ssrc(&mut call).0, 7);
    call.talk(2, |_| false);
    let (ours, sequence, packet) = sent_ssrc(&mut call);
    assert_ne!(ours, 7);
    assert_eq!(sequence, 1);
    // Now the far end sends back what it gets.
    assert_eq!(call.receive(&packet), Received::Audio);
    assert_eq!(sent_ssrc(&mut call).0, ours);
}
