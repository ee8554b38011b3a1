//! Where the user agent listens and whom it listens to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use rsipstack::sip::Transport as StackTransport;
use thiserror::Error;

/// Transport under SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream under TLS.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket under TLS.
    Wss,
}

impl Transport {
    pub(crate) const fn of_stack(transport: StackTransport) -> Option<Self> {
        match transport {
            StackTransport::Udp => Some(Self::Udp),
            StackTransport::Tcp => Some(Self::Tcp),
            StackTransport::Tls => Some(Self::Tls),
            StackTransport::Ws => Some(Self::Ws),
            StackTransport::Wss => Some(Self::Wss),
            StackTransport::Sctp | StackTransport::TlsSctp => None,
        }
    }

    pub(crate) const fn for_stack(self) -> StackTransport {
        match self {
            Self::Udp => StackTransport::Udp,
            Self::Tcp => StackTransport::Tcp,
            Self::Tls => StackTransport::Tls,
            Self::Ws => StackTransport::Ws,
            Self::Wss => StackTransport::Wss,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        })
    }
}

impl FromStr for Transport {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.to_ascii_lowercase().as_str() {
            "udp" => Ok(Self::Udp),
            "tcp" => Ok(Self::Tcp),
            "tls" => Ok(Self::Tls),
            "ws" => Ok(Self::Ws),
            "wss" => Ok(Self::Wss),
            _ => Err(AddressError::Transport(text.to_owned())),
        }
    }
}

/// One address to listen on, written `udp:127.0.0.1:5060`, or `udp:10.0.0.5:5060=203.0.113.7:5060`
/// where peers reach it at another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenAddress {
    /// UDP, TCP or TLS.
    pub transport: Transport,
    /// Address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// What peers are told instead (`Via`, `Contact`), behind network address translation.
    pub advertised: Option<SocketAddr>,
}

impl ListenAddress {
    /// A listener that tells peers where it really is.
    pub const fn new(transport: Transport, address: SocketAddr) -> Self {
        Self { transport, address, advertised: None }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.address)?;
        self.advertised.map_or(Ok(()), |advertised| write!(f, "={advertised}"))
    }
}

impl FromStr for ListenAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refused = || AddressError::Listen(text.to_owned());
        let (transport, addresses) = text.split_once(':').ok_or_else(refused)?;
        let transport = transport.parse()?;
        if matches!(transport, Transport::Ws | Transport::Wss) {
            return Err(AddressError::Transport(transport.to_string()));
        }
        let (address, advertised) =
            addresses.split_once('=').map_or((addresses, None), |(a, b)| (a, Some(b)));
        let address: SocketAddr = address.parse().map_err(|_| refused())?;
        let advertised: Option<SocketAddr> = advertised.map(str::parse).transpose().map_err(|_| refused())?;
        let fits = |told: SocketAddr| !told.ip().is_unspecified() && told.port() != 0;
        if !advertised.is_none_or(|told| fits(told) && told.is_ipv4() == address.is_ipv4()) {
            return Err(refused());
        }
        Ok(Self { transport, address, advertised })
    }
}

/// Where a peer is, and how it is reached; printed as `tls:192.0.2.7:5061`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerAddress {
    /// Transport.
    pub transport: Transport,
    /// Address and port that its packets come from.
    pub address: SocketAddr,
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.address)
    }
}

/// A block of addresses, written `10.0.0.0/8`; a bare address is a block of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// This machine alone.
    pub const LOOPBACK: [Self; 2] = [
        Self { network: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), prefix: 8 },
        Self { network: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 },
    ];

    /// Whether `address` lies in the block. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let prefix = u32::from(self.prefix);
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).checked_shr(32 - prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).checked_shr(128 - prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl FromStr for Cidr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refused = || AddressError::Cidr(text.to_owned());
        let (network, prefix) = text.split_once('/').map_or((text, None), |(n, p)| (n, Some(p)));
        let network: IpAddr = network.parse().map_err(|_| refused())?;
        let widest = if network.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(widest), str::parse).map_err(|_| refused())?;
        if prefix > widest {
            return Err(refused());
        }
        Ok(Self { network, prefix })
    }
}

/// An address that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not `udp`, `tcp` or `tls`; WebSockets come by the HTTP port.
    #[error("{0:?} is not a transport to listen on: udp, tcp and tls are")]
    Transport(String),
    /// Not `transport:address:port`.
    #[error("{0:?} is not a SIP address: write it as udp:127.0.0.1:5060")]
    Listen(String),
    /// Not `address/prefix`.
    #[error("{0:?} is not a block of addresses: write it as 10.0.0.0/8 or 192.0.2.7")]
    Cidr(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listen_address_prints_as_it_is_written() {
        for text in [
            "udp:127.0.0.1:5060",
            "tcp:[::1]:0",
            "tls:0.0.0.0:5061=192.0.2.1:443",
            "udp:[::]:1=[2001:db8::1]:1",
        ] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_address_that_cannot_be_read_is_named() {
        for text in [
            "5060",
            "udp:5060",
            "udp:localhost:5060",
            "udp:127.0.0.1:1=",
            "udp:127.0.0.1:1=[2001:db8::1]:1",
            "udp:127.0.0.1:1=0.0.0.0:1",
            "udp:127.0.0.1:1=192.0.2.1:0",
        ] {
            assert_eq!(text.parse::<ListenAddress>(), Err(AddressError::Listen(text.into())));
        }
        for transport in ["ws", "sctp"] {
            let address = format!("{transport}:127.0.0.1:1");
            assert_eq!(address.parse::<ListenAddress>(), Err(AddressError::Transport(transport.into())));
        }
    }

    #[test]
    fn a_block_holds_its_addresses_and_no_others() {
        let block: Cidr = "10.1.0.0/16".parse().unwrap();
        let holds = |address: &str| block.contains(address.parse().unwrap());
        assert!(holds("10.1.255.1") && holds("::ffff:10.1.2.3"));
        assert!(!holds("10.2.0.1") && !holds("::1"));
        let all: Cidr = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()));
        let one: Cidr = "192.0.2.7".parse().unwrap();
        assert!(!one.contains("192.0.2.6".parse().unwrap()));
    }

    #[test]
    fn a_prefix_longer_than_the_address_is_refused() {
        for text in ["10.0.0.0/33", "::/129", "10.0.0.0/", "ten/8"] {
            assert_eq!(text.parse::<Cidr>(), Err(AddressError::Cidr(text.into())));
        }
    }
}
