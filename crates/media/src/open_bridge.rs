//! A bridge at its worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mixminus_mixer::{Arrangement, Bridge, LegId};
use mixminus_replay::Event;

use crate::errand::Slot;
use crate::leg::SipLeg;
use crate::load::BridgeState;
use crate::tick::Tick;
use crate::{MediaEvent, clock};

/// Stands for nobody.
const NOBODY: u64 = u64::MAX;

/// Ticks over which the cost is averaged, about: a second.
const COST_TICKS: u64 = 64;

/// What the control side sees of a bridge without asking its worker.
#[derive(Debug)]
pub(crate) struct BridgeWatch {
    active_speaker: AtomicU64,
    cost_ns: AtomicU64,
}

impl Default for BridgeWatch {
    fn default() -> Self {
        Self { active_speaker: AtomicU64::new(NOBODY), cost_ns: AtomicU64::new(0) }
    }
}

impl BridgeWatch {
    pub(crate) fn read(&self) -> BridgeState {
        let speaker = self.active_speaker.load(Ordering::Relaxed);
        BridgeState {
            active_speaker: (speaker != NOBODY).then_some(LegId(speaker)),
            tick_cost: Duration::from_nanos(self.cost_ns.load(Ordering::Relaxed)),
        }
    }
}

/// A bridge with what its worker notices about it.
#[derive(Debug)]
pub(crate) struct OpenBridge {
    slot: Slot,
    pub(crate) bridge: Bridge<SipLeg>,
    watch: Arc<BridgeWatch>,
    cost_ns: u64,
}

impl OpenBridge {
    pub(crate) fn new(slot: Slot, arrangement: Box<Arrangement<SipLeg>>, watch: Arc<BridgeWatch>) -> Self {
        Self { slot, bridge: Bridge::new(arrangement), watch, cost_ns: 0 }
    }

    /// One tick; returns how many legs had it. Without a leg there is nobody to
    /// hear anything, so nothing happens.
    pub(crate) fn tick(&mut self, tick: &mut Tick) -> usize {
        let mut legs = 0;
        for (_, leg) in self.bridge.legs_mut() {
            leg.begin_tick(tick);
            legs += 1;
        }
        if legs == 0 {
            self.publish();
            return 0;
        }
        self.bridge.set_next_tick(tick.number);
        self.bridge.tick(&mut |prompt| tick.report(MediaEvent::PromptEnded { prompt }));
        if let Some(log) = &mut tick.log {
            self.bridge.legs_mut().filter_map(|(_, leg)| leg.line()).for_each(|line| log.write(&line));
            log.write(&Event::Tick { bridge: self.slot.0 as u32 });
        }
        self.bridge.legs_mut().for_each(|(_, leg)| leg.end_tick(tick));
        let cost_ns = tick.lap(clock::now()).as_nanos() as u64;
        self.cost_ns = self.cost_ns - self.cost_ns / COST_TICKS + cost_ns / COST_TICKS;
        self.publish();
        legs
    }

    fn publish(&self) {
        let speaker = self.bridge.active_speaker();
        self.watch.active_speaker.store(speaker.map_or(NOBODY, |leg| leg.0), Ordering::Relaxed);
        self.watch.cost_ns.store(self.cost_ns, Ordering::Relaxed);
    }
}
