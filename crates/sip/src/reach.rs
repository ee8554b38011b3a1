//! The way to peers that we send to first: names become addresses, and streams are opened before the
//! stack would open its own, which knows neither the gate nor certificates.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use rsipstack::sip::uri::ParamsExt;
use rsipstack::sip::{Host, HostWithPort, Port, Scheme, Transport as StackTransport, Uri};
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
use crate::listen::{keep_alive, sip_addr};
use crate::reachable::Reachable;
use crate::stream;

/// Addresses of a name that are tried.
const MAX_ADDRESSES: usize = 4;

/// Finds peers and connects with them.
#[derive(Clone)]
pub(crate) struct Reach {
    pub(crate) flows: Arc<Flows>,
    pub(crate) reachable: Arc<Reachable>,
    /// Which certificates are believed; without it there is no TLS to peers.
    pub(crate) tls: Option<Arc<ClientConfig>>,
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
        let refused = || io::Error::from(io::ErrorKind::Unsupported);
        let stack_transport = target.r#type.unwrap_or_default();
        let transport = Transport::of_stack(stack_transport).ok_or_else(refused).map_err(unreachable)?;
        let port =
            target.addr.port.as_ref().map_or_else(|| stack_transport.default_port().into(), Port::value);
        let host = host(target);
        let addresses = self.addresses(&host, port).await.map_err(unreachable)?;
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses {
            let peer = sip_addr(stack_transport, address);
            if transport == Transport::Udp || self.flows.has(&peer, &host) {
                return Ok(peer);
            }
            match self.connect_once(transport, &peer, address, &host).await {
                Ok(()) => return Ok(peer),
                Err(error) => failure = error,
            }
        }
        debug!(%transport, error = %failure, "no way to a peer");
        Err(unreachable(failure))
    }

    /// The addresses of `host`, those of a family that we have first.
    async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![(ip, port).into()]);
        }
        // Contacts of browsers are names that must not be looked up (RFC 7118 section 5).
        if host.ends_with(".invalid") {
            return Err(io::ErrorKind::NotFound.into());
        }
        let found = timeout(self.flows.limits.handshake, tokio::net::lookup_host((host, port))).await??;
        let mut addresses: Vec<_> = found.collect();
        addresses.sort_by_key(|address| !self.reachable.has_family_of(address.ip()));
        addresses.truncate(MAX_ADDRESSES);
        Ok(addresses)
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

/// Where a request to `uri` goes.
pub(crate) fn target(uri: &Uri) -> SipAddr {
    let transport = match (&uri.scheme, uri.transport().copied()) {
        // `sips` is TLS, whatever stream it names (RFC 3261 section 19.1).
        (Some(Scheme::Sips), None | Some(StackTransport::Tcp | StackTransport::Udp)) => StackTransport::Tls,
        (_, stated) => stated.unwrap_or_default(),
    };
    SipAddr { r#type: Some(transport), addr: uri.host_with_port.clone() }
}

/// `address` in a form that the stack has us look up, with or without a name in it. It takes numbers
/// for connected with, or connects itself.
pub(crate) fn unresolved(address: &SipAddr) -> SipAddr {
    let host = Host::Domain(address.addr.host.to_string().into());
    SipAddr { r#type: address.r#type, addr: HostWithPort { host, port: address.addr.port } }
}

/// The host as certificates write it, without brackets.
fn host(target: &SipAddr) -> String {
    match &target.addr.host {
        Host::Domain(domain) => domain.to_string().trim_matches(['[', ']']).to_ascii_lowercase(),
        Host::IpAddr(ip) => ip.to_string(),
    }
}
