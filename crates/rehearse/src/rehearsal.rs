//! The course of a rehearsal.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mixminus_codec::{Encoding, Format, OpusSettings};
use mixminus_sip::{Cidr, ListenAddress, UserAgent, UserAgentConfig};
use tokio::task::JoinSet;

use crate::arrivals::Arrivals;
use crate::caller::Caller;
use crate::clock::now;
use crate::delay::{self, Delays};
use crate::ear::Ear;
use crate::hearing::{Plan, Seat};
use crate::listening::{self, Heard, Line};
use crate::network::{MAX_DRIFT_PPM, MAX_JITTER_MS, MAX_LOSS_PERCENT, MAX_STALL_MS, Route};
use crate::process::{self, Usage};
use crate::repertoire::Repertoire;
use crate::report::{Calls, Cost, FailedCall, Packets, Report};
use crate::sending::{self, Script, Speaker, Spoken, Stream};
use crate::target::Target;
use crate::timeline::{Course, Timeline};
use crate::tones::Scale;
use crate::{MAX_CALLERS, MAX_SECONDS, MAX_TALKERS, Options, RehearseError, speech};

/// From one call to the next, so that no socket overflows.
const PLACING_PACE: Duration = Duration::from_millis(10);
/// From one goodbye to the next.
const GOODBYE_PACE: Duration = Duration::from_millis(2);
/// From the last answer to the first packet.
const LEAD: Duration = Duration::from_millis(100);

/// Rehearses.
///
/// # Errors
///
/// [`RehearseError`] when there was nothing to report. Calls that fail, and voices that are not heard
/// or should not be, are findings of the [`Report`].
pub async fn run(options: Options) -> Result<Report, RehearseError> {
    check(&options)?;
    let target = Arc::new(Target::find(&options.target).await?);
    let encoding = encoding(&options);
    let preparing = options.clone();
    let preparation = move || script(&preparing).map(|script| (Arc::new(script), delay::of_codecs(encoding)));
    let prepared = tokio::task::spawn_blocking(preparation).await;
    let (script, codecs) = prepared.expect("preparing does not panic")?;
    let agent = Arc::new(start_agent(&target).await?);
    let mut calls = Calls::default();
    let callers = place(&agent, &target, &options, &script.plan, &mut calls).await?;

    let pid = options.pid.or_else(|| {
        let here = target.is_here().then(|| process::listener(target.address, target.transport));
        here.flatten().filter(|pid| *pid != std::process::id())
    });
    let start = now() + LEAD;
    let lines = callers.iter().map(|caller| line(caller, &script, encoding.format())).collect();
    let listening = listening::start(lines, script.timeline, start)?;
    let speakers = callers.iter().map(|caller| speaker(caller, &script, encoding.format())).collect();
    let speaking = sending::start(Arc::clone(&script), speakers, start)?;
    let (server, rehearsal) = measure(pid, script.timeline, start, callers.len()).await;
    tokio::time::sleep_until((start + script.timeline.duration()).into()).await;
    calls.lost = callers.iter().filter(|caller| caller.is_over()).map(|caller| caller.seat).collect();
    say_goodbye(callers).await;
    agent.stop().await;
    let judging = tokio::task::spawn_blocking(move || {
        let spoken = speaking.join().expect("speaking does not panic");
        let heard = listening.join().expect("listening does not panic")?;
        Ok(Report { calls, server, rehearsal, ..judge(&options, &script.plan, &heard, spoken, codecs) })
    });
    judging.await.expect("judging does not panic")
}

fn check(options: &Options) -> Result<(), RehearseError> {
    let Options { rooms, participants, network, .. } = *options;
    let talkers = options.talkers.unwrap_or(participants);
    let course = course(options);
    let callers = rooms.saturating_mul(participants);
    let ranges = [
        ("participants", participants, 1, MAX_CALLERS),
        ("rooms", rooms, 1, MAX_CALLERS / participants.clamp(1, MAX_CALLERS)),
        ("talkers", talkers, 1, participants.min(MAX_TALKERS)),
        ("listeners", options.listeners.unwrap_or(1), 1, callers),
        ("jitter", network.jitter_ms, 0, MAX_JITTER_MS),
        ("loss", network.loss_percent, 0, MAX_LOSS_PERCENT),
        ("drift", network.drift_ppm, 0, MAX_DRIFT_PPM),
        ("stall", network.stall_ms, 0, MAX_STALL_MS),
        ("seconds", options.seconds, course.shortest(), MAX_SECONDS),
    ];
    match ranges.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
        Some((name, value, least, most)) => Err(RehearseError::Range { name, value, least, most }),
        None => Ok(()),
    }
}

