//! Where every leg, prompt, tap and bridge is, as the control side knows it.
//!
//! A worker does its errands in order, so what is written here is true for
//! the worker once it has done all that was sent before: nothing needs to be
//! asked. Only what is on its way home is not known to have arrived.

mod clips;
mod legs;
mod prompts;
mod taps;
mod tuning;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mixminus_audio::TICK;
use mixminus_mixer::{Arrangement, BridgeId, LegId, MixPlan, PromptId, TapId};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::errand::{Errand, Slot};
use crate::leg::SipLeg;
use crate::link::WorkerLink;
use crate::open_bridge::BridgeWatch;
use crate::ports::PortPool;
use crate::{BridgeState, Load, MediaConfig, MediaCounters, MediaError, StreamTotals};

use clips::Clips;
use legs::LegRecord;
use prompts::PromptRecord;
use taps::TapPlace;
use tuning::Tuning;

/// What a leg costs in a tick as long as nothing has been measured: one of G.711.
const USUAL_LEG_COST: Duration = Duration::from_micros(10);

/// All that the control side keeps about the media plane.
#[derive(Debug)]
pub(crate) struct Registry {
    legs: HashMap<LegId, LegRecord>,
    prompts: HashMap<PromptId, PromptRecord>,
    /// Those that are open.
    taps: HashMap<TapId, TapPlace>,
    bridges: HashMap<BridgeId, BridgeRecord>,
    workers: Vec<WorkerLink>,
    clips: Clips,
    ports: PortPool,
    config: MediaConfig,
    last_leg: LegId,
    /// What the legs that were released had counted.
    ended: StreamTotals,
    random: StdRng,
}

/// A registry that the control side and the janitor share. No worker ever
/// touches it.
#[derive(Debug)]
pub(crate) struct SharedRegistry(Mutex<Registry>);

impl SharedRegistry {
    pub(crate) fn new(registry: Registry) -> Self {
        Self(Mutex::new(registry))
    }

    /// The registry, also after a panic: what one leg ran into must not end
    /// the others.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct BridgeRecord {
    at: BridgePlace,
    plan: MixPlan,
    tuning: Tuning,
    watch: Arc<BridgeWatch>,
}

/// A worker's index, and the slot of the bridge in its table.
#[derive(Clone, Copy, Debug)]
struct BridgePlace {
    worker: usize,
    slot: Slot,
}

impl Registry {
    /// Nothing yet, and media ports to give out.
    pub(crate) fn new(config: MediaConfig) -> Result<Self, MediaError> {
        let mut random = rand::make_rng::<StdRng>();
        let ports = PortPool::new(config.bind_ip, &config.ports, random.random())?;
        Ok(Self {
            legs: HashMap::new(),
            prompts: HashMap::new(),
            taps: HashMap::new(),
            bridges: HashMap::new(),
            workers: Vec::with_capacity(config.workers),
            clips: Clips::default(),
            ports,
            config,
            last_leg: LegId(0),
            ended: StreamTotals::default(),
            random,
        })
    }

    /// Adds a worker that can be given bridges.
    pub(crate) fn add_worker(&mut self, link: WorkerLink) {
        self.workers.push(link);
    }

    /// Adds everything counted to `total`.
    pub(crate) fn count(&mut self, total: &mut MediaCounters) {
        total.legs += self.legs.len() as u64;
        total.bridges += self.bridges.len() as u64;
        total.prompts += self.prompts.len() as u64;
        total.streams = self.streams();
        self.workers.iter().for_each(|worker| worker.counters().add_to(total));
    }

    /// Routes a bridge anew, opening it if need be.
    pub(crate) fn install(&mut self, id: BridgeId, plan: MixPlan) {
        let before = self.bridges.remove(&id);
        if let Some(before) = &before {
            self.dismiss(id, before, &plan);
        }
        let tuning = self.tuning(id, before.as_ref(), &plan);
        let (at, watch) = match before {
            Some(before) => (before.at, before.watch),
            None => (self.choose_place(plan.legs()), Arc::default()),
        };
        let mut arrangement = Box::new(Arrangement::new(plan.clone(), tuning.rate, &tuning.encodings));
        // Before the legs: from another worker, a tap is here no later than a leg that comes with it, and copies its
        // first tick.
        let tapped = plan.taps().iter();
        let taps = tapped.filter_map(|tap| self.summon_tap(*tap, (id, at), &mut arrangement)).collect();
        let legs = plan.legs();
        let moves = legs.iter().filter_map(|leg| self.summon_leg(*leg, (id, at), &mut arrangement)).collect();
        let worker = &mut self.workers[at.worker];
        worker.legs += legs.len();
        let (arrangement, slot) = (Some(arrangement), at.slot);
        worker.send(Errand::Install { slot, arrangement, watch: Arc::clone(&watch), moves, taps });
        let prompts = plan.prompts().to_vec();
        self.bridges.insert(id, BridgeRecord { at, plan, tuning, watch });
        for prompt in prompts {
            self.summon_prompt(prompt, id);
        }
    }

