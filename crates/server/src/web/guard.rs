//! Which addresses may be reached.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::WebError;

/// Where customers' URLs may point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destinations {
    /// Public addresses only.
    Public,
    /// Public addresses and these networks.
    PublicAnd(Vec<IpNet>),
    /// Everywhere, this machine included.
    Any,
}

/// An address that may not be reached.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a public address")]
pub(super) struct Forbidden(pub IpAddr);

/// Refuses URLs by their literal address, and names by what they resolve to.
///
/// As the resolver of the client it hands out only addresses that it has
/// checked, so a name cannot resolve to something else when it is connected to.
#[derive(Clone, Debug)]
pub(super) struct Guard(Arc<Destinations>);

impl Guard {
    pub fn new(destinations: Destinations) -> Self {
        Self(Arc::new(destinations))
    }

    /// Checks the scheme, and the address if the host is one. The parser has
    /// turned every spelling of an address into the address.
    pub fn check(&self, url: &Url) -> Result<(), WebError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(WebError::Scheme(url.scheme().to_owned()));
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        self.admit(address)
            .map_err(|Forbidden(address)| WebError::Forbidden { host: super::host(url), address })
    }

    /// Of a name's addresses all must be admitted: which one would be used is
    /// up to whoever answers for the name.
    fn admit_all(&self, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Forbidden> {
        for address in &addresses {
            self.admit(address.ip())?;
        }
        Ok(addresses)
    }

    fn admit(&self, address: IpAddr) -> Result<(), Forbidden> {
        let admitted = match &*self.0 {
            Destinations::Public => is_public(address),
            Destinations::PublicAnd(networks) => {
                let canonical = address.to_canonical();
                is_public(address) || networks.iter().any(|network| network.contains(&canonical))
            }
            Destinations::Any => true,
        };
        admitted.then_some(()).ok_or(Forbidden(address))
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let admitted = guard.admit_all(addresses)?;
            Ok::<Addrs, Box<dyn Error + Send + Sync>>(Box::new(admitted.into_iter()))
        })
    }
}

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 networks of the IANA registry of special-purpose addresses, and multicast.
const NOT_PUBLIC_V4: [Ipv4Net; 15] = [
    v4(0, 0, 0, 8),
    v4(10, 0, 0, 8),
    v4(100, 64, 0, 10),
    v4(127, 0, 0, 8),
    v4(169, 254, 0, 16),
    v4(172, 16, 0, 12),
    v4(192, 0, 0, 24),
    v4(192, 0, 2, 24),
    v4(192, 88, 99, 24),
    v4(192, 168, 0, 16),
    v4(198, 18, 0, 15),
    v4(198, 51, 100, 24),
    v4(203, 0, 113, 24),
    v4(224, 0, 0, 4),
    v4(240, 0, 0, 4),
];

/// All that is given out as global unicast in IPv6.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);

/// Of [`GLOBAL_V6`]: protocols' own (Teredo), documentation, 6to4, documentation.
const NOT_PUBLIC_V6: [Ipv6Net; 4] =
    [v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];

/// Where IPv6-only networks translate to IPv4 (RFC 6052), address in the last 32 bits.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 96);

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) if NAT64.contains(&address) => {
            is_public(Ipv4Addr::from(address.to_bits() as u32).into())
        }
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str) -> Result<(), WebError> {
        Guard::new(Destinations::Public).check(&Url::parse(url)?)
    }

    #[test]
    fn an_address_that_is_not_public_is_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "017700000001",
            "0177.0.0.01",
            "127.0.0.1:8080",
            "user:secret@127.0.0.1",
            "example.com@127.0.0.1",
            "example.com%40evil@127.0.0.1",
            "%31%32%37.0.0.1",
            "１２７。０。０。１",
            "①②⑦.0.0.1",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[::]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::808:808]",
            "[2002:7f00:1::]",
            "[2001:0:7f00:1::]",
            "[2001:db8::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "0.0.0.0",
            "0",
            "10.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "0xa9fea9fe",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            for url in [format!("http://{host}/x"), format!("https:\\\\{host}\\x"), format!("HTTP:{host}")] {
                let refused = check(&url);
                assert!(matches!(refused, Err(WebError::Forbidden { .. })), "{url}: {refused:?}");
            }
        }
    }

    #[test]
    fn public_addresses_and_names_pass() {
        for host in [
            "8.8.8.8",
            "172.15.255.255",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "223.255.255.255",
            "[2606:4700::1111]",
            "[2001:4860:4860::8888]",
            "[64:ff9b::808:808]",
            "[::ffff:8.8.8.8]",
            "example.com",
            "127.0.0.1.example.com",
        ] {
            check(&format!("http://{host}/")).unwrap();
        }
    }

    #[test]
    fn only_http_and_https_pass() {
        for url in ["file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "javascript:1"] {
            assert!(matches!(check(url), Err(WebError::Scheme(_))), "{url}");
        }
        for url in ["", "/relative", "http://", "http://[::1", "http://256.256.256.256/", "http://1.2.3.4.5/"]
        {
            assert!(matches!(check(url), Err(WebError::InvalidUrl(_))), "{url}");
        }
    }

    #[test]
    fn one_private_answer_refuses_the_name() {
        let answers = |addresses: [&str; 2]| addresses.map(|address| address.parse().unwrap()).to_vec();
        let guard = Guard::new(Destinations::Public);
        guard.admit_all(answers(["8.8.8.8:0", "[2606:4700::1111]:0"])).unwrap();
        let refused = guard.admit_all(answers(["8.8.8.8:0", "10.0.0.1:0"])).unwrap_err();
        assert_eq!(refused.to_string(), "10.0.0.1 is not a public address");
    }

    #[test]
    fn a_listed_network_is_admitted_and_its_neighbour_is_not() {
        let guard = Guard::new(Destinations::PublicAnd(vec!["10.1.0.0/16".parse().unwrap()]));
        for (url, admitted) in [
            ("http://10.1.2.3/", true),
            ("http://[::ffff:10.1.2.3]/", true),
            ("http://10.2.0.0/", false),
            ("http://8.8.8.8/", true),
        ] {
            assert_eq!(guard.check(&Url::parse(url).unwrap()).is_ok(), admitted, "{url}");
        }
    }
}
