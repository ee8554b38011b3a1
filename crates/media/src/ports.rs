//! The pool of media ports.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use socket2::{Domain, Protocol, Socket, Type};

use crate::MediaError;
use crate::socket::MediaSocket;
use crate::stamped::StampedSocket;

/// Room for half a second of G.711 in a socket, as the kernel accounts it
/// (a 172-byte datagram occupies about 800 bytes). More would only let a
/// stalled worker replay stale audio; less would lose packets in a burst.
const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;

/// Room for the reports of far more than a second.
const REPORT_BUFFER_BYTES: usize = 8 * 1024;

/// The two sockets of one leg, on an even port and on the odd port above it.
#[derive(Debug)]
pub(crate) struct PortPair {
    /// Media.
    pub(crate) rtp: MediaSocket,
    /// Reports.
    pub(crate) rtcp: StampedSocket,
}

/// Even ports not in use, the longest unused first: a packet still on its way
/// to an ended leg should not meet a new one.
#[derive(Debug)]
pub(crate) struct PortPool {
    ip: IpAddr,
    free: VecDeque<u16>,
}

impl PortPool {
    /// A pool of the even ports in `ports` whose odd neighbour is in it too.
    /// `start` chooses where in the range it begins.
    pub(crate) fn new(ip: IpAddr, ports: &RangeInclusive<u16>, start: u16) -> Result<Self, MediaError> {
        let (first, last) = (*ports.start(), *ports.end());
        let mut free: VecDeque<u16> = (first..last).filter(|port| port.is_multiple_of(2)).collect();
        if free.is_empty() {
            return Err(MediaError::NoPortPair { first, last });
        }
        let start = usize::from(start) % free.len();
        free.rotate_left(start);
        Ok(Self { ip, free })
    }

    /// Binds the next pair. A port that another process holds is passed over.
    pub(crate) fn open(&mut self) -> Result<(u16, PortPair), MediaError> {
        for _ in 0..self.free.len() {
            let Some(port) = self.free.pop_front() else { break };
            match bind_pair(self.ip, port) {
                Ok(pair) => return Ok((port, pair)),
                Err(error) => {
                    self.free.push_back(port);
                    if error.kind() != io::ErrorKind::AddrInUse {
                        return Err(MediaError::Socket { ip: self.ip, port, error });
                    }
                }
            }
        }
        Err(MediaError::NoPorts)
    }

    /// Takes back a port whose pair is closed.
    pub(crate) fn close(&mut self, port: u16) {
        debug_assert!(port.is_multiple_of(2));
        self.free.push_back(port);
    }
}

fn bind_pair(ip: IpAddr, port: u16) -> io::Result<PortPair> {
    Ok(PortPair {
        rtp: MediaSocket::new(bind(SocketAddr::new(ip, port), RECEIVE_BUFFER_BYTES)?)?,
        rtcp: StampedSocket::new(bind(SocketAddr::new(ip, port + 1), REPORT_BUFFER_BYTES)?)?,
    })
}

fn bind(address: SocketAddr, receive_buffer_bytes: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(receive_buffer_bytes)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn free(ports: RangeInclusive<u16>, start: u16) -> Vec<u16> {
        PortPool::new(LOOPBACK, &ports, start).unwrap().free.into()
    }

    #[test]
    fn only_whole_pairs_are_offered() {
        assert_eq!(free(41_001..=41_006, 0), [41_002, 41_004]);
        assert_eq!(free(41_000..=41_001, 0), [41_000]);
        let single = PortPool::new(LOOPBACK, &(41_000..=41_000), 0);
        assert!(matches!(single, Err(MediaError::NoPortPair { first: 41_000, last: 41_000 })));
    }

    #[test]
    fn the_start_turns_the_range() {
        assert_eq!(free(41_000..=41_005, 4), [41_002, 41_004, 41_000]);
    }

    /// So many ports in a row that nobody holds.
    fn free_range(ports: u16) -> RangeInclusive<u16> {
        let bindable = |port| bind(SocketAddr::new(LOOPBACK, port), REPORT_BUFFER_BYTES).is_ok();
        let mut firsts =
            (10_000..19_000).step_by(usize::from(ports)).skip(std::process::id() as usize % 1_000);
        let first = firsts.find(|first| (*first..first + ports).all(bindable)).unwrap();
        first..=first + ports - 1
    }

    #[test]
    fn a_port_held_by_someone_else_is_passed_over() {
        let range = free_range(4);
        let first = *range.start();
        let held = bind(SocketAddr::new(LOOPBACK, first + 1), REPORT_BUFFER_BYTES).unwrap();
        let mut pool = PortPool::new(LOOPBACK, &range, 0).unwrap();
        let (port, _pair) = pool.open().unwrap();
        assert_eq!(port, first + 2);
        assert!(matches!(pool.open(), Err(MediaError::NoPorts)));
        drop(held);
        assert_eq!(pool.open().unwrap().0, first);
    }

    #[test]
    fn a_closed_port_is_used_last() {
        let range = free_range(6);
        let mut pool = PortPool::new(LOOPBACK, &range, 0).unwrap();
        let (first, pair) = pool.open().unwrap();
        drop(pair);
        pool.close(first);
        assert_eq!(pool.free, [first + 2, first + 4, first]);
    }

    #[test]
    fn an_address_that_is_not_ours_is_an_error_that_says_so() {
        let elsewhere = Ipv4Addr::new(192, 0, 2, 1).into();
        let mut pool = PortPool::new(elsewhere, &(10_000..=10_001), 0).unwrap();
        assert!(matches!(pool.open(), Err(MediaError::Socket { port: 10_000, .. })));
    }
}
