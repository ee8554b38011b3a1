//! From the name of a peer to the ways that lead there (RFC 3263): which transport it wants, and which of
//! its hosts is to be tried first.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::rdata::{NAPTR, SRV};
use hickory_resolver::proto::rr::{RData, RecordType};
use rand::{Rng, RngExt as _};
use rsipstack::sip::{Port, Transport};
use rsipstack::transport::SipAddr;
use tokio::time::timeout;

use crate::listen::sip_addr;
use crate::reach::host;
use crate::reachable::Reachable;

/// Ways to one peer that are found.
const MAX_WAYS: usize = 6;
/// Hosts of one service whose addresses are looked up.
const MAX_HOSTS: usize = 4;
/// For all questions about one peer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Replacements of a domain by service, and what they mean (RFC 3263 section 4.1).
const SERVICES: [(&str, Transport); 3] =
    [("SIP+D2U", Transport::Udp), ("SIP+D2T", Transport::Tcp), ("SIPS+D2T", Transport::Tls)];

/// A way to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Way {
    pub(crate) transport: Transport,
    pub(crate) address: SocketAddr,
}

impl From<Way> for SipAddr {
    fn from(way: Way) -> Self {
        sip_addr(way.transport, way.address)
    }
}

/// Who is asked for names.
#[derive(Clone)]
pub(crate) struct Names(TokioResolver);

impl Names {
    /// Asks `server`, or else whom this machine asks; `None` if that cannot be found out.
    pub(crate) fn new(server: Option<SocketAddr>) -> Option<Self> {
        let told = |servers| {
            let config = ResolverConfig::from_parts(None, vec![], servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let builder = match server {
            Some(server) => {
                let mut config = NameServerConfig::udp_and_tcp(server.ip());
                config.connections.iter_mut().for_each(|connection| connection.port = server.port());
                told(vec![config])
            }
            // Without a configuration there are still the names in the hosts file.
            None => TokioResolver::builder_tokio().unwrap_or_else(|_| told(vec![])),
        };
        builder.build().ok().map(Self)
    }

    /// The ways to `target`, the best first. A transport or a port that it states counts; else the
    /// services of its domain do, of those for whose transport we have an address.
    pub(crate) async fn ways(&self, target: &SipAddr, ours: &Reachable) -> io::Result<Vec<Way>> {
        let (stated, port, host) = (target.r#type, target.addr.port.as_ref().map(Port::value), host(target));
        let usual = stated.unwrap_or_default();
        if let Ok(ip) = host.parse::<IpAddr>() {
            let port = port.unwrap_or(usual.default_port().value());
            return Ok(vec![Way { transport: usual, address: (ip, port).into() }]);
        }
        // Contacts of browsers are names that must not be looked up (RFC 7118 section 5).
        if host.ends_with(".invalid") {
            return Err(io::ErrorKind::NotFound.into());
        }
        let found = async {
            let mut ways = Vec::new();
            if port.is_none() {
                for (transport, service) in self.services(&host, stated, ours).await {
                    ways.extend(self.hosts(&service, transport, ours).await);
                }
            }
            if ways.is_empty() {
                let port = port.unwrap_or(usual.default_port().value());
                ways = self.addresses(&host, port, usual, ours).await;
            }
            ways
        };
        let mut ways = timeout(PATIENCE, found).await?;
        ways.truncate(MAX_WAYS);
        if ways.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(ways) }
    }

    /// The services of `domain` that we could use, with the names under which their hosts are found.
    async fn services(
        &self,
        domain: &str,
        stated: Option<Transport>,
        ours: &Reachable,
    ) -> Vec<(Transport, String)> {
        if !domain.trim_end_matches('.').contains('.') {
            return vec![];
        }
        let usable = |transport: Transport| ours.by(transport, None).is_some();
        let mut offered = Vec::new();
        if stated.is_none() {
            let records = self.records(domain, RecordType::NAPTR).await;
            offered = services(records.iter().filter_map(|record| match record {
                RData::NAPTR(record) => Some(record),
                _ => None,
            }));
            offered.retain(|(transport, _)| usable(*transport));
        }
        if offered.is_empty() {
            let wanted = match stated {
                Some(transport) => vec![transport],
                None => vec![Transport::Udp, Transport::Tcp],
            };
            let known = wanted.into_iter().filter(|transport| usable(*transport));
            offered = known.filter_map(|t| Some((t, format!("{}.{domain}", prefix(t)?)))).collect();
        }
        offered
    }

    /// The hosts of a service, in the order in which they are to be tried.
    async fn hosts(&self, service: &str, transport: Transport, ours: &Reachable) -> Vec<Way> {
        let records = self.records(service, RecordType::SRV).await;
        let hosts = records.into_iter().filter_map(|record| match record {
            // A single dot says that there is none.
            RData::SRV(host) if !host.target.is_root() => Some(host),
            _ => None,
        });
        let mut ways = Vec::new();
        let hosts = ordered(hosts.collect(), &mut rand::rng());
        for host in hosts.into_iter().take(MAX_HOSTS) {
            ways.extend(self.addresses(&host.target.to_utf8(), host.port, transport, ours).await);
        }
        ways
    }

    /// The addresses of a host, those of a family that we have first.
    async fn addresses(&self, host: &str, port: u16, transport: Transport, ours: &Reachable) -> Vec<Way> {
        let Ok(found) = self.0.lookup_ip(host).await else { return vec![] };
        let mut ways: Vec<_> = found.iter().map(|ip| Way { transport, address: (ip, port).into() }).collect();
        ways.sort_by_key(|way| !ours.has_family_of(way.address.ip()));
        ways
    }

    /// What is known of a name; an absolute one, so that no search list makes another of it.
    async fn records(&self, name: &str, kind: RecordType) -> Vec<RData> {
        let found = self.0.lookup(format!("{}.", name.trim_end_matches('.')), kind).await;
        found.map_or_else(|_| vec![], |found| found.answers().iter().map(|one| one.data.clone()).collect())
    }
}

/// What the names of a transport's services begin with.
const fn prefix(transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::Udp => Some("_sip._udp"),
        Transport::Tcp => Some("_sip._tcp"),
        Transport::Tls => Some("_sips._tcp"),
        _ => None,
    }
}

/// The services that a domain names, in its order.
fn services<'a>(records: impl Iterator<Item = &'a NAPTR>) -> Vec<(Transport, String)> {
    let mut records: Vec<_> = records.filter(|record| record.flags.eq_ignore_ascii_case(b"s")).collect();
    records.sort_by_key(|record| (record.order, record.preference));
    let known = records.into_iter().filter_map(|record| {
        let (_, transport) =
            SERVICES.iter().find(|(name, _)| record.services.eq_ignore_ascii_case(name.as_bytes()))?;
        Some((*transport, record.replacement.to_utf8()))
    });
    known.take(SERVICES.len()).collect()
}

