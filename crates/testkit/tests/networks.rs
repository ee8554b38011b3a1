//! What a leg makes of every kind of network, measured in what it plays.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use mixminus_audio::SampleRate;
use mixminus_codec::Format;
use mixminus_rtp::{LegMedia, MediaParameters, SenderIdentity};
use mixminus_testkit::{Delay, Hearing, Line, Loss, Network, Talker, Upset, Voice};

const FORMAT: Format = Format::L16(SampleRate::Hz8000);
const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Faults are over after this, and everything after two minutes.
const BAD: Duration = Duration::from_mins(1);
const END: Duration = Duration::from_mins(2);

/// What a leg plays of `talker` until [`END`].
fn listen(voice: &Arc<Voice>, talker: Talker, network: Network) -> (Hearing, LegMedia) {
    let mut leg = leg();
    let mut line = Line { talker, network };
    let mut hearing = Hearing::new(Arc::clone(voice));
    let mut now = Duration::ZERO;
    while now < END {
        now += 20 * MS;
        line.deliver(now, &mut leg);
        let mut frame = [0; 160];
        leg.playout(&mut frame);
        hearing.take(now, &frame, &line.talker);
    }
    (hearing, leg)
}

fn leg() -> LegMedia {
    LegMedia::new(MediaParameters::of(FORMAT), SenderIdentity { ssrc: 1, sequence: 0, timestamp: 0 })
}

fn voice() -> Arc<Voice> {
    Arc::new(Voice::new(1, 30))
}

fn talker(voice: &Voice) -> Talker {
    Talker::new(FORMAT.into(), MediaParameters::of(FORMAT).payload_type, voice.samples().into(), 7 * MS)
}

/// Every network, and the delay in ms and the share of made-up audio that it may cost while it is bad.
fn networks(seed: u64) -> Vec<(&'static str, Network, f64, f64)> {
    let new = || Network::new(seed);
    let jitter = |delay| Network::new(seed).delay(delay);
    vec![
        ("nothing", new(), 25.0, 0.001),
        ("lan", Network::lan(seed), 25.0, 0.001),
        ("wifi", Network::wifi(seed), 120.0, 0.02),
        ("mobile", Network::mobile(seed), 1_000.0, 0.06),
        ("5 % loss", new().loss(Loss::Random(0.05)), 45.0, 0.08),
        ("20 % loss", new().loss(Loss::Random(0.2)), 45.0, 0.28),
        ("bursts of loss", new().loss(Loss::bursts(0.1, 8.0)), 45.0, 0.15),
        ("30 ms of jitter", jitter(Delay::Uniform(Duration::ZERO..30 * MS)), 45.0, 0.01),
        ("gamma jitter", jitter(Delay::Gamma { least: MS, mean: 25 * MS, shape: 2 }), 240.0, 0.02),
        ("reordering", new().reordering(0.05, 45 * MS), 75.0, 0.01),
        ("duplication", new().duplication(0.3), 25.0, 0.001),
        ("an outage", new().outage(20 * SECOND..25 * SECOND), 45.0, 0.09),
        (
            "everything",
            Network::wifi(seed).loss(Loss::bursts(0.05, 3.0)).reordering(0.02, 60 * MS).duplication(0.05),
            200.0,
            0.10,
        ),
    ]
}

/// Fails unless all is as on a perfect network: a third of a minute within a frame of it, and nothing made up.
fn assert_forgotten(hearing: &Hearing, what: &str) {
    let good = hearing.during(100 * SECOND..END);
    assert!(good.quantile_ms(1.0) <= 25.0, "{} ms long after {what}", good.quantile_ms(1.0));
    assert!(good.made_up() <= 0.002, "{} made up long after {what}", good.made_up());
}

#[test]
fn every_network_costs_what_it_must_and_is_forgotten() {
    let voice = voice();
    for seed in 1..=3 {
        for (name, network, most_ms, most_made_up) in networks(seed) {
            let (hearing, leg) = listen(&voice, talker(&voice), network.until(BAD));
            let bad = hearing.during(SECOND..BAD);
            let what = format!("{name}, seed {seed}: {:?}", leg.statistics());
            assert!(bad.quantile_ms(1.0) <= most_ms, "{} ms with {what}", bad.quantile_ms(1.0));
            assert!(bad.made_up() <= most_made_up, "{} made up with {what}", bad.made_up());
            assert_forgotten(&hearing, &what);
        }
    }
}

