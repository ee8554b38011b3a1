//! The course of a rehearsal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mixminus_audio::TICK;
use mixminus_sip::{Cidr, ListenAddress, UserAgent, UserAgentConfig};
use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::ear::Ear;
use crate::hearing::{Plan, Seat};
use crate::media::{Speaker, Spoken, listen, now, start_speaking};
use crate::process::{self, Usage};
use crate::report::{Calls, FailedCall, Packets, Report, ServerCost};
use crate::target::Target;
use crate::timeline::{CLICK_PERIOD_TICKS, MIN_SECONDS, Timeline};
use crate::voice::{Mouth, Speech, Voice};
use crate::{MAX_CALLERS, MAX_PARTICIPANTS, MAX_SECONDS, Options, Quantiles, RehearseError, wav};

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
    let speech = options.speech.as_deref().map(|path| {
        let read = wav::read(path).map_err(|source| RehearseError::Speech { path: path.into(), source });
        read.map(|samples| Speech { samples: samples.into(), participants: options.participants })
    });
    let speech = speech.transpose()?;
    let Options { rooms, participants, seconds, .. } = options;
    let turns = if speech.is_some() { participants } else { 0 };
    check(&options)?;
    let plan = Arc::new(Plan { rooms, participants, speech });
    let timeline = Timeline::new(seconds);
    let target = Arc::new(Target::find(&options.target).await?);
    let agent = Arc::new(start_agent(&target).await?);
    let mut calls = Calls::default();
    let callers = place(&agent, &target, &plan, &options.user_pattern, &mut calls).await?;

    let pid = options.pid.or_else(|| {
        let here = target.is_here().then(|| process::listener(target.address, target.transport));
        here.flatten().filter(|pid| *pid != std::process::id())
    });
    let start = now() + LEAD;
    let speakers = callers.iter().map(|caller| speaker(caller, &plan)).collect::<Result<_, _>>()?;
    let speaking = start_speaking(speakers, timeline, start)?;
    let mut listening = JoinSet::new();
    for caller in &callers {
        let (seat, ear) = (caller.seat, Ear::new(timeline, turns));
        let listener = listen(caller.socket.try_clone()?, caller.remote, ear, timeline, start);
        listening.spawn(async move { listener.await.map(|ear| (seat, ear)) });
    }
    let participant_time = timeline.voiced_for() * callers.len() as u32;
    let server = measure(pid, timeline, start, participant_time).await;
    let mut ears = Vec::with_capacity(callers.len());
    while let Some(listened) = listening.join_next().await {
        ears.push(listened.expect("listening does not panic")?);
    }
    calls.lost = callers.iter().filter(|caller| caller.is_over()).map(|caller| caller.seat).collect();
    say_goodbye(callers).await;
    agent.stop().await;
    let judging = tokio::task::spawn_blocking(move || {
        let spoken = speaking.join().expect("speaking does not panic");
        let hearing = plan.judge(&ears);
        Report { calls, hearing, server, ..summary(&options, &ears, &spoken) }
    });
    Ok(judging.await.expect("judging does not panic"))
}

fn check(options: &Options) -> Result<(), RehearseError> {
    let shortest = match options.speech {
        Some(_) => Timeline::seconds_for_turns(options.participants.min(MAX_PARTICIPANTS)),
        None => MIN_SECONDS,
    };
    let most_rooms = MAX_CALLERS / options.participants.clamp(1, MAX_PARTICIPANTS);
    let ranges = [
        ("participants", options.participants, 1, MAX_PARTICIPANTS),
        ("rooms", options.rooms, 1, most_rooms),
        ("seconds", options.seconds, shortest, MAX_SECONDS),
    ];
    match ranges.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
        Some((name, value, least, most)) => Err(RehearseError::Range { name, value, least, most }),
        None => Ok(()),
    }
}

