use std::sync::Arc;

use mixminus_audio::{Clip, Dbov, Pcm, SampleRate, Sine, goertzel};
use mixminus_mixer::{BridgeId, PromptId, SourceId};

use crate::far_end::{FarEnd, install, start, talk};

fn moves(workers: usize) {
    let (media, _events) = start(workers);
    let mut ends = [FarEnd::call(&media, 500.0), FarEnd::call(&media, 900.0)];
    let legs = [ends[0].leg, ends[1].leg];
    // The second goes to the worker that has fewer legs.
    install(&media, 1, &legs[..1], &[]);
    install(&media, 2, &legs[1..], &[]);
    talk(&mut ends, 10);
    assert!(!ends[0].hears(900.0) && !ends[1].hears(500.0));

    install(&media, 3, &legs, &[]);
    media.close_bridge(BridgeId(1));
    media.close_bridge(BridgeId(2));
    talk(&mut ends, 25);
    assert!(ends[0].hears(900.0) && ends[1].hears(500.0));

    install(&media, 4, &legs[..1], &[]);
    install(&media, 3, &legs[1..], &[]);
    talk(&mut ends, 20);
    assert!(!ends[0].hears(900.0) && !ends[1].hears(500.0));

    install(&media, 4, &legs, &[]);
    media.close_bridge(BridgeId(3));
    talk(&mut ends, 25);
    assert!(ends[0].hears(900.0) && ends[1].hears(500.0));
    for end in &ends {
        end.assert_regular();
        assert!(end.packets.len() >= 75, "{} packets in 80 ticks", end.packets.len());
    }
}

#[test]
fn a_leg_that_moves_on_its_worker_loses_and_repeats_nothing() {
    moves(1);
}

#[test]
fn a_leg_that_moves_to_another_worker_loses_and_repeats_nothing() {
    moves(2);
}

#[test]
fn a_leg_that_no_plan_names_is_silent_until_one_does() {
    let (media, _events) = start(1);
    let mut ends = [FarEnd::call(&media, 500.0), FarEnd::call(&media, 900.0)];
    let legs = [ends[0].leg, ends[1].leg];
    install(&media, 1, &legs, &[]);
    talk(&mut ends, 20);
    install(&media, 1, &legs[1..], &[]);
    talk(&mut ends, 3);
    let before = ends[0].packets.len();
    talk(&mut ends, 20);
    assert_eq!(ends[0].packets.len(), before);
    assert!(!ends[1].hears(500.0));
    ends[1].assert_regular();

    install(&media, 1, &legs, &[]);
    talk(&mut ends, 25);
    assert!(ends[0].hears(900.0) && ends[1].hears(500.0));
    let [(last, _), (first, _)] = &ends[0].packets[before - 1..=before] else { unreachable!() };
    assert_eq!(first.sequence, last.sequence.wrapping_add(1));
    assert!(first.timestamp.wrapping_sub(last.timestamp) >= 20 * 160);
}

#[test]
fn a_leg_that_keeps_moving_between_workers_keeps_time() {
    let (media, _events) = start(2);
    let mut ends = [FarEnd::call(&media, 500.0), FarEnd::call(&media, 900.0), FarEnd::call(&media, 1300.0)];
    let [one, other, moving] = [0, 1, 2].map(|end| ends[end].leg);
    install(&media, 1, &[one, moving], &[]);
    install(&media, 2, &[other], &[]);
    talk(&mut ends, 5);
    for _ in 0..8 {
        install(&media, 2, &[other, moving], &[]);
        talk(&mut ends, 4);
        install(&media, 1, &[one, moving], &[]);
        talk(&mut ends, 4);
    }
    for end in &ends {
        end.assert_regular();
    }
    let [stayed, moved] = [0, 2].map(|end| ends[end].packets.len());
    assert!(stayed.abs_diff(moved) <= 2, "{stayed} packets to one that stayed, {moved} to one that moved");

    // What it says is not heard later for all that.
    let before = ends[0].packets.len();
    ends[2].silent = true;
    talk(&mut ends, 25);
    let frames =
        ends[0].packets[before..].iter().map(|(_, frame)| goertzel(frame, SampleRate::Hz8000, 1300.0));
    let heard = frames.filter(|level| level.0 > -30.0).count();
    assert!(heard <= 6, "heard for {heard} ticks after it fell silent");
}

#[test]
fn what_was_said_before_a_leg_was_in_a_bridge_is_not_heard() {
    let (media, _events) = start(1);
    let mut ends = [FarEnd::call(&media, 500.0), FarEnd::call(&media, 900.0)];
    talk(&mut ends, 10);
    ends[0].silent = true;
    install(&media, 1, &[ends[0].leg, ends[1].leg], &[]);
    talk(&mut ends, 15);
    assert!(!ends[1].hears(500.0) && ends[0].hears(900.0));
}

#[test]
fn what_a_live_prompt_says_to_nobody_is_not_heard_later() {
    let (media, _events) = start(1);
    let mut ends = [FarEnd::call(&media, 500.0)];
    let (legs, live) = ([ends[0].leg], PromptId(1));
    let speak = || {
        let mut samples = vec![0; 8_000];
        Sine::new(SampleRate::Hz8000, 900.0, Dbov(-20.0)).fill(&mut samples);
        media.append(live, Arc::new(Clip::new(Pcm { rate: SampleRate::Hz8000, samples })));
    };
    install(&media, 1, &legs, &[SourceId::Prompt(live)]);
    media.begin_live(live);
    speak();
    talk(&mut ends, 25);
    assert!(ends[0].hears(900.0));
    install(&media, 1, &legs, &[]);
    speak();
    talk(&mut ends, 10);
    speak();
    install(&media, 1, &legs, &[SourceId::Prompt(live)]);
    talk(&mut ends, 25);
    assert!(!ends[0].hears(900.0), "what was left of it, or came meanwhile");
    speak();
    talk(&mut ends, 25);
    assert!(ends[0].hears(900.0));
}