/// Hosts by priority, and among equals at random by weight (RFC 2782): as the weights are, so are the
/// chances to draw the shortest of exponentially distributed times.
fn ordered(hosts: Vec<SRV>, random: &mut impl Rng) -> Vec<SRV> {
    let mut drawn: Vec<_> = hosts
        .into_iter()
        .map(|host| {
            let time = -random.random_range(f64::MIN_POSITIVE..1.0).ln();
            (time / f64::from(host.weight).max(0.01), host)
        })
        .collect();
    drawn.sort_by(|(a, host_a), (b, host_b)| host_a.priority.cmp(&host_b.priority).then(a.total_cmp(b)));
    drawn.into_iter().map(|(_, host)| host).collect()
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::rr::Name;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    #[test]
    fn hosts_of_a_lower_priority_come_last_and_heavier_ones_more_often_first() {
        let hosts = [(10, 30, "a."), (10, 10, "b."), (5, 0, "c."), (20, 500, "d.")]
            .map(|(priority, weight, target)| SRV::new(priority, weight, 5060, name(target)));
        let mut random = StdRng::seed_from_u64(1);
        let mut first = 0;
        for _ in 0..1000 {
            let order: Vec<_> =
                ordered(hosts.to_vec(), &mut random).iter().map(|host| host.target.to_utf8()).collect();
            assert_eq!((&*order[0], &*order[3]), ("c.", "d."));
            first += usize::from(order[1] == "a.");
        }
        assert!((700..800).contains(&first), "{first} of 1000, of which three quarters are due");
    }

    #[test]
    fn a_domain_says_which_transports_it_prefers() {
        let record = |order, preference, flags: &str, service: &str, to: &str| {
            NAPTR::new(
                order,
                preference,
                flags.as_bytes().into(),
                service.as_bytes().into(),
                Box::default(),
                name(to),
            )
        };
        let records = [
            record(20, 1, "S", "SIP+D2U", "_sip._udp.x."),
            record(10, 2, "s", "SIP+D2T", "_sip._tcp.x."),
            record(10, 1, "s", "SIPS+D2T", "_sips._tcp.x."),
            record(1, 1, "s", "SIP+D2S", "_sip._sctp.x."),
            record(1, 1, "u", "E2U+sip", "."),
        ];
        let named = services(records.iter());
        let expected = [
            (Transport::Tls, "_sips._tcp.x."),
            (Transport::Tcp, "_sip._tcp.x."),
            (Transport::Udp, "_sip._udp.x."),
        ];
        assert_eq!(named, expected.map(|(transport, to)| (transport, to.to_owned())));
    }
}