#[test]
fn a_drifting_sender_is_followed() {
    let voice = voice();
    for ppm in [-1_500.0, -500.0, 500.0, 1_500.0] {
        let (hearing, leg) = listen(&voice, talker(&voice).drift(ppm), Network::lan(1));
        let heard = hearing.during(SECOND..END);
        let what = format!("{ppm} ppm: {:?}", leg.statistics());
        assert!(heard.quantile_ms(1.0) <= 40.0, "{} ms with {what}", heard.quantile_ms(1.0));
        assert!(heard.made_up() <= 0.005, "{} made up with {what}", heard.made_up());
    }
}

#[test]
fn what_happens_to_a_sender_is_forgotten_in_a_second() {
    let voice = voice();
    let three_seconds = 24_000;
    let cases: [(&str, &[Upset]); 8] = [
        ("a pause by the clock", &[Upset::Pause(3 * SECOND), Upset::Timestamp(three_seconds)]),
        ("a pause in which timestamps stand still", &[Upset::Pause(3 * SECOND)]),
        ("timestamps that leap", &[Upset::Timestamp(800_000_000)]),
        ("timestamps that turn back", &[Upset::Timestamp(three_seconds.wrapping_neg())]),
        ("timestamps that skip a little", &[Upset::Timestamp(800)]),
        ("sequence numbers that leap", &[Upset::Sequence(20_000)]),
        ("another source", &[Upset::Source(9), Upset::Sequence(20_000), Upset::Timestamp(800_000_000)]),
        ("another source with the same numbers", &[Upset::Source(9)]),
    ];
    for (name, upsets) in cases {
        let talker = upsets.iter().fold(talker(&voice), |talker, &upset| talker.upset(1_000, upset));
        let (hearing, leg) = listen(&voice, talker, Network::lan(1));
        let after = hearing.during(24 * SECOND..END);
        let what = format!("{name}: {:?}", leg.statistics());
        assert!(after.made_up() <= 0.002, "{} made up after {what}", after.made_up());
        assert!(after.quantile_ms(0.99) <= 45.0, "{} ms after {what}", after.quantile_ms(0.99));
        assert_forgotten(&hearing, &what);
    }
}

#[test]
fn a_sender_is_heard_at_once_after_an_outage() {
    let voice = voice();
    let (hearing, _) = listen(&voice, talker(&voice), Network::new(1).outage(20 * SECOND..25 * SECOND));
    let heard = hearing.during(25 * SECOND..25 * SECOND + 100 * MS);
    assert!(heard.made_up() <= 0.5, "{}", heard.made_up());
}

#[test]
fn no_network_makes_a_tone_click() {
    const AMPLITUDE: f64 = 8_000.0;
    // 203 Hz: no whole number of periods in a frame.
    let slope = TAU * 203.0 / 8_000.0;
    let tone: Arc<[i16]> = (0..8_000).map(|n| (AMPLITUDE * (slope * f64::from(n)).sin()) as i16).collect();
    for seed in 1..=3 {
        for (name, network, ..) in networks(seed) {
            let payload_type = MediaParameters::of(FORMAT).payload_type;
            let talker = Talker::new(FORMAT.into(), payload_type, Arc::clone(&tone), 7 * MS).drift(500.0);
            let mut line = Line { talker, network: network.until(BAD) };
            let mut leg = leg();
            let (mut before, mut steepest) = (0_i16, 0);
            for tick in 0..(END.as_millis() / 20) as u32 {
                line.deliver(20 * MS * tick, &mut leg);
                let mut frame = [0; 160];
                leg.playout(&mut frame);
                // What is heard first may begin anywhere.
                let heard = tick > 50;
                for sample in frame {
                    steepest = steepest.max(if heard { sample.abs_diff(before) } else { 0 });
                    before = sample;
                }
            }
            let natural = AMPLITUDE * slope;
            let what = format!("{steepest} where {natural} is natural, {name}, seed {seed}");
            assert!(f64::from(steepest) <= 1.5 * natural, "{what}");
        }
    }
}
