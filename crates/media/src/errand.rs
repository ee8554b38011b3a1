//! What the control side has a worker do between two ticks.

use std::sync::Arc;

use mixminus_audio::Clip;
use mixminus_mixer::{Arrangement, Bridge, LegId, Prompt, PromptId, Refused, Seated, Tap, TapId};

use crate::leg::SipLeg;
use crate::open_bridge::{BridgeWatch, OpenBridge};
use crate::order::Order;

/// Where in its worker's [`Table`] a bridge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) usize);

/// A worker's bridges.
#[derive(Debug, Default)]
pub(crate) struct Table {
    bridges: Vec<Option<OpenBridge>>,
}

impl Table {
    /// A table of `slots` without a bridge.
    pub(crate) fn new(slots: usize) -> Self {
        Self { bridges: std::iter::repeat_with(|| None).take(slots).collect() }
    }

    /// Every bridge.
    pub(crate) fn bridges_mut(&mut self) -> impl Iterator<Item = &mut OpenBridge> {
        self.bridges.iter_mut().flatten()
    }

    #[cfg(test)]
    pub(crate) fn slots(&self) -> usize {
        self.bridges.len()
    }

    fn bridge(&mut self, slot: Slot) -> Option<&mut Bridge<SipLeg>> {
        self.bridges[slot.0].as_mut().map(|open| &mut open.bridge)
    }

    fn install(
        &mut self,
        slot: Slot,
        next: Box<Arrangement<SipLeg>>,
        watch: &Arc<BridgeWatch>,
    ) -> Option<Box<Arrangement<SipLeg>>> {
        if let Some(bridge) = self.bridge(slot) {
            return Some(bridge.adopt(next));
        }
        self.bridges[slot.0] = Some(OpenBridge::new(slot, next, Arc::clone(watch)));
        None
    }

    fn take_leg(&mut self, slot: Slot, leg: LegId) -> Option<Box<Seated<SipLeg>>> {
        self.bridge(slot)?.take_leg(leg)
    }

    fn take_tap(&mut self, slot: Slot, tap: TapId) -> Option<Box<Tap>> {
        self.bridge(slot)?.take_tap(tap)
    }

    /// Moves every bridge to `larger`, which takes this table's place.
    fn grow(&mut self, larger: &mut Self) {
        debug_assert!(larger.bridges.len() >= self.bridges.len());
        for (from, to) in self.bridges.iter_mut().zip(&mut larger.bridges) {
            std::mem::swap(from, to);
        }
        std::mem::swap(self, larger);
    }
}

/// A leg or a tap that changes bridge at one tick.
#[derive(Debug)]
pub(crate) struct Move<I, T> {
    pub(crate) from: Slot,
    pub(crate) id: I,
    /// What could not be taken in.
    pub(crate) refused: Option<Box<T>>,
}

/// One thing for a worker to do.
///
/// It travels to the worker in a box, is run there, and travels home in the
/// same box with whatever is left over: the worker never allocates or frees.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Opens the bridge or routes it anew, with the legs and taps that move in
    /// from other bridges of the worker. Brings home the old arrangement.
    Install {
        slot: Slot,
        arrangement: Option<Box<Arrangement<SipLeg>>>,
        watch: Arc<BridgeWatch>,
        moves: Vec<Move<LegId, Seated<SipLeg>>>,
        taps: Vec<Move<TapId, Tap>>,
    },
    /// Closes the bridge and brings it home.
    Close { slot: Slot, closed: Option<OpenBridge> },
    /// Seats a leg that came from another worker.
    Seat { slot: Slot, leg: Option<Box<Seated<SipLeg>>> },
    /// Brings home a leg.
    Recall { slot: Slot, leg: LegId, found: Option<Box<Seated<SipLeg>>> },
    /// Has a leg do something.
    Tell { slot: Slot, leg: LegId, order: Order },
    /// Places a prompt that the bridge's plan names already.
    Place { slot: Slot, prompt: Option<Box<Prompt>> },
    /// Adds a part to a prompt that is placed, or says that there is none any more. Brings home what it does not take.
    Append { slot: Slot, prompt: PromptId, part: Option<Arc<Clip>> },
    /// Brings home a prompt.
    Stop { slot: Slot, prompt: PromptId, found: Option<Box<Prompt>> },
    /// Attaches a tap that the bridge's plan names already.
    Attach { slot: Slot, tap: Option<Box<Tap>> },
    /// Brings home a tap.
    Detach { slot: Slot, tap: TapId, found: Option<Box<Tap>> },
    /// Replaces the worker's table by a larger one.
    Grow(Table),
    /// Another errand, or something done elsewhere, with its line for the replay log.
    Logged { line: Box<[u8]>, errand: Option<Box<Errand>> },
}

