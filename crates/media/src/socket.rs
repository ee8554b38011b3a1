//! A leg's socket for media.
#![expect(unsafe_code, reason = "the standard library cannot disconnect a socket")]

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// A socket that, once its far end is known, takes nothing from anyone else:
/// then the kernel drops what others send before it costs the worker time or
/// takes up room in the receive buffer, and finds the way out sooner.
#[derive(Debug)]
pub(crate) struct MediaSocket {
    socket: Arc<UdpSocket>,
    far_end: Option<SocketAddr>,
    /// A socket on all addresses would be bound to one by being connected, and
    /// might no longer get what the far end sends to another.
    has_one_address: bool,
}

impl MediaSocket {
    /// A socket that was bound to a port by number, and takes from anyone.
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        let has_one_address = !socket.local_addr()?.ip().is_unspecified();
        Ok(Self { socket: Arc::new(socket), far_end: None, has_one_address })
    }

    /// The socket itself, for whoever else sends from it.
    pub(crate) fn share(&self) -> Arc<UdpSocket> {
        Arc::clone(&self.socket)
    }

    /// Takes from `far_end` only, from the next datagram that arrives, or again
    /// from anyone. When that cannot be, it takes from anyone.
    pub(crate) fn focus(&mut self, far_end: Option<SocketAddr>) {
        if self.far_end != far_end && self.has_one_address {
            self.far_end = match far_end {
                Some(far_end) => self.socket.connect(far_end).is_ok().then_some(far_end),
                None => None,
            };
            if self.far_end.is_none() {
                disconnect(&self.socket);
            }
        }
    }

    /// Reads the next datagram to the start of `datagram`.
    pub(crate) fn receive(&self, datagram: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(datagram)
    }

    /// Sends a datagram.
    pub(crate) fn send(&self, datagram: &[u8], destination: SocketAddr) -> io::Result<usize> {
        if self.far_end != Some(destination) {
            return self.socket.send_to(datagram, destination);
        }
        match self.socket.send(datagram) {
            // That an earlier one met nobody was told instead of sending this one.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => self.socket.send(datagram),
            sent => sent,
        }
    }
}

/// Has the kernel forget whom `socket` is connected to. A failure changes
/// nothing, and the socket's source gate decides alone.
fn disconnect(socket: &UdpSocket) {
    let nobody = libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    // SAFETY: `nobody` is a whole sockaddr that outlives the call.
    unsafe {
        libc::connect(socket.as_raw_fd(), &raw const nobody, size_of_val(&nobody) as libc::socklen_t);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    /// A socket on a port of its own by number, as a disconnected one loses any other.
    #[expect(clippy::disallowed_methods, reason = "what is tested is the kernel")]
    fn bind(ip: Ipv4Addr) -> UdpSocket {
        let port = UdpSocket::bind((ip, 0)).unwrap().local_addr().unwrap().port();
        let socket = UdpSocket::bind((ip, port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        socket
    }

    /// Who of `senders` gets through, in order.
    fn heard(socket: &MediaSocket, senders: [&UdpSocket; 2]) -> Vec<SocketAddr> {
        let to = (Ipv4Addr::LOCALHOST, socket.socket.local_addr().unwrap().port());
        for sender in senders {
            sender.send_to(b"hello", to).unwrap();
        }
        std::iter::from_fn(|| socket.receive(&mut [0; 8]).ok()).map(|(_, source)| source).collect()
    }

    #[test]
    fn a_focused_socket_takes_from_its_far_end_only_until_it_is_released() {
        let [far_end, other] = [(); 2].map(|()| bind(Ipv4Addr::LOCALHOST));
        let [far, others] = [&far_end, &other].map(|socket| socket.local_addr().unwrap());
        let mut socket = MediaSocket::new(bind(Ipv4Addr::LOCALHOST)).unwrap();
        assert_eq!(heard(&socket, [&far_end, &other]), [far, others]);
        socket.focus(Some(far));
        assert_eq!(heard(&socket, [&far_end, &other]), [far]);
        socket.send(b"hello", far).unwrap();
        socket.send(b"hello", others).unwrap();
        assert!([far_end.recv(&mut [0; 8]), other.recv(&mut [0; 8])].iter().all(Result::is_ok));
        socket.focus(Some(others));
        assert_eq!(heard(&socket, [&far_end, &other]), [others]);
        socket.focus(None);
        assert_eq!(heard(&socket, [&far_end, &other]), [far, others]);
    }

    #[test]
    fn a_socket_on_all_addresses_is_never_focused() {
        let [far_end, other] = [(); 2].map(|()| bind(Ipv4Addr::LOCALHOST));
        let mut socket = MediaSocket::new(bind(Ipv4Addr::UNSPECIFIED)).unwrap();
        socket.focus(Some(far_end.local_addr().unwrap()));
        assert_eq!(heard(&socket, [&far_end, &other]).len(), 2);
    }

    #[test]
    fn a_far_end_that_was_away_is_sent_every_datagram_after_that() {
        let far_end = bind(Ipv4Addr::LOCALHOST);
        let address = far_end.local_addr().unwrap();
        let mut socket = MediaSocket::new(bind(Ipv4Addr::LOCALHOST)).unwrap();
        socket.focus(Some(address));
        drop(far_end);
        for _ in 0..3 {
            socket.send(b"hello", address).unwrap();
        }
        #[expect(clippy::disallowed_methods, reason = "the far end comes back")]
        let far_end = UdpSocket::bind(address).unwrap();
        far_end.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        assert_eq!(socket.send(b"hello", address).ok(), Some(5));
        assert_eq!(far_end.recv(&mut [0; 8]).ok(), Some(5));
    }
}
