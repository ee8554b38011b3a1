//! Where each tap is, and its way from one bridge to another.

use std::collections::hash_map::Entry;

use mixminus_mixer::{Arrangement, BridgeId, Tap, TapCapacity, TapId, TapReader, tap};

use super::{BridgePlace, BridgeRecord, Registry};
use crate::errand::{Errand, Move};

/// Where the end of an open tap is that a bridge writes.
#[derive(Debug)]
pub(super) enum TapPlace {
    /// Here.
    Home(Box<Tap>),
    /// With the worker of this bridge.
    Attached(BridgeId),
    /// On its way home from a worker.
    Coming(Then),
}

/// What becomes of a tap that is coming home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Stay,
    Attach(BridgeId),
    Close,
}

impl Registry {
    /// Opens a tap, which is written where a plan names it. Returns its other end.
    pub(crate) fn open_tap(&mut self, id: TapId, capacity: TapCapacity) -> TapReader {
        let (tap, reader) = tap(id, capacity);
        if let Entry::Vacant(place) = self.taps.entry(id) {
            place.insert(TapPlace::Home(Box::new(tap)));
            let names = |bridge: &BridgeRecord| bridge.plan.taps().binary_search(&id).is_ok();
            if let Some((&bridge, _)) = self.bridges.iter().find(|(_, bridge)| names(bridge)) {
                self.attach_tap(id, bridge);
            }
        }
        reader
    }

    /// Closes a tap, wherever it is.
    pub(crate) fn close_tap(&mut self, id: TapId) {
        match self.taps.get_mut(&id) {
            Some(TapPlace::Home(_)) => drop(self.taps.remove(&id)),
            Some(TapPlace::Coming(then)) => *then = Then::Close,
            Some(&mut TapPlace::Attached(bridge)) => self.recall_tap(id, bridge, Then::Close),
            None => {}
        }
    }

    /// Has a tap go to a bridge that names it: one that is here is attached, one with another worker is called home
    /// first, and one with the same worker takes the step that is returned.
    pub(super) fn summon_tap<L>(
        &mut self,
        id: TapId,
        (bridge, at): (BridgeId, BridgePlace),
        arrangement: &mut Arrangement<L>,
    ) -> Option<Move<TapId, Tap>> {
        match self.taps.get_mut(&id)? {
            TapPlace::Coming(Then::Close) => None,
            TapPlace::Coming(then) => {
                *then = Then::Attach(bridge);
                None
            }
            &mut TapPlace::Attached(from) if from == bridge => None,
            &mut TapPlace::Attached(from) => {
                let BridgePlace { worker, slot } = self.bridges[&from].at;
                if worker != at.worker {
                    self.recall_tap(id, from, Then::Attach(bridge));
                    return None;
                }
                self.taps.insert(id, TapPlace::Attached(bridge));
                Some(Move { from: slot, id, refused: None })
            }
            TapPlace::Home(_) => {
                if let Some(TapPlace::Home(tap)) = self.taps.insert(id, TapPlace::Attached(bridge)) {
                    let attached = arrangement.attach(tap);
                    debug_assert!(attached.is_ok(), "the plan names the tap, and it was not there");
                }
                None
            }
        }
    }

    /// Notes that a bridge does not name a tap any more.
    pub(super) fn dismiss_tap(&mut self, id: TapId, bridge: BridgeId) {
        let Some(place) = self.taps.get_mut(&id) else { return };
        match place {
            TapPlace::Attached(at) if *at == bridge => *place = TapPlace::Coming(Then::Stay),
            TapPlace::Coming(then) if *then == Then::Attach(bridge) => *then = Then::Stay,
            _ => {}
        }
    }

    /// Takes in a tap that has come home.
    pub(super) fn welcome_tap(&mut self, tap: Box<Tap>) {
        let id = tap.id();
        let Some(TapPlace::Coming(then)) = self.taps.insert(id, TapPlace::Home(tap)) else {
            unreachable!("a tap that comes home was expected")
        };
        match then {
            Then::Stay => {}
            Then::Attach(bridge) => self.attach_tap(id, bridge),
            Then::Close => drop(self.taps.remove(&id)),
        }
    }

    /// Sends a tap that is here to a bridge that follows a plan with it already.
    fn attach_tap(&mut self, id: TapId, bridge: BridgeId) {
        if let Some(TapPlace::Home(tap)) = self.taps.insert(id, TapPlace::Attached(bridge)) {
            let BridgePlace { worker, slot } = self.bridges[&bridge].at;
            self.workers[worker].send(Errand::Attach { slot, tap: Some(tap) });
        }
    }

    fn recall_tap(&mut self, id: TapId, from: BridgeId, then: Then) {
        self.taps.insert(id, TapPlace::Coming(then));
        let BridgePlace { worker, slot } = self.bridges[&from].at;
        self.workers[worker].send(Errand::Detach { slot, tap: id, found: None });
    }
}