    /// Closes a bridge. What is in it comes home.
    pub(crate) fn close_bridge(&mut self, id: BridgeId) {
        let Some(bridge) = self.bridges.remove(&id) else { return };
        let nothing = MixPlan::compile(&[]).expect("no routes contradict each other");
        self.dismiss(id, &bridge, &nothing);
        let worker = &mut self.workers[bridge.at.worker];
        worker.send(Errand::Close { slot: bridge.at.slot, closed: None });
        worker.close_slot(bridge.at.slot);
    }

    /// How a bridge is at present.
    pub(crate) fn bridge(&self, id: BridgeId) -> Option<BridgeState> {
        self.bridges.get(&id).map(|bridge| bridge.watch.read())
    }

    /// The routing that a bridge has, or will have at its next tick.
    pub(crate) fn plan(&self, id: BridgeId) -> Option<MixPlan> {
        self.bridges.get(&id).map(|bridge| bridge.plan.clone())
    }

    /// How busy the workers are.
    pub(crate) fn load(&self) -> Load {
        Load { workers: self.workers.iter().map(|worker| worker.counters().measured().into()).collect() }
    }

    /// Whether a worker has time for another call.
    pub(crate) fn has_room(&self) -> bool {
        (0..self.workers.len()).any(|worker| self.worker_has_room(worker))
    }

    /// Whether the worker of a bridge has time for another leg in it.
    pub(crate) fn has_room_in(&self, id: BridgeId) -> bool {
        self.bridges.get(&id).map_or_else(|| self.has_room(), |bridge| self.worker_has_room(bridge.at.worker))
    }

    /// Takes in an errand that was done, with what it brings home.
    pub(crate) fn welcome(&mut self, errand: &mut Errand) {
        match errand {
            Errand::Install { arrangement, moves, taps, .. } => {
                let refused = moves.iter_mut().filter_map(|step| step.refused.take());
                refused.for_each(|leg| self.welcome_leg(leg));
                let refused = taps.iter_mut().filter_map(|step| step.refused.take());
                refused.for_each(|tap| self.welcome_tap(tap));
                self.welcome_all(arrangement.take());
            }
            Errand::Close { closed, .. } => {
                let arrangement = closed.take().map(|open| open.bridge.into_arrangement());
                self.welcome_all(arrangement);
            }
            Errand::Seat { leg, .. } | Errand::Recall { found: leg, .. } => {
                leg.take().into_iter().for_each(|leg| self.welcome_leg(leg));
            }
            Errand::Place { prompt, .. } | Errand::Stop { found: prompt, .. } => {
                prompt.take().into_iter().for_each(|prompt| self.welcome_prompt(prompt));
            }
            Errand::Attach { tap, .. } | Errand::Detach { found: tap, .. } => {
                tap.take().into_iter().for_each(|tap| self.welcome_tap(tap));
            }
            Errand::Logged { errand, .. } => errand.iter_mut().for_each(|errand| self.welcome(errand)),
            Errand::Tell { .. } | Errand::Append { .. } | Errand::Grow(_) => {}
        }
    }

    /// Sends the workers what waits for room.
    pub(crate) fn flush(&mut self) {
        self.workers.iter_mut().for_each(WorkerLink::flush);
    }

    fn welcome_all(&mut self, arrangement: Option<Box<Arrangement<SipLeg>>>) {
        let Some(mut arrangement) = arrangement else { return };
        arrangement.take_legs().for_each(|leg| self.welcome_leg(leg));
        arrangement.take_prompts().for_each(|prompt| self.welcome_prompt(prompt));
        arrangement.take_taps().for_each(|tap| self.welcome_tap(tap));
    }

    /// A place for a new bridge: with the worker that has most of its legs
    /// already, among equals the one that will be least busy.
    fn choose_place(&mut self, legs: &[LegId]) -> BridgePlace {
        let mut there = vec![0_usize; self.workers.len()];
        for leg in legs {
            let bridge = self.legs.get(leg).and_then(LegRecord::bridge);
            if let Some(bridge) = bridge.and_then(|bridge| self.bridges.get(&bridge)) {
                there[bridge.at.worker] += 1;
            }
        }
        let leg_cost = self.leg_cost();
        let worker = (0..self.workers.len())
            .max_by_key(|&index| {
                let worker = &self.workers[index];
                (there[index], Reverse(worker.expected_work(leg_cost)), Reverse(worker.legs))
            })
            .expect("a media plane has at least one worker");
        BridgePlace { worker, slot: self.workers[worker].open_slot() }
    }

