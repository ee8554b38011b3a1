use mixminus_audio::{SampleRate, goertzel};
use mixminus_codec::Format;
use mixminus_media::Media;
use mixminus_mixer::{BridgeId, LegId, SourceId, TapCapacity, TapChannel, TapId, TapReader, TapRoutes};

use crate::far_end::{FarEnd, eventually, install, plan, start, talk, with_events};

const TAP: TapId = TapId(7);

/// Routes a bridge so that everyone hears everyone else, with what `tapped` says and hears in the tap.
fn install_tapped(media: &Media, bridge: u64, legs: &[LegId], tapped: LegId) {
    let channels = vec![TapChannel::Source(SourceId::Leg(tapped)), TapChannel::Heard(tapped)];
    let taps = [TapRoutes { tap: TAP, channels, paused: false }];
    media.install(BridgeId(bridge), plan(legs, &[]).with_taps(&taps).unwrap());
}

/// A tick of a tap of one leg.
struct Tick {
    number: u64,
    rate: SampleRate,
    said: Option<Vec<i16>>,
    heard: Option<Vec<i16>>,
}

fn read(reader: &mut TapReader) -> Vec<Tick> {
    let mut ticks = vec![];
    reader.read(&mut |tick| {
        let frame = |wanted: fn(TapChannel) -> bool| {
            tick.frames().find(|(channel, _)| wanted(*channel)).map(|(_, frame)| frame.to_vec())
        };
        let said = frame(|channel| matches!(channel, TapChannel::Source(_)));
        let heard = frame(|channel| matches!(channel, TapChannel::Heard(_)));
        ticks.push(Tick { number: tick.tick, rate: tick.rate, said, heard });
    });
    ticks
}

/// How loud the tone is in ten frames that are all there, in dBov.
fn level(frames: &[Tick], frame: impl Fn(&Tick) -> &Option<Vec<i16>>, tone_hz: f64) -> f32 {
    let samples: Vec<_> =
        frames.iter().rev().take(10).flat_map(|tick| frame(tick).as_ref().unwrap()).copied().collect();
    goertzel(&samples, frames.last().unwrap().rate, tone_hz).0
}

/// A leg goes from a bridge of its own into another one, at another rate, and back, and its tap with it.
fn follows(workers: usize) {
    let (media, _events) = start(workers);
    let wide = with_events(Format::G722);
    let mut ends = [FarEnd::call(&media, 500.0), FarEnd::call_with(&media, 900.0, wide)];
    let [moving, other] = [0, 1].map(|end: usize| ends[end].leg);
    let mut reader = media.open_tap(TAP, TapCapacity::of(2));
    install_tapped(&media, 1, &[moving], moving);
    install(&media, 2, &[other], &[]);
    talk(&mut ends, 25);
    let mut all = read(&mut reader);
    assert!(level(&all, |tick| &tick.said, 500.0) > -25.0);
    assert!(all.iter().all(|tick| tick.rate == SampleRate::Hz8000 && tick.heard.is_none()));

    install_tapped(&media, 2, &[moving, other], moving);
    install(&media, 1, &[], &[]);
    talk(&mut ends, 25);
    all.extend(read(&mut reader));
    assert_eq!(all.last().unwrap().rate, SampleRate::Hz16000);
    assert!(level(&all, |tick| &tick.said, 500.0) > -25.0);
    assert!(level(&all, |tick| &tick.heard, 900.0) > -25.0);

    install_tapped(&media, 1, &[moving], moving);
    install(&media, 2, &[other], &[]);
    talk(&mut ends, 25);
    media.close_tap(TAP);
    eventually("the tap is over", || {
        all.extend(read(&mut reader));
        reader.is_over()
    });
    assert!(all.last().unwrap().heard.is_none());
    assert!(all.windows(2).all(|pair| pair[0].number < pair[1].number));
    let skipped = all.last().unwrap().number + 1 - all[0].number - all.len() as u64;
    // At most two ticks for each way between workers.
    let most = if workers == 1 { 0 } else { 4 };
    assert!(skipped <= most + media.counters().ticks_skipped, "{skipped} of {} ticks", all.len());
    assert!(all.len() >= 60 && reader.lost() == 0, "{} ticks", all.len());
}

#[test]
fn a_tap_follows_its_leg_on_one_worker_without_missing_a_tick() {
    follows(1);
}

#[test]
fn a_tap_follows_its_leg_from_worker_to_worker_on_one_time_line() {
    follows(2);
}

#[test]
fn a_tap_may_be_opened_after_the_plan_that_names_it_and_waits_while_none_does() {
    let (media, _events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    let leg = end.leg;
    install_tapped(&media, 1, &[leg], leg);
    let mut reader = media.open_tap(TAP, TapCapacity::of(2));
    talk([&mut end], 5);
    assert!(!read(&mut reader).is_empty());
    install(&media, 1, &[leg], &[]);
    talk([&mut end], 3);
    read(&mut reader);
    talk([&mut end], 3);
    assert!(read(&mut reader).is_empty() && !reader.is_over());
    install_tapped(&media, 1, &[leg], leg);
    talk([&mut end], 5);
    assert!(!read(&mut reader).is_empty());
    assert!(media.open_tap(TAP, TapCapacity::of(2)).is_over(), "there is one already");
}

#[test]
fn a_tap_is_over_once_it_is_closed_wherever_it_is() {
    let (media, _events) = start(1);
    let end = FarEnd::call(&media, 500.0);
    let leg = end.leg;
    let open = || media.open_tap(TAP, TapCapacity::of(2));
    let close = |what, mut reader: TapReader| {
        media.close_tap(TAP);
        eventually(what, || {
            read(&mut reader);
            reader.is_over()
        });
    };
    close("a tap that no plan names", open());
    install_tapped(&media, 1, &[leg], leg);
    close("a tap in a bridge", open());
    let on_its_way = open();
    install(&media, 1, &[leg], &[]);
    close("a tap that comes home", on_its_way);
    install_tapped(&media, 1, &[leg], leg);
    let of_closed = open();
    media.close_bridge(BridgeId(1));
    close("a tap of a bridge that is closed", of_closed);
}