impl Errand {
    /// Does it.
    pub(crate) fn run(&mut self, table: &mut Table) {
        match self {
            Self::Install { slot, arrangement, watch, moves, taps } => {
                let Some(mut next) = arrangement.take() else { return };
                for step in moves {
                    let leg = table.take_leg(step.from, step.id);
                    step.refused = leg.and_then(|leg| refused(next.seat(leg)));
                }
                for step in taps {
                    let tap = table.take_tap(step.from, step.id);
                    step.refused = tap.and_then(|tap| refused(next.attach(tap)));
                }
                *arrangement = table.install(*slot, next, watch);
            }
            Self::Close { slot, closed } => *closed = table.bridges[slot.0].take(),
            Self::Seat { slot, leg } => {
                if let (Some(bridge), Some(arriving)) = (table.bridge(*slot), leg.take()) {
                    *leg = refused(bridge.seat_leg(arriving));
                }
            }
            Self::Recall { slot, leg, found } => *found = table.take_leg(*slot, *leg),
            Self::Tell { slot, leg, order } => {
                if let Some(bridge) = table.bridge(*slot) {
                    order.give_in(bridge, *leg);
                }
            }
            Self::Place { slot, prompt } => {
                if let (Some(bridge), Some(arriving)) = (table.bridge(*slot), prompt.take()) {
                    *prompt = refused(bridge.place_prompt(arriving));
                }
            }
            Self::Append { slot, prompt, part } => {
                if let Some(growing) = table.bridge(*slot).and_then(|bridge| bridge.prompt_mut(*prompt)) {
                    match part.take() {
                        Some(clip) => *part = growing.append(clip),
                        None => growing.complete(),
                    }
                }
            }
            Self::Stop { slot, prompt, found } => {
                *found = table.bridge(*slot).and_then(|bridge| bridge.take_prompt(*prompt));
            }
            Self::Attach { slot, tap } => {
                if let (Some(bridge), Some(arriving)) = (table.bridge(*slot), tap.take()) {
                    *tap = refused(bridge.attach_tap(arriving));
                }
            }
            Self::Detach { slot, tap, found } => *found = table.take_tap(*slot, *tap),
            Self::Grow(larger) => table.grow(larger),
            Self::Logged { errand, .. } => errand.iter_mut().for_each(|errand| errand.run(table)),
        }
    }
}

fn refused<T>(result: Result<(), Refused<T>>) -> Option<Box<T>> {
    result.err().map(|refused| refused.returned)
}

#[cfg(test)]
mod tests {
    use mixminus_audio::SampleRate;
    use mixminus_mixer::MixPlan;

    use super::*;

    fn install(slot: Slot) -> Errand {
        let plan = MixPlan::compile(&[]).unwrap();
        let arrangement = Some(Box::new(Arrangement::new(plan, SampleRate::Hz8000, &[])));
        Errand::Install { slot, arrangement, watch: Arc::default(), moves: Vec::new(), taps: Vec::new() }
    }

    #[test]
    fn bridges_survive_the_growth_of_their_table() {
        let mut table = Table::new(1);
        install(Slot(0)).run(&mut table);
        let mut errand = Errand::Grow(Table::new(2));
        errand.run(&mut table);
        let Errand::Grow(mut old) = errand else { unreachable!() };
        assert_eq!((table.slots(), table.bridges_mut().count()), (2, 1));
        assert_eq!((old.slots(), old.bridges_mut().count()), (1, 0));
    }

    #[test]
    fn what_is_replaced_or_closed_comes_home() {
        let mut table = Table::new(1);
        let [mut first, mut second] = [install(Slot(0)), install(Slot(0))];
        first.run(&mut table);
        second.run(&mut table);
        assert!(matches!(first, Errand::Install { arrangement: None, .. }));
        assert!(matches!(second, Errand::Install { arrangement: Some(_), .. }));
        let mut close = Errand::Close { slot: Slot(0), closed: None };
        close.run(&mut table);
        assert!(matches!(close, Errand::Close { closed: Some(_), .. }));
        assert_eq!(table.bridges_mut().count(), 0);
    }
}
