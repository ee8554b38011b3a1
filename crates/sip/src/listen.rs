//! The sockets, bound here so that a taken port is an error at start and port 0 is known.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::transport::SipAddr;
use rsipstack::transport::tcp::TcpConnection;
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::stream::Inlet;

/// Receive buffer asked of the kernel: a burst of some thousand requests. The kernel's own default
/// overflows at a few hundred calls placed at once.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// Pending TCP connections.
const BACKLOG: i32 = 128;
/// Open TCP connections; more are closed at once.
const MAX_CONNECTIONS: usize = 1024;
/// After so long without a byte the kernel asks a TCP peer whether it is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_mins(1);
/// Pause after a failed accept, which is most often a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(crate) fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
    if let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES) {
        warn!(%error, "the receive buffer stays as small as the kernel made it");
    }
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

pub(crate) fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Hands every connection to the inlet until `stopped`.
pub(crate) async fn accept(listener: TcpListener, inlet: Arc<Inlet>, stopped: CancellationToken) {
    while let Some(accepted) = stopped.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((_, peer)) if inlet.is_full(MAX_CONNECTIONS) => {
                debug!(%peer, "too many connections");
            }
            Ok((stream, peer)) => {
                if let Err(error) = adopt(stream, &inlet, stopped.child_token()) {
                    debug!(%peer, %error, "lost a connection while accepting it");
                }
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn adopt(stream: TcpStream, inlet: &Arc<Inlet>, stopped: CancellationToken) -> io::Result<()> {
    SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_AFTER))?;
    let local = sip_addr(rsipstack::sip::Transport::Tcp, stream.local_addr()?);
    let connection = TcpConnection::from_stream(stream, local, Some(stopped)).map_err(io::Error::other)?;
    let inlet = Arc::clone(inlet);
    tokio::spawn(async move { inlet.serve(connection).await });
    Ok(())
}

pub(crate) fn sip_addr(transport: rsipstack::sip::Transport, address: SocketAddr) -> SipAddr {
    SipAddr { r#type: Some(transport), addr: address.into() }
}
