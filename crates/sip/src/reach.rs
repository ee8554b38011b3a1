//! The way to peers that we send to first: names become addresses, and streams are opened before the
//! stack would open its own, which knows neither the gate nor certificates.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rsipstack::sip::uri::ParamsExt;
use rsipstack::sip::{Host, HostWithPort, Scheme, Transport as StackTransport, Uri};
use rsipstack::transaction::endpoint::TargetLocator;
use rsipstack::transport::SipAddr;
use rsipstack::transport::transport_layer::DomainResolver;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tracing::debug;

use crate::Transport;
use crate::flow::Flows;
use crate::listen::keep_alive;
use crate::reachable::Reachable;
use crate::resolve::{Names, Way};
use crate::stream;

/// How long a way that led nowhere is only tried after the others.
const AVOIDANCE: Duration = Duration::from_secs(30);
/// Ways that are remembered as leading nowhere.
const MAX_AVOIDED: usize = 1024;

/// Finds peers and connects with them.
#[derive(Clone)]
pub(crate) struct Reach {
    pub(crate) flows: Arc<Flows>,
    pub(crate) reachable: Arc<Reachable>,
    /// Which certificates are believed; without it there is no TLS to peers.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) names: Names,
    /// Ways that led nowhere, and until when they are avoided.
    pub(crate) avoided: Arc<Mutex<HashMap<SocketAddr, Instant>>>,
}

#[async_trait]
impl TargetLocator for Reach {
    async fn locate(&self, uri: &Uri) -> rsipstack::Result<SipAddr> {
        self.find(&target(uri)).await
    }
}

#[async_trait]
impl DomainResolver for Reach {
    async fn resolve(&self, target: &SipAddr) -> rsipstack::Result<SipAddr> {
        self.find(target).await
    }
}

impl Reach {
    /// The address of `target`, with a connection if it needs one.
    pub(crate) async fn find(&self, target: &SipAddr) -> rsipstack::Result<SipAddr> {
        let unreachable =
            |error: io::Error| rsipstack::Error::TransportLayerError(error.to_string(), target.clone());
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for way in self.ways(target).await.map_err(unreachable)? {
            match self.open(way, &host(target)).await {
                Ok(()) => return Ok(way.into()),
                Err(error) => failure = error,
            }
        }
        debug!(%target, error = %failure, "no way to a peer");
        Err(unreachable(failure))
    }

    /// The ways to `target`, the best first; those that led nowhere of late come last.
    pub(crate) async fn ways(&self, target: &SipAddr) -> io::Result<Vec<Way>> {
        let mut ways = self.names.ways(target, &self.reachable).await?;
        ways.sort_by_key(|way| self.avoids(*way));
        Ok(ways)
    }

    /// Whether a way led nowhere of late.
    pub(crate) fn avoids(&self, way: Way) -> bool {
        self.avoided().get(&way.address).is_some_and(|until| now() < *until)
    }

    /// Remembers that a way led nowhere.
    pub(crate) fn avoid(&self, way: Way) {
        let mut avoided = self.avoided();
        if avoided.len() >= MAX_AVOIDED {
            avoided.clear();
        }
        avoided.insert(way.address, now() + AVOIDANCE);
    }

    fn avoided(&self) -> MutexGuard<'_, HashMap<SocketAddr, Instant>> {
        self.avoided.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects with `host` by `way`, if that takes a connection and there is none.
    pub(crate) async fn open(&self, way: Way, host: &str) -> io::Result<()> {
        let peer = SipAddr::from(way);
        match Transport::of_stack(way.transport) {
            Some(Transport::Udp) => Ok(()),
            Some(_) if self.flows.has(&peer, host) => Ok(()),
            Some(transport) => self.connect_once(transport, &peer, way.address, host).await,
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Connects unless somebody else does: whoever waited for that has no better luck.
    async fn connect_once(
        &self,
        transport: Transport,
        peer: &SipAddr,
        address: SocketAddr,
        host: &str,
    ) -> io::Result<()> {
        let turn = self.flows.turn(peer);
        let Ok(_turn) = turn.try_lock() else {
            let _turn = turn.lock().await;
            let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
            return if self.flows.has(peer, host) { Ok(()) } else { Err(refused()) };
        };
        self.connect(transport, address, host).await
    }

    /// Connects with `host` at `address`, and serves the connection.
    async fn connect(&self, transport: Transport, address: SocketAddr, host: &str) -> io::Result<()> {
        let full = || io::Error::other("too many connections");
        let place = self.flows.places.take(address.ip()).ok_or_else(full)?;
        let handshake = self.flows.limits.handshake;
        let tls = match (transport, &self.tls) {
            (Transport::Tcp, _) => None,
            (Transport::Tls, Some(tls)) => Some(TlsConnector::from(Arc::clone(tls))),
            // A WebSocket is opened by the client alone.
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let stream = timeout(handshake, TcpStream::connect(address)).await??;
        keep_alive(&stream)?;
        let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
        let named = Some(host.to_owned());
        if let Some(tls) = tls {
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            let stream = timeout(handshake, tls.connect(name, stream)).await??;
            let (flow, unsent) = self.flows.open(place, transport, address, named).await.ok_or_else(gone)?;
            tokio::spawn(stream::serve(stream, flow, unsent));
        } else {
            let (flow, unsent) = self.flows.open(place, transport, address, named).await.ok_or_else(gone)?;
            tokio::spawn(stream::serve(stream, flow, unsent));
        }
        Ok(())
    }
}

/// Where a request to `uri` goes; by what transport only if the URI says so.
pub(crate) fn target(uri: &Uri) -> SipAddr {
    let transport = match (&uri.scheme, uri.transport().copied()) {
        // `sips` is TLS, whatever stream it names (RFC 3261 section 19.1).
        (Some(Scheme::Sips), None | Some(StackTransport::Tcp | StackTransport::Udp)) => {
            Some(StackTransport::Tls)
        }
        (_, stated) => stated,
    };
    SipAddr { r#type: transport, addr: uri.host_with_port.clone() }
}

/// `address` in a form that the stack has us look up, with or without a name in it. It takes numbers
/// for connected with, or connects itself.
pub(crate) fn unresolved(address: &SipAddr) -> SipAddr {
    let host = Host::Domain(address.addr.host.to_string().into());
    SipAddr { r#type: address.r#type, addr: HostWithPort { host, port: address.addr.port } }
}

/// The host as certificates write it, without brackets.
pub(crate) fn host(target: &SipAddr) -> String {
    match &target.addr.host {
        Host::Domain(domain) => domain.to_string().trim_matches(['[', ']']).to_ascii_lowercase(),
        Host::IpAddr(ip) => ip.to_string(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "ways are avoided by the clock of the network they lead through"
)]
fn now() -> Instant {
    Instant::now()
}
