use mixminus_audio::Dbov;
use mixminus_media::{Direction, MediaEvent, Voice};
use mixminus_mixer::{BridgeId, LegId};
use tokio::sync::mpsc::Receiver;

use crate::far_end::{FarEnd, install, plan, start, talk};

/// What was said since the last call about who talks.
fn said(events: &mut Receiver<MediaEvent>) -> Vec<bool> {
    let all = std::iter::from_fn(|| events.try_recv().ok());
    let talking = all.filter_map(|event| match event {
        MediaEvent::Talking { talking, .. } => Some(talking),
        _ => None,
    });
    talking.collect()
}

#[test]
fn a_far_end_is_said_to_talk_within_150_ms_and_to_stop_half_a_second_after() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    install(&media, 1, &[end.leg], &[]);
    end.silent = true;
    talk([&mut end], 10);
    assert_eq!(said(&mut events), []);

    // Its first packet already holds 20 ms.
    end.silent = false;
    talk([&mut end], 6);
    assert_eq!(said(&mut events), [true]);
    talk([&mut end], 20);
    end.silent = true;
    talk([&mut end], 20);
    assert_eq!(said(&mut events), [], "a pause is no end, and nothing is said twice");
    talk([&mut end], 20);
    assert_eq!(said(&mut events), [false]);
}

#[test]
fn a_far_end_that_holds_us_does_not_talk() {
    let (media, mut events) = start(1);
    let mut end = FarEnd::call(&media, 500.0);
    end.agree(&media, Direction::ReceiveOnly);
    install(&media, 1, &[end.leg], &[]);
    talk([&mut end], 20);
    assert_eq!(said(&mut events), []);

    end.agree(&media, Direction::SendReceive);
    talk([&mut end], 15);
    assert_eq!(said(&mut events), [true]);
    end.agree(&media, Direction::ReceiveOnly);
    talk([&mut end], 40);
    assert_eq!(said(&mut events), [false]);
}

#[test]
fn what_a_far_end_sounds_like_and_who_hears_it_can_be_seen() {
    let (media, _events) = start(1);
    let [mut one, mut other] = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    let routes = plan(&[one.leg, other.leg], &[]);
    media.install(BridgeId(1), routes.clone());
    assert_eq!((media.plan(BridgeId(1)), media.plan(BridgeId(2))), (Some(routes), None));
    other.silent = true;
    talk([&mut one, &mut other], 15);
    let [Some(loud), Some(silent), None] = media.voices(&[one.leg, other.leg, LegId(99)])[..] else {
        panic!("two legs are open")
    };
    assert!(loud.talking && loud.level > Dbov(-30.0), "{loud:?}");
    assert_eq!(silent, Voice { level: Dbov::SILENCE, talking: false });
}
