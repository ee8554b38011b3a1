//! What comes to a leg's media socket and is no media (RFC 7983): the handshake that agrees on its keys.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use rtrb::{Consumer, Producer, RingBuffer};

/// Datagrams that wait for whoever reads them; a handshake has a few on their way at a time.
const CAPACITY: usize = 16;
/// Longest datagram that is taken.
const MAX_BYTES: usize = 1_500;

/// Whether a datagram is one of DTLS.
pub(crate) fn is_dtls(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| (20..=63).contains(first))
}

/// The other end of a leg's media socket, for what the far end sends that is no media, and for answers to it.
///
/// The leg's source gate is in front of it: nothing comes from a host that signalling did not name.
#[derive(Debug)]
pub struct SideChannel {
    incoming: Consumer<Datagram>,
    socket: Arc<UdpSocket>,
}

impl SideChannel {
    /// The next datagram that came, and where from.
    pub fn receive(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        let Datagram { source, bytes, size_bytes } = self.incoming.pop().ok()?;
        Some((source, bytes[..size_bytes].to_vec()))
    }

    /// Sends a datagram from the leg's address.
    ///
    /// # Errors
    ///
    /// When the system does not take it.
    pub fn send(&self, datagram: &[u8], destination: SocketAddr) -> io::Result<()> {
        self.socket.send_to(datagram, destination).map(drop)
    }

    /// Whether the leg is gone, or another channel has its place.
    pub fn is_closed(&self) -> bool {
        self.incoming.is_abandoned()
    }
}

/// The leg's end of a [`SideChannel`].
#[derive(Debug)]
pub(crate) struct SideInlet(Producer<Datagram>);

impl SideInlet {
    /// Passes a datagram on, or drops it if nobody takes the earlier ones.
    pub(crate) fn pass(&mut self, source: SocketAddr, datagram: &[u8]) {
        if datagram.len() > MAX_BYTES {
            return;
        }
        let mut bytes = [0; MAX_BYTES];
        bytes[..datagram.len()].copy_from_slice(datagram);
        // What is lost is sent again.
        self.0.push(Datagram { source, bytes, size_bytes: datagram.len() }).ok();
    }
}

#[derive(Debug)]
struct Datagram {
    source: SocketAddr,
    bytes: [u8; MAX_BYTES],
    size_bytes: usize,
}

/// Both ends for a leg with that socket.
pub(crate) fn side_channel(socket: Arc<UdpSocket>) -> (SideInlet, SideChannel) {
    let (inlet, incoming) = RingBuffer::new(CAPACITY);
    (SideInlet(inlet), SideChannel { incoming, socket })
}
