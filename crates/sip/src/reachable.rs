//! Where peers reach us: what `Via` and `Contact` say.

use std::net::{IpAddr, SocketAddr};

use rsipstack::sip::headers::untyped::Via;
use rsipstack::sip::prelude::{HeadersExt, ToTypedHeader};
use rsipstack::sip::{Host, Param, Request, Scheme, Transport, Uri};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::{SipAddr, SipConnection};

use crate::listen::sip_addr;

/// The advertised addresses of the listeners, in their order.
#[derive(Debug, Default)]
pub(crate) struct Reachable(Vec<SipAddr>);

impl Reachable {
    pub(crate) fn push(&mut self, transport: Transport, address: SocketAddr) {
        self.0.push(sip_addr(transport, address));
    }

    /// Whether we listen at an address of the family of `peer`.
    pub(crate) fn has_family_of(&self, peer: IpAddr) -> bool {
        self.0.iter().filter_map(ip).any(|ours| ours.is_ipv4() == peer.is_ipv4())
    }

    /// Whether we listen by `transport` at an address of the family of `peer`.
    pub(crate) fn listens(&self, transport: Transport, peer: IpAddr) -> bool {
        let same = |address: &&SipAddr| address.r#type == Some(transport);
        self.0.iter().filter(same).filter_map(ip).any(|ours| ours.is_ipv4() == peer.is_ipv4())
    }

    /// Our address for peers by `transport`, of the family of `peer` if there is one. Over WebSocket
    /// nobody connects to it, and so it is that of any listener.
    pub(crate) fn by(&self, transport: Transport, peer: Option<IpAddr>) -> Option<SipAddr> {
        let web = matches!(transport, Transport::Ws | Transport::Wss);
        let suits = |address: &&SipAddr| web || address.r#type == Some(transport);
        let near = |address: &&SipAddr| match (ip(address), peer) {
            (Some(ours), Some(peer)) => ours.is_ipv4() == peer.is_ipv4(),
            _ => true,
        };
        let found = self.0.iter().filter(suits).find(near).or_else(|| self.0.iter().find(suits));
        found.map(|address| SipAddr { r#type: Some(transport), ..address.clone() })
    }

    /// Our address for whoever is at the other end of `connection`.
    pub(crate) fn to_peer(&self, connection: &SipConnection) -> Option<SipAddr> {
        if let SipConnection::Udp(_) = connection {
            return Some(connection.get_addr().clone());
        }
        let peer = connection.get_remote_addr()?;
        self.by(peer.r#type?, ip(peer))
    }

    /// Where the sender of `request` reaches us. A secure URI is answered by one (RFC 3261 section 12.1.1).
    pub(crate) fn contact(&self, request: &Transaction) -> Option<Uri> {
        let address = self.to_peer(request.connection.as_ref()?)?;
        let scheme = request.original.uri.scheme.clone().filter(|scheme| *scheme == Scheme::Sips);
        Some(Uri { scheme: scheme.or(Some(Scheme::Sip)), ..contact(&address) })
    }

    /// Has the topmost Via of a request name the transport that takes it to `destination`, and our
    /// address there (RFC 3261 section 18.1.1): the stack writes it before it knows either.
    pub(crate) fn sign(&self, request: &mut Request, destination: &SipAddr) {
        let transport = destination.r#type.unwrap_or_default();
        let (Some(ours), Ok(via)) = (self.by(transport, ip(destination)), request.via_header_mut()) else {
            return;
        };
        let signed = via.update_first_value(|via: Via| {
            let mut via = via.typed()?;
            via.transport = transport;
            via.uri = ours.addr.into();
            Ok(via.into())
        });
        if let Err(error) = signed {
            tracing::debug!(%error, "a Via stays as the stack wrote it");
        }
    }
}

/// How a peer reaches us at one of our addresses. URIs know one WebSocket (RFC 7118 section 5.1).
pub(crate) fn contact(address: &SipAddr) -> Uri {
    let transport = match address.r#type {
        None | Some(Transport::Udp) => None,
        Some(Transport::Wss) => Some(Transport::Ws),
        stated => stated,
    };
    Uri {
        scheme: Some(Scheme::Sip),
        host_with_port: address.addr.clone(),
        params: transport.map(Param::Transport).into_iter().collect(),
        ..Uri::default()
    }
}

fn ip(address: &SipAddr) -> Option<IpAddr> {
    match address.addr.host {
        Host::IpAddr(ip) => Some(ip),
        Host::Domain(_) => None,
    }
}
