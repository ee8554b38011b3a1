//! The replay log of real legs.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use mixminus_audio::{Clip, Decibels, Pcm, SampleRate};
use mixminus_codec::Format;
use mixminus_media::{Media, MediaConfig, ReplayLog};
use mixminus_mixer::{BridgeId, Gains, Plays, PromptId, SourceId};
use mixminus_replay::{Outcome, replay};

use crate::far_end::{FarEnd, config, install, talk, with_events};

fn clip(hz: u32, samples: i16) -> Arc<Clip> {
    let rate = SampleRate::ALL.into_iter().find(|rate| rate.hz() == hz).unwrap();
    Arc::new(Clip::new(Pcm { rate, samples: (0..samples).collect() }))
}

/// Two legs that meet, hear prompts, one of them part by part, change format and part.
fn conversation(path: &Path, max_bytes: u64) -> Outcome {
    let replay_log = Some(ReplayLog { path: path.into(), max_bytes });
    let (media, _events) = Media::start(MediaConfig { workers: 2, replay_log, ..config() }).unwrap();
    let mut ends = [FarEnd::call(&media, 500.0), FarEnd::call(&media, 900.0)];
    let legs = [ends[0].leg, ends[1].leg];
    install(&media, 1, &legs[..1], &[]);
    install(&media, 2, &legs[1..], &[]);
    talk(&mut ends, 5);
    install(&media, 1, &legs, &[SourceId::Prompt(PromptId(7))]);
    media.close_bridge(BridgeId(2));
    media.play(PromptId(7), clip(16_000, 8_000), Plays::Times(2));
    talk(&mut ends, 5);
    media.begin(PromptId(8), Plays::Forever);
    media.append(PromptId(8), clip(8_000, 900));
    install(&media, 1, &legs, &[SourceId::Prompt(PromptId(7)), SourceId::Prompt(PromptId(8))]);
    talk(&mut ends, 5);
    media.append(PromptId(8), clip(16_000, 1_000));
    talk(&mut ends, 5);
    install(&media, 1, &legs, &[SourceId::Prompt(PromptId(7))]);
    media.append(PromptId(8), clip(8_000, 700));
    media.complete(PromptId(8));
    talk(&mut ends, 3);
    install(&media, 1, &legs, &[SourceId::Prompt(PromptId(7)), SourceId::Prompt(PromptId(8))]);
    media.set_gains(legs[1], Gains { incoming: Decibels(-6.0), outgoing: Decibels(3.0) });
    ends[0].recode(&media, with_events(Format::Opus(SampleRate::Hz48000)));
    ends[0].forget_what_is_on_its_way();
    talk(&mut ends, 20);
    ends[1].silent = true;
    talk(&mut ends, 10);
    drop(media);
    replay(File::open(path).unwrap()).unwrap()
}

#[test]
fn what_real_legs_were_sent_is_made_again_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = conversation(&folder.path().join("log"), 1 << 30);
    assert!(outcome.is_identical() && !outcome.cut, "{outcome}");
    assert!(outcome.payloads >= 90, "{outcome}");
}

#[test]
fn a_log_ends_at_its_limit_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let outcome = conversation(&path, 20_000);
    assert!(outcome.is_identical() && outcome.cut, "{outcome}");
    assert!(path.metadata().unwrap().len() < 20_100);
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let replay_log = Some(ReplayLog { path: "/nonexistent/log".into(), max_bytes: 1 });
    assert!(Media::start(MediaConfig { replay_log, ..config() }).is_err());
}
