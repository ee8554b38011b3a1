//! Transfers (REFER): who may ask for one, whom it leads to, and how it goes.

use mixminus_control::{Handover, HangupCause, Input, Successor};
use mixminus_mixer::LegId;
use mixminus_sip::{CallControl, Replaces};

use super::Exchange;

/// Whose transfers are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfers {
    /// Nobody's.
    Refused,
    /// Those of endpoints.
    OfEndpoints,
    /// Those of everybody in a call.
    OfAll,
}

impl Transfers {
    /// Whether a far end, an endpoint or somebody else, may have us call somebody.
    pub const fn let_in(self, is_endpoint: bool) -> bool {
        match self {
            Self::Refused => false,
            Self::OfEndpoints => is_endpoint,
            Self::OfAll => true,
        }
    }
}

/// A transfer that a far end asks for and may ask for.
#[derive(Debug)]
pub struct Transfer {
    /// Its leg.
    pub leg: LegId,
    /// Whether it is an endpoint.
    pub is_endpoint: bool,
    /// The SIP URI that it leads to.
    pub target: String,
    /// The call whose place at the target is to be taken.
    pub replaces: Option<Replaces>,
}

impl Exchange {
    /// Has the control plane follow a transfer, which passes the checks of every call that we place.
    pub(super) fn transfer(&mut self, transfer: Transfer) {
        let Transfer { leg, is_endpoint, target, replaces } = transfer;
        if !self.equipment.journal.keeps_up() {
            return self.signal(leg, |control| control.refuse_transfer(503));
        }
        let to = match replaces {
            None => {
                let listening = self.equipment.agent.listening();
                Some(Successor::Called(self.answering.dialling.callee(target, is_endpoint, listening)))
            }
            // A call of ours that has an answer; others are nobody's that we could put into a place.
            Some(replaces) => self.named_by(&replaces).map(Successor::PartyOf),
        };
        match to {
            Some(to) => self.handle(Input::HandOver { leg, to }),
            None => self.signal(leg, |control| tell(control, Handover::Refused)),
        }
    }

    /// The leg of the answered call that `replaces` names.
    fn named_by(&self, replaces: &Replaces) -> Option<LegId> {
        let mut calls = self.calls.iter().filter(|_| !replaces.early_only);
        calls.find(|(_, call)| call.control.is_named_by(replaces)).map(|(leg, _)| *leg)
    }
}

/// Tells the far end of a call how its transfer goes.
pub(super) fn tell(control: &CallControl, news: Handover) {
    match news {
        Handover::Refused => control.refuse_transfer(603),
        Handover::Begun => control.accept_transfer(),
        Handover::Ringing => control.tell_transfer(180),
        Handover::Done => control.tell_transfer(200),
        Handover::Failed(cause) => control.tell_transfer(status(cause)),
    }
}

/// The SIP status that says why nobody was reached.
const fn status(cause: HangupCause) -> u16 {
    match cause {
        HangupCause::Busy => 486,
        HangupCause::BusyEverywhere => 600,
        HangupCause::Declined | HangupCause::Rejected => 603,
        HangupCause::UnknownEverywhere => 604,
        HangupCause::Forbidden | HangupCause::Barred => 403,
        HangupCause::UnknownAddress | HangupCause::InvalidAddress => 404,
        HangupCause::NotRegistered | HangupCause::NoAnswer | HangupCause::RingTimeout => 480,
        HangupCause::RequestTimeout => 408,
        HangupCause::Canceled => 487,
        HangupCause::ConcurrencyLimit | HangupCause::FarEndCongested => 503,
        _ => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_transfers_unless_the_configuration_lets_them() {
        use Transfers::{OfAll, OfEndpoints, Refused};
        let let_in = |rule: Transfers| [rule.let_in(true), rule.let_in(false)];
        assert_eq!([Refused, OfEndpoints, OfAll].map(let_in), [[false, false], [true, false], [true, true]]);
    }
}
