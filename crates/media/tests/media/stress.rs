use std::sync::Arc;

use mixminus_audio::{Pcm, SampleRate};
use mixminus_media::{Direction, Media};
use mixminus_mixer::{BridgeId, LegId, Plays, PromptId, SourceId};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::far_end::{FarEnd, eventually, free_ports, install, start_on, talk};

const LEGS: usize = 12;
const BRIDGES: u64 = 5;
const PROMPTS: u64 = 6;

/// Does one thing that the control side may do, at any time, to anything.
fn anything(media: &Media, ends: &mut [FarEnd], random: &mut StdRng) {
    let leg = random.random_range(0..ends.len());
    let bridge = random.random_range(0..BRIDGES);
    let prompt = PromptId(random.random_range(0..PROMPTS));
    match random.random_range(0..12) {
        0..5 => {
            let ids: Vec<LegId> = ends.iter().map(|end| end.leg).collect();
            let several = random.random_range(0..=4);
            let legs: Vec<_> = ids.sample(random, several).copied().collect();
            install(media, bridge, &legs, &[SourceId::Prompt(prompt)]);
        }
        5 => media.close_bridge(BridgeId(bridge)),
        6 => {
            media.release_leg(ends[leg].leg);
            ends[leg] = FarEnd::call(media, 500.0);
        }
        7 | 8 => {
            let clip = Arc::new(Pcm { rate: SampleRate::Hz8000, samples: vec![100; 400] }.into());
            media.play(prompt, clip, Plays::Times(random.random_range(1..20)));
        }
        9 => media.stop_prompt(prompt),
        10 => ends[leg].agree(media, Direction::ReceiveOnly),
        _ => ends[leg].agree(media, Direction::SendReceive),
    }
}

#[test]
fn whatever_is_done_nothing_is_lost_or_left_behind() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand_seed);
    println!("SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (media, _events) = start_on(free_ports(60), 2);
    let mut ends: Vec<_> = (0..LEGS).map(|_| FarEnd::call(&media, 500.0)).collect();
    for _ in 0..60 {
        for _ in 0..random.random_range(1..30) {
            anything(&media, &mut ends, &mut random);
        }
        talk(&mut ends, random.random_range(1..4));
    }

    let legs: Vec<_> = ends.iter().map(|end| end.leg).collect();
    install(&media, 0, &legs, &[]);
    (1..BRIDGES).for_each(|bridge| media.close_bridge(BridgeId(bridge)));
    for end in &mut ends {
        end.agree(&media, Direction::SendReceive);
    }
    talk(&mut ends, 10);
    for end in &mut ends {
        end.packets.clear();
    }
    talk(&mut ends, 10);
    for end in &ends {
        assert!(end.packets.len() >= 7, "{:?} was sent {} packets", end.leg, end.packets.len());
        end.assert_regular();
    }

    for leg in legs {
        media.release_leg(leg);
    }
    (0..PROMPTS).for_each(|prompt| media.stop_prompt(PromptId(prompt)));
    media.close_bridge(BridgeId(0));
    eventually("nothing is left", || {
        let left = media.counters();
        (left.legs, left.bridges, left.prompts) == (0, 0, 0)
    });
    assert!((0..30).all(|_| media.open_leg().is_ok()), "every port is free again");
}

fn rand_seed() -> u64 {
    rand::make_rng::<StdRng>().random()
}
