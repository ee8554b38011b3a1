//! Whom to call.

use std::net::{IpAddr, SocketAddr};

use mixminus_sip::Transport;

use crate::RehearseError;

/// Port of SIP.
const DEFAULT_PORT: u16 = 5060;

/// A SIP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) transport: Transport,
    /// Our address on the way to it.
    pub(crate) local: IpAddr,
}

impl Target {
    /// Reads `host[:port][;transport]` and looks the host up.
    pub(crate) async fn find(text: &str) -> Result<Self, RehearseError> {
        let refused = || RehearseError::Target(text.to_owned());
        let (host, port, transport) = split(text).ok_or_else(refused)?;
        let found = tokio::net::lookup_host((host, port)).await.ok();
        let address = found.and_then(|mut addresses| addresses.next()).ok_or_else(refused)?;
        let local = route_to(address).map_err(|_| refused())?;
        Ok(Self { address, transport, local })
    }

    /// The URI of a user there.
    pub(crate) fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{};transport={}", self.address, self.transport)
    }

    /// Whether the server runs on this machine.
    pub(crate) fn is_here(&self) -> bool {
        self.address.ip().is_loopback() || self.address.ip() == self.local
    }
}

fn split(text: &str) -> Option<(&str, u16, Transport)> {
    let (place, transport) = text.split_once(';').unwrap_or((text, "udp"));
    let transport = transport.trim_start_matches("transport=").parse().ok()?;
    if !matches!(transport, Transport::Udp | Transport::Tcp) {
        return None;
    }
    if place.parse::<IpAddr>().is_ok() {
        return Some((place, DEFAULT_PORT, transport));
    }
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (place, DEFAULT_PORT),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then_some((host, port, transport))
}

/// The address that the kernel would send from. Nothing is sent.
#[expect(clippy::disallowed_methods, reason = "the rehearsal is a program of its own on the network")]
fn route_to(address: SocketAddr) -> std::io::Result<IpAddr> {
    let any: IpAddr = if address.is_ipv4() { [0, 0, 0, 0].into() } else { [0u16; 8].into() };
    let socket = std::net::UdpSocket::bind((any, 0))?;
    socket.connect(address)?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_and_transport_may_be_left_out() {
        assert_eq!(split("a.example"), Some(("a.example", 5060, Transport::Udp)));
        assert_eq!(split("127.0.0.1:5070;tcp"), Some(("127.0.0.1", 5070, Transport::Tcp)));
        assert_eq!(split("a.example;transport=tcp"), Some(("a.example", 5060, Transport::Tcp)));
        assert_eq!(split("[::1]:5070"), Some(("::1", 5070, Transport::Udp)));
        assert_eq!(split("::1"), Some(("::1", 5060, Transport::Udp)));
        for wrong in ["", ":5060", "a:port", "a;sctp", "a;tls"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_loopback_server_is_here() {
        let target = Target::find("127.0.0.1:5070").await.unwrap();
        assert_eq!(target.local, IpAddr::from([127, 0, 0, 1]));
        assert!(target.is_here());
        assert_eq!(target.uri("rehearse-0"), "sip:rehearse-0@127.0.0.1:5070;transport=udp");
    }
}
