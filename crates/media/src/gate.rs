//! Whose packets a leg accepts, and where its own packets go.

use std::net::SocketAddr;

/// Packets from where a far end was before that are taken for its last ones, sent
/// before it moved: half a second of them. Who announces another port and goes
/// on sending from the same is heard after that.
const LAST_PACKETS: u8 = 25;

/// Accepts only the address that signalling named.
///
/// A far end behind a translator sends from another port than it announced.
/// So the first valid packet from the named host decides the port, once, and
/// from then on nothing but new signalling changes it: a later source cannot
/// take the stream over, and no foreign host ever can. Where a far end's
/// address is checked there is nothing to be learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SourceGate {
    /// Signalling named no usable address.
    #[default]
    Closed,
    /// Nothing valid has come from the named host yet.
    Learning {
        /// What signalling named.
        named: SocketAddr,
        /// Where the far end was before, and how many more packets from there
        /// count as its last ones.
        left: Option<(SocketAddr, u8)>,
    },
    /// The far end is known.
    Latched {
        /// What signalling named.
        named: SocketAddr,
        /// Where the first valid packet came from.
        source: SocketAddr,
    },
    /// The far end is exactly there, if it has been found.
    Checked(Option<SocketAddr>),
}

impl SourceGate {
    /// The gate for an address that was checked; an unspecified one has still to be found.
    pub(crate) fn checked(address: SocketAddr) -> Self {
        Self::Checked(Some(address).filter(|address| !address.ip().is_unspecified()))
    }

    /// Whether the far end's address is one that is checked, so that strangers are to be heard who may be it.
    pub(crate) const fn checks(self) -> bool {
        matches!(self, Self::Checked(_))
    }

    /// The gate for the address that signalling names now. Naming the same one
    /// again keeps what was learned.
    #[must_use]
    pub(crate) fn renamed(self, named: SocketAddr) -> Self {
        match self {
            _ if named.port() == 0 || named.ip().is_unspecified() => Self::Closed,
            Self::Latched { named: before, .. } | Self::Learning { named: before, .. } if before == named => {
                self
            }
            Self::Latched { source, .. } if source != named => {
                Self::Learning { named, left: Some((source, LAST_PACKETS)) }
            }
            _ => Self::Learning { named, left: None },
        }
    }

    /// Whether a packet from `source` may be looked at.
    pub(crate) fn admits(&mut self, source: SocketAddr) -> bool {
        match self {
            Self::Closed => false,
            Self::Learning { left: Some((left, packets)), .. } if *left == source && *packets > 0 => {
                *packets -= 1;
                false
            }
            Self::Learning { named, .. } => source.ip() == named.ip(),
            Self::Latched { source: latched, .. } => source == *latched,
            Self::Checked(address) => *address == Some(source),
        }
    }

    /// An admitted packet from `source` proved to be valid. Returns whether the
    /// far end is known only now.
    pub(crate) fn learn(&mut self, source: SocketAddr) -> bool {
        let Self::Learning { named, .. } = *self else { return false };
        *self = Self::Latched { named, source };
        true
    }

    /// The far end, once it is known and nobody else is to be heard.
    pub(crate) fn latched(&self) -> Option<SocketAddr> {
        match *self {
            Self::Latched { source, .. } => Some(source),
            Self::Closed | Self::Learning { .. } | Self::Checked(_) => None,
        }
    }

    /// Where packets to the far end go.
    pub(crate) fn destination(&self) -> Option<SocketAddr> {
        match *self {
            Self::Closed => None,
            Self::Learning { named, .. } => Some(named),
            Self::Latched { source, .. } => Some(source),
            Self::Checked(address) => address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn learning(named: &str) -> SourceGate {
        SourceGate::default().renamed(address(named))
    }

    #[test]
    fn a_leg_without_an_address_admits_nobody_and_sends_nowhere() {
        for named in ["0.0.0.0:4000", "[::]:4000", "192.0.2.1:0"] {
            let mut gate = learning(named);
            assert!(!gate.admits(address("192.0.2.1:4000")));
            assert_eq!(gate.destination(), None);
        }
    }

    #[test]
    fn another_port_of_the_named_host_is_learned_once() {
        let mut gate = learning("192.0.2.1:4000");
        assert_eq!(gate.destination(), Some(address("192.0.2.1:4000")));
        assert_eq!(gate.latched(), None);
        assert!(gate.learn(address("192.0.2.1:5000")));
        assert_eq!(gate.destination(), Some(address("192.0.2.1:5000")));
        assert_eq!(gate.latched(), gate.destination());
        assert!(!gate.learn(address("192.0.2.1:6000")));
        assert_eq!(gate.destination(), Some(address("192.0.2.1:5000")));
        assert!(!gate.admits(address("192.0.2.1:6000")));
        assert!(!gate.admits(address("192.0.2.1:4000")));
    }

    #[test]
    fn a_foreign_host_is_never_admitted() {
        let mut gate = learning("192.0.2.1:4000");
        assert!(!gate.admits(address("192.0.2.2:4000")));
        gate.learn(address("192.0.2.1:4000"));
        assert!(!gate.admits(address("192.0.2.2:4000")));
    }

    #[test]
    fn a_far_end_that_is_checked_is_exactly_where_it_was_found() {
        let mut gate = SourceGate::checked(address("0.0.0.0:0"));
        assert!(gate.checks() && !gate.admits(address("0.0.0.0:0")));
        assert_eq!(gate.destination(), None);
        gate = SourceGate::checked(address("192.0.2.1:4000"));
        assert!(gate.admits(address("192.0.2.1:4000")) && !gate.admits(address("192.0.2.1:5000")));
        assert!(!gate.learn(address("192.0.2.1:5000")));
        assert_eq!((gate.destination(), gate.latched()), (Some(address("192.0.2.1:4000")), None));
        assert!(!gate.renamed(address("192.0.2.1:4000")).checks(), "signalling named it afterwards");
    }

    #[test]
    fn naming_the_same_address_again_keeps_what_was_learned() {
        let mut gate = learning("192.0.2.1:4000");
        gate.learn(address("192.0.2.1:5000"));
        gate = gate.renamed(address("192.0.2.1:4000"));
        assert_eq!(gate.destination(), Some(address("192.0.2.1:5000")));
    }

    #[test]
    fn naming_a_new_address_begins_anew() {
        let mut gate = learning("192.0.2.1:4000");
        gate.learn(address("192.0.2.1:5000"));
        gate = gate.renamed(address("192.0.2.9:4000"));
        assert_eq!(gate.destination(), Some(address("192.0.2.9:4000")));
        assert!(!gate.admits(address("192.0.2.1:5000")));
    }

    #[test]
    fn the_last_packets_from_the_old_port_do_not_decide_the_new_one() {
        let mut gate = learning("192.0.2.1:4000");
        let [old, new] = ["192.0.2.1:4000", "192.0.2.1:6000"].map(address);
        gate.learn(old);
        gate = gate.renamed(new);
        assert!((0..24).all(|_| !gate.admits(old)));
        let mut stays = gate;
        assert!(gate.admits(new) && gate.learn(new));
        assert!(!gate.admits(old) && !gate.admits(old));
        // Who said it would move and did not is believed in the end.
        assert!(!stays.admits(old) && stays.admits(old) && stays.learn(old));
    }
}
