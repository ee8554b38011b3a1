use std::sync::Arc;
use std::time::{Duration, Instant};

use mixminus_audio::{Clip, Dbov, Pcm, SampleRate, Sine, TICK};
use mixminus_media::{Direction, Media, MediaConfig, MediaError, MediaEvent};
use mixminus_mixer::{BridgeId, Plays, PromptId, SourceId};

use crate::far_end::{FarEnd, LOOPBACK, eventually, free_ports, install, next, start, start_on, talk};

const PROMPT: PromptId = PromptId(1);

fn clip(ticks: usize) -> Arc<Clip> {
    let mut samples = vec![0; ticks * 160];
    Sine::new(SampleRate::Hz8000, 1300.0, Dbov(-20.0)).fill(&mut samples);
    Arc::new(Pcm { rate: SampleRate::Hz8000, samples }.into())
}

#[test]
fn no_worker_and_no_port_pair_are_refused() {
    let config = |ports, workers| MediaConfig {
        bind_ip: LOOPBACK,
        ports,
        workers,
        media_timeout: Duration::from_secs(1),
        max_legs: 1,
        max_busy_percent: 70,
        replay_log: None,
    };
    assert!(matches!(Media::start(config(24_300..=24_301, 0)), Err(MediaError::NoWorkers)));
    assert!(matches!(Media::start(config(24_301..=24_302, 1)), Err(MediaError::NoPortPair { .. })));
}

#[test]
fn a_released_leg_gives_its_port_back() {
    let (media, _events) = start_on(free_ports(4), 1);
    let seated = FarEnd::call(&media, 500.0);
    install(&media, 1, &[seated.leg], &[]);
    let (at_home, _) = media.open_leg().unwrap();
    assert!(matches!(media.open_leg(), Err(MediaError::NoPorts)));
    media.release_leg(at_home);
    media.open_leg().unwrap();
    media.release_leg(seated.leg);
    eventually("the port of the seated leg is free", || media.open_leg().is_ok());
    assert_eq!(media.counters().legs, 2);
}

#[test]
fn a_silent_far_end_is_reported_once_and_not_on_hold() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    install(&media, 1, &[end.leg], &[]);
    talk([&mut end], 5);
    end.silent = true;
    end.agree(&media, Direction::Inactive);
    talk([&mut end], 20);
    assert_eq!(next(&mut events), None);

    end.agree(&media, Direction::SendReceive);
    talk([&mut end], 8);
    assert_eq!(next(&mut events), None);
    talk([&mut end], 12);
    assert_eq!(next(&mut events), Some(MediaEvent::MediaTimeout { leg: end.leg }));
    talk([&mut end], 12);
    assert_eq!(next(&mut events), None);

    end.silent = false;
    talk([&mut end], 12);
    end.silent = true;
    talk([&mut end], 14);
    assert_eq!(next(&mut events), Some(MediaEvent::MediaTimeout { leg: end.leg }));
}

#[test]
fn junk_does_not_keep_a_far_end_alive() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    install(&media, 1, &[end.leg], &[]);
    talk([&mut end], 5);
    end.silent = true;
    for _ in 0..14 {
        end.send_junk();
        talk([&mut end], 1);
    }
    assert_eq!(next(&mut events), Some(MediaEvent::MediaTimeout { leg: end.leg }));
}

#[test]
fn a_prompt_plays_to_its_end_whether_its_audio_or_its_plan_comes_first() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    install(&media, 1, &[end.leg], &[SourceId::Prompt(PROMPT)]);
    talk([&mut end], 10);
    assert!(!end.hears(1300.0));
    media.play(PROMPT, clip(10), Plays::Times(2));
    talk([&mut end], 20);
    assert!(end.hears(1300.0));
    talk([&mut end], 20);
    assert_eq!(next(&mut events), Some(MediaEvent::PromptEnded { prompt: PROMPT }));
    assert!(!end.hears(1300.0));

    let second = PromptId(2);
    media.play(second, clip(10), Plays::Forever);
    install(&media, 1, &[end.leg], &[SourceId::Prompt(second)]);
    talk([&mut end], 30);
    assert!(end.hears(1300.0));
    media.stop_prompt(second);
    talk([&mut end], 20);
    assert!(!end.hears(1300.0));
    install(&media, 1, &[end.leg], &[]);
    eventually("both prompts are forgotten", || media.counters().prompts == 0);
    assert_eq!(next(&mut events), None);
}