    fn worker_has_room(&self, worker: usize) -> bool {
        let most = TICK * u32::from(self.config.max_busy_percent) / 100;
        self.workers[worker].expected_work(self.leg_cost()) < most
    }

    /// What a leg costs in a tick, as far as it has been measured.
    fn leg_cost(&self) -> Duration {
        let measured = self.workers.iter().map(|worker| worker.counters().measured());
        let (work, legs) = measured.fold((Duration::ZERO, 0), |(work, legs), measured| {
            (work + measured.work, legs + measured.legs as u32)
        });
        work.checked_div(legs).unwrap_or(USUAL_LEG_COST)
    }

    /// Notes that what the bridge named `before` and `now` does not name any
    /// more is coming home from it.
    fn dismiss(&mut self, id: BridgeId, before: &BridgeRecord, now: &MixPlan) {
        let BridgeRecord { at, plan: before, .. } = before;
        self.workers[at.worker].legs -= before.legs().len();
        let gone = before.legs().iter().filter(|leg| now.legs().binary_search(leg).is_err());
        gone.for_each(|leg| self.dismiss_leg(*leg, id));
        let gone = before.prompts().iter().filter(|prompt| now.prompts().binary_search(prompt).is_err());
        gone.for_each(|prompt| self.dismiss_prompt(*prompt, id));
        let gone = before.taps().iter().filter(|tap| now.taps().binary_search(tap).is_err());
        gone.for_each(|tap| self.dismiss_tap(*tap, id));
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::time::Duration;

    use mixminus_mixer::{MixPlan, SinkRoutes};
    use rtrb::{Consumer, RingBuffer};

    use super::*;
    use crate::errand::Table;

    /// A registry, and what its workers are sent.
    fn registry(workers: usize) -> (Registry, Vec<Consumer<Box<Errand>>>) {
        let mut registry = Registry::new(MediaConfig {
            bind_ip: Ipv4Addr::LOCALHOST.into(),
            ports: 20_000..=31_999,
            workers,
            media_timeout: Duration::from_secs(1),
            max_legs: 5,
            max_busy_percent: 70,
            replay_log: None,
        })
        .unwrap();
        let ring = |_| {
            let (to_worker, ring) = RingBuffer::new(1_000);
            registry.add_worker(WorkerLink::new(to_worker, std::thread::current(), Arc::default()));
            ring
        };
        let rings = (0..workers).map(ring).collect();
        (registry, rings)
    }

    fn alone(registry: &mut Registry, bridge: u64, legs: &[LegId]) {
        let routes: Vec<_> = legs.iter().map(|leg| SinkRoutes { leg: *leg, hears: Vec::new() }).collect();
        let plan = MixPlan::compile(&routes).unwrap();
        registry.install(BridgeId(bridge), plan);
    }

    #[test]
    fn the_slots_of_closed_bridges_are_used_again() {
        let (mut registry, mut rings) = registry(1);
        for bridge in 0..200 {
            alone(&mut registry, bridge, &[]);
            registry.close_bridge(BridgeId(bridge));
        }
        let mut table = Table::default();
        while let Ok(mut errand) = rings[0].pop() {
            errand.run(&mut table);
        }
        assert_eq!(table.bridges_mut().count(), 0);
        assert_eq!(table.slots(), 64);
    }

    #[test]
    fn a_bridge_opens_where_its_legs_are_and_else_where_there_are_fewest() {
        let (mut registry, _rings) = registry(3);
        let legs = [(); 5].map(|()| registry.open_leg().unwrap().0);
        let worker = |registry: &Registry, bridge| registry.bridges[&BridgeId(bridge)].at.worker;
        alone(&mut registry, 1, &legs[..2]);
        alone(&mut registry, 2, &legs[2..3]);
        alone(&mut registry, 3, &legs[3..]);
        let [two, one, two_more] = [1, 2, 3].map(|bridge| worker(&registry, bridge));
        assert!(two != one && one != two_more && two_more != two);
        alone(&mut registry, 4, &[]);
        assert_eq!(worker(&registry, 4), one);
        alone(&mut registry, 5, &legs[..4]);
        assert_eq!(worker(&registry, 5), two);
    }
}
