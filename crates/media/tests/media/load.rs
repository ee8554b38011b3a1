//! What the workers have to do, and what is left of their time.

use std::time::Duration;

use mixminus_audio::{Decibels, TICK};
use mixminus_media::{Media, MediaConfig};
use mixminus_mixer::{BridgeId, Gains};
use mixminus_rtp::Statistics;

use crate::far_end::{FarEnd, config, eventually, install, start, talk};

#[test]
fn how_busy_the_workers_are_is_known_within_two_seconds_and_forgotten_when_they_are_idle() {
    let (media, _events) = start(2);
    let mut end = FarEnd::call(&media, 500.0);
    install(&media, 1, &[end.leg], &[]);
    talk([&mut end], 110);
    let load = media.load();
    let busy: Vec<_> = load.workers.iter().filter(|worker| worker.busy > 0.0).collect();
    assert!(matches!(busy[..], [worker] if worker.busy < 0.5 && worker.legs == 1), "{load:?}");
    assert!(load.least_busy() == 0.0 && media.has_room() && media.has_room_in(BridgeId(1)));
    let state = media.bridge(BridgeId(1)).unwrap();
    assert!(state.tick_cost > Duration::ZERO && state.tick_cost < TICK, "{state:?}");
    media.release_leg(end.leg);
    eventually("the worker is idle", || media.load().workers.iter().all(|worker| worker.busy == 0.0));
}

#[test]
fn there_is_no_room_where_as_much_is_used_as_may_be() {
    let (media, _events) = Media::start(MediaConfig { max_busy_percent: 0, ..config() }).unwrap();
    assert!(!media.has_room() && !media.has_room_in(BridgeId(1)));
}

#[test]
fn who_dominates_a_bridge_is_known() {
    let (media, _events) = start(1);
    let mut ends = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    let legs = [ends[0].leg, ends[1].leg];
    install(&media, 1, &legs, &[]);
    for talker in [0, 1, 0] {
        (ends[talker].silent, ends[1 - talker].silent) = (false, true);
        talk(&mut ends, 40);
        assert_eq!(media.bridge(BridgeId(1)).unwrap().active_speaker, Some(legs[talker]));
    }
    media.close_bridge(BridgeId(1));
    assert_eq!(media.bridge(BridgeId(1)), None);
}

#[test]
fn gains_are_heard_and_stay_with_the_leg_wherever_it_goes() {
    let (media, _events) = start(2);
    let mut ends = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    let quiet = Gains { incoming: Decibels(-20.0), outgoing: Decibels(-26.0) };
    media.set_gains(ends[0].leg, quiet);
    for bridge in [1, 2] {
        install(&media, bridge, &[ends[0].leg, ends[1].leg], &[]);
        talk(&mut ends, 30);
        let [heard_of, hears] = [ends[1].level_of(500.0), ends[0].level_of(900.0)];
        assert!((heard_of + 40.0).abs() < 1.0 && (hears + 46.0).abs() < 1.0, "{heard_of} and {hears} dBov");
    }
    media.set_gains(ends[0].leg, Gains::default());
    talk(&mut ends, 30);
    assert!(ends[0].hears(900.0) && ends[1].hears(500.0));
}

#[test]
fn what_a_far_end_says_is_measured() {
    let (media, _events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    install(&media, 1, &[end.leg], &[]);
    // A machine that stalls for a fifth of a second takes a decibel away; it does not do so all the time.
    let measured = (0..8).map(|_| {
        talk([&mut end], 120);
        media.statistics(end.leg).unwrap()
    });
    let near = |statistics: &Statistics| {
        let (level, mos) = (statistics.level.unwrap().0, statistics.mos.unwrap().0);
        (level + 20.0).abs() < 1.0 && mos > 4.0
    };
    let statistics = measured.into_iter().find(near).expect("a tone of -20 dBov that sounds good");
    assert!(statistics.talk_time >= Duration::from_secs(1) && statistics.clipped_frames == 0);
    assert!(statistics.remote_mos.is_none(), "{statistics:?}");
    let streams = media.counters().streams;
    assert_eq!((streams.talk_time, streams.mos.legs), (statistics.talk_time, 1));
}