#[test]
fn a_prompt_begins_with_its_first_part_and_ends_with_its_last_wherever_it_is() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    install(&media, 1, &[end.leg], &[SourceId::Prompt(PROMPT)]);
    media.begin(PROMPT, Plays::Times(2));
    talk([&mut end], 10);
    assert!(!end.hears(1300.0));
    media.append(PROMPT, clip(10));
    talk([&mut end], 20);
    assert!(end.hears(1300.0));
    talk([&mut end], 10);
    assert!(!end.hears(1300.0));
    assert_eq!(next(&mut events), None);

    install(&media, 1, &[end.leg], &[]);
    media.append(PROMPT, clip(20));
    media.complete(PROMPT);
    talk([&mut end], 20);
    assert!(!end.hears(1300.0));
    install(&media, 1, &[end.leg], &[SourceId::Prompt(PROMPT)]);
    talk([&mut end], 45);
    assert!(end.hears(1300.0));
    talk([&mut end], 20);
    assert_eq!(next(&mut events), Some(MediaEvent::PromptEnded { prompt: PROMPT }));
    media.stop_prompt(PROMPT);
    install(&media, 1, &[end.leg], &[]);
    eventually("the prompt is forgotten", || media.counters().prompts == 0);
    media.append(PROMPT, clip(1));
    assert_eq!(media.counters().prompts, 0);
}

#[test]
fn a_prompt_goes_on_through_a_new_plan() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    media.play(PROMPT, clip(25), Plays::Times(1));
    install(&media, 1, &[end.leg], &[SourceId::Prompt(PROMPT)]);
    talk([&mut end], 15);
    install(&media, 1, &[end.leg], &[SourceId::Prompt(PROMPT), SourceId::Prompt(PromptId(2))]);
    talk([&mut end], 15);
    assert_eq!(next(&mut events), Some(MediaEvent::PromptEnded { prompt: PROMPT }));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real threads are tested in real time")]
fn an_idle_worker_does_not_tick_and_a_busy_one_is_counted() {
    let (media, events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    talk([&mut end], 10);
    assert_eq!(media.counters().ticks, 0);
    assert!(worker_jiffies() <= 1, "an idle worker spins");
    let began = Instant::now();
    install(&media, 1, &[end.leg], &[]);
    talk([&mut end], 20);
    let counters = media.counters();
    let elapsed = (began.elapsed().as_millis() / TICK.as_millis()) as u64;
    let ticks = counters.ticks + counters.ticks_skipped;
    assert!((elapsed - 4..=elapsed + 1).contains(&ticks), "{ticks} ticks in the time of {elapsed}");
    assert_eq!(counters.lateness.count(), counters.ticks);
    assert!(counters.traffic.sent >= 15 && counters.traffic.received >= 15);
    assert_eq!((counters.legs, counters.bridges, counters.traffic.foreign), (1, 1, 0));

    media.close_bridge(BridgeId(1));
    talk([&mut end], 3);
    let ticks = media.counters().ticks;
    talk([&mut end], 10);
    assert_eq!(media.counters().ticks, ticks);
    drop(media);
    assert!(events.is_closed());
}

/// Hundredths of a second of CPU that the first worker has used
/// (proc(5), fields 14 and 15).
fn worker_jiffies() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let mut stats = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap());
    let worker = stats.find_map(|stat| Some(stat.split_once("(media-0) ")?.1.to_owned())).unwrap();
    worker.split(' ').skip(11).take(2).map(|jiffies| jiffies.parse::<u64>().unwrap()).sum()
}