fn course(options: &Options) -> Course {
    Course { seconds: options.seconds, rooms: options.rooms, stall: options.network.stall() }
}

fn encoding(options: &Options) -> Encoding {
    Encoding::new(options.codec, OpusSettings { dtx: options.dtx, ..OpusSettings::default() })
}

/// Everything that will be said.
fn script(options: &Options) -> Result<Script, RehearseError> {
    let rate = options.codec.sample_rate();
    let timeline = Timeline::new(course(options));
    let talkers = options.talkers.unwrap_or(options.participants);
    let callers = options.rooms * options.participants;
    let all = if let Format::Opus(_) = options.codec { Options::OPUS_LISTENERS } else { callers };
    let plan = Plan {
        rooms: options.rooms,
        participants: options.participants,
        talkers,
        listeners: options.listeners.unwrap_or(all).min(callers),
        format: options.codec,
        scale: Scale::new(rate, options.rooms * talkers),
    };
    let speech = options.speech.as_deref().map(|path| {
        speech::read(path, rate).map_err(|source| RehearseError::Speech { path: path.into(), source })
    });
    let speech = speech.unwrap_or_else(|| Ok(speech::spoken(rate)))?;
    let speech = speech::at_level(speech, rate, speech::room_level(talkers));
    let mut repertoire = Repertoire::encode(encoding(options), plan.scale, talkers, &speech);
    if options.dtx && !matches!(options.codec, Format::Opus(_)) {
        repertoire.leave_silence_out();
    }
    Ok(Script { plan, timeline, network: options.network, repertoire })
}
async fn start_agent(target: &Target) -> Result<UserAgent, RehearseError> {
    let address = (target.local, 0).into();
    let server: Cidr = target.address.ip().to_string().parse().expect("an address is a block of one");
    let config = UserAgentConfig {
        listen: vec![ListenAddress::new(target.transport, address)],
        product: concat!("mixminus-rehearse/", env!("CARGO_PKG_VERSION")).into(),
        allow: vec![server],
        ..UserAgentConfig::default()
    };
    let (agent, _) = UserAgent::start(config).await?;
    Ok(agent)
}

/// Places all calls at an even pace and waits for their answers.
async fn place(
    agent: &Arc<UserAgent>,
    target: &Arc<Target>,
    options: &Options,
    plan: &Plan,
    calls: &mut Calls,
) -> Result<Vec<Caller>, RehearseError> {
    let encoding = encoding(options);
    let mut placing = JoinSet::new();
    for seat in plan.seats() {
        let user = options.user_pattern.replace("{room}", &seat.room.to_string());
        let (agent, target) = (Arc::clone(agent), Arc::clone(target));
        placing.spawn(async move { (seat, Caller::call(&agent, &target, &user, encoding, seat).await) });
        tokio::time::sleep(PLACING_PACE).await;
    }
    calls.placed = placing.len();
    let mut callers = Vec::with_capacity(placing.len());
    while let Some(placed) = placing.join_next().await {
        match placed.expect("calling does not panic") {
            (_, Ok(caller)) => callers.push(caller),
            (seat, Err(reason)) => calls.failed.push(FailedCall { seat, reason }),
        }
    }
    calls.answered = callers.len();
    callers.sort_by_key(|caller| (caller.seat.room, caller.seat.number));
    match calls.failed.first() {
        Some(failed) if callers.is_empty() => {
            Err(RehearseError::NobodyAnswered { placed: calls.placed, reason: failed.reason.clone() })
        }
        _ => Ok(callers),
    }
}

fn line(caller: &Caller, script: &Script, format: Format) -> Line {
    let Script { plan, timeline, .. } = script;
    let seat = caller.seat;
    Line {
        seat,
        socket: Arc::clone(&caller.socket),
        payload_type: caller.payload_type,
        arrivals: Arrivals::default(),
        ear: plan.listens(seat).then(|| Ear::new(*timeline, seat.room, format)),
    }
}

