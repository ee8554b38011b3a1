//! What the control side has a leg do, wherever the leg is.

use mixminus_mixer::{Bridge, Gains, LegId, Seated};
use mixminus_rtp::Digit;

use crate::leg::SipLeg;
use crate::remote::Remote;
use crate::side_channel::SideInlet;

/// One thing for a leg to do. What is left over stays in it, to be freed where
/// that is allowed.
#[derive(Debug)]
pub(crate) enum Order {
    /// Takes what signalling agreed.
    SetRemote(Box<Remote>),
    /// Is louder or hears louder.
    SetGains(Gains),
    /// Presses keys.
    Dial(Box<[Digit]>),
    /// Passes on what is no media.
    SetSide(Option<Box<SideInlet>>),
}

impl Order {
    /// Has a leg in no bridge do it.
    pub(crate) fn give(&mut self, seated: &mut Seated<SipLeg>) {
        match self {
            Self::SetGains(gains) => seated.set_gains(*gains),
            Self::SetRemote(remote) => seated.leg_mut().set_remote(remote),
            Self::Dial(digits) => seated.leg_mut().dial(digits),
            Self::SetSide(inlet) => seated.leg_mut().set_side(inlet),
        }
    }

    /// Has a leg in `bridge` do it.
    pub(crate) fn give_in(&mut self, bridge: &mut Bridge<SipLeg>, id: LegId) {
        if let Self::SetGains(gains) = self {
            bridge.set_gains(id, *gains);
            return;
        }
        let Some(leg) = bridge.leg_mut(id) else { return };
        match self {
            Self::SetRemote(remote) => leg.set_remote(remote),
            Self::Dial(digits) => leg.dial(digits),
            Self::SetSide(inlet) => leg.set_side(inlet),
            Self::SetGains(_) => {}
        }
    }
}
