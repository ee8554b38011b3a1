use std::sync::Arc;

use mixminus_audio::{Clip, Dbov, Pcm, SampleRate, Sine};
use mixminus_codec::{Format, Ptime};
use mixminus_media::MediaEvent;
use mixminus_mixer::{Plays, PromptId, SourceId};
use mixminus_rtp::MediaParameters;

use crate::far_end::{FarEnd, eventually, install, next, start, talk, with_events};

const OPUS: Format = Format::ALL[0];

#[test]
fn legs_of_all_formats_hear_each_other() {
    let (media, _events) = start(1);
    let formats = [OPUS, Format::G722, Format::Pcma, Format::L16(SampleRate::Hz16000)];
    let tones = [500.0, 700.0, 900.0, 1100.0];
    let pairs = formats.into_iter().zip(tones);
    let mut ends: Vec<_> =
        pairs.map(|(format, hz)| FarEnd::call_with(&media, hz, MediaParameters::of(format))).collect();
    let legs: Vec<_> = ends.iter().map(|end| end.leg).collect();
    install(&media, 1, &legs, &[]);
    talk(&mut ends, 40);
    for (own, end) in ends.iter().enumerate() {
        end.assert_regular();
        let heard: Vec<_> = tones.iter().map(|tone| end.hears(*tone)).collect();
        let expected: Vec<_> = (0..4).map(|other| other != own).collect();
        assert_eq!(heard, expected, "by {:?}", formats[own]);
    }
}

#[test]
fn a_leg_whose_format_changes_goes_on_in_the_new_one_and_its_bridge_follows() {
    let (media, _events) = start(1);
    let mut ends = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    let legs = [ends[0].leg, ends[1].leg];
    install(&media, 1, &legs, &[]);
    talk(&mut ends, 20);
    for format in [OPUS, Format::G722, Format::Pcmu] {
        let before = ends[1].packets.len();
        ends[0].recode(&media, with_events(format));
        ends[1].recode(&media, with_events(format));
        ends.iter_mut().for_each(FarEnd::forget_what_is_on_its_way);
        talk(&mut ends, 40);
        assert!(ends[0].hears(900.0) && ends[1].hears(500.0), "{format:?}");
        let [(last, _), (first, _)] = &ends[1].packets[before - 1..=before] else { unreachable!() };
        let missed = first.sequence.wrapping_sub(last.sequence);
        assert!(first.ssrc == last.ssrc && (1..=10).contains(&missed), "{missed} packets on");
        assert!(ends[1].packets.len() - before >= 35);
    }
}

#[test]
fn a_wide_band_voice_stays_wide_for_those_who_can_hear_it() {
    let (media, _events) = start(1);
    let mut ends = [
        FarEnd::call_with(&media, 5_000.0, MediaParameters::of(Format::G722)),
        FarEnd::call_with(&media, 700.0, MediaParameters::of(OPUS)),
        FarEnd::call(&media, 900.0),
    ];
    let legs = [0, 1, 2].map(|end| ends[end].leg);
    install(&media, 1, &[legs[0], legs[2]], &[]);
    talk(&mut ends, 10);
    install(&media, 1, &legs, &[]);
    talk(&mut ends, 40);
    assert!(ends[1].hears(5_000.0) && ends[1].hears(900.0));
    assert!(ends[2].hears(700.0) && ends[0].hears(700.0));
}

#[test]
fn packets_are_as_long_as_the_far_end_wants_them() {
    let (media, _events) = start(1);
    let ptime = |ms| MediaParameters { ptime: Ptime::new(ms).unwrap(), ..MediaParameters::of(Format::Pcmu) };
    let mut ends = [(500.0, 10), (900.0, 60)].map(|(hz, ms)| FarEnd::call_with(&media, hz, ptime(ms)));
    install(&media, 1, &[ends[0].leg, ends[1].leg], &[]);
    talk(&mut ends, 60);
    assert!(ends[0].packets.iter().all(|(_, samples)| samples.len() == 80));
    assert!(ends[1].packets.iter().all(|(_, samples)| samples.len() == 480));
    assert!(ends[0].hears(900.0) && ends[1].hears(500.0));
}

#[test]
fn a_prompt_goes_on_through_a_change_of_rate() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    let mut samples = vec![0; 60 * 160];
    Sine::new(SampleRate::Hz8000, 1300.0, Dbov(-20.0)).fill(&mut samples);
    let prompt = PromptId(1);
    media.play(prompt, Arc::new(Clip::new(Pcm { rate: SampleRate::Hz8000, samples })), Plays::Times(1));
    install(&media, 1, &[end.leg], &[SourceId::Prompt(prompt)]);
    talk([&mut end], 20);
    assert!(end.hears(1300.0));
    end.recode(&media, with_events(OPUS));
    end.forget_what_is_on_its_way();
    talk([&mut end], 30);
    assert!(end.hears(1300.0));
    assert_eq!(next(&mut events), None);
    talk([&mut end], 30);
    assert_eq!(next(&mut events), Some(MediaEvent::PromptEnded { prompt }));
    assert!(!end.hears(1300.0));
}

/// One part is there before the change, another comes after it, and both at a rate that the bridge does not have.
#[test]
fn a_prompt_that_grows_goes_on_through_a_change_of_rate() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    let part = |ticks: usize| {
        let mut samples = vec![0; ticks * 320];
        Sine::new(SampleRate::Hz16000, 1300.0, Dbov(-20.0)).fill(&mut samples);
        Arc::new(Clip::new(Pcm { rate: SampleRate::Hz16000, samples }))
    };
    let prompt = PromptId(1);
    install(&media, 1, &[end.leg], &[SourceId::Prompt(prompt)]);
    media.begin(prompt, Plays::Times(1));
    media.append(prompt, part(40));
    talk([&mut end], 20);
    assert!(end.hears(1300.0));
    end.recode(&media, with_events(OPUS));
    end.forget_what_is_on_its_way();
    media.append(prompt, part(30));
    media.complete(prompt);
    talk([&mut end], 40);
    assert!(end.hears(1300.0));
    assert_eq!(next(&mut events), None);
    talk([&mut end], 30);
    assert_eq!(next(&mut events), Some(MediaEvent::PromptEnded { prompt }));
}

#[test]
fn a_prompt_waits_until_it_can_be_heard_at_the_rate_of_its_bridge() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call_with(&media, 500.0, MediaParameters::of(Format::G722));
    let clip = Arc::new(Clip::new(Pcm { rate: SampleRate::Hz8000, samples: vec![1_000; 8_000] }));
    install(&media, 1, &[end.leg], &[SourceId::Prompt(PromptId(1))]);
    media.play(PromptId(1), Arc::clone(&clip), Plays::Times(1));
    eventually("the clip is prepared", || clip.at(SampleRate::Hz16000).is_some());
    talk([&mut end], 70);
    assert_eq!(next(&mut events), Some(MediaEvent::PromptEnded { prompt: PromptId(1) }));
    let heard = end.packets.iter().filter(|(_, samples)| samples.iter().any(|sample| *sample > 500)).count();
    assert!((49..=52).contains(&heard), "{heard} of 50 ticks");
}