fn speaker(caller: &Caller, script: &Script, format: Format) -> Speaker {
    let seat = caller.seat;
    let stall = if seat.number == 0 { script.timeline.stall(seat.room) } else { 0..0 };
    Speaker {
        seat,
        socket: Arc::clone(&caller.socket),
        stream: Stream::new(caller.payload_type, format.clock_rate()),
        route: Route::new(script.network, script.plan.index(seat), stall),
    }
}

/// What the server and the rehearsal use while all rooms talk.
async fn measure(
    server: Option<u32>,
    timeline: Timeline,
    start: Instant,
    participants: usize,
) -> (Option<Cost>, Option<Cost>) {
    let talk = timeline.talk();
    let usage_at = async |at: Duration| {
        tokio::time::sleep_until((start + at).into()).await;
        [server, Some(std::process::id())].map(|pid| Some((pid?, process::usage(pid?)?)))
    };
    let ([server, own], [server_after, own_after]) = (usage_at(talk.start).await, usage_at(talk.end).await);
    let seconds = talk.end.saturating_sub(talk.start).as_secs_f64() * participants as f64;
    let cost = |before: Option<(u32, Usage)>, after: Option<(u32, Usage)>| {
        let ((pid, before), (_, after)) = (before?, after?);
        let cpu_ms = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1000.0;
        let Usage { rss_bytes, threads, .. } = after;
        Some(Cost { pid, cpu_ms_per_participant_second: cpu_ms / seconds, rss_bytes, threads })
    };
    (cost(server, server_after), cost(own, own_after))
}

async fn say_goodbye(callers: Vec<Caller>) {
    for caller in &callers {
        caller.hang_up();
        tokio::time::sleep(GOODBYE_PACE).await;
    }
    for caller in callers {
        caller.finished().await;
    }
}

/// A report of what was heard and counted.
fn judge(options: &Options, plan: &Plan, heard: &Heard, spoken: Spoken, codecs: Duration) -> Report {
    let Spoken { sent, dropped, unsent, lateness, clicks } = spoken;
    let mut packets = Packets { sent, dropped, unsent, received: 0, lost: 0 };
    let mut delays = Delays::new(clicks);
    for line in &heard.lines {
        let (received, lost) = line.arrivals.packets();
        packets.received += received;
        packets.lost += lost;
        if let Some(ear) = &line.ear {
            delays.note(line.seat, ear.onsets());
        }
    }
    let there: HashSet<Seat> = heard.lines.iter().map(|line| line.seat).collect();
    let ears = heard.lines.iter().filter_map(|line| Some((line.seat, line.ear.as_ref()?)));
    Report {
        target: options.target.clone(),
        rooms: plan.rooms,
        participants: plan.participants,
        talkers: plan.talkers,
        seconds: options.seconds,
        codec: options.codec.encoding_name().to_owned(),
        dtx: options.dtx,
        network: options.network,
        calls: Calls::default(),
        hearing: plan.judge(&there, ears),
        packets,
        inter_arrival: heard.gaps.quantiles(),
        added_delay: delays.summary(codecs),
        server: None,
        rehearsal: None,
        lateness: lateness.quantiles(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;

    #[test]
    fn options_out_of_range_are_named() {
        let range = |options: Options| match check(&options) {
            Err(RehearseError::Range { name, least, most, .. }) => Some((name, least, most)),
            _ => None,
        };
        let options = Options::default;
        assert_eq!(range(options()), None);
        assert_eq!(range(Options { rooms: 0, ..options() }), Some(("rooms", 1, 200)));
        assert_eq!(range(Options { participants: 2001, ..options() }), Some(("participants", 1, 2000)));
        let room = Options { rooms: 1, participants: 2000, ..options() };
        assert_eq!(range(room.clone()), Some(("talkers", 1, 300)));
        assert_eq!(range(Options { talkers: Some(2), ..room }), None);
        assert_eq!(range(Options { listeners: Some(101), ..options() }), Some(("listeners", 1, 100)));
        assert_eq!(range(Options { seconds: 4, ..options() }), Some(("seconds", 6, 3600)));
        let network = Network { stall_ms: 1000, ..Network::default() };
        assert_eq!(range(Options { network, seconds: 6, ..options() }), Some(("seconds", 11, 3600)));
    }
}
