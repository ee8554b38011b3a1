//! What comes to a leg's media socket and is no media (RFC 7983): checks of where its far end is, and the handshake that
//! agrees on its keys.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

/// Datagrams that wait for whoever reads them; checks and a handshake have a few on their way at a time.
const CAPACITY: usize = 16;
/// Room that strangers leave to the far end.
const RESERVED: usize = CAPACITY / 2;
/// Longest datagram that is taken.
const MAX_BYTES: usize = 1_500;

/// Whether a datagram is one of STUN or of DTLS.
pub(crate) const fn is_aside(datagram: &[u8]) -> bool {
    matches!(datagram, [0..=3 | 20..=63, ..])
}

/// Who sent a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// Whom the leg's source gate admits.
    FarEnd,
    /// Somebody who may come to be the far end.
    Stranger,
}

/// The other end of a leg's media socket, for what the far end sends that is no media, and for answers to it.
///
/// The leg's source gate is in front of it: nothing comes from a host that signalling did not name, unless it is
/// checked who the far end is. A flood from elsewhere leaves room for what the far end sends.
#[derive(Debug)]
pub struct SideChannel {
    incoming: Consumer<Datagram>,
    socket: Arc<UdpSocket>,
    packets: Arc<AtomicU32>,
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

    /// Packets and reports that the far end has sent and the leg has taken since the channel was opened; begins anew
    /// after `u32::MAX`.
    pub fn packets(&self) -> u32 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Whether the leg is gone, or another channel has its place.
    pub fn is_closed(&self) -> bool {
        self.incoming.is_abandoned()
    }
}

/// The leg's end of a [`SideChannel`].
#[derive(Debug)]
pub(crate) struct SideInlet {
    outgoing: Producer<Datagram>,
    packets: Arc<AtomicU32>,
}

impl SideInlet {
    /// Counts a packet or a report.
    pub(crate) fn hear(&self) {
        self.packets.fetch_add(1, Ordering::Relaxed);
    }

    /// Passes a datagram on, or drops it if nobody takes the earlier ones.
    pub(crate) fn pass(&mut self, sender: Sender, source: SocketAddr, datagram: &[u8]) {
        let crowded = sender == Sender::Stranger && self.outgoing.slots() <= RESERVED;
        if datagram.len() > MAX_BYTES || crowded {
            return;
        }
        let mut bytes = [0; MAX_BYTES];
        bytes[..datagram.len()].copy_from_slice(datagram);
        // What is lost is sent again.
        self.outgoing.push(Datagram { source, bytes, size_bytes: datagram.len() }).ok();
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
    let (outgoing, incoming) = RingBuffer::new(CAPACITY);
    let packets = Arc::<AtomicU32>::default();
    (SideInlet { outgoing, packets: Arc::clone(&packets) }, SideChannel { incoming, socket, packets })
}
