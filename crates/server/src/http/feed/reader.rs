//! One reader of the feed: what it knows already, and what it is told next.

use std::collections::HashSet;
use std::time::Duration;

use mixminus_control::{AccountId, ConferenceId};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::super::health::Phase;
use super::super::{ApiState, asked};
use super::told::{self, Level};
use crate::dialect;
use crate::live::Scene;

/// How long changes are gathered before they are told: whoever joins, starts and is routed in one breath is
/// told of once. It is part of the 200 ms within which everything is told.
const GATHERING: Duration = Duration::from_millis(20);
/// How often levels are told.
const PULSE: Duration = Duration::from_millis(100);
/// Pulses between two tellings of the quality, which media publishes once a second.
const QUALITY_PULSES: u32 = 10;
/// Pulses between two signs of life.
const BEAT_PULSES: u32 = 20;
/// How long a reader may take for one message.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why nothing more is told.
type Reason = &'static str;

pub(super) struct Reader {
    state: ApiState,
    account: AccountId,
    /// The conference of which everything is told, if it is live.
    conference: Option<ConferenceId>,
    scene: Option<Scene>,
    levels: Vec<Level>,
    known: HashSet<ConferenceId>,
    version: u64,
    sequence: u64,
}

impl Reader {
    pub(super) fn new(state: ApiState, account: AccountId, conference: Option<ConferenceId>) -> Self {
        let (levels, known) = (Vec::new(), HashSet::new());
        Self { state, account, conference, scene: None, levels, known, version: 0, sequence: 0 }
    }

    /// Tells `text` what is, and then what changes.
    pub(super) async fn run(mut self, text: mpsc::Sender<String>) -> Reason {
        let (mut changed, mut phase) = (self.state.live.subscribe(), self.state.phase.clone());
        let mut pulse = interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut pulses, mut next) = (0_u32, self.greeting(&mut changed));
        loop {
            if !next.is_empty() && !matches!(timeout(PATIENCE, text.send(next)).await, Ok(Ok(()))) {
                return "too slow";
            }
            next = tokio::select! {
                _ = changed.changed() => {
                    sleep(GATHERING).await;
                    match self.news(&mut changed) {
                        Some(news) => news,
                        None => return "too slow",
                    }
                }
                _ = pulse.tick() => {
                    pulses = pulses.wrapping_add(1);
                    if pulses.is_multiple_of(BEAT_PULSES) && !self.is_welcome() {
                        return "no access any more";
                    }
                    self.pulse(pulses)
                }
                () = draining(&mut phase) => return "the service is stopping",
                () = text.closed() => return "nobody reads",
            };
        }
    }

    /// Where it is, what there is, and what is remembered of before.
    fn greeting(&mut self, changed: &mut watch::Receiver<u64>) -> String {
        let dial = self.state.dial.map(|address| address.to_string());
        let hello = json!({ "version": env!("CARGO_PKG_VERSION"), "now": self.now(), "dial": dial });
        let mut out = told::event("hello", &hello);
        let (remembered, last) = self.state.live.remembered(|account| self.reaches(account));
        out.extend(remembered.iter().map(|one| told::event("event", &told::happening(one))));
        self.sequence = last;
        out + &self.conferences(changed)
    }

    /// What is new; `None` if some of it is forgotten already.
    fn news(&mut self, changed: &mut watch::Receiver<u64>) -> Option<String> {
        let mut out = self.conferences(changed);
        let (new, last) = self.state.live.tape(self.sequence, |account| self.reaches(account)).ok()?;
        self.sequence = last;
        out.extend(new.iter().map(|one| told::event("event", &told::happening(one))));
        Some(out)
    }

    /// Conferences that changed or are over, and the one that is looked at closely.
    fn conferences(&mut self, changed: &mut watch::Receiver<u64>) -> String {
        let live = &self.state.live;
        let version = std::mem::replace(&mut self.version, *changed.borrow_and_update());
        let seen = live.since(version, |account| self.reaches(account));
        let now = live.conferences(|account| self.reaches(account));
        let gone = self.known.difference(&now);
        let mut out: String =
            gone.map(|id| told::event("mpc-gone", &json!({ "mpc_uuid": id.to_string() }))).collect();
        out.extend(seen.iter().map(|seen| told::event("mpc", &told::summary(seen))));
        let closely = self.conference.filter(|id| now.contains(id));
        self.known = now;
        let scene = closely.and_then(|id| live.scene(id));
        if let Some(scene) = scene.as_ref().filter(|_| scene != self.scene) {
            out += &told::event("participants", &told::participants(scene));
        }
        self.scene = scene;
        out
    }

    /// What changes all the time.
    fn pulse(&mut self, pulses: u32) -> String {
        let mut out = String::new();
        if let Some(scene) = &self.scene {
            let levels = told::levels(&self.state.live.voices(scene));
            if levels != self.levels {
                out += &told::event("levels", &told::level_map(&scene.seen, &levels));
                self.levels = levels;
            }
            if pulses % QUALITY_PULSES == 1 {
                let statistics = self.state.live.statistics(scene);
                out += &told::event("quality", &told::quality(&scene.seen, &statistics));
            }
        }
        if pulses.is_multiple_of(BEAT_PULSES) {
            out += &told::event("beat", &json!({ "now": self.now() }));
        }
        out
    }

    fn now(&self) -> String {
        dialect::instant(self.state.clock.now()).to_string()
    }

    fn reaches(&self, account: &AccountId) -> bool {
        asked::reaches(&self.state, &self.account, account)
    }

    /// Whether the account may still ask: a subaccount can be disabled meanwhile.
    fn is_welcome(&self) -> bool {
        let accounts = &self.state.accounts;
        self.account == *accounts.main_id()
            || accounts.subaccount(&self.account).is_some_and(|subaccount| subaccount.enabled)
    }
}

/// Returns when the service drains, or is gone.
async fn draining(phase: &mut watch::Receiver<Phase>) {
    drop(phase.wait_for(|phase| *phase == Phase::Draining).await);
}
