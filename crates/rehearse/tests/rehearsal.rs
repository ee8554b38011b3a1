//! Rehearsals at a small mixing server of the test's own, whose merits and faults are known.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod server;

use std::time::Duration;

use mixminus_audio::SampleRate;
use mixminus_codec::Format;
use mixminus_rehearse::{Network, Options, RehearseError, Report, RoomHearing, run};
use mixminus_sip::{UserAgent, UserAgentConfig};
use tokio::task::JoinSet;

use crate::server::{Manner, Server};

/// Two rooms of three for six seconds, at a server of this manner.
async fn rehearse(manner: Manner, options: Options) -> Report {
    let server = Server::start(manner).await;
    run(Options { target: server.target(), ..options }).await.unwrap()
}

fn options() -> Options {
    Options { rooms: 2, participants: 3, seconds: 6, ..Options::default() }
}

/// Pairs in one room, so that a relay is a conference.
fn pairs() -> Options {
    Options { rooms: 4, participants: 2, seconds: 6, ..Options::default() }
}

fn relay(delay_ms: u64) -> Manner {
    Manner::Relay(Duration::from_millis(delay_ms))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_mixes_right_passes() {
    let report = rehearse(Manner::MixMinus, options()).await;
    assert!(report.passed(), "{report}");
    assert_eq!((report.calls.placed, report.calls.answered), (6, 6));
    assert!(report.hearing.iter().all(|room| (room.listeners, room.expected, room.heard) == (3, 6, 6)));
    assert_eq!((report.packets.sent, report.packets.lost), (6 * 300, 0));
    assert!(report.inter_arrival.unwrap().samples > 6 * 150);
    let delay = report.added_delay;
    // Six clicks in each of two rooms, by three callers in turn, for two listeners each.
    assert_eq!((delay.clicks, delay.talkers, delay.expected, delay.codecs_ms), (12, 6, 24, 0.0));
    let total = delay.total.unwrap();
    assert!(total.samples >= 20 && total.p50_ms < 100.0, "{total}");
    assert_eq!(report.server, None, "the server is this process");
    assert!(report.rehearsal.unwrap().threads > 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_codec_is_spoken_by_talkers_and_heard_by_some_who_listen() {
    let codecs =
        [Format::Opus(SampleRate::Hz48000), Format::G722, Format::Pcma, Format::L16(SampleRate::Hz16000)];
    let options = |codec| Options { codec, talkers: Some(1), listeners: Some(2), ..options() };
    let rehearsals: JoinSet<_> =
        codecs.into_iter().map(|codec| rehearse(Manner::MixMinus, options(codec))).collect();
    for report in rehearsals.join_all().await {
        assert!(report.passed(), "{report}");
        let listeners = report.hearing.iter().map(|room| room.listeners).sum::<usize>();
        assert_eq!((listeners, report.packets.sent), (2, 6 * 300));
        assert!(report.packets.received > 6 * 150);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_dtx_who_says_nothing_sends_nothing() {
    let options = Options { talkers: Some(1), dtx: true, ..options() };
    let report = rehearse(Manner::MixMinus, options).await;
    assert!(report.passed(), "{report}");
    // Two of six send, for less than half of the time apart from their clicks.
    assert!(report.packets.sent < 6 * 300 / 3, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_echoes_fails() {
    let report = rehearse(Manner::Echo, options()).await;
    assert!(!report.passed());
    let own: Vec<_> = report.hearing[0].unexpected.iter().map(|f| f.listener == f.speaker).collect();
    assert_eq!(own, [true; 3]);
    assert!(report.hearing[0].own_voice_db > -6.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lets_rooms_hear_each_other_fails() {
    let report = rehearse(Manner::OneRoom, options()).await;
    let unexpected =
        |room: &RoomHearing| room.unexpected.iter().filter(|f| f.speaker.room != room.room).count();
    assert_eq!(report.hearing.iter().map(unexpected).collect::<Vec<_>>(), [9, 9], "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_fails() {
    let report = rehearse(Manner::Mute, options()).await;
    assert!(!report.passed());
    assert_eq!(report.hearing.iter().map(|room| room.missing.len()).sum::<usize>(), 12);
    assert_eq!(report.added_delay.total, None);
    assert!(report.packets.received > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_delay_of_a_server_is_measured() {
    let measured = async |delay_ms| (delay_ms, rehearse(relay(delay_ms), pairs()).await);
    for (delay_ms, report) in <[_; 2]>::from(tokio::join!(measured(7), measured(31))) {
        assert!(report.passed(), "{report}");
        let total = report.added_delay.total.unwrap();
        let over_ms = total.p50_ms - delay_ms as f64;
        assert!((0.0..3.0).contains(&over_ms), "{total}");
        assert_eq!(report.added_delay.talkers, 8);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_keeps_the_delay_of_a_stall_is_told_from_one_that_gives_it_back() {
    let network = Network { stall_ms: 300, ..Network::default() };
    let options = Options { network, seconds: 12, ..pairs() };
    let p50_ms = async |manner| {
        let stall = rehearse(manner, options.clone()).await.added_delay.stall.unwrap();
        [stall.before, stall.after].map(|delay| delay.unwrap().p50_ms)
    };
    let (relayed, queued) = tokio::join!(p50_ms(relay(7)), p50_ms(Manner::Queue));
    let [before, after] = relayed;
    assert!((after - before).abs() < 3.0, "{before} {after}");
    let [before, after] = queued;
    assert!(after - before > 150.0, "{before} {after}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_that_a_server_loses_and_those_that_never_got_there_are_told_apart() {
    let report = rehearse(Manner::Lossy, pairs()).await;
    let share = report.packets.lost as f64 / (report.packets.received + report.packets.lost) as f64;
    assert!((share - 0.1).abs() < 0.01, "{report}");
    let network = Network { loss_percent: 10, ..Network::default() };
    let report = rehearse(relay(0), Options { network, ..pairs() }).await;
    assert_eq!(report.packets.lost, 0);
    assert_eq!(report.packets.sent + report.packets.dropped, 8 * 300);
    assert!((150..350).contains(&report.packets.dropped), "{report}");
}

#[tokio::test]
async fn a_server_that_refuses_is_an_error() {
    let config =
        UserAgentConfig { listen: vec!["udp:127.0.0.1:0".parse().unwrap()], ..UserAgentConfig::default() };
    let (agent, _calls) = UserAgent::start(config).await.unwrap();
    agent.drain(Duration::from_secs(1));
    let target = agent.listening()[0].address.to_string();
    let refused = run(Options { target, rooms: 1, participants: 2, ..Options::default() }).await;
    let Err(RehearseError::NobodyAnswered { placed: 2, reason }) = refused else { panic!("{refused:?}") };
    assert_eq!(reason, "status 503");
}
