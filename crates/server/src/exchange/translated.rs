//! Far ends behind address translation, which name an address of their own network for their media.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where a far end takes media that names `named`, when its signalling comes from `signals`: where that comes
/// from, if it names an address of a private network from outside of any. Its first packet shows the port.
///
/// So a phone needs no STUN, and nobody outside has audio sent into the network that we are in.
pub fn reached(named: SocketAddr, signals: Option<IpAddr>) -> SocketAddr {
    match signals {
        Some(signals) if is_private(named.ip()) && !is_private(signals) => (signals, named.port()).into(),
        _ => named,
    }
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_private() || address.is_loopback() || address.is_link_local() || is_shared(address)
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// Of carriers' own translators (RFC 6598).
const fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0xc0 == 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(named: &str, signals: &str) -> String {
        reached(named.parse().unwrap(), signals.parse().ok()).to_string()
    }

    #[test]
    fn media_of_a_translated_phone_go_to_its_translator() {
        for named in ["10.1.2.3", "172.16.0.9", "192.168.0.2", "100.64.0.1", "169.254.1.1", "127.0.0.1"] {
            assert_eq!(answered(&format!("{named}:4000"), "203.0.113.7"), "203.0.113.7:4000");
        }
        assert_eq!(answered("[fd00::1]:4000", "2001:db8::1"), "[2001:db8::1]:4000");
        assert_eq!(answered("[fe80::1]:4000", "2001:db8::1"), "[2001:db8::1]:4000");
    }

    #[test]
    fn all_others_are_believed() {
        assert_eq!(answered("198.51.100.1:4000", "203.0.113.7"), "198.51.100.1:4000");
        assert_eq!(answered("10.1.2.3:4000", "10.0.0.1"), "10.1.2.3:4000");
        assert_eq!(answered("10.1.2.3:4000", "127.0.0.1"), "10.1.2.3:4000");
        assert_eq!(answered("10.1.2.3:4000", "unknown"), "10.1.2.3:4000");
        assert_eq!(answered("100.128.0.1:4000", "203.0.113.7"), "100.128.0.1:4000");
        assert_eq!(answered("0.0.0.0:4000", "203.0.113.7"), "0.0.0.0:4000");
    }
}