async fn start_agent(target: &Target) -> Result<UserAgent, RehearseError> {
    let address = (target.local, 0).into();
    let server: Cidr = target.address.ip().to_string().parse().expect("an address is a block of one");
    let config = UserAgentConfig {
        listen: vec![ListenAddress { transport: target.transport, address }],
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
    plan: &Plan,
    user_pattern: &str,
    calls: &mut Calls,
) -> Result<Vec<Caller>, RehearseError> {
    let mut placing = JoinSet::new();
    for seat in plan.seats() {
        let user = user_pattern.replace("{room}", &seat.room.to_string());
        let (agent, target) = (Arc::clone(agent), Arc::clone(target));
        placing.spawn(async move { (seat, Caller::call(&agent, &target, &user, seat).await) });
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

fn speaker(caller: &Caller, plan: &Plan) -> Result<Speaker, RehearseError> {
    let seat = caller.seat;
    let voice = match &plan.speech {
        Some(speech) => Voice::speech(speech.clone(), seat.number),
        None => Voice::tone(plan.tone(seat), plan.participants),
    };
    let mouth = Mouth { voice, clicks: seat.number == 0 };
    Ok(Speaker::new(seat, mouth, caller.socket.try_clone()?, caller.remote))
}

/// What the server uses while everybody speaks.
async fn measure(
    pid: Option<u32>,
    timeline: Timeline,
    start: Instant,
    participant_time: Duration,
) -> Option<ServerCost> {
    let voices = timeline.voices();
    let usage_at = async |at: Duration| -> Option<Usage> {
        tokio::time::sleep_until((start + at).into()).await;
        process::usage(pid?)
    };
    let (before, after) = (usage_at(voices.start).await?, usage_at(voices.end).await?);
    let cpu = after.cpu.saturating_sub(before.cpu);
    Some(ServerCost {
        pid: pid?,
        cpu_ms_per_participant_second: cpu.as_secs_f64() * 1000.0 / participant_time.as_secs_f64(),
        rss_bytes: after.rss_bytes,
    })
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

/// A report of what was counted.
fn summary(options: &Options, ears: &[(Seat, Ear)], spoken: &Spoken) -> Report {
    let mut packets = Packets { sent: spoken.sent, unsent: spoken.unsent, ..Packets::default() };
    let (mut gaps, mut delays, mut clicks_expected) = (Vec::new(), Vec::new(), 0);
    for (seat, ear) in ears {
        let (received, lost) = ear.packets();
        packets.received += received;
        packets.lost += lost;
        gaps.extend_from_slice(ear.gaps());
        if seat.number != 0 {
            let clicks: Vec<_> =
                spoken.clicks.iter().filter(|(room, _)| *room == seat.room).map(|(_, at)| *at).collect();
            clicks_expected += clicks.len();
            delays.extend(ear.clicks.iter().filter_map(|heard| delay(&clicks, *heard)));
        }
    }
    Report {
        target: options.target.clone(),
        rooms: options.rooms,
        participants: options.participants,
        seconds: options.seconds,
        calls: Calls::default(),
        hearing: Vec::new(),
        packets,
        inter_arrival: Quantiles::of(gaps),
        added_delay: Quantiles::of(delays),
        clicks_expected,
        server: None,
    }
}

/// How long after the click before it, of those in `clicks`, something was heard.
fn delay(clicks: &[Duration], heard: Duration) -> Option<Duration> {
    let delays = clicks.iter().filter_map(|click| heard.checked_sub(*click));
    delays.min().filter(|delay| *delay < TICK * CLICK_PERIOD_TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard_belongs_to_the_click_before_it() {
        let ms = Duration::from_millis;
        let clicks = [ms(1000), ms(1500)];
        assert_eq!(delay(&clicks, ms(1030)), Some(ms(30)));
        assert_eq!(delay(&clicks, ms(1700)), Some(ms(200)));
        assert_eq!(delay(&clicks, ms(2000)), None);
        assert_eq!(delay(&clicks, ms(900)), None);
    }

    #[test]
    fn options_out_of_range_are_named() {
        let range = |options: Options| match check(&options) {
            Err(RehearseError::Range { name, least, most, .. }) => Some((name, least, most)),
            _ => None,
        };
        let options = Options::default;
        assert_eq!(range(options()), None);
        assert_eq!(range(Options { rooms: 0, ..options() }), Some(("rooms", 1, 200)));
        assert_eq!(range(Options { participants: 301, ..options() }), Some(("participants", 1, 300)));
        assert_eq!(range(Options { seconds: 4, ..options() }), Some(("seconds", 5, 3600)));
        let speech = Some("a.wav".into());
        assert_eq!(range(Options { speech, seconds: 10, ..options() }), Some(("seconds", 22, 3600)));
    }
}
