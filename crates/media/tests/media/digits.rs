use std::time::Duration;

use mixminus_audio::SampleRate;
use mixminus_audio::dtmf::{DtmfDetector, Heard, TonePress};
use mixminus_codec::Format;
use mixminus_media::{Direction, MediaEvent};
use mixminus_rtp::{Digit, MediaParameters};

use crate::far_end::{FarEnd, install, next, start, talk, with_events};

fn digits(keys: &str) -> Vec<Digit> {
    keys.chars().map(|key| Digit::try_from(key).unwrap()).collect()
}

#[test]
fn digits_are_sent_as_events_to_who_takes_them() {
    let (media, _events) = start(1);
    let mut ends = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    install(&media, 1, &[ends[0].leg, ends[1].leg], &[]);
    talk(&mut ends, 20);
    media.send_digits(ends[0].leg, &digits("4#"));
    talk(&mut ends, 40);
    let events = &ends[0].events;
    let ended: Vec<_> = events.iter().filter(|event| event.end).map(|event| event.digit).collect();
    assert_eq!(ended, digits("444###"));
    assert!(events.iter().all(|event| event.duration <= 800));
    assert!(ends[1].events.is_empty(), "a digit is for one far end");
    talk(&mut ends, 15);
    assert!(ends[0].hears(900.0) && ends[1].hears(500.0));
}

#[test]
fn digits_are_sent_as_tones_to_who_takes_no_events() {
    let (media, _events) = start(1);
    for format in [Format::Pcma, Format::G722] {
        let mut end = FarEnd::call_with(&media, 500.0, MediaParameters::of(format));
        install(&media, 1, &[end.leg], &[]);
        talk([&mut end], 10);
        media.send_digits(end.leg, &digits("4#"));
        talk([&mut end], 40);
        end.assert_regular();
        let mut detector = DtmfDetector::new(format.sample_rate());
        let frames = end.packets.iter().map(|(_, samples)| detector.hear(samples));
        let keys: String =
            frames.filter_map(|heard| if let Heard::Tone(key) = heard { Some(key) } else { None }).collect();
        assert_eq!(keys, "4#", "{format:?}");
        media.release_leg(end.leg);
    }
}

#[test]
fn a_tone_of_who_sends_no_events_is_a_digit() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call_with(&media, 500.0, MediaParameters::of(Format::Pcmu));
    install(&media, 1, &[end.leg], &[]);
    talk([&mut end], 20);
    let mut press = TonePress::new(SampleRate::Hz8000, '7', Duration::from_millis(200)).unwrap();
    end.sound(move |frame| press.fill(frame));
    talk([&mut end], 30);
    let digit = Digit::try_from('7').unwrap();
    assert_eq!(next(&mut events), Some(MediaEvent::Digit { leg: end.leg, digit }));
    assert_eq!(next(&mut events), None);
    talk([&mut end], 55);
    assert_eq!(media.statistics(end.leg).map(|statistics| statistics.digits), Some(1));
}

#[test]
fn a_far_end_that_does_not_listen_is_sent_no_digits_until_it_does() {
    let (media, _events) = start(1);
    let mut end = FarEnd::call_with(&media, 500.0, with_events(Format::Pcmu));
    install(&media, 1, &[end.leg], &[]);
    end.agree(&media, Direction::ReceiveOnly);
    talk([&mut end], 5);
    media.send_digits(end.leg, &digits("1"));
    talk([&mut end], 15);
    assert!(end.events.is_empty());
    end.agree(&media, Direction::SendReceive);
    talk([&mut end], 20);
    assert_eq!(end.events.iter().filter(|event| event.end).count(), 3);
}
