//! The sockets, bound here so that a taken port is an error at start and port 0 is known.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rsipstack::transport::{SipAddr, SipConnection};
use rustls::ServerConfig;
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::flow::Flows;
use crate::limits::Place;
use crate::{ListenAddress, Transport, stream};

/// Receive buffer asked of the kernel: a burst of some thousand requests. The kernel's own default
/// overflows at a few hundred calls placed at once.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// Pending TCP connections.
const BACKLOG: i32 = 128;
/// After so long without a byte the kernel asks a TCP peer whether it is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_mins(1);
/// Pause after a failed accept, which is most often a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(crate) fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket(address, Type::DGRAM)?;
    if let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES) {
        warn!(%error, "the receive buffer stays as small as the kernel made it");
    }
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

pub(crate) fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address, Type::STREAM)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// A socket of one family: who wants both listens to both, and sees no IPv4 address in IPv6 clothes.
fn socket(address: SocketAddr, r#type: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), r#type, None)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

/// Serves the connections that come in until `stopped`, with TLS if it is for that.
pub(crate) async fn accept(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    flows: Arc<Flows>,
    stopped: CancellationToken,
) {
    while let Some(accepted) = stopped.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = flows.places.take(peer.ip()) else { continue };
                let (tls, flows) = (tls.clone(), Arc::clone(&flows));
                tokio::spawn(async move {
                    if let Err(error) = adopt(stream, peer, place, tls, flows).await {
                        debug!(%peer, %error, "lost a connection while accepting it");
                    }
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection until its end.
async fn adopt(
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    tls: Option<Arc<ServerConfig>>,
    flows: Arc<Flows>,
) -> io::Result<()> {
    keep_alive(&stream)?;
    let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
    if let Some(tls) = tls {
        let stream = timeout(flows.limits.handshake, TlsAcceptor::from(tls).accept(stream)).await??;
        let (flow, unsent) = flows.open(place, Transport::Tls, peer, None).await.ok_or_else(gone)?;
        stream::serve(stream, flow, unsent).await;
    } else {
        let (flow, unsent) = flows.open(place, Transport::Tcp, peer, None).await.ok_or_else(gone)?;
        stream::serve(stream, flow, unsent).await;
    }
    Ok(())
}

/// Has the kernel check that the peer is still there.
pub(crate) fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_AFTER))
}

pub(crate) fn sip_addr(transport: rsipstack::sip::Transport, address: SocketAddr) -> SipAddr {
    SipAddr { r#type: Some(transport), addr: address.into() }
}

/// What peers are told of a listener bound to `bound`: what the configuration says of it, or the
/// `public` address if it is not on loopback, or where it is.
pub(crate) fn advertised(wanted: &ListenAddress, bound: SocketAddr, public: Option<IpAddr>) -> SocketAddr {
    let public = public.filter(|public| public.is_ipv4() == bound.is_ipv4() && !bound.ip().is_loopback());
    match (wanted.advertised, public) {
        (Some(advertised), _) => advertised,
        (None, Some(public)) => SocketAddr::new(public, bound.port()),
        (None, None) if bound.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
            SocketAddr::new(own_ipv6().unwrap_or(Ipv6Addr::LOCALHOST.into()), bound.port())
        }
        (None, None) => SipConnection::resolve_bind_address(bound),
    }
}

/// The address that the kernel would send from. Nothing is sent.
fn own_ipv6() -> Option<IpAddr> {
    let anywhere = SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9));
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, None).ok()?;
    socket.connect(&anywhere.into()).ok()?;
    Some(socket.local_addr().ok()?.as_socket()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_told_where_they_reach_us() {
        let told = |listen: &str, bound: &str, public: Option<&str>| {
            let public = public.map(|address| address.parse().unwrap());
            advertised(&listen.parse().unwrap(), bound.parse().unwrap(), public).to_string()
        };
        let ours = "udp:10.0.0.5:5060";
        assert_eq!(told(ours, "10.0.0.5:5060", None), "10.0.0.5:5060");
        assert_eq!(told(ours, "10.0.0.5:5060", Some("192.0.2.1")), "192.0.2.1:5060");
        assert_eq!(told(ours, "10.0.0.5:5060", Some("2001:db8::1")), "10.0.0.5:5060");
        assert_eq!(told(&format!("{ours}=192.0.2.2:70"), "10.0.0.5:5060", Some("192.0.2.1")), "192.0.2.2:70");
        assert_eq!(told("udp:127.0.0.1:0", "127.0.0.1:5", Some("192.0.2.1")), "127.0.0.1:5");
        assert!(told("udp:[::]:0", "[::]:5", None).ends_with("]:5"));
    }
}
