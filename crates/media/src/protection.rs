//! How a leg's packets are protected on their way.

use mixminus_rtp::srtp::{Protector, SrtpError, SrtpKey, SrtpKeys, Unprotector};

/// What signalling agreed on about the protection of packets and reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// None: they are sent and taken as they are.
    #[default]
    Plain,
    /// SRTP (RFC 3711), with keys that are still to be agreed on: nothing is sent and nothing taken.
    Awaited,
    /// SRTP with these keys; nothing that is not protected by them is taken.
    Srtp(SrtpKeys),
}

/// One direction.
#[derive(Debug, Default)]
enum Way<T> {
    #[default]
    Plain,
    Closed,
    Keyed(Box<T>),
}

impl<T> Way<T> {
    /// The way under `next`, unless it is the one under `present`: then what it knows of the stream stays, for
    /// a key must not be used twice for the same number.
    fn change(
        present: &Security,
        next: &Security,
        key: fn(&SrtpKeys) -> &SrtpKey,
        make: fn(&SrtpKey) -> T,
    ) -> Option<Self> {
        match (present, next) {
            (Security::Srtp(present), Security::Srtp(next)) if key(present) == key(next) => None,
            (_, Security::Srtp(next)) => Some(Self::Keyed(Box::new(make(key(next))))),
            (_, Security::Awaited) => Some(Self::Closed),
            (_, Security::Plain) => Some(Self::Plain),
        }
    }
}

/// Both directions of a leg.
#[derive(Debug, Default)]
pub(crate) struct Protection {
    inbound: Way<Unprotector>,
    outbound: Way<Protector>,
}

/// What is to change, made where memory may be allocated.
#[derive(Debug)]
pub(crate) struct ProtectionChange {
    inbound: Option<Way<Unprotector>>,
    outbound: Option<Way<Protector>>,
}

impl ProtectionChange {
    pub(crate) fn new(present: &Security, next: &Security) -> Self {
        Self {
            inbound: Way::change(present, next, |keys| &keys.inbound, Unprotector::new),
            outbound: Way::change(present, next, |keys| &keys.outbound, Protector::new),
        }
    }
}

impl Protection {
    /// Takes what is new from `change`, which takes home what was before.
    pub(crate) fn change(&mut self, change: &mut ProtectionChange) {
        if let Some(inbound) = &mut change.inbound {
            std::mem::swap(&mut self.inbound, inbound);
        }
        if let Some(outbound) = &mut change.outbound {
            std::mem::swap(&mut self.outbound, outbound);
        }
    }

    /// Makes a datagram the packet that was sent. Returns its size; none if it is not to be taken.
    pub(crate) fn reveal(&mut self, datagram: &mut [u8]) -> Option<usize> {
        self.reveal_by(datagram, Unprotector::unprotect)
    }

    /// The same for a report.
    pub(crate) fn reveal_report(&mut self, datagram: &mut [u8]) -> Option<usize> {
        self.reveal_by(datagram, Unprotector::unprotect_report)
    }

    fn reveal_by(
        &mut self,
        datagram: &mut [u8],
        by: fn(&mut Unprotector, &mut [u8]) -> Result<usize, SrtpError>,
    ) -> Option<usize> {
        match &mut self.inbound {
            Way::Plain => Some(datagram.len()),
            Way::Closed => None,
            Way::Keyed(unprotector) => by(unprotector, datagram).ok(),
        }
    }

    /// Protects the packet in the first `size_bytes` of `buffer`, which has room for what is added. Returns its
    /// size; none if it is not to be sent.
    pub(crate) fn seal(&mut self, buffer: &mut [u8], size_bytes: usize) -> Option<usize> {
        self.seal_by(buffer, size_bytes, Protector::protect)
    }

    /// The same for a report.
    pub(crate) fn seal_report(&mut self, buffer: &mut [u8], size_bytes: usize) -> Option<usize> {
        self.seal_by(buffer, size_bytes, Protector::protect_report)
    }

    fn seal_by(
        &mut self,
        buffer: &mut [u8],
        size_bytes: usize,
        by: fn(&mut Protector, &mut [u8], usize) -> usize,
    ) -> Option<usize> {
        match &mut self.outbound {
            Way::Plain => Some(size_bytes),
            Way::Closed => None,
            Way::Keyed(protector) => Some(by(protector, buffer, size_bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use mixminus_rtp::srtp::{MAX_OVERHEAD_BYTES, SrtpSuite};

    use super::*;

    const PACKET: [u8; 20] = [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8];

    fn srtp(inbound: u8, outbound: u8) -> Security {
        let suite = SrtpSuite::AesCm128HmacSha1_80;
        let key = |byte| SrtpKey::new(suite, &[byte; 30]).unwrap();
        Security::Srtp(SrtpKeys { inbound: key(inbound), outbound: key(outbound) })
    }

    fn under(security: &Security) -> Protection {
        let mut protection = Protection::default();
        protection.change(&mut ProtectionChange::new(&Security::Plain, security));
        protection
    }

    fn sent(by: &mut Protection) -> Vec<u8> {
        let mut buffer = [&PACKET[..], &[0; MAX_OVERHEAD_BYTES]].concat();
        let size_bytes = by.seal(&mut buffer, PACKET.len()).unwrap();
        buffer.truncate(size_bytes);
        buffer
    }

    #[test]
    fn nothing_goes_in_or_out_before_the_keys_are_there() {
        let mut leg = under(&Security::Awaited);
        assert_eq!(leg.reveal(&mut PACKET.clone()), None);
        assert_eq!(leg.reveal_report(&mut PACKET.clone()), None);
        assert_eq!(leg.seal(&mut [0; 64], 20), None);
        assert_eq!(leg.seal_report(&mut [0; 64], 20), None);
    }

    #[test]
    fn the_same_keys_again_change_nothing_and_others_do() {
        let (mut near, mut far) = (under(&srtp(1, 2)), under(&srtp(2, 1)));
        let mut packet = sent(&mut far);
        assert_eq!(near.reveal(&mut packet.clone()), Some(PACKET.len()));
        near.change(&mut ProtectionChange::new(&srtp(1, 2), &srtp(1, 2)));
        assert_eq!(near.reveal(&mut packet.clone()), None, "it remembers that it came");
        near.change(&mut ProtectionChange::new(&srtp(1, 2), &srtp(1, 3)));
        assert_eq!(near.reveal(&mut packet.clone()), None, "the other direction has a new key");
        near.change(&mut ProtectionChange::new(&srtp(1, 3), &srtp(4, 3)));
        assert_eq!(near.reveal(&mut packet.clone()), None, "the key is another one");
        near.change(&mut ProtectionChange::new(&srtp(4, 3), &Security::Plain));
        assert_eq!(near.reveal(&mut packet), Some(PACKET.len() + 10));
    }
}
