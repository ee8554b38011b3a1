//! Whose packets a leg accepts, and where its own packets go.

use std::net::SocketAddr;

/// Accepts only the address that signalling named.
///
/// A far end behind a translator sends from another port than it announced.
/// So the first valid packet from the named host decides the port, once, and
/// from then on nothing but new signalling changes it: a later source cannot
/// take the stream over, and no foreign host ever can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SourceGate {
    /// Signalling named no usable address.
    #[default]
    Closed,
    /// Nothing valid has come from the named host yet.
    Learning(SocketAddr),
    /// The far end is known.
    Latched {
        /// What signalling named.
        named: SocketAddr,
        /// Where the first valid packet came from.
        source: SocketAddr,
    },
}

impl SourceGate {
    /// Takes the address that signalling names now. Naming the same one again
    /// keeps what was learned.
    pub(crate) fn rename(&mut self, named: SocketAddr) {
        *self = match *self {
            _ if named.port() == 0 || named.ip().is_unspecified() => Self::Closed,
            Self::Latched { named: before, source } if before == named => Self::Latched { named, source },
            _ => Self::Learning(named),
        };
    }

    /// Whether a packet from `source` may be looked at.
    pub(crate) fn admits(&self, source: SocketAddr) -> bool {
        match *self {
            Self::Closed => false,
            Self::Learning(named) => source.ip() == named.ip(),
            Self::Latched { source: latched, .. } => source == latched,
        }
    }

    /// An admitted packet from `source` proved to be valid.
    pub(crate) fn learn(&mut self, source: SocketAddr) {
        if let Self::Learning(named) = *self {
            debug_assert!(self.admits(source));
            *self = Self::Latched { named, source };
        }
    }

    /// Where packets to the far end go.
    pub(crate) fn destination(&self) -> Option<SocketAddr> {
        match *self {
            Self::Closed => None,
            Self::Learning(named) => Some(named),
            Self::Latched { source, .. } => Some(source),
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
        let mut gate = SourceGate::default();
        gate.rename(address(named));
        gate
    }

    #[test]
    fn a_leg_without_an_address_admits_nobody_and_sends_nowhere() {
        for named in ["0.0.0.0:4000", "[::]:4000", "192.0.2.1:0"] {
            let gate = learning(named);
            assert!(!gate.admits(address("192.0.2.1:4000")));
            assert_eq!(gate.destination(), None);
        }
    }

    #[test]
    fn another_port_of_the_named_host_is_learned_once() {
        let mut gate = learning("192.0.2.1:4000");
        assert_eq!(gate.destination(), Some(address("192.0.2.1:4000")));
        gate.learn(address("192.0.2.1:5000"));
        assert_eq!(gate.destination(), Some(address("192.0.2.1:5000")));
        gate.learn(address("192.0.2.1:6000"));
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
    fn naming_the_same_address_again_keeps_what_was_learned() {
        let mut gate = learning("192.0.2.1:4000");
        gate.learn(address("192.0.2.1:5000"));
        gate.rename(address("192.0.2.1:4000"));
        assert_eq!(gate.destination(), Some(address("192.0.2.1:5000")));
    }

    #[test]
    fn naming_a_new_address_begins_anew() {
        let mut gate = learning("192.0.2.1:4000");
        gate.learn(address("192.0.2.1:5000"));
        gate.rename(address("192.0.2.9:4000"));
        assert_eq!(gate.destination(), Some(address("192.0.2.9:4000")));
        assert!(!gate.admits(address("192.0.2.1:5000")));
    }
}
